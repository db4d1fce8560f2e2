//! Accounts and last activity. The number is the identity; a name is an alias of it (invariant 4).

use std::ops::RangeInclusive;

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::sqlite::{accounts, blocks, prefs, privacy, push, reach, review, sweep};
use crate::store::Store;
use crate::timeline::Swept;
use crate::{ArchivePrefs, Plan, Privacy, PushId, Result, Shown, StoreError, Timestamp, limits};

/// Which address an account speaks under.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Primary {
    /// Its number.
    #[default]
    Number,
    /// Its name.
    Name,
}

/// What proves who signs in: SCRAM keys, opaque to the store.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(pub Vec<u8>);

impl std::fmt::Debug for Credentials {
    // Secrets are not for the log (invariant 10).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({} bytes)", self.0.len())
    }
}

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// The number; never used again, also after deletion.
    pub uid: Uid,
    /// The prepared name, if it has one.
    pub name: Option<String>,
    /// Which of the two is its address.
    pub primary: Primary,
    /// The nickname.
    pub nick: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Whether nobody can sign in.
    pub disabled: bool,
    /// A random number that makes the ids of its archive unlike those of any other.
    pub epoch: u32,
}

impl Account {
    /// The address that the account binds and is known by, at `domain`. [`StoreError::Internal`]: what is kept is no name.
    pub fn address(&self, domain: &str) -> Result<BareJid> {
        let address = match (&self.primary, &self.name) {
            (Primary::Name, Some(name)) => format!("{name}@{domain}"),
            _ => format!("{}@{domain}", self.uid),
        };
        BareJid::new(&address).map_err(|_| StoreError::Internal)
    }
}

/// An account to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAccount {
    /// The prepared name; not a number.
    pub name: Option<String>,
    /// Which address it speaks under; [`Primary::Name`] needs a name.
    pub primary: Primary,
    /// The nickname.
    pub nick: Option<String>,
    /// What proves who signs in.
    pub credentials: Credentials,
    /// Now.
    pub created: Timestamp,
    /// See [`Account::epoch`].
    pub epoch: u32,
    /// The invitation that is used up by it; what that brings besides is for [`Store::sign_up`].
    pub invite: Option<Shown>,
}

/// What somebody who signs in calls the account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoginName {
    /// Its number.
    Number(Uid),
    /// Its prepared name, if it is one.
    Name(String),
}

/// Which accounts are listed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AccountFilter {
    /// Only accounts whose name begins so.
    pub name_prefix: Option<String>,
    /// Only disabled or only enabled ones.
    pub disabled: Option<bool>,
    /// Only accounts whose number begins so, or whose name or nickname has this in it; letters of ASCII in either case.
    pub words: Option<String>,
}

/// When an account was last seen (XEP-0012), and its last unavailable status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Last {
    /// When.
    pub at: Timestamp,
    /// The status.
    pub status: Option<String>,
}

/// An account with all that it, and the operator, have decided about it, as it stood at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    /// The account.
    pub account: Account,
    /// It waits for an administrator's approval.
    pub waits: bool,
    /// It administers the server.
    pub admin: bool,
    /// The limits of pace are not for it.
    pub unlimited: bool,
    /// Addresses that it blocks, sorted.
    pub blocked: Vec<String>,
    /// Its archive preferences; `None` if it never set any.
    pub prefs: Option<ArchivePrefs>,
    /// Its privacy settings and rules.
    pub privacy: Privacy,
    /// How it wants to be reached; `None` if it never said.
    pub reach: Option<Plan>,
}

/// Numbers that are groups', never accounts'.
const GROUPS: [RangeInclusive<u64>; 2] = [700_000..=799_999, 7_000_000..=7_999_999];

/// Which numbers are given to accounts.
#[derive(Debug)]
pub(crate) struct Numbers {
    first: u64,
    reserved: Vec<RangeInclusive<u64>>,
}

impl Numbers {
    /// From `first` on, without those of groups and without the operator's.
    pub(crate) fn new(first: u64, reserved: impl IntoIterator<Item = RangeInclusive<u64>>) -> Numbers {
        let mut reserved: Vec<_> = GROUPS.into_iter().chain(reserved).collect();
        reserved.sort_unstable_by_key(|range| *range.start());
        Numbers { first, reserved }
    }

    /// The number to be given after `last`.
    pub(crate) fn after(&self, last: u64) -> u64 {
        let mut number = self.first.max(last + 1);
        for range in &self.reserved {
            if range.contains(&number) {
                number = range.end() + 1;
            }
        }
        number
    }
}

/// Whether a number is a group's.
pub fn is_group(uid: Uid) -> bool {
    GROUPS.iter().any(|range| range.contains(&uid.0))
}

/// The number of the group that is made after the one with number `last`; `None` when all are given. The first of each
/// range stays free, as 10,000 does.
pub(crate) fn group_after(last: u64) -> Option<u64> {
    let next = last + 1;
    GROUPS.iter().find_map(|range| (next <= *range.end()).then(|| next.max(range.start() + 1)))
}

impl Store {
    /// Makes an account under the next free number. [`crate::StoreError::Conflict`]: the name is taken.
    pub async fn create_account(&self, new: NewAccount) -> Result<Account> {
        let numbers = self.numbers();
        self.write(move |tx| accounts::create(tx, &numbers, new)).await
    }

    /// Makes many accounts, [`crate::limits::IMPORT`] in a transaction; the answers are in the order given. The outer
    /// error is a failed commit: then some of the accounts may have been made.
    pub async fn import_accounts(&self, new: Vec<NewAccount>) -> Result<Vec<Result<Account>>> {
        let mut new = new.into_iter();
        let mut made = Vec::with_capacity(new.len());
        loop {
            let part: Vec<NewAccount> = new.by_ref().take(limits::IMPORT).collect();
            if part.is_empty() {
                return Ok(made);
            }
            let numbers = self.numbers();
            made.extend(self.write(move |tx| accounts::import(tx, &numbers, part)).await?);
        }
    }

    /// The account of a number.
    pub async fn account(&self, uid: Uid) -> Result<Option<Account>> {
        self.look_up(move |conn| accounts::get(conn, uid)).await
    }

    /// The account of a number, with everything that is decided about it: one query in place of seven.
    pub async fn account_record(&self, uid: Uid) -> Result<Option<AccountRecord>> {
        self.look_up(move |conn| {
            let Some(account) = accounts::get(conn, uid)? else { return Ok(None) };
            Ok(Some(AccountRecord {
                account,
                waits: review::waits(conn, uid)?,
                admin: accounts::is_admin(conn, uid)?,
                unlimited: accounts::is_unlimited(conn, uid)?,
                blocked: blocks::list(conn, uid)?,
                prefs: prefs::archive(conn, uid)?,
                privacy: privacy::get(conn, uid)?,
                reach: reach::plan(conn, uid)?,
            }))
        })
        .await
    }

    /// The account of a prepared name.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>> {
        let name = name.to_owned();
        self.look_up(move |conn| accounts::by_name(conn, &name)).await
    }

    /// The account's credentials.
    pub async fn credentials(&self, uid: Uid) -> Result<Option<Credentials>> {
        self.look_up(move |conn| accounts::credentials(conn, uid)).await
    }

    /// The account that somebody wants to sign in to, and its credentials. One query, whether there is such an account or
    /// not, and nothing is remembered: how long it takes does not tell who exists (invariant 10).
    pub async fn login(&self, name: LoginName) -> Result<Option<(Uid, Credentials)>> {
        self.look_up(move |conn| accounts::login(conn, &name)).await
    }

    /// Replaces the account's credentials after a change of the password: all tokens are revoked. Registrations for push
    /// that no device has made, nor one of the resources that are `here`, are removed, as nobody would find them any more;
    /// which those were.
    pub async fn set_credentials(
        &self,
        uid: Uid,
        credentials: Credentials,
        here: Vec<String>,
    ) -> Result<Vec<PushId>> {
        self.write(move |tx| {
            accounts::set_credentials(tx, uid, &credentials)?;
            push::remove_lost(tx, uid, &here)
        })
        .await
    }

    /// Replaces `old` by better credentials for the same password. [`crate::StoreError::Conflict`]: they have changed.
    pub async fn upgrade_credentials(&self, uid: Uid, old: Credentials, new: Credentials) -> Result<()> {
        self.write(move |tx| accounts::upgrade_credentials(tx, uid, &old, &new)).await
    }

    /// Lets nobody, or again somebody, sign in. With the first, all tokens are revoked.
    pub async fn set_disabled(&self, uid: Uid, disabled: bool) -> Result<()> {
        self.write(move |tx| accounts::set_disabled(tx, uid, disabled)).await
    }

    /// Gives every account and every group another [`Account::epoch`], as one transaction: after a backup was restored, positions are given
    /// again to other messages, and their ids must not be those that clients have seen. `by` is a random number other than
    /// 0 ([`crate::StoreError::Invalid`]).
    pub async fn new_epochs(&self, by: u32) -> Result<()> {
        self.write(move |tx| accounts::new_epochs(tx, by)).await
    }

    /// Sets the nickname.
    pub async fn set_nick(&self, uid: Uid, nick: Option<String>) -> Result<()> {
        self.write(move |tx| accounts::set_nick(tx, uid, nick.as_deref())).await
    }

    /// Makes the account one that administers the server, or an ordinary one again.
    pub async fn set_admin(&self, uid: Uid, admin: bool) -> Result<()> {
        self.write(move |tx| accounts::set_admin(tx, uid, admin)).await
    }

    /// Whether the account administers the server.
    pub async fn is_admin(&self, uid: Uid) -> Result<bool> {
        self.look_up(move |conn| accounts::is_admin(conn, uid)).await
    }

    /// Whether the limits of pace are not for the account: a bot, or what bridges to elsewhere.
    pub async fn is_unlimited(&self, uid: Uid) -> Result<bool> {
        self.look_up(move |conn| accounts::is_unlimited(conn, uid)).await
    }

    /// Takes an account out of the limits of pace, or puts it back.
    pub async fn set_unlimited(&self, uid: Uid, unlimited: bool) -> Result<()> {
        self.write(move |tx| accounts::set_unlimited(tx, uid, unlimited)).await
    }

    /// The accounts that administer the server, in the order of their numbers; at most [`limits::ADMINS`].
    pub async fn admins(&self) -> Result<Vec<Uid>> {
        self.read(accounts::admins).await
    }

    /// Deletes the account and all that is its own. The account is gone with the first commit; a long log goes in
    /// slices, and if interrupted [`Store::sweep`] goes on with it.
    pub async fn delete_account(&self, uid: Uid) -> Result<()> {
        self.write(move |tx| accounts::delete(tx, uid)).await?;
        while self.write(move |tx| sweep::erase(tx, uid, &mut Swept::default())).await? {}
        Ok(())
    }

    /// Accounts in the order of their numbers, after `after`, at most `limit`.
    pub async fn accounts(
        &self,
        after: Option<Uid>,
        filter: AccountFilter,
        limit: usize,
    ) -> Result<Vec<Account>> {
        self.read(move |conn| accounts::list(conn, after, &filter, limit)).await
    }

    /// How many accounts nobody can sign in with.
    pub async fn disabled_count(&self) -> Result<u64> {
        self.read(accounts::disabled_count).await
    }

    /// How many accounts there are.
    pub async fn account_count(&self) -> Result<u64> {
        self.read(accounts::count).await
    }

    /// Notes when the account was last seen.
    pub async fn set_last(&self, uid: Uid, last: Last) -> Result<()> {
        self.write(move |tx| accounts::set_last(tx, uid, &last)).await
    }

    /// When the account was last seen.
    pub async fn last(&self, uid: Uid) -> Result<Option<Last>> {
        self.look_up(move |conn| accounts::last(conn, uid)).await
    }
}
