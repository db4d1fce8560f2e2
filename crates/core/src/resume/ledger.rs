//! The restart journal as core writes it: each session's state, and what it was sent.

use crate::device;
use crate::muc::Visit;
use crate::session::{Available, Out, Sent, Session, State, Timeline};
use bytes::Bytes;
use parking_lot::Mutex;
use rookery_proto::Useq;
use rookery_proto::jid::Jid;
use rookery_store::journal::{self, Journal};
use rookery_store::{StreamId, limits};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The restart journal as core uses it: absent where nothing must survive (tests of other things).
#[derive(Default)]
pub struct Ledger {
    journal: Option<Journal>,
    /// Held by who notes a session's state from looking to writing: what was looked at first is written first.
    turn: Mutex<()>,
    /// How many sessions that cannot be resumed were noted.
    passing: AtomicU64,
    /// The server ends: who goes now does not go of its own accord.
    closing: AtomicBool,
}

/// How the names begin of sessions that cannot be resumed. Streams have random names.
const PASSING: &[u8; 8] = b"passing:";

/// Whether the journal has a session by this name only while it is in rooms.
pub(super) fn is_passing(id: &StreamId) -> bool {
    id.0.starts_with(PASSING)
}

/// A session's state in the journal.
#[derive(Serialize, Deserialize)]
pub(super) struct Snapshot {
    pub(super) uid: u64,
    pub(super) jid: String,
    pub(super) timeline: Timeline,
    interested: bool,
    blocks: bool,
    inactive: bool,
    priority: i8,
    pub(super) presence: Option<String>,
    #[serde(default)]
    invisible: bool,
    directed: Vec<String>,
    #[serde(default)]
    pub(super) rooms: Vec<Visit>,
    #[serde(default)]
    pub(super) installation: Option<device::Record>,
}

pub(super) fn from_journal(sent: journal::Sent) -> Sent {
    match sent {
        // Its size is not known; what was written before the restart was within the bounds.
        journal::Sent::Log(useq) => Sent::Log(useq, 0),
        journal::Sent::Room(room, useq) => Sent::Said(room, useq, 0),
        journal::Sent::Bytes(bytes) => Sent::Stanza(bytes.into()),
        journal::Sent::Opaque => Sent::Lost,
    }
}

impl Snapshot {
    /// The session's place in the log, and its state.
    fn of(session: &Session) -> (Useq, Snapshot) {
        let state = session.state();
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let mut snapshot = Snapshot {
            uid: session.uid.0,
            jid: session.jid.to_string(),
            timeline: state.timeline,
            interested: state.interested,
            blocks: state.wants_blocks,
            inactive: state.is_inactive(),
            priority: state.available.as_ref().map_or(0, |a| a.priority),
            presence: state.available.as_ref().map(|a| text(&a.stanza)),
            invisible: state.invisible,
            directed: state.directed.iter().map(Jid::to_string).collect(),
            rooms: Vec::new(),
            installation: session.installation.as_deref().map(device::Record::from),
        };
        let (last, places) = (state.position(), state.places());
        drop(state);
        // A room's lock is not taken together with the session's.
        snapshot.rooms = places.iter().filter_map(|(room, last)| room.visit(session, *last)).collect();
        (last, snapshot)
    }

    pub(super) fn apply(&self, state: &mut State) {
        state.interested = self.interested;
        state.wants_blocks = self.blocks;
        state.set_inactive(self.inactive);
        let priority = self.priority;
        let presence = self.presence.clone();
        state.available = presence.map(|p| Available { priority, stanza: p.into_bytes().into() });
        state.invisible = self.invisible;
        state.directed = self.directed.iter().filter_map(|jid| Jid::new(jid).ok()).collect();
    }
}

impl Ledger {
    /// A ledger that writes to `journal`.
    pub fn new(journal: Journal) -> Ledger {
        Ledger { journal: Some(journal), ..Ledger::default() }
    }

    /// Notes a session's state after a change of it. One that cannot be resumed is noted while it is in rooms, so that after a
    /// restart those who come back to them learn that it is gone.
    pub fn snapshot(&self, session: &Session) {
        if let Some(journal) = &self.journal {
            let _turn = self.turn.lock();
            self.note(journal, session);
        }
    }

    /// The same after somebody else's step, which may be one behind: a session that has ended stays so.
    pub fn snapshot_if_live(&self, session: &Session) {
        if let Some(journal) = &self.journal {
            let _turn = self.turn.lock();
            if session.is_live() {
                self.note(journal, session);
            }
        }
    }

    fn note(&self, journal: &Journal, session: &Session) {
        let (id, ended) = {
            let mut state = session.state();
            let id = state.resumable();
            let noted = state.noted(|| self.passing_name());
            let ended = if noted.is_none() { state.unnoted() } else { None };
            (id.or(noted), ended)
        };
        if let Some(id) = id {
            let (last, snapshot) = Snapshot::of(session);
            journal.snapshot(id, last, &serde_json::to_vec(&snapshot).expect("plain data"));
        }
        if let Some(ended) = ended.filter(|_| !self.closing.load(Ordering::Acquire)) {
            journal.ended(ended);
        }
    }

    fn passing_name(&self) -> StreamId {
        let mut name = [0; 16];
        name[..8].copy_from_slice(PASSING);
        name[8..].copy_from_slice(&self.passing.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        StreamId(name)
    }

    /// The server ends: whoever is in rooms now stays in the journal.
    pub fn closing(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// Notes what is about to be written to the client, from stanza `first` on, and the session's place after it.
    pub(super) fn sent(&self, id: StreamId, first: u32, last: Useq, outs: &[Out]) {
        let Some(journal) = &self.journal else { return };
        let sent: Vec<journal::Sent> = outs.iter().filter_map(to_journal).collect();
        if !sent.is_empty() {
            journal.sent(id, first, last, &sent);
        }
    }

    /// Notes what the client acknowledged.
    pub fn acked(&self, id: StreamId, h: u32) {
        if let Some(journal) = &self.journal {
            journal.acked(id, h);
        }
    }

    /// Notes what the client is about to be told was handled.
    pub fn handled(&self, id: StreamId, h: u32) {
        if let Some(journal) = &self.journal {
            journal.handled(id, h);
        }
    }

    /// Notes a stanza, in no log, that waits for the client; a presence takes the place of an older one of its sender.
    pub(crate) fn waits(&self, id: StreamId, presence_of: Option<&str>, stanza: &Bytes) {
        if let Some(journal) = &self.journal {
            journal.waits(id, presence_of, stanza);
        }
    }

    /// Notes that something was dropped that waited for the client.
    pub(crate) fn dropped(&self, id: StreamId) {
        if let Some(journal) = &self.journal {
            journal.dropped(id);
        }
    }

    /// Notes that all that waited was sent.
    pub(super) fn taken(&self, id: StreamId) {
        if let Some(journal) = &self.journal {
            journal.taken(id);
        }
    }

    /// The session is over.
    pub fn ended(&self, id: StreamId) {
        if let Some(journal) = &self.journal {
            let _turn = self.turn.lock();
            journal.ended(id);
        }
    }

    /// Everything is on disk and exact: the last act of a clean shutdown.
    pub fn close(&self) {
        if let Some(Err(error)) = self.journal.as_ref().map(Journal::sync_clean) {
            tracing::warn!(%error, "the restart journal may be lost if the power fails now");
        }
    }
}

fn to_journal(out: &Out) -> Option<journal::Sent> {
    match out {
        Out::Nonza(_) | Out::Enabled(_) => None,
        Out::Entry { entry, .. } if entry.useq != Useq(0) => Some(journal::Sent::Log(entry.useq)),
        Out::Entry { entry, .. } => Some(small(&entry.stanza)),
        Out::Said(said, _) => Some(journal::Sent::Room(said.room, said.useq)),
        Out::Stanza(bytes) => Some(small(bytes)),
    }
}

fn small(bytes: &Bytes) -> journal::Sent {
    if bytes.len() <= limits::JOURNAL_STANZA {
        journal::Sent::Bytes(bytes.to_vec())
    } else {
        journal::Sent::Opaque
    }
}
