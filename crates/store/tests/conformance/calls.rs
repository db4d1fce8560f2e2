//! Pages from outside whose senders ask what became of them.

use rookery_proto::Useq;
use rookery_store::{
    Append, Appended, CallAnswer, Choice, Direction, Displayed, NewCall, StoreError, Timestamp, Upto, limits,
};
use smallvec::smallvec;

use crate::common::*;

const HOST: &str = "pager.example.org";

fn peer() -> rookery_proto::jid::BareJid {
    jid("ward@pager.example.org")
}

fn one(direction: Direction, text: &str) -> Append {
    let pointers = smallvec![pointer(ALICE, peer(), direction)];
    Append { pointers, ..message(ALICE, ALICE, text, 1) }
}

fn call(tag: u64, at: i64) -> NewCall {
    let choice = |code: &str, text: &str| Choice { code: code.into(), text: text.into() };
    let choices = vec![choice("1", "On my way"), choice("2", "")];
    let (stanza, at) = (format!("page-{tag}"), Timestamp(at));
    NewCall { tag, pass: 7, uid: ALICE, peer: peer(), stanza, at, choices, reply: true }
}

async fn put(f: &Fixture, call: NewCall) -> Result<Appended, StoreError> {
    f.store.append_call(one(Direction::In, &call.stanza), call).await?.await
}

pub(crate) async fn a_call_is_known_until_it_is_answered(mut f: Fixture) {
    put(&f, call(10, 1)).await.unwrap();
    put(&f, call(11, 2)).await.unwrap();
    f.reopen().await;
    let known = f.store.call(10).await.unwrap().unwrap();
    assert_eq!((&known.call, known.useq, &known.answer), (&call(10, 1), Useq(1), &None));
    assert!(!known.delivered && !known.read);
    assert_eq!(f.store.call(12).await.unwrap(), None);

    f.store.set_delivered(vec![(ALICE, Useq(1))]).await.unwrap();
    f.store.set_displayed(Displayed { uid: ALICE, peer: peer(), upto: Upto::Entry(Useq(1)) }).await.unwrap();
    let state = async |tag| f.store.call(tag).await.unwrap().map(|it| (it.delivered, it.read)).unwrap();
    assert_eq!((state(10).await, state(11).await), ((true, true), (false, false)));

    let waits = async |id: Option<&str>| {
        let found = f.store.waiting_call(ALICE, peer(), id.map(str::to_owned)).await.unwrap();
        found.map(|call| call.call.tag)
    };
    assert_eq!(
        (waits(None).await, waits(Some("page-10")).await, waits(Some("x")).await),
        (Some(11), Some(10), None)
    );
    assert_eq!(f.store.waiting_call(BOB, peer(), None).await.unwrap(), None, "it is another's");

    f.store.append_outbound(one(Direction::Out, "1"), None, HOST).await.unwrap().await.unwrap();
    let outbound = f.store.outbox(HOST, 10).await.unwrap().remove(0).id;
    let answer = |text: &str| CallAnswer { at: Timestamp(3), choice: Some("1".into()), text: text.into() };
    f.store.answer_call(11, outbound, answer("1")).await.unwrap();
    f.store.answer_call(11, outbound, answer("2")).await.unwrap();
    assert_eq!(f.store.call(11).await.unwrap().unwrap().answer, Some(answer("1")), "the first one stays");
    assert!(f.store.outbox(HOST, 10).await.unwrap().is_empty());
    assert_eq!(waits(None).await, Some(10));
}

pub(crate) async fn a_call_is_taken_back_with_its_message(f: Fixture) {
    put(&f, call(10, 1)).await.unwrap();
    put(&f, call(11, 2)).await.unwrap();
    f.store.withdraw_call(10).await.unwrap();
    f.store.withdraw_call(10).await.unwrap();
    assert_eq!(f.store.call(10).await.unwrap(), None);
    assert_eq!(log(&f.store, ALICE).await.len(), 1);
    assert!(f.store.call(11).await.unwrap().is_some());
}

pub(crate) async fn calls_are_bounded(f: Fixture) {
    let broken = |code: &str, text: &str| {
        let choices = vec![Choice { code: code.into(), text: text.into() }];
        NewCall { choices, ..call(1, 1) }
    };
    let long = "x".repeat(limits::CALL_BYTES);
    for bad in [broken("", "x"), broken("a b", "x"), broken("1", "x\n2 y"), broken("1", &long)] {
        assert!(matches!(put(&f, bad).await, Err(StoreError::Invalid(_))));
    }
    put(&f, call(1, 1)).await.unwrap();
    assert!(matches!(put(&f, call(1, 1)).await, Err(StoreError::Invalid(_))), "a tag is given once");
    for tag in 2..=limits::CALLS as u64 {
        put(&f, call(tag, 1)).await.unwrap();
    }
    assert!(matches!(put(&f, call(5000, 2)).await, Err(StoreError::Limit(_))));
    assert_eq!(log(&f.store, ALICE).await.len(), limits::CALLS, "nothing of it is stored");
    // A week later they are forgotten.
    let later = 1 + limits::CALL_MILLIS;
    put(&f, call(5000, later)).await.unwrap();
    assert_eq!(f.store.call(1).await.unwrap(), None);
    assert!(f.store.call(5000).await.unwrap().is_some());
}
