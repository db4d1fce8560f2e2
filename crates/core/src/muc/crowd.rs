//! A room of ten thousand: what it costs is counted, not timed.

use super::config::RoomConfig;
use super::fan::Greeting;
use super::history::Wanted;
use super::privilege::{Affiliation, Role};
use super::room::{Room, newcomer};
use super::rooms::stored;
use super::status;
use crate::limits;
use crate::member::Member;
use crate::session::{Out, Session};
use crate::testing::World;
use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::{BareJid, FullJid};
use rookery_store::{Append, ArchivePrefs, Direction, Flags, NewGroup, Pointer, Timestamp};
use smallvec::smallvec;
use std::sync::Arc;

const CROWD: usize = 10_000;

fn session(n: usize) -> Arc<Session> {
    let address = BareJid::new(&format!("user{n}@localhost")).unwrap();
    let member = Member {
        uid: Uid(20_000 + n as u64),
        address: address.clone(),
        epoch: 0,
        disabled: false,
        admin: false,
        unlimited: false,
        waits: false,
        blocked: Default::default(),
        prefs: ArchivePrefs::default(),
        privacy: Default::default(),
        reach: None,
    };
    let jid = FullJid::new(&format!("{address}/phone")).unwrap();
    let session = Arc::new(Session::new(jid, &member, Timestamp(0)));
    session.state().attach(Timestamp(0));
    session
}

/// What waits for a session, taken: how many stanzas, and the last.
fn taken(session: &Session) -> (usize, Option<String>) {
    let mut outs = Vec::new();
    session.state().take(usize::MAX >> 1, &mut outs);
    let text = |out: &Out| match out {
        Out::Said(said, _) => String::from_utf8_lossy(&said.stanza).into_owned(),
        Out::Stanza(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    };
    (outs.len(), outs.last().map(text))
}

/// `quiet`: as after a restart, so that the test need not count how each of the first is told of each.
async fn enters(room: &Arc<Room>, session: &Arc<Session>, nick: &str, role: Role, quiet: bool) {
    session.state().enters(room).unwrap();
    let greeting = Greeting { session: session.clone(), history: Wanted::NOTHING, codes: vec![status::SELF] };
    let who = newcomer(nick, &session.address, session.uid, "id".into(), Affiliation::None, role);
    room.act(|state| {
        let mut change = state.seat(who, session, Bytes::new(), Some(greeting));
        change.quiet = quiet;
        Ok((Some(change), ()))
    })
    .await
    .unwrap();
}

/// Until the room has nothing more to hand out.
async fn settled(session: &Session, what: &str) -> usize {
    let mut count = 0;
    loop {
        let (more, last) = taken(session);
        count += more;
        if last.is_some_and(|last| last.contains(what)) {
            return count;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn who_enters_and_speaks_in_a_crowd_costs_one_stanza_each() {
    let world = World::new().await;
    let config = RoomConfig { persistent: true, ..RoomConfig::default() };
    let new = NewGroup {
        uid: None,
        name: Some("crowd".to_owned()),
        config: stored(&config),
        affiliates: Vec::new(),
        created: Timestamp(0),
        created_by: None,
        epoch: 1,
    };
    let uid = world.core.store.create_group(new).await.unwrap().uid;
    let room = world.core.room("crowd").await.unwrap().unwrap();
    let moderator = session(0);
    enters(&room, &moderator, "moderator", Role::Moderator, false).await;
    settled(&moderator, "<subject").await;
    let mut crowd: Vec<Arc<Session>> = Vec::with_capacity(CROWD);
    for n in 1..CROWD {
        let session = session(n);
        let quiet = n <= limits::ROOM_CROWD;
        enters(&room, &session, &format!("nick{n}"), Role::Participant, quiet).await;
        if !quiet {
            let got = settled(&session, "<subject").await;
            assert_eq!(got, 3, "the moderator, itself, and the subject");
            // Who keeps order sees everybody come.
            assert_eq!(taken(&moderator).0, 1);
        }
        crowd.push(session);
    }
    assert!(crowd.iter().all(|other| taken(other).0 == 0), "the others were not told");
    let append = Append {
        stanza: Bytes::from_static(
            b"<message from='crowd@groups.localhost/nick1' type='groupchat'><body>hi</body></message>",
        ),
        at: Timestamp(1),
        flags: Flags::default(),
        pointers: smallvec![Pointer {
            uid,
            peer: BareJid::new("user1@localhost").unwrap(),
            peer_resource: Some("nick1".into()),
            direction: Direction::In,
            resource: None,
            flags: Flags::ARCHIVE,
        }],
        origin: None,
    };
    world.core.store.append(append).await.unwrap().await.unwrap();
    for session in crowd.iter().chain([&moderator]) {
        assert_eq!(settled(session, "<body>hi</body>").await, 1);
    }
    // Who goes was not shown, so nobody need be told but who keeps order.
    let last = crowd.pop().unwrap();
    world.core.leave_room(&last, &room, None).await;
    assert_eq!(settled(&moderator, "unavailable").await, 1);
    assert_eq!(settled(&last, "unavailable").await, 1);
    assert!(crowd.iter().all(|other| taken(other).0 == 0));
}
