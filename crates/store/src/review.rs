//! Accounts that wait for an administrator's approval.

use rookery_proto::Uid;

use crate::sqlite::review;
use crate::store::Store;
use crate::{Account, Result};

impl Store {
    /// Accounts that wait, in the order of their numbers, after `after`, at most `limit`.
    pub async fn waiting(&self, after: Option<Uid>, limit: usize) -> Result<Vec<Account>> {
        self.read(move |conn| review::waiting(conn, after, limit)).await
    }

    /// Whether the account waits.
    pub async fn waits(&self, uid: Uid) -> Result<bool> {
        self.look_up(move |conn| review::waits(conn, uid)).await
    }

    /// The account need not wait any more; false if it did not.
    pub async fn approve(&self, uid: Uid) -> Result<bool> {
        self.write(move |tx| review::approve(tx, uid)).await
    }
}
