//! A SASL exchange with a password, in either profile: what was offered, how patient we are, whose keys, and the steps
//! until somebody is proven to be who they say.

use super::{Carrier, Negotiation, Result, Stop, error};
use crate::net::throttle::Verdict;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_core::member::Member;
use rookery_core::xep::fast;
use rookery_proto::jid::{Jid, NodePart};
use rookery_proto::sasl::{Condition, Credentials, Decoy, Exchange, Mechanism, Step, decode};
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns, prepared};
use rookery_store::{LoginName, Proof, StoreError, Token};
use std::borrow::Cow;
use std::sync::Arc;

/// The two ways in which SASL travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Profile {
    /// RFC 6120 §6.
    Classic,
    /// XEP-0388.
    Sasl2,
}

impl Profile {
    pub(super) fn ns(self) -> &'static str {
        match self {
            Profile::Classic => ns::SASL,
            Profile::Sasl2 => ns::SASL2,
        }
    }
}

/// Somebody who is who they say, and may come in.
pub(super) struct Proven {
    pub(super) member: Arc<Member>,
    /// What the mechanism says along with success.
    pub(super) data: Option<Vec<u8>>,
    pub(super) proof: Proof,
    /// The token that was used.
    pub(super) used: Option<Token>,
}

/// An authentication that failed, and the account that it was a guess at.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) condition: Condition,
    pub(super) account: Option<String>,
}

impl From<Condition> for Refusal {
    fn from(condition: Condition) -> Refusal {
        Refusal { condition, account: None }
    }
}

/// An account as it was found for somebody who wants to sign in.
pub(super) type Found = Option<(Uid, rookery_store::Credentials)>;

impl<S: Carrier> Negotiation<S> {
    pub(super) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + use<S> {
        let bound = self.bindings.offered();
        let any = self.may_authenticate();
        Mechanism::ALL.into_iter().filter(move |m| any && (!m.is_bound() || bound))
    }

    /// What is said of a mechanism that was not offered here.
    pub(super) fn not_offered(&self) -> Condition {
        if self.may_authenticate() { Condition::InvalidMechanism } else { Condition::EncryptionRequired }
    }

    /// Goes through the exchange, from the client's first message (if it came along) to the end.
    pub(super) async fn exchange(
        &mut self,
        profile: Profile,
        mechanism: &str,
        initial: Option<Vec<u8>>,
    ) -> Result<Result<Proven, Refusal>> {
        let Some(mechanism) = self.mechanisms().find(|m| m.name() == mechanism) else {
            return Ok(Err(self.not_offered().into()));
        };
        let (mut exchange, mut step) = Exchange::start(mechanism, &self.bindings, initial.as_deref());
        exchange.announce(&self.mechanisms().map(Mechanism::name).collect::<Vec<_>>());
        let (mut account, mut found) = (None, None);
        loop {
            let verdict = account.as_deref().map(|user| self.judge(user));
            step = match step {
                // Guesses that ran beside this one have spent the address's patience: nothing is told.
                Step::Failure(_) | Step::Success { .. } if verdict == Some(Verdict::Refused) => {
                    return Ok(Err(Condition::TemporaryAuthFailure.into()));
                }
                Step::NeedCredentials { user } => {
                    let next;
                    (exchange, next, found) = match self.look_up(&user).await {
                        Ok(found) => self.provide(exchange, found).await?,
                        Err(condition) => return Ok(Err(condition.into())),
                    };
                    account = Some(user);
                    next
                }
                Step::Challenge(bytes) => {
                    self.challenge(profile, &bytes).await?;
                    self.asked = account.is_some();
                    self.response(profile, &mut exchange).await?
                }
                Step::Failure(condition) => return Ok(Err(Refusal { condition, account })),
                Step::Success { authzid, data, .. } => {
                    return Ok(match self.admit(found, authzid).await {
                        Ok((member, proof)) => Ok(Proven { member, data, proof, used: None }),
                        Err(condition) => Err(Refusal { condition, account }),
                    });
                }
            };
        }
    }

    fn judge(&self, user: &str) -> Verdict {
        self.server.throttle.judge(self.peer, &prepared(user), self.server.core.env.now())
    }

    async fn challenge(&mut self, profile: Profile, bytes: &[u8]) -> Result<()> {
        let mut x = Xml::new();
        x.open_ns("challenge", profile.ns()).text(&BASE64_STANDARD.encode(bytes)).close();
        self.send(&x.into_vec()).await
    }

    async fn response(&mut self, profile: Profile, exchange: &mut Exchange) -> Result<Step> {
        let answer = self.element().await?;
        if answer.is(profile.ns(), "abort") {
            return Ok(Step::Failure(Condition::Aborted));
        }
        if !answer.is(profile.ns(), "response") {
            return error("not-authorized");
        }
        self.asked = false;
        Ok(decode(&answer.text()).map_or_else(Step::Failure, |bytes| exchange.respond(&bytes)))
    }

    /// The account that somebody names, when it is their turn: one query, whether there is such an account or not.
    pub(super) async fn look_up(&mut self, user: &str) -> Result<Found, Condition> {
        match self.judge(user) {
            Verdict::Refused => return Err(Condition::TemporaryAuthFailure),
            Verdict::After(wait) if wait.is_zero() => {}
            Verdict::After(wait) => tokio::time::sleep(wait).await,
        }
        let prepared = prepared(user);
        let name = match Uid::from_local(&prepared) {
            Some(uid) => LoginName::Number(uid),
            None => LoginName::Name(prepared.into_owned()),
        };
        self.server.core.store.login(name).await.map_err(|_| Condition::TemporaryAuthFailure)
    }

    /// Goes on with the account's keys, or with a decoy's where there is no such account; hashing runs where it may
    /// take its time.
    async fn provide(&mut self, mut exchange: Exchange, found: Found) -> Result<(Exchange, Step, Found)> {
        let core = self.server.core.clone();
        let nonce = BASE64_STANDARD.encode(core.env.bytes::<18>());
        let costly = exchange.is_costly();
        let key = core.secret.derive("decoy", &[]);
        let iterations = core.policy.iterations;
        let work = move || {
            let credentials = found.as_ref().and_then(|(_, kept)| Credentials::from_bytes(&kept.0));
            let step = exchange.provide(credentials.as_ref(), &nonce, Decoy { key: &key, iterations });
            (exchange, step, found)
        };
        if !costly {
            return Ok(work());
        }
        core.accounts.hasher().run(work).await.map_err(|_| Stop::Gone)
    }

    /// The password was right: what remains is who the client wants to be (RFC 6120 §6.3.8), and whether it may.
    async fn admit(&self, found: Found, authzid: Option<String>) -> Result<(Arc<Member>, Proof), Condition> {
        let (uid, credentials) = found.ok_or(Condition::NotAuthorized)?;
        let member = self.member(uid).await?;
        if let Some(authzid) = authzid.filter(|id| !id.is_empty()) {
            let jid = prepared::jid(&authzid).ok().filter(|jid| jid.resource().is_none());
            if !self.is_of(&member, jid.as_ref()).await {
                return Err(Condition::InvalidAuthzid);
            }
        }
        Ok((member, Proof::Password(credentials)))
    }

    /// The account, if it may be used, by who the stream's header says it comes from (RFC 6120 §4.7.1).
    pub(super) async fn member(&self, uid: Uid) -> Result<Arc<Member>, Condition> {
        let member = self.server.core.directory.member(uid).await.ok().flatten();
        let member = member.ok_or(Condition::TemporaryAuthFailure)?;
        if member.disabled {
            return Err(Condition::AccountDisabled);
        }
        match &self.from {
            Some(from) if !self.is_of(&member, Some(from)).await => Err(Condition::InvalidAuthzid),
            _ => Ok(member),
        }
    }

    /// Whether an address is one of the account's.
    pub(super) async fn is_of(&self, member: &Member, jid: Option<&Jid>) -> bool {
        let Some(jid) = jid else { return false };
        self.server.core.canonical(jid.to_bare()).await.is_ok_and(|address| address == member.address)
    }

    /// Says that an authentication failed, and counts it where it was a guess.
    pub(super) async fn fail(&mut self, profile: Profile, refusal: Refusal) -> Result<()> {
        let Refusal { condition, account } = refusal;
        // Only what was a guess counts: not what was refused unseen, nor what the store could not answer.
        let guessed = !matches!(condition, Condition::Aborted | Condition::TemporaryAuthFailure);
        if let Some(account) = account.filter(|_| guessed) {
            self.server.throttle.failed(self.peer, &prepared(&account), self.server.core.env.now());
        }
        self.count_abandoned();
        metrics::counter!("rookery_auth_failures_total", "condition" => condition.name()).increment(1);
        tracing::info!(peer = %self.peer, reason = condition.name(), "authentication failed");
        let mut x = Xml::new();
        x.open_ns("failure", profile.ns());
        match profile {
            Profile::Classic => x.leaf(condition.name()),
            // XEP-0388 §2.6.2: the conditions are those of RFC 6120, in their own namespace.
            Profile::Sasl2 => x.leaf_ns(condition.name(), ns::SASL),
        };
        if condition == Condition::TemporaryAuthFailure {
            x.open("text")
                .attr("xml:lang", "en")
                .text("This is not possible at the moment. Try again in a few minutes.")
                .close();
        }
        x.close();
        self.send(&x.into_vec()).await?;
        self.failures += 1;
        // RFC 6120 §6.4.5: a bound on retries.
        if self.failures >= rookery_core::limits::AUTH_TRIES { error("policy-violation") } else { Ok(()) }
    }

    /// A challenge says something of the account that it is for: who asks for it and goes has made a guess too.
    pub(super) fn count_abandoned(&mut self) {
        if std::mem::take(&mut self.asked) {
            self.server.throttle.abandoned(self.peer, self.server.core.env.now());
        }
    }
}

/// What the store's last word on a sign-in means to the client.
pub(super) fn overtaken(error: &StoreError) -> Condition {
    if fast::was_overtaken(error) { Condition::NotAuthorized } else { Condition::TemporaryAuthFailure }
}

/// A user name as it is compared, so that other spellings of one account's name are guesses at the same account.
fn prepared(user: &str) -> Cow<'_, str> {
    match NodePart::new(user) {
        Ok(local) => Cow::Owned(local.as_str().to_owned()),
        Err(_) => Cow::Borrowed(user),
    }
}

/// The element in which a client begins an exchange.
pub(super) fn begins(element: &Stanza) -> Option<Profile> {
    if element.is(ns::SASL, "auth") {
        Some(Profile::Classic)
    } else if element.is(ns::SASL2, "authenticate") {
        Some(Profile::Sasl2)
    } else {
        None
    }
}
