//! Who gets what, when several devices come and go.

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
