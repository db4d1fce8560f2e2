//! What is said in one connection of a caller, without the connection: bytes in, bytes and wishes out.

use super::{ACK, BLOCK, BLOCKS, CR, EOT, ESC, ETB, ETX, NAK, RS, STX, US, checksum, fields};
use crate::pager::limits;

/// What is to be done for a byte.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Nothing yet.
    Listen,
    /// This is said.
    Say(Vec<u8>),
    /// This is said, and the connection ends.
    End(Vec<u8>),
    /// A page has come: [`Session::taken`] says what to reply.
    Page {
        /// Whose pager.
        id: Vec<u8>,
        /// What it says.
        text: Vec<u8>,
    },
}

/// What became of a page that has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It is stored.
    Stored,
    /// Nobody takes it.
    Refused,
    /// Not at the moment.
    Later,
}

#[derive(PartialEq, Eq, Debug)]
enum Stage {
    /// Until somebody presses return.
    Quiet,
    /// `ID=` was said.
    SigningIn,
    /// Pages come.
    Open,
    /// A page is being taken.
    Waiting,
}

/// What a connection has said so far.
pub(super) struct Session {
    stage: Stage,
    /// The line or block that comes in.
    input: Vec<u8>,
    /// What the blocks of a page had so far.
    page: Vec<u8>,
    blocks: usize,
    mistakes: u32,
    pages: u32,
}

impl Session {
    pub(super) fn new() -> Session {
        Session { stage: Stage::Quiet, input: Vec::new(), page: Vec::new(), blocks: 0, mistakes: 0, pages: 0 }
    }

    /// A byte; the highest bit is the line's parity and says nothing.
    pub(super) fn byte(&mut self, byte: u8) -> Act {
        let byte = byte & 0x7F;
        match self.stage {
            // §4.1: return is pressed until the terminal answers; whatever else comes is noise of the line.
            Stage::Quiet if byte == CR => {
                self.stage = Stage::SigningIn;
                Act::Say(b"ID=".to_vec())
            }
            Stage::Quiet | Stage::Waiting => Act::Listen,
            Stage::SigningIn => self.signing_in(byte),
            Stage::Open => self.open(byte),
        }
    }

    /// §4.2: ESC, the service, the kind of terminal, six signs of a password at most, and return.
    fn signing_in(&mut self, byte: u8) -> Act {
        if byte != CR {
            // Line feeds are of people that type.
            if byte != b'\n' && self.input.len() < BLOCK {
                self.input.push(byte);
            }
            return Act::Listen;
        }
        let line = std::mem::take(&mut self.input);
        match line.strip_prefix(&[ESC]) {
            // `PG1`: pages, from a program. Whoever may connect may page: the password is not looked at.
            Some(rest) if rest.starts_with(b"PG1") => {
                self.stage = Stage::Open;
                Act::Say([b"110 Paging\r", &[ACK, CR][..], &[ESC, b'[', b'p', CR]].concat())
            }
            // Return is pressed more often than once.
            None if line.is_empty() => Act::Say(b"ID=".to_vec()),
            _ => self.mistake([b"509 This is no sign-in\r", &[NAK, CR][..], b"ID="].concat()),
        }
    }

    fn mistake(&mut self, reply: Vec<u8>) -> Act {
        self.mistakes += 1;
        match self.mistakes > limits::MISTAKES {
            true => Act::End([b"501 Too much of this was wrong\r", &[ESC, EOT, CR][..]].concat()),
            false => Act::Say(reply),
        }
    }

    fn open(&mut self, byte: u8) -> Act {
        if self.input.is_empty() {
            return match byte {
                STX => {
                    self.input.push(byte);
                    Act::Listen
                }
                // §4.5: the caller has no more.
                EOT => Act::End([b"115 Goodbye\r", &[ESC, EOT, CR][..]].concat()),
                _ => Act::Listen,
            };
        }
        self.input.push(byte);
        if self.input.len() > BLOCK {
            self.input.clear();
            return self.refused(b"513 This block is too long\r");
        }
        // STX … (ETX or ETB), three signs, CR: a return inside of a block ends a field, not the block.
        let end = self.input.iter().position(|sign| matches!(*sign, ETX | ETB));
        match end {
            Some(end) if self.input.len() == end + 5 => self.block(end),
            _ => Act::Listen,
        }
    }

    /// §4.3: a block that is whole. Its last sign of five is its end, and then its sum and return follow.
    fn block(&mut self, end: usize) -> Act {
        let block = std::mem::take(&mut self.input);
        if block[end + 1..] != [&checksum(&block[..=end])[..], &[CR]].concat() {
            return self.mistake([b"511 The sum is wrong\r", &[NAK, CR][..]].concat());
        }
        self.blocks += 1;
        let mut inside = &block[1..end];
        if block[end] == ETB {
            // The field goes on in the next block.
            inside = inside.strip_suffix(&[US]).unwrap_or(inside);
        }
        self.page.extend_from_slice(inside);
        if self.blocks > BLOCKS || self.page.len() > limits::TEXT * 2 {
            return self.refused(b"513 This page is too long\r");
        }
        if block[end] == ETB {
            return Act::Say([b"211 More\r", &[ACK, CR][..]].concat());
        }
        let page = std::mem::take(&mut self.page);
        self.blocks = 0;
        let mut fields = fields(&page).into_iter();
        match (fields.next(), fields.next(), fields.next()) {
            (Some(id), Some(text), None) if !id.is_empty() => {
                if self.pages >= limits::PAGES {
                    return Act::End([b"501 Enough for one connection\r", &[ESC, EOT, CR][..]].concat());
                }
                self.pages += 1;
                self.stage = Stage::Waiting;
                Act::Page { id, text }
            }
            _ => self.refused(b"514 A pager and a text are wanted\r"),
        }
    }

    /// The page is abandoned, and the next may come.
    fn refused(&mut self, why: &[u8]) -> Act {
        self.page.clear();
        self.blocks = 0;
        self.mistake([why, &[RS, CR]].concat())
    }

    /// A page that has come.
    pub(super) fn taken(&mut self, taken: Taken) -> Act {
        self.stage = Stage::Open;
        match taken {
            Taken::Stored => Act::Say([b"211 Page accepted\r", &[ACK, CR][..]].concat()),
            Taken::Refused => self.mistake([b"510 No such pager\r", &[RS, CR][..]].concat()),
            // It may come again as it is.
            Taken::Later => Act::Say([b"505 Not at the moment\r", &[RS, CR][..]].concat()),
        }
    }
}
