//! The restart journal: what a resumable stream (XEP-0198) needs to go on after the process was killed.
//!
//! A file beside the database, written with a plain `write()` before a push goes out. The page cache survives the death
//! of the process, so within one boot of the machine the journal is exact; after a power cut, or whenever it does not
//! add up, it is not trusted, and only what the database knows of a stream counts. It never decides whether a message is
//! safe (the timeline does), only whether a stream can be resumed without sending twice.

mod record;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rookery_proto::{Uid, Useq};

use crate::{Result, StreamId, limits};
use record::{HEADER, Reader, Record};

/// A stanza that was sent on a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sent {
    /// An entry of the account's log, which has the stanza.
    Log(Useq),
    /// An entry of the log of a group that the session's account is in at the moment.
    Room(Uid, Useq),
    /// A small stanza that is in no log. One above [`limits::JOURNAL_STANZA`] is kept as [`Sent::Opaque`].
    Bytes(Vec<u8>),
    /// A stanza that is not kept: it can be counted, not sent again.
    Opaque,
}

/// A stanza that is in no log and waits for a client that is not connected, or does not look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Of a presence that takes the place of an older one: the sender.
    pub presence_of: Option<String>,
    /// The stanza.
    pub stanza: Vec<u8>,
}

/// What was found of the process before.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recovery {
    /// Whether the journal is complete. If not, it gives no streams.
    pub exact: bool,
    /// The streams that had not ended.
    pub streams: Vec<Recovered>,
}

/// A stream that can be resumed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recovered {
    /// Which.
    pub id: StreamId,
    /// The session's last snapshot.
    pub snapshot: Vec<u8>,
    /// How many of the client's stanzas were handled.
    pub handled: u32,
    /// How many of ours the client has acknowledged.
    pub acked: u32,
    /// The session's place in the log: all up to here was sent or stepped over.
    pub last: Useq,
    /// How far what was sent since the snapshot goes in the logs of groups.
    pub rooms: BTreeMap<Uid, Useq>,
    /// What was sent and is not acknowledged, each with its count, in order.
    pub unacked: Vec<(u32, Sent)>,
    /// What waited to be sent and is in no log: presence first, the rest in order.
    pub waiting: Vec<Waiting>,
    /// Something that is in no log was dropped: no resumption makes true again what the client knows.
    pub dropped: bool,
}

/// The journal, open for writing. Each call is one short `write()`.
///
/// A journal that cannot be written is worth nothing: it empties itself, so that the next start learns that it is not
/// exact, and ignores further calls. Messages do not depend on it.
pub struct Journal(Mutex<State>);

struct State {
    path: PathBuf,
    boot: Option<Boot>,
    /// `None` after a failure.
    file: Option<File>,
    /// Bytes in the file.
    length: u64,
    /// The length at which the file is written anew.
    rotate_at: u64,
    /// Where records are put together, kept for its memory.
    buffer: Vec<u8>,
}

/// The identity of a boot of the machine.
type Boot = [u8; 36];

/// In place of an identity that is not known.
const NO_BOOT: Boot = [0; 36];

/// The streams that have not ended.
type Live = BTreeMap<StreamId, Stream>;

/// What the records say of one stream.
#[derive(Default)]
struct Stream {
    snapshot: Vec<u8>,
    handled: u32,
    acked: u32,
    unacked: VecDeque<(u32, Sent)>,
    /// What the last snapshot said, or what was sent since.
    last: Useq,
    /// What was sent since the last snapshot, of each group the latest.
    rooms: BTreeMap<Uid, Useq>,
    /// What waits: the newest presence by its sender, and the rest in order.
    presence: BTreeMap<String, Vec<u8>>,
    stanzas: Vec<Vec<u8>>,
    dropped: bool,
}

impl Journal {
    /// Reads what the process before left in `dir` and begins a new file with it. The caller holds the store of the same
    /// directory open, which keeps other processes out.
    pub fn open(dir: &Path) -> Result<(Journal, Recovery)> {
        Journal::open_in(dir, this_boot())
    }

    fn open_in(dir: &Path, boot: Option<Boot>) -> Result<(Journal, Recovery)> {
        let path = dir.join("streams.journal");
        let live = match std::fs::read(&path) {
            Ok(bytes) => read(&bytes, |then| boot.is_some() && *then == boot),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let exact = live.is_some();
        let live = live.unwrap_or_default();
        let mut state = State { path, boot, file: None, length: 0, rotate_at: 0, buffer: Vec::new() };
        state.begin(&live)?;
        let streams = live.into_iter().map(|(id, stream)| stream.recovered(id));
        let recovery = Recovery { exact, streams: streams.collect() };
        Ok((Journal(Mutex::new(state)), recovery))
    }

    /// Notes the session's state and its place in the log, and with the first call the stream itself. A session that
    /// goes back in the log says so here, and one that is in groups says in its snapshot how far it is in their logs. A stream whose state is above [`limits::JOURNAL_SNAPSHOT`] is not kept: it
    /// cannot be resumed after a restart.
    pub fn snapshot(&self, id: StreamId, last: Useq, snapshot: &[u8]) {
        if snapshot.len() > limits::JOURNAL_SNAPSHOT {
            return self.ended(id);
        }
        self.write(&[Record::Snapshot { id, last, snapshot }]);
    }

    /// Notes stanzas before they go out; the first is the stream's stanza number `first_count` (the count that the client
    /// acknowledges it with, modulo 2^32). `last` is the session's place in the log after them; it never goes back here.
    pub fn sent(&self, id: StreamId, first_count: u32, last: Useq, sent: &[Sent]) {
        let records: Vec<Record<'_>> = record::sent(id, first_count, last, sent).collect();
        self.write(&records);
    }

    /// Notes that the client has acknowledged all up to `h`.
    pub fn acked(&self, id: StreamId, h: u32) {
        self.write(&[Record::Acked { id, h }]);
    }

    /// Notes how many of the client's stanzas were handled.
    pub fn handled(&self, id: StreamId, h: u32) {
        self.write(&[Record::Handled { id, h }]);
    }

    /// Notes a stanza, in no log, that waits for the client; a presence takes the place of an older one of its sender. One above
    /// [`limits::JOURNAL_STANZA`] counts as dropped.
    pub fn waits(&self, id: StreamId, presence_of: Option<&str>, stanza: &[u8]) {
        let presence_of = presence_of.unwrap_or_default();
        if stanza.len() > limits::JOURNAL_STANZA || presence_of.len() > limits::JOURNAL_STANZA {
            return self.dropped(id);
        }
        self.write(&[Record::Waits { id, presence_of: presence_of.into(), stanza: Some(stanza.into()) }]);
    }

    /// Notes that a stanza in no log was dropped instead of waiting.
    pub fn dropped(&self, id: StreamId) {
        self.write(&[Record::Waits { id, presence_of: Cow::default(), stanza: None }]);
    }

    /// Notes that all that waited was sent.
    pub fn taken(&self, id: StreamId) {
        self.write(&[Record::Taken { id }]);
    }

    /// Notes that the stream has ended.
    pub fn ended(&self, id: StreamId) {
        self.write(&[Record::Ended { id }]);
    }

    /// Notes that the process ends in order, and syncs: the journal is then exact after a power cut, too. Call it last.
    pub fn sync_clean(&self) -> Result<()> {
        self.write(&[Record::Clean]);
        match &self.0.lock().file {
            Some(file) => Ok(file.sync_all()?),
            None => Ok(()),
        }
    }

    fn write(&self, records: &[Record<'_>]) {
        let mut state = self.0.lock();
        if let Err(error) = state.append(records) {
            tracing::warn!(%error, "the restart journal cannot be written; a restart will not resume streams exactly");
            state.give_up();
        }
    }
}

impl State {
    fn append(&mut self, records: &[Record<'_>]) -> std::io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        self.buffer.clear();
        for record in records {
            record.encode(&mut self.buffer);
        }
        file.write_all(&self.buffer)?;
        self.length += self.buffer.len() as u64;
        // One large write must not be paid for in memory ever after.
        self.buffer.shrink_to(1 << 16);
        if self.length < self.rotate_at {
            return Ok(());
        }
        // The live streams are read back from the file rather than kept in memory: it is their only other place.
        let bytes = std::fs::read(&self.path)?;
        let boot = self.boot;
        let live = read(&bytes, |then| *then == boot);
        self.begin(&live.ok_or(std::io::ErrorKind::InvalidData)?)
    }

    /// Begins a file with the live streams in place of the old one. Killed at any moment, one of the two is there, whole.
    fn begin(&mut self, live: &Live) -> std::io::Result<()> {
        let fresh = self.path.with_extension("journal-new");
        let mut bytes = HEADER.to_vec();
        bytes.extend_from_slice(&self.boot.unwrap_or(NO_BOOT));
        for (&id, stream) in live {
            stream.encode(id, &mut bytes);
        }
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(&fresh)?;
        file.write_all(&bytes)?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = Some(file);
        self.length = bytes.len() as u64;
        // Twice what lives, so that writing it again costs no more than what was written in between.
        self.rotate_at = limits::JOURNAL_SEGMENT.max(2 * self.length);
        Ok(())
    }

    fn give_up(&mut self) {
        self.file = None;
        // Emptying needs no room on the disk. If even this fails, a record may be missing that nobody will miss.
        let emptied = OpenOptions::new().write(true).truncate(true).open(&self.path);
        if let Err(error) = emptied.map(drop).or_else(|_| std::fs::remove_file(&self.path)) {
            tracing::error!(%error, "the restart journal can neither be written nor emptied");
        }
    }
}

impl Stream {
    fn recovered(self, id: StreamId) -> Recovered {
        let presence =
            self.presence.into_iter().map(|(from, stanza)| Waiting { presence_of: Some(from), stanza });
        let stanzas = self.stanzas.into_iter().map(|stanza| Waiting { presence_of: None, stanza });
        Recovered {
            id,
            last: self.last,
            rooms: self.rooms,
            snapshot: self.snapshot,
            handled: self.handled,
            acked: self.acked,
            unacked: self.unacked.into(),
            waiting: presence.chain(stanzas).collect(),
            dropped: self.dropped,
        }
    }

    fn wait(&mut self, presence_of: Cow<'_, str>, stanza: Option<Cow<'_, [u8]>>) {
        match stanza {
            None => self.dropped = true,
            Some(stanza) if presence_of.is_empty() => self.stanzas.push(stanza.into_owned()),
            Some(stanza) => {
                self.presence.insert(presence_of.into_owned(), stanza.into_owned());
            }
        }
    }

    /// The records that say the same.
    fn encode(&self, id: StreamId, bytes: &mut Vec<u8>) {
        Record::Snapshot { id, last: self.last, snapshot: &self.snapshot }.encode(bytes);
        Record::Handled { id, h: self.handled }.encode(bytes);
        Record::Acked { id, h: self.acked }.encode(bytes);
        for (count, sent) in &self.unacked {
            for record in record::sent(id, *count, self.last, std::slice::from_ref(sent)) {
                record.encode(bytes);
            }
        }
        // Last, for some of what is not acknowledged may have been sent before the snapshot.
        if self.unacked.iter().any(|(_, sent)| matches!(sent, Sent::Room(..))) || !self.rooms.is_empty() {
            Record::Rooms { id, rooms: Cow::Borrowed(&self.rooms) }.encode(bytes);
        }
        let presence = self.presence.iter().map(|(from, stanza)| (from.as_str(), Some(stanza)));
        let stanzas = self.stanzas.iter().map(|stanza| ("", Some(stanza)));
        for (from, stanza) in presence.chain(stanzas).chain(self.dropped.then_some(("", None))) {
            let stanza = stanza.map(|stanza| stanza.as_slice().into());
            Record::Waits { id, presence_of: from.into(), stanza }.encode(bytes);
        }
    }
}

/// What a journal says; `None` if it is not to be trusted: of a boot that `same_boot` does not know, unless it was closed
/// in order, or damaged other than by a last record that was being written.
fn read(bytes: &[u8], same_boot: impl FnOnce(&Option<Boot>) -> bool) -> Option<Live> {
    let (boot, records) = bytes.strip_prefix(HEADER)?.split_first_chunk::<{ size_of::<Boot>() }>()?;
    let boot = Some(*boot).filter(|boot| *boot != NO_BOOT);
    let mut live = Live::new();
    let mut clean = false;
    for record in Reader::new(records) {
        let record = record.ok()?;
        clean = matches!(record, Record::Clean);
        apply(&mut live, record);
    }
    (clean || same_boot(&boot)).then_some(live)
}

fn apply(live: &mut Live, record: Record<'_>) {
    match record {
        Record::Snapshot { id, last, snapshot } => {
            let stream = live.entry(id).or_default();
            stream.snapshot = snapshot.to_vec();
            stream.last = last;
            stream.rooms.clear();
        }
        Record::Rooms { id, rooms } => {
            if let Some(stream) = live.get_mut(&id) {
                stream.rooms = rooms.into_owned();
            }
        }
        Record::Ended { id } => {
            live.remove(&id);
        }
        Record::Waits { id, presence_of, stanza } => {
            if let Some(stream) = live.get_mut(&id) {
                stream.wait(presence_of, stanza);
            }
        }
        Record::Taken { id } => {
            if let Some(stream) = live.get_mut(&id) {
                stream.presence.clear();
                stream.stanzas.clear();
            }
        }
        Record::Clean => {}
        Record::Sent { id, first_count, last, sent } => {
            if let Some(stream) = live.get_mut(&id) {
                stream.last = stream.last.max(last);
                for sent in sent.iter() {
                    if let Sent::Room(room, useq) = sent {
                        let upto = stream.rooms.entry(*room).or_default();
                        *upto = (*upto).max(*useq);
                    }
                }
                // A resumed session sends again what was not acknowledged.
                let again = |count: u32| count.wrapping_sub(first_count) < 1 << 31;
                while stream.unacked.back().is_some_and(|(count, _)| again(*count)) {
                    stream.unacked.pop_back();
                }
                let counts = (0..).map(|n| first_count.wrapping_add(n));
                stream.unacked.extend(counts.zip(sent.iter().cloned()));
            }
        }
        Record::Acked { id, h } => {
            if let Some(stream) = live.get_mut(&id) {
                stream.acked = h;
                // Counts go round: what is less than half the circle behind `h` is acknowledged.
                let acknowledged = |count: u32| h.wrapping_sub(count) < 1 << 31;
                while stream.unacked.pop_front_if(|(count, _)| acknowledged(*count)).is_some() {}
            }
        }
        Record::Handled { id, h } => {
            if let Some(stream) = live.get_mut(&id) {
                stream.handled = h;
            }
        }
    }
}

/// The identity of this boot; `None` where it is not known, or where written is not kept.
fn this_boot() -> Option<Boot> {
    #[cfg(feature = "test-vfs")]
    if crate::test_vfs::Faults::from_env().is_some_and(|disk| disk.is_write_back()) {
        return None;
    }
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    text.trim().as_bytes().try_into().ok()
}
