//! From the first byte to a bound resource: stream headers, STARTTLS, authentication, registration, bind or
//! resumption (RFC 6120 §4 to §7). Lives in a boxed future that is dropped when it is done.

use super::framing::Framing;
use super::throttle::Verdict;
use super::transport::{Carrier, Conn, ReadError, Transport};
use super::{Arrival, Server, registration};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_core::member::Member;
use rookery_core::session::Session;
use rookery_core::xep::disco;
use rookery_core::{Registration, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{Jid, NodePart};
use rookery_proto::ns;
use rookery_proto::sasl::{ChannelBindings, Condition, Credentials, Decoy, Exchange, Mechanism, Step};
use rookery_proto::stanza::{Kind, Stanza};
use rookery_proto::stream::features::Offer;
use rookery_proto::stream::{StreamError, sm};
use rookery_proto::xml::{Item, Limits, StreamHeader, Xml};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;

/// A connection that is not bound yet.
pub struct Negotiation<S> {
    server: Arc<Server>,
    /// Taken while TLS is set up under it.
    pub conn: Option<Conn<S>>,
    /// Read and not yet looked at.
    pub items: VecDeque<Item>,
    /// A reading error that is dealt with when everything before it is.
    broken: Option<ReadError>,
    peer: IpAddr,
    bindings: ChannelBindings,
    secure: bool,
    /// A header was sent, so that an error can be.
    opened: bool,
    failures: u32,
    /// The token of an invitation that the client has shown (XEP-0445).
    invite: Option<String>,
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
            broken: None,
            peer: arrival.peer,
            bindings: arrival.bindings,
            secure: arrival.secure,
            opened: false,
            failures: 0,
            invite: None,
            session: None,
        }
    }

    /// Leads the connection to a session; with `direct`, TLS comes first (XEP-0368).
    pub async fn run(&mut self, direct: bool) -> Result<()> {
        if direct {
            self.secure(true).await?;
        }
        self.open().await?;
        let member = self.unauthenticated().await?;
        let max = Limits { stanza_bytes: self.server.core.policy.stanza_bytes, ..Limits::authenticated() };
        self.conn()?.framing.restart();
        self.conn()?.framing.set_limits(max);
        self.open_authenticated().await?;
        self.unbound(&member).await
    }

    /// The session that was reached.
    pub fn take_session(&mut self) -> Option<Arc<Session>> {
        self.session.take()
    }

    /// Tells the peer why the stream ends (RFC 6120 §4.9.1), and ends it.
    pub async fn refuse(&mut self, stop: Stop) {
        let Some(mut conn) = self.conn.take() else { return };
        let mut last = Vec::new();
        if let Stop::Error(error) = &stop {
            if !self.opened {
                let core = &self.server.core;
                conn.framing.open(&core.policy.domain, &core.env.token(), None, &mut last);
            }
            let start = last.len();
            last.extend(error.write());
            conn.framing.seal(&mut last, start);
        }
        if self.opened || !last.is_empty() {
            conn.framing.close(&mut last);
        }
        if !matches!(stop, Stop::Gone) && conn.transport.write_all(&last).await.is_ok() {
            conn.transport.shutdown().await.ok();
            conn.linger().await;
        }
    }

    fn conn(&mut self) -> Result<&mut Conn<S>> {
        self.conn.as_mut().ok_or(Stop::Gone)
    }

    /// Sends one element.
    async fn send(&mut self, element: &[u8]) -> Result<()> {
        self.conn()?.write_element(element).await.map_err(|_| Stop::Gone)
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
                conn.transport.write_all(&reply).await.map_err(|_| Stop::Gone)?;
            }
        }
    }

    async fn element(&mut self) -> Result<Stanza> {
        match self.item().await? {
            Item::Stanza(stanza) => Ok(stanza),
            Item::Close => Err(Stop::Closed),
            Item::Header(_) => error("not-well-formed"),
        }
    }

    /// The peer's header and ours (RFC 6120 §4.7).
    async fn header(&mut self) -> Result<()> {
        let header = match self.item().await? {
            Item::Header(header) => header,
            Item::Close => return Err(Stop::Closed),
            Item::Stanza(_) => return error("not-well-formed"),
        };
        let core = self.server.core.clone();
        let mut open = Vec::new();
        let conn = self.conn()?;
        conn.framing.open(&core.policy.domain, &core.env.token(), header.lang.as_deref(), &mut open);
        conn.transport.write_all(&open).await.map_err(|_| Stop::Gone)?;
        self.opened = true;
        check(&header, &core.policy.domain)
    }

    async fn open(&mut self) -> Result<()> {
        self.header().await?;
        let server = self.server.clone();
        let mechanisms: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
        let bindings: Vec<_> = self.bindings.types().map(|kind| kind.name()).collect();
        let sign_up = self.may_authenticate();
        let offer = Offer {
            starttls: self.may_secure().then_some(!server.settings.plain),
            mechanisms: &mechanisms,
            bindings: &bindings,
            register: sign_up && server.core.policy.registration != Registration::Closed,
            register_token: sign_up && server.core.policy.registration == Registration::Invite,
            max_bytes: Some(Limits::unauthenticated().stanza_bytes),
            idle_seconds: Some(limits::NEGOTIATION.as_secs() as u32),
        };
        self.send(&offer.write()).await
    }

    async fn open_authenticated(&mut self) -> Result<()> {
        self.header().await?;
        let offer = Offer {
            max_bytes: Some(self.server.core.policy.stanza_bytes),
            idle_seconds: Some((self.server.core.policy.idle + limits::IDLE_GRACE).as_secs() as u32),
            ..Offer::default()
        };
        self.send(&offer.write_bound((disco::CAPS_NODE, &disco::server_hash()))).await
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

    fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + use<S> {
        let bound = self.bindings.offered();
        let any = self.may_authenticate();
        Mechanism::ALL.into_iter().filter(move |m| any && (!m.is_bound() || bound))
    }

    /// Everything before authentication has succeeded.
    async fn unauthenticated(&mut self) -> Result<Arc<Member>> {
        loop {
            let element = self.element().await?;
            if element.is(ns::TLS, "starttls") && self.may_secure() {
                self.send(format!("<proceed xmlns='{}'/>", ns::TLS).as_bytes()).await?;
                self.secure(false).await?;
                self.open().await?;
            } else if element.is(ns::SASL, "auth") {
                if let Some(member) = self.authenticate(&element).await? {
                    return Ok(member);
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

    /// One authentication (RFC 6120 §6.4): the account, or nothing when it failed and may be tried again.
    async fn authenticate(&mut self, auth: &Stanza) -> Result<Option<Arc<Member>>> {
        let name = auth.attr("mechanism").unwrap_or_default().into_owned();
        let Some(mechanism) = self.mechanisms().find(|m| m.name() == name) else {
            let condition = if self.may_authenticate() {
                Condition::InvalidMechanism
            } else {
                Condition::EncryptionRequired
            };
            return self.fail(condition, None).await;
        };
        let text = auth.text().into_owned();
        let initial = match text.as_str() {
            "" => None,
            text => match decode(text) {
                Ok(bytes) => Some(bytes),
                Err(condition) => return self.fail(condition, None).await,
            },
        };
        let (mut exchange, mut step) = Exchange::start(mechanism, &self.bindings, initial.as_deref());
        let mut account = None;
        loop {
            let verdict = account.as_deref().map(|user| self.judge(user));
            step = match step {
                // Guesses that ran beside this one have spent the address's patience: nothing is told.
                Step::Failure(_) | Step::Success { .. } if verdict == Some(Verdict::Refused) => {
                    return self.fail(Condition::TemporaryAuthFailure, None).await;
                }
                Step::NeedCredentials { user } => {
                    let next;
                    (exchange, next) = self.look_up(exchange, &user).await?;
                    account = Some(user);
                    next
                }
                Step::Challenge(bytes) => {
                    let mut x = Xml::new();
                    x.open_ns("challenge", ns::SASL).text(&BASE64_STANDARD.encode(bytes)).close();
                    self.send(&x.into_vec()).await?;
                    self.response(&mut exchange).await?
                }
                Step::Failure(condition) => return self.fail(condition, account.as_deref()).await,
                Step::Success { user, authzid, data } => return self.succeed(&user, authzid, data).await,
            };
        }
    }

    fn judge(&self, user: &str) -> Verdict {
        self.server.throttle.judge(self.peer, &prepared(user), self.server.core.env.now())
    }

    async fn response(&mut self, exchange: &mut Exchange) -> Result<Step> {
        let answer = self.element().await?;
        if answer.is(ns::SASL, "abort") {
            return Ok(Step::Failure(Condition::Aborted));
        }
        if !answer.is(ns::SASL, "response") {
            return error("not-authorized");
        }
        Ok(decode(&answer.text()).map_or_else(Step::Failure, |bytes| exchange.respond(&bytes)))
    }

    /// Goes on with the account's keys, or with a decoy's where there is no such account; hashing runs where it may
    /// take its time.
    async fn look_up(&mut self, mut exchange: Exchange, user: &str) -> Result<(Exchange, Step)> {
        let server = self.server.clone();
        match self.judge(user) {
            Verdict::Refused => return Ok((exchange, Step::Failure(Condition::TemporaryAuthFailure))),
            Verdict::After(wait) if wait.is_zero() => {}
            Verdict::After(wait) => tokio::time::sleep(wait).await,
        }
        let Ok(credentials) = credentials(&server, user).await else {
            return Ok((exchange, Step::Failure(Condition::TemporaryAuthFailure)));
        };
        let nonce = BASE64_STANDARD.encode(server.core.env.bytes::<18>());
        let costly = exchange.is_costly();
        let key = server.decoy;
        let iterations = server.core.policy.iterations;
        let work = move || {
            let step = exchange.provide(credentials.as_ref(), &nonce, Decoy { key: &key, iterations });
            (exchange, step)
        };
        if !costly {
            return Ok(work());
        }
        server.core.accounts.hasher().run(work).await.map_err(|_| Stop::Gone)
    }

    /// The password was right: what remains is who the client wants to be (RFC 6120 §6.3.8), and whether it may.
    async fn succeed(
        &mut self,
        user: &str,
        authzid: Option<String>,
        data: Option<Vec<u8>>,
    ) -> Result<Option<Arc<Member>>> {
        let core = self.server.core.clone();
        let Some(member) = find(&self.server, user).await.ok().flatten() else {
            return self.fail(Condition::TemporaryAuthFailure, None).await;
        };
        if member.disabled {
            return self.fail(Condition::AccountDisabled, Some(user)).await;
        }
        if let Some(authzid) = authzid.filter(|id| !id.is_empty()) {
            let jid = Jid::new(&authzid).ok().filter(|jid| jid.resource().is_none());
            let same = match &jid {
                Some(jid) => core.canonical(jid.to_bare()).await.ok() == Some(member.address.clone()),
                None => false,
            };
            if !same {
                return self.fail(Condition::InvalidAuthzid, Some(user)).await;
            }
        }
        let mut x = Xml::new();
        x.open_ns("success", ns::SASL);
        if let Some(data) = data {
            x.text(&BASE64_STANDARD.encode(data));
        }
        x.close();
        self.send(&x.into_vec()).await?;
        tracing::info!(uid = member.uid.0, peer = %self.peer, "signed in");
        Ok(Some(member))
    }

    async fn fail(&mut self, condition: Condition, account: Option<&str>) -> Result<Option<Arc<Member>>> {
        // Only what was a guess counts: not what was refused unseen, nor what the store could not answer.
        let guessed = !matches!(condition, Condition::Aborted | Condition::TemporaryAuthFailure);
        if let Some(account) = account.filter(|_| guessed) {
            self.server.throttle.failed(self.peer, &prepared(account), self.server.core.env.now());
        }
        metrics::counter!("rookery_auth_failures_total", "condition" => condition.name()).increment(1);
        tracing::info!(peer = %self.peer, reason = condition.name(), "authentication failed");
        let mut x = Xml::new();
        x.open_ns("failure", ns::SASL).leaf(condition.name());
        if condition == Condition::TemporaryAuthFailure {
            x.open("text")
                .attr("xml:lang", "en")
                .text("Too many attempts. Try again in a few minutes.")
                .close();
        }
        x.close();
        self.send(&x.into_vec()).await?;
        self.failures += 1;
        // RFC 6120 §6.4.5: a bound on retries.
        if self.failures >= limits::AUTH_TRIES { error("policy-violation") } else { Ok(None) }
    }

    /// After authentication, before a resource: bind or resume (RFC 6120 §7, XEP-0198 §5).
    async fn unbound(&mut self, member: &Member) -> Result<()> {
        while self.session.is_none() {
            let element = self.element().await?;
            if element.is(ns::SM, "resume") {
                self.resume(member, &element).await?;
            } else if element.is(ns::SM, "enable") {
                self.send(&sm::failed("unexpected-request", None)).await?;
            } else if element.kind() == Kind::Iq {
                self.bind(member, &element).await?;
            } else {
                return error("not-authorized");
            }
        }
        Ok(())
    }

    async fn resume(&mut self, member: &Member, element: &Stanza) -> Result<()> {
        let previd = element.attr("previd").unwrap_or_default().into_owned();
        let h = element.attr("h").and_then(|h| h.parse().ok());
        let Some(h) = h else { return error("bad-format") };
        match self.server.core.resume(member.uid, &previd, h).await {
            Ok((session, handled)) => {
                tracing::info!(uid = member.uid.0, resource = session.resource(), "session resumed");
                self.server.core.meters.resumed.increment(1);
                self.session = Some(session);
                self.send(&sm::resumed(&previd, handled)).await
            }
            Err(refused) => {
                self.server.core.meters.not_resumed.increment(1);
                self.send(&sm::failed(refused.condition, refused.handled)).await
            }
        }
    }

    async fn bind(&mut self, member: &Member, iq: &Stanza) -> Result<()> {
        let core = self.server.core.clone();
        let request = iq.child(ns::BIND, "bind").filter(|_| iq.type_().as_deref() == Some("set"));
        let Some(request) = request else {
            // RFC 6120 §7.1: no stanza to others before the resource is bound.
            let reply =
                StanzaError::not_authorized().reply(iq, Some(member.address.as_str())).unwrap_or_default();
            return self.send(&reply).await;
        };
        let wanted =
            request.child(ns::BIND, "resource").map(|r| r.text().into_owned()).filter(|r| !r.is_empty());
        let bound = match wanted {
            Some(resource) if resource.len() > limits::RESOURCE_BYTES => {
                Err(StanzaError::bad_request().text("This resource is too long."))
            }
            Some(resource) => core.bind(member, &resource).await,
            None => core.bind(member, &core.env.token()).await,
        };
        match bound {
            Ok(session) => {
                let mut x = Xml::new();
                x.open("iq").attr("type", "result").opt("id", iq.id());
                x.open_ns("bind", ns::BIND).text_element("jid", session.jid.as_str()).close().close();
                tracing::info!(uid = member.uid.0, resource = session.resource(), "session begins");
                core.meters.bound.increment(1);
                self.session = Some(session);
                self.send(&x.into_vec()).await
            }
            Err(refused) => {
                let reply = refused.reply(iq, Some(member.address.as_str())).unwrap_or_default();
                self.send(&reply).await
            }
        }
    }
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

/// RFC 6120 §6.4.2: base64, where `=` stands for nothing at all.
fn decode(text: &str) -> Result<Vec<u8>, Condition> {
    match text.trim() {
        "=" => Ok(Vec::new()),
        text => BASE64_STANDARD.decode(text).map_err(|_| Condition::IncorrectEncoding),
    }
}

/// A user name as it is compared, so that other spellings of one account's name are guesses at the same account.
fn prepared(user: &str) -> Cow<'_, str> {
    match NodePart::new(user) {
        Ok(local) => Cow::Owned(local.as_str().to_owned()),
        Err(_) => Cow::Borrowed(user),
    }
}

/// The account that a user name means: a number, or a name in whatever case.
async fn find(server: &Server, user: &str) -> rookery_store::Result<Option<Arc<Member>>> {
    match NodePart::new(user) {
        Ok(local) => server.core.directory.find(local.as_str()).await,
        Err(_) => Ok(None),
    }
}

async fn credentials(server: &Server, user: &str) -> rookery_store::Result<Option<Credentials>> {
    let Some(member) = find(server, user).await? else { return Ok(None) };
    let kept = server.core.store.credentials(member.uid).await?;
    Ok(kept.and_then(|kept| Credentials::from_bytes(&kept.0)))
}
