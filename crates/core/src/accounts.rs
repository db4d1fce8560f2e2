//! Making and changing accounts: the same for who signs up with a client, for the operator's commands and for imports.

mod invites;
mod links;

pub use invites::{Links, invite_hash, percent_encoded};
pub use links::GrantedLink;

use crate::announce::{letter, said};
use crate::env::Env;
use crate::member::primary_address;
use crate::muc::requests;
use crate::xep::pep::{Config, Known};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::name::{Name, NameError};
use rookery_proto::ns;
use rookery_proto::prepared;
use rookery_proto::sasl::{Credentials, PasswordError};
use rookery_proto::xml::Xml;
use rookery_store::{
    Account, Flags, Item, NewAccount, Node, NoticeKind, Party, Primary, PushId, Removal, Shown, SignedUp,
    Store, StoreError, Timestamp,
};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Hashes passwords beside the runtime, so many at a time and no more: a crowd at the door must not take all cores.
#[derive(Clone)]
pub struct Hasher {
    turns: Arc<Semaphore>,
    at_once: usize,
}

impl Hasher {
    /// A hasher that works on `at_once` passwords at a time.
    pub fn new(at_once: usize) -> Hasher {
        Hasher { turns: Arc::new(Semaphore::new(at_once)), at_once }
    }

    /// Does the work when it is its turn. [`StoreError::Closed`]: the server ends.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let _turn = self.turns.acquire().await.map_err(|_| StoreError::Closed)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)
    }
}

/// Why an account was not made or changed. The text says it to the person who asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AccountError {
    /// It is no name, or a reserved one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Somebody has the name.
    #[error("the name is taken")]
    Taken,
    /// It is no password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The invitation is unknown, expired or used up.
    #[error("the invitation is not valid: it is unknown, expired or used up")]
    Invite,
    /// The one-time link is unknown, expired or used.
    #[error("the link is not valid: it was used, or its time is over, or there is a newer one")]
    Link,
    /// It is no nickname.
    #[error("a nickname has no control characters")]
    Nick,
    /// The invitation is for an account of this name.
    #[error("the invitation is for the name {0}")]
    Meant(String),
    /// The address is at another domain.
    #[error("the address is not at {0}")]
    Elsewhere(String),
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The store failed.
    #[error("the store could not do it: {0}")]
    Store(StoreError),
}

/// Whether a character has no place in a name that people are shown, and that stands in documents of XML.
pub fn is_odd(c: char) -> bool {
    c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}')
}

impl AccountError {
    /// The text as a sentence of its own.
    pub fn sentence(&self) -> String {
        let text = self.to_string();
        let mut characters = text.chars();
        characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).chain(['.']).collect()
    }
}

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> AccountError {
        match error {
            StoreError::Conflict => AccountError::Taken,
            StoreError::InvalidInvite => AccountError::Invite,
            StoreError::NotFound => AccountError::NotFound,
            other => AccountError::Store(other),
        }
    }
}

impl From<AccountError> for StanzaError {
    /// XEP-0077 §3.1: `conflict` for a name that is not to be had, `not-acceptable` for what cannot be.
    fn from(error: AccountError) -> StanzaError {
        let said = error.sentence();
        let condition = match error {
            AccountError::Taken | AccountError::Name(NameError::Reserved) => StanzaError::conflict(),
            AccountError::Name(_)
            | AccountError::Password(_)
            | AccountError::Elsewhere(_)
            | AccountError::Nick
            | AccountError::Meant(_) => StanzaError::not_acceptable(),
            AccountError::Invite => StanzaError::not_allowed(),
            AccountError::NotFound | AccountError::Link => StanzaError::item_not_found(),
            AccountError::Store(error) => return crate::store_error(error),
        };
        condition.text(said)
    }
}

/// What an account is told that waits for approval.
const WAITS: &str = "An administrator looks at new accounts. Until yours is approved you can talk to administrators only. You \
                     are told when it is.";

/// Who wants an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The operator, who may give reserved names.
    Operator,
    /// Somebody for themselves.
    Themselves,
}

/// An account that is asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The name before the `@`, which becomes the address; without one the number is the address.
    pub name: Option<String>,
    /// The nickname.
    pub nick: Option<String>,
    /// The password.
    pub password: String,
    /// An invitation, which is used up.
    pub invite: Option<Shown>,
}

/// Makes and changes accounts.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    env: Env,
    domain: String,
    /// The host that groups live at.
    groups: String,
    /// Where browsers reach us, as `https://example.org`.
    public_url: Option<String>,
    iterations: u32,
    hasher: Hasher,
}

/// What a new account's node of the nickname begins with (XEP-0172 §4.1), so that contacts see it before any client publishes
/// it.
fn nick_item(nick: &str, at: Timestamp) -> (Node, Item) {
    let node = Known::new(ns::NICK, Config::of(ns::NICK)).node;
    let mut x = Xml::new();
    x.open_ns("nick", ns::NICK).text(nick).close();
    (node, Item { id: "current".to_owned(), at, publisher: String::new(), payload: x.into_vec().into() })
}

impl Accounts {
    /// The accounts at `domain`; new passwords are hashed with so many rounds.
    pub fn new(store: Store, env: Env, domain: String, iterations: u32, hasher: Hasher) -> Accounts {
        let groups = format!("groups.{domain}");
        Accounts { store, env, domain, groups, public_url: None, iterations, hasher }
    }

    /// The same, for a server whose groups live at this host.
    pub fn with_groups_at(self, groups: String) -> Accounts {
        Accounts { groups, ..self }
    }

    /// The same, for a server that browsers reach at `public_url`.
    pub fn reached_at(self, public_url: Option<String>) -> Accounts {
        Accounts { public_url, ..self }
    }

    /// Hashes passwords for whoever must wait for its turn as well.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// The domain that accounts live at.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The host that groups live at.
    pub fn groups(&self) -> &str {
        &self.groups
    }

    /// The accounts' address, as it binds.
    pub fn address(&self, account: &Account) -> BareJid {
        primary_address(account, &self.domain)
    }

    /// Makes an account, and leaves a welcome in its log.
    pub async fn create(&self, wanted: Wanted, by: By) -> Result<Account, AccountError> {
        Ok(self.sign_up(wanted, by, false).await?.account)
    }

    /// The same, with what an invitation brings besides. Whoever calls it tells the sessions ([`crate::Core::sign_up`]).
    /// With `waits` the account waits for an administrator's approval, and is told so.
    pub async fn sign_up(&self, wanted: Wanted, by: By, waits: bool) -> Result<SignedUp, AccountError> {
        let new = self.prepare(wanted, by, self.iterations).await?;
        let items = new.nick.iter().map(|nick| nick_item(nick, new.created)).collect();
        let done = self.store.sign_up(new, items, self.domain.clone(), waits).await?;
        self.welcome_if_possible(&done.account, waits).await;
        Ok(done)
    }

    /// The account is made: that the welcome is missing must not look as if it were not.
    async fn welcome_if_possible(&self, account: &Account, waits: bool) {
        if let Err(error) = self.welcome(account, waits).await {
            tracing::warn!(uid = %account.uid, %error, "the welcome could not be stored");
        }
    }

    /// Makes many accounts, without a welcome; the answers are in the order given. `iterations` other than the usual are
    /// for load tests.
    pub async fn import(
        &self,
        wanted: Vec<Wanted>,
        iterations: Option<u32>,
    ) -> Result<Vec<Result<Account, AccountError>>, AccountError> {
        let prepared = self.prepare_all(wanted, iterations.unwrap_or(self.iterations)).await?;
        let (mut new, mut outcomes) = (Vec::new(), Vec::new());
        for one in prepared {
            outcomes.push(one.map(|account| new.push(account)));
        }
        let mut made = self.store.import_accounts(new).await?.into_iter();
        let mut next = || made.next().unwrap_or(Err(StoreError::Internal)).map_err(AccountError::from);
        Ok(outcomes.into_iter().map(|outcome| outcome.and_then(|()| next())).collect())
    }

    /// Prepares as many at once as are hashed at once.
    async fn prepare_all(
        &self,
        mut wanted: Vec<Wanted>,
        iterations: u32,
    ) -> Result<Vec<Result<NewAccount, AccountError>>, AccountError> {
        let share = wanted.len().div_ceil(self.hasher.at_once).max(1);
        let mut parts: Vec<JoinHandle<Vec<_>>> = Vec::new();
        while !wanted.is_empty() {
            let part: Vec<Wanted> = wanted.drain(..share.min(wanted.len())).collect();
            let accounts = self.clone();
            parts.push(tokio::spawn(async move {
                let mut prepared = Vec::with_capacity(part.len());
                for one in part {
                    prepared.push(accounts.prepare(one, By::Operator, iterations).await);
                }
                prepared
            }));
        }
        let mut prepared = Vec::new();
        for part in parts {
            prepared.extend(part.await.map_err(|_| StoreError::Closed)?);
        }
        Ok(prepared)
    }

    /// Everything that can be refused is refused before the password is hashed.
    async fn prepare(&self, wanted: Wanted, by: By, iterations: u32) -> Result<NewAccount, AccountError> {
        let meant = match wanted.invite {
            Some(shown) => self.check_invite(shown).await?.offer.name,
            None => None,
        };
        let read = match by {
            By::Operator => Name::new,
            // Who may give reserved names has chosen this one.
            By::Themselves if meant.is_some() => Name::new,
            By::Themselves => Name::for_registration,
        };
        let given = wanted.name.as_deref().map(read).transpose()?.map(Name::into_string);
        let name = match (given, meant) {
            (Some(given), Some(meant)) if given != meant => return Err(AccountError::Meant(meant)),
            (given, meant) => given.or(meant),
        };
        if wanted.nick.as_ref().is_some_and(|nick| nick.contains(is_odd)) {
            return Err(AccountError::Nick);
        }
        if let Some(name) = &name
            && self.store.account_by_name(name).await?.is_some()
        {
            return Err(AccountError::Taken);
        }
        Ok(NewAccount {
            primary: if name.is_some() { Primary::Name } else { Primary::Number },
            name,
            nick: wanted.nick.filter(|nick| !nick.is_empty()),
            credentials: self.derive(wanted.password, iterations).await?,
            created: self.env.now(),
            epoch: u32::from_le_bytes(self.env.bytes()),
            invite: wanted.invite,
        })
    }

    async fn derive(
        &self,
        password: String,
        iterations: u32,
    ) -> Result<rookery_store::Credentials, AccountError> {
        let salts = [self.env.bytes(), self.env.bytes(), self.env.bytes()];
        let derived = self.hasher.run(move || Credentials::derive(&password, &salts, iterations)).await??;
        Ok(rookery_store::Credentials(derived.to_bytes()))
    }

    /// Changes the password. Clients that are in no list, nor among the resources that are `here`, lose their registrations for
    /// push: which those were.
    pub async fn set_password(
        &self,
        uid: Uid,
        password: String,
        here: Vec<String>,
    ) -> Result<Vec<PushId>, AccountError> {
        let credentials = self.derive(password, self.iterations).await?;
        Ok(self.store.set_credentials(uid, credentials, here).await?)
    }

    /// Deletes an account and all that is its own. Subscriptions end on both sides first: whoever takes the name next must
    /// not inherit them. `ended` is told of each contact here and what it lost, after its commit.
    pub async fn delete(
        &self,
        account: &Account,
        mut ended: impl FnMut(Uid, Removal),
    ) -> Result<(), AccountError> {
        let party = Party { uid: Some(account.uid), jid: self.address(account) };
        for (jid, state) in self.store.contacts(account.uid).await? {
            if state.farewell().next().is_none() {
                continue;
            }
            let uid = match self.find(jid.as_str()).await {
                Ok(contact) => Some(contact.uid),
                Err(AccountError::Store(error)) => return Err(AccountError::Store(error)),
                Err(_) => None,
            };
            let removal = self.store.roster_remove(party.clone(), Party { uid, jid }).await?;
            if let Some(uid) = uid {
                ended(uid, removal);
            }
        }
        self.store.forget_affiliate(&party.jid).await?;
        self.store.forget_group_affiliate(&party.jid, &requests::node().name).await?;
        Ok(self.store.delete_account(account.uid).await?)
    }

    /// The account of a number, a name or an address, as a person writes it.
    pub async fn find(&self, text: &str) -> Result<Account, AccountError> {
        let (local, domain) = text.split_once('@').unwrap_or((text, &self.domain));
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return Err(AccountError::Elsewhere(self.domain.clone()));
        }
        let account = match Uid::from_local(local) {
            Some(uid) => self.store.account(uid).await?,
            None => match prepared::node(local) {
                Ok(name) => self.store.account_by_name(&name).await?,
                Err(_) => None,
            },
        };
        account.ok_or(AccountError::NotFound)
    }

    /// The name that the operator asks for with a name or an address; none for an empty one.
    pub fn name_of(&self, address: &str) -> Result<Option<String>, AccountError> {
        let (local, domain) = address.split_once('@').unwrap_or((address, &self.domain));
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return Err(AccountError::Elsewhere(self.domain.clone()));
        }
        Ok(Some(local.to_owned()).filter(|local| !local.is_empty()))
    }

    /// Tells a new account its address and its number: a message of the server, kept like any other.
    async fn welcome(&self, account: &Account, waits: bool) -> Result<(), StoreError> {
        let address = self.address(account);
        let text = match account.primary {
            Primary::Number => {
                format!("Welcome! Your address is {address}. Give it to the people you want to talk to.")
            }
            Primary::Name => format!(
                "Welcome! Your address is {address}. Your number is {uid}: people reach you as {uid}@{domain} too, and \
                 you can sign in with it.",
                uid = account.uid,
                domain = self.domain,
            ),
        };
        let text = match waits {
            true => format!("{text}\n\n{WAITS}"),
            false => text,
        };
        let text = match self.store.notice(NoticeKind::Welcome).await? {
            Some(notice) => format!("{text}\n\n{}", notice.text),
            None => text,
        };
        let id = self.env.token();
        let stanza = said(&self.domain, address.as_str(), "chat", &id, "", &text);
        let append = letter(&self.domain, account.uid, address, &id, Flags::CHAT, stanza, self.env.now())?;
        self.store.append(append).await?.await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
