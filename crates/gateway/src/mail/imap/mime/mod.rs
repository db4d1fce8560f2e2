//! What a mail is made of (RFC 2045, RFC 2046): its parts as ranges of its bytes, without decoding anything.
//!
//! A mail program fetches bytes by part, so the ranges are exact; what is badly made is read as far as it goes.

mod address;
mod header;
mod structure;

pub(super) use header::end as header_end;
pub(super) use structure::{envelope, structure};

use super::limits;
use super::parse::{Section, SectionText};
use header::{Fields, fields};
use std::borrow::Cow;
use std::ops::Range;

/// A part, and what is in it.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Its header with the empty line that ends it.
    pub(super) header: Range<usize>,
    pub(super) body: Range<usize>,
    /// Type and subtype in small letters.
    kind: (String, String),
    /// Of the type.
    parameters: Vec<(String, String)>,
    inside: Inside,
}

#[derive(Debug, Default)]
enum Inside {
    #[default]
    Leaf,
    Parts(Vec<Part>),
    Mail(Box<Part>),
}

/// Reads a whole mail.
pub(super) fn read(mail: &[u8]) -> Part {
    let mut left = limits::PARTS;
    part(mail, 0..mail.len(), &mut left, 0, "text/plain")
}

fn part(mail: &[u8], range: Range<usize>, left: &mut usize, depth: usize, usual: &str) -> Part {
    *left = left.saturating_sub(1);
    let end = range.start + header::end(&mail[range.clone()]);
    let (header, body) = (range.start..end, end..range.end);
    let fields = fields(&mail[header.clone()]);
    let said = fields.first("content-type").unwrap_or_default();
    let (kind, parameters) = header::parametrised(&said);
    let kind = match kind.split_once('/') {
        Some((kind, subtype)) if !kind.is_empty() && !subtype.is_empty() => {
            (kind.to_owned(), subtype.to_owned())
        }
        // RFC 2045 §5.2, RFC 2046 §5.1.5: what is not said.
        _ => {
            let (kind, subtype) = usual.split_once('/').unwrap_or_default();
            (kind.to_owned(), subtype.to_owned())
        }
    };
    let deeper = depth < limits::PARTS_DEPTH && *left > 0;
    let inside = match (kind.0.as_str(), kind.1.as_str()) {
        ("multipart", subtype) if deeper => {
            let boundary =
                parameters.iter().find(|(name, _)| name == "boundary").map(|(_, value)| value.as_str());
            let usual = if subtype == "digest" { "message/rfc822" } else { "text/plain" };
            let ranges =
                boundary.map_or_else(Vec::new, |boundary| divided(mail, body.clone(), boundary, *left));
            let mut parts = Vec::with_capacity(ranges.len());
            for range in ranges {
                if *left == 0 {
                    break;
                }
                parts.push(part(mail, range, left, depth + 1, usual));
            }
            if parts.is_empty() { Inside::Leaf } else { Inside::Parts(parts) }
        }
        ("message", "rfc822" | "global") if deeper && is_plain(&fields) => {
            Inside::Mail(Box::new(part(mail, body.clone(), left, depth + 1, "text/plain")))
        }
        _ => Inside::Leaf,
    };
    // A multipart in which no part is found is text for who shows it.
    let kind = match (&inside, kind.0.as_str(), kind.1.as_str()) {
        (Inside::Leaf, "multipart", _) => ("text".to_owned(), "plain".to_owned()),
        (Inside::Leaf, "message", "rfc822" | "global") => {
            ("application".to_owned(), "octet-stream".to_owned())
        }
        _ => kind,
    };
    Part { header, body, kind, parameters, inside }
}

/// Whether the body stands there as it is (RFC 2046 §5.2.1).
fn is_plain(fields: &Fields<'_>) -> bool {
    let encoding = fields.first("content-transfer-encoding").unwrap_or_default();
    !matches!(encoding.trim().to_ascii_lowercase().as_str(), "base64" | "quoted-printable")
}

/// The ranges between boundary lines (RFC 2046 §5.1.1); the line end before a boundary belongs to it.
fn divided(mail: &[u8], body: Range<usize>, boundary: &str, most: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    if boundary.is_empty() || boundary.len() > 200 {
        return parts;
    }
    let (mut begin, mut at) = (None, body.start);
    while at < body.end {
        let next = memchr::memchr(b'\n', &mail[at..body.end]).map_or(body.end, |found| at + found + 1);
        if let Some(last) = is_boundary(&mail[at..next], boundary.as_bytes()) {
            if let Some(begin) = begin.take() {
                parts.push(begin..before_line_end(mail, begin, at));
            }
            if last || parts.len() >= most {
                return parts;
            }
            begin = Some(next);
        }
        at = next;
    }
    // One that does not end goes to the end.
    parts.extend(begin.map(|begin| begin..body.end));
    parts
}

fn before_line_end(mail: &[u8], begin: usize, end: usize) -> usize {
    let text = &mail[begin..end];
    let without = text.strip_suffix(b"\r\n").or_else(|| text.strip_suffix(b"\n")).unwrap_or(text);
    begin + without.len()
}

/// Whether a line is a boundary, and if so, the last one.
fn is_boundary(line: &[u8], boundary: &[u8]) -> Option<bool> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    let (rest, last) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    rest.trim_ascii().is_empty().then_some(last)
}

impl Part {
    /// The part of these numbers (RFC 9051 §6.4.5): of what is not divided, 1 is its body.
    fn numbered(&self, numbers: &[u32]) -> Option<Found<'_>> {
        let (mut found, mut first) = (Found { part: self, of_mail: true, body_only: false }, true);
        for number in numbers {
            if found.body_only {
                return None;
            }
            let inner = match &found.part.inside {
                Inside::Mail(inner) if !first => inner,
                _ => found.part,
            };
            found = match &inner.inside {
                Inside::Parts(parts) => {
                    Found { part: parts.get(*number as usize - 1)?, of_mail: false, body_only: false }
                }
                // The only part of a mail is its body; in what is a leaf already there are none.
                _ if *number == 1 && (first || !std::ptr::eq(inner, found.part)) => {
                    let divided = matches!(inner.inside, Inside::Mail(_));
                    Found { part: inner, of_mail: false, body_only: !divided }
                }
                _ => return None,
            };
            first = false;
        }
        Some(found)
    }

    /// A section's bytes; `None`: there is none.
    pub(super) fn section<'m>(&self, mail: &'m [u8], section: &Section) -> Option<Cow<'m, [u8]>> {
        let found = self.numbered(&section.part)?;
        let part = found.part;
        if section.part.is_empty() {
            return part.text(mail, &section.text);
        }
        match &section.text {
            SectionText::All => Some(mail[part.body.clone()].into()),
            SectionText::Mime => Some(mail[part.header.clone()].into()),
            text => match &part.inside {
                Inside::Mail(inner) => inner.text(mail, text),
                _ => None,
            },
        }
    }

    /// Of a mail.
    fn text<'m>(&self, mail: &'m [u8], text: &SectionText) -> Option<Cow<'m, [u8]>> {
        Some(match text {
            SectionText::All => mail[self.header.start..self.body.end].into(),
            SectionText::Header => mail[self.header.clone()].into(),
            SectionText::Fields(names, not) => chosen(&mail[self.header.clone()], names, *not).into(),
            SectionText::Text => mail[self.body.clone()].into(),
            SectionText::Mime => return None,
        })
    }

    /// The bytes that a part stands for; `None`: there is no such part, or it is divided.
    pub(super) fn decoded(&self, mail: &[u8], numbers: &[u32]) -> Option<Result<Vec<u8>, Undecodable>> {
        let found = self.numbered(numbers)?;
        if found.of_mail {
            return Some(Ok(mail[found.part.header.start..found.part.body.end].to_vec()));
        }
        let fields = fields(&mail[found.part.header.clone()]);
        let body = &mail[found.part.body.clone()];
        if matches!(found.part.inside, Inside::Parts(_)) {
            return Some(Ok(body.to_vec()));
        }
        let encoding = fields.first("content-transfer-encoding").unwrap_or_default();
        Some(match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "7bit" | "8bit" | "binary" => Ok(body.to_vec()),
            "base64" => mail_parser::decoders::base64::base64_decode(body).ok_or(Undecodable),
            "quoted-printable" => {
                mail_parser::decoders::quoted_printable::quoted_printable_decode(body).ok_or(Undecodable)
            }
            _ => Err(Undecodable),
        })
    }
}

/// A part in an encoding that nobody knows (RFC 9051 §7.1, `UNKNOWN-CTE`).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undecodable;

struct Found<'a> {
    part: &'a Part,
    /// It is the mail itself.
    of_mail: bool,
    /// It is the body of a mail as its only part.
    body_only: bool,
}

/// The header fields of these names, or all others, as they stand there, and the empty line.
pub(super) fn chosen(header: &[u8], names: &[String], not: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, raw) in fields(header).all() {
        if names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) != not {
            out.extend_from_slice(raw);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

#[cfg(test)]
mod tests;
