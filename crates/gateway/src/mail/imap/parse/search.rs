//! What is looked for (RFC 9051 §6.4.4).

use super::{Bad, Cursor, Set, date};
use crate::mail::imap::limits;
use rookery_store::MailFlags;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// What a search has to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::mail::imap) struct Returned {
    pub(in crate::mail::imap) min: bool,
    pub(in crate::mail::imap) max: bool,
    pub(in crate::mail::imap) count: bool,
    pub(in crate::mail::imap) all: bool,
    /// Nothing: it is kept for `$`.
    pub(in crate::mail::imap) save: bool,
}

/// A search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::mail::imap) struct Search {
    /// `None`: it is answered as it was before there was `RETURN`.
    pub(in crate::mail::imap) returned: Option<Returned>,
    /// Its letters are none of those that all know.
    pub(in crate::mail::imap) strange_charset: bool,
    pub(in crate::mail::imap) key: Key,
}

/// Where a word is looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::mail::imap) enum Field {
    /// A header field of this name, in small letters.
    Header(String),
    Body,
    /// Header and body.
    Text,
}

/// A condition. Times are days, in milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::mail::imap) enum Key {
    And(Vec<Key>),
    Or(Box<Key>, Box<Key>),
    Not(Box<Key>),
    /// All that there is.
    All,
    Flag(MailFlags),
    Keyword(String),
    Larger(u64),
    Smaller(u64),
    /// It came on such a day: from the first on, before the second.
    Came(i64, i64),
    /// It says of itself to have been sent then.
    Sent(i64, i64),
    Modseq(u64),
    Places(Set),
    Uids(Set),
    Has(Field, String),
}

impl Search {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Search, Bad> {
        let mut returned = None;
        let mut ahead = *cursor;
        if ahead.keyword().is_ok_and(|word| word == "RETURN") {
            *cursor = ahead;
            cursor.space()?;
            let mut wanted = Returned::default();
            for option in cursor.list(|cursor| cursor.keyword())? {
                match option.as_str() {
                    "MIN" => wanted.min = true,
                    "MAX" => wanted.max = true,
                    "COUNT" => wanted.count = true,
                    "ALL" => wanted.all = true,
                    "SAVE" => wanted.save = true,
                    _ => return Err(Bad("There is no such option")),
                }
            }
            // RFC 9051 §6.4.4: nothing named is all.
            wanted.all |= wanted == Returned::default();
            returned = Some(wanted);
            cursor.space()?;
        }
        let mut strange_charset = false;
        let mut ahead = *cursor;
        if ahead.keyword().is_ok_and(|word| word == "CHARSET") {
            *cursor = ahead;
            cursor.space()?;
            let charset = cursor.text()?.to_ascii_uppercase();
            strange_charset = !matches!(charset.as_str(), "UTF-8" | "US-ASCII");
            cursor.space()?;
        }
        let mut keys = 0;
        let mut all = vec![key(cursor, &mut keys, 0)?];
        while !cursor.is_empty() {
            cursor.space()?;
            all.push(key(cursor, &mut keys, 0)?);
        }
        Ok(Search { returned, strange_charset, key: Key::And(all) })
    }
}

fn key(cursor: &mut Cursor<'_>, keys: &mut usize, depth: usize) -> Result<Key, Bad> {
    *keys += 1;
    if *keys > limits::KEYS || depth > limits::KEYS_DEPTH {
        return Err(Bad("This search is too long"));
    }
    match cursor.peek() {
        Some(b'(') => return Ok(Key::And(cursor.list(|cursor| key(cursor, keys, depth + 1))?)),
        Some(b'0'..=b'9' | b'*' | b'$') => return Ok(Key::Places(Set::parse(cursor)?)),
        _ => {}
    }
    let name = cursor.keyword()?;
    if let Some(key) = simple(&name) {
        return Ok(key);
    }
    cursor.space()?;
    match name.as_str() {
        "NOT" => Ok(Key::Not(Box::new(key(cursor, keys, depth + 1)?))),
        "OR" => {
            let one = key(cursor, keys, depth + 1)?;
            cursor.space()?;
            Ok(Key::Or(Box::new(one), Box::new(key(cursor, keys, depth + 1)?)))
        }
        _ => with_argument(&name, cursor),
    }
}

fn simple(name: &str) -> Option<Key> {
    let not = |flag| Key::Not(Box::new(Key::Flag(flag)));
    Some(match name {
        "ALL" => Key::All,
        "ANSWERED" => Key::Flag(MailFlags::ANSWERED),
        "DELETED" => Key::Flag(MailFlags::DELETED),
        "DRAFT" => Key::Flag(MailFlags::DRAFT),
        "FLAGGED" => Key::Flag(MailFlags::FLAGGED),
        "SEEN" => Key::Flag(MailFlags::SEEN),
        "UNANSWERED" => not(MailFlags::ANSWERED),
        "UNDELETED" => not(MailFlags::DELETED),
        "UNDRAFT" => not(MailFlags::DRAFT),
        "UNFLAGGED" => not(MailFlags::FLAGGED),
        "UNSEEN" => not(MailFlags::SEEN),
        // RFC 3501 §2.3.2: no mail is recent for anybody here.
        "NEW" | "RECENT" => Key::Not(Box::new(Key::All)),
        "OLD" => Key::All,
        _ => return None,
    })
}

fn with_argument(name: &str, cursor: &mut Cursor<'_>) -> Result<Key, Bad> {
    let word = |cursor: &mut Cursor<'_>| cursor.text().map(|text| text.to_lowercase());
    let header = |name: &str, cursor: &mut Cursor<'_>| {
        Ok(Key::Has(Field::Header(name.to_ascii_lowercase()), word(cursor)?))
    };
    Ok(match name {
        "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" => header(name, cursor)?,
        "HEADER" => {
            let name = cursor.text()?;
            cursor.space()?;
            header(&name, cursor)?
        }
        "BODY" => Key::Has(Field::Body, word(cursor)?),
        "TEXT" => Key::Has(Field::Text, word(cursor)?),
        "KEYWORD" => Key::Keyword(cursor.atom()?),
        "UNKEYWORD" => Key::Not(Box::new(Key::Keyword(cursor.atom()?))),
        "LARGER" => Key::Larger(cursor.number()?),
        "SMALLER" => Key::Smaller(cursor.number()?),
        "UID" => Key::Uids(Set::parse(cursor)?),
        "MODSEQ" => {
            // RFC 7162 §3.1.5: which entry it is of, which is the same for all here.
            if cursor.peek() == Some(b'"') {
                cursor.string()?;
                cursor.space()?;
                cursor.keyword()?;
                cursor.space()?;
            }
            Key::Modseq(cursor.number()?)
        }
        "BEFORE" | "ON" | "SINCE" => days(name, cursor, Key::Came)?,
        "SENTBEFORE" | "SENTON" | "SENTSINCE" => days(&name[4..], cursor, Key::Sent)?,
        _ => return Err(Bad("This cannot be looked for")),
    })
}

fn days(name: &str, cursor: &mut Cursor<'_>, key: fn(i64, i64) -> Key) -> Result<Key, Bad> {
    let day = date(&cursor.text()?)?.midnight().assume_utc().unix_timestamp() * 1_000;
    Ok(match name {
        "BEFORE" => key(i64::MIN, day),
        "ON" => key(day, day + DAY),
        _ => key(day, i64::MAX),
    })
}
