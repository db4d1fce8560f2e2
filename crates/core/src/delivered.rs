//! What has reached an account's devices, and what one of them leaves to the others.
//!
//! A message to the bare address is delivered when one device that takes such messages has taken it: acknowledged it
//! (XEP-0198), or was written it where nothing is acknowledged. Who becomes available begins in the log where nobody has
//! taken anything yet, however many others wait there too. So what each device has taken begins at that place or before
//! it, and the furthest of them all is the place: one number, which never goes back.
//!
//! A message to a full address is for one session. What that one has not taken when it ends is marked in the log
//! ([`rookery_store::Flags::OWED`]), and every device that takes messages collects it, until one has taken it (XEP-0198 §5).
//!
//! A client that retrieves what waits itself (XEP-0013) has all of it marked so, and the place goes past it. While its
//! session lasts nobody collects.

use crate::session::{Available, Session};
use crate::{Core, limits};
use rookery_proto::{Uid, Useq};
use rookery_store::{Direction, Entry, Flags, Result};
use std::sync::Arc;

impl Core {
    /// Notes a session's presence, and begins or ends what it gets with it; true when it was not available before.
    pub fn make_available(&self, session: &Arc<Session>, available: Available) -> bool {
        let delivered = self.router.delivered(session.uid);
        let first = {
            let mut state = session.state();
            let took = state.takes_bare();
            let takes = available.priority >= 0;
            let before = state.available.replace(available);
            if !took && takes {
                // What nobody has taken, and all that came since this resource was bound (RFC 6121 §8.5.2.2). It is part of
                // the same step: the restart journal must not know of one without the other.
                state.follow(delivered);
            } else if took && !takes {
                state.timeline.quiet();
            }
            before.is_none()
        };
        self.journal.snapshot(session);
        first
    }

    /// Reads what comes next for a session that could be written to and is behind: of its log, of what others left, or of
    /// what was said in a room.
    pub async fn catch_up(&self, session: &Session) -> Result<()> {
        let (behind, owed, last, head) = {
            let state = session.state();
            let (last, head) = (state.timeline.last(), state.timeline.head());
            (state.must_catch_up(), state.must_collect(), last, head)
        };
        if behind {
            let page = self.store.events_after(session.uid, last, limits::CATCH_UP).await?;
            let page: Vec<_> = page.into_iter().map(Arc::new).collect();
            let theirs: Vec<_> = page.iter().filter(|e| self.is_theirs(session, e)).map(|e| e.useq).collect();
            session.state().catch_up(session, &page, &theirs, last, head);
        } else if owed.is_some() && self.is_retrieved(session.uid) {
            session.state().put_off_owed();
            // Who retrieves may have ended meanwhile, and found nobody who waits for that.
            if !self.is_retrieved(session.uid) {
                session.state().hear_of_owed();
            }
        } else if let Some(after) = owed {
            let page = self.store.owed(session.uid, after, limits::CATCH_UP).await?;
            let taken: Vec<_> = page.iter().map(|e| e.useq).filter(|e| self.is_taken(session, *e)).collect();
            session.state().collect(page, &taken, after);
        } else {
            self.catch_up_in_rooms(session).await?;
        }
        Ok(())
    }

    /// Whether another session has taken what is still marked: the mark goes a little later.
    fn is_taken(&self, session: &Session, useq: Useq) -> bool {
        self.router.sessions(session.uid).iter().any(|other| other.state().settled().contains(&useq))
    }

    /// Whether an entry is for another session that is still here.
    fn is_theirs(&self, session: &Session, entry: &Entry) -> bool {
        let Some(resource) = entry.resource.as_deref().filter(|_| entry.direction == Direction::In) else {
            return false;
        };
        let other = self.router.session(session.uid, resource).filter(|_| resource != session.resource());
        other.is_some_and(|other| other.state().timeline.began_before(entry.useq))
    }

    /// From here on the session's client retrieves what waits for the account itself (XEP-0013 §2.2): all of it is marked, in
    /// the store when this returns. Nothing happens to a session that takes messages: it was given what waited.
    pub async fn retrieve(&self, session: &Session) -> Result<()> {
        let uid = session.uid;
        let upto = {
            let state = session.state();
            if state.takes_bare() {
                return Ok(());
            }
            state.timeline.last()
        };
        let mut after = self.router.delivered(uid);
        if after < upto {
            while after < upto {
                let page = self.store.events_after(uid, after, limits::CATCH_UP).await?;
                after = page.last().map_or(upto, |entry| entry.useq);
                let waits = page.iter().filter(|entry| entry.useq <= upto && self.waits(session, entry));
                self.mark(uid, waits.map(|entry| entry.useq).collect()).await?;
            }
            // Now, not a little later: what the client removes must not wait again after a crash.
            self.store.set_delivered(vec![(uid, upto)]).await?;
            self.router.know_delivered(uid, upto);
        }
        session.state().timeline.retrieve(upto);
        self.journal.snapshot(session);
        Ok(())
    }

    /// Marks what nobody has taken yet.
    async fn mark(&self, uid: Uid, useqs: Vec<Useq>) -> Result<()> {
        if useqs.is_empty() {
            return Ok(());
        }
        self.store.owe(uid, useqs.clone()).await?;
        let delivered = self.router.delivered(uid);
        let (taken, waits): (Vec<_>, Vec<_>) = useqs.into_iter().partition(|useq| *useq <= delivered);
        self.router.sessions(uid).iter().for_each(|session| session.state().answer_for(&waits));
        if taken.is_empty() { Ok(()) } else { self.store.settle(uid, taken).await }
    }

    /// Whether an entry after the account's place is to be given to whoever becomes available, and is not marked yet.
    fn waits(&self, session: &Session, entry: &Entry) -> bool {
        let flags = entry.flags;
        let kept = flags.has(Flags::DELIVER) && !flags.has(Flags::OWED) && !flags.has(Flags::RETRACTED);
        // What came to a resource since then was given to it, or is marked when it ends.
        let before = !session.state().timeline.began_before(entry.useq);
        let for_all = entry.resource.is_none() || before;
        kept && entry.direction == Direction::In && for_all && !self.is_theirs(session, entry)
    }

    /// Whether a client retrieves itself what waits for the account: then none of its sessions is given it (XEP-0013 §2.2).
    fn is_retrieved(&self, uid: Uid) -> bool {
        self.router.sessions(uid).iter().any(|session| session.state().timeline.retrieves())
    }

    /// Marks what was sent to an ended session alone, and what it did not take; the account's others collect it.
    pub async fn leave(&self, session: &Session) -> Result<()> {
        let (uid, left) = (session.uid, session.state().left());
        let tell = || self.router.sessions(uid).iter().for_each(|other| other.state().hear_of_owed());
        if session.state().timeline.retrieves() {
            tell();
        }
        let mut useqs = self.store.addressed(uid, session.resource().into(), left.after, left.upto).await?;
        useqs.retain(|useq| left.has(*useq));
        if useqs.is_empty() {
            return Ok(());
        }
        if useqs.len() == limits::OWED {
            tracing::warn!(uid = uid.0, "a session left so much that the rest waits in the archive only");
        }
        self.store.owe(uid, useqs).await?;
        tell();
        Ok(())
    }

    /// Writes down how far messages have reached their accounts' devices. What is not written down when the process is
    /// killed may be offered again.
    pub async fn flush_delivered(&self) {
        let news = self.router.delivered_news();
        for part in news.chunks(rookery_store::limits::BATCH) {
            if let Err(error) = self.store.set_delivered(part.to_vec()).await {
                tracing::warn!(%error, "delivery positions not stored; some messages may be offered again");
                return;
            }
            part.iter().for_each(|(uid, useq)| self.router.know_delivered(*uid, *useq));
        }
        for session in self.router.all() {
            self.settle(&session).await;
        }
    }

    /// Takes the mark from what a session has taken of it.
    pub async fn settle(&self, session: &Session) {
        let settled = session.state().settled();
        if settled.is_empty() {
            return;
        }
        match self.store.settle(session.uid, settled.clone()).await {
            Ok(()) => session.state().forget_settled(&settled),
            Err(error) => tracing::warn!(uid = session.uid.0, %error, "what was taken is still marked"),
        }
    }
}

/// What an ended session has not taken: where to look for it, and what it is.
pub struct Left {
    /// After this position.
    pub after: Useq,
    /// Up to this position.
    pub upto: Useq,
    /// Written, or waiting to be, and not acknowledged.
    pub under_way: Vec<Useq>,
    /// Everything after this was not looked at yet.
    pub last: Useq,
    /// What was given to it already when it went back in the log: after the first, up to the second.
    pub given: (Useq, Useq),
}

impl Left {
    fn has(&self, useq: Useq) -> bool {
        let given = self.given.0 < useq && useq <= self.given.1;
        self.under_way.contains(&useq) || (useq > self.last && !given)
    }
}

#[cfg(test)]
mod tests;
