//! Groups on duty: a page is told to one after the other, once each.

use rookery_proto::Uid;
use rookery_store::{
    Append, Appended, CallAnswer, Cover, Direction, Duty, DutyEnd, DutyPage, Flags, NewCall, NewDutyPage,
    StoreError, Timestamp, limits,
};
use smallvec::smallvec;

use crate::common::*;

fn ward(people: &[Uid]) -> Duty {
    Duty {
        name: "ward".into(),
        zone: "Europe/Rome".into(),
        days: 7,
        minute: 480,
        since: 20_000,
        patience: 300,
        people: people.to_vec(),
        covers: vec![Cover { uid: people[0], since: Timestamp(1), until: Timestamp(2) }],
    }
}

fn told(uid: Uid, text: &str) -> Append {
    Append {
        stanza: text.to_owned().into(),
        at: Timestamp(5),
        flags: Flags::ARCHIVE | Flags::DELIVER,
        pointers: smallvec![pointer(uid, jid("ward@duty.example.org"), Direction::In)],
        origin: None,
    }
}

fn page(caller: Option<Uid>) -> NewDutyPage {
    NewDutyPage {
        duty: "ward".into(),
        peer: jid("ward@duty.example.org"),
        caller,
        stanza: "m1".into(),
        body: "<message/>".into(),
        at: Timestamp(5),
        next: Timestamp(10),
    }
}

async fn new(f: &Fixture) -> Uid {
    f.store.create_account(account(None)).await.unwrap().uid
}

async fn due(f: &Fixture, at: i64) -> Vec<DutyPage> {
    f.store.duty_pages_due(Timestamp(at), 9).await.unwrap()
}

pub(crate) async fn a_group_is_made_and_changed(mut f: Fixture) {
    let (alice, bob) = (new(&f).await, new(&f).await);
    f.store.set_duty(ward(&[alice, bob])).await.unwrap();
    f.store.set_duty(ward(&[bob, alice, bob])).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.duty("ward").await.unwrap(), Some(ward(&[bob, alice, bob])));
    assert_eq!(f.store.duties().await.unwrap().len(), 1);
    assert!(matches!(f.store.set_duty(ward(&[Uid(99_999)])).await, Err(StoreError::NotFound)));
    for bad in [
        Duty { name: "Ward".into(), ..ward(&[bob]) },
        Duty { days: 0, ..ward(&[bob]) },
        Duty { minute: 1440, ..ward(&[bob]) },
        Duty { patience: 1, ..ward(&[bob]) },
        Duty { people: vec![bob; limits::DUTY_PEOPLE + 1], ..ward(&[bob]) },
    ] {
        assert!(matches!(f.store.set_duty(bad).await, Err(StoreError::Invalid(_))));
    }
    f.store.delete_account(bob).await.unwrap();
    let left = f.store.duty("ward").await.unwrap().unwrap();
    assert_eq!((left.people, left.covers), (vec![alice], vec![]));
    assert!(f.store.remove_duty("ward").await.unwrap() && !f.store.remove_duty("ward").await.unwrap());
}

pub(crate) async fn a_page_is_told_once_to_each(mut f: Fixture) {
    let (alice, bob) = (new(&f).await, new(&f).await);
    let call = NewCall {
        tag: 7,
        pass: 8,
        uid: alice,
        peer: page(None).peer,
        stanza: "m1".into(),
        at: Timestamp(5),
        choices: vec![],
        reply: true,
    };
    let opened = f.store.open_duty_page(None, page(None), told(alice, "one"), Some(call)).await.unwrap();
    assert!(matches!(opened, Appended::Stored(_)));
    assert!(due(&f, 9).await.is_empty());
    assert_eq!(f.store.next_duty_page().await.unwrap(), Some(Timestamp(10)));
    let seen = due(&f, 10).await.remove(0);
    assert_eq!((seen.step, seen.told.len(), seen.acknowledged), (0, 1, None));
    let tell = |seen: &DutyPage| {
        f.store.tell_duty_page(seen.clone(), told(bob, "two"), Timestamp(10), Timestamp(20))
    };
    assert!(tell(&seen).await.unwrap());
    assert!(!tell(&seen).await.unwrap(), "who looked before tells nobody");
    f.reopen().await;
    assert_eq!((log(&f.store, alice).await.len(), log(&f.store, bob).await.len()), (1, 1));
    assert_eq!(f.store.call(7).await.unwrap().unwrap().call.uid, bob, "the caller hears of who has it");
    let seen =
        f.store.told_duty_page("ward", alice).await.unwrap().expect("also who was told first may answer");
    assert_eq!((seen.step, seen.since), (1, Timestamp(10)));
    let answer = CallAnswer { at: Timestamp(11), choice: None, text: "bob: Coming".into() };
    let end = || {
        let answer = Some(answer.clone());
        f.store.end_duty_page(seen.clone(), DutyEnd::Acknowledged, None, answer, Some(told(alice, "over")))
    };
    assert!(end().await.unwrap() && !end().await.unwrap());
    assert_eq!(log(&f.store, alice).await.len(), 2);
    assert_eq!(f.store.call(7).await.unwrap().unwrap().answer, Some(answer.clone()));
    assert_eq!(f.store.next_duty_page().await.unwrap(), None);
    assert!(f.store.told_duty_page("ward", bob).await.unwrap().is_none());
}
