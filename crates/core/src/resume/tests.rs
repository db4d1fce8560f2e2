//! A restart, or something else, in the middle of something.

use super::*;
use crate::session::Link;
use crate::testing::{JULIET, World};
use crate::xep::fast::Entrant;
use bytes::Bytes;
use rookery_proto::sasl2::{Bind, UserAgent};
use rookery_store::{Credentials, Proof};
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::pin::{Pin, pin};
use std::task::Poll;

/// Goes on with something until it has waited so often, at most.
async fn go_on<F: Future>(mut future: Pin<&mut F>, mut waits: usize) -> Poll<F::Output> {
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx);
        waits -= 1;
        if polled.is_ready() || waits == 0 { Poll::Ready(polled) } else { Poll::Pending }
    })
    .await
}

#[tokio::test]
async fn a_restart_in_the_middle_of_catching_up_skips_nothing() {
    let world = World::new().await;
    world.message(None, "offline 1").await;
    world.message(None, "offline 2").await;
    let balcony = world.bind("balcony").await;
    world.message(Some("balcony"), "direct").await;
    assert_eq!(world.written(&balcony).await, ["direct"]);
    world.becomes_available(&balcony);

    let world = world.killed().await;
    let balcony = world.session("balcony");
    balcony.state().attach(Timestamp(0));
    world.message(None, "after").await;
    assert_eq!(world.written(&balcony).await, ["offline 1", "offline 2", "after"]);
}

#[tokio::test]
async fn a_restart_while_stanzas_are_sent_again_sends_none_twice() {
    let world = World::new().await;
    let balcony = world.bind("balcony").await;
    world.becomes_available(&balcony);
    for body in ["1", "2", "3"] {
        world.message(None, body).await;
    }
    assert_eq!(world.written(&balcony).await, ["1", "2", "3"]);
    let id = sm::encode_id(JULIET, &balcony.state().resumable().unwrap());
    balcony.detach(Timestamp(0));
    let (balcony, _) = world.core.resume(JULIET, &id, 1).await.ok().unwrap();
    world.core.journal.snapshot(&balcony);

    let world = world.killed().await;
    world.message(None, "4").await;
    let (balcony, _) = world.core.resume(JULIET, &id, 1).await.ok().unwrap();
    assert_eq!(world.written(&balcony).await, ["2", "3", "4"]);
}

#[tokio::test]
async fn while_the_store_fails_nobody_is_told_what_was_handled() {
    let world = World::new().await;
    let balcony = world.bind("balcony").await;
    world.becomes_available(&balcony);
    world.message(None, "1").await;
    assert_eq!(world.written(&balcony).await, ["1"]);
    let id = sm::encode_id(JULIET, &balcony.state().resumable().unwrap());
    balcony.detach(Timestamp(0));
    world.core.store.close().await.unwrap();
    let refused = world.core.resume(JULIET, &id, 0).await.err().unwrap();
    // An error to a message that could not be stored may wait with the session.
    assert_eq!((refused.condition, refused.handled), ("internal-server-error", None));
    assert!(balcony.is_live(), "it waits for the next attempt");
}

#[tokio::test]
async fn an_older_acknowledgement_says_nothing_to_the_next_start() {
    let world = World::new().await;
    let balcony = world.bind("balcony").await;
    world.becomes_available(&balcony);
    let mut bodies = (1..).map(|n: u32| n.to_string());
    for body in bodies.by_ref().take(10) {
        world.message(None, &body).await;
    }
    assert_eq!(world.written(&balcony).await.len(), 10);
    world.core.acknowledged(&balcony, 10).unwrap();
    world.core.acknowledged(&balcony, 5).unwrap();
    for body in bodies.by_ref().take(7) {
        world.message(None, &body).await;
    }
    assert_eq!(world.written(&balcony).await.len(), 7);
    let id = sm::encode_id(JULIET, &balcony.state().resumable().unwrap());

    let world = world.killed().await;
    let (balcony, _) = world.core.resume(JULIET, &id, 12).await.ok().unwrap();
    assert_eq!(world.written(&balcony).await, ["13", "14", "15", "16", "17"]);
}

#[tokio::test]
async fn what_is_forgotten_while_a_session_is_resumed_is_no_silent_gap() {
    let world = World::new().await;
    let balcony = world.bind("balcony").await;
    world.becomes_available(&balcony);
    world.message(None, "1").await;
    assert_eq!(world.written(&balcony).await, ["1"]);
    let id = sm::encode_id(JULIET, &balcony.state().resumable().unwrap());
    // Something to read from the store and something to write to it.
    balcony.state().sm.as_mut().unwrap().handled = 1;
    balcony.detach(Timestamp(0));
    let mut resuming = pin!(world.core.resume(JULIET, &id, 0));
    assert!(go_on(resuming.as_mut(), 1).await.is_pending());
    for _ in 0..=limits::DETACHED_STANZAS {
        balcony.push(Bytes::from_static(b"<iq/>"));
    }
    let refused = resuming.await.err().unwrap();
    assert_eq!((refused.condition, refused.handled), ("item-not-found", Some(1)));
    assert!(!balcony.is_live());
}

#[tokio::test]
async fn a_client_that_goes_while_it_binds_leaves_no_session_that_seems_served() {
    let world = World::new().await;
    let member = world.core.directory.member(JULIET).await.unwrap().unwrap();
    let bind = Bind { management: Some(true), ..Bind::default() };
    let agent = UserAgent { id: Some("phone".to_owned()), ..UserAgent::default() };
    let proof = Proof::Password(Credentials(Vec::new()));
    let peer = Ipv4Addr::LOCALHOST.into();
    let entrant = Entrant { uid: JULIET, agent: &agent, peer, proof, used: None, request: None };
    let installation = world.core.sign_in(entrant).await.unwrap().installation;
    for waits in 1.. {
        // An earlier session of the same client, which ends.
        world.core.bind2(&member, installation, &bind).await.unwrap();
        let anew = Bind { tag: Some("two".to_owned()), ..bind.clone() };
        {
            let mut binding = pin!(world.core.bind2(&member, installation, &anew));
            if let Poll::Ready(bound) = go_on(binding.as_mut(), waits).await {
                assert_eq!(*bound.unwrap().0.state().link(), Link::Attached);
                assert!(waits > 2, "it waits for the store");
                return;
            }
        }
        let left =
            world.core.router.sessions(JULIET).into_iter().filter(|s| s.resource().starts_with("two/"));
        for session in left {
            assert!(!session.is_served(), "after {waits}");
            world.core.end(&session, None).await;
        }
    }
}
