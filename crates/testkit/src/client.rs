//! A scripted XMPP client over any transport: it does what it is told, and shows all that comes back.
//!
//! It reads with a parser that is not the server's own, keeps exact books of acknowledgement, and has no timers:
//! whoever runs it under a real clock sets the limit, and under virtual time the [`clock`](crate::clock) does.

mod archive;
mod auth;
mod bosh;
mod channel;
pub mod files;
mod sasl2;
mod sm;
mod websocket;
mod xml;

use std::collections::VecDeque;

use anyhow::{Context, Result, anyhow, bail};
use minidom::Element;

pub use archive::Archived;
pub use auth::{channel_bindings, tls_handshake};
pub use bosh::{Door, post};
pub use files::{Answered, Slot, ask, request};
pub use sasl2::{failure, token};
pub use sm::{Counters, Resumption};
pub use xml::{Incoming, Transport, escape, xml_attr};

use crate::ns;
use channel::Channel;

/// The server broke the protocol in a way that no test provokes: malformed XML, impossible counts.
#[derive(Debug)]
pub struct Misbehaviour(pub String);

impl std::fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server misbehaved: {}", self.0)
    }
}

impl std::error::Error for Misbehaviour {}

/// How the ids begin that the client itself chooses.
const OWN_ID: &str = "kit-";

/// A client with at most one session.
pub struct Client {
    stream: Channel,
    domain: String,
    jid: Option<String>,
    /// The host that it serves, if it is a component (XEP-0114).
    host: Option<String>,
    /// Read while waiting for something else, in the order of arrival; handed out before the stream is read.
    inbox: VecDeque<Incoming>,
    counters: Option<Counters>,
    /// Whether `<r/>` and the server's pings are answered by themselves.
    answers: bool,
    /// Whether an `<r/>` was read and not answered yet.
    owes_count: bool,
    /// The ids of the server's pings that were read and not answered yet.
    owed_pongs: Vec<String>,
    next_id: u64,
    /// What the stream has announced for authentication.
    offer: Option<sasl2::Offer>,
}

impl Client {
    /// A client of the server for `domain` on a fresh connection. Nothing is sent yet.
    pub fn new(transport: impl Transport + 'static, domain: &str) -> Client {
        Client::over(Channel::stream(transport), domain)
    }

    /// The same over a WebSocket, whose handshake this makes (RFC 7395).
    pub async fn by_web_socket(transport: impl Transport + 'static, domain: &str) -> Result<Client> {
        Ok(Client::over(Channel::web_socket(transport, domain).await?, domain))
    }

    /// The same over BOSH (XEP-0206), with as many connections as it needs.
    pub fn by_bosh(door: Door, domain: &str) -> Client {
        Client::over(Channel::bosh(door), domain)
    }

    fn over(stream: Channel, domain: &str) -> Client {
        Client {
            stream,
            domain: domain.to_owned(),
            jid: None,
            host: None,
            inbox: VecDeque::new(),
            counters: None,
            answers: true,
            owes_count: false,
            owed_pongs: Vec::new(),
            next_id: 0,
            offer: None,
        }
    }

    /// A component for `host` on a fresh connection. Nothing is sent yet.
    pub fn component(transport: impl Transport + 'static, domain: &str, host: &str) -> Client {
        Client { host: Some(host.to_owned()), ..Client::new(transport, domain) }
    }

    /// The full JID that the server bound, once it did; a component's host.
    pub fn jid(&self) -> Option<&str> {
        self.jid.as_deref()
    }

    /// The account's bare JID, once a resource is bound.
    pub fn bare(&self) -> Option<&str> {
        self.jid().map(bare)
    }

    /// The domain the client was made for.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The books of stream management, once it is enabled.
    pub fn counters(&self) -> Option<&Counters> {
        self.counters.as_ref()
    }

    /// What the server has acknowledged since this was last called, oldest first.
    pub fn take_confirmed(&mut self) -> Vec<String> {
        self.counters.as_mut().map(Counters::take_confirmed).unwrap_or_default()
    }

    /// Take the books out of a client whose connection is lost, to [resume](Client::resume) on another one.
    pub fn into_counters(self) -> Option<Counters> {
        self.counters
    }

    /// Whether the server cannot see at once that this client is gone: there is no connection that ends.
    pub fn is_cut_unnoticed(&self) -> bool {
        matches!(self.stream, Channel::Bosh(_))
    }

    /// From now on `<r/>` and the server's pings are left unanswered.
    pub fn stop_answering(&mut self) {
        self.answers = false;
    }

    // ---- writing -------------------------------------------------------------------------------------------

    /// Send text as it is. Stanzas are counted once stream management is on.
    pub async fn send_raw(&mut self, xml: &str) -> Result<()> {
        if let Some(counters) = &mut self.counters
            && is_stanza(xml)
        {
            // Counted before it is written: what a dying connection swallowed is to be sent again.
            counters.sent(xml);
        }
        self.stream.write(xml).await
    }

    /// Send text as it is, and count nothing.
    pub async fn send_uncounted(&mut self, text: &str) -> Result<()> {
        self.stream.write_raw(text).await
    }

    /// Ask the server to acknowledge (XEP-0198 §4).
    pub async fn request_ack(&mut self) -> Result<()> {
        self.stream.write(&format!("<r xmlns='{}'/>", ns::SM)).await
    }

    /// Tell the server what was handled.
    pub async fn answer(&mut self) -> Result<()> {
        self.owes_count = false;
        match &self.counters {
            Some(counters) => {
                self.stream.write(&format!("<a xmlns='{}' h='{}'/>", ns::SM, counters.handled)).await
            }
            None => Ok(()),
        }
    }

    /// Answer what [`read`](Client::read) has seen the server ask, as every client does.
    pub async fn answer_if_asked(&mut self) -> Result<()> {
        if !self.answers {
            return Ok(());
        }
        for id in std::mem::take(&mut self.owed_pongs) {
            self.send_raw(&format!("<iq type='result' id='{}'/>", escape(&id))).await?;
        }
        if self.owes_count { self.answer().await } else { Ok(()) }
    }

    /// Close the stream from this side. What comes afterwards can still be read.
    pub async fn close(&mut self) -> Result<()> {
        self.stream.close().await
    }

    // ---- reading -------------------------------------------------------------------------------------------

    /// The next thing from the server, read from the connection. Safe to cancel. `<r/>` and pings are only noted;
    /// see [`answer_if_asked`](Client::answer_if_asked). `<a/>` is booked. All of it is returned too.
    pub async fn read(&mut self) -> Result<Incoming> {
        let incoming = self.stream.read().await?;
        if let Incoming::Element(element) = &incoming {
            if element.is("r", ns::SM) {
                self.owes_count = true;
            }
            if is_ping(element, &self.domain) {
                self.owed_pongs.extend(element.attr("id").map(str::to_owned));
            }
            if let Some(counters) = &mut self.counters {
                if element.is("a", ns::SM) {
                    counters.acknowledge(h(element)?)?;
                } else if element.has_ns(ns::CLIENT) {
                    counters.received();
                }
            }
        }
        Ok(incoming)
    }

    /// The next thing, whether read before or not; `<r/>` is answered on the way.
    pub async fn next(&mut self) -> Result<Incoming> {
        match self.inbox.pop_front() {
            Some(incoming) => Ok(incoming),
            None => self.read_answering().await,
        }
    }

    async fn read_answering(&mut self) -> Result<Incoming> {
        let incoming = self.read().await?;
        self.answer_if_asked().await?;
        Ok(incoming)
    }

    /// The next element; an error if the stream ends instead.
    pub async fn recv(&mut self) -> Result<Element> {
        match self.next().await? {
            Incoming::Element(element) => Ok(element),
            other => bail!("the stream ended: {other:?}"),
        }
    }

    /// The next element, which must be the one that is expected.
    pub async fn expect(&mut self, what: &str, is_it: impl Fn(&Element) -> bool) -> Result<Element> {
        let element = self.recv().await?;
        if is_it(&element) {
            return Ok(element);
        }
        bail!("expected {what}, got {}", String::from(&element))
    }

    /// Everything that arrives before the server answers a ping sent now. What is not there did not come: the
    /// server handles the stanzas of one stream in their order.
    pub async fn barrier(&mut self) -> Result<Vec<Incoming>> {
        self.sync().await?;
        Ok(self.inbox.drain(..).collect())
    }

    /// A barrier that leaves what came in the [inbox](Client::inbox).
    pub async fn sync(&mut self) -> Result<()> {
        let id = self.fresh_id();
        let from = self.host.as_ref().map(|host| format!(" from='{}'", escape(host))).unwrap_or_default();
        self.send_raw(&format!(
            "<iq type='get' id='{id}'{from} to='{}'><ping xmlns='{}'/></iq>",
            self.domain,
            ns::PING
        ))
        .await?;
        self.wait_for_answer(&id).await.map(drop)
    }

    /// Read and answer whatever is there already, into the inbox; for times in which nobody waits for anything.
    pub async fn keep_alive(&mut self) -> Result<()> {
        loop {
            tokio::select! {
                biased;
                incoming = self.read() => {
                    let incoming = incoming?;
                    let over = !matches!(incoming, Incoming::Element(_));
                    self.inbox.push_back(incoming);
                    if over {
                        return Ok(());
                    }
                }
                () = crate::clock::settle() => return Ok(()),
            }
            self.answer_if_asked().await?;
        }
    }

    /// What was read while waiting for something else, oldest first: the next to be handed out.
    pub fn inbox(&mut self) -> &mut VecDeque<Incoming> {
        &mut self.inbox
    }

    // ---- requests ------------------------------------------------------------------------------------------

    fn fresh_id(&mut self) -> String {
        self.next_id += 1;
        format!("{OWN_ID}{}", self.next_id)
    }

    /// Send an IQ and wait for its result; an error if it is refused. What comes before the answer stays to be read.
    pub async fn iq(&mut self, kind: &str, to: Option<&str>, payload: &str) -> Result<Element> {
        let id = self.fresh_id();
        let to = to.map(|to| format!(" to='{}'", escape(to))).unwrap_or_default();
        self.send_raw(&format!("<iq type='{kind}' id='{id}'{to}>{payload}</iq>")).await?;
        let answer = self.wait_for_answer(&id).await?;
        match answer.attr("type") {
            Some("result") => Ok(answer),
            _ => bail!("refused: {}", String::from(&answer)),
        }
    }

    /// Runs one of the server's own commands that asks for one form (XEP-0050), and fills it in so.
    pub async fn run_command(&mut self, name: &str, fields: &[(String, String)]) -> Result<()> {
        let command = |rest: &str, form: &str| {
            let node = format!("https://rookery.im/command/{}", escape(name));
            format!("<command xmlns='{}' node='{node}'{rest}>{form}</command>", ns::COMMANDS)
        };
        let server = self.domain.clone();
        let asked = self.iq("set", Some(&server), &command("", "")).await?;
        let session = asked.get_child("command", ns::COMMANDS).and_then(|command| command.attr("sessionid"));
        let session = session.context("the command has no session")?;
        let mut form = String::new();
        for (at, (var, _)) in fields.iter().enumerate() {
            if fields[..at].iter().any(|(before, _)| before == var) {
                continue;
            }
            let values = fields.iter().filter(|(other, _)| other == var);
            let values: String =
                values.map(|(_, value)| format!("<value>{}</value>", escape(value))).collect();
            form.push_str(&format!("<field var='{}'>{values}</field>", escape(var)));
        }
        let form = format!("<x xmlns='{}' type='submit'>{form}</x>", ns::DATA_FORMS);
        let filled = command(&format!(" sessionid='{}'", escape(session)), &form);
        let done = self.iq("set", Some(&server), &filled).await?;
        match done.get_child("command", ns::COMMANDS).and_then(|command| command.attr("status")) {
            Some("completed") => Ok(()),
            status => bail!("the command is not completed: {status:?}"),
        }
    }

    async fn wait_for_answer(&mut self, id: &str) -> Result<Element> {
        loop {
            match self.read_answering().await? {
                Incoming::Element(iq) if iq.is("iq", ns::CLIENT) && is_answer(&iq, id) => return Ok(iq),
                element @ Incoming::Element(_) => self.inbox.push_back(element),
                ended => {
                    bail!("the stream ended before the answer to {id}: {ended:?}, after {:?}", self.inbox)
                }
            }
        }
    }

    /// Bind a resource (RFC 6120 §7) and return the full JID.
    pub async fn bind(&mut self, resource: Option<&str>) -> Result<String> {
        let resource =
            resource.map(|name| format!("<resource>{}</resource>", escape(name))).unwrap_or_default();
        let answer = self.iq("set", None, &format!("<bind xmlns='{}'>{resource}</bind>", ns::BIND)).await?;
        let jid = answer
            .get_child("bind", ns::BIND)
            .and_then(|bind| bind.get_child("jid", ns::BIND))
            .ok_or_else(|| anyhow!("no JID in {}", String::from(&answer)))?
            .text();
        self.jid = Some(jid.clone());
        Ok(jid)
    }

    /// Turn stream management on, resumable (XEP-0198 §3, §5), and return `<enabled/>`.
    pub async fn enable_sm(&mut self) -> Result<Element> {
        self.stream.write(&format!("<enable xmlns='{}' resume='true'/>", ns::SM)).await?;
        loop {
            match self.stream.read().await? {
                Incoming::Element(enabled) if enabled.is("enabled", ns::SM) => {
                    let id = enabled.attr("id").map(str::to_owned);
                    self.counters = Some(Counters::new(id));
                    return Ok(enabled);
                }
                Incoming::Element(failed) if failed.has_ns(ns::SM) => {
                    bail!("stream management is refused: {}", String::from(&failed))
                }
                element @ Incoming::Element(_) => self.inbox.push_back(element),
                ended => bail!("the stream ended before <enabled/>: {ended:?}"),
            }
        }
    }

    /// Take over the session of a client whose connection is lost, to [resume](Client::resume) it here.
    pub fn restore(&mut self, jid: &str, counters: Counters) {
        self.jid = Some(jid.to_owned());
        self.counters = Some(counters);
    }

    /// Resume the restored session on this authenticated stream (XEP-0198 §5). What the server did not get is sent
    /// again. After an error the books are still here, for another attempt.
    pub async fn resume(&mut self) -> Result<Resumption> {
        let counters = self.counters.as_mut().context("no session was restored")?;
        let id = counters.id.as_deref().context("the session is not resumable")?;
        let request =
            format!("<resume xmlns='{}' previd='{}' h='{}'/>", ns::SM, escape(id), counters.handled);
        self.stream.write(&request).await?;
        let answer = match self.stream.read().await? {
            Incoming::Element(answer) if answer.has_ns(ns::SM) => answer,
            other => bail!("neither <resumed/> nor <failed/>: {other:?}"),
        };
        let resumed = answer.name() == "resumed";
        // A server that still knows how far it came says so, even when the session is gone.
        if resumed || answer.attr("h").is_some() {
            counters.acknowledge(h(&answer)?)?;
        }
        if resumed {
            for again in &counters.unacknowledged {
                self.stream.write(again).await?;
            }
            return Ok(Resumption::Resumed);
        }
        self.jid = None;
        self.counters.take().map(Resumption::Failed).context("no session was restored")
    }

    /// The roster's items (RFC 6121 §2.1.3).
    pub async fn roster(&mut self) -> Result<Vec<Element>> {
        let answer = self.iq("get", None, &format!("<query xmlns='{}'/>", ns::ROSTER)).await?;
        Ok(children(&answer, "query", ns::ROSTER))
    }

    /// Add or change a roster item.
    pub async fn roster_set(&mut self, jid: &str, name: &str) -> Result<()> {
        let (jid, name) = (escape(jid), escape(name));
        self.iq(
            "set",
            None,
            &format!("<query xmlns='{}'><item jid='{jid}' name='{name}'/></query>", ns::ROSTER),
        )
        .await
        .map(drop)
    }

    /// Get copies of what the account's other resources send and receive (XEP-0280).
    pub async fn enable_carbons(&mut self) -> Result<()> {
        self.iq("set", None, &format!("<enable xmlns='{}'/>", ns::CARBONS)).await.map(drop)
    }

    /// The blocked addresses (XEP-0191 §3.2).
    pub async fn blocklist(&mut self) -> Result<Vec<String>> {
        let answer = self.iq("get", None, &format!("<blocklist xmlns='{}'/>", ns::BLOCKING)).await?;
        let items = children(&answer, "blocklist", ns::BLOCKING);
        Ok(items.iter().filter_map(|item| item.attr("jid")).map(str::to_owned).collect())
    }
}

/// A JID without its resource.
pub fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

fn children(answer: &Element, name: &str, ns: &str) -> Vec<Element> {
    answer.get_child(name, ns).map(|list| list.children().cloned().collect()).unwrap_or_default()
}

/// Whether it is the server, asking whether we are there (XEP-0199 §4.1).
pub(crate) fn is_ping(element: &Element, server: &str) -> bool {
    element.is("iq", ns::CLIENT)
        && element.attr("type") == Some("get")
        && element.attr("from").is_none_or(|from| from == server)
        && element.has_child("ping", ns::PING)
}

/// Whether it answers a request of the client's own that nobody waits for any more.
pub(crate) fn is_late_answer(element: &Element) -> bool {
    element.is("iq", ns::CLIENT)
        && element.attr("id").is_some_and(|id| id.starts_with(OWN_ID) && is_answer(element, id))
}

fn is_answer(iq: &Element, id: &str) -> bool {
    iq.attr("id") == Some(id) && matches!(iq.attr("type"), Some("result" | "error"))
}

fn is_stanza(xml: &str) -> bool {
    ["<message", "<presence", "<iq"].iter().any(|name| {
        xml.trim_start()
            .strip_prefix(name)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    })
}

fn h(element: &Element) -> Result<u32> {
    element
        .attr("h")
        .and_then(|h| h.parse().ok())
        .ok_or_else(|| anyhow!("no count of handled stanzas in {}", String::from(element)))
}
