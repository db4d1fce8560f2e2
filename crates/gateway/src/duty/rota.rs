//! Who is on duty, purely: turns of so many days, each until the clock of the group's time zone shows the minute of the handover, and
//! people who stand in.

use crate::secretary::calendar::local;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use rookery_proto::Uid;
use rookery_store::{Duty, Timestamp};
use std::fmt::Write;

/// Turns of a calendar that is exported: enough for a year of weeks.
const TURNS: i64 = 60;

fn zone(duty: &Duty) -> TimeZone {
    TimeZone::get(&duty.zone).unwrap_or(TimeZone::UTC)
}

fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

/// The day of a date, counted from 1970-01-01.
pub fn day(date: Date) -> i32 {
    (date - epoch()).get_days()
}

/// Which turn it is, counted from the first.
fn turn(duty: &Duty, at: Timestamp) -> i64 {
    let here = local(at, &zone(duty));
    // Until the handover it is still the day before's. A day that has no such minute hands over behind the gap.
    let today = day(here.date());
    let begun = begins(duty, today).is_none_or(|begin| begin <= at);
    let day = if begun { today } else { today - 1 };
    i64::from(day - duty.since).div_euclid(i64::from(duty.days.max(1)))
}

/// When the duty of a day begins.
fn begins(duty: &Duty, day: i32) -> Option<Timestamp> {
    let date = epoch().checked_add(day.days()).ok()?;
    let time = Time::new((duty.minute / 60) as i8, (duty.minute % 60) as i8, 0, 0).ok()?;
    let at: Zoned = zone(duty).to_ambiguous_zoned(date.to_datetime(time)).compatible().ok()?;
    Some(Timestamp(at.timestamp().as_millisecond()))
}

/// Whom to tell, one after the other: who stands in, whose turn it is, and those whose turns come next. Nobody stands there twice.
pub fn chain(duty: &Duty, at: Timestamp) -> Vec<Uid> {
    let covers = duty.covers.iter().filter(|cover| cover.since <= at && at < cover.until);
    let mut chain: Vec<Uid> = Vec::new();
    let count = duty.people.len() as i64;
    let first = if count == 0 { 0 } else { turn(duty, at).rem_euclid(count) as usize };
    let turns = duty.people.iter().cycle().skip(first).take(duty.people.len());
    for uid in covers.map(|cover| &cover.uid).chain(turns) {
        if !chain.contains(uid) {
            chain.push(*uid);
        }
    }
    chain
}

/// The turns to come, and who stands in, as a calendar (RFC 5545); `name` says what people are called.
pub fn calendar(duty: &Duty, domain: &str, now: Timestamp, name: impl Fn(Uid) -> String) -> String {
    let mut out = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Rookery//Duty//EN\r\n");
    let stamp = utc(now);
    let mut event = |kind: &str, from: Timestamp, until: Timestamp, uid: Uid| {
        // RFC 5545 §3.8.4.7: the same event has the same name when the calendar is fetched again.
        let id = format!("{kind}-{}-{}-{uid}@{domain}", duty.name, utc(from));
        let lines = [
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", text(&id)),
            format!("DTSTAMP:{stamp}"),
            format!("DTSTART:{}", utc(from)),
            format!("DTEND:{}", utc(until)),
            format!("SUMMARY:{}", text(&format!("{}: {}", duty.name, name(uid)))),
            "END:VEVENT".to_owned(),
        ];
        lines.iter().for_each(|line| fold(&mut out, line));
    };
    let (now_turn, days) = (turn(duty, now), i64::from(duty.days.max(1)));
    for turn in now_turn..now_turn.saturating_add(TURNS) {
        let begin = |turn: i64| begins(duty, i32::try_from(i64::from(duty.since) + turn * days).ok()?);
        let person = duty.people.get(turn.rem_euclid(duty.people.len().max(1) as i64) as usize);
        if let (Some(from), Some(until), Some(person)) = (begin(turn), begin(turn + 1), person) {
            event("turn", from, until, *person);
        }
    }
    for cover in duty.covers.iter().filter(|cover| cover.until > now) {
        event("cover", cover.since, cover.until, cover.uid);
    }
    out.push_str("END:VCALENDAR\r\n");
    out
}

/// RFC 5545 §3.3.5, form 2.
fn utc(at: Timestamp) -> String {
    local(at, &TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// RFC 5545 §3.3.11.
fn text(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\\' | ';' | ',' => {
                let _ = write!(out, "\\{c}");
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
        out
    })
}

/// RFC 5545 §3.1: no line has more than 75 bytes, and none is cut within a sign.
fn fold(out: &mut String, line: &str) {
    let mut rest = line;
    let mut room = 75;
    while rest.len() > room {
        let at = rest.floor_char_boundary(room);
        out.push_str(&rest[..at]);
        out.push_str("\r\n ");
        (rest, room) = (&rest[at..], 74);
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rookery_store::Cover;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn weekly() -> Duty {
        Duty {
            name: "ward".into(),
            zone: "Europe/Berlin".into(),
            days: 7,
            minute: 8 * 60,
            // A Monday.
            since: day(Date::constant(2026, 1, 5)),
            patience: 300,
            people: vec![Uid(1), Uid(2), Uid(3)],
            covers: Vec::new(),
        }
    }

    #[test]
    fn turns_end_when_the_clock_shows_it() {
        let mut duty = weekly();
        let who = |duty: &Duty, text| chain(duty, at(text)).iter().map(|uid| uid.0).collect::<Vec<_>>();
        assert_eq!(who(&duty, "2026-01-05T07:00:00Z"), [1, 2, 3]);
        assert_eq!(who(&duty, "2026-01-05T06:59:59Z"), [3, 1, 2], "before the first");
        assert_eq!(who(&duty, "2026-01-12T06:59:59Z"), [1, 2, 3]);
        assert_eq!(who(&duty, "2026-01-12T07:00:00Z"), [2, 3, 1]);
        // In summer eight o'clock is an hour earlier.
        assert_eq!(who(&duty, "2026-03-30T05:59:59Z"), [3, 1, 2]);
        assert_eq!(who(&duty, "2026-03-30T06:00:00Z"), [1, 2, 3]);
        duty.covers =
            vec![Cover { uid: Uid(3), since: at("2026-01-06T00:00:00Z"), until: at("2026-01-07T00:00:00Z") }];
        assert_eq!(who(&duty, "2026-01-06T12:00:00Z"), [3, 1, 2]);
        assert_eq!(who(&duty, "2026-01-07T00:00:00Z"), [1, 2, 3]);
        duty.people.clear();
        assert!(chain(&duty, at("2026-02-01T00:00:00Z")).is_empty());
    }

    #[test]
    fn the_calendar_is_one() {
        let duty = Duty { name: "a;b".into(), ..weekly() };
        let name = |uid: Uid| {
            format!("Somebody with a long name, the {}th of the people who take turns on this ward", uid.0)
        };
        let text = calendar(&duty, "example.org", at("2026-01-06T00:00:00Z"), name);
        assert!(text.contains("DTSTART:20260105T070000Z\r\nDTEND:20260112T070000Z\r\n"));
        assert!(text.contains("SUMMARY:a\\;b: Somebody with a long name\\, the 1th"));
        assert!(text.lines().all(|line| line.len() <= 75) && text.ends_with("END:VCALENDAR\r\n"));
        assert_eq!(text.matches("BEGIN:VEVENT").count(), TURNS as usize);
    }

    proptest! {
        #[test]
        fn somebody_is_always_on_duty_and_everybody_comes_once(
            days in 1u16..40, minute in 0u16..1440, since in 10_000i32..30_000, now in 0i64..3_000_000_000_000, people in 1usize..9,
            zone in proptest::sample::select(vec!["UTC", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe"]),
        ) {
            let people: Vec<Uid> = (1..=people as u64).map(Uid).collect();
            let duty = Duty { days, minute, since, zone: zone.into(), people: people.clone(), ..weekly() };
            let mut chain = chain(&duty, Timestamp(now));
            chain.sort();
            prop_assert_eq!(chain, people);
            // A turn's day begins before it ends.
            let turn = turn(&duty, Timestamp(now));
            let begin = |turn: i64| begins(&duty, (i64::from(since) + turn * i64::from(days)) as i32).unwrap();
            prop_assert!(begin(turn).0 <= now && now < begin(turn + 1).0, "{} {}", begin(turn).0, begin(turn + 1).0);
        }
    }
}
