//! The frames of a WebSocket as a server reads and writes them (RFC 6455 §5): text messages, whole or in fragments,
//! without extensions. Nothing is held between messages.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;

/// RFC 6455 §1.3: what the server adds to the client's key before it is hashed.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// RFC 6455 §5.5: the payload of a control frame.
const CONTROL_BYTES: u64 = 125;

/// RFC 6455 §7.4.1: the purpose of the connection is fulfilled.
pub const NORMAL: u16 = 1000;

/// RFC 6455 §7.4.1: a text message is not UTF-8.
pub const NOT_UTF8: u16 = 1007;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The bit of the first byte that says: this is the message's last frame.
const FIN: u8 = 0x80;

/// The bit of the second byte that says: the payload is masked.
const MASKED: u8 = 0x80;

/// `Sec-WebSocket-Accept` for a client's `Sec-WebSocket-Key` (RFC 6455 §4.2.2).
pub fn accept(key: &str) -> String {
    BASE64_STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize())
}

/// What a client has sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame {
    /// A whole text message; not yet checked to be UTF-8.
    Text(Vec<u8>),
    /// It wants a [`pong`] with the same payload.
    Ping(Vec<u8>),
    /// Nothing more will come.
    Close,
}

/// Why the connection must fail (RFC 6455 §7.1.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// A frame that RFC 6455 §5 does not allow here.
    Protocol,
    /// A binary message: only text carries XML (RFC 7395 §3.2).
    Binary,
    /// A message beyond the limit.
    TooBig,
}

impl FrameError {
    /// The code that the Close frame carries (RFC 6455 §7.4.1).
    pub fn code(self) -> u16 {
        match self {
            FrameError::Protocol => 1002,
            FrameError::Binary => 1003,
            FrameError::TooBig => 1009,
        }
    }
}

/// The beginning of a frame.
#[derive(Clone, Copy, Debug)]
struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    /// Payload that is still to come, in bytes.
    left: u64,
    /// Payload that came.
    seen: usize,
}

/// Reads what a client sends, in any portions. An error is final; nothing may be fed after it.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The first bytes of a frame's header.
    head: SmallVec<[u8; 14]>,
    frame: Option<Header>,
    /// The message so far.
    message: Vec<u8>,
    /// A message has begun whose last frame has not.
    fragmented: bool,
    /// The payload of the control frame that is being read; those come between fragments, too.
    control: Vec<u8>,
}

impl Decoder {
    /// Takes bytes from the front of `input` until one message of at most `max` bytes is complete, or all of them.
    pub fn feed(&mut self, input: &mut &[u8], max: usize) -> Result<Option<Frame>, FrameError> {
        loop {
            let Some(mut header) = self.frame else {
                let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
                *input = rest;
                self.head.push(byte);
                if let Some(header) = parse(&self.head)? {
                    self.check(&header, max)?;
                    self.head.clear();
                    self.frame = Some(header);
                }
                continue;
            };
            let taken = input.len().min(usize::try_from(header.left).unwrap_or(usize::MAX));
            let (payload, rest) = input.split_at(taken);
            *input = rest;
            let into = if is_control(header.opcode) { &mut self.control } else { &mut self.message };
            let mask = header.mask.iter().cycle().skip(header.seen % 4);
            into.extend(payload.iter().zip(mask).map(|(byte, mask)| byte ^ mask));
            header.left -= taken as u64;
            header.seen += taken;
            if header.left > 0 {
                self.frame = Some(header);
                return Ok(None);
            }
            self.frame = None;
            if let Some(frame) = self.finish(&header)? {
                return Ok(Some(frame));
            }
        }
    }

    /// What RFC 6455 §5.2, §5.4 and §5.5 ask of a frame at this place, and our limit.
    fn check(&self, header: &Header, max: usize) -> Result<(), FrameError> {
        let in_order = match header.opcode {
            CONTINUATION => self.fragmented,
            TEXT => !self.fragmented,
            BINARY => return Err(FrameError::Binary),
            CLOSE | PING | PONG => header.fin && header.left <= CONTROL_BYTES,
            _ => false,
        };
        if !in_order {
            return Err(FrameError::Protocol);
        }
        let room = max.saturating_sub(self.message.len()) as u64;
        if is_control(header.opcode) || header.left <= room { Ok(()) } else { Err(FrameError::TooBig) }
    }

    fn finish(&mut self, header: &Header) -> Result<Option<Frame>, FrameError> {
        if is_control(header.opcode) {
            let payload = std::mem::take(&mut self.control);
            return match header.opcode {
                PING => Ok(Some(Frame::Ping(payload))),
                // §5.5.1: nothing, or a code of two bytes and a reason.
                CLOSE if payload.len() == 1 => Err(FrameError::Protocol),
                CLOSE => Ok(Some(Frame::Close)),
                _ => Ok(None),
            };
        }
        self.fragmented = !header.fin;
        Ok(header.fin.then(|| Frame::Text(std::mem::take(&mut self.message))))
    }
}

fn is_control(opcode: u8) -> bool {
    opcode & 0x8 != 0
}

/// The header, if all of it is there (RFC 6455 §5.2).
fn parse(head: &[u8]) -> Result<Option<Header>, FrameError> {
    let [first, second, rest @ ..] = head else { return Ok(None) };
    // §5.1: a client masks; no extension is agreed on that would give the reserved bits a meaning.
    if first & 0x70 != 0 || second & MASKED == 0 {
        return Err(FrameError::Protocol);
    }
    let extended = match second & !MASKED {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    if rest.len() < extended + 4 {
        return Ok(None);
    }
    let (length, mask) = rest.split_at(extended);
    let left = match extended {
        0 => u64::from(second & !MASKED),
        _ => length.iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte)),
    };
    // §5.2: in as few bytes as possible, and never negative.
    let fewest = match extended {
        2 => 126,
        8 => 1 << 16,
        _ => 0,
    };
    if left < fewest || left > i64::MAX as u64 {
        return Err(FrameError::Protocol);
    }
    let mask = [mask[0], mask[1], mask[2], mask[3]];
    Ok(Some(Header { fin: first & FIN != 0, opcode: first & 0x0f, mask, left, seen: 0 }))
}

/// The longest header that a server writes.
pub type Head = SmallVec<[u8; 10]>;

/// What stands before a text message of so many bytes in one frame.
pub fn text(bytes: usize) -> Head {
    head(TEXT, bytes)
}

/// The answer to a ping (RFC 6455 §5.5.3).
pub fn pong(payload: &[u8]) -> Vec<u8> {
    [&head(PONG, payload.len()), payload].concat()
}

/// A Close frame with its code: nothing more will be sent (RFC 6455 §5.5.1).
pub fn close(code: u16) -> Vec<u8> {
    [&head(CLOSE, size_of::<u16>())[..], &code.to_be_bytes()].concat()
}

fn head(opcode: u8, bytes: usize) -> Head {
    let mut head = Head::from_slice(&[FIN | opcode]);
    match bytes {
        0..126 => head.push(bytes as u8),
        126..0x1_0000 => {
            head.push(126);
            head.extend_from_slice(&(bytes as u16).to_be_bytes());
        }
        _ => {
            head.push(127);
            head.extend_from_slice(&(bytes as u64).to_be_bytes());
        }
    }
    head
}

#[cfg(test)]
mod tests;
