//! A name and a password in other protocols than XMPP: the same keys, the same patience, the same last word of the store.

use super::Server;
use super::throttle::Verdict;
use rookery_core::member::Member;
use rookery_core::xep::fast::Entrant;
use rookery_proto::Uid;
use rookery_proto::jid::NodePart;
use rookery_proto::sasl::{ChannelBindings, Credentials, Decoy, Exchange, Mechanism, Step};
use rookery_proto::sasl2::UserAgent;
use rookery_store::{LoginName, Proof};
use std::net::IpAddr;
use std::sync::Arc;

/// Why somebody is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is no such account, or the password is another, or the account is disabled.
    Wrong,
    /// Too many guesses came from there, or the store does not answer.
    Later,
}

impl Server {
    /// Who has this number or name and this password. What carried them was safe. It takes as long, and asks the store as often,
    /// where there is no such account.
    pub async fn check_password(
        &self,
        peer: IpAddr,
        user: &str,
        password: &str,
    ) -> Result<Arc<Member>, Refused> {
        let account = prepared(user);
        let now = || self.core.env.now();
        match self.throttle.judge(peer, &account, now()) {
            Verdict::Refused => return Err(Refused::Later),
            Verdict::After(wait) if wait.is_zero() => {}
            Verdict::After(wait) => tokio::time::sleep(wait).await,
        }
        let proven = self.prove(&account, user, password).await;
        // Guesses that ran beside this one have spent the address's patience: nothing is told.
        if self.throttle.judge(peer, &account, now()) == Verdict::Refused {
            return Err(Refused::Later);
        }
        let outcome = match proven {
            Ok((uid, credentials)) => self.admit(peer, uid, credentials).await,
            Err(refused) => Err(refused),
        };
        if outcome.as_ref().is_err_and(|refused| *refused == Refused::Wrong) {
            self.throttle.failed(peer, &account, now());
            metrics::counter!("rookery_auth_failures_total", "condition" => "not-authorized").increment(1);
            tracing::info!(%peer, "authentication failed");
        }
        outcome
    }

    /// Whose password it is.
    async fn prove(
        &self,
        account: &str,
        user: &str,
        password: &str,
    ) -> Result<(Uid, rookery_store::Credentials), Refused> {
        let name = match Uid::from_local(account) {
            Some(uid) => LoginName::Number(uid),
            None => LoginName::Name(account.to_owned()),
        };
        let found = self.core.store.login(name).await.map_err(|_| Refused::Later)?;
        let message = format!("\0{user}\0{password}");
        let start = Exchange::start(Mechanism::Plain, &ChannelBindings::default(), Some(message.as_bytes()));
        let (mut exchange, Step::NeedCredentials { .. }) = start else { return Err(Refused::Wrong) };
        let (key, iterations) = (self.core.secret.derive("decoy", &[]), self.core.policy.iterations);
        let work = move || {
            let credentials = found.as_ref().and_then(|(_, kept)| Credentials::from_bytes(&kept.0));
            let step = exchange.provide(credentials.as_ref(), "", Decoy { key: &key, iterations });
            (step, found)
        };
        match self.core.accounts.hasher().run(work).await.map_err(|_| Refused::Later)? {
            (Step::Success { .. }, Some(found)) => Ok(found),
            _ => Err(Refused::Wrong),
        }
    }

    async fn admit(
        &self,
        peer: IpAddr,
        uid: Uid,
        credentials: rookery_store::Credentials,
    ) -> Result<Arc<Member>, Refused> {
        let member = self.core.directory.member(uid).await.ok().flatten().ok_or(Refused::Later)?;
        if member.disabled {
            return Err(Refused::Wrong);
        }
        let (agent, proof) = (&UserAgent::default(), Proof::Password(credentials));
        let entrant = Entrant { uid, agent, peer, proof, used: None, request: None };
        match self.core.sign_in(entrant).await {
            Ok(_) => Ok(member),
            Err(error) if rookery_core::xep::fast::was_overtaken(&error) => Err(Refused::Wrong),
            Err(_) => Err(Refused::Later),
        }
    }
}

/// A name as accounts have it.
fn prepared(user: &str) -> String {
    NodePart::new(user).map_or_else(|_| user.to_owned(), |local| local.as_str().to_owned())
}
