//! From the first byte to a bound resource: stream headers, STARTTLS, authentication, registration, bind or
//! resumption (RFC 6120 §4 to §7). Lives in a boxed future that is dropped when it is done.
//!
//! This file has the stream: headers, features, TLS, and which element leads where. Authentication is one exchange in two
//! profiles (`exchange`, `classic`, `sasl2`, `upgrade`), and `bind` is what comes after it.

mod bind;
mod classic;
mod exchange;
mod sasl2;
mod upgrade;

use super::framing::Framing;
use super::transport::{Carrier, Conn, ReadError, Transport};
use super::{Arrival, Server, registration};
use exchange::Profile;
use rookery_core::device::Installation;
use rookery_core::member::Member;
use rookery_core::session::Session;
use rookery_core::xep::disco;
use rookery_core::{Registration, limits};
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::prepared;
use rookery_proto::sasl::{ChannelBindings, Mechanism, TokenMechanism};
use rookery_proto::stanza::Stanza;
use rookery_proto::stream::StreamError;
use rookery_proto::stream::features::Offer;
use rookery_proto::xml::{Item, Limits, StreamHeader};
use rookery_store::Shown;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::AsyncWriteExt;

/// A connection that is not bound yet.
pub struct Negotiation<S> {
    server: Arc<Server>,
    /// Taken while TLS is set up under it.
    pub conn: Option<Conn<S>>,
    /// Read and not yet looked at.
    pub items: VecDeque<Item>,
    /// What goes out with the next element that is sent: each write wakes the peer.
    out: Vec<u8>,
    /// A reading error that is dealt with when everything before it is.
    broken: Option<ReadError>,
    peer: IpAddr,
    bindings: ChannelBindings,
    secure: bool,
    /// A header was sent, so that an error can be.
    opened: bool,
    failures: u32,
    /// Who the client's header says it is (RFC 6120 §4.7.1); only what was said where nobody reads along.
    from: Option<Jid>,
    /// The language of the client's stream, if it names one (RFC 6120 §4.7.4).
    lang: Option<Arc<str>>,
    /// The client was given a challenge about an account, and has not answered it.
    asked: bool,
    /// The invitation that the client has shown (XEP-0445).
    invite: Option<Shown>,
    /// Which installation the client is, if it has said so (XEP-0388 §2.3).
    installation: Option<Installation>,
    /// Bound or resumed; to be let go of if the connection fails on its last steps.
    session: Option<Arc<Session>>,
}

/// Why there will be no session.
#[derive(Debug)]
pub enum Stop {
    /// The peer went.
    Gone,
    /// The peer closed its stream.
    Closed,
    /// The stream ends with an error.
    Error(StreamError),
}

type Result<T, E = Stop> = std::result::Result<T, E>;

fn error<T>(condition: &'static str) -> Result<T> {
    Err(Stop::Error(StreamError::new(condition)))
}

impl<S: Carrier> Negotiation<S> {
    /// Nothing was said yet.
    pub fn new(server: Arc<Server>, arrival: Arrival<S>) -> Negotiation<S> {
        Negotiation {
            server,
            conn: Some(arrival.conn),
            items: VecDeque::new(),
            out: Vec::new(),
            broken: None,
            peer: arrival.peer,
            bindings: arrival.bindings,
            secure: arrival.secure,
            opened: false,
            failures: 0,
            from: None,
            lang: None,
            asked: false,
            invite: None,
            installation: None,
            session: None,
        }
    }

    /// Leads the connection to a session; with `direct`, TLS comes first (XEP-0368).
    pub async fn run(&mut self, direct: bool) -> Result<()> {
        if direct {
            self.secure(true).await?;
        }
        self.open().await?;
        let (member, profile) = self.unauthenticated().await?;
        // XEP-0388 §2.6.1: in the newer profile the stream goes on.
        if profile == Profile::Classic {
            self.conn()?.framing.restart();
            self.authenticated()?;
            self.open_authenticated(&member).await?;
        }
        self.unbound(&member).await
    }

    /// The session that was reached.
    pub fn take_session(&mut self) -> Option<Arc<Session>> {
        self.session.take()
    }

    /// Tells the peer why the stream ends (RFC 6120 §4.9.1), and ends it.
    pub async fn refuse(&mut self, stop: Stop) {
        self.count_abandoned();
        let Some(mut conn) = self.conn.take() else { return };
        let mut last = std::mem::take(&mut self.out);
        if let Stop::Error(error) = &stop {
            if !self.opened {
                let core = &self.server.core;
                conn.framing.open(&core.policy.domain, None, &core.env.token(), None, &mut last);
            }
            let start = last.len();
            last.extend(error.write());
            conn.framing.seal(&mut last, start);
        }
        if self.opened || !last.is_empty() {
            conn.framing.close(&mut last);
        }
        let listens = !matches!(stop, Stop::Gone) || conn.framing.is_owed_the_end();
        if listens && conn.write(&last).await.is_ok() {
            conn.transport.shutdown().await.ok();
            conn.linger().await;
        }
    }

    fn conn(&mut self) -> Result<&mut Conn<S>> {
        self.conn.as_mut().ok_or(Stop::Gone)
    }

    /// Puts one element behind what is to go out.
    fn say(&mut self, element: &[u8]) -> Result<()> {
        let conn = self.conn.as_mut().ok_or(Stop::Gone)?;
        let start = self.out.len();
        self.out.extend_from_slice(element);
        conn.framing.seal(&mut self.out, start);
        Ok(())
    }

    /// Sends one element, after what was said before.
    async fn send(&mut self, element: &[u8]) -> Result<()> {
        self.say(element)?;
        let out = std::mem::take(&mut self.out);
        self.conn()?.write(&out).await.map_err(|_| Stop::Gone)
    }

    async fn item(&mut self) -> Result<Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Ok(item);
            }
            match self.broken.take() {
                Some(ReadError::Closed) => return Err(Stop::Gone),
                Some(ReadError::Scan(scan)) => return error(scan.condition()),
                None => {}
            }
            let conn = self.conn.as_mut().ok_or(Stop::Gone)?;
            let items = &mut self.items;
            self.broken = poll_fn(|cx| conn.poll_items(cx, items)).await.err();
            if let Some(reply) = conn.framing.take_reply() {
                conn.write(&reply).await.map_err(|_| Stop::Gone)?;
            }
        }
    }

    /// Looks whether the peer is still there, right before it gets a session: one that went while we asked the store would take
    /// the resource from the connection that it has made since. What it has sent besides stays to be read.
    async fn is_there(&mut self) -> Result<()> {
        while self.items.is_empty() && self.broken.is_none() {
            let (conn, items) = (self.conn.as_mut().ok_or(Stop::Gone)?, &mut self.items);
            let read = poll_fn(|cx| Poll::Ready(conn.poll_items(cx, items))).await;
            match read {
                Poll::Pending => break,
                Poll::Ready(read) => self.broken = read.err(),
            }
        }
        match (self.items.front(), &self.broken) {
            (Some(Item::Close), _) => Err(Stop::Closed),
            (None, Some(ReadError::Closed)) => Err(Stop::Gone),
            _ => Ok(()),
        }
    }

    async fn element(&mut self) -> Result<Stanza> {
        match self.item().await? {
            Item::Stanza(stanza) => Ok(stanza),
            Item::Close => Err(Stop::Closed),
            Item::Header(_) => error("not-well-formed"),
        }
    }

    /// The peer's header and ours (RFC 6120 §4.7), which goes out with what follows it.
    async fn header(&mut self) -> Result<()> {
        let header = match self.item().await? {
            Item::Header(header) => header,
            Item::Close => return Err(Stop::Closed),
            Item::Stanza(_) => return error("not-well-formed"),
        };
        let core = self.server.core.clone();
        let from = header.from.as_deref().map(prepared::jid);
        let to = from.as_ref().and_then(|from| from.as_ref().ok()).map(Jid::as_str);
        let conn = self.conn.as_ref().ok_or(Stop::Gone)?;
        let (domain, id) = (&core.policy.domain, core.env.token());
        conn.framing.open(domain, to, &id, header.lang.as_deref(), &mut self.out);
        self.opened = true;
        self.lang = header.lang.as_deref().filter(|lang| is_language(lang)).map(Arc::from);
        check(&header, &core.policy.domain)?;
        // RFC 6120 §4.7.1: what is said in the clear may be anybody's.
        let from = from.filter(|_| self.may_authenticate());
        self.from = match from {
            None => None,
            Some(Ok(jid)) if jid.domain().as_str() == core.policy.domain && jid.node().is_some() => Some(jid),
            // §4.9.3.9
            Some(_) => return error("invalid-from"),
        };
        Ok(())
    }

    async fn open(&mut self) -> Result<()> {
        self.header().await?;
        let server = self.server.clone();
        let mechanisms: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
        let tokens: Vec<_> = self.tokens().map(TokenMechanism::name).collect();
        let bindings: Vec<_> = self.bindings.types().map(|kind| kind.name()).collect();
        let sign_up = self.may_authenticate();
        let offer = Offer {
            starttls: self.may_secure().then_some(!server.settings.plain),
            mechanisms: &mechanisms,
            tokens: &tokens,
            bindings: &bindings,
            register: sign_up && server.core.policy.registration != Registration::Closed,
            register_token: sign_up && server.core.policy.registration != Registration::Closed,
            max_bytes: Some(Limits::unauthenticated().stanza_bytes),
            idle_seconds: Some(limits::NEGOTIATION.as_secs() as u32),
        };
        self.send(&offer.write()).await
    }

    async fn open_authenticated(&mut self, member: &Member) -> Result<()> {
        self.header().await?;
        // RFC 6120 §4.9.3.9: who has signed in cannot be another.
        if self.from.is_some() && !self.is_of(member, self.from.as_ref()).await {
            return error("invalid-from");
        }
        self.offer_authenticated().await
    }

    /// From here on the client may send as much as we have announced.
    fn authenticated(&mut self) -> Result<()> {
        let max = Limits { stanza_bytes: self.server.core.policy.stanza_bytes, ..Limits::authenticated() };
        self.conn()?.framing.set_limits(max);
        Ok(())
    }

    async fn offer_authenticated(&mut self) -> Result<()> {
        let offer = Offer {
            max_bytes: Some(self.server.core.policy.stanza_bytes),
            idle_seconds: Some((self.server.core.policy.idle + limits::IDLE_GRACE).as_secs() as u32),
            ..Offer::default()
        };
        let bound = self.session.is_some();
        let managed = self.session.as_ref().is_some_and(|session| session.state().sm.is_some());
        let caps = (disco::CAPS_NODE, self.server.core.announced.hash.as_str());
        self.send(&offer.write_authenticated(bound, managed, caps)).await
    }

    /// STARTTLS is for documents: what encrypts a WebSocket lies below it (RFC 7395 §3.8).
    fn may_secure(&self) -> bool {
        let document = matches!(&self.conn, Some(conn) if matches!(conn.framing, Framing::Stream(_)));
        !self.secure && document && self.server.tls.is_some()
    }

    /// Secrets pass under TLS, or where the operator allows plain connections.
    fn may_authenticate(&self) -> bool {
        self.secure || self.server.settings.plain
    }

    /// Everything before authentication has succeeded.
    async fn unauthenticated(&mut self) -> Result<(Arc<Member>, Profile)> {
        loop {
            let element = self.element().await?;
            if element.is(ns::TLS, "starttls") && self.may_secure() {
                self.send(format!("<proceed xmlns='{}'/>", ns::TLS).as_bytes()).await?;
                self.secure(false).await?;
                self.open().await?;
            } else if let Some(profile) = exchange::begins(&element) {
                let member = match profile {
                    Profile::Classic => self.classic(&element).await?,
                    Profile::Sasl2 => self.sasl2(&element).await?,
                };
                if let Some(member) = member {
                    return Ok((member, profile));
                }
            } else if registration::is_meant(&element) && self.may_authenticate() {
                let server = self.server.clone();
                let answer =
                    registration::unauthenticated(&server, self.peer, &element, &mut self.invite).await;
                self.send(&answer).await?;
            } else {
                // RFC 6120 §4.9.3.12: nothing else before authentication.
                return error("not-authorized");
            }
        }
    }

    /// TLS begins: what was read before it is forgotten, so that nothing said in the clear counts (RFC 6120 §5.3.5).
    async fn secure(&mut self, direct: bool) -> Result<()> {
        let (Some(tls), Some(conn)) = (self.server.tls.clone(), self.conn.take()) else {
            return Err(Stop::Gone);
        };
        let Transport::Plain(stream) = conn.transport else { return Err(Stop::Gone) };
        let identity = tls.current();
        let config = if direct { identity.direct.clone() } else { identity.starttls.clone() };
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        let stream = acceptor.accept(stream).await.map_err(|error| {
            tracing::debug!(peer = %self.peer, %error, "TLS handshake failed");
            Stop::Gone
        })?;
        self.bindings = identity.channel_bindings(stream.get_ref().1);
        self.secure = true;
        self.opened = false;
        self.items.clear();
        self.broken = None;
        let framing = Framing::stream(Limits::unauthenticated());
        self.conn = Some(Conn::new(Transport::Tls(Box::new(stream)), framing));
        Ok(())
    }
}

/// Whether a text can be a language tag (RFC 5646 §2.1), so that it can be passed on.
fn is_language(text: &str) -> bool {
    (1..=limits::LANG_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// RFC 6120 §4.9.3: what a client's header may be wrong in.
fn check(header: &StreamHeader, domain: &str) -> Result<()> {
    if header.default_ns.as_deref() != Some(ns::CLIENT) {
        return error("invalid-namespace");
    }
    let to = header.to.as_deref().and_then(|to| Jid::new(to).ok());
    match to {
        Some(to) if to.as_str() == domain => {}
        // §4.9.3.6; a client that names nobody cannot mean us for sure.
        _ => return error("host-unknown"),
    }
    match header.version.as_deref() {
        Some("1.0") => Ok(()),
        _ => error("unsupported-version"),
    }
}
