//! The mails of a run.

use std::fmt;

use data_encoding::BASE64_MIME;

use super::super::dice::Dice;

/// A mail of the run: who brought it, and its number among theirs, from 1. Its Message-ID says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Who brought it.
    pub sender: usize,
    /// Its number among theirs.
    pub number: u64,
}

/// The domain of all Message-IDs, and of those who write from outside.
pub(super) const OUTSIDE: &str = "crash.example";

/// One in so many mails has a file.
const FILES: u64 = 4;

/// Bytes of most mails, of some, and how many are one of those: beyond 256 KiB the server lets only some in at a time.
const SIZES: (u64, u64, u64) = (6_000, 400_000, 25);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}x{}", self.sender, self.number)
    }
}

impl Label {
    /// Reads what [`fmt::Display`] wrote; `None` for anything else.
    pub fn parse(text: &str) -> Option<Label> {
        let (sender, number) = text.strip_prefix('c')?.split_once('x')?;
        Some(Label { sender: sender.parse().ok()?, number: number.parse().ok()? })
    }

    /// The mail of this Message-ID.
    pub(super) fn of_id(id: &str) -> Option<Label> {
        Label::parse(id.strip_suffix(OUTSIDE)?.strip_suffix('@')?)
    }

    /// All whose Message-ID stands in these bytes, each as often as it does.
    pub(super) fn all(bytes: &[u8]) -> Vec<Label> {
        let end = format!("@{OUTSIDE}>");
        let ends = memchr::memmem::find_iter(bytes, &end);
        let label = |at: usize| {
            let start = bytes[..at].iter().rposition(|byte| *byte == b'<')?;
            Label::parse(std::str::from_utf8(&bytes[start + 1..at]).ok()?)
        };
        ends.filter_map(label).collect()
    }
}

/// The mail, with CR LF at the end of each line and no line that begins with a dot.
pub(super) fn write(label: Label, from: &str, to: &[String], dice: &mut Dice) -> Vec<u8> {
    let (small, large, seldom) = SIZES;
    let size = if dice.once_in(seldom) { large } else { dice.below(small) };
    let head = format!(
        "From: <{from}>\r\nTo: {}\r\nSubject: {label}\r\nMessage-ID: <{label}@{OUTSIDE}>\r\n\
         Date: Mon, 01 Jan 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\n",
        to.join(",\r\n ")
    );
    let words = "What is accepted is kept, once, whatever happens next.\r\n".repeat(size as usize / 56 + 1);
    if !dice.once_in(FILES) {
        return format!("{head}\r\n{words}").into_bytes();
    }
    let file = BASE64_MIME.encode(&dice.below(u64::MAX).to_be_bytes().repeat(200));
    format!(
        "{head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{words}--b\r\nContent-Type: application/x-crash\r\n\
         Content-Disposition: attachment; filename=f\r\nContent-Transfer-Encoding: base64\r\n\r\n{file}\r\n--b--\r\n"
    )
    .into_bytes()
}
