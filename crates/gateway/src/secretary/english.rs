//! Requests in English.

use super::limits;
use super::request::{ALL, Day, Part, Request, Unclear, WEEKEND, WORKDAYS, When, Wish, bit, date, minute};
use jiff::civil::Weekday;
use rookery_store::Urgency;

/// Words for how much something matters; the first for each is the one that is said.
pub(super) const URGENCY: &[(&str, Urgency)] =
    &[("urgent", Urgency::Urgent), ("important", Urgency::Important), ("urgently", Urgency::Urgent)];

const POLITE: &[&str] = &["please", "hey", "hi", "hello", "secretary", "can", "could", "you"];
const VERBS: &[&[&str]] = &[
    &["remind", "me"],
    &["tell", "me"],
    &["wake", "me", "up"],
    &["wake", "me"],
    &["call", "me"],
    &["set", "a", "reminder"],
    &["set", "an", "alarm"],
    &["reminder"],
    &["alarm"],
];
const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];
const NUMBERS: &[(&str, u32)] = &[
    ("a", 1),
    ("an", 1),
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("fifteen", 15),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("ninety", 90),
];

/// What is left to read of a text in which words are apart by one space.
#[derive(Clone, Copy)]
struct Words<'a> {
    rest: &'a str,
    /// A colon or a dash has come: all that follows is what is to be said.
    ended: bool,
}

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Words<'a> {
        Words { rest: text, ended: false }
    }

    /// The next word in small letters, without what stands behind it.
    fn next(mut self) -> Option<(String, Words<'a>)> {
        if self.ended || self.rest.is_empty() {
            return None;
        }
        let (word, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        self.rest = rest;
        let bare = word.trim_end_matches([',', ';', '.', '!', '?', ':']);
        self.ended = word[bare.len()..].contains(':');
        Some((bare.to_lowercase(), self))
    }

    /// Past these words, if they come next.
    fn eat(self, words: &[&str]) -> Option<Words<'a>> {
        words.iter().try_fold(self, |at, word| at.next().filter(|(next, _)| next == word).map(|(_, at)| at))
    }

    fn eat_any(self, words: &[&str]) -> Option<Words<'a>> {
        words.iter().find_map(|word| self.eat(&[word]))
    }

    fn skip(self, words: &[&str]) -> Words<'a> {
        self.eat_any(words).unwrap_or(self)
    }

    /// Past a dash, which ends what is read as a time.
    fn dash(self) -> Words<'a> {
        let after =
            |dash| self.rest.strip_prefix(dash).filter(|rest| rest.is_empty() || rest.starts_with(' '));
        match ["–", "—", "-"].into_iter().find_map(after) {
            Some(rest) if !self.ended => Words { rest: rest.trim_start(), ended: true },
            _ => self,
        }
    }
}

pub(super) fn read(said: &str) -> Result<Request, Unclear> {
    let mut words = Words::of(said);
    if let Some(request) = command(words) {
        return Ok(request);
    }
    while let Some(polite) = words.eat_any(POLITE) {
        words = polite;
    }
    if words.rest.is_empty() {
        return Ok(Request::Help);
    }
    if let Some(request) = command(words) {
        return Ok(request);
    }
    if let Some(after) = VERBS.iter().find_map(|verb| words.eat(verb)) {
        words = after.skip(&["for"]);
    }
    wish(words).map(Request::Remind)
}

fn command(words: Words<'_>) -> Option<Request> {
    let (word, rest) = words.next()?;
    let (second, after) = rest.next().unzip();
    let ends = |at: Words<'_>| at.rest.is_empty();
    match word.as_str() {
        "help" | "?" | "" if ends(rest) => Some(Request::Help),
        "list" | "reminders" if ends(rest) => Some(Request::List),
        "list" | "show" | "my"
            if ends(rest.skip(&["all"]).skip(&["my"]).skip(&["reminders"])) && second.is_some() =>
        {
            Some(Request::List)
        }
        "cancel" | "delete" | "remove" | "forget" => {
            let rest = rest.skip(&["reminder", "number", "no"]);
            if ends(rest.skip(&["all", "everything"]).skip(&["reminders"])) && !ends(rest) {
                return Some(Request::Cancel(None));
            }
            let (number, rest) = rest.next()?;
            let number = number.trim_start_matches('#').parse().ok()?;
            ends(rest).then_some(Request::Cancel(Some(number)))
        }
        "zone" | "timezone" => zone(rest),
        "time" if second.as_deref() == Some("zone") => zone(after?),
        _ => None,
    }
}

/// Names of time zones have capitals, and no spaces.
fn zone(rest: Words<'_>) -> Option<Request> {
    let name = rest.rest.trim_matches(['.', '?', ' ']);
    (!name.contains(' ')).then(|| Request::Zone(Some(name.to_owned()).filter(|name| !name.is_empty())))
}

/// What is known of a time so far.
#[derive(Clone, Copy, Default)]
struct Partly {
    day: Option<Day>,
    part: Option<Part>,
    minute: Option<u16>,
}

impl Partly {
    fn when(self) -> Option<When> {
        let minute = self.minute?;
        let minute = self.part.map_or(Some(minute), |part| part.of(minute))?;
        Some(When::Once(self.day, minute))
    }
}

fn wish(words: Words<'_>) -> Result<Wish, Unclear> {
    if let Some((when, rest)) = repeated(words).or_else(|| after(words)) {
        return Ok(with_text(when, rest));
    }
    let (head, rest) = partly(words);
    if let Some(when) = head.when() {
        return Ok(with_text(when, rest));
    }
    // “to call Ann tomorrow at 8”: the time is all that stands behind.
    for (at, _) in rest.rest.match_indices(' ').filter(|_| !rest.ended) {
        let behind = Words::of(&rest.rest[at + 1..]);
        let whole = |(when, left): (When, Words<'_>)| left.rest.is_empty().then_some(when);
        let simple =
            repeated(behind).or_else(|| after(behind)).and_then(whole).filter(|_| head.day.is_none());
        let when = simple.or_else(|| {
            let (tail, left) = partly(behind);
            let both = Partly {
                day: tail.day.or(head.day),
                part: tail.part.or(head.part),
                minute: tail.minute.or(head.minute),
            };
            both.when().filter(|_| left.rest.is_empty() && (tail.day.is_none() || head.day.is_none()))
        });
        if let Some(when) = when {
            let before = Words { rest: &rest.rest[..at], ended: false };
            return Ok(with_text(when, before));
        }
    }
    Err(if head.day.is_some() { Unclear::NoTime } else { Unclear::Unknown })
}

/// The rest is how much it matters, and of what one is reminded.
fn with_text(when: When, rest: Words<'_>) -> Wish {
    let mut rest = rest.dash();
    let mut urgency = Urgency::Normal;
    if let Some((found, after)) =
        URGENCY.iter().find_map(|(word, urgency)| Some((*urgency, rest.eat(&[word])?)))
    {
        (urgency, rest) = (found, after.dash());
    }
    // What stands behind a dash is said as it is.
    if !rest.ended {
        rest = rest.skip(&["to", "that", "about", "of"]);
    }
    Wish { when, urgency, text: rest.rest.to_owned() }
}

/// “in 20 minutes”, “in an hour and 15 minutes”, “in half an hour”.
fn after(words: Words<'_>) -> Option<(When, Words<'_>)> {
    let mut at = words.eat(&["in"])?;
    if let Some(rest) = at.eat(&["half", "an", "hour"]) {
        return Some((When::After(30), rest));
    }
    let mut sum: Option<u32> = None;
    while let Some((minutes, rest)) = amount(at.skip(&["and"])) {
        sum = Some(sum.unwrap_or(0).checked_add(minutes).filter(|sum| *sum <= limits::MINUTES_AHEAD)?);
        at = rest;
        if let Some(rest) = at.eat(&["and", "a", "half"]).filter(|_| minutes == 60) {
            (sum, at) = (sum.map(|sum| sum + 30), rest);
        }
    }
    let minutes = sum.filter(|sum| *sum > 0)?;
    Some((When::After(minutes), at))
}

fn amount(words: Words<'_>) -> Option<(u32, Words<'_>)> {
    let (word, rest) = words.next()?;
    let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
    let (number, unit, rest) = match (digits, word.len()) {
        (0, _) => {
            let (_, number) = NUMBERS.iter().find(|(name, _)| *name == word)?;
            let (unit, rest) = rest.next()?;
            (*number, unit, rest)
        }
        (digits, length) if digits < length => {
            (word[..digits].parse().ok()?, word[digits..].to_owned(), rest)
        }
        _ => {
            let (unit, rest) = rest.next()?;
            (word.parse().ok()?, unit, rest)
        }
    };
    let minutes = match unit.as_str() {
        "m" | "min" | "mins" | "minute" | "minutes" => 1,
        "h" | "hr" | "hrs" | "hour" | "hours" => 60,
        "d" | "day" | "days" => 24 * 60,
        "w" | "week" | "weeks" => 7 * 24 * 60,
        _ => return None,
    };
    Some((number.checked_mul(minutes)?, rest))
}

/// “every Monday 9:00”, “daily at 22:00”, “at 8 every weekday”.
fn repeated(words: Words<'_>) -> Option<(When, Words<'_>)> {
    let given = |(days, part, rest): (u8, Option<Part>, _), minute: u16| {
        Some((When::Every(days, part.map_or(Some(minute), |part| part.of(minute))?), rest))
    };
    if let Some((days, part, rest)) = every(words) {
        let (minute, after, rest) = time(rest)?;
        return given((days, after.or(part), rest), minute);
    }
    let (minute, before, rest) = time(words)?;
    let (days, part, rest) = every(rest)?;
    given((days, part.or(before), rest), minute)
}

fn every(words: Words<'_>) -> Option<(u8, Option<Part>, Words<'_>)> {
    if let Some(rest) = words.eat_any(&["daily", "everyday"]) {
        return Some((ALL, None, rest));
    }
    if let Some(rest) = words.eat_any(&["weekdays", "workdays"]) {
        return Some((WORKDAYS, None, rest));
    }
    let mut at = words.eat_any(&["every", "each"])?;
    for (names, days, part) in [
        (&["day"][..], ALL, None),
        (&["weekday", "workday"], WORKDAYS, None),
        (&["weekend"], WEEKEND, None),
        (&["morning"], ALL, Some(Part::Morning)),
        (&["afternoon"], ALL, Some(Part::Afternoon)),
        (&["evening", "night"], ALL, Some(Part::Night)),
    ] {
        if let Some(rest) = at.eat_any(names) {
            return Some((days, part, rest));
        }
    }
    let mut days = 0;
    while let Some((day, rest)) =
        at.skip(&["and", "&", "every"]).next().and_then(|(word, rest)| Some((weekday(&word)?, rest)))
    {
        days |= bit(day);
        at = rest;
    }
    (days != 0).then_some((days, part_of(at).0, part_of(at).1))
}

fn weekday(word: &str) -> Option<Weekday> {
    let word = word.strip_suffix('s').filter(|word| word.ends_with("day")).unwrap_or(word);
    let short = |name: &str| match name {
        "tuesday" => word == "tue" || word == "tues",
        "wednesday" => word == "wed" || word == "weds",
        "thursday" => word == "thu" || word == "thur" || word == "thurs",
        name => name.get(..3) == Some(word),
    };
    DAYS.iter().find(|(name, _)| *name == word || short(name)).map(|(_, day)| *day)
}

/// Days in the form that is said: `every ` goes before it.
pub(super) fn days(days: u8) -> String {
    match days {
        ALL => "day".to_owned(),
        WORKDAYS => "weekday".to_owned(),
        days => {
            let named = DAYS.iter().filter(|(_, day)| days & bit(*day) != 0);
            let short = |name: &str| name[..1].to_uppercase() + &name[1..3];
            named.map(|(name, _)| short(name)).collect::<Vec<_>>().join(", ")
        }
    }
}

/// As much of a day and a time as stands there, in any order.
fn partly(words: Words<'_>) -> (Partly, Words<'_>) {
    let (mut known, mut at) = (Partly::default(), words);
    loop {
        if known.day.is_none()
            && let Some((day, part, rest)) = day(at)
        {
            (known.day, known.part, at) = (Some(day), part.or(known.part), rest);
        } else if known.minute.is_none()
            && let Some((minute, part, rest)) = time(at)
        {
            (known.minute, known.part, at) = (Some(minute), part.or(known.part), rest);
        } else {
            return (known, at);
        }
    }
}

fn day(words: Words<'_>) -> Option<(Day, Option<Part>, Words<'_>)> {
    let words = words.skip(&["on"]);
    for (names, ahead, part) in [
        (&["day", "after", "tomorrow"][..], 2, None),
        (&["the", "day", "after", "tomorrow"], 2, None),
        (&["tomorrow"], 1, None),
        (&["today"], 0, None),
        (&["tonight"], 0, Some(Part::Night)),
    ] {
        if let Some(rest) = words.eat(names) {
            let (of_day, rest) = part_of(rest);
            return Some((Day::Ahead(ahead), part.or(of_day), rest));
        }
    }
    let next = words.eat(&["next"]);
    let (word, rest) = next.unwrap_or(words).skip(&["this"]).next()?;
    let found = match (weekday(&word), next) {
        (Some(day), Some(_)) => Day::InNextWeek(day),
        (Some(day), None) => Day::Next(day),
        (None, None) => Day::On(date(&word)?),
        (None, Some(_)) => return None,
    };
    let (part, rest) = part_of(rest);
    Some((found, part, rest))
}

/// “morning”, “in the evening”, “at night”.
fn part_of(words: Words<'_>) -> (Option<Part>, Words<'_>) {
    let at = words.eat(&["in", "the"]).unwrap_or_else(|| words.skip(&["at"]));
    for (name, part) in [
        ("morning", Part::Morning),
        ("afternoon", Part::Afternoon),
        ("evening", Part::Night),
        ("night", Part::Night),
    ] {
        if let Some(rest) = at.eat(&[name]) {
            return (Some(part), rest);
        }
    }
    (None, words)
}

/// “7:30”, “at 7”, “7 pm”, “7:30am”, “noon”; a number alone is a time only after “at”.
fn time(words: Words<'_>) -> Option<(u16, Option<Part>, Words<'_>)> {
    let at = words.eat_any(&["at", "@"]);
    let (word, rest) = at.unwrap_or(words).next()?;
    match word.as_str() {
        "noon" => return Some((12 * 60, None, rest)),
        "midnight" => return Some((0, None, rest)),
        _ => {}
    }
    let end = word.find(|c: char| !c.is_ascii_digit() && c != ':').unwrap_or(word.len());
    let (clock, suffix) = word.split_at(end);
    let (hour, minutes) =
        clock.split_once(':').map_or((clock, None), |(hour, minutes)| (hour, Some(minutes)));
    if hour.is_empty() || hour.len() > 2 || minutes.is_some_and(|it| it.len() != 2) {
        return None;
    }
    let minute = minute(hour.parse().ok()?, minutes.map_or(Some(0), |it| it.parse().ok())?)?;
    let half = |word: &str| match word {
        "am" | "a.m" => Some(Part::Morning),
        "pm" | "p.m" => Some(Part::Afternoon),
        _ => None,
    };
    if !suffix.is_empty() {
        return Some((half(suffix)?.of(minute)?, None, rest));
    }
    if let Some((part, rest)) = rest.next().and_then(|(word, rest)| Some((half(&word)?, rest))) {
        return Some((part.of(minute)?, None, rest));
    }
    let rest = match rest.eat_any(&["o'clock", "o’clock"]) {
        Some(after) => after,
        None if at.is_none() && minutes.is_none() => return None,
        None => rest,
    };
    let (part, rest) = part_of(rest);
    Some((minute, part, rest))
}
