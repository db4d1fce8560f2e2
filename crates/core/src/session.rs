//! One bound resource: what it must be told, how far it is in the timeline, what it has acknowledged.
//!
//! A session outlives its connection. Log entries never pile up here: a session that falls behind remembers how
//! far it came and reads the rest from the store ([`Timeline`]). Only what is nowhere else (presence, IQ, chat
//! states) waits in memory, within bounds.

use crate::device::Installation;
use crate::member::Member;
use crate::resume::Ledger;
use crate::xep::caps::{Asked, Caps};
use crate::{flags, limits};
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use rookery_proto::jid::{BareJid, FullJid, Jid};
use rookery_proto::stream::StreamError;
use rookery_proto::{Uid, Useq};
use rookery_store::{Entry, Flags, StreamId, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;

pub mod held;
pub mod out;
pub mod owed;
mod rooms;
pub mod sm;
pub mod timeline;

pub use held::Held;
pub use out::{Out, Turn};
pub use owed::Owed;
pub use rooms::{Behind, Said};
pub use sm::{Sent, StreamManagement};
pub use timeline::{Form, Timeline};

/// Entries of rooms' logs that are sent again.
pub type Again = HashMap<(Uid, Useq), Arc<Said>>;

/// One bound resource of one account.
pub struct Session {
    /// The account.
    pub uid: Uid,
    /// The address stanzas of this session are stamped with.
    pub jid: FullJid,
    /// The account's address.
    pub address: BareJid,
    /// The salt of the account's archive ids.
    pub epoch: u32,
    /// The installation of the client, where it says which it is (XEP-0388).
    pub installation: Option<Box<Installation>>,
    /// Rings when a connection has let go of the session, and when the session is gone.
    released: Notify,
    state: Mutex<State>,
}

/// What changes during a session's life; the lock is held for moments, never across an await.
pub struct State {
    link: Link,
    /// Somebody sees to what the session's end brings.
    left: bool,
    /// And has done it.
    gone: bool,
    waker: Option<Waker>,
    outbox: VecDeque<Out>,
    outbox_bytes: usize,
    /// Bytes of log entries that wait in the outbox.
    logged_bytes: usize,
    /// Stanzas that are nowhere else were dropped while nobody was connected: what the client knows cannot be made true
    /// again by a resumption.
    stale: bool,
    /// Where to note what waits for a client that is away, and whether something is noted there.
    pub(crate) ledger: Option<Arc<Ledger>>,
    noted_waiting: bool,
    /// Log entries in the connection's write buffer, where nothing is acknowledged.
    writing: Vec<Useq>,
    /// Position in the account's log.
    pub timeline: Timeline,
    /// What other sessions left to this one.
    pub owed: Owed,
    /// The client's last presence, while available.
    pub available: Option<Available>,
    /// Nobody sees that presence (XEP-0186). The session takes messages and presence nevertheless.
    pub invisible: bool,
    /// Entities outside the roster that were sent available presence (RFC 6121 §4.6).
    pub directed: Vec<Jid>,
    /// The rooms that it is in (XEP-0045).
    rooms: Option<Box<rooms::Rooms>>,
    /// Has asked for its roster and gets pushes (RFC 6121 §2.1.6).
    pub interested: bool,
    /// Gets block list pushes (XEP-0191 §3.2).
    pub wants_blocks: bool,
    /// What the client wants notifications of (XEP-0115), once it is known; gone with its presence.
    pub caps: Option<Arc<Caps>>,
    /// The client was asked for its capabilities.
    pub asked_caps: Option<Box<Asked>>,
    /// Nobody looks at the client (XEP-0352).
    inactive: bool,
    /// Presence held back while the client is inactive or away.
    held: Held,
    /// Stream management, once enabled.
    pub sm: Option<Box<StreamManagement>>,
    /// The language of the client's stream, of stanzas that name none (RFC 6120 §4.7.4).
    pub lang: Option<Arc<str>>,
    /// When the client was last heard.
    pub heard: Timestamp,
    /// The client was asked for a sign of life and has not answered yet.
    pub asked: bool,
}

/// An available resource's presence.
#[derive(Clone, Debug)]
pub struct Available {
    /// RFC 6121 §4.7.2.3.
    pub priority: i8,
    /// The stanza as it is broadcast: `from` set, no `to`.
    pub stanza: Bytes,
}

/// How a session and its connection stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// A connection serves the session.
    Attached,
    /// The connection that serves the session finishes what it has begun, says why if there is something to say, and
    /// goes; the session stays. So when another connection resumes it, when the client is silent, and at a shutdown.
    Leaving(Option<StreamError>),
    /// The connection is gone; the session can be resumed within the window.
    Detached {
        /// When the connection was lost.
        since: Timestamp,
    },
    /// Over. A connection that still serves it says why and closes.
    Ended(Option<StreamError>),
}

impl Session {
    /// A session that waits for its connection.
    pub fn new(jid: FullJid, member: &Member, now: Timestamp) -> Session {
        Session {
            uid: member.uid,
            jid,
            address: member.address.clone(),
            epoch: member.epoch,
            installation: None,
            released: Notify::new(),
            state: Mutex::new(State {
                link: Link::Detached { since: now },
                left: false,
                gone: false,
                waker: None,
                outbox: VecDeque::new(),
                outbox_bytes: 0,
                logged_bytes: 0,
                stale: false,
                ledger: None,
                noted_waiting: false,
                writing: Vec::new(),
                timeline: Timeline::at(Useq(0)),
                owed: Owed::default(),
                available: None,
                invisible: false,
                directed: Vec::new(),
                rooms: None,
                interested: false,
                wants_blocks: false,
                caps: None,
                asked_caps: None,
                inactive: false,
                held: Held::default(),
                sm: None,
                lang: None,
                heard: now,
                asked: false,
            }),
        }
    }

    /// The session's state. Take it briefly, and never two sessions' at once.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// The resource part of the address.
    pub fn resource(&self) -> &str {
        self.jid.resource().as_str()
    }

    /// Hands a stanza that is in no log to the client. Whatever cannot be kept within the bounds ends a connection
    /// that does not read; where nobody is connected it is forgotten, and the session cannot be resumed any more.
    pub fn push(&self, stanza: Bytes) {
        self.state().queue(Out::Stanza(stanza));
    }

    /// Hands something that is not a stanza to the client.
    pub fn push_nonza(&self, nonza: impl Into<Bytes>) {
        self.state().queue(Out::Nonza(nonza.into()));
    }

    /// Offers a log entry straight from its commit, or (with `useq` 0) a message that is in no log.
    pub fn offer(&self, entry: &Arc<Entry>) {
        self.state().offer(self, entry);
    }

    /// Whether the session takes messages to the bare address: available with a priority of 0 or more
    /// (RFC 6121 §8.5.2.1).
    pub fn takes_bare(&self) -> bool {
        self.state().takes_bare()
    }

    /// Whether the session takes presence: the client announced itself available, or went invisible.
    pub fn is_available(&self) -> bool {
        self.state().available.is_some()
    }

    /// Whether others may see that the session is available.
    pub fn is_seen(&self) -> bool {
        self.state().seen().is_some()
    }

    /// Whether the session can still be spoken to (served, or waiting for its resumption).
    pub fn is_live(&self) -> bool {
        !matches!(self.state().link, Link::Ended(_))
    }

    /// Whether a connection serves the session.
    pub fn is_served(&self) -> bool {
        matches!(self.state().link, Link::Attached | Link::Leaving(_))
    }

    /// The connection is gone and everything it had begun is done: the session waits from `since` on. An ended one
    /// stays ended.
    pub fn detach(&self, since: Timestamp) {
        let mut state = self.state();
        state.waker = None;
        if matches!(state.link, Link::Attached | Link::Leaving(_)) {
            state.link = Link::Detached { since };
            state.note_outbox();
        }
        drop(state);
        self.released.notify_waiters();
    }

    /// Makes the session one without a connection, for a new one to take it: a connection that still serves it
    /// finishes first, so that nothing is under way any more. False when the session has ended.
    pub async fn vacate(&self) -> bool {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            {
                let mut state = self.state();
                match state.link {
                    Link::Detached { .. } => return true,
                    Link::Ended(_) => return false,
                    Link::Attached => {
                        let text = "The session goes on over another connection.";
                        state.leave(Some(StreamError::with("conflict", text)));
                    }
                    Link::Leaving(_) => {}
                }
            }
            released.await;
        }
    }

    /// Everything that the session's end brings is done.
    pub fn set_gone(&self) {
        self.state().gone = true;
        self.released.notify_waiters();
    }

    /// Waits until everything that the session's end brings is done.
    pub async fn until_gone(&self) {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            if self.state().gone {
                return;
            }
            released.await;
        }
    }

    /// Ends the session; the connection that serves it says `why` and closes. True for the first who asks.
    pub fn end(&self, why: Option<StreamError>) -> bool {
        let mut state = self.state();
        if !matches!(state.link, Link::Ended(_)) {
            state.link = Link::Ended(why);
            state.wake();
        }
        !std::mem::replace(&mut state.left, true)
    }
}

impl State {
    /// How the session stands.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// A connection takes the session that waits for one. False when it does not wait.
    pub fn attach(&mut self, now: Timestamp) -> bool {
        let waits = matches!(self.link, Link::Detached { .. });
        if waits {
            self.link = Link::Attached;
            // Acknowledgements and the like belonged to the connection before.
            self.outbox.retain(|out| !matches!(out, Out::Nonza(_) | Out::Enabled(_)));
            self.outbox_bytes = self.outbox.iter().filter(|out| !out.is_logged()).map(Out::size).sum();
            self.heard = now;
            self.asked = false;
            if !self.inactive {
                self.release_held();
            }
        }
        waits
    }

    /// Ends the session if nobody has come back for it since `limit`.
    pub fn end_if_waiting_since(&mut self, limit: Timestamp) -> bool {
        let over = matches!(self.link, Link::Detached { since } if since <= limit);
        if over {
            self.link = Link::Ended(None);
        }
        over
    }

    /// Asks the connection to let go of the session.
    pub fn leave(&mut self, why: Option<StreamError>) {
        if self.link == Link::Attached {
            self.link = Link::Leaving(why);
            self.wake();
        }
    }

    /// See [`Session::takes_bare`].
    pub fn takes_bare(&self) -> bool {
        self.available.as_ref().is_some_and(|a| a.priority >= 0)
    }

    /// Whether the session gets copies of what is for the account's other resources (XEP-0280), and `entry` is copied.
    pub fn gets_copy(&self, entry: &Entry) -> bool {
        self.timeline.carbons && self.available.is_some() && entry.flags.has(Flags::COPY)
    }

    /// The presence that others may see.
    pub fn seen(&self) -> Option<&Available> {
        self.available.as_ref().filter(|_| !self.invisible)
    }

    /// Whether the session can still go on without a gap: nothing that its client was not told has been forgotten.
    pub fn is_whole(&self) -> bool {
        !self.stale && self.sm.as_ref().is_some_and(|sm| sm.is_whole())
    }

    /// Up to here everything was written to the client or stepped over: what waits for its turn does not count.
    pub fn position(&self) -> Useq {
        let last = self.timeline.last();
        self.first_waiting().map_or(last, |first| last.min(Useq(first.0 - 1)))
    }

    /// The first entry that waits for its turn to be written.
    fn first_waiting(&self) -> Option<Useq> {
        self.outbox.iter().filter(|out| out.is_in_turn()).filter_map(Out::useq).min()
    }

    /// `<enabled/>` has been sent by other ways than the outbox: stanzas are counted from here on.
    pub fn count_from_here(&mut self) {
        if let Some(sm) = &mut self.sm {
            sm.count_from_here();
        }
    }

    /// Wakes the connection.
    pub fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Ready when the connection has something to do: to let go, or, if it can write now, to write or to catch up.
    pub fn poll_work(&mut self, can_write: bool, cx: &Context<'_>) -> Poll<()> {
        if self.link != Link::Attached || (can_write && self.has_output()) {
            return Poll::Ready(());
        }
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => self.waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Whether something can be written now: the client's acknowledgements are not too far behind.
    fn has_output(&self) -> bool {
        let behind = self.timeline.is_behind() || self.is_behind_in_a_room();
        let ready = !self.outbox.is_empty() || behind || self.may_collect();
        ready && (!self.must_pause() || matches!(self.outbox.front(), Some(Out::Nonza(_))))
    }

    fn must_pause(&self) -> bool {
        self.sm.as_ref().is_some_and(|sm| sm.is_full())
    }

    /// Whether the store must be read for this session before anything newer can be written.
    pub fn must_catch_up(&self) -> bool {
        self.outbox.is_empty() && self.timeline.is_behind() && !self.must_pause()
    }

    /// Whether more may be asked of the server: not while the client leaves too much of its answers unread. A session
    /// that pauses listens nevertheless, because what it waits for comes that way.
    pub fn may_ask(&self) -> bool {
        self.outbox_bytes < limits::WRITE_BACKLOG || self.must_pause()
    }

    /// Bytes that wait and are nowhere else.
    pub fn backlog(&self) -> usize {
        self.outbox_bytes
    }

    /// Bytes that wait, those included that are in the log.
    pub fn queued(&self) -> usize {
        self.outbox_bytes + self.logged_bytes
    }

    /// Takes what is to be written next, up to about `bytes`, and counts it as sent. Gives the number of the first
    /// stanza where stanzas are counted: either all of those taken are, or none.
    pub fn take(&mut self, bytes: usize, out: &mut Vec<Out>) -> Option<u32> {
        let first = self.sm.as_ref().and_then(|sm| sm.next());
        let mut room = bytes as isize;
        while room > 0 {
            if self.must_pause() && !matches!(self.outbox.front(), Some(Out::Nonza(_))) {
                break;
            }
            let Some(next) = self.outbox.pop_front() else { break };
            let size = next.size();
            *self.bytes_of(&next) -= size;
            room -= size as isize;
            let begins = matches!(next, Out::Enabled(_));
            if let Some(sm) = &mut self.sm {
                sm.count(&next);
            }
            if first.is_none() {
                self.writing.extend(next.useq());
            }
            out.push(next);
            if begins {
                break;
            }
        }
        if self.outbox.is_empty() {
            self.outbox.shrink_to(limits::QUEUE_KEPT);
        }
        first
    }

    /// Whether the client is to be asked now what has reached it: once, until it answers.
    pub fn ask(&mut self) -> bool {
        let Some(sm) = &mut self.sm else { return false };
        sm.unacked() > 0 && !std::mem::replace(&mut sm.requested, true)
    }

    /// What was being written is out.
    pub fn written(&mut self) {
        self.writing.clear();
        self.writing.shrink_to(limits::QUEUE_KEPT);
    }

    /// Puts something into the outbox, within the bounds.
    pub fn queue(&mut self, out: Out) {
        let (stanzas, bytes) = match self.link {
            Link::Ended(_) => return,
            Link::Attached | Link::Leaving(_) => (limits::OUTBOX_STANZAS, limits::OUTBOX_BYTES),
            Link::Detached { .. } => (limits::DETACHED_STANZAS, limits::OUTBOX_BYTES),
        };
        let held = if out.is_logged() { 0 } else { out.size() };
        if self.outbox.len() >= stanzas || self.outbox_bytes + held > bytes {
            if self.link == Link::Attached {
                let text = "You have not read what was sent to you for too long.";
                self.link = Link::Ended(Some(StreamError::with("resource-constraint", text)));
                self.wake();
            } else {
                self.drop_one();
            }
            return;
        }
        if self.is_detached()
            && let Some(stanza) = out.passing()
        {
            self.note_waiting(None, stanza);
        }
        self.put(out);
        self.wake();
    }

    fn put(&mut self, out: Out) {
        *self.bytes_of(&out) += out.size();
        self.outbox.push_back(out);
    }

    /// The count that a stanza in the outbox is part of.
    fn bytes_of(&mut self, out: &Out) -> &mut usize {
        if out.is_logged() { &mut self.logged_bytes } else { &mut self.outbox_bytes }
    }

    /// See [`Session::offer`].
    fn offer(&mut self, session: &Session, entry: &Arc<Entry>) {
        if matches!(self.link, Link::Ended(_)) {
            return;
        }
        let logged = entry.useq != Useq(0);
        if logged {
            let room = self.link == Link::Attached
                && self.outbox.len() < limits::OUTBOX_ENTRIES
                && self.logged_bytes < limits::OUTBOX_LOGGED;
            if !self.timeline.step(entry.useq, room) {
                self.wake();
                return;
            }
        }
        let Some(form) = timeline::form(self, session, entry) else { return };
        let out = Out::Entry { entry: entry.clone(), form, turn: Turn::Live };
        if entry.flags.has(flags::STATE) && (self.inactive || self.is_detached()) {
            return; // XEP-0352 §5: an inactive client does without "is typing". So does one that comes back later.
        }
        // What waits for an inactive client goes first, so that it sees who writes to it.
        self.release_held();
        if logged {
            self.put(out);
            self.wake();
        } else {
            self.queue(out);
        }
    }

    /// Takes a page of the log that was read because the session was behind: it was at `last` then and had heard of
    /// `head`; `theirs` are for other sessions. A page may end early for its size: only an empty one is the log's end.
    pub fn catch_up(
        &mut self,
        session: &Session,
        page: &[Arc<Entry>],
        theirs: &[Useq],
        last: Useq,
        head: Useq,
    ) {
        if self.timeline.last() != last {
            return; // It has gone back since: the next page is another.
        }
        for entry in page {
            if !self.timeline.jump(entry.useq) {
                continue;
            }
            if self.timeline.is_offline(entry.useq) && theirs.contains(&entry.useq) {
                continue;
            }
            if let Some(form) = timeline::form(self, session, entry) {
                if entry.flags.has(Flags::OWED) {
                    self.give(entry.useq);
                }
                self.put(Out::Entry { entry: entry.clone(), form, turn: Turn::Late });
            }
        }
        if page.is_empty() {
            self.timeline.jump(head);
        }
    }

    /// The session becomes available and is told everything that nobody has taken (after `delivered`) or that came while
    /// it was bound, and that it was not told yet; log entries that wait in the outbox are read again with the rest.
    pub fn follow(&mut self, delivered: Useq) {
        if let Some(first) = self.first_waiting() {
            self.timeline.unwritten(first);
        }
        self.outbox.retain(|out| !out.is_in_turn());
        self.logged_bytes = self.outbox.iter().filter(|out| out.is_logged()).map(Out::size).sum();
        self.timeline.follow(delivered);
        self.wake();
    }

    /// After a resumption: what was written and not acknowledged comes before everything else, in its old order.
    /// `entries` is what the log still has of it, and `rooms` what the logs of rooms have.
    pub fn send_again(&mut self, session: &Session, entries: &HashMap<Useq, Arc<Entry>>, rooms: &Again) {
        let Some(sm) = &mut self.sm else { return };
        for sent in sm.take_unacked().into_iter().rev() {
            let out = match sent {
                Sent::Stanza(stanza) => Some(Out::Stanza(stanza)),
                Sent::Log(useq, _) => entries.get(&useq).and_then(|entry| {
                    let form = timeline::form_again(self, session, entry)?;
                    Some(Out::Entry { entry: entry.clone(), form, turn: Turn::Again })
                }),
                Sent::Said(room, useq, _) => {
                    rooms.get(&(room, useq)).map(|said| Out::Said(said.clone(), Turn::Again))
                }
                Sent::Lost => None,
            };
            if let Some(out) = out {
                *self.bytes_of(&out) += out.size();
                self.outbox.push_front(out);
            }
        }
        self.wake();
    }

    /// The stream management id, where the session can be resumed.
    pub fn resumable(&self) -> Option<StreamId> {
        self.sm.as_ref().and_then(|sm| sm.resumable)
    }
}

#[cfg(test)]
mod tests;
