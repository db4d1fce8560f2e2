use super::super::config::RoomConfig;
use super::super::fan::Greeting;
use super::super::history::Wanted;
use super::super::privilege::Affiliation;
use super::super::rooms::stored;
use super::*;
use crate::session::Out;
use crate::testing::World;
use rookery_store::{NewGroup, Timestamp};

/// Comes into the room, as a client's presence does.
async fn enters(world: &World, session: &Arc<Session>, nick: &str) {
    let room = world.core.room("nest").await.unwrap().unwrap();
    session.state().enters(&room).unwrap();
    let greeting = Greeting { session: session.clone(), history: Wanted::NOTHING, codes: vec![110] };
    let who =
        newcomer(nick, &session.address, session.uid, "id".into(), Affiliation::None, Role::Participant);
    room.act(|state| Ok((Some(state.seat(who, session, Bytes::new(), Some(greeting))), ()))).await.unwrap();
}

/// Until the client would be told that it is in the room.
async fn is_told(session: &Session) {
    let mut outs = Vec::new();
    let told = |out: &Out| matches!(out, Out::Stanza(bytes) if bytes.windows(5).any(|part| part == b"'110'"));
    while !outs.iter().any(told) {
        tokio::task::yield_now().await;
        session.state().take(usize::MAX >> 1, &mut outs);
    }
}

async fn with_room() -> World {
    let world = World::new().await;
    let new = NewGroup {
        uid: None,
        name: Some("nest".to_owned()),
        config: stored(&RoomConfig { persistent: true, ..RoomConfig::default() }),
        affiliates: Vec::new(),
        created: Timestamp(0),
        created_by: None,
        epoch: 1,
    };
    world.core.store.create_group(new).await.unwrap();
    world
}

#[tokio::test]
async fn who_is_told_to_be_in_a_room_is_in_it_after_a_restart() {
    let world = with_room().await;
    let balcony = world.bind("balcony").await;
    enters(&world, &balcony, "juliet").await;
    is_told(&balcony).await;
    let world = world.killed().await;
    let room = world.core.room("nest").await.unwrap().unwrap();
    assert!(room.state().occupant_of(&world.session("balcony")).is_some());
}

#[tokio::test]
async fn a_session_that_ended_does_not_come_back_by_what_its_room_notes_later() {
    let world = with_room().await;
    let balcony = world.bind("balcony").await;
    enters(&world, &balcony, "juliet").await;
    world.expires(&balcony).await;
    world.core.journal.snapshot_if_live(&balcony);
    // As many sessions come back as the journal has.
    let world = world.killed().await;
    assert_eq!(world.core.router.all().len(), 0);
}
