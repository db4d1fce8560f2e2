//! The client's side of a WebSocket (RFC 6455), as far as XMPP needs it (RFC 7395).

use anyhow::{Result, bail};

/// Bytes of one message: what a server may send at most of one stanza.
const MESSAGE_BYTES: usize = 4 << 20;

/// Bytes of the answer to the upgrade.
const ANSWER_BYTES: usize = 8 << 10;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What the server has sent.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    /// 101: from here on it is a WebSocket.
    Upgraded,
    /// A whole text message.
    Text(Vec<u8>),
    Close,
}

/// Reads what a server sends, in any portions.
#[derive(Default)]
pub(crate) struct Decoder {
    upgraded: bool,
    /// An incomplete frame, or answer.
    held: Vec<u8>,
}

/// RFC 6455 §4.1. The key is the one of its example: nobody between has to be kept from caching.
pub(crate) fn upgrade(host: &str, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: xmpp\r\n\r\n"
    )
    .into_bytes()
}

/// Writes a text message; RFC 6455 §5.2, masked with zeros, which leave the bytes as they are.
pub(crate) fn text(payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x80 | TEXT);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

impl Decoder {
    /// Takes bytes from the front of `input` until one message is complete, or all of them.
    pub(crate) fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Frame>> {
        while !input.is_empty() || !self.held.is_empty() {
            let (end, frame) = if self.held.is_empty() {
                // Mostly a read brings whole frames: nothing is copied but the payload.
                match self.parse(input)? {
                    Some(found) => found,
                    None => {
                        self.held = input.to_vec();
                        *input = &[];
                        return Ok(None);
                    }
                }
            } else {
                let before = self.held.len();
                self.held.extend_from_slice(input);
                let held = std::mem::take(&mut self.held);
                match self.parse(&held)? {
                    Some((end, frame)) => (end - before, frame),
                    None => {
                        self.held = held;
                        *input = &[];
                        return Ok(None);
                    }
                }
            };
            *input = &input[end..];
            if frame.is_some() {
                return Ok(frame);
            }
        }
        Ok(None)
    }

    /// The first frame in `bytes`: where it ends, and what it is, if it is of any interest.
    fn parse(&mut self, bytes: &[u8]) -> Result<Option<(usize, Option<Frame>)>> {
        if !self.upgraded {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                if bytes.len() > ANSWER_BYTES {
                    bail!("the answer to the upgrade has no end");
                }
                return Ok(None);
            };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                bail!("no WebSocket: {}", String::from_utf8_lossy(bytes).lines().next().unwrap_or_default());
            }
            self.upgraded = true;
            return Ok(Some((end + 4, Some(Frame::Upgraded))));
        }
        let (Some(&first), Some(&second)) = (bytes.first(), bytes.get(1)) else { return Ok(None) };
        let (head, length) = match second {
            126 => match bytes.get(2..4) {
                Some(length) => (4, usize::from(u16::from_be_bytes([length[0], length[1]]))),
                None => return Ok(None),
            },
            127 => match bytes.get(2..10) {
                Some(length) => (10, u64::from_be_bytes(length.try_into()?) as usize),
                None => return Ok(None),
            },
            short @ 0..126 => (2, usize::from(short)),
            _ => bail!("a masked frame from a server"),
        };
        if length > MESSAGE_BYTES {
            bail!("a message of {length} bytes");
        }
        let Some(payload) = bytes.get(head..head + length) else { return Ok(None) };
        let frame = match (first & 0x0f, first & 0x80 != 0) {
            (TEXT, true) => Some(Frame::Text(payload.to_vec())),
            (CLOSE, _) => Some(Frame::Close),
            // Keepalives of a server that is patient for longer than a run takes.
            (PING | PONG, _) => None,
            (opcode, _) => bail!("a frame of kind {opcode}, in parts or of another form"),
        };
        Ok(Some((head + length, frame)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_in_any_portions() {
        let long = vec![b'x'; 300];
        let mut bytes = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n".to_vec();
        bytes.extend([0x81, 2, b'h', b'i', 0x89, 0, 0x81, 126, 1, 44]);
        bytes.extend(&long);
        bytes.extend([0x88, 0]);
        for portion in 1..bytes.len() {
            let mut decoder = Decoder::default();
            let mut seen = Vec::new();
            for mut part in bytes.chunks(portion) {
                while let Some(frame) = decoder.feed(&mut part).expect("good") {
                    seen.push(frame);
                }
            }
            let expected =
                [Frame::Upgraded, Frame::Text(b"hi".to_vec()), Frame::Text(long.clone()), Frame::Close];
            assert_eq!(seen, expected, "in portions of {portion}");
        }
    }

    #[test]
    fn what_is_no_web_socket_is_an_error() {
        assert!(Decoder::default().feed(&mut &b"HTTP/1.1 404 Not Found\r\n\r\n"[..]).is_err());
        let mut decoder = Decoder { upgraded: true, held: Vec::new() };
        assert!(decoder.feed(&mut &[0x81u8, 127, 255, 0, 0, 0, 0, 0, 0, 0][..]).is_err());
    }
}
