//! The packets of the first Opus track of a WebM file (RFC 8794, RFC 9559), read from its beginning to its end.
//!
//! There are libraries for this container; those that were looked at want to seek in the whole file, keep all of its lists, and
//! count with what it says of itself. Here nothing is kept but one packet. What contains other elements is entered and what
//! it holds is read as it comes, so sizes that are not known (live recordings) need no care; all else is passed over.

use std::io::{self, ErrorKind, Read};

/// Elements that hold those that count (RFC 9559 §5.1).
const SEGMENT: u32 = 0x1853_8067;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK: u32 = 0xae;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;

/// Elements that count.
const TRACK_NUMBER: u32 = 0xd7;
const CODEC: u32 = 0x86;
const CODEC_PRIVATE: u32 = 0x63_a2;
const SIMPLE_BLOCK: u32 = 0xa3;
const BLOCK: u32 = 0xa1;

/// The first element of a file (RFC 8794 §11.2.1).
const EBML: u32 = 0x1a45_dfa3;

/// The codec that is looked for (RFC 9559 §27).
const OPUS: &[u8] = b"A_OPUS";

/// Bytes of a value that is read: an Opus head has 19.
const VALUE: u64 = 256;

/// Bytes of a block: 120 ms of Opus at its highest rate are some 8,000.
const BLOCK_BYTES: u64 = 64 << 10;

/// A track as far as it was described.
#[derive(Default)]
struct Track {
    number: Option<u64>,
    is_opus: bool,
    head: Vec<u8>,
}

/// Reads packets.
pub(super) struct Packets<R> {
    input: R,
    /// The track that is being described.
    track: Track,
    /// The one whose packets are given, once it is known.
    chosen: Option<Track>,
}

impl<R: Read> Packets<R> {
    /// Reads from the beginning of a file.
    pub(super) fn new(input: R) -> Packets<R> {
        Packets { input, track: Track::default(), chosen: None }
    }

    /// What the codec needs to know before the first packet; it is there after that was read.
    pub(super) fn head(&self) -> Option<&[u8]> {
        self.chosen.as_ref().map(|track| track.head.as_slice())
    }

    /// The next packet; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while let Some(id) = self.id()? {
            let size = self.size()?;
            match id {
                SEGMENT | TRACKS | BLOCK_GROUP => {}
                TRACK | CLUSTER => self.described(),
                TRACK_NUMBER => {
                    self.track.number = Some(self.value(size)?.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
                }
                CODEC => self.track.is_opus = self.value(size)? == OPUS,
                CODEC_PRIVATE => self.track.head = self.value(size)?,
                SIMPLE_BLOCK | BLOCK => {
                    let block = self.bytes(size, BLOCK_BYTES)?;
                    if let Some(packet) = self.packet(&block)? {
                        return Ok(Some(packet));
                    }
                }
                EBML if self.chosen.is_some() => return Err(wrong()),
                _ => self.pass(size)?,
            }
        }
        Ok(None)
    }

    /// A description is over: the first track of Opus is the one.
    fn described(&mut self) {
        let track = std::mem::take(&mut self.track);
        if self.chosen.is_none() && track.is_opus && track.number.is_some() {
            self.chosen = Some(track);
        }
    }

    /// The packet in a block of the track (RFC 9559 §10.1, §10.2): its number, two bytes of time, flags, and the packet.
    fn packet(&self, block: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let mut rest = block;
        let number = number(&mut rest)?.ok_or_else(wrong)?;
        let [_, _, flags, packet @ ..] = rest else { return Err(wrong()) };
        if self.chosen.as_ref().and_then(|track| track.number) != Some(number) {
            return Ok(None);
        }
        // §10.3: several packets in one block. Recorders write none of Opus so.
        if flags & 0x06 != 0 || packet.is_empty() {
            return Err(wrong());
        }
        Ok(Some(packet.to_vec()))
    }

    /// The next element's id (RFC 8794 §5), its marker included; `None` at the end.
    fn id(&mut self) -> io::Result<Option<u32>> {
        let mut first = [0];
        if self.input.read(&mut first)? == 0 {
            return Ok(None);
        }
        let length = first[0].leading_zeros() as usize + 1;
        if length > 4 {
            return Err(wrong());
        }
        let mut bytes = [0; 4];
        bytes[4 - length] = first[0];
        self.input.read_exact(&mut bytes[5 - length..])?;
        Ok(Some(u32::from_be_bytes(bytes)))
    }

    /// The element's size (§6); `None`: it is not known.
    fn size(&mut self) -> io::Result<Option<u64>> {
        number(&mut self.input)
    }

    fn value(&mut self, size: Option<u64>) -> io::Result<Vec<u8>> {
        self.bytes(size, VALUE)
    }

    fn bytes(&mut self, size: Option<u64>, most: u64) -> io::Result<Vec<u8>> {
        let size = size.filter(|size| *size <= most).ok_or_else(wrong)?;
        let mut bytes = Vec::new();
        self.input.by_ref().take(size).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == size { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn pass(&mut self, size: Option<u64>) -> io::Result<()> {
        let size = size.ok_or_else(wrong)?;
        io::copy(&mut self.input.by_ref().take(size), &mut io::sink()).map(|_| ())
    }
}

/// A number of variable length (RFC 8794 §4); `None` where all its bits are set, which stands for a size that is not known.
fn number(input: &mut impl Read) -> io::Result<Option<u64>> {
    let mut first = [0];
    input.read_exact(&mut first)?;
    let length = first[0].leading_zeros() as usize + 1;
    if length > 8 {
        return Err(wrong());
    }
    let mut bytes = [0; 8];
    bytes[8 - length] = first[0];
    input.read_exact(&mut bytes[9 - length..])?;
    // The marker stands before seven bits for each byte.
    let mask = (1 << (7 * length)) - 1;
    let value = u64::from_be_bytes(bytes) & mask;
    Ok(Some(value).filter(|value| *value != mask))
}

fn wrong() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "no WebM")
}
