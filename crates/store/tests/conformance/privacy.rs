//! What an account shows and takes, and what strangers sent that was set aside.

use rookery_proto::Useq;
use rookery_store::{
    Adding, Append, Audience, Flags, Privacy, PrivacySettings, Request, Store, StoreError, Strangers, limits,
};

use crate::common::*;

/// A message from `from` to `to` that is set aside there.
fn aside(from: rookery_proto::Uid, to: rookery_proto::Uid, body: &str, at: i64) -> Append {
    let mut message = message(from, to, body, at);
    message.flags = Flags::ARCHIVE;
    message.pointers[0].flags = Flags::DELIVER;
    message.pointers[1].flags = Flags::REQUEST;
    message
}

async fn waiting(store: &Store) -> Vec<(String, u64, i64)> {
    let requests = store.requests(BOB).await.unwrap();
    requests
        .into_iter()
        .map(|Request { peer, messages, newest }| (peer.to_string(), messages, newest.0))
        .collect()
}

pub(crate) async fn privacy_is_kept(mut f: Fixture) {
    assert_eq!(f.store.privacy(ALICE).await.unwrap(), Privacy::default());
    let settings = PrivacySettings {
        presence: Audience::Nobody,
        last: Audience::Everybody,
        strangers: Strangers::SetAside,
        adding: Adding::Invited,
    };
    f.store.set_privacy(ALICE, settings).await.unwrap();
    f.store.set_visibility(ALICE, jid("b@example.org"), Some(true)).await.unwrap();
    f.store.set_visibility(ALICE, jid("a@example.org"), Some(true)).await.unwrap();
    f.store.set_visibility(ALICE, jid("a@example.org"), Some(false)).await.unwrap();
    f.store.answer(ALICE, address(BOB)).await.unwrap();
    f.reopen().await;
    let visibility = vec![(jid("a@example.org"), false), (jid("b@example.org"), true)];
    let kept = Privacy { settings, visibility, answered: vec![address(BOB)] };
    assert_eq!(f.store.privacy(ALICE).await.unwrap(), kept);
    assert_eq!(f.store.privacy(BOB).await.unwrap(), Privacy::default());
    for jid in ["a@example.org", "b@example.org", "c@example.org"] {
        f.store.set_visibility(ALICE, crate::common::jid(jid), None).await.unwrap();
    }
    f.store.set_privacy(ALICE, PrivacySettings::default()).await.unwrap();
    let left = f.store.privacy(ALICE).await.unwrap();
    assert_eq!((left.settings, left.visibility), (PrivacySettings::default(), vec![]));
}

pub(crate) async fn visibility_is_bounded(f: Fixture) {
    let rule = async |n: usize| f.store.set_visibility(ALICE, jid(&format!("{n}@x")), Some(false)).await;
    for n in 0..limits::VISIBILITY {
        rule(n).await.unwrap();
    }
    assert_eq!(rule(limits::VISIBILITY).await, Err(StoreError::Limit("rules of visibility")));
    assert_eq!(rule(7).await, Ok(()), "a rule that is there may change");
    assert_eq!(f.store.privacy(ALICE).await.unwrap().visibility.len(), limits::VISIBILITY);
}

pub(crate) async fn who_was_answered_longest_ago_is_forgotten(f: Fixture) {
    let answer = async |n: usize| f.store.answer(ALICE, jid(&format!("{n}@x"))).await.unwrap();
    for n in 0..limits::ANSWERED {
        answer(n).await;
    }
    answer(0).await;
    answer(limits::ANSWERED).await;
    let answered = f.store.privacy(ALICE).await.unwrap().answered;
    assert_eq!(answered.len(), limits::ANSWERED);
    assert!(!answered.contains(&jid("1@x")) && answered.contains(&jid("0@x")));
}

pub(crate) async fn what_was_set_aside_is_released_in_order(mut f: Fixture) {
    let carol = rookery_proto::Uid(3);
    stored(&f.store, aside(ALICE, BOB, "one", 1_000)).await;
    stored(&f.store, aside(carol, BOB, "other", 2_000)).await;
    stored(&f.store, aside(ALICE, BOB, "two", 3_000)).await;
    stored(&f.store, message(ALICE, BOB, "known by then", 4_000)).await;
    f.reopen().await;
    let (alice, other) = (address(ALICE).to_string(), address(carol).to_string());
    assert_eq!(waiting(&f.store).await, [(alice, 2, 3_000), (other.clone(), 1, 2_000)]);

    assert_eq!(f.store.release(BOB, address(ALICE)).await, Ok(2));
    let released = f.store.owed(BOB, Useq(0), 10).await.unwrap();
    assert_eq!(released.iter().map(body).collect::<Vec<_>>(), ["one", "two"]);
    assert!(released.iter().all(|e| e.flags.has(Flags::DELIVER | Flags::ARCHIVE)));
    assert!(!released.iter().any(|e| e.flags.has(Flags::REQUEST)));
    assert_eq!(f.store.release(BOB, address(ALICE)).await, Ok(0));
    assert_eq!(waiting(&f.store).await, [(other, 1, 2_000)]);
    assert_eq!(f.store.release(ALICE, address(BOB)).await, Ok(0), "the sender's side waits for nothing");
}

pub(crate) async fn what_was_set_aside_is_dismissed(f: Fixture) {
    stored(&f.store, aside(ALICE, BOB, "one", 1_000)).await;
    stored(&f.store, message(ALICE, BOB, "two", 2_000)).await;
    assert_eq!(f.store.dismiss(BOB, address(ALICE)).await, Ok(1));
    assert_eq!(f.store.dismiss(BOB, address(ALICE)).await, Ok(0));
    assert_eq!(log(&f.store, BOB).await, [(2, "two".into())]);
    assert_eq!(log(&f.store, ALICE).await, [(1, "one".into()), (2, "two".into())]);
}
