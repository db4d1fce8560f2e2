//! A text as short messages: which alphabet it needs, how many parts it has (3GPP TS 23.040 §9.2.3.24.1), and back again.

use super::gsm;

/// The alphabet of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Alphabet {
    /// GSM 03.38, a septet a byte.
    Gsm,
    /// UCS-2, of which phones read UTF-16; big-endian.
    Ucs2,
    /// ISO 8859-1: some carriers bring it, none is sent it.
    Latin1,
}

impl Alphabet {
    /// The units that a whole message holds, and each of several parts: 140 octets, of which a header takes six.
    fn room(self) -> (usize, usize) {
        match self {
            Alphabet::Gsm => (160, 153),
            Alphabet::Ucs2 => (70, 67),
            Alphabet::Latin1 => (140, 134),
        }
    }

    /// The text of these bytes. Whatever they are, there is some.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Alphabet::Gsm => gsm::decode(bytes),
            Alphabet::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Alphabet::Ucs2 => {
                let units = bytes.chunks(2).map(|pair| match pair {
                    [high, low] => u16::from_be_bytes([*high, *low]),
                    _ => char::REPLACEMENT_CHARACTER as u16,
                });
                char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        }
    }
}

/// A text as the parts that carry it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parts {
    /// In what they are written.
    pub alphabet: Alphabet,
    /// One for a whole message; none of them splits a character.
    pub parts: Vec<Vec<u8>>,
}

impl Parts {
    /// All of a text.
    pub fn of(text: &str) -> Parts {
        let alphabet =
            if text.chars().all(|c| gsm::septets(c).is_some()) { Alphabet::Gsm } else { Alphabet::Ucs2 };
        let (whole, each) = alphabet.room();
        let units: usize = text.chars().map(|c| units(alphabet, c)).sum();
        let room = if units <= whole { whole } else { each };
        let mut parts = vec![Vec::new()];
        let mut taken = 0;
        for c in text.chars() {
            let size = units_of(alphabet, c, room, &mut taken, &mut parts);
            write(alphabet, c, parts.last_mut().expect("there is one from the beginning"));
            taken += size;
        }
        Parts { alphabet, parts }
    }

    /// The text that they carry.
    pub fn whole(&self) -> String {
        self.alphabet.decode(&self.parts.concat())
    }

    /// How many bytes of a text have room in so many parts: all, or what is followed by `end` then.
    pub fn beginning(text: &str, end: &str, most: usize) -> usize {
        if Parts::of(text).parts.len() <= most {
            return text.len();
        }
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        // The longest beginning that fits: what is shorter fits too.
        let fits =
            ends.partition_point(|at| Parts::of(&format!("{}{end}", &text[..*at])).parts.len() <= most);
        ends.get(fits.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// Of a text what has room in so many parts. What is cut ends with dots, and with `code`, if there is one, in brackets.
    pub fn fitting(text: &str, code: &str, most: usize) -> Parts {
        let whole = Parts::of(text);
        if whole.parts.len() <= most {
            return whole;
        }
        let end = if code.is_empty() { "...".to_owned() } else { format!("... [{code}]") };
        let at = Parts::beginning(text, &end, most);
        Parts::of(&format!("{}{end}", text[..at].trim_end()))
    }
}

fn units(alphabet: Alphabet, c: char) -> usize {
    match alphabet {
        Alphabet::Gsm => gsm::septets(c).map_or(1, |(escape, _)| 1 + usize::from(escape.is_some())),
        Alphabet::Ucs2 => c.len_utf16(),
        Alphabet::Latin1 => 1,
    }
}

/// The units of the next character, for which there is a new part if this one has no room.
fn units_of(alphabet: Alphabet, c: char, room: usize, taken: &mut usize, parts: &mut Vec<Vec<u8>>) -> usize {
    let size = units(alphabet, c);
    if *taken + size > room {
        parts.push(Vec::new());
        *taken = 0;
    }
    size
}

fn write(alphabet: Alphabet, c: char, part: &mut Vec<u8>) {
    match alphabet {
        Alphabet::Gsm => {
            if let Some((escape, septet)) = gsm::septets(c) {
                part.extend(escape);
                part.push(septet);
            }
        }
        Alphabet::Ucs2 => {
            part.extend(c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()));
        }
        Alphabet::Latin1 => part.extend(u8::try_from(c)),
    }
}

/// Where a part belongs (3GPP TS 23.040 §9.2.3.24.1, .8; SMPP 3.4 §5.3.2.22 to .24).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// Names the message among those of its sender, for a while.
    pub reference: u16,
    /// How many parts it has.
    pub total: u8,
    /// Which of them it is, from 1.
    pub number: u8,
}

impl Place {
    /// A place that there can be.
    pub fn new(reference: u16, total: u8, number: u8) -> Option<Place> {
        (number >= 1 && number <= total).then_some(Place { reference, total, number })
    }

    /// The header that says it, with a reference of one byte, which every phone reads.
    pub fn header(self) -> [u8; 6] {
        [5, 0, 3, self.reference as u8, self.total, self.number]
    }
}

/// Takes the header (3GPP TS 23.040 §9.2.3.24) off a message; where it belongs, if that says so. `None`: there is no whole header.
pub fn take_header(message: &[u8]) -> Option<(Option<Place>, &[u8])> {
    let length = usize::from(*message.first()?);
    let (header, rest) = message.get(1..)?.split_at_checked(length)?;
    let mut elements = header;
    let mut place = None;
    while let [id, size, more @ ..] = elements {
        let (value, next) = more.split_at_checked(usize::from(*size))?;
        place = place.or(match (id, value) {
            (0, [reference, total, number]) => Place::new(u16::from(*reference), *total, *number),
            (8, [high, low, total, number]) => Place::new(u16::from_be_bytes([*high, *low]), *total, *number),
            _ => None,
        });
        elements = next;
    }
    Some((place, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joined(parts: &Parts) -> String {
        parts.whole()
    }

    #[test]
    fn room_is_what_the_standard_says() {
        let count = |text: String| (Parts::of(&text).alphabet, Parts::of(&text).parts.len());
        assert_eq!(count("a".repeat(160)), (Alphabet::Gsm, 1));
        assert_eq!(count("a".repeat(161)), (Alphabet::Gsm, 2));
        assert_eq!(count("a".repeat(306)), (Alphabet::Gsm, 2));
        assert_eq!(count("a".repeat(307)), (Alphabet::Gsm, 3));
        assert_eq!(count("€".repeat(80)), (Alphabet::Gsm, 1));
        assert_eq!(count("€".repeat(81)), (Alphabet::Gsm, 2));
        assert_eq!(count("字".repeat(70)), (Alphabet::Ucs2, 1));
        assert_eq!(count("字".repeat(71)), (Alphabet::Ucs2, 2));
        assert_eq!(count("😀".repeat(35)), (Alphabet::Ucs2, 1));
        assert_eq!(count("😀".repeat(67)), (Alphabet::Ucs2, 3), "33 in each part, as none is split");
        assert_eq!(count(String::new()), (Alphabet::Gsm, 1));
    }

    #[test]
    fn what_is_cut_has_its_code() {
        let parts = Parts::fitting(&"word ".repeat(100), "4711", 2);
        assert_eq!(parts.parts.len(), 2);
        assert!(joined(&parts).ends_with("word... [4711]"), "{}", joined(&parts));
        assert_eq!(
            joined(&Parts::fitting("short", "4711", 1)),
            "short",
            "the text has the code where it is whole"
        );
        let chinese = Parts::fitting(&"字".repeat(200), "", 1);
        assert_eq!(joined(&chinese), format!("{}...", "字".repeat(67)));
    }

    #[test]
    fn headers() {
        let place = Place { reference: 0x2a, total: 3, number: 2 };
        let message = [&place.header()[..], b"abc"].concat();
        assert_eq!(take_header(&message), Some((Some(place), &b"abc"[..])));
        assert_eq!(take_header(&[6, 8, 4, 1, 2, 2, 1, 65]), Some((Place::new(0x102, 2, 1), &[65][..])));
        // Another element before, a place that there cannot be, and headers that are cut.
        assert_eq!(take_header(&[9, 5, 2, 0, 0, 0, 3, 7, 2, 1]), Some((Place::new(7, 2, 1), &[][..])));
        assert_eq!(take_header(&[5, 0, 3, 7, 2, 3, 65]), Some((None, &[65][..])));
        assert_eq!(take_header(&[5, 0, 3, 7]), None);
        assert_eq!(take_header(&[]), None);
        assert_eq!(take_header(&[2, 0, 9]), None);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in ".{0,400}") {
            let parts = Parts::of(&text);
            prop_assert_eq!(joined(&parts), text);
            let (whole, each) = parts.alphabet.room();
            let room = if parts.parts.len() == 1 { whole } else { each };
            let width = if parts.alphabet == Alphabet::Ucs2 { 2 } else { 1 };
            prop_assert!(parts.parts.iter().all(|part| part.len() <= room * width));
            // No part splits a character: each can be read alone.
            let read: String = parts.parts.iter().map(|part| parts.alphabet.decode(part)).collect();
            prop_assert_eq!(read, joined(&parts));
        }

        #[test]
        fn what_is_cut_fits(text in ".{0,900}", most in 1usize..4, code in "[0-9]{0,4}") {
            let parts = Parts::fitting(&text, &code, most);
            prop_assert!(parts.parts.len() <= most);
            let said = joined(&parts);
            let coded = said.ends_with(&format!("[{code}]"));
            prop_assert!(said == text || code.is_empty() || coded);
        }

        #[test]
        fn no_header_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            take_header(&bytes);
            for alphabet in [Alphabet::Gsm, Alphabet::Ucs2, Alphabet::Latin1] {
                alphabet.decode(&bytes);
            }
        }
    }
}
