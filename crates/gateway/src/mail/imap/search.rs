//! `SEARCH` (RFC 9051 §6.4.4): by what stands in the folder first, by the words of mails only where that does not decide.

use super::limits;
use super::load::Trouble;
use super::parse::{Field, Key, Returned, Search, Set, written};
use super::selected::Selected;
use super::session::{Answer, Session};
use super::wire::Broken;
use mail_parser::{HeaderValue, Message, MessageParser, PartType};
use rookery_core::member::Member;
use rookery_proto::Uid;
use rookery_store::Filed;
use std::ops::Range;

/// What is known of a mail.
struct Known<'a> {
    mail: &'a Filed,
    place: usize,
    /// Its header alone, or all of it.
    message: Option<&'a Message<'a>>,
    whole: bool,
    /// Bytes of a mail that is made of its message.
    size: Option<u64>,
}

/// Sets of a search as places; where a mail may stand in none of them, there are none.
type Places = Vec<Vec<Range<usize>>>;

impl Session {
    pub(super) async fn search(
        &mut self,
        selected: &mut Selected,
        uid: Uid,
        search: Search,
        by_uid: bool,
        tag: &str,
    ) -> Result<Answer, Broken> {
        if search.strange_charset {
            return Ok(Answer::No("[BADCHARSET (UTF-8)] Only UTF-8 is known".into()));
        }
        let mut places = Vec::new();
        if !resolve(&search.key, selected, &mut places) {
            return Ok(Answer::Bad("There are not that many mails".into()));
        }
        self.condstore |= has_modseq(&search.key);
        let Some((member, _)) = &self.account else { return Ok(Answer::Bad("Sign in first".into())) };
        let member = member.clone();
        let found = match self.found(selected, &member, &search.key, &places).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(uid = uid.0, %error, "a search does not work");
                return Ok(Answer::No("[SERVERBUG] This does not work at the moment".into()));
            }
        };
        let modseq = found.iter().map(|(_, _, modseq)| *modseq).max().filter(|_| has_modseq(&search.key));
        let numbers: Vec<u32> =
            found.iter().map(|(number, n, _)| if by_uid { *n } else { *number as u32 }).collect();
        if search.returned.is_some_and(|wanted| wanted.save) {
            selected.saved = found.iter().map(|(_, n, _)| *n).collect();
        }
        let told = match (search.returned, self.rev2) {
            (Some(wanted), _) => esearch(tag, by_uid, wanted, &numbers, modseq),
            (None, true) => {
                let wanted = Returned { all: true, ..Returned::default() };
                Some(esearch(tag, by_uid, wanted, &numbers, modseq).unwrap_or_default())
            }
            (None, false) => Some(plain(&numbers, modseq)),
        };
        if let Some(told) = told {
            self.wire.say(&told);
        }
        Ok(Answer::Ok("Searched".into()))
    }

    /// What is found: numbers, UIDs and modseqs.
    async fn found(
        &self,
        selected: &Selected,
        member: &Member,
        key: &Key,
        places: &Places,
    ) -> Result<Vec<(usize, u32, u64)>, Trouble> {
        // Who looks into mails waits for a turn.
        let _turn = match looks_inside(key) {
            true => self.server.searches.clone().acquire_owned().await.ok(),
            false => None,
        };
        let mut found = Vec::new();
        for (page, uids) in selected.uids.chunks(limits::PAGE).enumerate() {
            for mail in self.server.core.store.filed(selected.id, uids.to_vec()).await? {
                let Ok(at) = uids.binary_search(&mail.n) else { continue };
                let place = page * limits::PAGE + at;
                if self.is_found(member, &mail, place, key, places).await? {
                    found.push((place + 1, mail.n, mail.modseq));
                }
            }
        }
        Ok(found)
    }

    /// Reads no more of a mail than decides.
    async fn is_found(
        &self,
        member: &Member,
        mail: &Filed,
        place: usize,
        key: &Key,
        places: &Places,
    ) -> Result<bool, Trouble> {
        let known = Known { mail, place, message: None, whole: false, size: mail.raw.map(|_| mail.size) };
        if let Some(found) = judge(key, &known, &mut places.iter()) {
            return Ok(found);
        }
        let Some(header) = self.server.header(member, mail).await? else { return Ok(false) };
        {
            let message = MessageParser::default().parse_headers(&header);
            let known = Known { message: message.as_ref(), ..known };
            if let Some(found) = judge(key, &known, &mut places.iter()) {
                return Ok(found);
            }
        }
        let Some(whole) = self.server.whole(member, mail).await? else { return Ok(false) };
        let (key, places, mail) = (key.clone(), places.clone(), mail.clone());
        let bytes = whole.bytes.clone();
        let judging = move || {
            let message = MessageParser::default().parse(bytes.as_slice());
            let size = Some(bytes.len() as u64);
            let known = Known { mail: &mail, place, message: message.as_ref(), whole: true, size };
            judge(&key, &known, &mut places.iter()).unwrap_or(false)
        };
        Ok(tokio::task::spawn_blocking(judging).await.map_err(std::io::Error::other)?)
    }
}

/// The sets of a search, in the order in which [`judge`] comes to them; false: one of them names what is not there.
fn resolve(key: &Key, selected: &Selected, places: &mut Places) -> bool {
    let mut add = |set: &Set, by_uid: bool| match set.places(&selected.uids, &selected.saved, by_uid) {
        Some(found) => {
            places.push(found);
            true
        }
        None => false,
    };
    match key {
        Key::And(keys) => keys.iter().all(|key| resolve(key, selected, places)),
        Key::Or(one, other) => resolve(one, selected, places) && resolve(other, selected, places),
        Key::Not(key) => resolve(key, selected, places),
        Key::Places(set) => add(set, false),
        Key::Uids(set) => add(set, true),
        _ => true,
    }
}

fn any(key: &Key, is: fn(&Key) -> bool) -> bool {
    is(key)
        || match key {
            Key::And(keys) => keys.iter().any(|key| any(key, is)),
            Key::Or(one, other) => any(one, is) || any(other, is),
            Key::Not(key) => any(key, is),
            _ => false,
        }
}

fn has_modseq(key: &Key) -> bool {
    any(key, |key| matches!(key, Key::Modseq(_)))
}

fn looks_inside(key: &Key) -> bool {
    any(key, |key| matches!(key, Key::Has(..) | Key::Sent(..)))
}

/// Whether a mail is as a key says; `None`: too little of it is known. Every set is taken from `places`, whatever else decides.
fn judge<'p>(
    key: &Key,
    known: &Known<'_>,
    places: &mut impl Iterator<Item = &'p Vec<Range<usize>>>,
) -> Option<bool> {
    let mail = known.mail;
    match key {
        Key::And(keys) => {
            let mut all = Some(true);
            for key in keys {
                all = match (all, judge(key, known, places)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), other) => other,
                    (None, _) => None,
                };
            }
            all
        }
        Key::Or(one, other) => match (judge(one, known, places), judge(other, known, places)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), other) => other,
            (None, _) => None,
        },
        Key::Not(key) => judge(key, known, places).map(|found| !found),
        Key::All => Some(true),
        Key::Flag(flag) => Some(mail.flags.has(*flag)),
        Key::Keyword(word) => Some(mail.keywords.split(' ').any(|other| other.eq_ignore_ascii_case(word))),
        Key::Larger(size) => known.size.map(|own| own > *size),
        Key::Smaller(size) => known.size.map(|own| own < *size),
        Key::Came(from, before) => Some((*from..*before).contains(&mail.at.0)),
        Key::Modseq(least) => Some(mail.modseq >= *least),
        Key::Places(_) | Key::Uids(_) => {
            Some(places.next().is_some_and(|set| set.iter().any(|range| range.contains(&known.place))))
        }
        Key::Sent(from, before) => known.message.map(|message| sent(message, *from, *before)),
        Key::Has(field, word) => has(known, field, word),
    }
}

/// §6.4.4: the day that the mail names, whatever its zone is.
fn sent(message: &Message<'_>, from: i64, before: i64) -> bool {
    let Some(date) = message.date() else { return false };
    let offset = (i64::from(date.tz_hour) * 3_600 + i64::from(date.tz_minute) * 60) * 1_000;
    let local = date.to_timestamp() * 1_000 + if date.tz_before_gmt { -offset } else { offset };
    (from..before).contains(&local)
}

fn has(known: &Known<'_>, field: &Field, word: &str) -> Option<bool> {
    let message = known.message?;
    match field {
        Field::Header(name) => Some(in_header(message, Some(name), word)),
        Field::Text if in_header(message, None, word) => Some(true),
        Field::Text | Field::Body if known.whole => Some(in_body(message, word, 0)),
        Field::Text | Field::Body => None,
    }
}

fn in_header(message: &Message<'_>, name: Option<&str>, word: &str) -> bool {
    let headers = message.headers().iter();
    let mut wanted =
        headers.filter(|header| name.is_none_or(|name| header.name().eq_ignore_ascii_case(name)));
    wanted.any(|header| {
        // §6.4.4: that there is the field at all.
        word.is_empty()
            || value_has(&header.value, word)
            || message
                .raw_message()
                .get(header.offset_start() as usize..header.offset_end() as usize)
                .is_some_and(|raw| contains(&String::from_utf8_lossy(raw), word))
    })
}

fn value_has(value: &HeaderValue<'_>, word: &str) -> bool {
    match value {
        HeaderValue::Text(text) => contains(text, word),
        HeaderValue::TextList(texts) => texts.iter().any(|text| contains(text, word)),
        HeaderValue::Address(addresses) => addresses.iter().any(|one| {
            let whole = format!("{} <{}>", one.name().unwrap_or_default(), one.address().unwrap_or_default());
            contains(&whole, word)
        }),
        _ => false,
    }
}

fn in_body(message: &Message<'_>, word: &str, depth: usize) -> bool {
    message.parts.iter().any(|part| match &part.body {
        PartType::Text(text) | PartType::Html(text) => contains(text, word),
        PartType::Message(inner) if depth < limits::PARTS_DEPTH => {
            in_header(inner, None, word) || in_body(inner, word, depth + 1)
        }
        _ => false,
    })
}

/// In whatever letters; `word` is in small ones.
fn contains(text: &str, word: &str) -> bool {
    match word.is_ascii() {
        true => {
            let (text, word) = (text.as_bytes(), word.as_bytes());
            word.is_empty() || text.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
        }
        false => text.to_lowercase().contains(word),
    }
}

/// As it was told before RFC 4731.
fn plain(numbers: &[u32], modseq: Option<u64>) -> String {
    let mut out = String::from("* SEARCH");
    for number in numbers {
        out.push_str(&format!(" {number}"));
    }
    if let Some(modseq) = modseq {
        out.push_str(&format!(" (MODSEQ {modseq})"));
    }
    out
}

/// §7.3.4; `None`: nothing of it is wanted.
fn esearch(
    tag: &str,
    by_uid: bool,
    wanted: Returned,
    numbers: &[u32],
    modseq: Option<u64>,
) -> Option<String> {
    if !(wanted.min || wanted.max || wanted.count || wanted.all) {
        return None;
    }
    let mut out = format!("* ESEARCH (TAG \"{tag}\")");
    if by_uid {
        out.push_str(" UID");
    }
    if let (Some(min), Some(max)) = (numbers.first(), numbers.last()) {
        if wanted.min {
            out.push_str(&format!(" MIN {min}"));
        }
        if wanted.max {
            out.push_str(&format!(" MAX {max}"));
        }
        if wanted.all {
            out.push_str(&format!(" ALL {}", written(numbers.iter().copied())));
        }
    }
    if wanted.count {
        out.push_str(&format!(" COUNT {}", numbers.len()));
    }
    if let Some(modseq) = modseq {
        out.push_str(&format!(" MODSEQ {modseq}"));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_store::{MailFlags, Timestamp};

    fn mail() -> Filed {
        Filed {
            n: 7,
            message: None,
            raw: None,
            size: 0,
            at: Timestamp(1_000),
            modseq: 3,
            flags: MailFlags::SEEN,
            keywords: "$Work".into(),
        }
    }

    #[test]
    fn no_more_is_read_than_decides() {
        let mail = mail();
        let known = Known { mail: &mail, place: 0, message: None, whole: false, size: None };
        let judge = |key: &Key| judge(key, &known, &mut std::iter::empty());
        let word = || Key::Has(Field::Text, "x".into());
        let seen = || Key::Flag(MailFlags::SEEN);
        let not = |key| Key::Not(Box::new(key));
        assert_eq!(judge(&word()), None);
        assert_eq!(judge(&Key::And(vec![word(), not(seen())])), Some(false));
        assert_eq!(judge(&Key::And(vec![word(), seen()])), None);
        assert_eq!(judge(&Key::Or(Box::new(word()), Box::new(seen()))), Some(true));
        assert_eq!(judge(&not(word())), None);
        assert_eq!(judge(&Key::And(vec![])), Some(true));
        assert_eq!(judge(&Key::Keyword("$work".into())), Some(true));
        assert_eq!(judge(&Key::Came(0, 1_000)), Some(false));
    }

    #[test]
    fn words_are_found() {
        let text = "From: =?utf-8?q?J=C3=BCrgen?= <j@x.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
                    Date: Tue, 1 Feb 1994 23:30:00 -0500\r\nContent-Type: text/plain; charset=utf-8\r\n\
                    Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gVMO8cg==\r\n";
        let message = MessageParser::default().parse(text.as_bytes()).expect("a mail");
        let mail = mail();
        let known = Known { mail: &mail, place: 0, message: Some(&message), whole: true, size: Some(9) };
        let judge = |key: &Key| judge(key, &known, &mut std::iter::empty()) == Some(true);
        let has = |field, word: &str| judge(&Key::Has(field, word.into()));
        let header = |name: &str| Field::Header(name.into());
        assert!(
            has(header("from"), "jürgen") && has(header("from"), "j@x") && has(header("subject"), "grüß")
        );
        assert!(has(Field::Body, "hello tür") && has(Field::Text, "tür") && has(Field::Text, "jürgen"));
        assert!(!has(Field::Body, "jürgen") && !has(header("to"), "") && has(header("date"), ""));
        let day = 760_060_800_000; // 1 Feb 1994
        assert!(judge(&Key::Sent(day, day + 86_400_000)) && !judge(&Key::Sent(i64::MIN, day)));
    }
}
