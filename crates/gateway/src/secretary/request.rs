//! What people ask of the secretary, in plain words: docs/secretary.md has the grammar. [`read`] is pure and takes whatever it is
//! given; what [`say`] writes of a reminder reads as the same reminder.

use super::{chinese, english, limits};
use jiff::civil::{Date, Weekday};
use rookery_store::Urgency;

/// In which language somebody speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// `en`
    #[default]
    English,
    /// `zh`
    Chinese,
}

impl Language {
    /// RFC 5646.
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// The language of a tag; English if it is another.
    pub fn of(tag: &str) -> Language {
        if tag == "zh" { Language::Chinese } else { Language::English }
    }
}

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// To be reminded.
    Remind(Wish),
    /// To see what there is.
    List,
    /// To forget the one of this number; `None`: all.
    Cancel(Option<u32>),
    /// To live in this time zone; `None`: to hear in which.
    Zone(Option<String>),
    /// To hear what can be said.
    Help,
}

/// Of what, when, and how much it matters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wish {
    /// When.
    pub when: When,
    /// How much it matters.
    pub urgency: Urgency,
    /// Of what, without needless space; may be empty.
    pub text: String,
}

/// When somebody wants to be reminded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// So many minutes from now, at least one.
    After(u32),
    /// Once, on a day or when the clock shows it next, at this minute of the day.
    Once(Option<Day>, u16),
    /// On these days of the week (a bit each from Monday on), at this minute of the day.
    Every(u8, u16),
}

/// A day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Day {
    /// So many days from today.
    Ahead(u8),
    /// The next day of this name, perhaps today.
    Next(Weekday),
    /// The day of this name in the week that begins on the next Monday.
    InNextWeek(Weekday),
    /// This month and day, when they come next.
    Yearly(i8, i8),
    /// This one.
    On(Date),
}

/// Why a request is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unclear {
    /// It says nothing that the secretary knows.
    Unknown,
    /// It says on which day, and not at what time.
    NoTime,
    /// It is too long.
    TooLong,
}

/// What is asked for, and in which language.
pub fn read(said: &str) -> (Language, Result<Request, Unclear>) {
    let chinese = said.chars().any(is_chinese);
    let language = if chinese { Language::Chinese } else { Language::English };
    if said.len() > limits::SAID {
        return (language, Err(Unclear::TooLong));
    }
    // Space says nothing, so that what is stored reads the same when it is said again.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if !chinese {
        return (language, english::read(&said));
    }
    match chinese::read(&said) {
        // English with Chinese names in it.
        Err(unclear) => match english::read(&said) {
            Ok(request) => (Language::English, Ok(request)),
            Err(_) => (language, Err(unclear)),
        },
        request => (language, request),
    }
}

fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// A reminder in words. One that is due once is said with its date.
pub fn say(wish: &Wish, language: Language) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let mut said = match (wish.when, language) {
        (When::Every(days, minute), Language::English) => {
            format!("every {} {}", english::days(days), clock(minute))
        }
        (When::Every(days, minute), Language::Chinese) => {
            format!("{} {}", chinese::days(days), clock(minute))
        }
        (When::Once(Some(Day::On(date)), minute), _) => format!("{date} {}", clock(minute)),
        (When::Once(_, minute), _) => clock(minute),
        (When::After(minutes), Language::English) => format!("in {minutes} minutes"),
        (When::After(minutes), Language::Chinese) => format!("{minutes}分钟后"),
    };
    let urgency = match language {
        Language::English => english::URGENCY,
        Language::Chinese => chinese::URGENCY,
    };
    for (word, _) in urgency.iter().filter(|(_, urgency)| *urgency == wish.urgency).take(1) {
        said.push(' ');
        said.push_str(word);
    }
    if !wish.text.is_empty() {
        // From here on nothing is a time any more.
        said.push_str(" – ");
        said.push_str(&wish.text);
    }
    said
}

/// Monday to Friday, Saturday and Sunday, and all of them.
pub(super) const WORKDAYS: u8 = 0b001_1111;
/// See [`WORKDAYS`].
pub(super) const WEEKEND: u8 = 0b110_0000;
/// See [`WORKDAYS`].
pub(super) const ALL: u8 = 0b111_1111;

/// The bit of a day of the week.
pub(super) fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

/// A day of a calendar as it is written in both languages: `2026-11-24`.
pub(super) fn date(word: &str) -> Option<Date> {
    let mut parts = word.splitn(3, '-').map(|part| part.parse::<i16>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// The minute of the day of a time such as `7:30`.
pub(super) fn minute(hour: u32, minute: u32) -> Option<u16> {
    (hour < 24 && minute < 60).then_some((hour * 60 + minute) as u16)
}

/// `hour` in this part of the day, as people count to twelve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// After midnight: twelve is none.
    Morning,
    /// After noon.
    Afternoon,
    /// After noon; twelve is midnight.
    Night,
}

impl Part {
    /// What a clock shows. Midnight at night is the next day's, and is not guessed at.
    pub(super) fn of(self, minute: u16) -> Option<u16> {
        const NOON: u16 = 12 * 60;
        match (self, minute / 60) {
            (Part::Morning, 12) => Some(minute - NOON),
            (Part::Afternoon | Part::Night, 0..=11) => Some(minute + NOON),
            (Part::Night, 12) => None,
            _ => Some(minute),
        }
    }
}
