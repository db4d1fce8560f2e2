//! XEP-0114: the connection of an external component: its handshake, and the stanzas both ways.

use super::framing::Framing;
use super::transport::{Carrier, Conn, ReadError, Transport};
use bytes::Bytes;
use rookery_core::component::inbound::Outcome;
use rookery_core::component::{Component, Outlet};
use rookery_core::{Core, limits, store_error};
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use rookery_proto::stream::{self, StreamError};
use rookery_proto::xml::{Item, Limits, StreamHeader};
use rookery_store::{Appended, Pending, Timestamp};
use sha1::{Digest, Sha1};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// How long to wait when the system has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(200);

/// Accepts components until it is dropped, and their connections with it.
pub async fn run(core: Arc<Core>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= limits::COMPONENT_CONNECTIONS {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            // Small writes go out at once.
            Ok((stream, _)) if stream.set_nodelay(true).is_ok() => {
                connections.spawn(serve(core.clone(), stream));
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no component can be accepted at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

/// Serves one connection from its first byte to its last.
pub async fn serve<S: Carrier>(core: Arc<Core>, stream: S) {
    let conn = Conn::new(Transport::Plain(stream), Framing::stream(Limits::unauthenticated()));
    let mut line = Line::new(core.clone(), conn);
    let end = match tokio::time::timeout(limits::NEGOTIATION, line.negotiate()).await {
        Ok(Ok(component)) => {
            tracing::info!(host = component.allowed.host, "component connected");
            let outlet = component.connect();
            line.greeting = Some(tokio::spawn({
                let (core, component) = (core.clone(), component.clone());
                async move { core.greet_component(&component).await }
            }));
            let end = line.serve(&component, outlet).await;
            if let Some(greeting) = line.greeting.take() {
                greeting.abort();
            }
            tracing::info!(host = component.allowed.host, reason = end.reason(), "component gone");
            end
        }
        Ok(Err(end)) => end,
        Err(_) => End::Error(StreamError::new("connection-timeout")),
    };
    tokio::time::timeout(super::connection::FAREWELL, line.farewell(end)).await.ok();
    line.bounce_unwritten().await;
}

/// How a connection ends.
enum End {
    /// The component is gone.
    Gone,
    /// The component closed its stream.
    Closed,
    /// The stream ends with an error.
    Error(StreamError),
}

impl End {
    fn reason(&self) -> &'static str {
        match self {
            End::Gone => "connection lost",
            End::Closed => "closed by the component",
            End::Error(error) => error.condition,
        }
    }
}

fn error<T>(condition: &'static str) -> Result<T, End> {
    Err(End::Error(StreamError::new(condition)))
}

enum Event {
    Items,
    Gone,
    Replaced,
    Stalled,
}

/// A component's connection.
struct Line<S> {
    core: Arc<Core>,
    conn: Conn<S>,
    items: VecDeque<Item>,
    /// A reading error that is dealt with when everything before it is.
    broken: Option<ReadError>,
    /// Our header was sent.
    opened: bool,
    write: Vec<u8>,
    written: usize,
    /// The stanzas in `write`, each with where it ends there.
    unwritten: VecDeque<(usize, Bytes)>,
    /// Since when the component has taken nothing of what is written.
    stalled: Option<Timestamp>,
    /// Who is here is being told to the component. What it sends is taken up afterwards, lest a subscription that it makes
    /// shows somebody before the answer to it does.
    greeting: Option<JoinHandle<()>>,
}

impl<S: Carrier> Line<S> {
    fn new(core: Arc<Core>, conn: Conn<S>) -> Line<S> {
        Line {
            core,
            conn,
            items: VecDeque::new(),
            broken: None,
            opened: false,
            write: Vec::new(),
            written: 0,
            unwritten: VecDeque::new(),
            stalled: None,
            greeting: None,
        }
    }

    /// The next item, before there is anything to write.
    async fn item(&mut self) -> Result<Item, End> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(item);
            }
            self.check_broken()?;
            let Line { conn, items, .. } = self;
            self.broken = poll_fn(|cx| conn.poll_items(cx, items)).await.err();
        }
    }

    fn check_broken(&mut self) -> Result<(), End> {
        match self.broken.take() {
            None => Ok(()),
            Some(ReadError::Closed) => Err(End::Gone),
            Some(ReadError::Scan(scan)) => error(scan.condition()),
        }
    }

    /// Header and handshake (XEP-0114 §3).
    async fn negotiate(&mut self) -> Result<Arc<Component>, End> {
        let header = match self.item().await? {
            Item::Header(header) => header,
            Item::Close => return Err(End::Closed),
            Item::Stanza(_) => return error("not-well-formed"),
        };
        let id = self.core.env.token();
        let host = header.to.clone().unwrap_or_default();
        self.send(&stream::open_component(&host, &id)).await?;
        self.opened = true;
        let component = self.named(&header)?;
        match self.item().await? {
            Item::Stanza(element) if is_handshake(&element) => {
                let expected = handshake(&id, &component.allowed.secret);
                let given = element.text();
                let right: bool = given.trim().as_bytes().ct_eq(expected.as_bytes()).into();
                if !right {
                    tracing::warn!(host, "a component does not know its secret");
                    return error("not-authorized");
                }
            }
            Item::Close => return Err(End::Closed),
            _ => return error("not-authorized"),
        }
        let stanza_bytes = component.allowed.stanza_bytes;
        self.conn.framing.set_limits(Limits { stanza_bytes, ..Limits::authenticated() });
        self.send(b"<handshake/>").await?;
        Ok(component)
    }

    /// The component that the header asks for.
    fn named(&self, header: &StreamHeader) -> Result<Arc<Component>, End> {
        if header.default_ns.as_deref() != Some(ns::COMPONENT) {
            return error("invalid-namespace");
        }
        let host = header.to.as_deref().unwrap_or_default().to_lowercase();
        match self.core.components.of(&host) {
            Some(component) if !component.is_gateway() => Ok(component.clone()),
            _ => error("host-unknown"),
        }
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        self.conn.write(bytes).await.map_err(|_| End::Gone)
    }

    /// Stanzas both ways until the end; what was not taken then comes back to its senders.
    async fn serve(&mut self, component: &Component, mut outlet: Outlet) -> End {
        let mut storing = VecDeque::new();
        let end = loop {
            match self.next(&mut outlet).await {
                Event::Items => {
                    if let Err(end) = self.handle(component, &mut storing).await {
                        break end;
                    }
                }
                Event::Gone => break End::Gone,
                Event::Replaced => {
                    let text = "Another connection serves this component.";
                    break End::Error(StreamError::with("conflict", text));
                }
                Event::Stalled => {
                    let text = "You have not read what was sent to you for too long.";
                    break End::Error(StreamError::with("resource-constraint", text));
                }
            }
        };
        self.settle(component, &mut storing, 0).await;
        for stanza in outlet.close().await {
            self.core.bounce(&stanza).await;
        }
        end
    }

    /// What the component has sent, in its order; some messages are stored at the same time.
    async fn handle(
        &mut self,
        component: &Component,
        storing: &mut VecDeque<(Pending<Appended>, Stanza)>,
    ) -> Result<(), End> {
        while let Some(item) = self.items.pop_front() {
            let stanza = match item {
                Item::Stanza(stanza) => stanza,
                Item::Close => return Err(End::Closed),
                Item::Header(_) => return error("not-well-formed"),
            };
            if stanza.kind() != Kind::Message {
                // What it says may be about what came before.
                self.settle(component, storing, 0).await;
            }
            match self.core.from_component(component, &stanza).await.map_err(End::Error)? {
                Outcome::Done => {}
                Outcome::Commit(pending) => storing.push_back((pending, stanza)),
            }
            self.settle(component, storing, limits::COMPONENT_IN_FLIGHT).await;
        }
        self.settle(component, storing, 0).await;
        self.check_broken()
    }

    /// Waits until no more than `left` messages are being stored; one that could not be is an error to the component.
    async fn settle(
        &self,
        component: &Component,
        storing: &mut VecDeque<(Pending<Appended>, Stanza)>,
        left: usize,
    ) {
        while storing.len() > left {
            let Some((pending, stanza)) = storing.pop_front() else { return };
            if let Err(error) = pending.await {
                self.core.refuse_component(component, &stanza, store_error(error));
            }
        }
    }

    /// What happens next: something to read, or the end. What waits for the component is written meanwhile.
    async fn next(&mut self, outlet: &mut Outlet) -> Event {
        loop {
            let now = self.core.env.now();
            let stalled = self.stalled.map_or(Duration::ZERO, |since| {
                Duration::from_millis(now.0.saturating_sub(since.0).max(0) as u64)
            });
            if stalled >= limits::COMPONENT_STALL {
                return Event::Stalled;
            }
            let event = poll_fn(|cx| self.poll(outlet, now, cx));
            if let Ok(event) = tokio::time::timeout(limits::COMPONENT_STALL - stalled, event).await {
                return event;
            }
        }
    }

    fn poll(&mut self, outlet: &mut Outlet, now: Timestamp, cx: &mut Context<'_>) -> Poll<Event> {
        loop {
            match self.poll_write(now, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(())) => return Poll::Ready(Event::Gone),
                Poll::Pending => break,
            }
            match self.fill(outlet, cx) {
                Poll::Ready(true) => {}
                Poll::Ready(false) => return Poll::Ready(Event::Replaced),
                Poll::Pending => break,
            }
        }
        if let Some(greeting) = &mut self.greeting {
            ready!(Pin::new(greeting).poll(cx)).ok(); // A greeting that panicked has ended, too.
            self.greeting = None;
            if !self.items.is_empty() || self.broken.is_some() {
                return Poll::Ready(Event::Items); // It came with the handshake.
            }
        }
        match self.conn.poll_items(cx, &mut self.items) {
            Poll::Ready(outcome) => {
                self.broken = outcome.err();
                Poll::Ready(Event::Items)
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Ready when nothing is left to be written.
    fn poll_write(&mut self, now: Timestamp, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        while self.written < self.write.len() {
            match Pin::new(&mut self.conn.transport).poll_write(cx, &self.write[self.written..]) {
                Poll::Ready(Ok(n)) if n > 0 => {
                    self.written += n;
                    self.stalled = None;
                }
                Poll::Ready(_) => return Poll::Ready(Err(())),
                Poll::Pending => {
                    self.stalled.get_or_insert(now);
                    return Poll::Pending;
                }
            }
        }
        if self.write.is_empty() {
            return Poll::Ready(Ok(()));
        }
        // An idle connection holds no buffer.
        (self.write, self.written, self.unwritten) = (Vec::new(), 0, VecDeque::new());
        Pin::new(&mut self.conn.transport).poll_flush(cx).map_err(|_| ())
    }

    /// Takes from the queue what one write may hold; false when another connection has taken over.
    fn fill(&mut self, outlet: &mut Outlet, cx: &mut Context<'_>) -> Poll<bool> {
        while self.write.len() < limits::WRITE_CHUNK {
            match outlet.poll_next(cx) {
                Poll::Ready(Some(stanza)) => {
                    self.write.extend_from_slice(&stanza);
                    self.unwritten.push_back((self.write.len(), stanza));
                }
                Poll::Ready(None) => return Poll::Ready(false),
                Poll::Pending if self.write.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        Poll::Ready(true)
    }

    /// The end of the stream, with an error if there is one to tell, after what is being written.
    async fn farewell(&mut self, end: End) {
        match &end {
            End::Gone => return,
            End::Closed => {}
            End::Error(error) => {
                if !self.opened {
                    self.write.extend(stream::open_component("", &self.core.env.token()));
                }
                self.write.extend(error.write());
            }
        }
        self.write.extend_from_slice(stream::CLOSE);
        let now = self.core.env.now();
        if poll_fn(|cx| self.poll_write(now, cx)).await.is_ok() {
            self.conn.transport.shutdown().await.ok();
            self.conn.linger().await;
        }
    }

    /// What did not go out whole comes back to its senders.
    async fn bounce_unwritten(&mut self) {
        for (end, stanza) in std::mem::take(&mut self.unwritten) {
            if end > self.written {
                self.core.bounce(&stanza).await;
            }
        }
    }
}

fn is_handshake(element: &Stanza) -> bool {
    // The scanner hands out a component's own namespace as a client's.
    element.is(ns::CLIENT, "handshake")
}

/// What proves that the component knows its secret (XEP-0114 §3): lower-case hexadecimal.
fn handshake(id: &str, secret: &str) -> String {
    data_encoding::HEXLOWER.encode(&Sha1::new().chain_update(id).chain_update(secret).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_the_id_and_the_secret() {
        // FIPS 180's example: the digest of what is put together from both.
        assert_eq!(handshake("a", "bc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
