//! Presence that waits for a client that does not look (XEP-0352) or is not connected: the newest of each sender.

use super::{Link, Out, State};
use crate::limits;
use bytes::Bytes;
use std::collections::BTreeMap;

/// What is held back, by the sender's address.
#[derive(Debug, Default)]
pub struct Held {
    newest: BTreeMap<Box<str>, Bytes>,
    bytes: usize,
}

impl Held {
    /// Keeps a presence in place of an older one of its sender; false, and nothing changes, if there is no room.
    fn keep(&mut self, from: &str, stanza: &Bytes) -> bool {
        let older = self.newest.get(from);
        let bytes = self.bytes - older.map_or(0, Bytes::len) + stanza.len();
        if bytes > limits::HELD_BYTES || (older.is_none() && self.newest.len() >= limits::HELD_PRESENCES) {
            return false;
        }
        self.bytes = bytes;
        self.newest.insert(from.into(), stanza.clone());
        true
    }
}

impl State {
    /// Puts presence of `from` into the outbox, or keeps it back for an inactive client (XEP-0352 §5) or one that is not
    /// connected: nobody needs to know who was there for a moment.
    pub fn queue_presence(&mut self, from: &str, stanza: Bytes) {
        if self.is_away() && self.held.keep(from, &stanza) {
            return;
        }
        if self.is_detached() {
            self.stale = true;
            return;
        }
        self.release_held();
        self.queue(Out::Stanza(stanza));
    }

    /// Sends on what was held back, if there is a connection; the client stays inactive or not as it was.
    pub fn release_held(&mut self) {
        if self.is_detached() {
            return;
        }
        for stanza in std::mem::take(&mut self.held).newest.into_values() {
            self.queue(Out::Stanza(stanza));
        }
    }

    /// Whether the client says that somebody looks at it (XEP-0352).
    pub fn is_inactive(&self) -> bool {
        self.inactive
    }

    /// The client says whether somebody looks at it; who does gets what was held back.
    pub fn set_inactive(&mut self, inactive: bool) {
        self.inactive = inactive;
        if !inactive {
            self.release_held();
        }
    }

    /// Whether nobody looks, or nobody is connected.
    pub fn is_away(&self) -> bool {
        self.inactive || self.is_detached()
    }

    pub(super) fn is_detached(&self) -> bool {
        matches!(self.link, Link::Detached { .. })
    }
}
