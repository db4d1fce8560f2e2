//! What the secretary says, in the language that it is spoken to.

use super::calendar::local;
use super::request::{Day, Language, Unclear, When, Wish, say};
use jiff::tz::TimeZone;
use rookery_store::{NewReminder, Reminder, Timestamp};

use Language::{Chinese, English};

/// The zone of what is stored; one that is not known any more is UTC.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// A reminder as one would ask for it.
pub(super) fn wish(of: &NewReminder) -> Wish {
    let due = local(of.next, &zone(&of.zone));
    let minute = due.hour() as u16 * 60 + due.minute() as u16;
    let when = match of.repeat {
        Some(repeat) => When::Every(repeat.days, repeat.minute),
        None => When::Once(Some(Day::On(due.date())), minute),
    };
    Wish { when, urgency: of.urgency, text: of.text.clone() }
}

/// The line of a list.
fn line(reminder: &Reminder, language: Language) -> String {
    format!("{}. {}", reminder.number, say(&wish(&reminder.what), language))
}

pub(super) fn list(reminders: &[Reminder], language: Language) -> String {
    let lines: Vec<String> = reminders.iter().map(|it| line(it, language)).collect();
    match (lines.is_empty(), language) {
        (true, English) => "There are no reminders.".to_owned(),
        (true, Chinese) => "没有提醒。".to_owned(),
        (false, _) => lines.join("\n"),
    }
}

/// A reminder is kept. `known`: its owner has said in which zone.
pub(super) fn kept(reminder: &Reminder, known: bool, language: Language) -> String {
    let line = line(reminder, language);
    let due = local(reminder.what.next, &zone(&reminder.what.zone));
    let first = due.strftime("%Y-%m-%d %H:%M");
    let zone = &reminder.what.zone;
    let first = match (reminder.what.repeat, language) {
        (None, _) => String::new(),
        (Some(_), English) => format!("\nThe first time: {first}."),
        (Some(_), Chinese) => format!("\n第一次：{first}。"),
    };
    match (language, known) {
        (English, true) => format!("I shall remind you: {line}{first}"),
        (English, false) => format!(
            "I shall remind you: {line}{first}\nThis is counted in {zone}. If your clock shows another time, cancel it and tell me \
             your time zone, as in “zone Europe/Berlin”."
        ),
        (Chinese, true) => format!("好的，我会提醒您：{line}{first}"),
        (Chinese, false) => format!(
            "好的，我会提醒您：{line}{first}\n时间按 {zone} 计算。如果与您的时钟不同，请取消它，并告诉我您的时区，例如“时区 Asia/Shanghai”。"
        ),
    }
}

pub(super) fn cancelled(gone: &[Reminder], language: Language) -> String {
    match (gone, language) {
        ([], English) => "There is no such reminder. “list” shows all.".to_owned(),
        ([], Chinese) => "没有这个提醒。发送“列表”可查看全部。".to_owned(),
        (gone, English) => format!("Cancelled:\n{}", list(gone, language)),
        (gone, Chinese) => format!("已取消：\n{}", list(gone, language)),
    }
}

pub(super) fn zone_is(name: Option<&str>, language: Language) -> String {
    match (name, language) {
        (Some(name), English) => {
            format!("Your time zone is {name}. Reminders that there are keep the one that they were made in.")
        }
        (Some(name), Chinese) => format!("您的时区是 {name}。已有的提醒仍按原来的时区计算。"),
        (None, English) => {
            "I count in UTC, as I do not know your time zone. Tell me, as in “zone Europe/Berlin”.".to_owned()
        }
        (None, Chinese) => {
            "我不知道您的时区，所以按 UTC 计算。请告诉我，例如“时区 Asia/Shanghai”。".to_owned()
        }
    }
}

pub(super) fn no_such_zone(language: Language) -> String {
    match language {
        English => "I do not know this time zone. They are called as in Europe/Berlin or Asia/Shanghai.",
        Chinese => "没有这个时区。时区的名称如 Asia/Shanghai 或 Europe/Berlin。",
    }
    .to_owned()
}

pub(super) fn past(language: Language) -> String {
    match language {
        English => "That time is past, or far beyond any calendar.",
        Chinese => "这个时间已经过去了，或者太遥远了。",
    }
    .to_owned()
}

pub(super) fn full(language: Language) -> String {
    match language {
        English => "You have as many reminders as I can keep. Cancel one first: “list” shows them.",
        Chinese => "您的提醒已达上限。请先取消一个，发送“列表”可查看全部。",
    }
    .to_owned()
}

pub(super) fn unclear(why: Unclear, language: Language) -> String {
    match (why, language) {
        (Unclear::NoTime, English) => "At what time? For example: tomorrow at 8 call Ann".to_owned(),
        (Unclear::NoTime, Chinese) => "几点？例如：明天八点开会".to_owned(),
        (Unclear::TooLong, English) => "That is too long for me.".to_owned(),
        (Unclear::TooLong, Chinese) => "太长了。".to_owned(),
        (Unclear::Unknown, English) => format!("I did not understand that.\n{}", help(language)),
        (Unclear::Unknown, Chinese) => format!("我没有听懂。\n{}", help(language)),
    }
}

pub(super) fn help(language: Language) -> String {
    match language {
        English => {
            "I remind you of what you tell me. For example:\nremind me at 7:30\ntomorrow at 8 call Ann\nin 20 minutes tea\n\
             every Monday 9:00 stand-up\nevery day 22:00 urgent – pills\nlist · cancel 3 · cancel all · zone Europe/Berlin"
        }
        Chinese => {
            "我可以提醒您。例如：\n明天八点叫我\n20分钟后喝茶\n每周一九点例会\n每天 22:00 紧急 – 吃药\n\
             列表 · 取消 3 · 取消全部 · 时区 Asia/Shanghai"
        }
    }
    .to_owned()
}

/// What reminds. It says by how much it is late, if it is.
pub(super) fn reminds(of: &NewReminder, late: bool) -> String {
    let language = Language::of(&of.language);
    let due = local(of.next, &zone(&of.zone));
    let clock = due.strftime("%H:%M");
    let mut said = match of.text.as_str() {
        "" => format!("⏰ {clock}"),
        text => format!("⏰ {text}"),
    };
    if late {
        let due = due.strftime("%Y-%m-%d %H:%M");
        said += &match language {
            English => format!("\n(Late: this was due at {due}, when the server was not running.)"),
            Chinese => format!("\n（迟到的提醒：原定于 {due}，当时服务器没有运行。）"),
        };
    }
    said
}

/// Whether what is due then is late now.
pub(super) fn is_late(due: Timestamp, now: Timestamp) -> bool {
    now.0.saturating_sub(due.0) > super::limits::LATE.as_millis() as i64
}
