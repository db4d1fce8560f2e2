//! How strings and names are written in answers (RFC 9051 §9), and names of folders in the old way (RFC 3501 §5.1.3).

use super::parse::Name;
use data_encoding::{Encoding, Specification};
use rookery_store::{Filed, MailFlags};
use std::sync::LazyLock;

/// Base64 with a comma for the slash, without padding.
static BASE64: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,");
    specification.check_trailing_bits = false;
    specification.encoding().expect("64 symbols, each once")
});

/// A text in quotes. It has no line ends.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A string, as a literal where it cannot stand in quotes.
pub(super) fn string(out: &mut Vec<u8>, text: &[u8]) {
    let plain = text.len() <= 1_000
        && text.iter().all(|byte| (b' '..0x7f).contains(byte) && *byte != b'"' && *byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        literal(out, text);
    }
}

/// A string as a literal.
pub(super) fn literal(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
}

/// A string that may not be there.
pub(super) fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Flags and keywords of a mail, in parentheses.
pub(super) fn flags(mail: &Filed) -> String {
    let names = [
        (MailFlags::SEEN, "\\Seen"),
        (MailFlags::ANSWERED, "\\Answered"),
        (MailFlags::FLAGGED, "\\Flagged"),
        (MailFlags::DELETED, "\\Deleted"),
        (MailFlags::DRAFT, "\\Draft"),
    ];
    let system = names.into_iter().filter(|(flag, _)| mail.flags.has(*flag)).map(|(_, name)| name);
    let keywords = mail.keywords.split(' ').filter(|word| !word.is_empty());
    format!("({})", system.chain(keywords).collect::<Vec<_>>().join(" "))
}

/// The name of a folder: as it is, or in modified UTF-7.
pub(super) fn folder(name: &str, utf8: bool) -> String {
    if utf8 { quoted(name) } else { quoted(&to_utf7(name)) }
}

/// The name of a folder as it was said; `None`: it is none. The inbox is meant in whatever letters.
pub(super) fn folder_of(name: &Name, utf8: bool) -> Option<String> {
    let text = std::str::from_utf8(&name.0).ok()?;
    // Who has not said to know UTF-8 may send it all the same.
    let text = if utf8 || !text.is_ascii() { text.to_owned() } else { from_utf7(text)? };
    let text = text.strip_suffix('/').map(str::to_owned).unwrap_or(text);
    match text.get(..5) {
        Some(inbox)
            if inbox.eq_ignore_ascii_case("INBOX") && matches!(text.as_bytes().get(5), None | Some(b'/')) =>
        {
            Some(format!("INBOX{}", &text[5..]))
        }
        _ => Some(text),
    }
}

fn to_utf7(name: &str) -> String {
    let (mut out, mut shifted) = (String::new(), Vec::new());
    let flush = |out: &mut String, shifted: &mut Vec<u8>| {
        if !shifted.is_empty() {
            out.push_str(&format!("&{}-", BASE64.encode(shifted)));
            shifted.clear();
        }
    };
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            flush(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut out, &mut shifted);
    out
}

pub(super) fn from_utf7(name: &str) -> Option<String> {
    let (mut out, mut rest) = (String::new(), name);
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (text, after) = shifted.split_once('-')?;
        rest = after;
        if text.is_empty() {
            out.push('&');
            continue;
        }
        let bytes = BASE64.decode(text.as_bytes()).ok()?;
        let (units, odd) = bytes.as_chunks::<2>();
        if !odd.is_empty() {
            return None;
        }
        let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
        out.push_str(&String::from_utf16(&units).ok()?);
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for (name, old) in [
            ("Entwürfe", "Entw&APw-rfe"),
            ("台北", "&U,BTFw-"),
            ("A & B", "A &- B"),
            ("~peter/mail/日本語/台北", "~peter/mail/&ZeVnLIqe-/&U,BTFw-"),
            ("😀", "&2D3eAA-"),
            ("plain", "plain"),
        ] {
            assert_eq!(to_utf7(name), old);
            assert_eq!(from_utf7(old).as_deref(), Some(name));
        }
        for bad in ["&", "&abc", "&!!-", "&AA-", "&2D0-"] {
            assert_eq!(from_utf7(bad), None, "{bad}");
        }
        let of = |name: &str| folder_of(&Name(name.as_bytes().to_vec()), false);
        assert_eq!(of("inbox").as_deref(), Some("INBOX"));
        assert_eq!(of("Inbox/x").as_deref(), Some("INBOX/x"));
        assert_eq!(of("inboxes").as_deref(), Some("inboxes"));
        assert_eq!(of("Arbeit/").as_deref(), Some("Arbeit"));
        assert_eq!(of("Ärger").as_deref(), Some("Ärger"));
    }

    #[test]
    fn strings_are_quoted_or_literal() {
        let written = |text: &[u8]| {
            let mut out = Vec::new();
            nstring(&mut out, Some(text));
            String::from_utf8_lossy(&out).into_owned()
        };
        assert_eq!(written(b"a b"), "\"a b\"");
        assert_eq!(written(b"a\"b"), "{3}\r\na\"b");
        assert_eq!(written(b"a\r\n"), "{3}\r\na\r\n");
        assert_eq!(written("ä".as_bytes()), "{2}\r\nä");
        assert_eq!(quoted("a\"\\"), "\"a\\\"\\\\\"");
    }
}
