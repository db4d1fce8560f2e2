//! What has reached an account's devices, and what one of them leaves to the others.
//!
//! A message to the bare address is delivered when one device that takes such messages has taken it: acknowledged it
//! (XEP-0198), or was written it where nothing is acknowledged. Who becomes available begins in the log where nobody has
//! taken anything yet, however many others wait there too. So what each device has taken begins at that place or before
//! it, and the furthest of them all is the place: one number, which never goes back.
//!
//! A message to a full address is for one session. What that one has not taken when it ends is marked in the log
//! ([`rookery_store::Flags::OWED`]), and every device that takes messages collects it, until one has taken it (XEP-0198 §5).

use crate::session::{Available, Session};
use crate::{Core, limits};
use rookery_proto::Useq;
use rookery_store::{Direction, Entry, Result};
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

    /// Reads what comes next for a session that could be written to and is behind: of its log, or of what others left.
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
        } else if let Some(after) = owed {
            let page = self.store.owed(session.uid, after, limits::CATCH_UP).await?;
            let taken: Vec<_> = page.iter().map(|e| e.useq).filter(|e| self.is_taken(session, *e)).collect();
            session.state().collect(page, &taken, after);
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

    /// Marks what was sent to an ended session alone, and what it did not take; the account's others collect it.
    pub async fn leave(&self, session: &Session) -> Result<()> {
        let (uid, left) = (session.uid, session.state().left());
        let mut useqs = self.store.addressed(uid, session.resource().into(), left.after, left.upto).await?;
        useqs.retain(|useq| left.has(*useq));
        if useqs.is_empty() {
            return Ok(());
        }
        if useqs.len() == limits::OWED {
            tracing::warn!(uid = uid.0, "a session left so much that the rest waits in the archive only");
        }
        self.store.owe(uid, useqs).await?;
        self.router.sessions(uid).iter().for_each(|other| other.state().hear_of_owed());
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
