//! The caller's side, without the connection: bytes in, bytes and an end out.

use super::{ACK, BLOCK, CR, EOT, ESC, NAK, RS, blocks};

/// How often return is pressed, and a block is sent, before it is given up.
const TRIES: u32 = 4;

/// What a caller does next.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// It waits for more, and after a while it asks [`Caller::silence`].
    Wait,
    /// This is sent.
    Send(Vec<u8>),
    /// The terminal has taken the page; this is sent, and it is over.
    Taken(Vec<u8>),
    /// The terminal will not take it, and says so.
    Refused(String),
    /// It did not come to the page: it may be tried again.
    Failed(String),
    /// All of the page was sent, and no answer came.
    Unknown(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Return is pressed until `ID=` comes.
    Calling,
    /// The sign-in was sent.
    SigningIn,
    /// It is taken; `ESC [ p` is waited for.
    Invited,
    /// This block was sent.
    Block(usize),
}

/// A call with one page.
pub(super) struct Caller {
    stage: Stage,
    password: String,
    blocks: Vec<Vec<u8>>,
    /// What came since the last line.
    line: Vec<u8>,
    /// The last whole line: what the terminal says in words.
    said: String,
    tries: u32,
}

impl Caller {
    /// A page to the pager of this id. Signs that TAP has not become question marks; texts beyond its blocks are cut.
    pub(super) fn new(id: &str, text: &str, password: &str) -> Caller {
        let text: Vec<u8> = text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' }).collect();
        Caller {
            stage: Stage::Calling,
            password: password.to_owned(),
            blocks: blocks(id, &text),
            line: Vec::new(),
            said: String::new(),
            tries: 0,
        }
    }

    /// What is sent when the connection stands.
    pub(super) fn begin(&mut self) -> Vec<u8> {
        self.tries = 1;
        vec![CR]
    }

    /// Nothing came for a while.
    pub(super) fn silence(&mut self) -> Next {
        let again = self.tries < TRIES;
        self.tries += 1;
        match self.stage {
            Stage::Calling if again => Next::Send(vec![CR]),
            Stage::Calling | Stage::SigningIn | Stage::Invited => {
                Next::Failed("The terminal says nothing.".into())
            }
            // What is sent again could be taken twice, so the last block is not.
            Stage::Block(at) if at + 1 == self.blocks.len() => {
                Next::Unknown("The terminal did not say whether it took the page.".into())
            }
            Stage::Block(_) => Next::Failed("The terminal says nothing to a block.".into()),
        }
    }

    /// The connection has ended.
    pub(super) fn gone(&self) -> Next {
        match self.stage {
            Stage::Block(at) if at + 1 == self.blocks.len() => {
                Next::Unknown("The line broke before the terminal said whether it took the page.".into())
            }
            _ => Next::Failed("The line broke.".into()),
        }
    }

    /// A byte; the highest bit is the line's parity and says nothing.
    pub(super) fn byte(&mut self, byte: u8) -> Next {
        let byte = byte & 0x7F;
        if byte != CR {
            if byte != b'\n' && self.line.len() < BLOCK {
                self.line.push(byte);
            }
            // `ID=` has no end.
            return match self.stage == Stage::Calling && self.line.ends_with(b"ID=") {
                true => self.sign_in(),
                false => Next::Wait,
            };
        }
        let line = std::mem::take(&mut self.line);
        match (line.as_slice(), self.stage) {
            ([ESC, EOT], _) => Next::Refused(self.words("The terminal has hung up")),
            ([ESC, b'[', b'p'], Stage::SigningIn | Stage::Invited) => self.send(0),
            ([ACK], Stage::SigningIn) => {
                self.stage = Stage::Invited;
                Next::Wait
            }
            ([ACK], Stage::Block(at)) if at + 1 == self.blocks.len() => Next::Taken(vec![EOT, CR]),
            ([ACK], Stage::Block(at)) => self.send(at + 1),
            ([NAK], Stage::Block(at)) if self.tries < TRIES => {
                self.tries += 1;
                Next::Send(self.blocks[at].clone())
            }
            ([NAK], Stage::Block(_)) => Next::Failed("The line is too bad: no block gets through.".into()),
            ([NAK], Stage::SigningIn) if self.tries < TRIES => {
                self.tries += 1;
                Next::Send(self.login())
            }
            ([NAK], Stage::SigningIn) => Next::Refused(self.words("The terminal lets nobody in")),
            ([RS], Stage::Block(_)) => Next::Refused(self.words("The terminal does not take the page")),
            (words, _) => {
                if let Some(text) = plain(words) {
                    self.said = text;
                }
                Next::Wait
            }
        }
    }

    fn sign_in(&mut self) -> Next {
        self.line.clear();
        self.stage = Stage::SigningIn;
        self.tries = 1;
        Next::Send(self.login())
    }

    fn login(&self) -> Vec<u8> {
        [&[ESC], b"PG1".as_slice(), self.password.as_bytes(), &[CR]].concat()
    }

    fn send(&mut self, at: usize) -> Next {
        self.stage = Stage::Block(at);
        self.tries = 1;
        Next::Send(self.blocks[at].clone())
    }

    fn words(&self, what: &str) -> String {
        if self.said.is_empty() { format!("{what}.") } else { format!("{what}: {}.", self.said) }
    }
}

/// What a terminal says in words, if it is that.
fn plain(line: &[u8]) -> Option<String> {
    let text: String =
        line.iter().filter(|byte| matches!(byte, b' '..=b'~')).map(|byte| char::from(*byte)).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
