//! What a session knows between requests. Nothing here waits: requests and the line change it, and wake each other.

use super::{EMPTY_BURST, INACTIVITY, INBOX, OUTBOX, PAUSE, POLLING, REQUESTS, VERSION, WAIT};
use bytes::Bytes;
use rookery_proto::stream::bosh::{self, Body};
use rookery_proto::xml::{Item, Limits, StreamHeader};
use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A request that has no answer yet.
struct Held {
    rid: u64,
    key: Option<String>,
    since: Instant,
    answer: oneshot::Sender<Bytes>,
}

/// A request and its answer.
struct Answered {
    rid: u64,
    key: Option<String>,
    answer: Bytes,
}

/// The first answer of a session says more than others (XEP-0124 §7.1).
struct Greeting {
    sid: String,
    domain: String,
}

/// The end of a session.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// Why (§17.2), unless it ended in order.
    condition: Option<&'static str>,
}

pub(super) struct State {
    pub(super) limits: Limits,
    greeting: Option<Greeting>,
    /// What the first request said of the stream.
    header: StreamHeader,
    /// The identifier of the stream, once it was opened.
    pub(super) stream_id: Option<String>,
    wait: Duration,
    hold: usize,
    /// The request that comes next in order.
    next: u64,
    /// Requests that came before one that is missing.
    early: BTreeMap<u64, (Body, oneshot::Sender<Bytes>)>,
    /// Taken and not yet answered, the oldest first.
    held: VecDeque<Held>,
    /// The latest answers, for clients that did not get them (§14.3).
    answered: VecDeque<Answered>,
    /// Since when there was no request.
    idle_since: Instant,
    /// How long there may be none.
    patience: Duration,
    /// The hash of the next request's key (§15).
    key: Option<String>,
    empties: f64,
    last_empty: Option<Instant>,
    inbox: VecDeque<Item>,
    inbox_bytes: usize,
    /// A request came since the line looked last.
    heard: bool,
    outbox: Vec<u8>,
    /// The client ends the session, or a stream error is in the outbox: what is written now goes with the end.
    closing: bool,
    failed: bool,
    /// From now on every answer says so.
    end: Option<End>,
    /// An answer has said so.
    told: bool,
    /// Wakes the line when there is something to read.
    reader: Option<Waker>,
    /// Wakes the line when there is room to write.
    writer: Option<Waker>,
}

impl State {
    /// A session that `body` asks for; its request is still to be [taken](State::request).
    pub(super) fn new(sid: &str, domain: &str, body: &Body, now: Instant) -> State {
        State {
            limits: Limits::unauthenticated(),
            greeting: Some(Greeting { sid: sid.to_owned(), domain: domain.to_owned() }),
            header: StreamHeader::default(),
            stream_id: None,
            wait: Duration::from_secs(body.wait.unwrap_or(u64::MAX)).min(WAIT),
            hold: if body.wait == Some(0) { 0 } else { body.hold.unwrap_or(1).min(1) as usize },
            next: body.rid,
            early: BTreeMap::new(),
            held: VecDeque::new(),
            answered: VecDeque::new(),
            idle_since: now,
            patience: INACTIVITY,
            key: None,
            empties: 0.0,
            last_empty: None,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            heard: false,
            outbox: Vec::new(),
            closing: false,
            failed: false,
            end: None,
            told: false,
            reader: None,
            writer: None,
        }
    }

    // ---- requests ------------------------------------------------------------------------------------------

    /// A request came that says `body`; its answer goes to `answer`.
    pub(super) fn request(&mut self, body: Body, answer: oneshot::Sender<Bytes>, now: Instant) {
        if self.is_imitation(&body) {
            self.break_off("item-not-found", answer);
        } else if let Some(again) = self.answered.iter().find(|answered| answered.rid == body.rid) {
            answer.send(again.answer.clone()).ok();
        } else if let Some(end) = self.end {
            self.told = true;
            answer.send(end.answer(&std::mem::take(&mut self.outbox))).ok();
            wake(&mut self.writer);
        } else if let Some(held) = self.held.iter_mut().find(|held| held.rid == body.rid) {
            // §14.3: the connection of the first one broke before there was an answer.
            held.answer = answer;
        } else if body.rid < self.next || body.rid >= self.next + REQUESTS as u64 {
            self.break_off("item-not-found", answer);
        } else if body.rid > self.next {
            self.early.insert(body.rid, (body, answer));
        } else {
            self.take(body, answer, now);
            while self.end.is_none()
                && let Some((body, answer)) = self.early.remove(&self.next)
            {
                self.take(body, answer, now);
            }
        }
        self.deliver(now);
    }

    /// The next request in order.
    fn take(&mut self, body: Body, answer: oneshot::Sender<Bytes>, now: Instant) {
        self.next = body.rid + 1;
        if !self.has_key(&body) {
            return self.break_off("item-not-found", answer);
        }
        if self.held.len() >= REQUESTS || self.is_flood(&body, now) {
            return self.break_off("policy-violation", answer);
        }
        self.patience = INACTIVITY;
        self.held.push_back(Held { rid: body.rid, key: body.key, since: now, answer });
        self.heard = true;
        if body.sid.is_none() {
            self.header.clone_from(&body.header);
        }
        if body.sid.is_none() || body.restart {
            // XEP-0206 §5: what the restart does not say again is as it was.
            let StreamHeader { to, version, .. } = self.header.clone();
            let header = StreamHeader {
                to: body.header.to.or(to),
                version: body.header.version.or(version),
                ..body.header
            };
            self.inbox.push_back(Item::Header(header));
        }
        self.inbox_bytes += body.payload.iter().map(|stanza| stanza.as_bytes().len()).sum::<usize>();
        self.inbox.extend(body.payload.into_iter().map(Item::Stanza));
        if body.terminate {
            self.closing = true;
            self.inbox.push_back(Item::Close);
        }
        if let Some(pause) = body.pause {
            self.patience = Duration::from_secs(pause).clamp(INACTIVITY, PAUSE);
            // §10: everything is answered at once.
            while !self.held.is_empty() {
                self.answer_oldest(now);
            }
        }
        if self.inbox_bytes > INBOX {
            self.end(Some("policy-violation"));
        }
        wake(&mut self.reader);
    }

    /// §15: whether the request shows the key that only the client of this session knows, if it uses keys.
    fn has_key(&mut self, body: &Body) -> bool {
        let shown = match (&self.key, &body.key) {
            (Some(expected), Some(key)) => *expected == bosh::key_before(key),
            (Some(_), None) => false,
            (None, _) => true,
        };
        if self.key.is_some() {
            self.key.clone_from(&body.key);
        }
        if let Some(new) = &body.new_key {
            self.key = Some(new.clone());
        }
        shown
    }

    /// §15: whether this repeats a request that is known without the key that it showed.
    fn is_imitation(&self, body: &Body) -> bool {
        let held = self.held.iter().map(|held| (held.rid, &held.key));
        let answered = self.answered.iter().map(|answered| (answered.rid, &answered.key));
        held.chain(answered).any(|(rid, key)| rid == body.rid && *key != body.key)
    }

    /// §12: empty requests that come faster than they have any use.
    fn is_flood(&mut self, body: &Body, now: Instant) -> bool {
        if !body.is_empty() || body.sid.is_none() {
            return false;
        }
        let since = self.last_empty.replace(now).map_or(POLLING, |last| now - last);
        if self.hold == 0 {
            return since < POLLING;
        }
        self.empties = (self.empties - since.as_secs_f64()).max(0.0);
        if !self.held.is_empty() {
            self.empties += 1.0;
        }
        self.empties > EMPTY_BURST
    }

    /// The client broke a rule: `answer` tells it, and the session is over.
    fn break_off(&mut self, condition: &'static str, answer: oneshot::Sender<Bytes>) {
        self.end(Some(condition));
        answer.send(End { condition: Some(condition) }.answer(&[])).ok();
    }

    // ---- answers -------------------------------------------------------------------------------------------

    /// Answers what need not or must not wait.
    fn deliver(&mut self, now: Instant) {
        loop {
            // While the stream is busy with what came, a full house keeps more from coming.
            let too_many = self.held.len() > self.hold && self.inbox.is_empty();
            // What is written after the client has ended the session goes with the end, as far as there is room.
            let due = !self.outbox.is_empty() && (!self.closing || self.outbox.len() >= OUTBOX);
            let something = due || self.end.is_some();
            if self.held.is_empty() || !(too_many || something) {
                return;
            }
            self.answer_oldest(now);
        }
    }

    fn answer_oldest(&mut self, now: Instant) {
        let Some(held) = self.held.pop_front() else { return };
        let payload = std::mem::take(&mut self.outbox);
        let bytes = match (self.end, self.greeting.take()) {
            (Some(end), _) => {
                self.told = true;
                end.answer(&payload)
            }
            (None, Some(greeting)) => self.greet(&greeting, &payload),
            (None, None) => Bytes::from(bosh::answer(&[], &payload)),
        };
        if self.answered.len() == REQUESTS {
            self.answered.pop_front();
        }
        self.answered.push_back(Answered { rid: held.rid, key: held.key, answer: bytes.clone() });
        // If its connection is gone, the client asks for it again.
        held.answer.send(bytes).ok();
        if self.held.is_empty() {
            self.idle_since = now;
        }
        wake(&mut self.writer);
    }

    fn greet(&self, greeting: &Greeting, payload: &[u8]) -> Bytes {
        let seconds = |time: Duration| time.as_secs().to_string();
        let requests = if self.hold == 0 { 1 } else { REQUESTS };
        Bytes::from(bosh::answer(
            &[
                ("sid", &greeting.sid),
                ("from", &greeting.domain),
                ("authid", self.stream_id.as_deref().unwrap_or_default()),
                ("ver", VERSION),
                ("wait", &seconds(self.wait)),
                ("hold", &self.hold.to_string()),
                ("requests", &requests.to_string()),
                ("inactivity", &seconds(INACTIVITY)),
                ("polling", &seconds(POLLING)),
                ("maxpause", &seconds(PAUSE)),
                ("xmpp:version", "1.0"),
                ("xmpp:restartlogic", "true"),
            ],
            payload,
        ))
    }

    // ---- the line ------------------------------------------------------------------------------------------

    /// What came since the line looked last; nothing, where a request came that was empty.
    pub(super) fn poll_items(
        &mut self,
        cx: &mut Context<'_>,
        items: &mut VecDeque<Item>,
        now: Instant,
    ) -> Poll<Option<()>> {
        if std::mem::take(&mut self.heard) {
            items.append(&mut self.inbox);
            self.inbox_bytes = 0;
            self.deliver(now);
            return Poll::Ready(Some(()));
        }
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        self.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes all of `bytes` if there is room; nothing is taken after the end.
    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Option<usize>> {
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        if self.outbox.len() >= OUTBOX {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.outbox.extend_from_slice(bytes);
        Poll::Ready(Some(bytes.len()))
    }

    /// Whether a request has taken everything that was written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<Option<()>> {
        self.deliver(now);
        if self.outbox.is_empty() || self.closing {
            return Poll::Ready(Some(()));
        }
        if self.end.is_some() {
            return Poll::Ready(None);
        }
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// What is written next is a stream error.
    pub(super) fn fails(&mut self) {
        (self.closing, self.failed) = (true, true);
    }

    /// The stream is over; what was written last goes with the news.
    pub(super) fn shut(&mut self, now: Instant) {
        let condition = self.failed.then_some("remote-stream-error");
        self.end.get_or_insert(End { condition });
        self.deliver(now);
        self.drop_early();
    }

    /// Whether the client was told that the session is over.
    pub(super) fn poll_told(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.told {
            return Poll::Ready(());
        }
        self.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The session is over; who waits is told.
    pub(super) fn end(&mut self, condition: Option<&'static str>) {
        let end = *self.end.get_or_insert(End { condition });
        while let Some(held) = self.held.pop_front() {
            self.told = true;
            held.answer.send(end.answer(&std::mem::take(&mut self.outbox))).ok();
        }
        self.drop_early();
        wake(&mut self.reader);
        wake(&mut self.writer);
    }

    fn drop_early(&mut self) {
        let Some(end) = self.end else { return };
        for (_, answer) in std::mem::take(&mut self.early).into_values() {
            answer.send(end.answer(&[])).ok();
        }
    }

    /// Does what time has brought, and says when there will be more of it.
    pub(super) fn tick(&mut self, now: Instant) -> Instant {
        while self.held.front().is_some_and(|held| held.since + self.wait <= now) {
            self.answer_oldest(now);
        }
        match self.held.front() {
            Some(held) => held.since + self.wait,
            None => {
                let last = self.idle_since + self.patience;
                if last <= now && self.end.is_none() {
                    self.end(None);
                }
                last
            }
        }
    }
}

impl End {
    fn answer(self, payload: &[u8]) -> Bytes {
        Bytes::from(bosh::terminate(self.condition, payload))
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
