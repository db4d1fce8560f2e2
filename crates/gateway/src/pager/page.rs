//! A page, whatever protocol it comes by or goes out by.

use rookery_store::{Choice, Urgency};

/// What is said to a pager.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Who calls, in the caller's own words; empty: nobody says so.
    pub caller: String,
    /// What it is about; empty: it does not say.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// How much it matters.
    pub urgency: Urgency,
    /// What the caller wants to know of it; `None`: nothing.
    pub two_way: Option<TwoWay>,
}

/// A page whose caller asks what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TwoWay {
    /// Answers to choose from; empty: any text is one.
    pub choices: Vec<Choice>,
    /// An answer is wanted.
    pub reply: bool,
}

/// By what a caller asks for a page again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// Names the page.
    pub tag: u64,
    /// Proves that whoever asks is its caller.
    pub pass: u64,
}

/// What became of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It is stored, and waits for a device.
    Queued,
    /// A device has it.
    Delivered,
    /// It was read.
    Read,
    /// It was answered.
    Answered {
        /// The code of the choice, if it is one.
        choice: Option<String>,
        /// What was said.
        text: String,
    },
}

/// Text from outside as one that may stand in a message: in UTF-8, or else in Latin-1, without controls other than breaks of
/// lines; at most `most` bytes.
pub fn readable(bytes: &[u8], most: usize) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    };
    let shown = |c: char| match c {
        '\n' => '\n',
        '\t' => ' ',
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
        c => c,
    };
    let mut text: String = text.replace("\r\n", "\n").replace('\r', "\n").chars().map(shown).collect();
    text.truncate(text.floor_char_boundary(most));
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_can_be_shown() {
        assert_eq!(readable("Größe\r\nzwei\u{7}\t.\r\n".as_bytes(), 100), "Größe\nzwei\u{fffd} .");
        assert_eq!(readable(b"Gr\xf6\xdfe", 100), "Größe");
        assert_eq!(readable("ööö".as_bytes(), 3), "ö");
        assert_eq!(readable(b"a\x85b", 100), "a\u{fffd}b");
    }
}
