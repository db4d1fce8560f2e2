//! References and escaping.

use std::borrow::Cow;

use super::ScanError;
use super::chars::{is_char, is_name_byte};

/// Digits of a character reference that are looked at; `&#1114111;` has seven.
const MAX_DIGITS: usize = 7;

/// Reads the reference at the start of `text` (`&…;`): the character, and the length of the reference.
fn reference(text: &[u8]) -> Result<(char, usize), ScanError> {
    let len = text[1..].iter().position(|&b| !is_name_byte(b) && b != b'#');
    let body = match len {
        Some(len) if text[1 + len] == b';' => &text[1..=len],
        _ => return Err(ScanError::NotWellFormed),
    };
    let c = match body {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"apos" => '\'',
        b"quot" => '"',
        [b'#', b'x', digits @ ..] => code_point(digits, 16)?,
        [b'#', digits @ ..] => code_point(digits, 10)?,
        // RFC 6120 §11.1: no other entities.
        [first, ..] if first.is_ascii_alphabetic() => return Err(ScanError::RestrictedXml),
        _ => return Err(ScanError::NotWellFormed),
    };
    Ok((c, body.len() + 2))
}

fn code_point(digits: &[u8], radix: u32) -> Result<char, ScanError> {
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return Err(ScanError::NotWellFormed);
    }
    let mut value = 0;
    for &d in digits {
        value = value * radix + (d as char).to_digit(radix).ok_or(ScanError::NotWellFormed)?;
    }
    char::from_u32(value).filter(|&c| is_char(c)).ok_or(ScanError::NotWellFormed)
}

/// Checks a run of character data: references, and no `]]>` (XML 1.0 §2.4).
pub(crate) fn check_character_data(text: &[u8]) -> Result<(), ScanError> {
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'&', b']', &text[from..]) {
        let here = &text[from + at..];
        if here[0] == b'&' {
            reference(here)?;
        } else if here.starts_with(b"]]>") {
            return Err(ScanError::NotWellFormed);
        }
        from += at + 1;
    }
    Ok(())
}

/// Checks an attribute's value as written between its quotes.
pub(crate) fn check_value(value: &[u8]) -> Result<(), ScanError> {
    let mut from = 0;
    while let Some(at) = memchr::memchr3(b'&', b'<', b'\r', &value[from..]) {
        let here = &value[from + at..];
        match here[0] {
            b'&' => drop(reference(here)?),
            // Common parsers disagree about a bare CR here (one drops it), so nobody behind us shall see one.
            b'\r' if here.get(1) == Some(&b'\n') => {}
            _ => return Err(ScanError::NotWellFormed),
        }
        from += at + 1;
    }
    Ok(())
}

/// The text that checked character data stands for: references resolved, line ends normalised (XML 1.0 §2.11).
pub(crate) fn unescape_text(raw: &str) -> Cow<'_, str> {
    unescape(raw, |b| matches!(b, b'&' | b'\r'), '\n')
}

/// The text that a checked attribute value stands for: as text, and white space becomes a space (XML 1.0 §3.3.3).
pub(crate) fn unescape_value(raw: &str) -> Cow<'_, str> {
    unescape(raw, |b| matches!(b, b'&' | b'\r' | b'\n' | b'\t'), ' ')
}

fn unescape(raw: &str, special: impl Fn(u8) -> bool, line_end: char) -> Cow<'_, str> {
    let bytes = raw.as_bytes();
    let Some(first) = bytes.iter().position(|&b| special(b)) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    let (mut copied, mut at) = (0, first);
    loop {
        out.push_str(&raw[copied..at]);
        let (c, len) = match bytes[at] {
            b'&' => reference(&bytes[at..]).expect("references were checked by the scanner"),
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => (line_end, 2),
            _ => (line_end, 1),
        };
        out.push(c);
        copied = at + len;
        match bytes[copied..].iter().position(|&b| special(b)) {
            Some(next) => at = copied + next,
            None => break,
        }
    }
    out.push_str(&raw[copied..]);
    Cow::Owned(out)
}

/// Appends text as character data. A CR is written as a reference, or it would be read as a line feed; a
/// character that XML forbids becomes U+FFFD.
pub(crate) fn escape_text(text: &str, out: &mut Vec<u8>) {
    escape(text, out, |b| match b {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

/// Appends text as an attribute's value for either kind of quote; white space other than the space is written as
/// a reference, or it would be read as a space. A character that XML forbids becomes U+FFFD.
pub(crate) fn escape_value(text: &str, out: &mut Vec<u8>) {
    escape(text, out, |b| match b {
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'&' => Some("&amp;"),
        b'\'' => Some("&apos;"),
        b'"' => Some("&quot;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        b'\r' => Some("&#13;"),
        _ => None,
    });
}

fn escape(text: &str, out: &mut Vec<u8>, special: impl Fn(u8) -> Option<&'static str>) {
    let bytes = text.as_bytes();
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        let b = bytes[at];
        let nonchar = b == 0xef && matches!(bytes[at..], [_, 0xbf, 0xbe | 0xbf, ..]);
        let (replacement, len) = match special(b) {
            Some(reference) => (reference, 1),
            None if nonchar => ("\u{fffd}", 3),
            None if b < 0x20 && b != b'\t' && b != b'\n' => ("\u{fffd}", 1),
            None => {
                at += 1;
                continue;
            }
        };
        out.extend_from_slice(&bytes[copied..at]);
        out.extend_from_slice(replacement.as_bytes());
        at += len;
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
}
