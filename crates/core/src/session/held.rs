//! Presence that waits for a client that does not look (XEP-0352) or is not connected: the newest of each sender.

use super::{Link, Out, State};
use crate::limits;
use bytes::Bytes;
use rookery_store::StreamId;
use rookery_store::journal::Waiting;
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
            self.note_waiting(Some(from), &stanza);
            return;
        }
        if self.is_detached() {
            return self.drop_one();
        }
        self.release_held();
        self.queue(Out::Stanza(stanza));
    }

    /// Notes in the restart journal what waits and is in no log: a client that comes back after a kill gets it.
    pub(super) fn note_waiting(&mut self, presence_of: Option<&str>, stanza: &Bytes) {
        if let (Some(ledger), Some(id)) = (&self.ledger, self.resumable()) {
            ledger.waits(id, presence_of, stanza);
            self.noted_waiting = true;
        }
    }

    /// The same for all that waits at the moment when the connection goes.
    pub(super) fn note_outbox(&mut self) {
        let passing: Vec<Bytes> = self.outbox.iter().filter_map(Out::passing).cloned().collect();
        passing.iter().for_each(|stanza| self.note_waiting(None, stanza));
    }

    /// The stream of which the restart journal says that something waits, once nothing does.
    pub fn take_nothing_waits(&mut self) -> Option<StreamId> {
        let nothing = self.noted_waiting && self.outbox.is_empty() && self.held.newest.is_empty();
        if nothing {
            self.noted_waiting = false;
        }
        nothing.then(|| self.resumable()).flatten()
    }

    /// There is no room for what only waits here: the session cannot be resumed any more.
    pub(super) fn drop_one(&mut self) {
        if let (false, Some(ledger), Some(id)) = (self.stale, &self.ledger, self.resumable()) {
            ledger.dropped(id);
        }
        self.stale = true;
    }

    /// What the restart journal says that waits.
    pub(crate) fn restore_waiting(&mut self, waiting: Vec<Waiting>, dropped: bool) {
        self.noted_waiting = !waiting.is_empty();
        self.stale = dropped;
        for Waiting { presence_of, stanza } in waiting {
            let stanza = Bytes::from(stanza);
            match presence_of {
                Some(from) => self.stale |= !self.held.keep(&from, &stanza),
                None => self.put(Out::Stanza(stanza)),
            }
        }
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
