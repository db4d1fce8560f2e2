//! Which characters XML 1.0 allows where.

use super::ScanError;

/// Whitespace in markup (XML 1.0 §2.3 \[3\]).
pub(crate) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// Whether XML 1.0 §2.2 \[2\] allows the character at all, even as a reference.
pub(crate) fn is_char(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// What a byte can be in a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameByte {
    /// Ends the name.
    No,
    /// A letter or `_`.
    Start,
    /// A digit, `-` or `.`: not at the beginning.
    Rest,
    /// A colon or a part of a character beyond ASCII: [`check_name`] must look.
    Unclear,
}

/// Looks a byte up.
pub(crate) fn name_byte(b: u8) -> NameByte {
    NAME_BYTES[b as usize]
}

/// Whether the byte may stand in a name.
pub(crate) fn is_name_byte(b: u8) -> bool {
    name_byte(b) != NameByte::No
}

const NAME_BYTES: [NameByte; 256] = {
    let mut table = [NameByte::No; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => NameByte::Start,
            b'0'..=b'9' | b'-' | b'.' => NameByte::Rest,
            b':' | 0x80.. => NameByte::Unclear,
            _ => NameByte::No,
        };
        b += 1;
    }
    table
};

/// First character of a name (XML 1.0 §2.3 \[4\]), without the colon (Namespaces in XML §3 \[4\]) and without
/// U+FDF0 to U+FFFD, which the tree parser behind us does not take.
fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{10000}'..='\u{effff}')
}

/// Further characters of a name (XML 1.0 §2.3 \[4a\]), without the colon.
fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether the text is an `NCName`: a name without a colon.
fn is_ncname(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// Checks a qualified name (Namespaces in XML §4) and returns the length of its prefix, 0 without one.
pub(crate) fn check_name(name: &[u8]) -> Result<usize, ScanError> {
    let text = std::str::from_utf8(name).map_err(|_| ScanError::InvalidUtf8)?;
    let (prefix, valid) = match text.split_once(':') {
        None => (0, is_ncname(text)),
        Some((prefix, local)) => (prefix.len(), is_ncname(prefix) && is_ncname(local)),
    };
    if valid { Ok(prefix) } else { Err(ScanError::NotWellFormed) }
}

/// Checks that the bytes are UTF-8 and hold only characters that XML allows.
pub(crate) fn check_text(bytes: &[u8]) -> Result<&str, ScanError> {
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| ScanError::InvalidUtf8)?;
    // Without early exit, so that it becomes vector code.
    let controls =
        bytes.iter().fold(false, |bad, &b| bad | (b < 0x20 && b != b'\t' && b != b'\n' && b != b'\r'));
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    let nonchar =
        || memchr::memchr_iter(0xef, bytes).any(|at| matches!(bytes[at + 1..], [0xbf, 0xbe | 0xbf, ..]));
    if controls || nonchar() { Err(ScanError::NotWellFormed) } else { Ok(text) }
}
