use super::*;
use crate::push::Urgency;
use crate::push::alarm::Taken;
use rookery_proto::Useq;
use std::time::Duration;

const UID: Uid = Uid(10_001);
const NOW: Timestamp = Timestamp(1_000_000_000);

fn push(id: u64, web: bool) -> Push {
    let by = Registrant { resource: "phone".into(), device: None };
    let target = match web {
        true => PushTarget::Web { endpoint: format!("https://x/{id}"), key: [4; 65], auth: [0; 16] },
        false => PushTarget::AppServer { jid: "push".into(), node: id.to_string(), options: Vec::new() },
    };
    Push { id: PushId(id), by, target, at: NOW, told: Useq(0) }
}

fn notice(peer: &str, useq: u64) -> Notice {
    Notice {
        peer: BareJid::new(peer).unwrap(),
        sender: None,
        body: Some(useq.to_string()),
        count: 1,
        urgency: Urgency::Normal,
        useq: Useq(useq),
        taken: Taken::Log,
        due: NOW,
        at: NOW,
    }
}

fn add(lanes: &mut Lanes, push: Push, notice: Notice) -> usize {
    lanes.add(UID, &BareJid::new("juliet@localhost").unwrap(), push, notice)
}

fn after(duration: Duration) -> Timestamp {
    Timestamp(NOW.0 + duration.as_millis() as i64)
}

fn sent(lanes: &mut Lanes, now: Timestamp) -> Option<Sending> {
    match lanes.take(now, |_, _, _| false) {
        Due::Send(sending) => Some(sending),
        _ => None,
    }
}

fn is_empty(lanes: &Lanes) -> bool {
    lanes.lanes.is_empty() && lanes.due.is_empty() && lanes.turns.is_empty()
}

#[test]
fn the_newest_of_each_conversation_waits() {
    let mut lanes = Lanes::default();
    for (peer, useq) in [("a@x", 1), ("b@x", 2), ("a@x", 3)] {
        add(&mut lanes, push(1, true), notice(peer, useq));
    }
    let first = sent(&mut lanes, NOW).unwrap();
    assert_eq!(first.notice.peer.as_str(), "b@x");
    assert!(sent(&mut lanes, NOW).is_none(), "one is under way");
    add(&mut lanes, push(1, true), notice("b@x", 4));
    assert!(!lanes.settle(&first, Outcome::Sent, NOW));
    let second = sent(&mut lanes, NOW).unwrap();
    assert_eq!((second.notice.peer.as_str(), second.notice.useq, second.notice.count), ("a@x", Useq(3), 2));
    lanes.settle(&second, Outcome::Sent, NOW);
    let third = sent(&mut lanes, NOW).unwrap();
    assert_eq!((third.notice.useq, third.notice.count), (Useq(4), 1));
    lanes.settle(&third, Outcome::Sent, NOW);
    assert!(matches!(lanes.take(NOW, |_, _, _| false), Due::Never));
    assert!(is_empty(&lanes), "nothing is kept of it");
}

#[test]
fn an_app_server_gets_one_for_all() {
    let mut lanes = Lanes::default();
    for (peer, useq) in [("a@x", 1), ("b@x", 2), ("a@x", 3)] {
        add(&mut lanes, push(1, false), notice(peer, useq));
    }
    let one = sent(&mut lanes, NOW).unwrap();
    assert_eq!((one.notice.useq, one.notice.count), (Useq(3), 3));
}

#[test]
fn what_waits_is_bounded() {
    let mut lanes = Lanes::default();
    let dropped: usize =
        (0..1000).map(|n| add(&mut lanes, push(1, true), notice(&format!("{n}@x"), n))).sum();
    assert_eq!(dropped, 1000 - limits::PUSH_CONVERSATIONS);
    let oldest = sent(&mut lanes, NOW).unwrap();
    assert_eq!(oldest.notice.useq, Useq(1000 - limits::PUSH_CONVERSATIONS as u64));
    assert_eq!(lanes.due.len(), 1);
}

#[test]
fn failures_pause_longer_and_longer() {
    let mut lanes = Lanes::default();
    add(&mut lanes, push(1, false), notice("a@x", 1));
    let (mut now, mut pauses) = (NOW, Vec::new());
    for _ in 0..12 {
        let sending = sent(&mut lanes, now).unwrap();
        assert!(!lanes.settle(&sending, Outcome::Later(None), now));
        let Due::At(next) = lanes.take(now, |_, _, _| false) else { panic!("it waits") };
        pauses.push((next.0 - now.0) / 1000);
        now = next;
    }
    assert_eq!(&pauses[..4], [10, 20, 40, 80]);
    assert_eq!(pauses[11], 3600);
    // A success begins anew, and what a service asks for is done within bounds.
    let sending = sent(&mut lanes, now).unwrap();
    lanes.settle(&sending, Outcome::Sent, now);
    add(&mut lanes, push(1, false), notice("a@x", 2));
    let sending = sent(&mut lanes, now).unwrap();
    lanes.settle(&sending, Outcome::Later(Some(Duration::from_secs(u64::MAX))), now);
    let Due::At(next) = lanes.take(now, |_, _, _| false) else { panic!("it waits") };
    assert_eq!(Duration::from_millis((next.0 - now.0) as u64), limits::PUSH_PAUSE_ASKED);
}

#[test]
fn refusals_end_a_registration() {
    let mut lanes = Lanes::default();
    add(&mut lanes, push(1, false), notice("a@x", 1));
    let mut now = NOW;
    for n in 1..=limits::PUSH_REFUSALS {
        let sending = sent(&mut lanes, now).unwrap();
        assert_eq!(lanes.settle(&sending, Outcome::Refused, now), n == limits::PUSH_REFUSALS);
        now = Timestamp(now.0 + 3_600_000);
    }
    assert!(is_empty(&lanes));
    add(&mut lanes, push(2, true), notice("a@x", 1));
    let sending = sent(&mut lanes, now).unwrap();
    assert!(lanes.settle(&sending, Outcome::Gone, now));
    assert!(!lanes.settle(&sending, Outcome::Gone, now), "once");
}

#[test]
fn nobody_waits_for_an_answer_for_ever() {
    let mut lanes = Lanes::default();
    add(&mut lanes, push(1, false), notice("a@x", 1));
    let sending = sent(&mut lanes, NOW).unwrap();
    add(&mut lanes, push(2, false), notice("a@x", 1));
    assert!(sent(&mut lanes, NOW).is_some(), "one that does not answer keeps no other waiting");
    let late = after(limits::PUSH_ANSWER);
    let Due::Overdue(overdue) = lanes.take(late, |_, _, _| false) else { panic!("nobody answered") };
    assert_eq!(overdue.id, sending.id);
    lanes.settle(&overdue, Outcome::Later(None), late);
    assert!(!lanes.settle(&sending, Outcome::Sent, late), "an answer that comes too late says nothing");
    assert!(lanes.lanes.contains_key(&PushId(1)));
}

#[test]
fn what_a_device_has_taken_or_is_old_is_not_told() {
    let mut lanes = Lanes::default();
    let patient = Notice { due: after(limits::PUSH_PATIENCE), ..notice("a@x", 1) };
    add(&mut lanes, push(1, false), patient.clone());
    assert!(matches!(lanes.take(NOW, |_, _, _| panic!("it is not time")), Due::At(_)));
    let time = after(limits::PUSH_PATIENCE);
    assert!(matches!(lanes.take(time, |_, _, notice| notice.useq == Useq(1)), Due::Never));
    add(&mut lanes, push(1, false), patient);
    let next_day = after(limits::PUSH_AGE + limits::PUSH_PATIENCE);
    assert!(matches!(lanes.take(next_day, |_, _, _| false), Due::Never));
    assert!(is_empty(&lanes));
}

#[test]
fn an_account_has_few_sendings_under_way() {
    let mut lanes = Lanes::default();
    (0..16).for_each(|id| _ = add(&mut lanes, push(id, true), notice("a@x", id)));
    let mut under_way: Vec<_> = std::iter::from_fn(|| sent(&mut lanes, NOW)).collect();
    assert_eq!(under_way.len(), limits::PUSH_AT_ONCE);
    let other = BareJid::new("romeo@localhost").unwrap();
    lanes.add(Uid(10_002), &other, push(16, true), notice("a@x", 1));
    let others = sent(&mut lanes, NOW).unwrap();
    assert_eq!(others.uid, Uid(10_002), "who has slow endpoints keeps nobody else waiting");
    lanes.settle(&others, Outcome::Sent, NOW);
    // One waits in line and gets something newer; one that waits in line is removed, and one that is under way.
    add(&mut lanes, push(5, true), notice("a@x", 20));
    assert!(sent(&mut lanes, NOW).is_none());
    lanes.remove(PushId(6));
    lanes.remove(under_way.remove(0).push.id);
    let mut told = 1;
    loop {
        under_way.extend(sent(&mut lanes, NOW));
        assert!(under_way.len() <= limits::PUSH_AT_ONCE);
        if under_way.is_empty() {
            break;
        }
        lanes.settle(&under_way.remove(0), Outcome::Sent, NOW);
        told += 1;
    }
    assert_eq!(told, 15, "all others had their turn");
    assert!(is_empty(&lanes));
}

#[test]
fn up_to_where_nothing_waits_needs_no_telling() {
    let mut lanes = Lanes::default();
    let told = |lanes: &mut Lanes| {
        let told = lanes.told();
        lanes.forget_told(&told);
        told.into_iter().map(|(id, upto)| (id.0, upto.0)).collect::<Vec<_>>()
    };
    lanes.pass(PushId(1), Useq(3));
    assert_eq!(lanes.seen(&push(1, true)), Useq(3));
    assert_eq!(told(&mut lanes), [(1, 3)]);
    for (peer, useq) in [("a@x", 4), ("b@x", 5)] {
        add(&mut lanes, Push { told: Useq(3), ..push(1, true) }, notice(peer, useq));
    }
    lanes.pass(PushId(1), Useq(6));
    assert_eq!((lanes.seen(&push(1, true)), told(&mut lanes)), (Useq(6), vec![]));
    let first = sent(&mut lanes, NOW).unwrap();
    assert_eq!(told(&mut lanes), [], "it is under way");
    lanes.settle(&first, Outcome::Sent, NOW);
    assert_eq!(told(&mut lanes), [(1, 4)]);
    let second = sent(&mut lanes, NOW).unwrap();
    lanes.settle(&second, Outcome::Later(None), NOW);
    assert_eq!(told(&mut lanes), [], "it waits");
    assert!(matches!(lanes.take(after(limits::PUSH_PAUSE), |_, _, _| true), Due::Never));
    assert_eq!(told(&mut lanes), [(1, 6)], "the device has taken it");
}
