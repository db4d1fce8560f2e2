//! A session's life beyond its connection: bind, resumption (XEP-0198), expiry, and a restart of the server.

mod ledger;

pub use ledger::Ledger;

use crate::device::Installation;
use crate::member::Member;
use crate::session::{Out, Sent, Session, StreamManagement, sm};
use crate::{Core, limits, store_error};
use ledger::{Snapshot, from_journal, is_passing};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::FullJid;
use rookery_proto::prepared;
use rookery_proto::stanza::Stanza;
use rookery_proto::stream::StreamError;
use rookery_proto::stream::sm::enabled;
use rookery_proto::{Uid, Useq};
use rookery_store::journal::Recovered;
use rookery_store::{Entry, StoreError, StreamId, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How a session begins.
#[derive(Clone, Copy, Default, Debug)]
pub struct Begin {
    /// With carbons (XEP-0280).
    pub carbons: bool,
    /// With a client that nobody looks at (XEP-0352).
    pub inactive: bool,
    /// With a client that reads from the archive what came before (XEP-0386): nothing of it is delivered.
    pub reads_archive: bool,
    /// With a client that says which installation it is (XEP-0388).
    pub installation: Option<Installation>,
}

/// What is to be written to a client.
pub struct Output {
    /// In this order.
    pub outs: Vec<Out>,
    /// The stanzas are counted (XEP-0198): it is for the client to say what has reached it.
    pub counted: bool,
    /// The client is to be asked what has reached it.
    pub ask: bool,
}

/// Why a stream cannot be resumed.
pub struct Refused {
    /// The condition (XEP-0198 §5).
    pub condition: &'static str,
    /// How many stanzas were handled, where it is known: the client repeats only what follows.
    pub handled: Option<u32>,
}

impl Core {
    /// Binds a resource (RFC 6120 §7): the session is known first and reads its place in the log then, so that
    /// nothing falls between. A session of the same resource makes room (§7.7.2.2).
    pub async fn bind(
        &self,
        member: &Member,
        resource: &str,
        begin: Begin,
    ) -> Result<Arc<Session>, StanzaError> {
        let session = self.place(member, resource, begin).await?;
        session.state().attach(self.env.now());
        Ok(session)
    }

    /// All of [`Core::bind`] but its end: the session waits for its connection until it is attached, so that a client
    /// that goes in the middle of this, or of what else is done before, leaves one that expires.
    pub(crate) async fn place(
        &self,
        member: &Member,
        resource: &str,
        begin: Begin,
    ) -> Result<Arc<Session>, StanzaError> {
        let jid = prepared::jid(&format!("{}/{resource}", member.address)).ok();
        let jid = jid.and_then(|jid| jid.try_into_full().ok());
        let jid = jid.ok_or_else(|| StanzaError::bad_request().text("This cannot be a resource."))?;
        let mut session = Session::new(jid, member, self.env.now());
        session.installation = begin.installation.map(Box::new);
        let session = Arc::new(session);
        {
            let mut state = session.state();
            state.timeline.carbons = begin.carbons;
            state.ledger = Some(self.journal.clone());
        }
        for old in self.router.bind(session.clone()) {
            self.end(&old, Some(StreamError::with("conflict", "Another session took this resource."))).await;
        }
        // Who signed the device out meanwhile has not seen this session.
        if let Some(Installation { device, .. }) = begin.installation
            && self.store.device(member.uid, device).await.map_err(store_error)?.is_none()
        {
            self.end(&session, None).await;
            return Err(StanzaError::not_authorized());
        }
        let head = self.store.head(member.uid).await.map_err(store_error)?;
        self.router.know_delivered(member.uid, head.delivered);
        let mut state = session.state();
        state.timeline.begin(head.head);
        if begin.reads_archive {
            state.timeline.read_archive();
        }
        state.set_inactive(begin.inactive);
        drop(state);
        Ok(session)
    }

    /// Stream management begins (XEP-0198 §3), with a session that can be resumed if the client wants that and there is a
    /// window for it; gives `<enabled/>`.
    pub async fn enable(&self, session: &Arc<Session>, resume: bool) -> Result<Vec<u8>, StanzaError> {
        let window = self.window(session).as_secs();
        let id = (resume && window > 0).then(|| StreamId(self.env.bytes()));
        if let Some(id) = id {
            self.store.open_stream(id, session.uid).await.map_err(store_error)?;
        }
        session.state().sm = Some(Box::new(StreamManagement::new(id)));
        if let Some(id) = id {
            self.router.enable_resumption(id, session.clone());
            self.journal.snapshot(session);
        }
        let id = id.map(|id| sm::encode_id(session.uid, &id));
        Ok(enabled(id.as_deref().map(|id| (id, window))))
    }

    /// How long a session waits for its client to come back.
    fn window(&self, session: &Session) -> Duration {
        let public = session.installation.as_ref().is_some_and(|installation| installation.until.is_some());
        if public { self.policy.resumption.min(limits::PUBLIC_RESUMPTION) } else { self.policy.resumption }
    }

    /// The client has handled `h` stanzas.
    pub fn acknowledged(&self, session: &Session, h: u32) -> Result<(), StreamError> {
        let (id, acked) = {
            let mut state = session.state();
            let Some(sm) = &mut state.sm else { return Ok(()) };
            sm.requested = false;
            sm.acknowledge(h).map_err(|e| StreamError::handled_count_too_high(e.h, e.sent))?;
            // Not `h`, which may be an older count.
            let known = (sm.resumable, sm.acked);
            state.wake();
            known
        };
        if let Some(id) = id {
            self.journal.acked(id, acked);
        }
        Ok(())
    }

    /// Stores how many of the client's stanzas were handled, where the store does not know it yet: what the client was
    /// told once must not be taken back, whatever happens to the machine.
    pub async fn store_handled(&self, session: &Session) -> rookery_store::Result<()> {
        let unstored = session.state().sm.as_ref().and_then(|sm| sm.unstored());
        let Some((id, handled)) = unstored else { return Ok(()) };
        self.store.set_handled(id, handled).await?;
        if let Some(sm) = &mut session.state().sm {
            sm.stored = handled;
        }
        Ok(())
    }

    /// Notes in the restart journal how many of the client's stanzas were handled, where that is news: before the
    /// client is told, and before it sees what came of them.
    pub fn note_handled(&self, session: &Session) {
        let news = session.state().sm.as_mut().and_then(|sm| sm.take_news());
        if let Some((id, handled)) = news {
            self.journal.handled(id, handled);
        }
    }

    /// Takes what is to be written to the client next, about `bytes` of it, and notes it in the restart journal: whatever
    /// happens after this, the client is sent it once.
    pub fn take_output(&self, session: &Session, bytes: usize) -> Output {
        let mut outs = Vec::new();
        let (counted, note, taken, ask) = {
            let mut state = session.state();
            let first = state.take(bytes, &mut outs);
            let note = state.resumable().zip(first).map(|(id, first)| (id, first, state.position()));
            (first.is_some(), note, state.take_nothing_waits(), state.ask())
        };
        self.note_handled(session);
        if let Some((id, first, last)) = note {
            self.journal.sent(id, first, last, &outs);
        }
        if let Some(id) = taken {
            self.journal.taken(id);
        }
        Output { outs, counted, ask }
    }

    /// The connection of a session is gone, and nothing it had begun is under way any more. A session that can be
    /// resumed waits; any other is over.
    pub async fn disconnected(&self, session: &Arc<Session>) {
        self.note_handled(session);
        let waits = session.state().resumable().is_some() && session.is_live();
        session.detach(self.env.now());
        if !waits {
            self.end(session, None).await;
            return;
        }
        if session.state().sm.as_ref().is_none_or(|sm| sm.unstored().is_none()) {
            return;
        }
        // The resumption will say how many stanzas were handled, and the store must know it by then. Now nobody waits for it,
        // and those who lost their connections at the same time share a transaction.
        let (core, session) = (self.this.clone(), session.clone());
        tokio::spawn(async move {
            if let Some(core) = core.upgrade() {
                // If it fails, the resumption tries again.
                core.store_handled(&session).await.ok();
            }
        });
    }

    /// Resumes a session for a client that has handled `h` stanzas of it (XEP-0198 §5).
    pub async fn resume(&self, uid: Uid, previd: &str, h: u32) -> Result<(Arc<Session>, u32), Refused> {
        let refused = |handled| Refused { condition: "item-not-found", handled };
        // Whoever names another's session learns nothing about it.
        let (_, id) = sm::decode_id(previd).filter(|(owner, _)| *owner == uid).ok_or(refused(None))?;
        let live = match self.router.resumable(&id).filter(|s| s.uid == uid) {
            Some(session) => session.vacate().await.then_some(session),
            None => None,
        };
        let Some(session) = live else {
            let row = self.store.stream(id).await.ok().flatten();
            return Err(refused(row.filter(|(owner, _)| *owner == uid).map(|(_, handled)| handled)));
        };
        let (handled, acked, wanted, said) = {
            let mut state = session.state();
            let Some(sm) = state.sm.as_mut() else { return Err(refused(None)) };
            let handled = sm.handled;
            if sm.acknowledge(h).is_err() {
                return Err(refused(Some(handled)));
            }
            let wanted: Vec<Useq> = sm.queue().filter_map(Sent::useq).collect();
            let mut said: HashMap<Uid, Vec<Useq>> = HashMap::new();
            for sent in sm.queue() {
                if let Sent::Said(room, useq, _) = sent {
                    said.entry(*room).or_default().push(*useq);
                }
            }
            (handled, sm.acked, wanted, said)
        };
        self.journal.acked(id, acked);
        // Read before the session is taken: a store that fails here leaves it waiting for the next attempt. What was handled
        // is not told: the errors to what could not be stored wait with the session, and a client that begins anew would
        // take it for stored.
        let later = |_| Refused { condition: "internal-server-error", handled: None };
        let entries = self.entries(uid, wanted).await.map_err(later)?;
        let said = self.said_again(said).await.map_err(later)?;
        self.store_handled(&session).await.map_err(later)?;
        let whole = {
            let mut state = session.state();
            // Asked only now: while the store was, more may have come than is kept for a client that is away.
            let whole = state.is_whole();
            if whole {
                if !state.attach(self.env.now()) {
                    return Err(refused(Some(handled)));
                }
                state.send_again(&session, &entries, &said);
            }
            whole
        };
        if !whole {
            self.end(&session, None).await;
            return Err(refused(Some(handled)));
        }
        Ok((session, handled))
    }

    /// Entries of a log, as far as they are still there.
    pub(crate) async fn entries(
        &self,
        uid: Uid,
        mut wanted: Vec<Useq>,
    ) -> Result<HashMap<Useq, Arc<Entry>>, StoreError> {
        let mut entries = HashMap::new();
        wanted.sort_unstable();
        while let Some(first) = wanted.first().copied() {
            let page = self.store.events_after(uid, Useq(first.0 - 1), limits::CATCH_UP).await?;
            let Some(last) = page.last().map(|e| e.useq) else { break };
            entries.extend(
                page.into_iter()
                    .filter(|e| wanted.binary_search(&e.useq).is_ok())
                    .map(|e| (e.useq, Arc::new(e))),
            );
            wanted.retain(|useq| *useq > last);
        }
        Ok(entries)
    }

    /// Ends a session for good: its connection is told why, its contacts that it is gone, and what it has not
    /// taken is for the others. It is brought to its end also if this is dropped.
    pub async fn end(&self, session: &Arc<Session>, why: Option<StreamError>) {
        // From here on nothing is offered to it. Its connection may notice later, and comes by here too.
        let first = session.end(why);
        let (core, session) = (self.this.clone(), session.clone());
        let ending = async move {
            if let Some(core) = core.upgrade() {
                core.see_off(&session, first).await;
            }
        };
        if tokio::spawn(ending).await.is_err() {
            tracing::error!("a session could not be brought to its end");
        }
    }

    async fn see_off(&self, session: &Arc<Session>, first: bool) {
        let left = if first {
            let left = self.take_leave(session).await;
            session.set_gone();
            left
        } else {
            session.until_gone().await;
            Ok(())
        };
        if let Some(installation) = session.installation.as_ref().filter(|_| first) {
            // Only for the list of devices.
            self.store.touch_device(session.uid, installation.device, self.env.now()).await.ok();
        }
        let stream = session.state().sm.as_ref().and_then(|sm| Some((sm.resumable?, sm.handled)));
        if let Some((id, handled)) = stream {
            // The row stays: a client that comes too late is told how far it was heard (XEP-0198 §5).
            self.store.set_handled(id, handled).await.ok();
        }
        match (left, stream) {
            (Ok(()), Some((id, _))) => self.journal.ended(id),
            (Ok(()), None) => {}
            // The next start finds it in the restart journal and ends it again.
            (Err(error), _) => {
                tracing::warn!(uid = session.uid.0, %error, "what a session left is not marked")
            }
        }
    }

    async fn take_leave(&self, session: &Arc<Session>) -> rookery_store::Result<()> {
        self.settle(session).await;
        self.router.remove(session);
        let left = self.leave(session).await;
        if let Err(error) = self.unavailable(session, None).await {
            tracing::warn!(uid = session.uid.0, ?error, "a session's end could not be told to all");
        }
        left
    }

    /// The client closed its stream itself: the session cannot be resumed any more (RFC 6120 §4.4, XEP-0198 §5).
    pub async fn close(&self, session: &Arc<Session>) {
        let id = session.state().resumable();
        self.end(session, None).await;
        if let Some(id) = id {
            self.store.close_stream(id).await.ok();
        }
    }

    /// Ends the sessions whose clients did not come back in time, and those whose time on another's machine is over, each by
    /// itself: none waits for another. Called every few seconds.
    pub fn expire(&self) {
        let now = self.env.now();
        for session in self.router.all() {
            if session.is_overdue(now) {
                self.dismiss_device(&session);
                continue;
            }
            let limit = Timestamp(now.0 - self.window(&session).as_millis() as i64);
            // Ended where it is looked at: a client that comes back in this moment is in time or too late, never both.
            if !session.state().end_if_waiting_since(limit) {
                continue;
            }
            tracing::info!(
                uid = session.uid.0,
                resource = session.resource(),
                reason = "window passed",
                "session ends"
            );
            let core = self.this.clone();
            tokio::spawn(async move {
                if let Some(core) = core.upgrade() {
                    core.end(&session, None).await;
                }
            });
        }
    }

    /// Brings back the sessions of the server's last run, each waiting for its client.
    pub async fn restore(&self, streams: Vec<Recovered>) -> usize {
        let mut count = 0;
        let mut lost = Vec::new();
        for stream in streams {
            let id = stream.id;
            let Ok(mut snapshot) = serde_json::from_slice::<Snapshot>(&stream.snapshot) else {
                self.journal.ended(id);
                continue;
            };
            match self.restore_one(stream, &mut snapshot).await {
                Some(()) => count += 1,
                None => self.journal.ended(id),
            }
            lost.push(snapshot);
        }
        // Only now all are there who are to be told.
        for Snapshot { uid, jid, rooms, .. } in lost {
            self.stays_away(Uid(uid), &jid, rooms).await;
        }
        count
    }

    /// Brings back a session; what is left of the snapshot's rooms are those that it is not in any more.
    async fn restore_one(&self, stream: Recovered, snapshot: &mut Snapshot) -> Option<()> {
        if is_passing(&stream.id) {
            return None;
        }
        let member = self.directory.member(Uid(snapshot.uid)).await.ok()??;
        let (owner, stored) = self.store.stream(stream.id).await.ok()??;
        let jid = FullJid::new(&snapshot.jid).ok()?;
        if owner != member.uid || member.disabled || jid.to_bare() != member.address {
            return None;
        }
        let head = self.store.head(owner).await.ok()?;
        let mut session = Session::new(jid, &member, self.env.now());
        session.installation = snapshot.installation.take().map(|record| Box::new(record.into()));
        let session = Arc::new(session);
        {
            let mut state = session.state();
            state.timeline = snapshot.timeline.restored(stream.last, head.head);
            snapshot.apply(&mut state);
            let queue: VecDeque<Sent> =
                stream.unacked.into_iter().map(|(_, sent)| from_journal(sent)).collect();
            // The count in the store is from the last commit, the one in the journal from the last answer.
            let handled = if sm_newer(stored, stream.handled) { stored } else { stream.handled };
            state.sm =
                Some(Box::new(StreamManagement::restored(stream.id, stored, handled, stream.acked, queue)));
            state.ledger = Some(self.journal.clone());
            state.restore_waiting(stream.waiting, stream.dropped);
        }
        self.router.bind(session.clone());
        self.router.know_delivered(owner, head.delivered);
        self.router.enable_resumption(stream.id, session.clone());
        self.recall(&session).await;
        let presence = snapshot.presence.take().unwrap_or_default();
        let rooms = std::mem::take(&mut snapshot.rooms);
        snapshot.rooms = self.return_to_rooms(&session, rooms, &stream.rooms, presence.as_bytes()).await;
        Some(())
    }
}

impl Core {
    /// What follows from a restored session's presence.
    async fn recall(&self, session: &Arc<Session>) {
        let (presence, directed) = {
            let state = session.state();
            (state.available.as_ref().map(|a| a.stanza.clone()), state.directed.clone())
        };
        directed.iter().for_each(|to| self.followers.add(to, session));
        // What its client was told before the restart need not be told again.
        if let Some(Ok(presence)) = presence.map(|presence| Stanza::parse(&presence))
            && let Err(error) = self.note_caps(session, &presence).await
        {
            tracing::warn!(uid = session.uid.0, ?error, "a restored session's capabilities are not known");
        }
    }
}

/// Whether count `a` is ahead of count `b` on counters that wrap.
fn sm_newer(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

#[cfg(test)]
mod tests;
