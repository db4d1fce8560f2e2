//! Pager numbers of accounts, and the devices behind them.

use rookery_proto::Uid;

use crate::sqlite::pagers;
use crate::store::Store;
use crate::{Result, Timestamp};

/// A pager number of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pager {
    /// What is paged, in lower case; at most [`crate::limits::PAGER_BYTES`].
    pub number: String,
    /// Whose it is.
    pub uid: Uid,
    /// The device, if there is one: a number without a device takes pages for the account's conversations.
    pub device: Option<PagerDevice>,
    /// Since when it is there.
    pub at: Timestamp,
}

/// A pager that one carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PagerDevice {
    /// The carrier, as the configuration names it; at most [`crate::limits::PAGER_BYTES`].
    pub carrier: String,
    /// What the carrier calls the device: an id, a RIC; at most [`crate::limits::PAGER_BYTES`].
    pub address: String,
    /// It shows digits alone.
    pub numeric: bool,
    /// It can answer.
    pub two_way: bool,
    /// The signs that it shows.
    pub length: u16,
}

impl Store {
    /// Gives an account a pager number. [`crate::StoreError::Conflict`]: somebody has it; [`crate::StoreError::Limit`]: the
    /// account has [`crate::limits::PAGERS`]; [`crate::StoreError::NotFound`]: there is no such account.
    pub async fn add_pager(&self, pager: Pager) -> Result<()> {
        self.write(move |tx| pagers::add(tx, &pager)).await
    }

    /// Takes a pager number away; false if there is none.
    pub async fn remove_pager(&self, number: &str) -> Result<bool> {
        let number = number.to_owned();
        self.write(move |tx| pagers::remove(tx, &number)).await
    }

    /// The pager of this number.
    pub async fn pager(&self, number: &str) -> Result<Option<Pager>> {
        let number = number.to_owned();
        self.read(move |conn| pagers::get(conn, &number)).await
    }

    /// Pager numbers in their order after this one, of one account only if it is given; at most
    /// [`crate::limits::PAGERS_LISTED`].
    pub async fn pagers(&self, uid: Option<Uid>, after: &str) -> Result<Vec<Pager>> {
        let after = after.to_owned();
        self.read(move |conn| pagers::list(conn, uid, &after)).await
    }
}
