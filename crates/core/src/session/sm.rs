//! Stream management of one session (XEP-0198): what came in, what went out, what was acknowledged.

use super::Out;
use crate::limits;
use bytes::Bytes;
use rookery_proto::stream::sm::distance;
use rookery_proto::{Uid, Useq};
use rookery_store::StreamId;
use std::collections::VecDeque;

/// Something that was written and is not yet acknowledged.
#[derive(Clone, Debug)]
pub enum Sent {
    /// An entry of the account's log, which can be read again, and about how many bytes it is.
    Log(Useq, u32),
    /// An entry of a room's log, and about how many bytes it is.
    Said(Uid, Useq, u32),
    /// A message that is in no log, or another transient stanza.
    Stanza(Bytes),
    /// A stanza that a restart took away: it counts, and cannot be sent again.
    Lost,
}

impl Sent {
    /// The position in the account's log of what can be read again.
    pub fn useq(&self) -> Option<Useq> {
        if let Sent::Log(useq, _) = self { Some(*useq) } else { None }
    }

    fn size(&self) -> usize {
        match self {
            Sent::Log(_, size) | Sent::Said(_, _, size) => *size as usize,
            Sent::Stanza(bytes) => bytes.len(),
            Sent::Lost => 0,
        }
    }
}

/// Counters and the unacknowledged of one stream.
#[derive(Debug)]
pub struct StreamManagement {
    /// The id under which the session can be resumed, if the client asked for that.
    pub resumable: Option<StreamId>,
    /// Stanzas from the client that were handled: what `<a h/>` says.
    pub handled: u32,
    /// What the store knows of `handled`; an acknowledgement never says more.
    pub stored: u32,
    /// What the restart journal knows of `handled`.
    noted: u32,
    /// Stanzas read from the client; those between `handled` and this are being committed.
    pub received: u32,
    /// Stanzas written to the client.
    pub sent: u32,
    /// What the client acknowledged.
    pub acked: u32,
    queue: VecDeque<Sent>,
    /// `<enabled/>` was written: what follows counts.
    counts: bool,
    /// About the bytes of `queue`.
    queue_bytes: usize,
    /// `<r/>` was sent and not yet answered.
    pub requested: bool,
}

impl StreamManagement {
    /// Counters at zero.
    pub fn new(resumable: Option<StreamId>) -> StreamManagement {
        StreamManagement {
            resumable,
            handled: 0,
            stored: 0,
            noted: 0,
            received: 0,
            sent: 0,
            acked: 0,
            queue: VecDeque::new(),
            counts: false,
            queue_bytes: 0,
            requested: false,
        }
    }

    /// As it was when the server went down: `handled` in (of which the store knows `stored`), `acked` out, and what was
    /// under way.
    pub fn restored(
        id: StreamId,
        stored: u32,
        handled: u32,
        acked: u32,
        queue: VecDeque<Sent>,
    ) -> StreamManagement {
        let sent = acked.wrapping_add(queue.len() as u32);
        StreamManagement {
            resumable: Some(id),
            handled,
            stored,
            noted: handled,
            received: handled,
            sent,
            acked,
            queue_bytes: queue.iter().map(Sent::size).sum(),
            queue,
            counts: true,
            requested: false,
        }
    }

    /// What is written from here on counts.
    pub fn count_from_here(&mut self) {
        self.counts = true;
    }

    /// The count of handled stanzas of a resumable session, if the store does not know it yet.
    pub fn unstored(&self) -> Option<(StreamId, u32)> {
        let id = self.resumable.filter(|_| self.stored != self.handled)?;
        Some((id, self.handled))
    }

    /// The count of handled stanzas of a resumable session, if the restart journal does not know it yet.
    pub fn take_news(&mut self) -> Option<(StreamId, u32)> {
        let id = self.resumable.filter(|_| self.noted != self.handled)?;
        self.noted = self.handled;
        Some((id, self.handled))
    }

    /// How many stanzas wait for the client's acknowledgement.
    pub fn unacked(&self) -> usize {
        self.queue.len()
    }

    /// Whether the client must acknowledge something before it is sent more.
    pub fn is_full(&self) -> bool {
        self.queue.len() >= limits::UNACKED || self.queue_bytes >= limits::UNACKED_BYTES
    }

    /// What waits for the client's acknowledgement, oldest first.
    pub fn queue(&self) -> impl Iterator<Item = &Sent> {
        self.queue.iter()
    }

    /// The number of the next stanza that is written, once they are counted.
    pub fn next(&self) -> Option<u32> {
        self.counts.then(|| self.sent.wrapping_add(1))
    }

    /// Whether everything that waits for an acknowledgement can be sent again.
    pub fn is_whole(&self) -> bool {
        !self.queue.iter().any(|sent| matches!(sent, Sent::Lost))
    }

    /// Counts what is about to be written.
    pub fn count(&mut self, out: &Out) {
        let sent = match out {
            Out::Enabled(_) => {
                self.count_from_here();
                return;
            }
            Out::Nonza(_) => return,
            _ if !self.counts => return,
            Out::Said(said, _) => Sent::Said(said.room, said.useq, out.size() as u32),
            Out::Stanza(bytes) => Sent::Stanza(bytes.clone()),
            Out::Entry { entry, .. } if entry.useq == Useq(0) => Sent::Stanza(entry.stanza.clone()),
            Out::Entry { entry, .. } => Sent::Log(entry.useq, out.size() as u32),
        };
        self.queue_bytes += sent.size();
        self.sent = self.sent.wrapping_add(1);
        self.queue.push_back(sent);
    }

    /// The client has handled `h`: an error when that is more than was ever sent (XEP-0198 §4: `undefined-condition` with
    /// `handled-count-too-high`).
    pub fn acknowledge(&mut self, h: u32) -> Result<(), TooHigh> {
        let count = distance(self.acked, h) as usize;
        if count > self.queue.len() {
            // A client may repeat an older count; that is harmless and says nothing new.
            let older = distance(h, self.acked) as usize <= limits::UNACKED * 4;
            return if older { Ok(()) } else { Err(TooHigh { h, sent: self.sent }) };
        }
        self.acked = h;
        for sent in self.queue.drain(..count) {
            self.queue_bytes -= sent.size();
        }
        if self.queue.is_empty() {
            self.queue.shrink_to(limits::QUEUE_KEPT);
        }
        Ok(())
    }

    /// After a resumption the client has `acked`, and everything later is sent anew: gives it back in order. What was
    /// read and not handled will be read again.
    pub fn take_unacked(&mut self) -> VecDeque<Sent> {
        self.sent = self.acked;
        self.received = self.handled;
        self.requested = false;
        self.queue_bytes = 0;
        std::mem::take(&mut self.queue)
    }
}

/// The client claims to have handled more than it was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct TooHigh {
    /// What it claims.
    pub h: u32,
    /// What was sent.
    pub sent: u32,
}

/// The id that a client names to resume: the account, so that nobody resumes another's, and 128 random bits.
pub fn encode_id(uid: Uid, id: &StreamId) -> String {
    let mut raw = [0u8; 24];
    raw[..8].copy_from_slice(&uid.0.to_be_bytes());
    raw[8..].copy_from_slice(&id.0);
    let mut text = data_encoding::BASE32_NOPAD.encode(&raw);
    text.make_ascii_lowercase();
    text
}

/// Reads what [`encode_id`] wrote; `None` for anything else.
pub fn decode_id(text: &str) -> Option<(Uid, StreamId)> {
    let raw = data_encoding::BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()).ok()?;
    let (uid, id) = raw.split_at_checked(8)?;
    Some((Uid(u64::from_be_bytes(uid.try_into().ok()?)), StreamId(id.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza() -> Out {
        Out::Stanza(Bytes::from_static(b"<iq/>"))
    }

    #[test]
    fn counts_wrap_and_never_exceed_what_was_sent() {
        let mut sm = StreamManagement::new(None);
        sm.count(&Out::Enabled(Bytes::new()));
        sm.acked = u32::MAX - 1;
        sm.sent = u32::MAX - 1;
        for _ in 0..4 {
            sm.count(&stanza());
        }
        assert_eq!(sm.sent, 2);
        assert_eq!(sm.acknowledge(1), Ok(()));
        assert_eq!(sm.unacked(), 1);
        assert_eq!(sm.acknowledge(0), Ok(()), "an older count says nothing");
        assert_eq!(sm.unacked(), 1);
        assert!(sm.acknowledge(500_000).is_err());
    }

    #[test]
    fn ids_name_their_owner() {
        let id = StreamId([7; 16]);
        let text = encode_id(Uid(10001), &id);
        assert_eq!(decode_id(&text), Some((Uid(10001), id)));
        assert_eq!(decode_id("nonsense!"), None);
        assert_eq!(decode_id(""), None);
    }
}
