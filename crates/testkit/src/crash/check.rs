//! Judges a history: nothing lost, nothing double, nothing out of order, nothing invented.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use super::history::{Account, Device, DeviceHistory, History, Label, Outcome, Seen, Stored, Via, Write};

/// Where a message was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An account's archive.
    Archive(Account),
    /// What a device received.
    Device(Device),
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Acknowledged, and not there.
    Lost(Label, Place),
    /// There more than once.
    Double(Label, Place),
    /// A stanza came twice within one session, where the counters are exact.
    DoubleInSession(Label, Device),
    /// The first was sent after the second, and comes before it.
    Reordered(Label, Label, Place),
    /// There, though nobody sent it there.
    Invented(Label, Place),
    /// A value is older than the last that was acknowledged, or was never written.
    Value {
        /// Who wrote it.
        device: Device,
        /// Which value.
        key: String,
        /// What is stored.
        found: Option<String>,
        /// What may be stored, oldest first.
        allowed: Vec<Option<String>>,
    },
    /// More or less is unread than what came after the last reading.
    Unread {
        /// Whose inbox.
        account: Account,
        /// The conversation.
        peer: Account,
        /// What the inbox says.
        found: u64,
        /// The most that may be unread: what came after the last reading that was acknowledged.
        most: u64,
        /// The least: what came after any reading.
        least: u64,
    },
}

impl Violation {
    /// What kind of promise it was.
    pub fn kind(&self) -> &'static str {
        match self {
            Violation::Lost(..) => "lost",
            Violation::Double(..) => "double",
            Violation::DoubleInSession(..) => "double in one session",
            Violation::Reordered(..) => "out of order",
            Violation::Invented(..) => "invented",
            Violation::Value { .. } => "values lost",
            Violation::Unread { .. } => "readings lost",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Archive(account) => write!(f, "the archive of {}", account.name()),
            Place::Device(device) => write!(f, "device {device}"),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Lost(label, place) => {
                write!(f, "lost: {label} was acknowledged and is not in {place}")
            }
            Violation::Double(label, place) => write!(f, "double: {label} is twice in {place}"),
            Violation::DoubleInSession(label, device) => {
                write!(f, "double: {label} came twice in one session of device {device}")
            }
            Violation::Reordered(later, earlier, place) => {
                write!(f, "out of order: {later} comes before {earlier} in {place}")
            }
            Violation::Invented(label, place) => write!(f, "invented: nobody sent {label} to {place}"),
            Violation::Value { device, key, found, allowed } => {
                write!(f, "value: {key}, written by {device}, is {found:?}; it may be one of {allowed:?}")
            }
            Violation::Unread { account, peer, found, most, least } => {
                let (account, peer) = (account.name(), peer.name());
                write!(f, "unread: {found} of {peer} in the inbox of {account}; it may be {least} to {most}")
            }
        }
    }
}

/// Everything that is wrong. While `stored` is empty only the devices are judged.
pub fn check(history: &History) -> Vec<Violation> {
    let recipients: HashMap<Label, Account> = history
        .devices
        .iter()
        .flat_map(|device| device.sent.iter().map(|sent| (sent.label, sent.to)))
        .collect();
    let acknowledged: Vec<(Label, Account)> = history
        .devices
        .iter()
        .flat_map(|device| &device.sent)
        .filter(|sent| sent.outcome == Outcome::Acknowledged)
        .map(|sent| (sent.label, sent.to))
        .collect();
    let mut violations = Vec::new();
    for device in &history.devices {
        judge_device(device, &recipients, &acknowledged, &mut violations);
    }
    for (account, stored) in &history.stored {
        let place = Place::Archive(*account);
        judge_sequence(&stored.archive, place, *account, &recipients, &mut violations);
        let there: HashSet<&Label> = stored.archive.iter().collect();
        let due = acknowledged.iter().filter(|(label, to)| is_kept_by(*account, *label, *to));
        violations.extend(
            due.filter(|(label, _)| !there.contains(label)).map(|(label, _)| Violation::Lost(*label, place)),
        );
    }
    for (account, stored) in &history.stored {
        judge_unread(*account, stored, history, &recipients, &mut violations);
    }
    for device in &history.devices {
        if let Some(stored) = history.stored.get(&device.device.account) {
            judge_values(device, stored, &mut violations);
        }
    }
    violations
}

/// Whether a message belongs into the archive of an account, or of the room.
fn is_kept_by(account: Account, label: Label, to: Account) -> bool {
    to == account || (label.from.account == account && to != Account::ROOM)
}

fn judge_device(
    history: &DeviceHistory,
    recipients: &HashMap<Label, Account>,
    acknowledged: &[(Label, Account)],
    violations: &mut Vec<Violation>,
) {
    let device = history.device;
    let place = Place::Device(device);
    let kept = without_doubles(history, violations);
    judge_sequence(&kept, place, device.account, recipients, violations);
    let there: HashSet<Label> = kept.into_iter().collect();
    for (label, to) in acknowledged {
        // To the room, to the account, or a copy of what another of its devices sent (XEP-0280).
        let own = label.from != device && is_kept_by(device.account, *label, *to);
        let due = own || *to == Account::ROOM;
        if due && !there.contains(label) {
            violations.push(Violation::Lost(*label, place));
        }
    }
}

/// What the user of the device sees: doubles are dropped by their stanza-id, as between archive and live stream
/// they may come. Within one session the counters are exact and none may.
fn without_doubles(history: &DeviceHistory, violations: &mut Vec<Violation>) -> Vec<Label> {
    let mut first: HashMap<&str, Vec<Via>> = HashMap::new();
    let mut kept = Vec::new();
    for Seen { label, stanza_id, via } in &history.seen {
        let before = first.entry(stanza_id).or_default();
        if before.is_empty() {
            kept.push(*label);
        } else if matches!(via, Via::Live(_)) && before.contains(via) {
            violations.push(Violation::DoubleInSession(*label, history.device));
        }
        before.push(*via);
    }
    kept
}

fn judge_sequence(
    labels: &[Label],
    place: Place,
    account: Account,
    recipients: &HashMap<Label, Account>,
    violations: &mut Vec<Violation>,
) {
    let mut there = HashSet::new();
    // What goes to the room and what does not are two logs, and in order each.
    let mut last: HashMap<(Device, bool), Label> = HashMap::new();
    let device = matches!(place, Place::Device(_));
    for label in labels {
        let to = recipients.get(label).copied();
        let room = to == Some(Account::ROOM);
        if !to.is_some_and(|to| is_kept_by(account, *label, to) || (room && device)) {
            violations.push(Violation::Invented(*label, place));
        }
        if !there.insert(*label) {
            violations.push(Violation::Double(*label, place));
            continue;
        }
        match last.get(&(label.from, room)) {
            Some(later) if later.number > label.number => {
                violations.push(Violation::Reordered(*later, *label, place));
            }
            _ => {
                last.insert((label.from, room), *label);
            }
        }
    }
}

/// A value is that of the last acknowledged write, or of a later one: unknown, or refused by a store that failed
/// half-way, they may have come through.
fn judge_values(history: &DeviceHistory, stored: &Stored, violations: &mut Vec<Violation>) {
    let mut keys: BTreeMap<&str, Vec<&Write>> = BTreeMap::new();
    for write in &history.writes {
        keys.entry(&write.key).or_default().push(write);
    }
    for (key, writes) in keys {
        let acknowledged = writes.iter().rposition(|write| write.outcome == Outcome::Acknowledged);
        let mut allowed: Vec<Option<String>> = match acknowledged {
            Some(_) => Vec::new(),
            None => vec![None],
        };
        allowed.extend(writes[acknowledged.unwrap_or(0)..].iter().map(|write| write.value.clone()));
        let found = stored.values.get(key).cloned();
        if !allowed.contains(&found) {
            violations.push(Violation::Value { device: history.device, key: key.to_owned(), found, allowed });
        }
    }
}

/// What an inbox counts: more than that is not.
const COUNTED: u64 = 1_000;

/// What is unread of each peer came after all that the account wrote to it, and after all that was read and acknowledged.
fn judge_unread(
    account: Account,
    stored: &Stored,
    history: &History,
    recipients: &HashMap<Label, Account>,
    violations: &mut Vec<Violation>,
) {
    let own = history.devices.iter().filter(|device| device.device.account == account);
    let readings: Vec<_> = own.flat_map(|device| &device.readings).collect();
    let places: HashMap<&Label, usize> =
        stored.archive.iter().enumerate().map(|(at, label)| (label, at)).collect();
    for (&peer, &found) in stored.unread.iter().filter(|(peer, _)| **peer != account) {
        let answered = stored
            .archive
            .iter()
            .rposition(|label| label.from.account == account && recipients.get(label) == Some(&peer));
        let read = |counts: &dyn Fn(Outcome) -> bool| {
            let these = readings.iter().filter(|reading| reading.peer == peer && counts(reading.outcome));
            these.filter_map(|reading| places.get(&reading.upto).copied()).max()
        };
        let unread = |place: Option<usize>| {
            let rest = stored.archive.iter().skip(place.max(answered).map_or(0, |place| place + 1));
            let theirs = rest.filter(|label| label.from.account == peer).count() as u64;
            theirs.min(COUNTED)
        };
        let most = unread(read(&|outcome| outcome == Outcome::Acknowledged));
        let least = unread(read(&|_| true));
        if !(least..=most).contains(&found) {
            violations.push(Violation::Unread { account, peer, found, most, least });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::history::{Reading, Sent};

    const ALICE: Device = Device { account: Account(0), index: 0 };
    const BOB: Device = Device { account: Account(1), index: 0 };
    const BOBS_OTHER: Device = Device { account: Account(1), index: 1 };

    fn label(number: u64) -> Label {
        Label { from: ALICE, number }
    }

    /// Alice has sent three messages to Bob, the third was not acknowledged; both of his devices saw them, one of
    /// them in the archive after a lost session.
    fn good() -> History {
        let mut alice = DeviceHistory::new(ALICE);
        for (number, outcome) in
            [(1, Outcome::Acknowledged), (2, Outcome::Acknowledged), (3, Outcome::Unknown)]
        {
            alice.sent.push(Sent { label: label(number), to: Account(1), outcome });
        }
        let write =
            |value: &str, outcome| Write { key: "roster x".into(), value: Some(value.into()), outcome };
        alice.writes = vec![
            write("1", Outcome::Acknowledged),
            write("2", Outcome::Acknowledged),
            write("3", Outcome::Unknown),
        ];
        let seen = |number, via| Seen { label: label(number), stanza_id: format!("s{number}"), via };
        let mut bob = DeviceHistory::new(BOB);
        let reading = |number, outcome| Reading { peer: Account(0), upto: label(number), outcome };
        bob.readings = vec![reading(1, Outcome::Acknowledged), reading(2, Outcome::Unknown)];
        bob.seen = vec![seen(1, Via::Live(1)), seen(2, Via::Live(1)), seen(3, Via::Live(1))];
        let mut other = DeviceHistory::new(BOBS_OTHER);
        other.seen =
            vec![seen(1, Via::Live(1)), seen(2, Via::CatchUp), seen(3, Via::CatchUp), seen(2, Via::Live(2))];
        let archive = vec![label(1), label(2), label(3)];
        let values = BTreeMap::from([("roster x".to_owned(), "2".to_owned())]);
        let stored = BTreeMap::from([
            (
                Account(0),
                Stored { archive: archive.clone(), values, unread: BTreeMap::from([(Account(1), 0)]) },
            ),
            (
                Account(1),
                Stored { archive, values: BTreeMap::new(), unread: BTreeMap::from([(Account(0), 1)]) },
            ),
        ]);
        History { devices: vec![alice, bob, other], stored }
    }

    #[test]
    fn a_good_history_is_found_good() {
        assert_eq!(check(&good()), []);
    }

    #[test]
    fn what_was_not_acknowledged_may_be_missing() {
        let mut history = good();
        history.devices[1].seen.pop();
        history.stored.values_mut().for_each(|stored| {
            stored.archive.pop();
        });
        assert_eq!(check(&history), []);
    }

    #[test]
    fn a_lost_message_is_found_on_a_device_and_in_each_archive() {
        let mut history = good();
        history.devices[1].seen.remove(0);
        assert_eq!(check(&history), [Violation::Lost(label(1), Place::Device(BOB))]);
        for account in [Account(0), Account(1)] {
            let mut history = good();
            history.stored.get_mut(&account).expect("stored").archive.remove(1);
            assert_eq!(check(&history), [Violation::Lost(label(2), Place::Archive(account))]);
        }
    }

    #[test]
    fn an_account_without_any_archive_has_lost_everything() {
        let mut history = good();
        history.stored.insert(Account(1), Stored::default());
        assert_eq!(check(&history).len(), 2);
    }

    #[test]
    fn a_double_is_found_even_under_another_stanza_id() {
        let mut history = good();
        let again = Seen { stanza_id: "s4".into(), ..history.devices[1].seen[0].clone() };
        history.devices[1].seen.insert(1, again);
        assert_eq!(check(&history), [Violation::Double(label(1), Place::Device(BOB))]);
        let mut history = good();
        history.stored.get_mut(&Account(0)).expect("stored").archive.push(label(3));
        assert_eq!(check(&history), [Violation::Double(label(3), Place::Archive(Account(0)))]);
    }

    #[test]
    fn a_stanza_that_comes_twice_in_one_session_is_found() {
        let mut history = good();
        let again = history.devices[1].seen[0].clone();
        history.devices[1].seen.push(again);
        assert_eq!(check(&history), [Violation::DoubleInSession(label(1), BOB)]);
    }

    #[test]
    fn a_reordered_message_is_found() {
        let mut history = good();
        history.devices[1].seen.swap(0, 1);
        assert_eq!(check(&history), [Violation::Reordered(label(2), label(1), Place::Device(BOB))]);
        let mut history = good();
        history.stored.get_mut(&Account(1)).expect("stored").archive.swap(1, 2);
        assert_eq!(check(&history), [Violation::Reordered(label(3), label(2), Place::Archive(Account(1)))]);
    }

    #[test]
    fn what_is_said_in_the_room_is_due_to_everybody_and_in_its_archive_alone() {
        let mut history = good();
        let said = label(4);
        history.devices[0].sent.push(Sent { label: said, to: Account::ROOM, outcome: Outcome::Acknowledged });
        let room = Stored { archive: vec![said], ..Stored::default() };
        history.stored.insert(Account::ROOM, room);
        let lost = [ALICE, BOB, BOBS_OTHER].map(|device| Violation::Lost(said, Place::Device(device)));
        assert_eq!(check(&history), lost);
        for device in &mut history.devices {
            device.seen.push(Seen { label: said, stanza_id: "r1".into(), via: Via::Live(1) });
        }
        assert_eq!(check(&history), []);
        history.stored.get_mut(&Account(0)).expect("stored").archive.push(said);
        assert_eq!(check(&history), [Violation::Invented(said, Place::Archive(Account(0)))]);
    }

    #[test]
    fn an_invented_message_is_found() {
        let mut history = good();
        history.devices[1].seen.push(Seen { label: label(9), stanza_id: "s9".into(), via: Via::CatchUp });
        assert_eq!(check(&history), [Violation::Invented(label(9), Place::Device(BOB))]);
    }

    #[test]
    fn a_copy_for_the_senders_other_device_is_due() {
        let mut history = good();
        let other = Device { account: Account(0), index: 1 };
        history.devices.push(DeviceHistory::new(other));
        let lost = [1, 2].map(|number| Violation::Lost(label(number), Place::Device(other)));
        assert_eq!(check(&history), lost);
    }

    #[test]
    fn a_value_may_be_newer_than_the_last_acknowledged_but_not_older() {
        for (found, good_enough) in [(Some("2"), true), (Some("3"), true), (Some("1"), false), (None, false)]
        {
            let mut history = good();
            let values = &mut history.stored.get_mut(&Account(0)).expect("stored").values;
            values.clear();
            values.extend(found.map(|found| ("roster x".to_owned(), found.to_owned())));
            assert_eq!(check(&history).is_empty(), good_enough, "{found:?}");
        }
    }

    #[test]
    fn what_was_read_stays_read() {
        for (found, good_enough) in [(0, false), (1, true), (2, true), (3, false)] {
            let mut history = good();
            history.stored.get_mut(&Account(1)).expect("stored").unread.insert(Account(0), found);
            assert_eq!(check(&history).is_empty(), good_enough, "{found}");
        }
        // Who wrote has read.
        let mut history = good();
        history.stored.get_mut(&Account(0)).expect("stored").unread.insert(Account(1), 1);
        assert_eq!(check(&history).len(), 1);
    }

    #[test]
    fn labels_survive_the_wire() {
        let label = Label { from: BOBS_OTHER, number: 17 };
        assert_eq!(Label::parse(&label.to_string()), Some(label));
        assert_eq!(Label::parse("m-1-x-3"), None);
    }
}
