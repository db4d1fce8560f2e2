//! When a wish comes true, by the calendar of its owner's time zone.
//!
//! A clock that is put forward leaves minutes out: what is due in them is due as much later as was left out, so that it is told once, on that
//! day. One that is put back has minutes twice: what is due in them is due the first time.

use super::request::{Day, When};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Zoned};
use rookery_store::{Repeat, Timestamp};

/// Days that are looked at for the next one of a rule: a week, and today again.
const DAYS_AHEAD: usize = 8;

/// Years in which the 29th of February comes at least once.
const YEARS_AHEAD: i16 = 8;

/// Now, by the clock of this zone.
pub fn local(at: Timestamp, zone: &TimeZone) -> Zoned {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}

/// When a wish is due for the first time; `None`: that is past.
pub fn first(when: When, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let here = local(now, zone);
    let today = here.date();
    let at = |date: Date, minute| moment(date, minute, zone).filter(|at| *at > now);
    match when {
        When::After(minutes) => {
            let later = here.timestamp().checked_add(SignedDuration::from_mins(minutes.into())).ok()?;
            Some(Timestamp(later.as_millisecond()))
        }
        When::Every(days, minute) => next(Repeat { days, minute }, zone, now),
        When::Once(None, minute) => at(today, minute).or_else(|| at(today.tomorrow().ok()?, minute)),
        When::Once(Some(day), minute) => match day {
            Day::Ahead(days) => at(after(today, days)?, minute),
            Day::On(date) => at(date, minute),
            Day::Next(weekday) => {
                let days = today.weekday().until(weekday) as u8;
                at(after(today, days)?, minute).or_else(|| at(after(today, days + 7)?, minute))
            }
            Day::InNextWeek(weekday) => {
                let monday = 7 - today.weekday().to_monday_zero_offset() as u8;
                at(after(today, monday + weekday.to_monday_zero_offset() as u8)?, minute)
            }
            Day::Yearly(month, day) => (0..=YEARS_AHEAD)
                .find_map(|years| at(Date::new(today.year().checked_add(years)?, month, day).ok()?, minute)),
        },
    }
}

/// When what repeats itself is due next after `now`.
pub fn next(repeat: Repeat, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let mut date = local(now, zone).date();
    for _ in 0..=DAYS_AHEAD {
        let wanted = repeat.days & 1 << date.weekday().to_monday_zero_offset() != 0;
        if let Some(at) = moment(date, repeat.minute, zone).filter(|at| wanted && *at > now) {
            return Some(at);
        }
        date = date.tomorrow().ok()?;
    }
    None
}

fn after(date: Date, days: u8) -> Option<Date> {
    (0..days).try_fold(date, |date, _| date.tomorrow().ok())
}

/// The moment at which the clock shows this minute of a day.
fn moment(date: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let time = Time::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?;
    // What jiff does of itself is what stands above: later in a gap, the first in a fold (RFC 5545 §3.3.5).
    let at = zone.to_ambiguous_zoned(date.to_datetime(time)).compatible().ok()?;
    Some(Timestamp(at.timestamp().as_millisecond()))
}
