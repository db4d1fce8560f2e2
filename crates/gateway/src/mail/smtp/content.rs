//! The content of a mail as `DATA` brings it (RFC 5321 §4.1.1.4): dots taken away, up to the line with the dot alone.
//!
//! Lines end in CR LF and in nothing else (§2.3.8). Where one side takes a bare LF for the end of a line and the other does not,
//! one mail becomes two for one of them; so a bare CR or LF ends the connection instead of meaning anything.

use memchr::memchr2;

/// A bare CR or LF.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bare;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    LineStart,
    Text,
    Cr,
    Dot,
    DotCr,
}

/// Content that is not whole yet.
pub(super) struct Content {
    state: State,
    largest: usize,
    /// Bytes so far, those beyond the largest size too.
    size: usize,
    data: Vec<u8>,
}

impl Content {
    /// Nothing yet; of what comes beyond `largest` bytes only the number is kept.
    pub(super) fn new(largest: usize) -> Content {
        Content { state: State::LineStart, largest, size: 0, data: Vec::new() }
    }

    /// Takes bytes; how many of them belonged to the content if it ended, `None` if it goes on.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Option<usize>, Bare> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if self.state == State::Text {
                let run = memchr2(b'\r', b'\n', &bytes[at..]).unwrap_or(bytes.len() - at);
                self.take(&bytes[at..at + run]);
                at += run;
                match bytes.get(at) {
                    Some(b'\r') => self.state = State::Cr,
                    Some(_) => return Err(Bare),
                    None => break,
                }
                at += 1;
                continue;
            }
            at += 1;
            self.state = match (self.state, byte) {
                (State::LineStart, b'.') => State::Dot,
                (State::Cr, b'\n') => {
                    self.take(b"\r\n");
                    State::LineStart
                }
                (State::DotCr, b'\n') => return Ok(Some(at)),
                (State::Cr | State::DotCr, _) | (_, b'\n') => return Err(Bare),
                (State::Dot, b'\r') => State::DotCr,
                (_, b'\r') => State::Cr,
                // §4.5.2: the first dot of a line is taken away, whatever follows.
                (State::LineStart | State::Dot | State::Text, _) => {
                    self.take(&[byte]);
                    State::Text
                }
            };
        }
        Ok(None)
    }

    fn take(&mut self, bytes: &[u8]) {
        self.size = self.size.saturating_add(bytes.len());
        match self.size <= self.largest {
            true => self.data.extend_from_slice(bytes),
            false => self.data = Vec::new(),
        }
    }

    /// Bytes so far.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The content; `None` if it is larger than allowed.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (self.size <= self.largest).then_some(self.data)
    }
}

/// Whether every line of a chunked content (RFC 3030) ends as lines do.
pub(super) fn is_clean(data: &[u8]) -> bool {
    let mut from = 0;
    while let Some(at) = memchr2(b'\r', b'\n', &data[from..]) {
        if data[from + at..].starts_with(b"\r\n") {
            from += at + 2;
        } else {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], step: usize) -> Result<Option<(Vec<u8>, usize)>, Bare> {
        let mut content = Content::new(1000);
        let mut consumed = 0;
        for chunk in bytes.chunks(step) {
            if let Some(taken) = content.push(chunk)? {
                return Ok(Some((content.finish().expect("small"), consumed + taken)));
            }
            consumed += chunk.len();
        }
        Ok(None)
    }

    #[test]
    fn content_ends_at_the_dot_alone() {
        for (sent, content, rest) in [
            ("a\r\n.\r\n", "a\r\n", ""),
            (".\r\nQUIT\r\n", "", "QUIT\r\n"),
            ("..\r\n...a\r\n.\r\n", ".\r\n..a\r\n", ""),
            (".a\r\n.\r\nx", "a\r\n", "x"),
            ("\r\n\r\n.\r\n", "\r\n\r\n", ""),
        ] {
            for step in 1..=sent.len() {
                let (data, consumed) = read(sent.as_bytes(), step).expect("clean").expect("whole");
                assert_eq!(
                    (data.as_slice(), &sent[consumed..]),
                    (content.as_bytes(), rest),
                    "{sent:?} by {step}"
                );
            }
        }
        assert_eq!(read(b"a\r\n.\r", 2), Ok(None));
    }

    #[test]
    fn bare_ends_of_lines_smuggle_nothing() {
        for sent in
            ["a\n.\r\n", "a\r\n.\n", "a\n.\n", "a\r.\r\n", "a\r\n.\rQ", "\n", "a\r\r\n", "\r\n\r.\r\n.\r\n"]
        {
            for step in 1..=sent.len() {
                assert_eq!(read(sent.as_bytes(), step), Err(Bare), "{sent:?} by {step}");
            }
            assert!(!is_clean(sent.as_bytes()), "{sent:?}");
        }
        assert!(is_clean(b"") && is_clean(b"a") && is_clean(b"a\r\n\r\nb") && !is_clean(b"a\r"));
    }

    #[test]
    fn what_is_too_large_is_counted_and_not_kept() {
        let mut content = Content::new(10);
        assert_eq!(content.push(&[b'x'; 1000]), Ok(None));
        assert_eq!(content.push(b"\r\n.\r\n"), Ok(Some(5)));
        assert_eq!((content.size(), content.data.len()), (1002, 0));
        assert_eq!(content.finish(), None);
    }
}
