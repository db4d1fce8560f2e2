//! PDUs as bytes: a length, and what it counts (SMPP 3.4 §3.2).

use super::super::limits;
use bytes::{Buf, BytesMut};
use rusmpp_core::command::owned::Command;
use rusmpp_core::decode::owned::DecodeWithLength;
use rusmpp_core::encode::Length;
use rusmpp_core::encode::owned::Encode;
use rusmpp_core::{CommandId, CommandStatus};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Bytes of the header (§3.2.1).
const HEADER: usize = 16;

/// The bit of answers in `command_id` (§5.1.2.1).
pub(super) const ANSWER: u32 = 0x8000_0000;

/// What was heard.
#[derive(Debug)]
pub enum Heard {
    /// A PDU.
    Command(Box<Command>),
    /// A request that cannot be read: its sequence number, and why. The next one can be.
    Broken(u32, CommandStatus),
    /// An answer that cannot be read, by its sequence number.
    Garbled(u32),
}

/// The reading side.
pub struct Reader<R> {
    stream: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Nothing is read yet.
    pub fn new(stream: R) -> Reader<R> {
        Reader { stream, buffer: BytesMut::new() }
    }

    /// The next PDU; nothing of it is lost when this is dropped before. `None`: the connection has ended.
    pub async fn next(&mut self) -> io::Result<Option<Heard>> {
        loop {
            if let Some(heard) = self.take()? {
                return Ok(Some(heard));
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> io::Result<Option<Heard>> {
        let Some(length) = self.buffer.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize) else {
            return Ok(None);
        };
        // Where it ends cannot be known then.
        if !(HEADER..=limits::PDU).contains(&length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a PDU has no length that there can be"));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let mut pdu = self.buffer.split_to(length);
        pdu.advance(4);
        Ok(Some(decode(pdu)))
    }
}

/// A PDU behind its length.
pub(super) fn decode(mut pdu: BytesMut) -> Heard {
    let field =
        |at: usize| pdu.get(at..at + 4).map_or(0, |it| u32::from_be_bytes([it[0], it[1], it[2], it[3]]));
    let (id, sequence) = (CommandId::from(field(0)), field(8));
    let length = pdu.len();
    match Command::decode(&mut pdu, length) {
        // What has another number than all that there are, and is no answer.
        Ok((command, _)) => match (command.id(), command.pdu()) {
            (CommandId::Other(id), _) if id & ANSWER == 0 => {
                Heard::Broken(sequence, CommandStatus::EsmeRinvcmdid)
            }
            _ => Heard::Command(Box::new(command)),
        },
        // §4.3: what cannot be read is said so, unless it is an answer itself.
        Err(_) if u32::from(id) & ANSWER != 0 => Heard::Garbled(sequence),
        Err(_) => Heard::Broken(sequence, CommandStatus::EsmeRsyserr),
    }
}

/// Says a PDU.
pub async fn say<W: AsyncWrite + Unpin>(stream: &mut W, command: &Command) -> io::Result<()> {
    let bytes = encode(command);
    let written = timeout(limits::WRITE, async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    });
    written.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A PDU with its length.
pub fn encode(command: &Command) -> BytesMut {
    let length = 4 + command.length();
    let mut bytes = BytesMut::with_capacity(length);
    bytes.extend_from_slice(&(length as u32).to_be_bytes());
    command.encode(&mut bytes);
    bytes
}
