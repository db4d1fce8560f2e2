//! What a page says, as groups of 20 bits (ITU-R M.584-2, annex 1), and long texts as several pages.

use super::Alphabet;
use unicode_normalization::UnicodeNormalization;

/// Bits of a message in one code word.
const GROUP: u32 = 20;

/// What fills up the last group of numbers: spaces.
const NUMERIC_FILL: u8 = 0xC;
/// What fills up the last group of a text: spaces too, for of everything else there are decoders that show it (`<NUL>`, `<EOT>`).
const TEXT_FILL: u8 = b' ';

/// Parts that one text may become; what is beyond them is cut off, and seen to be.
pub const PARTS: usize = 9;

/// Least length of a pager's display: below it there is no room for the marks of parts.
pub const SHORTEST: usize = 16;

/// What shows that a text was cut.
const CUT: &str = "...";

/// Digits, and the few signs that a numeric pager has; letters and the like become spaces.
pub(super) fn digits(text: &str) -> Vec<u8> {
    let digit = |c: char| match c {
        '0'..='9' => c as u8 - b'0',
        '*' | '.' => 0xA,
        'U' | 'u' => 0xB,
        '-' | '+' | '/' | ':' => 0xD,
        ')' | ']' => 0xE,
        '(' | '[' => 0xF,
        _ => 0xC,
    };
    let mut digits: Vec<u8> = text.chars().map(digit).collect();
    // More than one space says no more than one.
    digits.dedup_by(|next, before| *next == 0xC && *before == 0xC);
    digits
}

/// A text in the seven bits that a pager has.
pub(super) fn letters(text: &str, alphabet: Alphabet) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.nfc() {
        let plain = matches!(c, ' '..='~') && !(alphabet == Alphabet::German && "[\\]{|}~".contains(c));
        match c {
            c if plain => out.push(c as u8),
            c if c.is_control() || c.is_whitespace() => out.push(b' '),
            c => match german(c).filter(|_| alphabet == Alphabet::German) {
                Some(code) => out.push(code),
                None => out.extend_from_slice(nearest(c).as_bytes()),
            },
        }
    }
    out
}

/// DIN 66003: the signs that gave way to letters.
fn german(c: char) -> Option<u8> {
    Some(match c {
        'Ä' => b'[',
        'Ö' => b'\\',
        'Ü' => b']',
        'ä' => b'{',
        'ö' => b'|',
        'ü' => b'}',
        'ß' => b'~',
        _ => return None,
    })
}

/// What a sign is written as where there is none.
fn nearest(c: char) -> String {
    let known = match c {
        'Ä' => "Ae",
        'Ö' => "Oe",
        'Ü' => "Ue",
        'ä' => "ae",
        'ö' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'Æ' => "Ae",
        'æ' => "ae",
        'Ø' => "O",
        'ø' => "o",
        'ł' => "l",
        'Ł' => "L",
        'đ' => "d",
        'Đ' => "D",
        '‘' | '’' | '‚' | '′' => "'",
        '“' | '”' | '„' | '«' | '»' => "\"",
        '‐' | '‑' | '–' | '—' | '−' => "-",
        '…' => "...",
        '€' => "EUR",
        '[' | '{' => "(",
        ']' | '}' => ")",
        '\\' | '|' => "/",
        '~' => "-",
        '\u{fe0f}' | '\u{200d}' => "",
        _ => {
            let folded: String = std::iter::once(c).nfkd().filter(char::is_ascii_graphic).collect();
            return if folded.is_empty() { "?".to_owned() } else { folded };
        }
    };
    known.to_owned()
}

/// Digits as groups: four bits each, the lowest first.
pub(super) fn numeric(digits: &[u8]) -> Vec<u32> {
    groups(digits, 4, NUMERIC_FILL)
}

/// A text as groups: seven bits each, the lowest first, across the borders of groups.
pub(super) fn alphanumeric(letters: &[u8]) -> Vec<u32> {
    groups(letters, 7, TEXT_FILL)
}

fn groups(signs: &[u8], width: u32, fill: u8) -> Vec<u32> {
    let count = (signs.len() as u32 * width).div_ceil(GROUP);
    let signs = signs.iter().copied().chain(std::iter::repeat(fill));
    let mut bits = signs.flat_map(|sign| (0..width).map(move |bit| u32::from(sign >> bit & 1)));
    let mut group = || bits.by_ref().take(GROUP as usize).fold(0, |group, bit| group << 1 | bit);
    (0..count).map(|_| group()).collect()
}

/// A text as parts of at most `length` signs (at least [`SHORTEST`]). Where there are several, each begins with its number and
/// theirs, `2/3 `, and ends at a word where one ends near.
pub(super) fn parts(letters: &[u8], length: usize) -> Vec<Vec<u8>> {
    let length = length.max(SHORTEST);
    if letters.len() <= length {
        return vec![letters.to_vec()];
    }
    let room = length - "1/2 ".len();
    let mut rest = letters;
    let mut texts = Vec::new();
    while !rest.is_empty() && texts.len() < PARTS {
        let (text, after) = rest.split_at(border(rest, room));
        texts.push(text.trim_ascii_end().to_vec());
        rest = after.trim_ascii_start();
    }
    if !rest.is_empty()
        && let Some(last) = texts.last_mut()
    {
        last.truncate(room - CUT.len());
        last.extend_from_slice(CUT.as_bytes());
    }
    let count = texts.len();
    let numbered =
        |(at, text): (usize, Vec<u8>)| [format!("{}/{count} ", at + 1).into_bytes(), text].concat();
    texts.into_iter().enumerate().map(numbered).collect()
}

/// Digits as parts of at most `length`: without marks, which would be read as digits.
pub(super) fn runs(digits: &[u8], length: usize) -> Vec<Vec<u8>> {
    digits.chunks(length.max(1)).take(PARTS).map(<[u8]>::to_vec).collect()
}

/// Where a part of at most `room` signs ends: behind the last word that is whole, unless that is far from the end.
fn border(text: &[u8], room: usize) -> usize {
    if text.len() <= room {
        return text.len();
    }
    let space = text[..=room].iter().rposition(|sign| *sign == b' ');
    space.filter(|at| *at >= room - room / 4).unwrap_or(room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_filled_up() {
        // `1` is 1000 in the order of transmission, a space 0011.
        assert_eq!(numeric(&digits("1")), [0b1000_0011_0011_0011_0011]);
        assert_eq!(numeric(&digits("12345")), [0b1000_0100_1100_0010_1010]);
        // `A` is 0x41: 1000001; then spaces, 0000010.
        assert_eq!(alphanumeric(b"A"), [0b1000_0010_0000_1000_0001]);
        assert_eq!(
            (alphanumeric(b"").len(), alphanumeric(b"ABC").len(), alphanumeric(b"ABCDEF").len()),
            (0, 2, 3)
        );
    }

    #[test]
    fn signs_that_there_are_not_become_others() {
        let text = |text, alphabet| String::from_utf8(letters(text, alphabet)).unwrap();
        assert_eq!(
            text("Größe – „5 €“\tna\u{ef}ve 你", Alphabet::International),
            "Groesse - \"5 EUR\" naive ?"
        );
        assert_eq!(text("Größe [1]", Alphabet::German), "Gr|~e (1)");
        assert_eq!(text("a{b}~", Alphabet::International), "a{b}~");
        assert_eq!(digits("+49 (0) 30"), [0xD, 4, 9, 0xC, 0xF, 0, 0xE, 0xC, 3, 0]);
        assert_eq!(digits("call  me 5"), [0xC, 5]);
    }

    #[test]
    fn long_texts_become_parts() {
        let text = |parts: Vec<Vec<u8>>| {
            parts.into_iter().map(|it| String::from_utf8(it).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(text(parts(b"exactly sixteen.", 16)), ["exactly sixteen."]);
        assert_eq!(
            text(parts(b"Bring two litres of blood to room twelve", 20)),
            ["1/3 Bring two litres", "2/3 of blood to room", "3/3 twelve"]
        );
        let endless = text(parts(&b"x".repeat(1000), 16));
        assert_eq!(
            (endless.len(), endless[0].as_str(), endless[8].as_str()),
            (9, "1/9 xxxxxxxxxxxx", "9/9 xxxxxxxxx...")
        );
        assert_eq!(runs(&digits("1234567"), 3), [vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
    }
}
