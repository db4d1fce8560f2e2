//! What one device writes down while the run goes on, shared with the run that waits for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::history::{Account, Device, DeviceHistory, Label, Outcome, Reading, Seen, Sent, Via, Write};

/// Shared by a device's task and the run.
#[derive(Clone)]
pub(super) struct Journal(Arc<Mutex<Entries>>);

/// What is in a journal.
pub(super) struct Entries {
    pub(super) history: DeviceHistory,
    pub(super) tally: Tally,
    /// Everything that this device sent is acknowledged, and it is connected.
    pub(super) quiet: bool,
    /// Files that are being put in their place.
    pub(super) uploads: usize,
    /// What went wrong that no history can show: the server broke the protocol.
    pub(super) complaints: Vec<String>,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Sessions bound anew.
    pub binds: u64,
    /// Sessions resumed.
    pub resumptions: u64,
    /// Resumptions that the server refused.
    pub failures: u64,
    /// Connections that the client itself cut.
    pub cuts: u64,
    /// Messages sent again after a refused resumption.
    pub resent: u64,
}

impl Journal {
    pub(super) fn new(device: Device) -> Journal {
        let history = DeviceHistory::new(device);
        let entries =
            Entries { history, tally: Tally::default(), quiet: false, uploads: 0, complaints: Vec::new() };
        Journal(Arc::new(Mutex::new(entries)))
    }

    pub(super) fn open(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// A new message is about to be sent.
    pub(super) fn message(&mut self, to: Account) -> Label {
        let label = Label { from: self.history.device, number: self.history.sent.len() as u64 + 1 };
        self.history.sent.push(Sent { label, to, outcome: Outcome::Unknown });
        label
    }

    /// A value is about to be written; the number under which the answer is known.
    pub(super) fn write(&mut self, key: String, value: Option<String>) -> usize {
        self.history.writes.push(Write { key, value, outcome: Outcome::Unknown });
        self.history.writes.len() - 1
    }

    /// A conversation is about to be read; the number under which the answer is known.
    pub(super) fn read(&mut self, peer: Account, upto: Label) -> usize {
        self.history.readings.push(Reading { peer, upto, outcome: Outcome::Unknown });
        self.history.readings.len() - 1
    }

    /// The server answered for a reading.
    pub(super) fn reading_outcome(&mut self, number: usize, outcome: Outcome) {
        if let Some(reading) = self.history.readings.get_mut(number) {
            reading.outcome = outcome;
        }
    }

    /// The server answered for a message. A refusal counts, whenever it comes.
    pub(super) fn message_outcome(&mut self, label: Label, outcome: Outcome) {
        let index = (label.number - 1) as usize;
        if label.from == self.history.device
            && let Some(sent) = self.history.sent.get_mut(index)
            && sent.outcome != Outcome::Refused
        {
            sent.outcome = outcome;
        }
    }

    /// The server answered for a value.
    pub(super) fn write_outcome(&mut self, number: usize, outcome: Outcome) {
        if let Some(write) = self.history.writes.get_mut(number) {
            write.outcome = outcome;
        }
    }

    /// A message came.
    pub(super) fn saw(&mut self, label: Label, stanza_id: Option<String>, via: Via) {
        // Without an id it is unlike every other, so that a second copy shows.
        let stanza_id = stanza_id.unwrap_or_else(|| format!("without id: {}", self.history.seen.len()));
        self.history.seen.push(Seen { label, stanza_id, via });
    }
}
