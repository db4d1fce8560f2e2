//! Header fields (RFC 5322 §2.2).

use std::borrow::Cow;

/// Where a header ends: after its empty line, or at the end.
pub(in crate::mail::imap) fn end(mail: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\n', &mail[at..]) {
        let line = &mail[at..at + found];
        at += found + 1;
        if line.is_empty() || line == b"\r" {
            return at;
        }
    }
    mail.len()
}

/// The fields of a header in their order.
pub(in crate::mail::imap) struct Fields<'a>(Vec<(&'a str, &'a [u8])>);

/// Reads a header.
pub(in crate::mail::imap) fn fields(header: &[u8]) -> Fields<'_> {
    let mut fields = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < header.len() {
        at = memchr::memchr(b'\n', &header[at..]).map_or(header.len(), |found| at + found + 1);
        // RFC 5322 §2.2.3: a line that begins with white space goes on with the field.
        if matches!(header.get(at), Some(b' ' | b'\t')) {
            continue;
        }
        let raw = &header[begin..at];
        begin = at;
        let name = memchr::memchr(b':', raw).and_then(|colon| std::str::from_utf8(&raw[..colon]).ok());
        if let Some(name) = name.map(str::trim_end).filter(|name| !name.is_empty()) {
            fields.push((name, raw));
        }
    }
    Fields(fields)
}

impl<'a> Fields<'a> {
    /// Names, and fields as they stand there.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + '_ {
        self.0.iter().copied()
    }

    /// The value of the first of this name, on one line.
    pub(super) fn value(&self, name: &str) -> Option<Vec<u8>> {
        let (_, raw) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(unfolded(&raw[memchr::memchr(b':', raw)? + 1..]))
    }

    /// The same as text.
    pub(in crate::mail::imap) fn first(&self, name: &str) -> Option<String> {
        self.value(name).map(|value| String::from_utf8_lossy(&value).into_owned())
    }
}

fn unfolded(value: &[u8]) -> Vec<u8> {
    let line: Vec<u8> = value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)).collect();
    line.trim_ascii().to_vec()
}

/// A value with parameters (RFC 2045 §5.1), in small letters but for the parameters' values. Those that are continued or say their
/// letters (RFC 2231) are told as they are.
pub(super) fn parametrised(value: &str) -> (String, Vec<(String, String)>) {
    let mut rest = without_comments(value);
    let at = rest.find(';').unwrap_or(rest.len());
    let kind: String = rest[..at].chars().filter(|c| !c.is_whitespace()).collect();
    let (kind, mut parameters) = (kind.to_ascii_lowercase(), Vec::new());
    rest = Cow::Owned(rest[at..].to_owned());
    let mut rest = &*rest;
    while let Some(after) = rest.strip_prefix(';') {
        let (name, after) = match after.find(['=', ';']) {
            Some(at) if after.as_bytes()[at] == b'=' => (&after[..at], &after[at + 1..]),
            Some(at) => {
                rest = &after[at..];
                continue;
            }
            None => break,
        };
        let (value, after) = parameter(after.trim_start());
        let name = name.trim().to_ascii_lowercase();
        if !name.is_empty() && parameters.len() < super::limits::ITEMS {
            parameters.push((name, value));
        }
        rest = after.find(';').map_or("", |at| &after[at..]);
    }
    (kind, parameters)
}

/// The value of a parameter, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(inner) = text.strip_prefix('"') else {
        let at = text.find([';', ' ', '\t']).unwrap_or(text.len());
        return (text[..at].to_owned(), &text[at..]);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return (value, &inner[at + 1..]),
            c => value.push(c),
        }
    }
    (value, "")
}

/// RFC 5322 §3.2.2: comments mean nothing.
fn without_comments(text: &str) -> Cow<'_, str> {
    if !text.contains('(') {
        return text.into();
    }
    let (mut out, mut depth, mut quoted, mut escaped) = (String::new(), 0_usize, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => {
                escaped = true;
            }
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => {
                depth += 1;
                continue;
            }
            ')' if !quoted && depth > 0 => {
                depth -= 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            out.push(c);
        }
    }
    out.into()
}
