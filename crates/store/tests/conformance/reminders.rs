//! Reminders: told once, and asked for once.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_store::{
    Append, Direction, Errand, Flags, NewReminder, Reminder, Repeat, Reply, StoreError, Timestamp, Urgency,
    limits,
};
use smallvec::smallvec;

use crate::common::*;

fn what(next: i64) -> NewReminder {
    NewReminder {
        text: "pills".into(),
        urgency: Urgency::Urgent,
        repeat: Some(Repeat { days: 127, minute: 1320 }),
        zone: "Europe/Rome".into(),
        language: "zh".into(),
        next: Timestamp(next),
    }
}

fn silent() -> Reply {
    Box::new(|_| None)
}

fn secretary() -> BareJid {
    jid("secretary@example.org")
}

/// A message between the account and the secretary.
fn said(uid: Uid, text: &str, direction: Direction, at: i64) -> Append {
    Append {
        stanza: text.to_owned().into(),
        at: Timestamp(at),
        flags: Flags::ARCHIVE | Flags::DELIVER,
        pointers: smallvec![pointer(uid, secretary(), direction)],
        origin: None,
    }
}

async fn new(f: &Fixture) -> Uid {
    f.store.create_account(account(None)).await.unwrap().uid
}

async fn keep(f: &Fixture, uid: Uid, what: NewReminder) -> Reminder {
    let mut kept = f.store.do_errand(uid, None, Errand::Keep(what), silent()).await.unwrap();
    kept.remove(0)
}

pub(crate) async fn a_reminder_is_told_once(mut f: Fixture) {
    let (alice, bob) = (new(&f).await, new(&f).await);
    let daily = keep(&f, alice, what(50)).await;
    let once = keep(&f, alice, NewReminder { repeat: None, ..what(40) }).await;
    keep(&f, bob, what(90)).await;
    assert_eq!((daily.number, once.number), (1, 2));
    f.reopen().await;
    assert_eq!(f.store.next_reminder().await.unwrap(), Some(Timestamp(40)));
    assert_eq!(f.store.reminders_due(Timestamp(50), 9).await.unwrap(), [once.clone(), daily.clone()]);
    let tell = |text| Some(said(alice, text, Direction::In, 60));
    assert!(f.store.remind(daily.clone(), Some(Timestamp(150)), tell("daily")).await.unwrap());
    assert!(f.store.remind(once.clone(), None, tell("once")).await.unwrap());
    // Who looked before does nothing.
    assert!(!f.store.remind(daily.clone(), Some(Timestamp(150)), tell("daily")).await.unwrap());
    assert!(!f.store.remind(once, None, tell("once")).await.unwrap());
    assert_eq!(log(&f.store, alice).await, [(1, "daily".into()), (2, "once".into())]);
    assert_eq!(f.store.reminders_due(Timestamp(99), 9).await.unwrap().len(), 1, "bob's");
    let left = f.store.reminders(alice).await.unwrap();
    assert_eq!(left, [Reminder { what: NewReminder { next: Timestamp(150), ..daily.what }, ..daily }]);
}

pub(crate) async fn an_errand_answers_what_waits(f: Fixture) {
    let alice = new(&f).await;
    let asks = f.store.append_outbound(said(alice, "ask", Direction::Out, 1), None, "secretary").await;
    asks.unwrap().await.unwrap();
    let waiting = f.store.outbox("secretary", 9).await.unwrap().remove(0);
    let answers = |text: &'static str| -> Reply {
        Box::new(move |done: &[Reminder]| {
            Some(said(alice, &format!("{text} {}", done.len()), Direction::In, 2))
        })
    };
    for _ in 0..2 {
        let keep = Errand::Keep(what(50));
        f.store.do_errand(alice, Some(waiting.id), keep, answers("kept")).await.unwrap();
    }
    assert_eq!(f.store.reminders(alice).await.unwrap().len(), 1, "it was asked for once");
    assert_eq!(log(&f.store, alice).await, [(1, "ask".into()), (2, "kept 1".into())]);
    assert!(f.store.outbox("secretary", 9).await.unwrap().is_empty());
    f.store.do_errand(alice, None, Errand::Zone("Asia/Tokyo".into()), silent()).await.unwrap();
    let plan = f.store.reach_plan(alice).await.unwrap().unwrap();
    assert_eq!((plan.zone.as_str(), plan.active), ("Asia/Tokyo", false));
    let forget = |number| f.store.do_errand(alice, None, Errand::Forget(number), silent());
    assert!(forget(Some(7)).await.unwrap().is_empty());
    assert_eq!(forget(None).await.unwrap().len(), 1);
}

pub(crate) async fn reminders_are_bounded(f: Fixture) {
    let alice = new(&f).await;
    for _ in 0..limits::REMINDERS {
        keep(&f, alice, what(1)).await;
    }
    let refused = |uid, what| f.store.do_errand(uid, None, Errand::Keep(what), silent());
    assert!(matches!(refused(alice, what(1)).await, Err(StoreError::Limit(_))));
    assert!(matches!(refused(Uid(99_999), what(1)).await, Err(StoreError::NotFound)));
    let long = NewReminder { text: "x".repeat(limits::REMINDER_BYTES + 1), ..what(1) };
    let never = NewReminder { repeat: Some(Repeat { days: 0, minute: 0 }), ..what(1) };
    let late = NewReminder { repeat: Some(Repeat { days: 1, minute: 1440 }), ..what(1) };
    for bad in [long, never, late] {
        assert!(matches!(refused(alice, bad).await, Err(StoreError::Invalid(_))));
    }
}
