//! The words of a command (RFC 9051 §9).

use super::Bad;
use crate::mail::imap::limits;

/// What is left of a command.
#[derive(Clone, Copy)]
pub(in crate::mail::imap) struct Cursor<'a> {
    rest: &'a [u8],
}

/// `ATOM-CHAR`, and other letters, which some programs send.
fn is_atom(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !b"(){%*\"\\]".contains(&byte)
}

/// `ASTRING-CHAR`.
fn is_astring(byte: u8) -> bool {
    is_atom(byte) || byte == b']'
}

/// `list-char`.
fn is_list(byte: u8) -> bool {
    is_astring(byte) || byte == b'%' || byte == b'*'
}

impl<'a> Cursor<'a> {
    pub(in crate::mail::imap) fn new(command: &'a [u8]) -> Cursor<'a> {
        Cursor { rest: command }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes a byte if it comes next.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        if there {
            self.rest = &self.rest[1..];
        }
        there
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Bad> {
        if self.eat(byte) { Ok(()) } else { Err(Bad("This is not how it is written")) }
    }

    /// One space; some programs send more.
    pub(super) fn space(&mut self) -> Result<(), Bad> {
        self.expect(b' ')?;
        while self.eat(b' ') {}
        Ok(())
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<(), Bad> {
        while self.eat(b' ') {}
        if self.rest.is_empty() { Ok(()) } else { Err(Bad("Something follows that does not belong there")) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn run(&mut self, what: fn(u8) -> bool) -> Result<&'a [u8], Bad> {
        let end = self.rest.iter().position(|byte| !what(*byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        if word.is_empty() { Err(Bad("A word is missing")) } else { Ok(word) }
    }

    /// An atom in capitals.
    pub(super) fn keyword(&mut self) -> Result<String, Bad> {
        let word = self.run(|byte| is_atom(byte) && byte != b'[')?;
        Ok(String::from_utf8_lossy(word).to_ascii_uppercase())
    }

    /// An atom as it is.
    pub(super) fn atom(&mut self) -> Result<String, Bad> {
        Ok(String::from_utf8_lossy(self.run(is_atom)?).into_owned())
    }

    /// A tag (§2.2.1).
    pub(in crate::mail::imap) fn tag(&mut self) -> Option<String> {
        let tag = self.run(|byte| is_astring(byte) && byte != b'+' && byte.is_ascii()).ok()?;
        (tag.len() <= 64).then(|| String::from_utf8_lossy(tag).into_owned())
    }

    /// What stands between a tag and its command.
    pub(in crate::mail::imap) fn after_tag(&mut self) -> Result<(), Bad> {
        self.space()
    }

    /// The digits of a number.
    pub(super) fn number(&mut self) -> Result<u64, Bad> {
        let digits = self.run(|byte| byte.is_ascii_digit())?;
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        number.filter(|number| *number <= i64::MAX as u64).ok_or(Bad("This number is too large"))
    }

    pub(super) fn number32(&mut self) -> Result<u32, Bad> {
        self.number()?.try_into().map_err(|_| Bad("This number is too large"))
    }

    /// `string`: in quotes, or a literal.
    pub(super) fn string(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{' | b'~') => Ok(self.literal()?.to_vec()),
            _ => Err(Bad("A string is missing")),
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, Bad> {
        self.expect(b'"')?;
        let mut text = Vec::new();
        loop {
            let Some((&byte, rest)) = self.rest.split_first() else {
                return Err(Bad("A string does not end"));
            };
            self.rest = rest;
            match byte {
                b'"' => return Ok(text),
                b'\\' => match self.rest.split_first() {
                    Some((&escaped @ (b'"' | b'\\'), rest)) => {
                        text.push(escaped);
                        self.rest = rest;
                    }
                    _ => return Err(Bad("Only quotes and backslashes are escaped")),
                },
                b'\r' | b'\n' | 0 => return Err(Bad("This cannot be in a string")),
                byte => text.push(byte),
            }
        }
    }

    /// A literal, also a binary one (`literal8`).
    pub(super) fn literal(&mut self) -> Result<&'a [u8], Bad> {
        self.eat(b'~');
        self.expect(b'{')?;
        let size = self.number()? as usize;
        self.eat(b'+');
        self.expect(b'}')?;
        self.expect(b'\r')?;
        self.expect(b'\n')?;
        if size > self.rest.len() {
            return Err(Bad("A literal is not whole"));
        }
        let (text, rest) = self.rest.split_at(size);
        self.rest = rest;
        Ok(text)
    }

    pub(super) fn astring(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => Ok(self.run(is_astring)?.to_vec()),
        }
    }

    /// `list-mailbox`.
    pub(super) fn pattern(&mut self) -> Result<Vec<u8>, Bad> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => Ok(self.run(is_list)?.to_vec()),
        }
    }

    /// What can only be text.
    pub(super) fn text(&mut self) -> Result<String, Bad> {
        String::from_utf8(self.astring()?).map_err(|_| Bad("This is not UTF-8"))
    }

    /// A list in parentheses of at most [`limits::ITEMS`], each read by `item`.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Bad>,
    ) -> Result<Vec<T>, Bad> {
        self.expect(b'(')?;
        let mut items = Vec::new();
        while self.eat(b' ') {}
        while !self.eat(b')') {
            if items.len() == limits::ITEMS {
                return Err(Bad("This list is too long"));
            }
            items.push(item(self)?);
            if self.peek() != Some(b')') {
                self.space()?;
            }
        }
        Ok(items)
    }
}
