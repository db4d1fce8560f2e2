//! Judges the mails of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::history::{Account, Outcome};
use super::letter::Label;

/// The domains that people's mail goes to. Mails to one go out one after the other.
pub(super) const DOMAINS: [&str; 3] = ["far0.example", "far1.example", "far2.example"];

/// A mail, and what was said of it.
#[derive(Clone, Debug)]
pub struct Handed {
    /// Which.
    pub label: Label,
    /// The way that it goes.
    pub way: Way,
}

/// The way of a mail.
#[derive(Clone, Debug)]
pub enum Way {
    /// From elsewhere to accounts here, with what the server said of each.
    In(Vec<(Account, Outcome)>),
    /// From an account here to elsewhere.
    Out {
        /// Whose.
        from: Account,
        /// The smarthost refuses it.
        fails: bool,
        /// What the server said.
        outcome: Outcome,
    },
}

impl Handed {
    /// It was answered with 250, for the recipient at this place.
    pub(super) fn answered(&mut self, at: usize) {
        match &mut self.way {
            Way::In(to) => {
                if let Some((_, outcome)) = to.get_mut(at) {
                    *outcome = Outcome::Acknowledged;
                }
            }
            Way::Out { outcome, .. } => *outcome = Outcome::Acknowledged,
        }
    }
}

/// What an account has, each as often as it has it.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Mails that came, in its timeline.
    pub timeline: Vec<Label>,
    /// Mails that it sent, there.
    pub sent: Vec<Label>,
    /// Those of them that an error is there for.
    pub failed: Vec<Label>,
    /// Mails in the inbox; for one that it has sent: a report of it.
    pub inbox: Vec<Label>,
    /// Mails in Sent.
    pub sent_folder: Vec<Label>,
}

/// The whole run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What was brought and handed in.
    pub handed: Vec<Handed>,
    /// What accounts have in the end.
    pub kept: BTreeMap<Account, Kept>,
    /// How often the smarthost took which mail,
    pub taken: BTreeMap<Label, usize>,
    /// and refused which.
    pub refused: BTreeMap<Label, usize>,
    /// How often the server was killed.
    pub kills: usize,
}

/// Where a mail, or what is said of one, was looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// An account's timeline.
    Timeline(Account),
    /// Its folder INBOX.
    Inbox(Account),
    /// Its folder Sent.
    Sent(Account),
    /// The smarthost.
    Smarthost,
    /// Its timeline: the error of a message.
    Error(Account),
    /// Its folder INBOX: a report.
    Report(Account),
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// Answered with 250, or there already, and not here.
    Lost(Label, Place),
    /// There more than once.
    Double(Label, Place),
    /// There, though it is in no timeline.
    Torn(Label, Place),
    /// There, though nobody sent it there.
    Invented(Label, Place),
    /// The smarthost has had mails again more often than kills explain.
    Again {
        /// How often.
        times: usize,
        /// What kills explain: of each domain one mail.
        most: usize,
    },
}

impl Violation {
    /// More time may mend it.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Violation::Lost(..))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Timeline(account) => write!(f, "the timeline of {}", account.name()),
            Place::Inbox(account) => write!(f, "the inbox of {}", account.name()),
            Place::Sent(account) => write!(f, "Sent of {}", account.name()),
            Place::Smarthost => f.write_str("the smarthost"),
            Place::Error(account) => write!(f, "the errors of {}", account.name()),
            Place::Report(account) => write!(f, "the reports to {}", account.name()),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Lost(label, place) => write!(f, "lost: {label} is not in {place}"),
            Violation::Double(label, place) => write!(f, "double: {label} is twice in {place}"),
            Violation::Torn(label, place) => write!(f, "torn: {label} is in {place}, and in no timeline"),
            Violation::Invented(label, place) => write!(f, "invented: nobody sent {label} to {place}"),
            Violation::Again { times, most } => {
                write!(f, "the smarthost had {times} mails again; kills explain {most}")
            }
        }
    }
}

/// Everything that is wrong.
pub fn check(history: &History) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut due = BTreeSet::new();
    for handed in &history.handed {
        match &handed.way {
            Way::In(to) => {
                for (account, outcome) in to {
                    due.insert((*account, handed.label));
                    brought(handed.label, *account, *outcome, history, &mut found);
                }
            }
            Way::Out { from, fails, outcome } => {
                due.insert((*from, handed.label));
                handed_in(handed.label, *from, *fails, *outcome, history, &mut found);
            }
        }
    }
    for (account, kept) in &history.kept {
        let places = [
            (&kept.timeline, Place::Timeline(*account)),
            (&kept.inbox, Place::Inbox(*account)),
            (&kept.sent, Place::Timeline(*account)),
            (&kept.sent_folder, Place::Sent(*account)),
        ];
        for (labels, place) in places {
            let foreign = labels.iter().filter(|label| !due.contains(&(*account, **label)));
            found.extend(foreign.map(|label| Violation::Invented(*label, place)));
        }
    }
    let times = history.taken.values().chain(history.refused.values()).map(|times| times - 1).sum();
    let most = history.kills * DOMAINS.len();
    if times > most {
        found.push(Violation::Again { times, most });
    }
    found
}

fn count(labels: &[Label], label: Label) -> usize {
    labels.iter().filter(|other| **other == label).count()
}

/// Exactly once if it is due, never otherwise.
fn once(there: usize, due: bool, label: Label, place: Place, found: &mut Vec<Violation>) {
    match (there, due) {
        (0, true) => found.push(Violation::Lost(label, place)),
        (1, true) | (0, false) => {}
        (1, false) => found.push(Violation::Torn(label, place)),
        _ => found.push(Violation::Double(label, place)),
    }
}

/// Mail of others: in the timeline if it was answered with 250, and in the inbox exactly if it is there.
fn brought(label: Label, to: Account, outcome: Outcome, history: &History, found: &mut Vec<Violation>) {
    let Some(kept) = history.kept.get(&to) else { return };
    let there = count(&kept.timeline, label);
    let due = outcome == Outcome::Acknowledged || there > 0;
    once(there, due, label, Place::Timeline(to), found);
    once(count(&kept.inbox, label), there > 0, label, Place::Inbox(to), found);
}

/// Mail of people here: in the timeline if it was answered with 250; and exactly if it is there, in Sent and at the smarthost, or,
/// if it is refused there, told of once.
fn handed_in(
    label: Label,
    from: Account,
    fails: bool,
    outcome: Outcome,
    history: &History,
    found: &mut Vec<Violation>,
) {
    let Some(kept) = history.kept.get(&from) else { return };
    let there = count(&kept.sent, label);
    once(there, outcome == Outcome::Acknowledged || there > 0, label, Place::Timeline(from), found);
    once(count(&kept.sent_folder, label), there > 0, label, Place::Sent(from), found);
    // Again is judged over all of them.
    let heard = if fails { &history.refused } else { &history.taken };
    let at_host = usize::from(heard.contains_key(&label));
    once(at_host, there > 0, label, Place::Smarthost, found);
    let told = fails && there > 0;
    once(count(&kept.failed, label), told, label, Place::Error(from), found);
    once(count(&kept.inbox, label), told, label, Place::Report(from), found);
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Account = Account(0);
    const BOB: Account = Account(1);

    fn label(sender: usize, number: u64) -> Label {
        Label { sender, number }
    }

    /// Two mails to Alice and Bob, of which the second was answered for Alice alone; three of Alice's, the second refused by the
    /// smarthost, the third unanswered and kept nevertheless.
    fn good() -> History {
        let (yes, unknown) = (Outcome::Acknowledged, Outcome::Unknown);
        let out = |fails, outcome| Way::Out { from: ALICE, fails, outcome };
        let handed = vec![
            Handed { label: label(0, 1), way: Way::In(vec![(ALICE, yes), (BOB, yes)]) },
            Handed { label: label(0, 2), way: Way::In(vec![(ALICE, yes), (BOB, unknown)]) },
            Handed { label: label(2, 1), way: out(false, yes) },
            Handed { label: label(2, 2), way: out(true, yes) },
            Handed { label: label(2, 3), way: out(false, unknown) },
        ];
        let came = vec![label(0, 1), label(0, 2)];
        let sent: Vec<_> = (1..=3).map(|number| label(2, number)).collect();
        let alice = Kept {
            inbox: [came.clone(), vec![label(2, 2)]].concat(),
            timeline: came,
            sent: sent.clone(),
            failed: vec![label(2, 2)],
            sent_folder: sent,
        };
        let bob = Kept { timeline: vec![label(0, 1)], inbox: vec![label(0, 1)], ..Kept::default() };
        History {
            handed,
            kept: BTreeMap::from([(ALICE, alice), (BOB, bob)]),
            taken: BTreeMap::from([(label(2, 1), 2), (label(2, 3), 1)]),
            refused: BTreeMap::from([(label(2, 2), 1)]),
            kills: 1,
        }
    }

    /// What is found when this is changed.
    fn changed(change: impl FnOnce(&mut History)) -> Vec<Violation> {
        let mut history = good();
        change(&mut history);
        check(&history)
    }

    fn alices(history: &mut History) -> &mut Kept {
        history.kept.get_mut(&ALICE).expect("kept")
    }

    #[test]
    fn a_good_history_is_found_good() {
        assert_eq!(check(&good()), []);
    }

    #[test]
    fn what_was_not_answered_may_have_come() {
        let come = |history: &mut History| {
            let bob = history.kept.get_mut(&BOB).expect("kept");
            bob.timeline.push(label(0, 2));
            bob.inbox.push(label(0, 2));
        };
        assert_eq!(changed(come), []);
    }

    #[test]
    fn what_was_answered_and_is_not_there_is_lost() {
        let lost = changed(|history| {
            alices(history).timeline.remove(1);
        });
        let (timeline, inbox) = (Place::Timeline(ALICE), Place::Inbox(ALICE));
        assert_eq!(lost, [Violation::Lost(label(0, 2), timeline), Violation::Torn(label(0, 2), inbox)]);
        let lost = changed(|history| {
            alices(history).inbox.remove(0);
        });
        assert_eq!(lost, [Violation::Lost(label(0, 1), inbox)]);
        let lost = changed(|history| {
            alices(history).sent_folder.remove(0);
        });
        assert_eq!(lost, [Violation::Lost(label(2, 1), Place::Sent(ALICE))]);
    }

    #[test]
    fn what_is_there_twice_is_found() {
        let double = changed(|history| alices(history).timeline.push(label(0, 1)));
        assert_eq!(double, [Violation::Double(label(0, 1), Place::Timeline(ALICE))]);
        let double = changed(|history| alices(history).inbox.push(label(2, 2)));
        assert_eq!(double, [Violation::Double(label(2, 2), Place::Report(ALICE))]);
    }

    #[test]
    fn what_goes_out_arrives_and_what_fails_is_told_once() {
        let lost = changed(|history| {
            history.taken.remove(&label(2, 3));
        });
        assert_eq!(lost, [Violation::Lost(label(2, 3), Place::Smarthost)]);
        let untold = changed(|history| alices(history).failed.clear());
        assert_eq!(untold, [Violation::Lost(label(2, 2), Place::Error(ALICE))]);
        let told = changed(|history| alices(history).failed.push(label(2, 1)));
        assert_eq!(told, [Violation::Torn(label(2, 1), Place::Error(ALICE))]);
        let again = changed(|history| {
            history.taken.insert(label(2, 1), 5);
        });
        assert_eq!(again, [Violation::Again { times: 4, most: 3 }]);
    }

    #[test]
    fn what_nobody_sent_is_invented() {
        let invented = changed(|history| alices(history).timeline.push(label(7, 7)));
        assert_eq!(invented, [Violation::Invented(label(7, 7), Place::Timeline(ALICE))]);
        // Bob was no recipient of what Alice sent.
        let invented = changed(|history| history.kept.get_mut(&BOB).expect("kept").inbox.push(label(2, 1)));
        assert_eq!(invented, [Violation::Invented(label(2, 1), Place::Inbox(BOB))]);
    }

    #[test]
    fn labels_are_found_in_what_is_kept() {
        let text = b"Message-ID: <c1x2@crash.example>\r\nIn-Reply-To: <x@y> <c30x4@crash.example>\r\n c5x6@crash.example>";
        assert_eq!(Label::all(text), [label(1, 2), label(30, 4)]);
        assert_eq!(Label::of_id("c1x2@crash.example"), Some(label(1, 2)));
        assert_eq!(Label::of_id("c1x2@else.example"), None);
    }
}
