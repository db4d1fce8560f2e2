//! Requests in Chinese, in simplified and traditional signs.

use super::limits;
use super::request::{ALL, Day, Part, Request, Unclear, WEEKEND, WORKDAYS, When, Wish, bit, date, minute};
use jiff::civil::{Date, Weekday};
use rookery_store::Urgency;

/// Words for how much something matters; the first for each is the one that is said.
pub(super) const URGENCY: &[(&str, Urgency)] = &[
    ("紧急", Urgency::Urgent),
    ("重要", Urgency::Important),
    ("緊急", Urgency::Urgent),
    // A reminder that was said in English, of something in Chinese.
    ("urgent", Urgency::Urgent),
    ("important", Urgency::Important),
];

const POLITE: &[&str] =
    &["请你", "請你", "请", "請", "麻烦你", "麻烦", "麻煩", "帮我", "幫我", "你好", "秘书", "秘書"];
const VERBS: &[&str] = &[
    "提醒我一下",
    "提醒我",
    "提醒一下",
    "提醒",
    "叫醒我",
    "叫我",
    "通知我",
    "告诉我",
    "告訴我",
    "设个闹钟",
    "闹钟",
];
const LIST: &[&str] =
    &["列表", "清单", "清單", "列出", "查看", "有哪些提醒", "我的提醒", "所有提醒", "提醒列表"];
const HELP: &[&str] = &["帮助", "幫助", "怎么用", "怎麼用", "说明", "說明"];
const CANCEL: &[&str] = &["取消", "删除", "刪除", "删掉"];
const EVERYTHING: &[&str] = &["全部", "所有", "全部提醒", "所有提醒"];
const BEHIND: &[&str] = &["以后", "以後", "之后", "之後", "后", "後"];
const WEEK: &[&str] = &["星期", "礼拜", "禮拜", "周", "週"];
const PARTS: &[(&str, Part)] = &[
    ("凌晨", Part::Morning),
    ("清晨", Part::Morning),
    ("早上", Part::Morning),
    ("早晨", Part::Morning),
    ("上午", Part::Morning),
    ("下午", Part::Afternoon),
    ("傍晚", Part::Afternoon),
    ("晚上", Part::Night),
    ("夜里", Part::Night),
    ("夜裡", Part::Night),
    ("早", Part::Morning),
    ("晚", Part::Night),
];
const DAYS: [(&str, Weekday); 8] = [
    ("一", Weekday::Monday),
    ("二", Weekday::Tuesday),
    ("三", Weekday::Wednesday),
    ("四", Weekday::Thursday),
    ("五", Weekday::Friday),
    ("六", Weekday::Saturday),
    ("日", Weekday::Sunday),
    ("天", Weekday::Sunday),
];

/// What is left to read.
#[derive(Clone, Copy)]
struct Signs<'a> {
    rest: &'a str,
    /// A dash has come: all that follows is what is to be said.
    ended: bool,
}

impl<'a> Signs<'a> {
    fn of(rest: &'a str) -> Signs<'a> {
        Signs { rest, ended: false }
    }

    /// Past spaces and what stands between clauses.
    fn trim(self) -> Signs<'a> {
        match self.ended {
            true => self,
            false => Signs {
                rest: self.rest.trim_start_matches([' ', '，', '。', '、', '！', ',', '!']),
                ..self
            },
        }
    }

    fn eat(self, word: &str) -> Option<Signs<'a>> {
        let at = self.trim();
        let rest = at.rest.strip_prefix(word).filter(|_| !at.ended)?;
        Some(Signs { rest, ..at })
    }

    /// Past one of these; of two of which one begins the other, the longer stands first.
    fn eat_any(self, words: &[&str]) -> Option<Signs<'a>> {
        words.iter().find_map(|word| self.eat(word))
    }

    fn skip(self, words: &[&str]) -> Signs<'a> {
        self.eat_any(words).unwrap_or(self)
    }

    fn find<T: Copy>(self, words: &[(&str, T)]) -> Option<(T, Signs<'a>)> {
        words.iter().find_map(|(word, meaning)| Some((*meaning, self.eat(word)?)))
    }

    /// Past a dash or a colon, which ends what is read as a time.
    fn dash(self) -> Signs<'a> {
        match self.eat_any(&["–", "—", "-", "：", ":"]) {
            Some(at) => Signs { rest: at.rest.trim_start(), ended: true },
            None => self,
        }
    }

    /// A number in digits of either kind, below 10,000.
    fn number(self) -> Option<(u32, Signs<'a>)> {
        let at = self.trim();
        if at.ended {
            return None;
        }
        let end = at.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(at.rest.len());
        if (1..=4).contains(&end) {
            return Some((at.rest[..end].parse().ok()?, Signs { rest: &at.rest[end..], ..at }));
        }
        let end = at.rest.find(|c| digit(c).is_none() && c != '十').unwrap_or(at.rest.len());
        let (number, rest) = at.rest.split_at(end);
        Some((below_hundred(number)?, Signs { rest, ..at }))
    }
}

fn digit(c: char) -> Option<u32> {
    Some(match c {
        '零' | '〇' => 0,
        '一' => 1,
        '二' | '两' | '兩' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

/// “八”, “十二”, “二十”, “四十五”, “零五”.
fn below_hundred(text: &str) -> Option<u32> {
    let signs: Vec<char> = text.chars().take(4).collect();
    match signs[..] {
        ['十'] => Some(10),
        ['十', ones] => Some(10 + digit(ones)?),
        [tens, '十'] => Some(digit(tens)? * 10),
        [tens, '十', ones] => Some(digit(tens)? * 10 + digit(ones)?),
        ['零' | '〇', ones] => digit(ones),
        [one] => digit(one),
        _ => None,
    }
}

pub(super) fn read(said: &str) -> Result<Request, Unclear> {
    let mut signs = Signs::of(said);
    while let Some(polite) = signs.eat_any(POLITE) {
        signs = polite;
    }
    if let Some(request) = command(signs) {
        return Ok(request);
    }
    if let Some(after) = signs.eat_any(VERBS) {
        signs = after;
    }
    wish(signs).map(Request::Remind)
}

fn command(signs: Signs<'_>) -> Option<Request> {
    let ends = |at: Signs<'_>| at.rest.trim_matches(['？', '?', '。', '！', ' ']).is_empty();
    if ends(signs) || signs.eat_any(HELP).is_some_and(ends) {
        return Some(Request::Help);
    }
    if signs.eat_any(LIST).is_some_and(|at| ends(at.skip(&["提醒"]))) {
        return Some(Request::List);
    }
    if let Some(at) = signs.eat_any(&["时区", "時區"]) {
        let name = at.skip(&["是"]).trim().rest.trim_matches(['？', '?', '。', ' ']);
        return (!name.contains(' '))
            .then(|| Request::Zone(Some(name.to_owned()).filter(|it| !it.is_empty())));
    }
    if signs.eat_any(&["全部", "所有"]).and_then(|at| at.eat_any(CANCEL)).is_some_and(ends) {
        return Some(Request::Cancel(None));
    }
    let at = signs.eat_any(CANCEL)?.skip(&["提醒"]);
    if EVERYTHING.iter().any(|all| at.eat(all).is_some_and(ends)) {
        return Some(Request::Cancel(None));
    }
    let (number, at) = at.skip(&["第", "#"]).number()?;
    ends(at.skip(&["个提醒", "個提醒", "条提醒", "个", "個", "条", "條", "号", "號"]))
        .then_some(Request::Cancel(Some(number)))
}

fn wish(signs: Signs<'_>) -> Result<Wish, Unclear> {
    if let Some((when, rest)) = simple(signs) {
        return Ok(with_text(when, rest));
    }
    let day_alone = day(signs).is_some();
    // “提醒我开会，明天八点”: the time is all that stands behind. Behind a dash nothing is a time.
    let dashed = signs.rest.contains(" – ");
    for (at, _) in signs.rest.char_indices().skip(1).filter(|_| !dashed) {
        let behind = Signs::of(&signs.rest[at..]);
        if let Some((when, left)) = simple(behind)
            && left.skip(VERBS).trim().rest.is_empty()
        {
            return Ok(with_text(when, Signs::of(signs.rest[..at].trim_end_matches([' ', '，', ',']))));
        }
    }
    Err(if day_alone { Unclear::NoTime } else { Unclear::Unknown })
}

fn simple(signs: Signs<'_>) -> Option<(When, Signs<'_>)> {
    after(signs).or_else(|| repeated(signs)).or_else(|| once(signs))
}

/// The rest is how much it matters, and of what one is reminded.
fn with_text(when: When, rest: Signs<'_>) -> Wish {
    let mut rest = rest.dash();
    let mut urgency = Urgency::Normal;
    for _ in 0..2 {
        if let Some((found, after)) = rest.find(URGENCY).filter(|_| urgency == Urgency::Normal) {
            (urgency, rest) = (found, after.dash());
        }
        if !rest.ended {
            rest = rest.skip(VERBS);
        }
    }
    Wish { when, urgency, text: rest.trim().rest.trim().to_owned() }
}

/// “20分钟后”, “半小时后”, “一个半小时以后”, “两天后”.
fn after(signs: Signs<'_>) -> Option<(When, Signs<'_>)> {
    let (mut at, mut sum) = (signs, None::<u32>);
    while let Some((minutes, rest)) = amount(at) {
        sum = Some(sum.unwrap_or(0).checked_add(minutes).filter(|sum| *sum <= limits::MINUTES_AHEAD)?);
        at = rest;
    }
    let minutes = sum.filter(|sum| *sum > 0)?;
    Some((When::After(minutes), at.eat_any(BEHIND)?))
}

fn amount(signs: Signs<'_>) -> Option<(u32, Signs<'_>)> {
    const UNITS: &[(&str, u32)] = &[
        ("分钟", 1),
        ("分鐘", 1),
        ("分", 1),
        ("刻钟", 15),
        ("刻鐘", 15),
        ("小时", 60),
        ("小時", 60),
        ("钟头", 60),
        ("鐘頭", 60),
        ("天", 24 * 60),
        ("日", 24 * 60),
        ("星期", 7 * 24 * 60),
        ("礼拜", 7 * 24 * 60),
        ("周", 7 * 24 * 60),
        ("週", 7 * 24 * 60),
    ];
    const COUNTS: &[&str] = &["个", "個"];
    if let Some(half) = signs.eat("半") {
        let (unit, rest) = half.skip(COUNTS).find(UNITS)?;
        return Some((unit / 2, rest)).filter(|_| unit == 60);
    }
    let (number, rest) = signs.number()?;
    let counted = rest.skip(COUNTS);
    let (half, counted) = counted.eat("半").map_or((false, counted), |rest| (true, rest));
    let (unit, rest) = counted.find(UNITS)?;
    Some((number.checked_mul(unit)? + if half { unit / 2 } else { 0 }, rest))
}

/// “每周一九点”, “每天22:00”, “每个工作日早上八点”.
fn repeated(signs: Signs<'_>) -> Option<(When, Signs<'_>)> {
    let (days, part, rest) = every(signs)?;
    let (after, rest) = part_of(rest);
    let (minute, noon, rest) = time(rest)?;
    let part = after.or(part).filter(|_| !noon);
    Some((When::Every(days, part.map_or(Some(minute), |part| part.of(minute))?), rest))
}

fn every(signs: Signs<'_>) -> Option<(u8, Option<Part>, Signs<'_>)> {
    if let Some(rest) = signs.eat_any(&["天天"]) {
        return Some((ALL, None, rest));
    }
    let at = signs.eat("每")?.skip(&["个", "個"]);
    if let Some(rest) = at.eat_any(&["天", "日"]) {
        return Some((ALL, None, rest));
    }
    if let Some(rest) = at.eat("工作日") {
        return Some((WORKDAYS, None, rest));
    }
    if let Some(rest) = at.eat_any(&["周末", "週末"]) {
        return Some((WEEKEND, None, rest));
    }
    if let Some((part, rest)) =
        at.find(&[("晚上", Part::Night), ("晚", Part::Night), ("早上", Part::Morning), ("早", Part::Morning)])
    {
        return Some((ALL, Some(part), rest));
    }
    let mut at = at.eat_any(WEEK)?;
    let mut days = 0;
    while let Some((day, rest)) = at.skip(&["和"]).find(&DAYS) {
        // “每周三三点”: it is the hour already.
        if days != 0 && rest.rest.starts_with(['点', '點', '时', '時', '十']) {
            break;
        }
        days |= bit(day);
        at = rest.skip(WEEK);
    }
    (days != 0).then_some((days, None, at))
}

/// Days in the form that is said.
pub(super) fn days(days: u8) -> String {
    match days {
        ALL => "每天".to_owned(),
        WORKDAYS => "每个工作日".to_owned(),
        days => {
            let named = DAYS.iter().take(7).filter(|(_, day)| days & bit(*day) != 0);
            format!("每周{}", named.map(|(name, _)| *name).collect::<String>())
        }
    }
}

/// “明天八点”, “下午三点半”, “11月24日 8:00”.
fn once(signs: Signs<'_>) -> Option<(When, Signs<'_>)> {
    let (found, of_day, rest) = match day(signs) {
        Some((day, part, rest)) => (Some(day), part, rest),
        None => (None, None, signs),
    };
    let (part, rest) = part_of(rest);
    let (minute, noon, rest) = time(rest)?;
    let part = part.or(of_day).filter(|_| !noon);
    Some((When::Once(found, part.map_or(Some(minute), |part| part.of(minute))?), rest))
}

fn part_of(signs: Signs<'_>) -> (Option<Part>, Signs<'_>) {
    signs.find(PARTS).map_or((None, signs), |(part, rest)| (Some(part), rest))
}

fn day(signs: Signs<'_>) -> Option<(Day, Option<Part>, Signs<'_>)> {
    const AHEAD: &[(&str, (u8, Option<Part>))] = &[
        ("今天", (0, None)),
        ("今日", (0, None)),
        ("今晚", (0, Some(Part::Night))),
        ("今早", (0, Some(Part::Morning))),
        ("明天", (1, None)),
        ("明日", (1, None)),
        ("明早", (1, Some(Part::Morning))),
        ("明晚", (1, Some(Part::Night))),
        ("大后天", (3, None)),
        ("大後天", (3, None)),
        ("后天", (2, None)),
        ("後天", (2, None)),
    ];
    if let Some(((ahead, part), rest)) = signs.find(AHEAD) {
        return Some((Day::Ahead(ahead), part, rest));
    }
    let next = signs.eat_any(&["下个", "下個", "下"]);
    if let Some(week) = next.unwrap_or(signs).skip(&["这个", "這個", "这", "這", "本"]).eat_any(WEEK) {
        let (day, rest) = week.find(&DAYS)?;
        return Some((if next.is_some() { Day::InNextWeek(day) } else { Day::Next(day) }, None, rest));
    }
    let at = signs.trim();
    let end = at.rest.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(at.rest.len());
    if let Some(date) = date(&at.rest[..end]).filter(|_| !at.ended) {
        return Some((Day::On(date), None, Signs { rest: &at.rest[end..], ..at }));
    }
    let (first, rest) = signs.number()?;
    let (year, month, rest) = match rest.eat("年") {
        Some(rest) => {
            let (month, rest) = rest.number()?;
            (Some(first), month, rest)
        }
        None => (None, first, rest),
    };
    let (day, rest) = rest.eat("月")?.number()?;
    let rest = rest.eat_any(&["日", "号", "號"])?;
    let (month, day) = (month.try_into().ok()?, day.try_into().ok()?);
    let found = match year {
        Some(year) => Day::On(Date::new(year.try_into().ok()?, month, day).ok()?),
        // A year with all days there are.
        None => Date::new(2000, month, day).ok().map(|_| Day::Yearly(month, day))?,
    };
    Some((found, None, rest))
}

/// A time, and whether it says itself which half of the day it is in.
fn time(signs: Signs<'_>) -> Option<(u16, bool, Signs<'_>)> {
    let noon = signs.eat("中午");
    let at = noon.unwrap_or(signs);
    let Some((hour, rest)) = at.number() else {
        return noon.map(|rest| (12 * 60, true, rest));
    };
    let (minutes, rest) = match rest.rest.strip_prefix(':').or_else(|| rest.rest.strip_prefix('：')) {
        Some(tail) if tail.len() >= 2 && tail.as_bytes()[..2].iter().all(u8::is_ascii_digit) => {
            (tail[..2].parse().ok()?, Signs { rest: &tail[2..], ..rest })
        }
        _ => spoken(rest)?,
    };
    // “中午一点” is an hour after noon.
    let hour = if noon.is_some() && hour < 3 { hour + 12 } else { hour };
    Some((minute(hour, minutes)?, noon.is_some(), rest))
}

/// “点”, “点半”, “点一刻”, “点三十分”.
fn spoken(signs: Signs<'_>) -> Option<(u32, Signs<'_>)> {
    let at = signs.eat_any(&["点钟", "點鐘", "点整", "點整", "点", "點", "时", "時"])?;
    if let Some((minutes, rest)) = at.find(&[("半", 30), ("一刻", 15), ("三刻", 45)]) {
        return Some((minutes, rest));
    }
    match at.number() {
        Some((minutes, rest)) if rest.eat("分").is_some() || (minutes >= 10 && rest.rest.is_empty()) => {
            Some((minutes, rest.skip(&["分"])))
        }
        _ => Some((0, at)),
    }
}
