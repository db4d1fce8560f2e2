//! One-time links: for the first administrator, and for who has lost the password. Whoever has one needs nothing else.

use super::{AccountError, Accounts, By, Wanted};
use crate::router::Sessions;
use crate::{Core, limits};
use rookery_proto::Uid;
use rookery_proto::stream::{StreamError, Why};
use rookery_store::{Account, LinkHash, LinkPurpose, PushId, Timestamp};
use sha2::{Digest, Sha256};

/// A link as it is given to somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrantedLink {
    /// What it takes. It is nowhere kept.
    pub token: String,
    /// The page of the messenger that asks for the rest, below the address at which it is served. The token stands behind the
    /// `#`, which browsers do not send, so that no log on the way has it.
    pub path: String,
    /// The same with the address that the outside reaches us by, where there is one.
    pub page: Option<String>,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl Accounts {
    /// Makes a link that is handed over by a person; an earlier one for the same purpose is not good any more.
    pub async fn grant(&self, purpose: LinkPurpose) -> Result<GrantedLink, AccountError> {
        self.grant_for(purpose, limits::LINK_MS).await
    }

    /// The same, for a link that goes by mail.
    pub async fn grant_mailed(&self, purpose: LinkPurpose) -> Result<GrantedLink, AccountError> {
        self.grant_for(purpose, limits::MAILED_LINK_MS).await
    }

    async fn grant_for(&self, purpose: LinkPurpose, time: i64) -> Result<GrantedLink, AccountError> {
        let token = self.env.token();
        let expires = Timestamp(self.env.now().0 + time);
        self.store.create_link(link_hash(&token), purpose, expires).await?;
        let path = match purpose {
            LinkPurpose::Administrator => format!("/#/welcome/{token}"),
            LinkPurpose::Recovery(_) => format!("/#/recover/{token}"),
        };
        let page = self.public_url.as_ref().map(|base| format!("{base}{path}"));
        Ok(GrantedLink { token, path, page, expires })
    }

    /// What a link is good for now. [`AccountError::Link`]: for nothing.
    pub async fn granted(&self, token: &str) -> Result<LinkPurpose, AccountError> {
        let purpose = self.store.link(link_hash(token), self.env.now()).await?;
        purpose.ok_or(AccountError::Link)
    }

    /// Uses a link up to make an account that administers the server, with a welcome in its log.
    pub async fn begin(&self, token: &str, wanted: Wanted) -> Result<Account, AccountError> {
        // Nobody else has us hash anything.
        if self.granted(token).await? != LinkPurpose::Administrator {
            return Err(AccountError::Link);
        }
        let new = self.prepare(wanted, By::Operator, self.iterations).await?;
        let made = self.store.use_administrator_link(link_hash(token), self.env.now(), new).await;
        let account = made.map_err(not_good)?;
        self.welcome_if_possible(&account, false).await;
        Ok(account)
    }

    /// Uses a link up to set a password; whose it was, and the registrations for push that are gone. Their sessions are still
    /// there: see [`Core::recover`].
    async fn recover(
        &self,
        token: &str,
        password: String,
        here: Option<Vec<String>>,
    ) -> Result<(Uid, Vec<PushId>), AccountError> {
        let credentials = self.derive(password, self.iterations).await?;
        let now = self.env.now();
        self.store.use_recovery_link(link_hash(token), now, credentials, here).await.map_err(not_good)
    }
}

impl Core {
    /// Uses a link up to set a password. Everybody who was signed in to the account is signed out, whoever it was; with `keep`
    /// those stay who are connected, and need the new password when they come again.
    pub async fn recover(&self, token: &str, password: String, keep: bool) -> Result<Uid, AccountError> {
        let LinkPurpose::Recovery(uid) = self.accounts.granted(token).await? else {
            return Err(AccountError::Link);
        };
        let resources = || self.router.sessions(uid).iter().map(|it| it.resource().to_owned()).collect();
        let (uid, gone) = self.accounts.recover(token, password, keep.then(resources)).await?;
        self.pushes.forget(&gone);
        self.directory.changed(uid);
        let leaving = if keep { Sessions::default() } else { self.router.sessions(uid) };
        for session in leaving {
            let why = StreamError::signed_out(Why::Password, "This account has a new password.");
            self.end(&session, Some(why)).await;
        }
        Ok(uid)
    }
}

/// Somebody else was quicker.
fn not_good(error: rookery_store::StoreError) -> AccountError {
    match AccountError::from(error) {
        AccountError::NotFound => AccountError::Link,
        other => other,
    }
}

/// What is kept of a token.
fn link_hash(token: &str) -> LinkHash {
    LinkHash(Sha256::digest(token.trim()).into())
}
