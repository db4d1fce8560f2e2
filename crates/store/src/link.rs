//! One-time links: how somebody who has no password gets one.

use rookery_proto::Uid;

use crate::sqlite::links;
use crate::store::Store;
use crate::{Account, Credentials, NewAccount, PushId, Result, Timestamp};

/// The hash of a link's token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LinkHash(pub [u8; 32]);

/// What a link is good for, once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkPurpose {
    /// To make an account that administers the server.
    Administrator,
    /// To set the password of this account.
    Recovery(Uid),
}

impl Store {
    /// Keeps a link until it is used, or expires. It takes the place of the one for the same purpose: the newest counts.
    /// [`crate::StoreError::NotFound`]: there is no such account.
    pub async fn create_link(&self, hash: LinkHash, purpose: LinkPurpose, expires: Timestamp) -> Result<()> {
        self.write(move |tx| links::create(tx, hash, purpose, expires)).await
    }

    /// What a link is good for at `now`; nothing, if it is none, or was used, or its account is disabled.
    pub async fn link(&self, hash: LinkHash, now: Timestamp) -> Result<Option<LinkPurpose>> {
        self.read(move |conn| links::get(conn, hash, now)).await
    }

    /// Uses a link to make an account, which administers the server. [`crate::StoreError::NotFound`]: it is not good for that;
    /// everything else as for [`Store::create_account`], and then the link is as good as before.
    pub async fn use_administrator_link(
        &self,
        hash: LinkHash,
        now: Timestamp,
        new: NewAccount,
    ) -> Result<Account> {
        let numbers = self.numbers();
        self.write(move |tx| links::make_administrator(tx, &numbers, hash, now, new)).await
    }

    /// Uses a link to set the password of its account, as [`Store::set_credentials`] does for the resources that are `here`;
    /// `None`: nobody stays signed in, so all registrations for push are removed. Says whose it was, and which registrations
    /// are gone.
    /// [`crate::StoreError::NotFound`]: it is not good for that.
    pub async fn use_recovery_link(
        &self,
        hash: LinkHash,
        now: Timestamp,
        credentials: Credentials,
        here: Option<Vec<String>>,
    ) -> Result<(Uid, Vec<PushId>)> {
        self.write(move |tx| links::recover(tx, hash, now, &credentials, here.as_deref())).await
    }
}
