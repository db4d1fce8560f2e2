//! Blocked addresses (XEP-0191): bare or full JIDs, domains, as text.

use rookery_proto::Uid;

use crate::Result;
use crate::sqlite::blocks;
use crate::store::Store;

impl Store {
    /// The account's blocked addresses, sorted.
    pub async fn blocklist(&self, uid: Uid) -> Result<Vec<String>> {
        self.look_up(move |conn| blocks::list(conn, uid)).await
    }

    /// Blocks addresses; returns those that were not blocked before.
    pub async fn block(&self, uid: Uid, jids: Vec<String>) -> Result<Vec<String>> {
        self.write(move |tx| blocks::add(tx, uid, jids)).await
    }

    /// Unblocks addresses; returns those that were blocked.
    pub async fn unblock(&self, uid: Uid, jids: Vec<String>) -> Result<Vec<String>> {
        self.write(move |tx| blocks::remove(tx, uid, jids)).await
    }

    /// Unblocks all; returns those that were blocked.
    pub async fn unblock_all(&self, uid: Uid) -> Result<Vec<String>> {
        self.write(move |tx| blocks::clear(tx, uid)).await
    }
}
