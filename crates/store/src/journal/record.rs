//! The journal's records.
//!
//! ```text
//! file    HEADER, identity of the boot (36 bytes, zeros: unknown), records
//! record  length of the payload (u16), its complement (u16), CRC-32C of the payload (u32), payload
//! ```
//!
//! Numbers are little-endian. The complement tells a record that was cut short, whose beginning is right, from damage.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rookery_proto::{Uid, Useq};

use super::Sent;
use crate::{StreamId, limits};

pub(super) const HEADER: &[u8] = b"rookery streams 4\n";

/// Bytes before a payload.
const PREFIX: usize = 8;

const SNAPSHOT: u8 = 1;
const SENT: u8 = 2;
const ACKED: u8 = 3;
const HANDLED: u8 = 4;
const ENDED: u8 = 5;
const CLEAN: u8 = 6;
const ROOMS: u8 = 7;
const WAITS: u8 = 8;
const TAKEN: u8 = 9;

const LOG: u8 = 1;
const BYTES: u8 = 2;
const OPAQUE: u8 = 3;
const ROOM: u8 = 4;

/// One thing that happened to a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Record<'a> {
    Snapshot {
        id: StreamId,
        last: Useq,
        snapshot: &'a [u8],
    },
    Sent {
        id: StreamId,
        first_count: u32,
        last: Useq,
        sent: Cow<'a, [Sent]>,
    },
    Acked {
        id: StreamId,
        h: u32,
    },
    Handled {
        id: StreamId,
        h: u32,
    },
    Ended {
        id: StreamId,
    },
    /// See [`super::Recovered::rooms`]; only where a file begins with what lives.
    Rooms {
        id: StreamId,
        rooms: Cow<'a, BTreeMap<Uid, Useq>>,
    },
    /// A stanza that is in no log waits for the client; `None`: one was dropped.
    Waits {
        id: StreamId,
        presence_of: Cow<'a, str>,
        stanza: Option<Cow<'a, [u8]>>,
    },
    /// Nothing waits any more that is in no log.
    Taken {
        id: StreamId,
    },
    Clean,
}

/// Records of sent stanzas: as many as fit into one each. The place after them is in the last alone, for the file may
/// end before it.
pub(super) fn sent(
    id: StreamId,
    first_count: u32,
    last: Useq,
    sent: &[Sent],
) -> impl Iterator<Item = Record<'_>> {
    let parts = sent.chunks(limits::JOURNAL_SENT);
    let many = parts.len();
    parts.enumerate().map(move |(index, part)| Record::Sent {
        id,
        first_count: first_count.wrapping_add((index * limits::JOURNAL_SENT) as u32),
        last: if index + 1 == many { last } else { Useq(0) },
        sent: Cow::Borrowed(part),
    })
}

impl Record<'_> {
    /// Appends the record to `bytes`.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(&[0; PREFIX]);
        match self {
            Record::Snapshot { id, last, snapshot } => {
                begin(bytes, SNAPSHOT, id);
                bytes.extend_from_slice(&last.0.to_le_bytes());
                bytes.extend_from_slice(snapshot);
            }
            Record::Sent { id, first_count, last, sent } => {
                begin(bytes, SENT, id);
                bytes.extend_from_slice(&last.0.to_le_bytes());
                bytes.extend_from_slice(&first_count.to_le_bytes());
                for sent in sent.iter() {
                    encode_sent(bytes, sent);
                }
            }
            Record::Acked { id, h } => {
                begin(bytes, ACKED, id);
                bytes.extend_from_slice(&h.to_le_bytes());
            }
            Record::Handled { id, h } => {
                begin(bytes, HANDLED, id);
                bytes.extend_from_slice(&h.to_le_bytes());
            }
            Record::Ended { id } => begin(bytes, ENDED, id),
            Record::Rooms { id, rooms } => {
                begin(bytes, ROOMS, id);
                for (room, useq) in rooms.iter() {
                    encode_sent(bytes, &Sent::Room(*room, *useq));
                }
            }
            Record::Waits { id, presence_of, stanza } => {
                begin(bytes, WAITS, id);
                bytes.extend_from_slice(&(presence_of.len() as u16).to_le_bytes());
                bytes.extend_from_slice(presence_of.as_bytes());
                bytes.extend_from_slice(stanza.as_deref().unwrap_or_default());
            }
            Record::Taken { id } => begin(bytes, TAKEN, id),
            Record::Clean => bytes.push(CLEAN),
        }
        let payload = &bytes[start + PREFIX..];
        let length = u16::try_from(payload.len()).expect("the limits keep a record below 64 KiB");
        let check = crc32c(payload);
        bytes[start..start + 2].copy_from_slice(&length.to_le_bytes());
        bytes[start + 2..start + 4].copy_from_slice(&(!length).to_le_bytes());
        bytes[start + 4..start + 8].copy_from_slice(&check.to_le_bytes());
    }
}

fn begin(bytes: &mut Vec<u8>, kind: u8, id: &StreamId) {
    bytes.push(kind);
    bytes.extend_from_slice(&id.0);
}

fn encode_sent(bytes: &mut Vec<u8>, sent: &Sent) {
    match sent {
        Sent::Log(useq) => {
            bytes.push(LOG);
            bytes.extend_from_slice(&useq.0.to_le_bytes());
        }
        Sent::Room(room, useq) => {
            bytes.push(ROOM);
            bytes.extend_from_slice(&room.0.to_le_bytes());
            bytes.extend_from_slice(&useq.0.to_le_bytes());
        }
        Sent::Bytes(stanza) if stanza.len() <= limits::JOURNAL_STANZA => {
            bytes.push(BYTES);
            bytes.extend_from_slice(&(stanza.len() as u16).to_le_bytes());
            bytes.extend_from_slice(stanza);
        }
        Sent::Bytes(_) | Sent::Opaque => bytes.push(OPAQUE),
    }
}

/// The file is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Damaged;

/// Reads records until the end, or until a record that was cut short there.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(records: &'a [u8]) -> Reader<'a> {
        Reader(records)
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Record<'a>, Damaged>;

    fn next(&mut self) -> Option<Self::Item> {
        let (prefix, rest) = self.0.split_first_chunk::<PREFIX>()?;
        let [l0, l1, n0, n1, c0, c1, c2, c3] = *prefix;
        let length = u16::from_le_bytes([l0, l1]);
        if u16::from_le_bytes([n0, n1]) != !length {
            return Some(Err(Damaged));
        }
        let (payload, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        if crc32c(payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
            return Some(Err(Damaged));
        }
        Some(decode(payload).ok_or(Damaged))
    }
}

fn decode(payload: &[u8]) -> Option<Record<'_>> {
    if payload == [CLEAN] {
        return Some(Record::Clean);
    }
    let (&kind, rest) = payload.split_first()?;
    let (&id, rest) = rest.split_first_chunk()?;
    let id = StreamId(id);
    let number = |bytes: &[u8]| Some(u32::from_le_bytes(bytes.try_into().ok()?));
    Some(match kind {
        SNAPSHOT => {
            let (last, snapshot) = position(rest)?;
            Record::Snapshot { id, last, snapshot }
        }
        SENT => {
            let (last, rest) = position(rest)?;
            let (first_count, mut rest) = rest.split_at_checked(4)?;
            let mut sent = Vec::new();
            while !rest.is_empty() {
                let (one, left) = decode_sent(rest)?;
                sent.push(one);
                rest = left;
            }
            Record::Sent { id, first_count: number(first_count)?, last, sent: Cow::Owned(sent) }
        }
        ACKED => Record::Acked { id, h: number(rest)? },
        HANDLED => Record::Handled { id, h: number(rest)? },
        ROOMS => {
            let (mut rooms, mut rest) = (BTreeMap::new(), rest);
            while !rest.is_empty() {
                let (Sent::Room(room, useq), left) = decode_sent(rest)? else { return None };
                rooms.insert(room, useq);
                rest = left;
            }
            Record::Rooms { id, rooms: Cow::Owned(rooms) }
        }
        WAITS => {
            let (length, rest) = rest.split_first_chunk()?;
            let (from, stanza) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            Record::Waits {
                id,
                presence_of: Cow::Borrowed(std::str::from_utf8(from).ok()?),
                stanza: (!stanza.is_empty()).then_some(Cow::Borrowed(stanza)),
            }
        }
        TAKEN if rest.is_empty() => Record::Taken { id },
        ENDED if rest.is_empty() => Record::Ended { id },
        _ => return None,
    })
}

fn position(bytes: &[u8]) -> Option<(Useq, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((Useq(u64::from_le_bytes(*number)), rest))
}

fn decode_sent(bytes: &[u8]) -> Option<(Sent, &[u8])> {
    let (&kind, rest) = bytes.split_first()?;
    match kind {
        LOG => {
            let (useq, rest) = position(rest)?;
            Some((Sent::Log(useq), rest))
        }
        ROOM => {
            let (room, rest) = position(rest)?;
            let (useq, rest) = position(rest)?;
            Some((Sent::Room(Uid(room.0), useq), rest))
        }
        BYTES => {
            let (length, rest) = rest.split_first_chunk()?;
            let (stanza, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            Some((Sent::Bytes(stanza.to_vec()), rest))
        }
        OPAQUE => Some((Sent::Opaque, rest)),
        _ => None,
    }
}

/// CRC-32C (RFC 3720 Appendix B.4), a byte at a time: records are some dozen bytes.
pub(super) fn crc32c(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    !bytes.iter().fold(!0, |crc, &byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            // The reflected polynomial.
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}
