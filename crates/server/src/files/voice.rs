//! Voice messages: from WebM, which some browsers record into and few clients play, to Ogg, which all of them do. The sound
//! itself (Opus) stays as it is, packet by packet.

mod opus;
mod webm;

use ogg::writing::{PacketWriteEndInfo, PacketWriter};
use std::io::{BufReader, Read};

/// Bytes of a recording that is rewritten: more than an hour of speech.
pub(crate) const LARGEST: u64 = 32 << 20;

/// Names the stream in its file; there is one in each.
const SERIAL: u32 = 1;

/// Samples after which a page ends: a second, so that players find their way without much reading.
const PAGE: u64 = opus::RATE;

/// The second packet of a stream (RFC 7845 §5.2): who made it, and no comments.
const TAGS: &[u8] = b"OpusTags\x07\0\0\0Rookery\0\0\0\0";

/// Whether a file of this type may be such a recording.
pub(crate) fn is_recording(media_type: &str) -> bool {
    media_type.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("audio/webm"))
}

/// A recording rewritten; `None` if it is none. One that breaks off is rewritten up to there.
pub(crate) fn rewritten(recording: impl Read) -> Option<Vec<u8>> {
    let mut packets = webm::Packets::new(BufReader::new(recording).take(LARGEST));
    // The codec's own head comes before its first packet, and is the same in both containers (RFC 7845 §5.1).
    let mut next = packets.next().ok()?;
    let head = packets.head().filter(|head| opus::is_head(head))?.to_vec();
    let mut out = PacketWriter::new(Vec::new());
    // RFC 7845 §3: each of the two heads is alone on its page, of position 0.
    out.write_packet(head, SERIAL, PacketWriteEndInfo::EndPage, 0).ok()?;
    out.write_packet(TAGS, SERIAL, PacketWriteEndInfo::EndPage, 0).ok()?;
    let (mut position, mut page) = (0, 0);
    while let Some(packet) = next {
        let samples = opus::samples(&packet)?;
        (position, page) = (position + samples, page + samples);
        next = packets.next().unwrap_or_default();
        let end = match next {
            None => PacketWriteEndInfo::EndStream,
            Some(_) if page >= PAGE => PacketWriteEndInfo::EndPage,
            Some(_) => PacketWriteEndInfo::NormalPacket,
        };
        page = if end == PacketWriteEndInfo::EndPage { 0 } else { page };
        // §4: a page's position is the number of samples up to its end, those that are skipped at the beginning included.
        out.write_packet(packet, SERIAL, end, position).ok()?;
    }
    Some(out.into_inner()).filter(|_| position > 0)
}

#[cfg(test)]
mod tests;
