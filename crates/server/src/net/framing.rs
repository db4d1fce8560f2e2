//! How elements travel: as children of one long document (RFC 6120 §4), one in each text message of a WebSocket
//! (RFC 7395), or in the bodies of BOSH (XEP-0206). Negotiation and connection know only elements.

use crate::bosh;
use rookery_proto::ns;
use rookery_proto::stream::{self, framing};
use rookery_proto::websocket::{self, Decoder, Frame};
use rookery_proto::xml::{Excess, Item, Limits, ScanError, Scanner, frame};
use std::sync::Arc;

/// One of the three ways.
#[allow(clippy::large_enum_variant, reason = "a box would cost more where most connections are documents")]
pub enum Framing {
    /// A document that ends with the connection.
    Stream(Scanner),
    /// Messages; boxed, for most connections are not.
    WebSocket(Box<WebSocket>),
    /// Requests and answers. What comes was parsed with the request that brought it.
    Bosh(Arc<bosh::Session>),
}

/// What a WebSocket has beyond its bytes.
pub struct WebSocket {
    decoder: Decoder,
    limits: Limits,
    /// The latest ping that was not answered yet (RFC 6455 §5.5.3: only this one need be).
    ping: Option<Vec<u8>>,
    /// The peer has sent its Close frame, and wants no more than ours.
    closed: bool,
    /// What our Close frame will say (RFC 6455 §7.4.1).
    code: u16,
}

/// What the bytes have come to.
pub enum Fed {
    /// An item of the stream.
    Item(Item),
    /// Nothing more, for now.
    Nothing,
    /// The peer has closed the connection below the stream.
    Closed,
}

impl Framing {
    /// A document, from its first byte on.
    pub fn stream(limits: Limits) -> Framing {
        Framing::Stream(Scanner::new(limits))
    }

    /// A WebSocket after its handshake.
    pub fn web_socket(limits: Limits) -> Framing {
        let decoder = Decoder::default();
        let code = websocket::NORMAL;
        Framing::WebSocket(Box::new(WebSocket { decoder, limits, ping: None, closed: false, code }))
    }

    /// Changes the limits, from the current item on.
    pub fn set_limits(&mut self, limits: Limits) {
        match self {
            Framing::Stream(scanner) => scanner.set_limits(limits),
            Framing::WebSocket(socket) => socket.limits = limits,
            Framing::Bosh(session) => session.set_limits(limits),
        }
    }

    /// Expects a new stream after authentication (RFC 6120 §6.3.2). Where there is no document, nothing begins anew: the
    /// client sends another `<open/>` (RFC 7395 §3.7), or says so in a body (XEP-0206 §5).
    pub fn restart(&mut self) {
        if let Framing::Stream(scanner) = self {
            scanner.restart();
        }
    }

    /// Takes bytes from the front of `input` until one item is complete, or all of them.
    pub fn feed(&mut self, input: &mut &[u8]) -> Result<Fed, ScanError> {
        match self {
            Framing::Stream(scanner) => Ok(scanner.feed(input)?.map_or(Fed::Nothing, Fed::Item)),
            Framing::WebSocket(socket) => socket.feed(input),
            Framing::Bosh(_) => Ok(Fed::Nothing),
        }
    }

    /// What the peer is owed below the stream: the answer to a ping.
    pub fn take_reply(&mut self) -> Option<Vec<u8>> {
        match self {
            Framing::Stream(_) | Framing::Bosh(_) => None,
            Framing::WebSocket(socket) => socket.ping.take().map(|payload| websocket::pong(&payload)),
        }
    }

    /// Appends the server's stream header; `to` is who the client says it is.
    pub fn open(&self, from: &str, to: Option<&str>, id: &str, lang: Option<&str>, out: &mut Vec<u8>) {
        let start = out.len();
        match self {
            Framing::Stream(_) => out.extend_from_slice(&stream::open(from, to, id, lang)),
            Framing::WebSocket(_) => {
                out.extend_from_slice(&framing::open(from, to, id, lang));
                self.seal(out, start);
            }
            // XEP-0206 §2: the wrapper says it.
            Framing::Bosh(session) => session.opened(id),
        }
    }

    /// What stands in `out` from `start` on is one element, as the child of a client's stream: gives it the form in which
    /// it travels.
    pub fn seal(&self, out: &mut Vec<u8>, start: usize) {
        if let Framing::Stream(_) = self {
            return;
        }
        // RFC 7395 §3.3.3, XEP-0206 §4: an element does not rely on what another one has declared.
        let (name, missing) = framing::declaration(&out[start..]);
        let mut front = match self {
            Framing::WebSocket(_) => websocket::text(out.len() - start + missing.len()).to_vec(),
            _ => Vec::new(),
        };
        if let (Framing::Bosh(session), b"stream:error") = (self, name) {
            session.fails();
        }
        front.push(b'<');
        front.extend_from_slice(name);
        front.extend_from_slice(missing);
        let named = start + 1 + name.len();
        out.splice(start..named, front);
    }

    /// Whether the peer has gone in a way that is to be answered (RFC 6455 §5.5.1).
    pub fn is_owed_the_end(&self) -> bool {
        matches!(self, Framing::WebSocket(socket) if socket.closed)
    }

    /// Appends the end of the stream, and of what lies below it. Nothing may be written afterwards.
    pub fn close(&self, out: &mut Vec<u8>) {
        match self {
            Framing::Stream(_) => out.extend_from_slice(stream::CLOSE),
            Framing::WebSocket(socket) => {
                if !socket.closed {
                    let start = out.len();
                    out.extend_from_slice(framing::CLOSE);
                    self.seal(out, start);
                }
                out.extend_from_slice(&websocket::close(socket.code));
            }
            // The wrapper of the last answer says it.
            Framing::Bosh(_) => {}
        }
    }
}

impl WebSocket {
    fn feed(&mut self, input: &mut &[u8]) -> Result<Fed, ScanError> {
        loop {
            let message = match self.decoder.feed(input, self.limits.stanza_bytes) {
                Ok(Some(Frame::Text(message))) => message,
                Ok(Some(Frame::Ping(payload))) => {
                    self.ping = Some(payload);
                    continue;
                }
                Ok(Some(Frame::Close)) => {
                    self.closed = true;
                    return Ok(Fed::Closed);
                }
                Ok(None) => return Ok(Fed::Nothing),
                Err(error) => {
                    self.code = error.code();
                    let too_big = error == websocket::FrameError::TooBig;
                    return Err(if too_big {
                        ScanError::Policy(Excess::Stanza)
                    } else {
                        ScanError::BadFormat
                    });
                }
            };
            return self.item(&message).map(Fed::Item);
        }
    }

    fn item(&mut self, message: &[u8]) -> Result<Item, ScanError> {
        let element = frame(message, &self.limits).inspect_err(|error| {
            if *error == ScanError::InvalidUtf8 {
                self.code = websocket::NOT_UTF8;
            }
        })?;
        Ok(if element.is(ns::FRAMING, "open") {
            Item::Header(framing::header(&element))
        } else if element.is(ns::FRAMING, "close") {
            Item::Close
        } else {
            Item::Stanza(element)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_element_stands_alone_behind_its_length() {
        let socket = Framing::web_socket(Limits::unauthenticated());
        let mut out = b"what is being written".to_vec();
        let start = out.len();
        out.extend_from_slice(b"<iq type='result' id='1'/>");
        socket.seal(&mut out, start);
        let expected = b"<iq xmlns='jabber:client' type='result' id='1'/>";
        assert_eq!(out[start..start + 2], [0x81, expected.len() as u8]);
        assert_eq!(&out[start + 2..], expected);
    }

    #[test]
    fn a_document_needs_no_seal() {
        let mut out = b"<iq type='result' id='1'/>".to_vec();
        Framing::stream(Limits::unauthenticated()).seal(&mut out, 0);
        assert_eq!(out, b"<iq type='result' id='1'/>");
    }
}
