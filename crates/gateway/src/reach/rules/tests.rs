//! The rules on a clock of their own.

use super::*;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::{CaseId, NewSending, SendingId};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// 2026-03-29, the day on which Berlin's clocks go from 02:00 to 03:00: midnight there.
const BERLIN_SPRING: i64 = 1_774_738_800_000;

fn rule(way: Way, minutes: u32, least: Urgency) -> Rule {
    let address = way.name().to_owned();
    Rule { way, address, after: minutes * 60, unread: least == Urgency::Urgent, least, hours: None }
}

/// As in the facts: mail for what is normal, SMS and a pager for what is urgent.
fn plan() -> Plan {
    Plan {
        active: true,
        zone: "Europe/Berlin".into(),
        rules: vec![
            rule(Way::Mail, 10, Urgency::Normal),
            rule(Way::Sms, 1, Urgency::Urgent),
            rule(Way::Pager, 3, Urgency::Urgent),
        ],
        ..Plan::default()
    }
}

fn case(urgency: Urgency, since: i64) -> Case {
    let since = Timestamp(since);
    Case {
        id: CaseId(1),
        uid: Uid(1),
        peer: BareJid::new("romeo@example.org").expect("an address"),
        urgency,
        first: Useq(1),
        last: Useq(1),
        since,
        state: CaseState::Open,
        changed: since,
        next: since,
    }
}

fn sent(way: Way, state: SendingState, changed: i64) -> Sending {
    let what = NewSending {
        uid: Uid(1),
        way,
        address: way.name().into(),
        urgency: Urgency::Urgent,
        case: Some(CaseId(1)),
        title: String::new(),
        text: String::new(),
        code: String::new(),
        at: Timestamp(0),
    };
    let (id, changed) = (SendingId(1), Timestamp(changed));
    Sending { id, what, state, changed, next: changed, attempts: 1, trouble: String::new(), carrier: None }
}

fn at(plan: &Plan, case: &Case, sendings: &[Sending], here: bool, now: i64) -> Step {
    let facts = Facts { plan, case, sendings, here, ways: &Way::ALL, mail: None };
    step(&facts, Timestamp(now))
}

#[test]
fn what_is_normal_goes_by_mail_to_who_is_not_here() {
    let (plan, case) = (plan(), case(Urgency::Normal, 0));
    assert_eq!(at(&plan, &case, &[], false, 0), Step::Wait(Timestamp(10 * MINUTE)));
    assert_eq!(at(&plan, &case, &[], false, 10 * MINUTE), Step::Send(0));
    let later = Step::Wait(Timestamp(12 * MINUTE));
    assert_eq!(at(&plan, &case, &[], true, 10 * MINUTE), later, "no mail to who is at a device");
    let mailed = [sent(Way::Mail, SendingState::Accepted, 10 * MINUTE)];
    let told = at(&plan, &case, &mailed, false, 11 * MINUTE);
    assert!(matches!(told, Step::Told(_)), "{told:?}");
    let failed = [sent(Way::Mail, SendingState::Failed, 10 * MINUTE)];
    assert_eq!(at(&plan, &case, &failed, false, 11 * MINUTE), Step::End(CaseState::Nobody));
}

#[test]
fn what_is_urgent_goes_step_by_step_until_nobody_answered() {
    let (plan, mut case) = (plan(), case(Urgency::Urgent, 0));
    assert_eq!(at(&plan, &case, &[], true, 0), Step::Wait(Timestamp(MINUTE)));
    assert_eq!(at(&plan, &case, &[], true, MINUTE), Step::Send(1), "also to who is here and does not read");
    let sms = sent(Way::Sms, SendingState::Accepted, MINUTE);
    let one = [sms.clone()];
    assert_eq!(at(&plan, &case, &one, true, MINUTE), Step::Wait(Timestamp(3 * MINUTE)));
    // A look that comes late finds two: the one whose time came first goes first.
    assert_eq!(at(&plan, &case, &[], false, 11 * MINUTE), Step::Send(1));
    assert_eq!(at(&plan, &case, &one, false, 11 * MINUTE), Step::Send(2));
    let all = [
        sms,
        sent(Way::Pager, SendingState::Accepted, 3 * MINUTE),
        sent(Way::Mail, SendingState::Accepted, 10 * MINUTE),
    ];
    assert_eq!(at(&plan, &case, &all, false, 11 * MINUTE), Step::Told(Timestamp(25 * MINUTE)));
    case.state = CaseState::Told;
    assert_eq!(at(&plan, &case, &all, false, 12 * MINUTE), Step::Wait(Timestamp(25 * MINUTE)));
    assert_eq!(at(&plan, &case, &all, false, 25 * MINUTE), Step::End(CaseState::Nobody));
}

#[test]
fn quiet_hours_hold_what_is_not_urgent() {
    let quiet = Hours { from: 22 * 60, to: 7 * 60 };
    let plan = Plan { quiet: Some(quiet), ..plan() };
    // Half past one in the night in which Berlin's clocks go on: seven o'clock is 4 hours and a half later, not 5 and a half.
    let night = BERLIN_SPRING + HOUR + 30 * MINUTE;
    let morning = Step::Wait(Timestamp(BERLIN_SPRING + 6 * HOUR));
    assert_eq!(at(&plan, &case(Urgency::Normal, night - HOUR), &[], false, night), morning);
    assert_eq!(
        at(&plan, &case(Urgency::Normal, night - HOUR), &[], false, BERLIN_SPRING + 6 * HOUR),
        Step::Send(0)
    );
    assert_eq!(at(&plan, &case(Urgency::Urgent, night - HOUR), &[], false, night), Step::Send(1));
}

#[test]
fn a_rule_keeps_to_its_hours() {
    let mut plan = plan();
    plan.rules =
        vec![Rule { hours: Some(Hours { from: 150, to: 600 }), ..rule(Way::Sms, 1, Urgency::Normal) }];
    let case = case(Urgency::Normal, BERLIN_SPRING);
    // 02:30 does not happen in this night; the clock shows 03:30 when it would.
    let opens = Timestamp(BERLIN_SPRING + 2 * HOUR + 30 * MINUTE);
    assert_eq!(at(&plan, &case, &[], false, BERLIN_SPRING + HOUR), Step::Wait(opens));
    assert_eq!(at(&plan, &case, &[], false, opens.0), Step::Send(0));
    let closed = at(&plan, &case, &[], false, BERLIN_SPRING + 10 * HOUR);
    assert_eq!(
        closed,
        Step::Wait(Timestamp(BERLIN_SPRING + 25 * HOUR + 30 * MINUTE)),
        "the next day has 24 hours"
    );
}

#[test]
fn what_is_not_wanted_any_more_ends() {
    let case = case(Urgency::Normal, 0);
    let off = Plan { active: false, ..plan() };
    assert_eq!(at(&off, &case, &[], false, 0), Step::End(CaseState::Expired));
    let none = Plan { rules: Vec::new(), ..plan() };
    assert_eq!(at(&none, &case, &[], false, 0), Step::End(CaseState::Expired));
    let age = limits::CASE_AGE.as_millis() as i64;
    assert_eq!(at(&plan(), &case, &[], true, age), Step::End(CaseState::Nobody));
    let facts =
        Facts { plan: &plan(), case: &case, sendings: &[], here: false, ways: &[Way::Pager], mail: None };
    assert_eq!(step(&facts, Timestamp(HOUR)), Step::End(CaseState::Expired), "there is no such way any more");
}
