//! Authentication as XEP-0388 has it, with all that may be asked for along with it: everything in one round trip, and the
//! stream goes on.

use super::exchange::{Profile, Proven, Refusal, overtaken};
use super::{Carrier, Negotiation, Result};
use rookery_core::env::stamp;
use rookery_core::member::Member;
use rookery_core::xep::fast::{Checked, Entrant, Issued};
use rookery_proto::sasl::{Condition, TokenMechanism, TokenProof};
use rookery_proto::sasl2::{self, Authenticate, Fast};
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use rookery_store::Proof;
use std::sync::Arc;

impl<S: Carrier> Negotiation<S> {
    /// One authentication (§2.3): the account, or nothing when it failed and may be tried again.
    pub(super) async fn sasl2(&mut self, element: &Stanza) -> Result<Option<Arc<Member>>> {
        let outcome = match Authenticate::parse(element) {
            Ok(asked) => self.enter(asked).await?,
            Err(condition) => Err(condition.into()),
        };
        match outcome {
            Ok(member) => Ok(Some(member)),
            Err(refusal) => self.fail(Profile::Sasl2, refusal).await.map(|()| None),
        }
    }

    async fn enter(&mut self, asked: Authenticate) -> Result<Result<Arc<Member>, Refusal>> {
        let request = match &asked.request_token {
            None => None,
            // XEP-0484 §3.2: one of those that were advertised.
            Some(name) => match self.tokens().find(|m| m.name() == name) {
                None => return Ok(Err(Condition::MalformedRequest.into())),
                mechanism => mechanism,
            },
        };
        let proven = match &asked.fast {
            Some(fast) => self.token(&asked, fast).await,
            None => self.exchange(Profile::Sasl2, &asked.mechanism, asked.initial.clone()).await?,
        };
        let mut proven = match proven {
            Ok(proven) => proven,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.upgrade(&asked.upgrades, &mut proven).await? {
            return Ok(Err(refusal));
        }
        let entrant = Entrant {
            uid: proven.member.uid,
            agent: &asked.agent,
            peer: self.peer,
            proof: proven.proof.clone(),
            used: proven.used.as_ref(),
            request,
        };
        let entered = match self.server.core.sign_in(entrant).await {
            Ok(entered) => entered,
            Err(error) => return Ok(Err(overtaken(&error).into())),
        };
        self.installation = entered.installation;
        self.succeed(&asked, proven, entered.issued).await
    }

    /// The mechanisms with a token that are offered here.
    pub(super) fn tokens(&self) -> impl Iterator<Item = TokenMechanism> + use<S> {
        let any = self.may_authenticate();
        TokenMechanism::offered(&self.bindings).filter(move |_| any)
    }

    /// The client has a token (XEP-0484 §3.4): one message, and the answer goes along with success.
    async fn token(&mut self, asked: &Authenticate, fast: &Fast) -> Result<Proven, Refusal> {
        let mechanism = self.tokens().find(|m| m.name() == asked.mechanism);
        let mechanism = mechanism.ok_or_else(|| self.not_offered())?;
        let (Some(message), Some(agent)) = (&asked.initial, &asked.agent.id) else {
            return Err(Condition::MalformedRequest.into());
        };
        let shown = TokenProof::parse(message)?;
        let guess = |condition| Refusal { condition, account: Some(shown.user.clone()) };
        let found = self.look_up(&shown.user).await?;
        let uid = found.map(|(uid, _)| uid);
        let core = self.server.core.clone();
        let checked = core.check_token(uid, agent, mechanism, &shown, &self.bindings).await;
        let (token, answer) = match checked.map_err(|_| Condition::TemporaryAuthFailure)? {
            Checked::Right { token, answer } => (token, answer),
            Checked::Expired => return Err(Condition::CredentialsExpired.into()),
            Checked::Wrong => return Err(guess(Condition::NotAuthorized)),
        };
        let uid = uid.ok_or(Condition::NotAuthorized)?;
        let member = self.member(uid).await?;
        let proof = Proof::Token { seed: token.seed, count: fast.count, invalidate: fast.invalidate };
        Ok(Proven { member, data: Some(answer), proof, used: Some(token) })
    }

    /// Gives the client what it asked for, and tells it (§2.6.1). A session that is resumed has its resource already
    /// (XEP-0386 §3.2).
    async fn succeed(
        &mut self,
        asked: &Authenticate,
        proven: Proven,
        issued: Option<Issued>,
    ) -> Result<Result<Arc<Member>, Refusal>> {
        let member = proven.member;
        self.is_there().await?;
        let mut x = Xml::new();
        if let Some(resume) = &asked.resume {
            x.raw(&self.resume(&member, &resume.previd, resume.h).await);
        }
        if let Some(bind) = asked.bind.as_ref().filter(|_| self.session.is_none()) {
            let core = self.server.core.clone();
            match core.bind2(&member, self.installation, bind).await {
                Ok((session, bound)) => {
                    self.begin(session);
                    x.raw(&bound);
                }
                Err(_) => return Ok(Err(Condition::TemporaryAuthFailure.into())),
            }
        }
        if let Some(Issued { token, expires }) = issued {
            sasl2::write_token(&mut x, &token, &stamp(expires));
        }
        let address = match &self.session {
            Some(session) => session.jid.to_string(),
            None => member.address.to_string(),
        };
        tracing::info!(uid = member.uid.0, peer = %self.peer, mechanism = asked.mechanism, "signed in");
        self.authenticated()?;
        self.say(&sasl2::success(proven.data.as_deref(), &address, &x.into_vec()))?;
        self.offer_authenticated().await?;
        Ok(Ok(member))
    }
}
