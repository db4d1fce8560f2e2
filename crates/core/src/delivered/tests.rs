//! Who gets what, when several devices come and go.

use crate::limits;
use crate::testing::{JULIET, World};
use rookery_proto::Useq;
use rookery_store::Timestamp;

#[tokio::test]
async fn what_waits_for_a_lost_device_is_given_to_who_comes_and_not_again() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    phone.detach(Timestamp(0));
    world.message(None, "1").await;
    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    world.message(None, "2").await;
    assert_eq!(world.written(&laptop).await, ["1", "2"]);
    world.acknowledges(&laptop);
    world.core.close(&laptop).await;
    world.expires(&phone).await;

    let tablet = world.bind("tablet").await;
    world.becomes_available(&tablet);
    assert_eq!(world.written(&tablet).await, [""; 0]);
}

#[tokio::test]
async fn what_nobody_acknowledged_is_given_again() {
    let world = World::new().await;
    let (phone, laptop) = (world.bind("phone").await, world.bind("laptop").await);
    for session in [&phone, &laptop] {
        world.becomes_available(session);
    }
    world.message(None, "1").await;
    assert_eq!(world.written(&phone).await, ["1"]);
    assert_eq!(world.written(&laptop).await, ["1"]);
    world.expires(&phone).await;
    world.expires(&laptop).await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    assert_eq!(world.written(&phone).await, ["1"]);
}

#[tokio::test]
async fn what_was_for_one_alone_is_given_to_the_next_and_nothing_else_is_repeated() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    phone.detach(Timestamp(0));
    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    world.message(Some("phone"), "for the phone").await;
    world.message(None, "for all").await;
    assert_eq!(world.written(&laptop).await, ["for all"]);
    world.acknowledges(&laptop);
    world.core.close(&laptop).await;
    world.expires(&phone).await;

    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    assert_eq!(world.written(&laptop).await, ["for the phone"]);
    world.acknowledges(&laptop);
    world.core.flush_delivered().await;
    assert_eq!(world.core.store.owed(JULIET, Useq(0), 9).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_left_is_passed_on_until_somebody_takes_it() {
    let world = World::new().await;
    let (phone, laptop) = (world.bind("phone").await, world.bind("laptop").await);
    world.becomes_available(&phone);
    world.becomes_available(&laptop);
    world.message(Some("phone"), "for the phone").await;
    world.message(None, "for all").await;
    assert_eq!(world.written(&phone).await, ["for the phone", "for all"]);
    assert_eq!(world.written(&laptop).await, ["for all"]);
    world.acknowledges(&laptop);
    world.expires(&phone).await;
    assert_eq!(world.written(&laptop).await, ["for the phone"]);
    world.expires(&laptop).await;

    let tablet = world.bind("tablet").await;
    world.becomes_available(&tablet);
    assert_eq!(world.written(&tablet).await, ["for the phone"]);
    world.acknowledges(&tablet);
    world.expires(&tablet).await;
    let next = world.bind("tablet").await;
    world.becomes_available(&next);
    assert_eq!(world.written(&next).await, [""; 0]);
}

#[tokio::test]
async fn a_copy_that_was_taken_is_enough() {
    let world = World::new().await;
    let (phone, laptop) = (world.bind("phone").await, world.bind("laptop").await);
    laptop.state().timeline.carbons = true;
    world.becomes_available(&phone);
    world.becomes_available(&laptop);
    world.message(Some("phone"), "for the phone").await;
    assert_eq!(world.written(&laptop).await, ["for the phone"], "as a copy");
    world.acknowledges(&laptop);
    world.expires(&phone).await;
    assert_eq!(world.written(&laptop).await, [""; 0]);
    world.core.flush_delivered().await;
    assert_eq!(world.core.store.owed(JULIET, Useq(0), 9).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_for_a_session_that_is_here_is_not_given_to_another() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    world.message(Some("phone"), "for the phone").await;
    world.message(None, "for all").await;
    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    assert_eq!(world.written(&laptop).await, ["for all"]);
    assert_eq!(world.written(&phone).await, ["for the phone", "for all"]);
}

#[tokio::test]
async fn an_account_that_only_sends_is_not_read_again_from_the_beginning() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    for _ in 0..3 {
        world.sent("phone", "out").await;
    }
    assert_eq!(world.written(&phone).await, [""; 0]);
    world.core.flush_delivered().await;
    assert_eq!(world.core.store.head(JULIET).await.unwrap().delivered, Useq(3));
}

#[tokio::test]
async fn positions_and_what_is_left_survive_a_kill() {
    let world = World::new().await;
    let (phone, laptop) = (world.bind("phone").await, world.bind("laptop").await);
    world.becomes_available(&phone);
    phone.detach(Timestamp(0));
    world.becomes_available(&laptop);
    world.message(Some("phone"), "for the phone").await;
    world.message(None, "for all").await;
    assert_eq!(world.written(&laptop).await, ["for all"]);
    world.acknowledges(&laptop);

    let world = world.killed().await;
    world.expires(&world.session("phone")).await;
    let world = world.killed().await;
    world.expires(&world.session("laptop")).await;
    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    assert_eq!(world.written(&laptop).await, ["for the phone"]);
}

#[tokio::test]
async fn an_end_that_nobody_waits_for_is_an_end_nevertheless() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    world.message(Some("phone"), "for the phone").await;
    phone.detach(Timestamp(0));
    // As when a client that signs in takes too long: its connection is cut off in the middle.
    let cut_off = async { tokio::task::yield_now().await };
    tokio::select! {
        biased;
        () = world.core.end(&phone, None) => panic!("it was not cut off"),
        () = cut_off => {}
    }
    while world.core.store.owed(JULIET, Useq(0), 9).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

/// What waits for whoever asks for it.
async fn waiting(world: &World) -> Vec<u64> {
    let entries = world.core.store.owed(JULIET, Useq(0), 99).await.unwrap();
    entries.iter().map(|entry| entry.useq.0).collect()
}

#[tokio::test]
async fn who_retrieves_what_waits_is_sent_only_what_comes_later() {
    let world = World::new().await;
    for body in ["1", "2", "3"] {
        world.message(None, body).await;
    }
    let phone = world.bind("phone").await;
    world.message(None, "4").await;
    world.core.retrieve(&phone).await.unwrap();
    assert_eq!(waiting(&world).await, [1, 2, 3, 4]);
    world.message(None, "5").await;
    world.becomes_available(&phone);
    world.message(None, "6").await;
    assert_eq!(world.written(&phone).await, ["5", "6"]);
    world.core.store.settle(JULIET, vec![Useq(2)]).await.unwrap();

    let world = world.killed().await;
    assert_eq!(world.core.store.head(JULIET).await.unwrap().delivered, Useq(4));
    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    // The phone's session is there still, and has not acknowledged these two.
    assert_eq!(world.written(&laptop).await, ["5", "6"]);
    world.expires(&world.session("phone")).await;
    assert_eq!(world.written(&laptop).await, ["1", "3", "4"]);
    world.acknowledges(&laptop);
    world.core.flush_delivered().await;
    assert_eq!(waiting(&world).await, [0; 0]);
}

#[tokio::test]
async fn what_a_lost_device_takes_after_all_does_not_wait_for_who_retrieves() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.becomes_available(&phone);
    world.message(None, "1").await;
    assert_eq!(world.written(&phone).await, ["1"]);
    phone.detach(Timestamp(0));
    world.message(None, "2").await;
    let laptop = world.bind("laptop").await;
    world.core.retrieve(&laptop).await.unwrap();
    assert_eq!(waiting(&world).await, [1, 2]);

    phone.state().attach(Timestamp(0));
    assert_eq!(world.written(&phone).await, ["2"]);
    world.acknowledges(&phone);
    world.core.flush_delivered().await;
    assert_eq!(waiting(&world).await, [0; 0]);
    world.core.end(&laptop, None).await;
    assert_eq!(world.written(&phone).await, [""; 0]);
}

#[tokio::test]
async fn what_is_for_a_session_that_is_here_does_not_wait() {
    let world = World::new().await;
    let phone = world.bind("phone").await;
    world.message(Some("phone"), "for the phone").await;
    world.message(None, "for all").await;
    let laptop = world.bind("laptop").await;
    world.core.retrieve(&laptop).await.unwrap();
    assert_eq!(waiting(&world).await, [2]);
    assert_eq!(world.written(&phone).await, ["for the phone"]);
}

#[tokio::test]
async fn more_than_one_takes_at_once_is_collected_in_parts() {
    let world = World::new().await;
    let count = limits::OWED + 3;
    for n in 0..count {
        world.message(None, &n.to_string()).await;
    }
    let phone = world.bind("phone").await;
    world.core.retrieve(&phone).await.unwrap();
    world.core.end(&phone, None).await;
    let laptop = world.bind("laptop").await;
    world.becomes_available(&laptop);
    let mut written = Vec::new();
    while written.len() < count {
        let part = world.written(&laptop).await;
        assert!(!part.is_empty(), "{} of {count}", written.len());
        written.extend(part);
        world.acknowledges(&laptop);
        world.core.flush_delivered().await;
    }
    assert!(written.iter().enumerate().all(|(n, body)| *body == n.to_string()));
    assert_eq!(waiting(&world).await, [0; 0]);
}
