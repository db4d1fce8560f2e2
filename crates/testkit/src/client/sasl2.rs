//! Signing in by the newer profile (XEP-0388), with a password or a token, and what comes along with it.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use rookery_proto::sasl::client::{self as sasl, Binding};
use rookery_proto::sasl::{ChannelBindings, Mechanism, TokenMechanism};

use super::auth::NONCE;
use super::{Client, Counters, escape, h};
use crate::ns;

/// What a stream has announced, by which a client notices that somebody shortens the offer (XEP-0474).
#[derive(Clone, Default)]
pub(super) struct Offer {
    classic: Vec<String>,
    sasl2: Vec<String>,
    bindings: ChannelBindings,
}

impl Offer {
    pub(super) fn of(features: &Element) -> Offer {
        let names = |list: &str, ns: &str| {
            let list = features.get_child(list, ns).into_iter().flat_map(Element::children);
            list.filter(|e| e.name() == "mechanism").map(Element::text).collect()
        };
        let kinds = features.get_child("sasl-channel-binding", ns::SASL_CB);
        let has =
            |name| kinds.is_some_and(|kinds| kinds.children().any(|kind| kind.attr("type") == Some(name)));
        Offer {
            classic: names("mechanisms", ns::SASL),
            sasl2: names("authentication", ns::SASL2),
            bindings: ChannelBindings {
                exporter: has("tls-exporter").then_some([0; 32]),
                server_end_point: has("tls-server-end-point").then(Vec::new),
            },
        }
    }

    pub(super) fn show(&self, exchange: &mut sasl::Client, newer: bool) {
        let list = if newer { &self.sasl2 } else { &self.classic };
        exchange.saw(&list.iter().map(String::as_str).collect::<Vec<_>>(), &self.bindings);
    }
}

impl Client {
    /// Open a stream as this user (RFC 6120 §4.7.1), and return the features it offers.
    pub async fn open_as(&mut self, user: &str) -> Result<Element> {
        let from = format!("{user}@{}", self.domain());
        self.stream.open(&self.domain, Some(&from)).await?;
        self.header().await?;
        self.features().await
    }

    /// Authenticate with a password; `inside` goes along, as XML. Gives `<success/>`, `<failure/>` or `<continue/>`; after
    /// the first the features are still to be read.
    pub async fn sasl2(
        &mut self,
        mechanism: Mechanism,
        user: &str,
        password: &str,
        binding: Binding,
        inside: &str,
    ) -> Result<Element> {
        let mut exchange = sasl::Client::new(mechanism, user, password, None, NONCE, binding)?;
        if let Some(offer) = &self.offer {
            offer.show(&mut exchange, true);
        }
        self.authenticate2(mechanism.name(), exchange.initial(), inside).await?;
        loop {
            let answer = self.recv().await?;
            ensure!(answer.has_ns(ns::SASL2), "not of this profile: {}", String::from(&answer));
            let decoded = BASE64.decode(answer.text()).unwrap_or_default();
            match answer.name() {
                "challenge" => {
                    let response = BASE64.encode(exchange.respond(&decoded)?);
                    self.send_uncounted(&format!("<response xmlns='{}'>{response}</response>", ns::SASL2))
                        .await?;
                }
                "success" | "continue" => {
                    exchange.finish(additional(&answer).as_deref())?;
                    self.entered(&answer).await?;
                    return Ok(answer);
                }
                _ => return Ok(answer),
            }
        }
    }

    /// The same with a token (XEP-0484 §3.4). `<fast/>` is added where `inside` has none.
    pub async fn sasl2_token(
        &mut self,
        mechanism: TokenMechanism,
        user: &str,
        token: &str,
        bindings: &ChannelBindings,
        inside: &str,
    ) -> Result<Element> {
        let initial = mechanism.initial(user, token, bindings).context("there is no such binding")?;
        let fast = if inside.contains("<fast") { "" } else { "<fast xmlns='urn:xmpp:fast:0'/>" };
        self.authenticate2(mechanism.name(), &initial, &format!("{inside}{fast}")).await?;
        let answer = self.recv().await?;
        if answer.is("success", ns::SASL2) {
            ensure!(additional(&answer) == mechanism.answer(token, bindings), "the server has not the token");
            self.entered(&answer).await?;
        }
        Ok(answer)
    }

    async fn authenticate2(&mut self, mechanism: &str, initial: &[u8], inside: &str) -> Result<()> {
        let initial = BASE64.encode(initial);
        let ns = ns::SASL2;
        self.send_uncounted(&format!(
            "<authenticate xmlns='{ns}' mechanism='{mechanism}'><initial-response>{initial}</initial-response>{inside}</authenticate>"
        ))
        .await
    }

    /// Takes note of what came with success: an address, stream management, a session that goes on.
    async fn entered(&mut self, success: &Element) -> Result<()> {
        let address = success.get_child("authorization-identifier", ns::SASL2).map(Element::text);
        if let Some(address) = address.filter(|address| address.contains('/')) {
            self.jid = Some(address);
        }
        if let Some(bound) = success.get_child("bound", ns::BIND2)
            && let Some(enabled) = bound.get_child("enabled", ns::SM)
        {
            self.counters = Some(Counters::new(enabled.attr("id").map(str::to_owned)));
        }
        let Some(resumed) = success.get_child("resumed", ns::SM) else { return Ok(()) };
        let counters = self.counters.as_mut().context("no session was restored")?;
        counters.acknowledge(h(resumed)?)?;
        for again in &counters.unacknowledged {
            self.stream.write(again).await?;
        }
        Ok(())
    }

    /// The request to resume the restored session, to go along with authentication.
    pub fn resume_request(&self) -> Result<String> {
        let counters = self.counters.as_ref().context("no session was restored")?;
        let id = counters.id.as_deref().context("the session is not resumable")?;
        Ok(format!("<resume xmlns='{}' previd='{}' h='{}'/>", ns::SM, escape(id), counters.handled))
    }

    /// The next element, which must be the stream's features.
    pub async fn features(&mut self) -> Result<Element> {
        let features = self.expect("stream features", |element| element.is("features", ns::STREAM)).await?;
        self.offer = Some(Offer::of(&features));
        Ok(features)
    }
}

/// The mechanism's own data in `<success/>` or `<continue/>`.
fn additional(answer: &Element) -> Option<Vec<u8>> {
    BASE64.decode(answer.get_child("additional-data", ns::SASL2)?.text()).ok()
}

/// The condition of a `<failure/>`; an error if it is none.
pub fn failure(answer: &Element) -> Result<&str> {
    if !answer.is("failure", ns::SASL2) {
        bail!("not a failure: {}", String::from(answer));
    }
    answer.children().find(|e| e.has_ns(ns::SASL)).map(Element::name).context("no condition")
}

/// The token in a `<success/>`, and its expiry.
pub fn token(success: &Element) -> Result<(String, String)> {
    let token = success.get_child("token", ns::FAST).context("there is no token")?;
    let attr = |name| token.attr(name).map(str::to_owned).context("it lacks an attribute");
    Ok((attr("token")?, attr("expiry")?))
}
