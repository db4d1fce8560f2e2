//! What waits to be written to a client.

use super::{Form, Said};
use bytes::Bytes;
use rookery_proto::Useq;
use rookery_store::Entry;
use std::sync::Arc;

/// One thing to be written to the client.
#[derive(Clone, Debug)]
pub enum Out {
    /// An entry of the log, or (with `useq` 0) a message that is in no log.
    Entry {
        /// The message.
        entry: Arc<Entry>,
        /// The form in which this session gets it.
        form: Form,
        /// How it came to be here.
        turn: Turn,
    },
    /// An entry of the log of a room that the session is in.
    Said(Arc<Said>, Turn),
    /// A stanza that is in no log.
    Stanza(Bytes),
    /// Something that is not a stanza and is not counted (XEP-0198 §4).
    Nonza(Bytes),
    /// `<enabled/>`: stanzas are counted from here on (XEP-0198 §3).
    Enabled(Bytes),
}

/// How a log entry came into the outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Straight from its commit.
    Live,
    /// In its turn too, but read from the log: it says when it was sent.
    Late,
    /// Out of its turn, as it was written before and not acknowledged: the session's place in the log is not about it.
    Again,
}

impl Out {
    /// The position in the account's log from which this can be read again, if it is there.
    pub fn useq(&self) -> Option<Useq> {
        match self {
            Out::Entry { entry, .. } if entry.useq != Useq(0) => Some(entry.useq),
            _ => None,
        }
    }

    /// Whether this can be read again from a log: the account's, or a room's.
    pub fn is_logged(&self) -> bool {
        self.useq().is_some() || matches!(self, Out::Said(..))
    }

    /// The stanza, if it is in no log.
    pub(super) fn passing(&self) -> Option<&Bytes> {
        match self {
            Out::Entry { entry, .. } if entry.useq == Useq(0) => Some(&entry.stanza),
            Out::Stanza(stanza) => Some(stanza),
            Out::Entry { .. } | Out::Said(..) | Out::Nonza(_) | Out::Enabled(_) => None,
        }
    }

    /// Whether this is a log entry that is written in its turn.
    pub(super) fn is_in_turn(&self) -> bool {
        matches!(self, Out::Entry { turn, .. } if *turn != Turn::Again) && self.useq().is_some()
    }

    /// About how many bytes this becomes on the wire.
    pub fn size(&self) -> usize {
        match self {
            Out::Entry { entry, .. } => entry.stanza.len() + 128,
            Out::Said(said, _) => said.stanza.len() + 64,
            Out::Stanza(bytes) | Out::Nonza(bytes) | Out::Enabled(bytes) => bytes.len(),
        }
    }
}
