//! What ended sessions of the account left to this one (`core/delivered.rs`).

use super::{Form, Out, State, Turn};
use crate::delivered::Left;
use crate::limits;
use rookery_proto::Useq;
use rookery_store::{Entry, Flags};
use std::sync::Arc;

/// How far a session is in collecting what is owed.
#[derive(Debug)]
pub struct Owed {
    /// What is owed after this position is to be read; `None` when there is nothing more.
    next: Option<Useq>,
    /// Given to the client, or a copy of it, and still marked in the log.
    given: Vec<Useq>,
}

impl Default for Owed {
    /// There may be something.
    fn default() -> Owed {
        Owed { next: Some(Useq(0)), given: Vec::new() }
    }
}

impl Owed {
    /// Whether the entry at `useq` was given to this session and its mark is to be settled: out of its turn, or marked later.
    pub fn has(&self, useq: Useq) -> bool {
        self.given.contains(&useq)
    }

    fn is_full(&self) -> bool {
        self.given.len() >= limits::OWED
    }
}

impl State {
    /// A session has ended and may have left something.
    pub fn hear_of_owed(&mut self) {
        self.owed.next = Some(Useq(0));
        self.wake();
    }

    /// Whether there may be something to collect, for one that takes messages.
    pub(super) fn may_collect(&self) -> bool {
        self.owed.next.is_some() && !self.owed.is_full() && self.timeline.is_following()
    }

    /// There is nothing to collect until it is heard of anew: a client retrieves what waits itself.
    pub fn put_off_owed(&mut self) {
        self.owed.next = None;
    }

    /// Others have marked `useqs`: of those, what is under way to this client settles their mark when it has taken it.
    pub fn answer_for(&mut self, useqs: &[Useq]) {
        for useq in useqs {
            if self.is_under_way(*useq) {
                self.give(*useq);
            }
        }
    }

    /// Notes that a marked entry is given to the client.
    pub(super) fn give(&mut self, useq: Useq) {
        if !self.owed.has(useq) && !self.owed.is_full() {
            self.owed.given.push(useq);
        }
    }

    /// Where to read on in what is owed, once everything before it is written: then the place in the log is not touched.
    pub fn must_collect(&self) -> Option<Useq> {
        let free = self.outbox.is_empty() && !self.timeline.is_behind() && !self.must_pause();
        self.owed.next.filter(|_| free && self.may_collect())
    }

    /// Takes a page of what is owed that was read from `after` on, but for what others have `taken`. A page may end early
    /// for its size: only an empty one is the end.
    pub fn collect(&mut self, page: Vec<Entry>, taken: &[Useq], after: Useq) {
        if self.owed.next != Some(after) {
            return; // Somebody has left more since.
        }
        if page.is_empty() {
            self.owed.next = None;
        }
        for entry in page {
            if self.owed.is_full() {
                break; // The rest when some of these are settled.
            }
            self.owed.next = Some(entry.useq);
            if taken.contains(&entry.useq) || self.owed.has(entry.useq) {
                continue;
            }
            self.owed.given.push(entry.useq);
            let had = self.is_under_way(entry.useq)
                || self.timeline.was_copied(self, &entry)
                || self.timeline.is_read_in_archive(&entry);
            if !had && !entry.flags.has(Flags::RETRACTED) {
                self.put(Out::Entry { entry: Arc::new(entry), form: Form::Direct, turn: Turn::Again });
            }
        }
    }

    /// What was given and has reached the client.
    pub fn settled(&self) -> Vec<Useq> {
        self.owed.given.iter().copied().filter(|useq| !self.is_under_way(*useq)).collect()
    }

    /// The marks of these are gone.
    pub fn forget_settled(&mut self, settled: &[Useq]) {
        self.owed.given.retain(|useq| !settled.contains(useq));
        self.wake();
    }

    /// Up to here the client has taken everything that was for everybody.
    pub fn taken(&self) -> Useq {
        let mut upto = self.timeline.last();
        // What is marked is not about the place.
        for useq in self.under_way().filter(|useq| !self.owed.has(*useq)) {
            upto = upto.min(Useq(useq.0 - 1));
        }
        self.timeline.had(upto)
    }

    /// Whether the client has taken this entry, or it was not for it.
    pub fn has_taken(&self, useq: Useq) -> bool {
        useq <= self.timeline.last() && !self.is_under_way(useq)
    }

    /// What an ended session has not taken.
    pub fn left(&self) -> Left {
        let under_way: Vec<Useq> = self.under_way().collect();
        let last = self.timeline.last();
        let first = under_way.iter().map(|useq| Useq(useq.0 - 1)).min();
        Left {
            after: first.map_or(last, |first| first.min(last)).max(self.timeline.begun()),
            upto: self.timeline.head(),
            under_way,
            last,
            given: self.timeline.given(),
        }
    }

    fn is_under_way(&self, useq: Useq) -> bool {
        self.under_way().any(|other| other == useq)
    }

    /// Log entries that wait, are being written, or are not acknowledged.
    fn under_way(&self) -> impl Iterator<Item = Useq> {
        let unacked = self.sm.iter().flat_map(|sm| sm.queue()).filter_map(|sent| sent.useq());
        let waiting = self.outbox.iter().filter_map(Out::useq);
        unacked.chain(waiting).chain(self.writing.iter().copied())
    }
}
