use super::calendar::{first, next};
use super::request::{Day, Language, Request, Unclear, When, Wish, read, say};
use jiff::civil::{Date, Weekday, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rookery_store::{Repeat, Timestamp, Urgency};

fn wish(said: &str) -> (When, Urgency, String) {
    match read(said).1 {
        Ok(Request::Remind(Wish { when, urgency, text })) => (when, urgency, text),
        other => panic!("{said}: {other:?}"),
    }
}

/// Everything here is normal.
fn normal(said: &str) -> (When, String) {
    let (when, urgency, text) = wish(said);
    assert_eq!(urgency, Urgency::Normal, "{said}");
    (when, text)
}

fn at(hour: u16, minute: u16) -> u16 {
    hour * 60 + minute
}

#[test]
fn english_is_understood() {
    let once = |day, minute| When::Once(day, minute);
    let tomorrow = Some(Day::Ahead(1));
    for (said, when, text) in [
        ("remind me at 7:30", once(None, at(7, 30)), ""),
        ("Remind me tomorrow at 8 to call Ann", once(tomorrow, at(8, 0)), "call Ann"),
        ("remind me to call Ann tomorrow at 8", once(tomorrow, at(8, 0)), "call Ann"),
        ("please remind me tomorrow to call Ann at 8pm", once(tomorrow, at(20, 0)), "call Ann"),
        ("in 20 minutes tea", When::After(20), "tea"),
        ("tea in 20 minutes", When::After(20), "tea"),
        ("in an hour and a half: nap", When::After(90), "nap"),
        ("in 1 hour 15 min", When::After(75), ""),
        ("wake me up at 6 in the morning", once(None, at(6, 0)), ""),
        ("every Monday 9:00 stand-up", When::Every(1, at(9, 0)), "stand-up"),
        ("every day 22:00 pills", When::Every(127, at(22, 0)), "pills"),
        ("every Mon, Wed and Fri at 9am gym", When::Every(0b1_0101, at(9, 0)), "gym"),
        ("at 8 every weekday news", When::Every(31, at(8, 0)), "news"),
        ("Friday 17:00 – at 8 we leave", once(Some(Day::Next(Weekday::Friday)), at(17, 0)), "at 8 we leave"),
        ("tonight at 8 film", once(Some(Day::Ahead(0)), at(20, 0)), "film"),
        ("next monday at noon", once(Some(Day::InNextWeek(Weekday::Monday)), at(12, 0)), ""),
        ("2026-12-24 16:00 presents", once(Some(Day::On(date(2026, 12, 24))), at(16, 0)), "presents"),
    ] {
        assert_eq!(normal(said), (when, text.to_owned()), "{said}");
    }
    assert_eq!(
        wish("every day 22:00 urgent pills"),
        (When::Every(127, at(22, 0)), Urgency::Urgent, "pills".into())
    );
    for (said, request) in [
        ("help", Request::Help),
        ("Hello!", Request::Help),
        ("list", Request::List),
        ("show my reminders", Request::List),
        ("cancel 3", Request::Cancel(Some(3))),
        ("Cancel reminder #3.", Request::Cancel(Some(3))),
        ("cancel all", Request::Cancel(None)),
        ("zone Europe/Berlin", Request::Zone(Some("Europe/Berlin".into()))),
        ("time zone", Request::Zone(None)),
    ] {
        assert_eq!(read(said), (Language::English, Ok(request)), "{said}");
    }
    for (said, why) in [
        ("how are you", Unclear::Unknown),
        ("remind me tomorrow", Unclear::NoTime),
        ("remind me 8 apples", Unclear::Unknown),
        ("remind me at 25:00", Unclear::Unknown),
        ("in 99999999999 minutes", Unclear::Unknown),
        ("at 12 at night", Unclear::Unknown),
    ] {
        assert_eq!(read(said).1, Err(why), "{said}");
    }
}

#[test]
fn chinese_is_understood() {
    let once = |day, minute| When::Once(day, minute);
    let tomorrow = Some(Day::Ahead(1));
    for (said, when, text) in [
        ("明天八点叫我", once(tomorrow, at(8, 0)), ""),
        ("明天早上八点半叫我起床", once(tomorrow, at(8, 30)), "起床"),
        ("请提醒我明天下午三点开会", once(tomorrow, at(15, 0)), "开会"),
        ("提醒我开会，明天下午3点", once(tomorrow, at(15, 0)), "开会"),
        ("每周一九点例会", When::Every(1, at(9, 0)), "例会"),
        ("每周三三点", When::Every(4, at(3, 0)), ""),
        ("每星期一、三、五早上7:30跑步", When::Every(0b1_0101, at(7, 30)), "跑步"),
        ("每個工作日晚上十點 吃藥", When::Every(31, at(22, 0)), "吃藥"),
        ("每天 22:00 吃药", When::Every(127, at(22, 0)), "吃药"),
        ("20分钟后", When::After(20), ""),
        ("二十分钟后提醒我喝茶", When::After(20), "喝茶"),
        ("半小时后", When::After(30), ""),
        ("一个半小时以后", When::After(90), ""),
        ("今晚八点一刻", once(Some(Day::Ahead(0)), at(20, 15)), ""),
        ("中午吃饭", once(None, at(12, 0)), "吃饭"),
        ("下周五14:00", once(Some(Day::InNextWeek(Weekday::Friday)), at(14, 0)), ""),
        ("12月24日 16:00 礼物", once(Some(Day::Yearly(12, 24)), at(16, 0)), "礼物"),
        ("2026年12月24号四点", once(Some(Day::On(date(2026, 12, 24))), at(4, 0)), ""),
    ] {
        assert_eq!(normal(said), (when, text.to_owned()), "{said}");
        assert_eq!(read(said).0, Language::Chinese, "{said}");
    }
    assert_eq!(wish("每天22点 紧急 吃药"), (When::Every(127, at(22, 0)), Urgency::Urgent, "吃药".into()));
    for (said, request) in [
        ("帮助", Request::Help),
        ("你好", Request::Help),
        ("列表", Request::List),
        ("取消 3", Request::Cancel(Some(3))),
        ("取消第三个", Request::Cancel(Some(3))),
        ("全部取消", Request::Cancel(None)),
        ("取消全部", Request::Cancel(None)),
        ("时区 Asia/Shanghai", Request::Zone(Some("Asia/Shanghai".into()))),
    ] {
        assert_eq!(read(said), (Language::Chinese, Ok(request)), "{said}");
    }
    assert_eq!(read("明天叫我").1, Err(Unclear::NoTime));
    assert_eq!(read("天气怎么样").1, Err(Unclear::Unknown));
    // A name does not make a language.
    assert_eq!(read("tomorrow at 8 call 王伟").0, Language::English);
}

fn stamp(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

#[test]
fn what_is_due_in_a_gap_is_due_behind_it_and_in_a_fold_once() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let daily = Repeat { days: 127, minute: at(2, 30) };
    let times = |from: &str| {
        let mut now = stamp(from);
        [(); 3].map(|()| {
            now = next(daily, &berlin, now).unwrap();
            jiff::Timestamp::from_millisecond(now.0).unwrap().to_string()
        })
    };
    // 2026-03-29: 2:00 is 3:00.
    assert_eq!(
        times("2026-03-28T00:00:00Z"),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
    );
    // 2026-10-25: 3:00 is 2:00.
    assert_eq!(
        times("2026-10-24T00:00:00Z"),
        ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    // Also for who looks between the two.
    assert_eq!(times("2026-10-25T01:00:00Z")[0], "2026-10-26T01:30:00Z");
}

#[test]
fn days_are_those_of_the_zone() {
    let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
    // There it is Thursday the 1st, 04:00.
    let now = stamp("2025-12-31T20:00:00Z");
    for (when, due) in [
        (When::Once(None, at(3, 0)), Some("2026-01-01T19:00:00Z")),
        (When::Once(Some(Day::Ahead(0)), at(3, 0)), None),
        (When::Once(Some(Day::Ahead(1)), at(8, 0)), Some("2026-01-02T00:00:00Z")),
        (When::Once(Some(Day::Next(Weekday::Thursday)), at(3, 0)), Some("2026-01-07T19:00:00Z")),
        (When::Once(Some(Day::InNextWeek(Weekday::Monday)), at(8, 0)), Some("2026-01-05T00:00:00Z")),
        (When::Once(Some(Day::Yearly(2, 29)), at(8, 0)), Some("2028-02-29T00:00:00Z")),
        (When::Once(Some(Day::On(date(2025, 12, 31))), at(8, 0)), None),
        (When::After(20), Some("2025-12-31T20:20:00Z")),
        (When::Every(1, at(9, 0)), Some("2026-01-05T01:00:00Z")),
    ] {
        assert_eq!(first(when, &shanghai, now), due.map(stamp), "{when:?}");
    }
}

fn any_wish() -> impl Strategy<Value = Wish> {
    let dates = (1970i16..2200, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| Date::new(y, m, d).unwrap());
    let when = prop_oneof![
        (dates, 0u16..1440).prop_map(|(date, minute)| When::Once(Some(Day::On(date)), minute)),
        (1u8..128, 0u16..1440).prop_map(|(days, minute)| When::Every(days, minute)),
    ];
    let word = prop_oneof![
        "[a-z]{1,6}",
        "[\\PC]{0,12}",
        Just("–".to_owned()),
        Just("urgent".to_owned()),
        Just("to".to_owned()),
        Just("at 8:00".to_owned()),
        Just("每天八点".to_owned()),
        Just("紧急".to_owned()),
        Just(":".to_owned()),
    ];
    let text = proptest::collection::vec(word, 0..6)
        .prop_map(|words| words.join(" ").split_whitespace().collect::<Vec<_>>().join(" "));
    let urgency = proptest::sample::select(Urgency::ALL.to_vec());
    (when, urgency, text).prop_map(|(when, urgency, text)| Wish { when, urgency, text })
}

proptest! {
    #[test]
    fn what_is_said_reads_the_same(wish in any_wish(), chinese in any::<bool>()) {
        let language = if chinese { Language::Chinese } else { Language::English };
        let said = say(&wish, language);
        prop_assert_eq!(read(&said).1, Ok(Request::Remind(wish)), "{}", said);
    }

    #[test]
    fn nothing_that_is_said_is_too_much(said in "\\PC{0,80}") {
        let _ = read(&said);
    }

    #[test]
    fn words_in_any_order_are_not_too_much(words in proptest::collection::vec(proptest::sample::select(vec![
        "remind", "me", "in", "every", "at", "8", "8:00", "99", "mon", "and", "a", "half", "hour", "–", ":", "2026-02-30", "pm",
        "每", "周", "一", "三", "点", "半", "后", "分钟", "个", "下", "十", "月", "日", "取消", "第", "晚上", "12", "next", "zone",
    ]), 0..14), spaces in any::<bool>()) {
        let _ = read(&words.join(if spaces { " " } else { "" }));
    }

    #[test]
    fn the_next_time_is_on_a_day_that_was_named(
        days in 1u8..128, minute in 0u16..1440, now in 0i64..4_000_000_000_000,
        zone in proptest::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Shanghai"]),
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let at = next(Repeat { days, minute }, &zone, Timestamp(now)).unwrap();
        prop_assert!(at.0 > now && at.0 - now <= 9 * 86_400_000);
        let shown = super::calendar::local(at, &zone);
        let clock = shown.hour() as u16 * 60 + shown.minute() as u16;
        // Behind a gap it is another minute, and may be another day.
        if clock == minute {
            prop_assert!(days & 1 << shown.weekday().to_monday_zero_offset() != 0);
        } else {
            prop_assert!(zone.to_ambiguous_zoned(shown.date().at((minute / 60) as i8, (minute % 60) as i8, 0, 0)).is_ambiguous());
        }
    }
}
