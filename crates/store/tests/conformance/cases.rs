//! What people are to be reached about: opened with the message, ended with what ends it.

use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Appended, Caps, Case, CaseState, CaseStep, Direction, Displayed, Flags, Hours, NewSending, Plan,
    Proven, Rule, SendingRef, SendingState, Settled, StoreError, Telling, Timestamp, Upto, Urgency, Way,
};
use smallvec::smallvec;

use crate::common::*;

const CAPS: Caps = Caps { account: 9, server: 9 };
const URGENT: Flags = Flags(Flags::REACH.0 | Flags::URGENT.0);

fn quietly() -> Telling {
    Box::new(|_| None)
}

/// Bob writes to `uid`, or gets an answer; its place in the log of `uid`.
async fn said(f: &Fixture, uid: Uid, direction: Direction, flags: Flags, at: i64) -> Useq {
    let mut pointer = pointer(uid, address(BOB), direction);
    pointer.flags = Flags::ARCHIVE | Flags::INSTANT | flags;
    let append = Append { pointers: smallvec![pointer], ..message(uid, uid, "x", at) };
    match f.store.append(append).await.unwrap().await.unwrap() {
        Appended::Stored(useqs) => useqs[0],
        Appended::Duplicate => panic!("it has no origin"),
    }
}

async fn reads(f: &Fixture, uid: Uid, upto: Useq) {
    let displayed = Displayed { uid, peer: address(BOB), upto: Upto::Entry(upto) };
    f.store.set_displayed(displayed).await.unwrap();
}

async fn cases(f: &Fixture, uid: Uid) -> Vec<(Urgency, Useq, Useq, CaseState)> {
    let cases = f.store.cases(uid, 9).await.unwrap().into_iter().rev();
    cases.map(|case| (case.urgency, case.first, case.last, case.state)).collect()
}

async fn only(f: &Fixture) -> Case {
    let due = f.store.cases_due(Timestamp(i64::MAX), 9).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due.into_iter().next().expect("one")
}

fn sms(case: &Case) -> NewSending {
    NewSending {
        uid: case.uid,
        way: Way::Sms,
        address: "+49".into(),
        urgency: case.urgency,
        case: Some(case.id),
        title: String::new(),
        text: "x".into(),
        code: "1".into(),
        at: Timestamp(50),
    }
}

pub(crate) async fn a_burst_is_one_case_and_reading_ends_it(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    said(&f, uid, Direction::In, Flags::default(), 5).await;
    assert_eq!(f.store.next_case().await.unwrap(), None, "nobody is to be reached about that");
    let first = said(&f, uid, Direction::In, Flags::REACH, 10).await;
    let urgent = said(&f, uid, Direction::In, URGENT, 20).await;
    let last = said(&f, uid, Direction::In, Flags::REACH, 30).await;
    f.reopen().await;
    let (normal, open) = (Urgency::Normal, CaseState::Open);
    let both = [(normal, first, last, open), (Urgency::Urgent, urgent, urgent, open)];
    assert_eq!(cases(&f, uid).await, both);
    assert_eq!(f.store.next_case().await.unwrap(), Some(Timestamp(10)));
    // Up to the second: the third is told from when it came.
    reads(&f, uid, urgent).await;
    let left = [(normal, last, last, open), (Urgency::Urgent, urgent, urgent, CaseState::Read)];
    assert_eq!(cases(&f, uid).await, left);
    let case = only(&f).await;
    assert_eq!(case.since, Timestamp(30));
    let (entries, count) = f.store.case_messages(case.id).await.unwrap();
    assert_eq!((entries.iter().map(|it| it.useq).collect::<Vec<_>>(), count), (vec![last], 1));
    // An answer has the flag, too.
    said(&f, uid, Direction::Out, Flags::REACH, 40).await;
    assert_eq!(cases(&f, uid).await[0], (normal, last, last, CaseState::Answered));
    assert_eq!(f.store.next_case().await.unwrap(), None);
}

pub(crate) async fn what_waits_is_cancelled_with_its_case(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let useq = said(&f, uid, Direction::In, URGENT, 10).await;
    let case = only(&f).await;
    let send = |case: &Case| CaseStep::Send(sms(case), CAPS, quietly());
    assert!(f.store.step_case(case.clone(), send(&case), Timestamp(60), Timestamp(50)).await.unwrap());
    reads(&f, uid, useq).await;
    assert_eq!(f.store.take_sending(Way::Sms, Timestamp(99)).await.unwrap(), None);
    let sendings = f.store.sendings(uid, Some(case.id), 9).await.unwrap();
    assert_eq!(sendings.iter().map(|it| it.state).collect::<Vec<_>>(), [SendingState::Cancelled]);
    // It was read before the step was taken.
    assert!(!f.store.step_case(case.clone(), send(&case), Timestamp(60), Timestamp(50)).await.unwrap());
    assert_eq!(f.store.sendings(uid, Some(case.id), 9).await.unwrap().len(), 1);
}

pub(crate) async fn a_case_that_has_grown_is_looked_at_anew(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    said(&f, uid, Direction::In, URGENT, 10).await;
    let seen = only(&f).await;
    said(&f, uid, Direction::In, URGENT, 20).await;
    let (next, now) = (Timestamp(90), Timestamp(50));
    assert!(!f.store.step_case(seen.clone(), CaseStep::Told, next, now).await.unwrap());
    let seen = only(&f).await;
    assert!(f.store.step_case(seen, CaseStep::Told, next, now).await.unwrap());
    // What comes now is a case of its own.
    said(&f, uid, Direction::In, URGENT, 60).await;
    assert_eq!(cases(&f, uid).await.len(), 2);
    assert_eq!(f.store.next_case().await.unwrap(), Some(Timestamp(60)));
}

pub(crate) async fn an_acknowledgement_ends_its_case_and_tells(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    said(&f, uid, Direction::In, URGENT, 10).await;
    let few = Caps { account: 1, server: 9 };
    for at in 0..2 {
        let case = only(&f).await;
        let sending = NewSending { address: format!("+{at}"), ..sms(&case) };
        let step = CaseStep::Send(sending, few, quietly());
        assert!(f.store.step_case(case, step, Timestamp(60), Timestamp(50)).await.unwrap());
    }
    let case = only(&f).await;
    // The second is beyond the cap: it had its turn, and failed.
    let sendings = f.store.sendings(uid, Some(case.id), 9).await.unwrap();
    let states: Vec<_> = sendings.iter().rev().map(|it| (it.what.address.as_str(), it.state)).collect();
    assert_eq!(states, [("+0", SendingState::Queued), ("+1", SendingState::Failed)]);
    let taken = f.store.take_sending(Way::Sms, Timestamp(70)).await.unwrap().expect("it waits");
    f.store.settle_sending(taken.id, Settled::Accepted(None), "", Timestamp(70), quietly()).await.unwrap();
    assert!(f.store.next_case().await.unwrap() < Some(Timestamp(60)), "it is not put off by news");
    // Who looked before the news decides anew.
    assert!(!f.store.step_case(case.clone(), CaseStep::Wait, Timestamp(900), Timestamp(70)).await.unwrap());
    assert!(f.store.next_case().await.unwrap() < Some(Timestamp(60)));
    let telling: Telling = Box::new(move |sending| {
        assert_eq!(sending.state, SendingState::Acknowledged);
        Some(Append {
            pointers: smallvec![pointer(BOB, address(ALICE), Direction::In)],
            ..message(BOB, BOB, "told", 80)
        })
    });
    let state = SendingState::Acknowledged;
    f.store.advance_sending(SendingRef::Id(taken.id), state, "", Timestamp(80), telling).await.unwrap();
    assert_eq!(f.store.case(case.id).await.unwrap().expect("it is kept").state, CaseState::Acknowledged);
    assert_eq!(log(&f.store, BOB).await.len(), 1);
}

pub(crate) async fn a_plan_names_proven_addresses_only(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let (address, hours) = ("+49".to_owned(), Some(Hours { from: 1320, to: 420 }));
    let (least, way) = (Urgency::Important, Way::Sms);
    let rule = Rule { way, address: address.clone(), after: 60, unread: true, least, hours };
    let plan = Plan { active: true, zone: "UTC".into(), quiet: hours, rules: vec![rule], ..Plan::default() };
    let set = async |f: &Fixture, plan: &Plan| f.store.set_reach_plan(uid, plan.clone(), Timestamp(9)).await;
    assert!(matches!(set(&f, &plan).await, Err(StoreError::Invalid(_))));
    let proof = NewSending {
        uid,
        way,
        address: address.clone(),
        urgency: least,
        case: None,
        title: String::new(),
        text: "1234".into(),
        code: "1234".into(),
        at: Timestamp(0),
    };
    f.store.add_reach_address(proof.clone(), CAPS).await.unwrap();
    assert!(matches!(set(&f, &plan).await, Err(StoreError::Invalid(_))));
    let prove = async |code: &str, at| {
        f.store.prove_reach_address(uid, way, address.clone(), code.into(), Timestamp(at)).await.unwrap()
    };
    assert_eq!(prove("1234", i64::MAX).await, Proven::Over, "too late");
    assert_eq!(prove("4321", 1).await, Proven::Wrong);
    assert_eq!(prove("1234", 1).await, Proven::Yes);
    assert_eq!(prove("1234", 1).await, Proven::Over, "it is proven");
    assert_eq!(f.store.add_reach_address(proof, CAPS).await, Err(StoreError::Conflict));
    set(&f, &plan).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.reach_plan(uid).await.unwrap().as_ref(), Some(&plan));
    assert_eq!(f.store.reached_at(way, "+49").await.unwrap(), [uid]);
    // What is not wanted any more ends what there is.
    said(&f, uid, Direction::In, URGENT, 10).await;
    set(&f, &Plan { active: false, ..plan }).await.unwrap();
    assert_eq!(cases(&f, uid).await[0].3, CaseState::Expired);
    assert!(f.store.remove_reach_address(uid, way, "+49".into(), Timestamp(90)).await.unwrap());
    assert!(f.store.reach_plan(uid).await.unwrap().expect("it is kept").rules.is_empty());
    f.store.delete_account(uid).await.unwrap();
    assert_eq!(f.store.reach_plan(uid).await.unwrap(), None);
    assert_eq!(cases(&f, uid).await, []);
}
