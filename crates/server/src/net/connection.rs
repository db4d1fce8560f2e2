//! A bound session's connection: reads stanzas, hands them to core in their order, writes what the session has for
//! its client. Messages are prepared one by one and committed together; everything else waits for what came before.

use super::transport::{Carrier, Conn, ReadError};
use rookery_core::dispatch;
use rookery_core::pipeline::{self, After, Step};
use rookery_core::render::Reader;
use rookery_core::resume::Output;
use rookery_core::session::{Link, Out, Session};
use rookery_core::{Core, Ctx, limits, presence, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::stanza::{Kind, Stanza};
use rookery_proto::stream::{StreamError, sm};
use rookery_proto::xml::Item;
use rookery_proto::{Uid, ns};
use rookery_store::{Appended, Entry, Pending, StoreError, StreamId};
use smallvec::SmallVec;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::task::{JoinError, JoinHandle};

/// How long a closing connection may take to say its last words.
pub const FAREWELL: Duration = Duration::from_secs(3);

/// Serves one session over one connection.
pub struct Connection<S> {
    conn: Conn<S>,
    core: Arc<Core>,
    session: Arc<Session>,
    /// Read and not yet begun.
    waiting: VecDeque<Item>,
    /// Begun and not yet done, in the order in which it came.
    under_way: VecDeque<UnderWay>,
    write: Vec<u8>,
    written: usize,
    /// Some of what is being written will not be acknowledged (XEP-0198): when it is out, it has reached the client.
    uncounted: bool,
    /// A reading error that is dealt with when everything before it is.
    broken: Option<ReadError>,
}

/// What is left to do for something that came.
enum UnderWay {
    /// A message that is being committed; kept whole for the error that its failure would be.
    Commit(Pending<Appended>, Box<Stanza>, Option<After>),
    /// A message that is in no log.
    Deliver(SmallVec<[(Uid, Arc<Entry>); 2]>, Option<After>),
    /// The client asked how far its stanzas were handled.
    Answer,
    /// The same, while the store learns the count.
    Storing(JoinHandle<Result<(), StoreError>>),
}

enum Event {
    Items,
    Committed(Result<Appended, StoreError>),
    Stored(Result<(), StoreError>),
    Work,
    Written,
    Gone,
}

/// How a connection ended.
enum End {
    /// The client closed its stream.
    Closed,
    /// The connection was lost, or the session must let go of it.
    Lost(Option<StreamError>),
}

impl<S: Carrier> Connection<S> {
    /// A connection whose session has just been bound or resumed; `waiting` was read already.
    pub fn new(
        conn: Conn<S>,
        core: Arc<Core>,
        session: Arc<Session>,
        waiting: VecDeque<Item>,
    ) -> Connection<S> {
        Connection {
            conn,
            core,
            session,
            waiting,
            under_way: VecDeque::new(),
            write: Vec::new(),
            written: 0,
            uncounted: false,
            broken: None,
        }
    }

    /// Serves until the end, and leaves the session waiting or over.
    pub async fn run(&mut self) {
        let end = self.serve().await;
        // Boxed, as is the handling of a stanza: an idle connection holds no room for what is not under way.
        Box::pin(self.wind_up(end)).await;
    }

    async fn wind_up(&mut self, end: End) {
        self.finish().await;
        let error = match end {
            End::Closed => {
                self.log_end("closed by the client", false);
                self.core.close(&self.session).await;
                None
            }
            End::Lost(error) => {
                if !self.session.is_live() {
                    // What an ended session was told last still goes out before the reason.
                    self.fill();
                }
                let waits = self.session.is_live() && self.session.state().resumable().is_some();
                self.log_end(error.as_ref().map_or("connection lost", |e| e.condition), waits);
                self.core.disconnected(&self.session).await;
                error
            }
        };
        // The session is free by now: what the client does not take of these last words keeps nobody waiting.
        tokio::time::timeout(FAREWELL, self.farewell(error)).await.ok();
    }

    fn log_end(&self, reason: &str, waits: bool) {
        tracing::info!(
            uid = self.session.uid.0,
            resource = self.session.resource(),
            reason,
            waits,
            "connection ends"
        );
    }

    /// Serves until something ends it.
    async fn serve(&mut self) -> End {
        loop {
            if let Err(end) = self.turn().await {
                return end;
            }
        }
    }

    async fn turn(&mut self) -> Result<(), End> {
        self.advance().await?;
        if self.waiting.is_empty()
            && self.under_way.is_empty()
            && let Some(broken) = self.broken.take()
        {
            return Err(End::Lost(match broken {
                ReadError::Closed => None,
                ReadError::Scan(error) => Some(StreamError::new(error.condition())),
            }));
        }
        match poll_fn(|cx| self.poll(cx)).await {
            Event::Items | Event::Written => Ok(()),
            Event::Committed(result) => {
                self.committed(result);
                Ok(())
            }
            Event::Stored(result) => {
                self.stored(result);
                Ok(())
            }
            Event::Work => self.work().await,
            Event::Gone => Err(End::Lost(None)),
        }
    }

    /// What happens next: a commit, room to write, work for the client, bytes from it.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let settled = match self.under_way.front_mut() {
            Some(UnderWay::Commit(pending, ..)) => Pin::new(pending).poll(cx).map(Event::Committed),
            Some(UnderWay::Storing(storing)) => {
                Pin::new(storing).poll(cx).map(|done| Event::Stored(flatten(done)))
            }
            _ => Poll::Pending,
        };
        if settled.is_ready() {
            return settled;
        }
        // Only now, so that a peer that asks and does not read fills no buffer.
        if self.write.is_empty()
            && let Some(reply) = self.conn.framing.take_reply()
        {
            self.write = reply;
        }
        while self.written < self.write.len() {
            match Pin::new(&mut self.conn.transport).poll_write(cx, &self.write[self.written..]) {
                Poll::Ready(Ok(n)) if n > 0 => self.written += n,
                Poll::Ready(_) => return Poll::Ready(Event::Gone),
                Poll::Pending => break,
            }
        }
        let idle = self.written == self.write.len();
        if idle && !self.write.is_empty() {
            match Pin::new(&mut self.conn.transport).poll_flush(cx) {
                Poll::Ready(Ok(())) => {
                    self.all_written();
                    return Poll::Ready(Event::Written);
                }
                Poll::Ready(Err(_)) => return Poll::Ready(Event::Gone),
                Poll::Pending => {}
            }
        }
        let can_write = self.write.is_empty();
        if self.session.state().poll_work(can_write, cx).is_ready() {
            return Poll::Ready(Event::Work);
        }
        if self.may_read() {
            match self.conn.poll_items(cx, &mut self.waiting) {
                Poll::Ready(Ok(())) => {
                    self.heard();
                    return Poll::Ready(Event::Items);
                }
                Poll::Ready(Err(broken)) => {
                    self.broken = Some(broken);
                    return Poll::Ready(Event::Items);
                }
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Reading pauses while there is enough to do, or while the client does not take what it is sent.
    fn may_read(&self) -> bool {
        self.broken.is_none()
            && self.waiting.is_empty()
            && self.under_way.len() < limits::IN_FLIGHT
            && self.session.state().may_ask()
    }

    fn heard(&self) {
        let now = self.core.env.now();
        let mut state = self.session.state();
        state.heard = now;
        state.asked = false;
    }

    /// The write buffer is out: it is given back, and what was in it has reached the client unless that is for the
    /// client to say (XEP-0198).
    fn all_written(&mut self) {
        self.write = Vec::new();
        self.written = 0;
        if std::mem::take(&mut self.uncounted) {
            self.session.state().written();
        }
    }

    /// Begins what can be begun: messages up to the bound, everything else when all before it is done, and nothing
    /// while the answers to what came before wait to be taken.
    async fn advance(&mut self) -> Result<(), End> {
        self.settle();
        while let Some(item) = self.waiting.front() {
            let message = matches!(item, Item::Stanza(s) if s.kind() == Kind::Message);
            let acks = matches!(item, Item::Stanza(s) if s.ns() == ns::SM && matches!(s.name(), "r" | "a"));
            let room = self.under_way.len() < limits::IN_FLIGHT;
            let turn = self.under_way.is_empty() || ((message || acks) && room);
            if !turn || !self.session.state().may_ask() {
                return Ok(());
            }
            let Some(item) = self.waiting.pop_front() else { return Ok(()) };
            match item {
                Item::Stanza(stanza) if stanza.kind() == Kind::Other => Box::pin(self.nonza(&stanza)).await?,
                Item::Stanza(stanza) => Box::pin(self.stanza(stanza)).await?,
                Item::Close => return Err(End::Closed),
                // RFC 6120 §4.2: a stream has one header.
                Item::Header(_) => return Err(End::Lost(Some(StreamError::new("not-well-formed")))),
            }
            self.settle();
        }
        // An idle connection holds no buffer.
        self.waiting = VecDeque::new();
        Ok(())
    }

    /// Finishes what needs no waiting.
    fn settle(&mut self) {
        while let Some(front) = self.under_way.front_mut() {
            match front {
                UnderWay::Commit(..) | UnderWay::Storing(_) => return,
                UnderWay::Answer => {
                    if self.session.state().sm.as_ref().is_some_and(|sm| sm.unstored().is_some()) {
                        let (core, session) = (self.core.clone(), self.session.clone());
                        let storing = tokio::spawn(async move { core.store_handled(&session).await });
                        *front = UnderWay::Storing(storing);
                        return;
                    }
                    self.answer();
                }
                UnderWay::Deliver(entries, after) => {
                    for (uid, entry) in entries {
                        self.core.router.appended(*uid, entry);
                    }
                    if let Some(after) = after.take() {
                        after.send(&[]);
                    }
                    self.handled(false);
                }
            }
            self.under_way.pop_front();
        }
    }

    /// The store knows the count, and the client may. If it does not, there is no acknowledgement.
    fn stored(&mut self, result: Result<(), StoreError>) {
        self.under_way.pop_front();
        match result {
            Ok(()) => self.answer(),
            Err(error) => tracing::warn!(uid = self.session.uid.0, %error, "an acknowledgement is left out"),
        }
    }

    /// The oldest commit has come back: the stanza counts as handled, and a failure is an error to its sender.
    fn committed(&mut self, result: Result<Appended, StoreError>) {
        if let Some(UnderWay::Commit(_, stanza, after)) = self.under_way.pop_front() {
            let stored = result.is_ok();
            match (result, after) {
                (Ok(Appended::Stored(useqs)), Some(after)) => after.send(&useqs),
                (Ok(_), _) => {}
                (Err(error), _) => self.refuse(&stanza, store_error(error)),
            }
            self.handled(stored);
        }
    }

    /// One more stanza is handled; `stored` says that the store counted it with what came of it.
    fn handled(&self, stored: bool) {
        if let Some(sm) = &mut self.session.state().sm {
            sm.handled = sm.handled.wrapping_add(1);
            if stored {
                sm.stored = sm.handled;
            }
        }
    }

    /// `<a/>` (XEP-0198 §4).
    fn answer(&self) {
        let handled = self.session.state().sm.as_ref().map(|sm| sm.handled);
        if let Some(h) = handled {
            self.session.push_nonza(sm::ack(h));
        }
    }

    /// A message, a presence or an IQ.
    async fn stanza(&mut self, stanza: Stanza) -> Result<(), End> {
        let core = self.core.clone();
        core.meters.received(stanza.kind());
        // The client keeps what it has no answer to, and comes back with it.
        let member = core.directory.member(self.session.uid).await;
        let member = member.map_err(|_| End::Lost(Some(StreamError::new("internal-server-error"))))?;
        // Deleted or disabled while signed in: nothing more is taken.
        let Some(member) = member.filter(|m| !m.disabled) else {
            return Err(End::Lost(Some(StreamError::new("not-authorized"))));
        };
        // RFC 6120 §8.1.2.1: a sender may say who it is, or nothing, but not that it is another.
        if stanza
            .from()
            .is_some_and(|from| from != self.session.jid.as_str() && from != member.address.as_str())
        {
            return Err(End::Lost(Some(StreamError::new("invalid-from"))));
        }
        let store = match self.count() {
            // What a message brings about and its count last together. An IQ or a presence may be repeated without
            // harm, and must be if the answer to it was lost with the server.
            Some((id, count)) if stanza.kind() == Kind::Message => core.store.handling(id, count),
            _ => core.store.clone(),
        };
        let ctx = Ctx { core: &core, session: &self.session, member: &member, stanza: &stanza, store };
        let outcome = match stanza.kind() {
            Kind::Message => match pipeline::message(&ctx).await {
                Ok(Step::Commit(pending, after)) => {
                    self.under_way.push_back(UnderWay::Commit(pending, Box::new(stanza), after));
                    return Ok(());
                }
                Ok(Step::Deliver(entries, after)) => {
                    self.under_way.push_back(UnderWay::Deliver(entries, after));
                    return Ok(());
                }
                Ok(Step::Done) => Ok(()),
                Err(error) => Err(error),
            },
            Kind::Presence => presence::presence(&ctx).await,
            _ => dispatch::iq(&ctx).await,
        };
        if let Err(error) = outcome {
            self.refuse(&stanza, error);
        }
        // Nothing is to be done for it, but it is handled after what came before it.
        self.under_way.push_back(UnderWay::Deliver(SmallVec::new(), None));
        Ok(())
    }

    /// Counts a stanza as read; gives its number in a resumable session (XEP-0198 §4).
    fn count(&self) -> Option<(StreamId, u32)> {
        let mut state = self.session.state();
        let sm = state.sm.as_mut()?;
        sm.received = sm.received.wrapping_add(1);
        Some((sm.resumable?, sm.received))
    }

    fn refuse(&self, stanza: &Stanza, error: StanzaError) {
        if let Some(reply) = error.reply(stanza, Some(self.session.jid.as_str())) {
            self.core.meters.refused.increment(1);
            self.session.push(reply.into());
        }
    }

    /// Elements that are not stanzas: stream management and client state.
    async fn nonza(&mut self, nonza: &Stanza) -> Result<(), End> {
        match (nonza.ns(), nonza.name()) {
            (ns::SM, "r") => self.under_way.push_back(UnderWay::Answer),
            (ns::SM, "a") => {
                let h = nonza.attr("h").and_then(|h| h.parse().ok());
                let h = h.ok_or(End::Lost(Some(StreamError::new("bad-format"))))?;
                self.core.acknowledged(&self.session, h).map_err(|e| End::Lost(Some(e)))?;
            }
            (ns::SM, "enable") => self.enable(nonza).await,
            (ns::SM, "resume") => self.session.push_nonza(sm::failed("unexpected-request", None)),
            (ns::CSI, "active") => self.core.client_state(&self.session, true),
            (ns::CSI, "inactive") => self.core.client_state(&self.session, false),
            // RFC 6120 §4.9.3.24.
            _ => return Err(End::Lost(Some(StreamError::new("unsupported-stanza-type")))),
        }
        Ok(())
    }

    /// XEP-0198 §3: once, after the resource is bound.
    async fn enable(&self, nonza: &Stanza) {
        if self.session.state().sm.is_some() {
            return self.session.push_nonza(sm::failed("unexpected-request", None));
        }
        let resume = matches!(nonza.attr("resume").as_deref(), Some("true" | "1"));
        match self.core.enable(&self.session, resume).await {
            Ok(enabled) => self.session.state().queue(Out::Enabled(enabled.into())),
            Err(error) => self.session.push_nonza(sm::failed(error.condition, None)),
        }
    }

    /// The session has something for its connection: to write, to read from the log first, or to let go.
    async fn work(&mut self) -> Result<(), End> {
        let link = self.session.state().link().clone();
        match link {
            Link::Attached => {}
            Link::Leaving(why) | Link::Ended(why) => return Err(End::Lost(why)),
            Link::Detached { .. } => return Err(End::Lost(None)),
        }
        // If that fails, the messages are safe in the log; the client comes back for them.
        let caught_up = self.core.catch_up(&self.session).await;
        caught_up.map_err(|_| End::Lost(Some(StreamError::new("internal-server-error"))))?;
        self.fill();
        Ok(())
    }

    /// Renders what comes next into the write buffer.
    fn fill(&mut self) {
        let Output { outs, counted, ask } = self.core.take_output(&self.session, limits::WRITE_CHUNK);
        let reader = Reader { session: &self.session, domain: &self.core.policy.domain };
        self.core.meters.written.increment(outs.len() as u64);
        for out in outs {
            let start = self.write.len();
            match out {
                Out::Entry { entry, form, turn } => {
                    reader.entry(&entry, form, turn, &mut self.write);
                    self.uncounted |= !counted;
                }
                Out::Said(said, _) => reader.said(&said, &mut self.write),
                Out::Stanza(bytes) | Out::Nonza(bytes) | Out::Enabled(bytes) => {
                    self.write.extend_from_slice(&bytes)
                }
            }
            self.conn.framing.seal(&mut self.write, start);
        }
        if ask {
            let start = self.write.len();
            self.write.extend_from_slice(sm::REQUEST);
            self.conn.framing.seal(&mut self.write, start);
        }
    }

    /// Waits for everything under way, so that nobody can resume the session while something may still come of it.
    async fn finish(&mut self) {
        while let Some(next) = self.under_way.front_mut() {
            match next {
                UnderWay::Commit(pending, ..) => {
                    let result = pending.await;
                    self.committed(result);
                }
                UnderWay::Storing(storing) => {
                    let result = flatten(storing.await);
                    self.stored(result);
                }
                _ => self.settle(),
            }
        }
    }

    /// The end of the stream, with an error if there is one to tell.
    async fn farewell(&mut self, error: Option<StreamError>) {
        let mut last: Vec<u8> = self.write.split_off(self.written.min(self.write.len()));
        if let Some(error) = &error {
            let start = last.len();
            last.extend_from_slice(&error.write());
            self.conn.framing.seal(&mut last, start);
        }
        self.conn.framing.close(&mut last);
        if self.conn.write(&last).await.is_ok() {
            self.conn.transport.shutdown().await.ok();
            self.conn.linger().await;
        }
    }
}

/// A task that did not end by itself has stored nothing.
fn flatten(done: Result<Result<(), StoreError>, JoinError>) -> Result<(), StoreError> {
    done.unwrap_or(Err(StoreError::Closed))
}
