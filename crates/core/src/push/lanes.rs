//! What waits for each registration: the newest of each conversation, one sending under way at a time, and pauses that grow
//! while it fails. An account has few sendings under way, so that its slow endpoints keep nobody else waiting.

use super::turns::Turns;
use super::{Notice, Outcome};
use crate::limits;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::{Push, PushId, PushTarget, Registrant, Timestamp};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// All that waits.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<PushId, Lane>,
    /// When there is something to do for which.
    due: BTreeSet<(Timestamp, PushId)>,
    turns: Turns,
    /// Up to where in the log each registration needs no telling any more, as far as the store does not know it.
    told: HashMap<PushId, Useq>,
    /// Tells sendings apart.
    sendings: u64,
}

/// What waits for one registration.
struct Lane {
    uid: Uid,
    address: BareJid,
    push: Arc<Push>,
    /// What was looked at for it, and up to where it needs no telling any more.
    seen: Useq,
    told: Useq,
    /// Oldest first, one a conversation.
    notices: VecDeque<Notice>,
    under_way: Option<Sending>,
    /// Until when an answer to it is waited for.
    until: Timestamp,
    /// Nothing is sent before.
    not_before: Timestamp,
    /// Sendings that failed since one was taken, in whatever way; and those that were refused.
    failures: u32,
    refusals: u32,
    /// It waits until another sending of its account is over.
    in_line: bool,
    /// Its place in [`Lanes::due`].
    at: Option<Timestamp>,
}

/// A notification on its way.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Tells it from all others.
    pub id: u64,
    /// Whose it is.
    pub uid: Uid,
    /// The account's address.
    pub address: BareJid,
    /// Where it goes.
    pub push: Arc<Push>,
    /// What it says.
    pub notice: Notice,
}

/// What there is to do.
pub(super) enum Due {
    /// To be sent now.
    Send(Sending),
    /// Nobody has answered this one.
    Overdue(Sending),
    /// Nothing before that.
    At(Timestamp),
    /// Nothing.
    Never,
}

impl Lanes {
    /// Up to where everything was looked at for a registration: it waits, or needs no telling.
    pub(super) fn seen(&self, push: &Push) -> Useq {
        let lane = self.lanes.get(&push.id).map(|lane| lane.seen);
        let noted = self.told.get(&push.id).copied();
        push.told.max(lane.or(noted).unwrap_or(Useq(0)))
    }

    /// Of an entry a device needs no telling.
    pub(super) fn pass(&mut self, id: PushId, useq: Useq) {
        match self.lanes.get_mut(&id) {
            Some(lane) => lane.seen = lane.seen.max(useq),
            None => self.note_told(id, useq),
        }
    }

    fn note_told(&mut self, id: PushId, upto: Useq) {
        let told = self.told.entry(id).or_insert(upto);
        *told = upto.max(*told);
    }

    /// Some of what the store does not know yet.
    pub(super) fn told(&self) -> Vec<(PushId, Useq)> {
        self.told.iter().take(rookery_store::limits::BATCH).map(|(id, upto)| (*id, *upto)).collect()
    }

    /// The store knows it now.
    pub(super) fn forget_told(&mut self, known: &[(PushId, Useq)]) {
        for (id, upto) in known {
            if self.told.get(id) == Some(upto) {
                self.told.remove(id);
            }
        }
    }

    /// Adds what a device is to be told; how many others had to give way.
    pub(super) fn add(&mut self, uid: Uid, address: &BareJid, push: Push, mut notice: Notice) -> usize {
        let (id, told) = (push.id, self.seen(&push));
        if self.lanes.len() >= limits::PUSH_LANES && !self.lanes.contains_key(&id) {
            return 1;
        }
        let push = Arc::new(push);
        let lane = self.lanes.entry(id).or_insert_with(|| Lane {
            uid,
            address: address.clone(),
            push: push.clone(),
            seen: told,
            told,
            notices: VecDeque::new(),
            under_way: None,
            until: Timestamp(0),
            not_before: Timestamp(0),
            failures: 0,
            refusals: 0,
            in_line: false,
            at: None,
        });
        // Keys and options may have been changed.
        lane.push = push;
        lane.seen = lane.seen.max(notice.useq);
        if let Some(at) = lane.notices.iter().position(|older| older.peer == notice.peer)
            && let Some(older) = lane.notices.remove(at)
        {
            notice.replace(&older);
        }
        lane.notices.push_back(notice);
        let dropped = lane.notices.len().saturating_sub(limits::PUSH_CONVERSATIONS);
        lane.notices.drain(..dropped);
        self.schedule(id);
        dropped
    }

    /// What is to be done now. What a device has taken meanwhile (`told`), and what is too old, is not sent.
    pub(super) fn take(&mut self, now: Timestamp, told: impl Fn(Uid, &Registrant, &Notice) -> bool) -> Due {
        loop {
            let Some((when, id)) = self.due.first().copied() else { return Due::Never };
            if when > now {
                return Due::At(when);
            }
            let Some(lane) = self.lanes.get_mut(&id) else {
                self.due.pop_first();
                continue;
            };
            if let Some(late) = lane.under_way.clone() {
                return Due::Overdue(late);
            }
            let (uid, by) = (lane.uid, &lane.push.by);
            let old = Timestamp(now.0 - limits::PUSH_AGE.as_millis() as i64);
            lane.notices.retain(|notice| notice.due > now || (notice.at > old && !told(uid, by, notice)));
            let ready = lane.not_before <= now && lane.notices.iter().any(|notice| notice.due <= now);
            lane.in_line = ready && !self.turns.take(uid, id);
            if ready
                && !lane.in_line
                && let Some(notice) = lane.next(now)
            {
                let number = self.sendings;
                self.sendings += 1;
                let (address, push) = (lane.address.clone(), lane.push.clone());
                let sending = Sending { id: number, uid, address, push, notice };
                lane.until = Timestamp(now.0 + limits::PUSH_ANSWER.as_millis() as i64);
                lane.under_way = Some(sending.clone());
                self.schedule(id);
                return Due::Send(sending);
            }
            self.schedule(id);
        }
    }

    /// The sending that is under way for a registration.
    pub(super) fn under_way(&self, id: PushId) -> Option<&Sending> {
        self.lanes.get(&id)?.under_way.as_ref()
    }

    /// A sending has come to its end; true if the registration is to be removed.
    pub(super) fn settle(&mut self, sending: &Sending, outcome: Outcome, now: Timestamp) -> bool {
        let id = sending.push.id;
        let Some(lane) = self.lanes.get_mut(&id) else { return false };
        if lane.under_way.take_if(|own| own.id == sending.id).is_none() {
            return false; // It was given up before, or is of another life.
        }
        let (uid, over) = (lane.uid, lane.judge(sending, outcome, now));
        match over {
            true => self.remove(id),
            false => self.schedule(id),
        }
        self.give_back(uid);
        over
    }

    /// A registration is not there any more.
    pub(super) fn remove(&mut self, id: PushId) {
        self.told.remove(&id);
        let Some(lane) = self.lanes.remove(&id) else { return };
        if let Some(at) = lane.at {
            self.due.remove(&(at, id));
        }
        if lane.under_way.is_some() {
            self.give_back(lane.uid);
        }
    }

    /// A turn of the account is free: who waited for it is looked at again.
    fn give_back(&mut self, uid: Uid) {
        for id in self.turns.give_back(uid) {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.in_line = false;
                self.schedule(id);
            }
        }
    }

    /// Notes when there is something to do for a registration next. Of one for which nothing waits, nothing is kept.
    fn schedule(&mut self, id: PushId) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let next = match (&lane.under_way, lane.notices.iter().map(|notice| notice.due).min()) {
            (Some(_), _) => Some(lane.until),
            (None, Some(due)) => Some(due.max(lane.not_before)),
            (None, None) => None,
        };
        let kept = next.is_some();
        let next = next.filter(|_| !lane.in_line);
        let told = lane.waits_from().map_or(lane.seen, |first| Useq(first.0.saturating_sub(1)));
        let more = told > lane.told;
        lane.told = told.max(lane.told);
        let before = std::mem::replace(&mut lane.at, next);
        if let Some(before) = before {
            self.due.remove(&(before, id));
        }
        match next {
            Some(next) => _ = self.due.insert((next, id)),
            None if kept => {}
            None => _ = self.lanes.remove(&id),
        }
        if more {
            self.note_told(id, told);
        }
    }
}

impl Lane {
    /// What is sent now: for a browser one conversation, which replaces what was shown of it; for an app server, which
    /// shows one summary (XEP-0357 §7), the newest for all.
    fn next(&mut self, now: Timestamp) -> Option<Notice> {
        let (due, later): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.notices).into_iter().partition(|notice| notice.due <= now);
        self.notices = later;
        let mut due = due;
        match self.push.target {
            PushTarget::Web { .. } => {
                let first = due.pop_front();
                due.into_iter().rev().for_each(|notice| self.notices.push_front(notice));
                first
            }
            PushTarget::AppServer { .. } => {
                let mut newest = due.pop_back()?;
                due.iter().for_each(|older| newest.replace(older));
                Some(newest)
            }
        }
    }

    /// What comes of a sending's end: it waits again after a pause, if it was not taken; true if there is no use in that.
    fn judge(&mut self, sending: &Sending, outcome: Outcome, now: Timestamp) -> bool {
        match outcome {
            Outcome::Sent => (self.failures, self.refusals) = (0, 0),
            Outcome::Gone => self.refusals = limits::PUSH_REFUSALS,
            Outcome::Refused => self.refusals += 1,
            Outcome::Later(_) => {}
        }
        let over = self.refusals >= limits::PUSH_REFUSALS;
        if outcome != Outcome::Sent && !over {
            self.failures += 1;
            let pause = match outcome {
                Outcome::Later(Some(asked)) => asked.clamp(limits::PUSH_PAUSE, limits::PUSH_PAUSE_ASKED),
                _ => (limits::PUSH_PAUSE * (1 << (self.failures - 1).min(16))).min(limits::PUSH_PAUSE_MAX),
            };
            self.not_before = Timestamp(now.0 + pause.as_millis() as i64);
            self.put_back(sending.notice.clone());
        }
        over
    }

    /// The first place in the log of what waits or is under way.
    fn waits_from(&self) -> Option<Useq> {
        let under_way = self.under_way.iter().map(|sending| sending.notice.useq);
        self.notices.iter().map(|notice| notice.useq).chain(under_way).min()
    }

    /// What could not be sent waits again, unless there is something newer of the same conversation.
    fn put_back(&mut self, notice: Notice) {
        match self.notices.iter_mut().find(|newer| newer.peer == notice.peer) {
            Some(newer) => newer.replace(&notice),
            None => self.notices.push_front(notice),
        }
        let more = self.notices.len().saturating_sub(limits::PUSH_CONVERSATIONS);
        self.notices.drain(..more);
    }
}

#[cfg(test)]
mod tests;
