//! The journal after a kill at every byte, damage, another boot, rotation and a full disk.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const BOOT: Option<Boot> = Some([b'a'; 36]);
const NEXT_BOOT: Option<Boot> = Some([b'b'; 36]);

fn id(n: u8) -> StreamId {
    StreamId([n; 16])
}

fn open(dir: &TempDir) -> (Journal, Recovery) {
    Journal::open_in(dir.path(), BOOT).unwrap()
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("streams.journal")
}

/// One call.
#[derive(Clone, Debug)]
enum Call {
    Snapshot(u8, u64, Vec<u8>),
    Sent(u8, u64, Vec<Sent>),
    /// Sends that many of the unacknowledged again, as another.
    Again(u8, usize, Sent),
    Acked(u8, u32),
    Handled(u8, u32),
    Waits(u8, Option<String>, Vec<u8>),
    Taken(u8),
    Ended(u8),
}

/// What the journal should recover: the plainest way to keep it.
#[derive(Clone, Default)]
struct Model(BTreeMap<u8, Recovered>);

/// Streams begin to count shortly before the count goes round.
const BEFORE_ROUND: u32 = u32::MAX - 20;

impl Model {
    fn call(&mut self, journal: &Journal, call: Call) {
        match call {
            Call::Snapshot(n, last, snapshot) => {
                journal.snapshot(id(n), Useq(last), &snapshot);
                let stream = self.0.entry(n).or_insert_with(|| fresh(n));
                (stream.last, stream.snapshot) = (Useq(last), snapshot);
                stream.rooms.clear();
            }
            Call::Sent(n, last, sent) => {
                let Some(stream) = self.0.get_mut(&n) else {
                    return journal.sent(id(n), 1, Useq(last), &sent);
                };
                let before = if stream.acked == 0 { BEFORE_ROUND } else { stream.acked };
                let newest = stream.unacked.last().map_or(before, |(count, _)| *count);
                let first = newest.wrapping_add(1);
                journal.sent(id(n), first, Useq(last), &sent);
                if !sent.is_empty() {
                    stream.last = stream.last.max(Useq(last));
                }
                sent.iter().for_each(|sent| reaches(stream, sent));
                let counts = (0..).map(|index| first.wrapping_add(index));
                stream.unacked.extend(counts.zip(sent.into_iter().map(kept)));
            }
            Call::Again(n, many, sent) => {
                let Some(stream) = self.0.get_mut(&n) else { return };
                let from = stream.unacked.len().saturating_sub(many);
                let Some(&(first, _)) = stream.unacked.get(from) else { return };
                journal.sent(id(n), first, Useq(0), std::slice::from_ref(&sent));
                reaches(stream, &sent);
                stream.unacked.truncate(from);
                stream.unacked.push((first, kept(sent)));
            }
            Call::Acked(n, some) => {
                // A client acknowledges what it was sent.
                let Some(stream) = self.0.get_mut(&n) else {
                    return journal.acked(id(n), some);
                };
                let count = (some as usize).min(stream.unacked.len());
                let Some(last) = count.checked_sub(1) else { return };
                stream.acked = stream.unacked[last].0;
                journal.acked(id(n), stream.acked);
                drop(stream.unacked.drain(..count));
            }
            Call::Handled(n, h) => {
                journal.handled(id(n), h);
                if let Some(stream) = self.0.get_mut(&n) {
                    stream.handled = h;
                }
            }
            Call::Waits(n, presence_of, stanza) => {
                journal.waits(id(n), presence_of.as_deref(), &stanza);
                let Some(stream) = self.0.get_mut(&n) else { return };
                if stanza.len() > limits::JOURNAL_STANZA {
                    stream.dropped = true;
                    return;
                }
                stream.waiting.retain(|one| presence_of.is_none() || one.presence_of != presence_of);
                stream.waiting.push(Waiting { presence_of, stanza });
                stream.waiting.sort_by_key(|one| (one.presence_of.is_none(), one.presence_of.clone()));
            }
            Call::Taken(n) => {
                journal.taken(id(n));
                if let Some(stream) = self.0.get_mut(&n) {
                    stream.waiting.clear();
                }
            }
            Call::Ended(n) => {
                journal.ended(id(n));
                self.0.remove(&n);
            }
        }
    }

    fn recovery(&self) -> Recovery {
        Recovery { exact: true, streams: self.0.values().cloned().collect() }
    }
}

fn fresh(n: u8) -> Recovered {
    Recovered {
        id: id(n),
        snapshot: Vec::new(),
        handled: 0,
        acked: 0,
        last: Useq(0),
        rooms: BTreeMap::new(),
        unacked: Vec::new(),
        waiting: Vec::new(),
        dropped: false,
    }
}

/// How far a stream is in a group's log after this was sent.
fn reaches(stream: &mut Recovered, sent: &Sent) {
    if let Sent::Room(room, useq) = sent {
        let upto = stream.rooms.entry(*room).or_default();
        *upto = (*upto).max(*useq);
    }
}

/// What the journal keeps of a stanza.
fn kept(sent: Sent) -> Sent {
    let large = matches!(&sent, Sent::Bytes(bytes) if bytes.len() > limits::JOURNAL_STANZA);
    if large { Sent::Opaque } else { sent }
}

fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![
        any::<u64>().prop_map(|useq| Sent::Log(Useq(useq))),
        (700_001_u64..700_004, 0_u64..9).prop_map(|(room, useq)| Sent::Room(Uid(room), Useq(useq))),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Sent::Bytes),
        Just(Sent::Opaque),
        Just(Sent::Bytes(vec![b'x'; limits::JOURNAL_STANZA])),
        Just(Sent::Bytes(vec![b'x'; limits::JOURNAL_STANZA + 1])),
    ]
}

fn waiting() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        9 => prop::collection::vec(any::<u8>(), 1..40),
        1 => Just(vec![b'x'; limits::JOURNAL_STANZA]),
        1 => Just(vec![b'x'; limits::JOURNAL_STANZA + 1]),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let stream = 0_u8..4;
    prop_oneof![
        2 => (stream.clone(), 0_u64..9, prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(n, last, bytes)| Call::Snapshot(n, last, bytes)),
        4 => (stream.clone(), 0_u64..9, prop::collection::vec(sent(), 0..40))
            .prop_map(|(n, last, sent)| Call::Sent(n, last, sent)),
        1 => (stream.clone(), 0_usize..10, sent()).prop_map(|(n, many, sent)| Call::Again(n, many, sent)),
        3 => (stream.clone(), 0_u32..30).prop_map(|(n, some)| Call::Acked(n, some)),
        2 => (stream.clone(), any::<u32>()).prop_map(|(n, h)| Call::Handled(n, h)),
        3 => (stream.clone(), prop::option::of("[ab]"), waiting()).prop_map(|(n, from, one)| Call::Waits(n, from, one)),
        1 => stream.clone().prop_map(Call::Taken),
        1 => stream.prop_map(Call::Ended),
    ]
}

proptest! {
    #[test]
    fn what_was_noted_is_recovered(lives in prop::collection::vec(prop::collection::vec(call(), 0..20), 1..5)) {
        let dir = tempfile::tempdir().unwrap();
        let mut model = Model::default();
        for (life, calls) in lives.into_iter().enumerate() {
            let (journal, recovery) = open(&dir);
            if life > 0 {
                prop_assert_eq!(recovery, model.recovery());
            }
            for call in calls {
                model.call(&journal, call);
            }
            // Rewriting what lives changes nothing.
            journal.0.lock().rotate_at = 0;
            journal.ended(id(255));
        }
        prop_assert_eq!(open(&dir).1, model.recovery());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let dir = tempfile::tempdir().unwrap();
        let mut damaged = HEADER.to_vec();
        damaged.extend_from_slice(&BOOT.unwrap());
        damaged.extend_from_slice(&bytes);
        std::fs::write(file(&dir), damaged).unwrap();
        open(&dir);
    }
}

/// A journal of some calls: its bytes, and after each call its length and what it should say.
fn example() -> (Vec<u8>, Vec<(usize, Recovery)>) {
    let dir = tempfile::tempdir().unwrap();
    let (journal, recovery) = open(&dir);
    assert_eq!(recovery, Recovery::default(), "without a file nothing is exact");
    let mut model = Model::default();
    let mut steps = vec![(HEADER.len() + NO_BOOT.len(), model.recovery())];
    for call in [
        Call::Snapshot(1, 6, b"first".to_vec()),
        Call::Snapshot(2, 0, b"second".to_vec()),
        Call::Sent(1, 7, vec![Sent::Log(Useq(7)), Sent::Bytes(b"<a/>".to_vec()), Sent::Opaque]),
        Call::Handled(1, 3),
        Call::Acked(1, 2),
        Call::Again(1, 1, Sent::Log(Useq(8))),
        Call::Ended(2),
        Call::Waits(1, None, b"<iq/>".to_vec()),
        Call::Waits(1, Some("a@b/c".into()), b"<presence/>".to_vec()),
        Call::Taken(1),
        Call::Waits(1, Some("a@b/c".into()), vec![b'x'; limits::JOURNAL_STANZA + 1]),
        Call::Snapshot(1, 3, b"third".to_vec()),
        Call::Sent(1, 4, vec![Sent::Log(Useq(4))]),
    ] {
        model.call(&journal, call);
        steps.push((std::fs::metadata(file(&dir)).unwrap().len() as usize, model.recovery()));
    }
    (std::fs::read(file(&dir)).unwrap(), steps)
}

#[test]
fn a_record_cut_short_at_any_byte_was_not_written() {
    let (bytes, steps) = example();
    let dir = tempfile::tempdir().unwrap();
    for length in 0..=bytes.len() {
        std::fs::write(file(&dir), &bytes[..length]).unwrap();
        let expected = steps.iter().rev().find(|(whole, _)| *whole <= length);
        let expected = expected.map_or(Recovery::default(), |(_, recovery)| recovery.clone());
        assert_eq!(open(&dir).1, expected, "cut at {length}");
    }
}

#[test]
fn damage_at_any_byte_is_not_trusted() {
    let (bytes, _) = example();
    let dir = tempfile::tempdir().unwrap();
    for position in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[position] ^= flip;
            std::fs::write(file(&dir), damaged).unwrap();
            assert_eq!(open(&dir).1, Recovery::default(), "{flip:#x} at {position}");
        }
    }
}

#[test]
fn another_boot_is_trusted_only_after_a_clean_end() {
    let dir = tempfile::tempdir().unwrap();
    let open_in = |boot| Journal::open_in(dir.path(), boot).unwrap();
    let note = |journal: &Journal| journal.snapshot(id(1), Useq(0), b"state");
    note(&open_in(BOOT).0);
    assert_eq!(open_in(NEXT_BOOT).1, Recovery::default());
    let (journal, recovery) = open_in(NEXT_BOOT);
    assert!(recovery.exact && recovery.streams.is_empty(), "what is not trusted is not kept");
    note(&journal);
    journal.sync_clean().unwrap();
    drop(journal);
    let (journal, recovery) = open_in(BOOT);
    assert!(recovery.exact);
    assert_eq!(recovery.streams.len(), 1);
    journal.sync_clean().unwrap();
    journal.handled(id(1), 5);
    drop(journal);
    assert!(!open_in(NEXT_BOOT).1.exact, "what followed the end was not synced");

    note(&open_in(None).0);
    assert!(!open_in(None).1.exact, "unknown boots are not the same");
    assert!(!open_in(BOOT).1.exact);
}

#[test]
fn a_long_journal_is_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(&dir);
    let snapshot = vec![b's'; limits::JOURNAL_SNAPSHOT];
    journal.snapshot(id(1), Useq(0), b"small");
    journal.sent(id(1), 1, Useq(2), &[Sent::Log(Useq(1)), Sent::Log(Useq(2))]);
    journal.acked(id(1), 1);
    let times = 3 * limits::JOURNAL_SEGMENT as usize / snapshot.len();
    let mut longest = 0;
    for _ in 0..times {
        journal.snapshot(id(2), Useq(0), &snapshot);
        longest = longest.max(std::fs::metadata(file(&dir)).unwrap().len());
    }
    assert!(longest <= limits::JOURNAL_SEGMENT, "{longest}");
    drop(journal);
    let (_, recovery) = open(&dir);
    assert!(recovery.exact);
    assert_eq!(recovery.streams.len(), 2);
    let small = &recovery.streams[0];
    assert_eq!((small.acked, &small.unacked[..]), (1, &[(2, Sent::Log(Useq(2)))][..]));
    assert_eq!(small.last, Useq(2));
    assert_eq!(recovery.streams[1].snapshot, snapshot);
    assert!(std::fs::metadata(file(&dir)).unwrap().len() < 2 * snapshot.len() as u64);
}

#[test]
fn a_state_too_large_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(&dir);
    journal.snapshot(id(1), Useq(0), b"small");
    journal.snapshot(id(1), Useq(0), &vec![0; limits::JOURNAL_SNAPSHOT + 1]);
    drop(journal);
    assert_eq!(open(&dir).1, Recovery { exact: true, streams: vec![] });
}

#[test]
fn a_journal_that_cannot_be_written_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let (journal, _) = open(&dir);
    journal.snapshot(id(1), Useq(0), b"state");
    journal.0.lock().file = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
    journal.handled(id(1), 1);
    journal.handled(id(1), 2);
    assert_eq!(journal.sync_clean(), Ok(()));
    drop(journal);
    assert_eq!(open(&dir).1, Recovery::default());
    assert!(open(&dir).1.exact, "the next one is whole again");
}

#[test]
fn the_checksum_is_crc_32c() {
    // RFC 3720 Appendix B.4.
    assert_eq!(record::crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(record::crc32c(&[0xff; 32]), 0x62a8_ab43);
}
