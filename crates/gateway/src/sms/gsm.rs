//! The alphabet of phones: GSM 03.38 §6.2.1, the default table and its extension. Here a septet is a byte, as SMPP carries it.

/// Says that the next septet is of the extension table.
const ESCAPE: u8 = 0x1b;

/// The default alphabet (§6.2.1); where the escape is there is no character.
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', //
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', //
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', //
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', //
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', //
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', //
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', //
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table (§6.2.1.1).
const EXTENSION: [(u8, char); 10] = [
    (0x0a, '\u{c}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2f, '\\'),
    (0x3c, '['),
    (0x3d, '~'),
    (0x3e, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// The septets of a character: one, or two with the escape; `None`: the alphabet does not have it.
pub(super) fn septets(c: char) -> Option<(Option<u8>, u8)> {
    if let Some(&(septet, _)) = EXTENSION.iter().find(|(_, known)| *known == c) {
        return Some((Some(ESCAPE), septet));
    }
    let at = DEFAULT.iter().position(|known| *known == c).filter(|at| *at != usize::from(ESCAPE))?;
    Some((None, at as u8))
}

/// A text in septets; `None`: the alphabet does not have all of it.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        let (escape, septet) = septets(c)?;
        out.extend(escape);
        out.push(septet);
    }
    Some(out)
}

/// The text of septets. What the extension table does not have is read in the default alphabet (§6.2.1.1); what is no septet is
/// no character.
pub fn decode(septets: &[u8]) -> String {
    let mut out = String::with_capacity(septets.len());
    let mut septets = septets.iter();
    let plain = |septet: u8| DEFAULT.get(usize::from(septet)).copied().unwrap_or('\u{fffd}');
    while let Some(&septet) = septets.next() {
        if septet != ESCAPE {
            out.push(plain(septet));
            continue;
        }
        // An escape at the end, or before another, is a space.
        let extended = septets.next().copied().unwrap_or(ESCAPE);
        let known = EXTENSION.iter().find(|(known, _)| *known == extended).map(|(_, c)| *c);
        out.push(known.unwrap_or(if extended == ESCAPE { ' ' } else { plain(extended) }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_values() {
        // GSM 03.38 §6.2.1: @ is 0, _ is 0x11, the euro sign has an escape.
        assert_eq!(encode("@£$_ A§à"), Some(vec![0, 1, 2, 0x11, 0x20, 0x41, 0x5f, 0x7f]));
        assert_eq!(encode("€{}"), Some(vec![0x1b, 0x65, 0x1b, 0x28, 0x1b, 0x29]));
        assert_eq!(encode("你"), None);
        assert_eq!(encode("\u{1b}"), None);
        assert_eq!(encode("`"), None);
        assert_eq!(decode(&[0x1b, 0x41, 0x1b]), "A ", "unknown extensions, and an escape that ends it");
        assert_eq!(decode(&[0x80, 0xff]), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn all_characters_return() {
        for c in DEFAULT.iter().chain(EXTENSION.iter().map(|(_, c)| c)).filter(|c| **c != '\u{1b}') {
            let text = c.to_string();
            assert_eq!(decode(&encode(&text).expect("it has septets")), text);
        }
    }
}
