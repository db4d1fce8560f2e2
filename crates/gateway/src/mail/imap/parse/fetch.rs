//! What is fetched of a mail (RFC 9051 §6.4.5).

use super::{Bad, Cursor};
use crate::mail::imap::limits;

/// Something of a mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::mail::imap) enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Size,
    Modseq,
    Envelope,
    /// `BODY` (false) or `BODYSTRUCTURE` (true).
    Structure(bool),
    Body {
        section: Section,
        /// It is not read by this.
        peek: bool,
        /// From where, and how much.
        partial: Option<(u32, u32)>,
        /// The old name that it was asked for by, and that it is answered by.
        old: Option<&'static str>,
    },
    /// `BINARY` (RFC 9051 §6.4.5.1).
    Binary {
        part: Vec<u32>,
        peek: bool,
        partial: Option<(u32, u32)>,
    },
    BinarySize {
        part: Vec<u32>,
    },
}

/// A section of a mail.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::mail::imap) struct Section {
    /// Numbers of parts within one another; none: the mail itself.
    pub(in crate::mail::imap) part: Vec<u32>,
    /// What of it.
    pub(in crate::mail::imap) text: SectionText,
}

/// What of a part.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::mail::imap) enum SectionText {
    #[default]
    All,
    Header,
    /// These fields in capitals, or (true) all others.
    Fields(Vec<String>, bool),
    Text,
    Mime,
}

/// Reads the items, and since when what did not change is not wanted (RFC 7162 §3.1.4.1).
pub(super) fn parse(cursor: &mut Cursor<'_>, by_uid: bool) -> Result<(Vec<FetchItem>, Option<u64>), Bad> {
    use FetchItem::*;
    let mut items = match cursor.peek() {
        Some(b'(') => cursor.list(item)?,
        _ => {
            let mut ahead = *cursor;
            match ahead.keyword()?.as_str() {
                "ALL" => take(cursor, ahead, vec![Flags, InternalDate, Size, Envelope]),
                "FAST" => take(cursor, ahead, vec![Flags, InternalDate, Size]),
                "FULL" => take(cursor, ahead, vec![Flags, InternalDate, Size, Envelope, Structure(false)]),
                _ => vec![item(cursor)?],
            }
        }
    };
    let mut changed_since = None;
    if !cursor.is_empty() {
        cursor.space()?;
        let since = cursor.list(|cursor| match cursor.keyword()?.as_str() {
            "CHANGEDSINCE" => {
                cursor.space()?;
                cursor.number()
            }
            _ => Err(Bad("There is no such modifier")),
        })?;
        changed_since = since.last().copied();
    }
    // §6.4.9: by UID, the UID comes along; and with what changed, when (RFC 7162 §3.1.4.1).
    if by_uid && !items.contains(&Uid) {
        items.insert(0, Uid);
    }
    if changed_since.is_some() && !items.contains(&Modseq) {
        items.push(Modseq);
    }
    Ok((items, changed_since))
}

fn take<'a>(cursor: &mut Cursor<'a>, ahead: Cursor<'a>, items: Vec<FetchItem>) -> Vec<FetchItem> {
    *cursor = ahead;
    items
}

fn item(cursor: &mut Cursor<'_>) -> Result<FetchItem, Bad> {
    let old = |part: SectionText, peek, old| FetchItem::Body {
        section: Section { part: Vec::new(), text: part },
        peek,
        partial: None,
        old: Some(old),
    };
    Ok(match cursor.keyword()?.as_str() {
        "UID" => FetchItem::Uid,
        "FLAGS" => FetchItem::Flags,
        "INTERNALDATE" => FetchItem::InternalDate,
        "RFC822.SIZE" => FetchItem::Size,
        "MODSEQ" => FetchItem::Modseq,
        "ENVELOPE" => FetchItem::Envelope,
        "BODYSTRUCTURE" => FetchItem::Structure(true),
        "RFC822" => old(SectionText::All, false, "RFC822"),
        "RFC822.HEADER" => old(SectionText::Header, true, "RFC822.HEADER"),
        "RFC822.TEXT" => old(SectionText::Text, false, "RFC822.TEXT"),
        "BODY" if cursor.peek() != Some(b'[') => FetchItem::Structure(false),
        name @ ("BODY" | "BODY.PEEK") => {
            let section = section(cursor)?;
            FetchItem::Body { section, peek: name == "BODY.PEEK", partial: partial(cursor)?, old: None }
        }
        name @ ("BINARY" | "BINARY.PEEK") => {
            let part = part_only(cursor)?;
            FetchItem::Binary { part, peek: name == "BINARY.PEEK", partial: partial(cursor)? }
        }
        "BINARY.SIZE" => FetchItem::BinarySize { part: part_only(cursor)? },
        _ => return Err(Bad("This cannot be fetched")),
    })
}

fn part_only(cursor: &mut Cursor<'_>) -> Result<Vec<u32>, Bad> {
    let section = section(cursor)?;
    match section.text {
        SectionText::All => Ok(section.part),
        _ => Err(Bad("Only numbers of parts are here")),
    }
}

/// `section`.
fn section(cursor: &mut Cursor<'_>) -> Result<Section, Bad> {
    cursor.expect(b'[')?;
    let mut section = Section::default();
    while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        if section.part.len() == limits::SECTION_DEPTH {
            return Err(Bad("No part is that deep"));
        }
        match cursor.number32()? {
            0 => return Err(Bad("Numbers begin at 1")),
            number => section.part.push(number),
        }
        if !cursor.eat(b'.') {
            cursor.expect(b']')?;
            return Ok(section);
        }
    }
    if section.part.is_empty() && cursor.eat(b']') {
        return Ok(section);
    }
    section.text = match cursor.keyword()?.as_str() {
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if !section.part.is_empty() => SectionText::Mime,
        name @ ("HEADER.FIELDS" | "HEADER.FIELDS.NOT") => {
            cursor.space()?;
            let fields = cursor.list(|cursor| Ok(cursor.text()?.to_ascii_uppercase()))?;
            SectionText::Fields(fields, name == "HEADER.FIELDS.NOT")
        }
        _ => return Err(Bad("There is no such section")),
    };
    cursor.expect(b']')?;
    Ok(section)
}

fn partial(cursor: &mut Cursor<'_>) -> Result<Option<(u32, u32)>, Bad> {
    if !cursor.eat(b'<') {
        return Ok(None);
    }
    let from = cursor.number32()?;
    cursor.expect(b'.')?;
    let count = cursor.number32()?;
    cursor.expect(b'>')?;
    Ok(Some((from, count)))
}

impl Section {
    /// As it is written in an answer.
    pub(in crate::mail::imap) fn written(&self) -> String {
        let mut out: String = self.part.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        let text = match &self.text {
            SectionText::All => return out,
            SectionText::Header => "HEADER".to_owned(),
            SectionText::Text => "TEXT".to_owned(),
            SectionText::Mime => "MIME".to_owned(),
            SectionText::Fields(fields, not) => {
                let name = if *not { "HEADER.FIELDS.NOT" } else { "HEADER.FIELDS" };
                let plain = |field: &String| {
                    !field.is_empty()
                        && field.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte))
                };
                let fields: Vec<String> = fields
                    .iter()
                    .map(
                        |field| {
                            if plain(field) { field.clone() } else { super::super::answer::quoted(field) }
                        },
                    )
                    .collect();
                format!("{name} ({})", fields.join(" "))
            }
        };
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(&text);
        out
    }
}
