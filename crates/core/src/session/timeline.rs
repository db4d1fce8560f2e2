//! A session's place in its account's log, and the form in which it gets an entry.

use super::{Session, State};
use rookery_proto::Useq;
use rookery_store::{Direction, Entry, Flags};
use serde::{Deserialize, Serialize};

/// How far a session is: everything up to `last` was queued for it or stepped over, `head` is the newest it has
/// heard of. Gapless assignment makes the comparison enough: `last + 1` is next, `≤ last` is known, anything
/// higher means reading the store from `last`.
///
/// A session that is not available gets only what is addressed to its resource. When it becomes available it goes
/// back to what it missed, and `given` keeps it from getting those few again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    last: Useq,
    head: Useq,
    /// The newest entry when the session was bound.
    begun: Useq,
    /// Where the session stopped (or had not begun) to get everything.
    quiet_since: Useq,
    /// Up to here it has had everything that was for it.
    complete: Useq,
    /// After the first and up to the second, what is addressed to its resource was given to it already.
    given: (Useq, Useq),
    /// The session gets everything that is for everybody.
    following: bool,
    /// Up to here the log is offline delivery: whatever came in is for this session, and nothing is a copy.
    offline: Useq,
    /// Up to here the client reads the archive itself: what is there is not delivered to it (XEP-0386 §3.2).
    archived: Useq,
    /// The client retrieves itself what waits for the account (XEP-0013 §2.2): nothing that is marked as owed is sent to it.
    #[serde(default)]
    retrieves: bool,
    /// Wants carbons of the account's other resources (XEP-0280).
    pub carbons: bool,
}

impl Timeline {
    /// A place at the end of a log whose newest entry is `head`.
    pub fn at(head: Useq) -> Timeline {
        Timeline {
            last: head,
            head,
            begun: head,
            quiet_since: head,
            complete: Useq(0),
            following: false,
            given: (head, head),
            offline: Useq(0),
            archived: Useq(0),
            retrieves: false,
            carbons: false,
        }
    }

    /// Begins at `head`, which was read after the session could be offered entries; what was offered since counts.
    pub fn begin(&mut self, head: Useq) {
        let heard = self.head;
        *self = Timeline { carbons: self.carbons, ..Timeline::at(head) };
        self.head = self.head.max(heard);
    }

    /// The client reads in the archive what came before.
    pub fn read_archive(&mut self) {
        self.archived = self.last;
    }

    /// Whether the client reads `entry` in the archive itself.
    pub fn is_read_in_archive(&self, entry: &Entry) -> bool {
        entry.useq <= self.archived && entry.flags.has(Flags::ARCHIVE)
    }

    /// The client retrieves itself what waits: everything up to `upto` that is for everybody is marked as owed, or taken.
    pub fn retrieve(&mut self, upto: Useq) {
        self.retrieves = true;
        self.complete = self.complete.max(upto);
    }

    /// Whether the client retrieves what waits itself.
    pub fn retrieves(&self) -> bool {
        self.retrieves
    }

    /// Everything up to here was queued or stepped over.
    pub fn last(&self) -> Useq {
        self.last
    }

    /// The newest entry heard of.
    pub fn head(&self) -> Useq {
        self.head
    }

    /// The newest entry when the session was bound.
    pub fn begun(&self) -> Useq {
        self.begun
    }

    /// Whether the session was there when entry `useq` came.
    pub fn began_before(&self, useq: Useq) -> bool {
        self.begun < useq
    }

    /// Whether the session gets everything that is for everybody.
    pub fn is_following(&self) -> bool {
        self.following
    }

    /// After the first and up to the second, what was sent to this resource was given to it before it followed.
    pub fn given(&self) -> (Useq, Useq) {
        self.given
    }

    /// Of everything up to `upto`, how far that includes what was for everybody.
    pub fn had(&self, upto: Useq) -> Useq {
        if self.following { upto } else { upto.min(self.complete) }
    }

    /// Whether entry `useq` came before the session followed.
    pub fn is_offline(&self, useq: Useq) -> bool {
        Useq(0) < useq && useq <= self.offline
    }

    /// Whether the client has been given a copy of `entry`, in its turn.
    pub fn was_copied(&self, state: &State, entry: &Entry) -> bool {
        !self.is_offline(entry.useq) && state.gets_copy(entry)
    }

    /// Whether the store holds entries that this session has not seen.
    pub fn is_behind(&self) -> bool {
        self.last < self.head
    }

    /// Takes note of entry `useq`; true when it is the very next and there is room for it now.
    pub fn step(&mut self, useq: Useq, room: bool) -> bool {
        let next = room && !self.is_behind() && useq == self.last.next();
        self.head = self.head.max(useq);
        if next {
            self.last = useq;
        }
        next
    }

    /// Goes forward to `useq`, over whatever is not there any more; false when it is already passed.
    pub fn jump(&mut self, useq: Useq) -> bool {
        let forward = useq > self.last;
        if forward {
            self.last = useq;
            self.head = self.head.max(useq);
        }
        forward
    }

    /// The session has become available: what came since it was bound, and everything after `delivered`, is for it, but
    /// what it has had.
    pub fn follow(&mut self, delivered: Useq) {
        self.given = (self.quiet_since, self.last);
        self.offline = self.quiet_since;
        self.following = true;
        self.last = self.last.min(delivered.min(self.quiet_since).max(self.complete));
    }

    /// Entry `useq` and everything after it were queued but not written, and will be read again.
    pub fn unwritten(&mut self, useq: Useq) {
        self.last = self.last.min(Useq(useq.0 - 1));
    }

    /// The session takes no more messages for everybody: from here on only what is addressed to its resource is for
    /// it. Says nothing new of one that did not take them before.
    pub fn quiet(&mut self) {
        if std::mem::take(&mut self.following) {
            self.quiet_since = self.last;
            self.complete = self.last;
        }
    }

    /// This place after a restart of the server: everything up to `last` was written or stepped over before it, and the
    /// log goes up to `head` now.
    pub fn restored(self, last: Useq, head: Useq) -> Timeline {
        Timeline { last, head: head.max(last), ..self }
    }

    fn was_given(&self, useq: Useq) -> bool {
        self.given.0 < useq && useq <= self.given.1
    }
}

/// How an entry is shown to one session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// As the message it is.
    Direct,
    /// As the carbon copy of a message that another resource received (XEP-0280 §7).
    Received,
    /// As the carbon copy of a message that another resource sent (XEP-0280 §8).
    Sent,
}

/// The form in which `session` gets `entry`, or nothing when the entry is not for it (RFC 6121 §8.5, XEP-0280).
pub fn form(state: &State, session: &Session, entry: &Entry) -> Option<Form> {
    let copy = |form| state.gets_copy(entry).then_some(form);
    if !entry.flags.has(Flags::DELIVER) || entry.flags.has(Flags::RETRACTED) {
        return None;
    }
    if entry.flags.has(Flags::OWED) && state.timeline.retrieves() {
        return None; // It waits until the client asks for it.
    }
    if state.timeline.is_offline(entry.useq) {
        let waited = entry.direction == Direction::In && state.takes_bare();
        // What a session left is collected, not read in its turn.
        let elsewhere = entry.flags.has(Flags::OWED) || state.timeline.is_read_in_archive(entry);
        return (waited && !elsewhere).then_some(Form::Direct);
    }
    let mine = entry.resource.as_deref() == Some(session.resource()) && !entry.flags.has(Flags::OWED);
    match entry.direction {
        Direction::Out => (!mine).then(|| copy(Form::Sent)).flatten(),
        Direction::In if mine && state.timeline.was_given(entry.useq) => None,
        Direction::In if mine => Some(Form::Direct),
        Direction::In if entry.resource.is_none() && state.takes_bare() => Some(Form::Direct),
        Direction::In if sent_here(session, entry) => None,
        Direction::In => copy(Form::Received),
    }
}

/// The form of an entry that was written before and is written again: what was given then is given again.
pub fn form_again(state: &State, session: &Session, entry: &Entry) -> Option<Form> {
    let mine = entry.direction == Direction::In && entry.resource.as_deref() == Some(session.resource());
    let collected = state.owed.has(entry.useq);
    let gone = entry.flags.has(Flags::RETRACTED);
    if (mine || collected) && !gone { Some(Form::Direct) } else { form(state, session, entry) }
}

/// A message to another of one's own resources is no news for the one that sent it.
fn sent_here(session: &Session, entry: &Entry) -> bool {
    entry.peer_resource.as_deref() == Some(session.resource()) && entry.peer == session.jid.to_bare()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_known_and_gap() {
        let mut t = Timeline::at(Useq(4));
        assert!(t.step(Useq(5), true), "the very next is taken");
        assert!(!t.step(Useq(5), true), "a known one is dropped");
        assert!(!t.step(Useq(8), true), "a gap is not jumped");
        assert!(t.is_behind());
        assert!(!t.step(Useq(6), true), "behind: only the store brings it forward");
        for useq in [6, 7, 8] {
            assert!(t.jump(Useq(useq)));
        }
        assert!(!t.is_behind());
        assert!(t.step(Useq(9), true));
        t.follow(Useq(9));
        assert!((5..=9).all(|useq| t.jump(Useq(useq))), "what came since it was bound is for it");
        t.quiet();
        t.follow(Useq(2));
        assert!(!t.is_behind(), "what it has had is not given again");
    }

    #[test]
    fn who_never_took_anything_has_had_nothing() {
        let mut t = Timeline::at(Useq(4));
        t.quiet();
        assert_eq!(t.had(Useq(4)), Useq(0));
        t.follow(Useq(2));
        assert_eq!(t.last(), Useq(2), "what waited before it was bound is still for it");
        assert_eq!(t.had(Useq(3)), Useq(3));
    }

    #[test]
    fn what_came_since_it_was_bound_is_for_it_whoever_else_took_it() {
        let mut t = Timeline::at(Useq(4));
        assert!(t.step(Useq(5), true));
        t.follow(Useq(5));
        assert_eq!(t.last(), Useq(4));
        t.quiet();
        assert_eq!(t.had(Useq(9)), t.last());
    }

    #[test]
    fn becoming_available_goes_back_to_what_was_missed() {
        let mut t = Timeline::at(Useq(10));
        assert!(t.step(Useq(11), true), "stepped over, or addressed to the resource");
        t.follow(Useq(8));
        assert_eq!((t.last(), t.head()), (Useq(8), Useq(11)));
        assert!(t.was_given(Useq(11)) && !t.was_given(Useq(10)));
    }

    #[test]
    fn without_room_it_waits_in_the_log() {
        let mut t = Timeline::at(Useq(0));
        assert!(!t.step(Useq(1), false));
        assert!(t.is_behind() && t.last() == Useq(0));
    }
}
