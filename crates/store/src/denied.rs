//! Whom this server has nothing to do with: servers and addresses elsewhere, by decision of its administrators. And the block
//! lists of services that it follows, as they were known last.

use bytes::Bytes;

use crate::sqlite::denied;
use crate::store::Store;
use crate::{Result, Timestamp};

/// One entry of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied {
    /// A domain, or a bare address.
    pub jid: String,
    /// Since when.
    pub at: Timestamp,
    /// Who decided it.
    pub by: String,
}

impl Store {
    /// The list, sorted.
    pub async fn denied(&self) -> Result<Vec<Denied>> {
        self.read(denied::list).await
    }

    /// Adds to the list; how many were not on it before.
    pub async fn deny(&self, jids: Vec<String>, at: Timestamp, by: &str) -> Result<usize> {
        let by = by.to_owned();
        self.write(move |tx| denied::add(tx, &jids, at, &by)).await
    }

    /// Takes from the list; how many were on it.
    pub async fn undeny(&self, jids: Vec<String>) -> Result<usize> {
        self.write(move |tx| denied::remove(tx, &jids)).await
    }

    /// The block lists that are kept, by their names, each with what [`Store::keep_block_list`] was given.
    pub async fn block_lists(&self) -> Result<Vec<(String, Bytes)>> {
        self.read(denied::lists).await
    }

    /// Keeps a block list in place of what was kept of it; an empty one is not kept. At most
    /// [`crate::limits::BLOCK_LIST_BYTES`].
    pub async fn keep_block_list(&self, name: &str, hashes: Bytes) -> Result<()> {
        let name = name.to_owned();
        self.write(move |tx| denied::keep_list(tx, &name, &hashes)).await
    }
}
