//! How elements travel: in one document, in messages of a WebSocket, or as bare pieces through the relay.

use anyhow::{Result, bail};
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza, write_with};
use rookery_proto::xml::{self, Limits, Scanner};

use super::websocket;

/// One connection's form of elements, and what it holds of an incomplete one.
pub(crate) enum Framing {
    /// RFC 6120 §4.
    Stream(Box<Scanner>),
    /// RFC 7395.
    WebSocket(Box<websocket::Decoder>),
    /// Length, receiver, bytes: what the relay forwards. Holds an incomplete piece.
    Relay(Vec<u8>),
}

/// What came.
#[derive(Debug)]
pub(crate) enum Item {
    /// The WebSocket is there, or the relay has answered: the dialogue can begin.
    Open,
    /// The stream's header.
    Header,
    Element(Stanza),
    /// The stream's end.
    Close,
}

/// Who gets a piece from the relay. Servers read the address in the stanza instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// The server itself: the relay drops it.
    Server,
    /// The session of that number, over all workers.
    Session(usize),
    /// Everybody who is connected.
    All,
}

/// Targets of the relay that are no session.
pub(crate) const TO_NOBODY: u32 = u32::MAX;
pub(crate) const TO_ALL: u32 = u32::MAX - 1;

/// Length (of the payload) and target, both in network order.
pub(crate) const RELAY_HEAD: usize = 6;

impl Framing {
    pub(crate) fn stream() -> Framing {
        Framing::Stream(Box::new(Scanner::new(Limits::stored())))
    }

    /// Expects a new stream (RFC 6120 §4.3.3).
    pub(crate) fn restart(&mut self) {
        if let Framing::Stream(scanner) = self {
            scanner.restart();
        }
    }

    /// Takes bytes from the front of `input` until something is complete, or all of them.
    pub(crate) fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Item>> {
        match self {
            Framing::Stream(scanner) => Ok(scanner.feed(input)?.map(|item| match item {
                xml::Item::Header(_) => Item::Header,
                xml::Item::Stanza(stanza) => Item::Element(stanza),
                xml::Item::Close => Item::Close,
            })),
            Framing::WebSocket(decoder) => match decoder.feed(input)? {
                None => Ok(None),
                Some(websocket::Frame::Upgraded) => Ok(Some(Item::Open)),
                Some(websocket::Frame::Close) => Ok(Some(Item::Close)),
                Some(websocket::Frame::Text(text)) => {
                    let element = xml::frame(&text, &Limits::stored())?;
                    Ok(Some(match element.name() {
                        "open" if element.ns() == ns::FRAMING => Item::Header,
                        "close" if element.ns() == ns::FRAMING => Item::Close,
                        _ => Item::Element(element),
                    }))
                }
            },
            Framing::Relay(held) => relayed(held, input),
        }
    }

    /// What begins a stream to `domain`.
    pub(crate) fn header(&self, domain: &str, out: &mut Vec<u8>) {
        match self {
            Framing::Stream(_) => out.extend_from_slice(
                format!(
                    "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xml:lang='en' xmlns='{}' \
                     xmlns:stream='{}'>",
                    ns::CLIENT,
                    ns::STREAM
                )
                .as_bytes(),
            ),
            Framing::WebSocket(_) => {
                let open = format!("<open xmlns='{}' to='{domain}' version='1.0'/>", ns::FRAMING);
                websocket::text(open.as_bytes(), out);
            }
            Framing::Relay(_) => {}
        }
    }

    /// What ends it.
    pub(crate) fn footer(&self, out: &mut Vec<u8>) {
        match self {
            Framing::Stream(_) => out.extend_from_slice(b"</stream:stream>"),
            Framing::WebSocket(_) => {
                websocket::text(format!("<close xmlns='{}'/>", ns::FRAMING).as_bytes(), out);
            }
            Framing::Relay(_) => {}
        }
    }

    /// Writes one element.
    pub(crate) fn element(&self, target: Target, element: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Framing::Stream(_) => out.extend_from_slice(element),
            Framing::WebSocket(_) => {
                let mut declared = Vec::with_capacity(element.len() + 24);
                write_with(element, true, b"", &mut declared)?;
                websocket::text(&declared, out);
            }
            Framing::Relay(_) => match target {
                Target::Server => {}
                Target::Session(number) => relay(number as u32, element, out)?,
                Target::All => relay(TO_ALL, element, out)?,
            },
        }
        Ok(())
    }
}

/// A piece for the relay.
pub(crate) fn relay(target: u32, payload: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let Ok(length) = u16::try_from(payload.len()) else { bail!("a piece of {} bytes", payload.len()) };
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&target.to_be_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// A piece from the relay: the sender's own head, and a stanza or nothing.
fn relayed(held: &mut Vec<u8>, input: &mut &[u8]) -> Result<Option<Item>> {
    loop {
        let needed = match held.first_chunk::<2>() {
            Some(length) => RELAY_HEAD + usize::from(u16::from_be_bytes(*length)),
            None => 2,
        };
        if held.len() == needed && needed >= RELAY_HEAD {
            let piece = std::mem::take(held);
            return match &piece[RELAY_HEAD..] {
                [] => Ok(Some(Item::Open)),
                payload => Ok(Some(Item::Element(Stanza::parse(payload)?))),
            };
        }
        let taken = input.len().min(needed - held.len());
        if taken == 0 {
            return Ok(None);
        }
        held.extend_from_slice(&input[..taken]);
        *input = &input[taken..];
    }
}

/// Whether XEP-0198 counts it.
pub(crate) fn is_counted(element: &Stanza) -> bool {
    !matches!(element.kind(), Kind::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_the_relay_come_in_any_portions() {
        let mut bytes = Vec::new();
        relay(7, b"", &mut bytes).expect("short");
        relay(7, b"<message id='a'/>", &mut bytes).expect("short");
        for portion in 1..bytes.len() {
            let mut framing = Framing::Relay(Vec::new());
            let mut seen = Vec::new();
            for mut part in bytes.chunks(portion) {
                while let Some(item) = framing.feed(&mut part).expect("good") {
                    seen.push(match item {
                        Item::Open => String::new(),
                        Item::Element(stanza) => stanza.id().unwrap_or_default().into_owned(),
                        other => format!("{other:?}"),
                    });
                }
            }
            assert_eq!(seen, ["", "a"], "in portions of {portion}");
        }
    }

    #[test]
    fn a_stanza_in_a_web_socket_says_its_namespace() {
        let framing = Framing::WebSocket(Box::default());
        let mut out = Vec::new();
        framing.element(Target::Server, b"<presence/>", &mut out).expect("good");
        assert!(out.ends_with(b"<presence xmlns='jabber:client'/>"));
    }
}
