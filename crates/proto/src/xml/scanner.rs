//! The scanner of a stream: bytes in any portions become headers, stanzas and the close.

use memchr::memmem;

use super::canonical::canonical;
use super::chars::{check_text, is_space};
use super::header::{StreamHeader, check_declaration, parse_header};
use super::namespaces::Context;
use super::walker::{Shape, Walker, check_end_tag};
use super::{Excess, Limits, ScanError};
use crate::stanza::Stanza;

/// One item of a stream.
#[derive(Debug)]
pub enum Item {
    /// The stream's start tag.
    Header(StreamHeader),
    /// A whole element directly below the root: a stanza or a nonza, in canonical form.
    Stanza(Stanza),
    /// The stream's end tag.
    Close,
}

/// What may come next at the level of the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The very first byte: an XML declaration or what [`Phase::Prolog`] takes.
    Start,
    /// White space and the stream's start tag.
    Prolog,
    /// White space, stanzas, the stream's end tag.
    Stream,
    /// White space.
    Closed,
    /// An error is final.
    Failed(ScanError),
}

/// Reads one direction of one stream (RFC 6120 §4), incrementally and strictly: whatever it hands out is well-formed,
/// namespace-well-formed, free of what RFC 6120 §11.1 restricts, and within the [`Limits`].
///
/// It can be fed single bytes or megabytes with the same result. White space between stanzas is skipped (keepalives).
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    phase: Phase,
    /// The first bytes of an item whose end has not come yet.
    held: Vec<u8>,
    /// How far into that item we are.
    walker: Walker,
    context: Context,
    /// The name of the stream's root as written, for its end tag.
    root: String,
}

impl Scanner {
    /// A scanner that expects the beginning of a stream.
    pub fn new(limits: Limits) -> Scanner {
        Scanner {
            limits,
            phase: Phase::Start,
            held: Vec::new(),
            walker: Walker::new(),
            context: Context::CLIENT,
            root: String::new(),
        }
    }

    /// Changes the limits, from the current item on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Expects a new stream, as after STARTTLS and SASL (RFC 6120 §4.3.3). Drops what was held.
    pub fn restart(&mut self) {
        *self = Scanner::new(self.limits);
    }

    /// Bytes of an incomplete item that are held. Nothing is held, and no buffer allocated, between stanzas.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Takes bytes from the front of `input` until one item is complete, or all of them: then a copy of the
    /// incomplete rest is held, and the result is `None`.
    pub fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ScanError> {
        let result = self.next(input);
        if let Err(error) = result {
            self.phase = Phase::Failed(error);
            self.held = Vec::new();
        }
        result
    }

    fn next(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ScanError> {
        loop {
            if self.held.is_empty() && !self.at_markup(input)? {
                return Ok(None);
            }
            let (limit, excess) = match self.phase {
                Phase::Stream => (self.limits.stanza_bytes, Excess::Stanza),
                _ => (self.limits.header_bytes, Excess::Header),
            };
            let before = self.held.len();
            let taken = input.len().min(limit.saturating_sub(before));
            let (end, item) = if before == 0 {
                let Some(end) = self.item_end(&input[..taken])? else {
                    self.hold(input, taken, excess)?;
                    return Ok(None);
                };
                (end.at, self.item(input[..end.at].to_vec(), end)?)
            } else {
                let mut bytes = std::mem::take(&mut self.held);
                bytes.extend_from_slice(&input[..taken]);
                let Some(end) = self.item_end(&bytes)? else {
                    self.held = bytes;
                    self.hold(input, taken, excess)?;
                    return Ok(None);
                };
                bytes.truncate(end.at);
                bytes.shrink_to_fit();
                (end.at, self.item(bytes, end)?)
            };
            *input = &input[end - before..];
            self.walker.reset();
            if item.is_some() {
                return Ok(item);
            }
        }
    }

    /// Skips white space. Tells whether there is a `<` to go on with.
    fn at_markup(&mut self, input: &mut &[u8]) -> Result<bool, ScanError> {
        if let Phase::Failed(error) = self.phase {
            return Err(error);
        }
        let spaces = input.iter().take_while(|&&b| is_space(b)).count();
        *input = &input[spaces..];
        if spaces > 0 && self.phase == Phase::Start {
            self.phase = Phase::Prolog;
        }
        match input.first() {
            None => Ok(false),
            Some(b'<') if self.phase != Phase::Closed => Ok(true),
            Some(_) if matches!(self.phase, Phase::Stream | Phase::Closed) => Err(ScanError::BadFormat),
            Some(_) => Err(ScanError::NotWellFormed),
        }
    }

    /// Keeps what is left of an item that did not end.
    fn hold(&mut self, input: &mut &[u8], taken: usize, excess: Excess) -> Result<(), ScanError> {
        if taken < input.len() {
            return Err(ScanError::Policy(excess));
        }
        if self.held.is_empty() {
            self.held = input.to_vec();
        }
        *input = &[];
        Ok(())
    }

    /// Finds the end of the item that starts at `bytes[0]`, a `<`.
    fn item_end(&mut self, bytes: &[u8]) -> Result<Option<End>, ScanError> {
        let plain = |at| End { at, shape: None };
        match (self.phase, bytes.get(1)) {
            (_, None) => Ok(None),
            (Phase::Stream, Some(b'/')) => Ok(self.walker.markup_end(bytes)?.map(plain)),
            (Phase::Stream, Some(_)) => {
                let shape = self.walker.walk(bytes, &self.context, &self.limits)?;
                Ok(shape.map(|shape| End { at: shape.end as usize, shape: Some(shape) }))
            }
            (Phase::Prolog, Some(b'?')) => Err(ScanError::RestrictedXml),
            (_, Some(b'/')) => Err(ScanError::NotWellFormed),
            _ => Ok(self.walker.markup_end(bytes)?.map(plain)),
        }
    }

    /// Makes an item of its bytes; `None` for the XML declaration.
    fn item(&mut self, bytes: Vec<u8>, end: End) -> Result<Option<Item>, ScanError> {
        if let Some(shape) = end.shape {
            return finish(bytes, shape, &self.context, &self.limits)
                .map(|stanza| Some(Item::Stanza(stanza)));
        }
        match bytes[1] {
            b'?' => {
                check_declaration(&bytes)?;
                self.phase = Phase::Prolog;
                Ok(None)
            }
            b'/' => {
                check_end_tag(&bytes, self.root.as_bytes())?;
                self.phase = Phase::Closed;
                Ok(Some(Item::Close))
            }
            _ => {
                let (header, context, root) = parse_header(&bytes, &self.limits)?;
                (self.context, self.root) = (context, root);
                self.phase = Phase::Stream;
                Ok(Some(Item::Header(header)))
            }
        }
    }
}

/// The end of an item, and its shape if it is an element.
struct End {
    at: usize,
    shape: Option<Box<Shape>>,
}

/// Reads the one element that a WebSocket frame holds (RFC 7395 §3.3): it starts with `<`, ends with `>` and
/// says what its namespace is.
pub fn frame(bytes: &[u8], limits: &Limits) -> Result<Stanza, ScanError> {
    let stanza = element(bytes, &Context::FRAME, limits)?;
    if stanza.ns().is_empty() { Err(ScanError::InvalidNamespace) } else { Ok(stanza) }
}

/// Reads bytes that are one element and nothing else.
pub(crate) fn element(bytes: &[u8], context: &Context, limits: &Limits) -> Result<Stanza, ScanError> {
    if bytes.len() > limits.stanza_bytes {
        return Err(ScanError::Policy(Excess::Stanza));
    }
    if bytes.first() != Some(&b'<') {
        return Err(ScanError::NotWellFormed);
    }
    let shape = Walker::new().walk(bytes, context, limits)?.ok_or(ScanError::NotWellFormed)?;
    if shape.end as usize != bytes.len() {
        return Err(ScanError::NotWellFormed);
    }
    finish(bytes.to_vec(), shape, context, limits)
}

/// Checks an element's characters and brings it into canonical form.
fn finish(
    mut bytes: Vec<u8>,
    shape: Box<Shape>,
    context: &Context,
    limits: &Limits,
) -> Result<Stanza, ScanError> {
    check_text(&bytes)?;
    if shape.unusual {
        bytes = canonical(&bytes, context, limits)?;
    } else if shape.redundant_ns {
        // As every stanza in a WebSocket frame: worth a short way.
        let value = shape.ns.start as usize..shape.ns.end as usize;
        let name = memmem::rfind(&bytes[..value.start], b"xmlns").ok_or(ScanError::NotWellFormed)?;
        // With the space before it and the quote after it.
        bytes.drain(name - 1..=value.end);
    } else {
        return Ok(Stanza::new(bytes, shape));
    }
    // Attributes with a namespace still count as unusual; canonical form has them.
    let shape = Walker::new().walk(&bytes, &Context::CLIENT, &Limits::stored())?;
    Ok(Stanza::new(bytes, shape.ok_or(ScanError::NotWellFormed)?))
}
