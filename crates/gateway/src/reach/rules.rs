//! The rules, pure: what is to be done about one case at one moment, by what its recipient wants and what was done already.
//!
//! A rule has its turn when its time after the first unread message has come, its hours are, quiet hours are not or the case is
//! urgent, and, unless it is for what is unread also here, nobody is at a device. Of several, the one whose time came first.
//! No address is told twice of one case. When all have had their turn the case waits for an answer; what nobody answered ends.

use super::limits;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use rookery_store::{Case, CaseState, Hours, Plan, Rule, Sending, SendingState, Timestamp, Urgency, Way};
use std::time::Duration;

/// What is known at the moment.
pub(super) struct Facts<'a> {
    /// What the recipient wants.
    pub(super) plan: &'a Plan,
    /// The case.
    pub(super) case: &'a Case,
    /// What was sent about it.
    pub(super) sendings: &'a [Sending],
    /// Whether the recipient is at a device.
    pub(super) here: bool,
    /// The ways that there are.
    pub(super) ways: &'a [Way],
    /// A mail goes to this address now about something else: what waits for its time is told in it.
    pub(super) mail: Option<&'a str>,
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Nothing before then.
    Wait(Timestamp),
    /// This rule of the plan has its turn.
    Send(usize),
    /// All rules have had their turn; it is looked at again then.
    Told(Timestamp),
    /// It is over.
    End(CaseState),
}

/// What is to be done about the case.
pub(super) fn step(facts: &Facts<'_>, now: Timestamp) -> Step {
    let Facts { plan, case, sendings, .. } = facts;
    let last_time = later(case.since, limits::CASE_AGE);
    if !plan.active {
        return Step::End(CaseState::Expired);
    }
    if now >= last_time {
        return Step::End(if reached(sendings) { CaseState::Expired } else { CaseState::Nobody });
    }
    let clock = Clock::of(plan);
    let mut ready: Option<(Timestamp, usize)> = None;
    let mut soonest: Option<Timestamp> = None;
    for (at, rule) in plan.rules.iter().enumerate() {
        if !facts.is_to_come(rule) {
            continue;
        }
        let due = later(case.since, Duration::from_secs(rule.after.into()));
        match facts.held(rule, due, &clock, now) {
            Some(until) => soonest = Some(soonest.map_or(until, |soonest| soonest.min(until))),
            None => ready = Some(ready.map_or((due, at), |ready| ready.min((due, at)))),
        }
    }
    match (ready, soonest) {
        (Some((_, at)), _) => Step::Send(at),
        (None, Some(until)) => Step::Wait(until.min(last_time)),
        (None, None) => after_all(facts, now, last_time),
    }
}

impl Facts<'_> {
    /// Whether a rule is for such a case and has not had its turn.
    fn is_to_come(&self, rule: &Rule) -> bool {
        let told = |sending: &Sending| sending.what.way == rule.way && sending.what.address == rule.address;
        let usable = self.ways.contains(&rule.way) && rule.least <= self.case.urgency;
        usable && self.case.state == CaseState::Open && !self.sendings.iter().any(told)
    }

    /// Until when a rule has to wait; `None`: it has its turn.
    fn held(&self, rule: &Rule, due: Timestamp, clock: &Clock, now: Timestamp) -> Option<Timestamp> {
        let along = rule.way == Way::Mail && self.mail == Some(rule.address.as_str());
        if due > now && !along {
            return Some(due);
        }
        if let Some(hours) = rule.hours.filter(|hours| !clock.within(*hours, now)) {
            return Some(clock.next(hours.from, now));
        }
        let quiet = self.plan.quiet.filter(|_| self.case.urgency < Urgency::Urgent);
        if let Some(quiet) = quiet.filter(|quiet| clock.within(*quiet, now)) {
            return Some(clock.next(quiet.to, now));
        }
        // Offline is not away: no mail to somebody who is at another device.
        let only_away = !rule.unread || rule.way == Way::Mail;
        (only_away && self.here).then(|| later(now, limits::LOOK_AGAIN))
    }
}

/// Whether somebody may have been reached: what a carrier has, or may have.
fn reached(sendings: &[Sending]) -> bool {
    sendings.iter().any(|it| !matches!(it.state, SendingState::Failed | SendingState::Cancelled))
}

/// All rules have had their turn.
fn after_all(facts: &Facts<'_>, now: Timestamp, last_time: Timestamp) -> Step {
    let Facts { case, sendings, .. } = facts;
    if sendings.is_empty() {
        // The rules have changed, and none is for it any more.
        return Step::End(CaseState::Expired);
    }
    let under_way = sendings.iter().any(|it| it.state.is_open());
    if !under_way && !reached(sendings) {
        return Step::End(CaseState::Nobody);
    }
    let news = sendings.iter().map(|it| it.changed).max().unwrap_or(case.since);
    let answer = later(news, limits::ANSWER);
    // Who is urgent waits for an answer; all others know that a carrier has it.
    let waits = case.urgency == Urgency::Urgent && !under_way;
    if waits && now >= answer {
        return Step::End(CaseState::Nobody);
    }
    let next = if waits { answer.min(last_time) } else { last_time };
    if case.state == CaseState::Open { Step::Told(next) } else { Step::Wait(next) }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp(at.0.saturating_add(by.as_millis() as i64))
}

/// What a clock on the recipient's wall shows.
struct Clock(TimeZone);

impl Clock {
    /// Who has said nothing, or what is not known any more, lives in UTC.
    fn of(plan: &Plan) -> Clock {
        Clock(TimeZone::get(&plan.zone).unwrap_or(TimeZone::UTC))
    }

    fn local(&self, at: Timestamp) -> (Date, u16) {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        let local = at.to_zoned(self.0.clone());
        (local.date(), local.hour() as u16 * 60 + local.minute() as u16)
    }

    fn within(&self, hours: Hours, at: Timestamp) -> bool {
        let (_, minute) = self.local(at);
        match hours.from <= hours.to {
            true => (hours.from..hours.to).contains(&minute),
            false => minute >= hours.from || minute < hours.to,
        }
    }

    /// The next time that the clock shows this minute of the day; a minute that a day leaves out comes right after the gap.
    fn next(&self, minute: u16, after: Timestamp) -> Timestamp {
        let (mut date, _) = self.local(after);
        let time = Time::constant((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        for _ in 0..3 {
            let at = date.to_datetime(time).to_zoned(self.0.clone());
            let at = at.map(|at| Timestamp(at.timestamp().as_millisecond()));
            match at {
                Ok(at) if at > after => return at,
                _ => date = date.tomorrow().unwrap_or(date),
            }
        }
        // The end of the calendar.
        later(after, limits::LOOK_AGAIN)
    }
}

#[cfg(test)]
#[path = "rules/tests.rs"]
mod tests;
