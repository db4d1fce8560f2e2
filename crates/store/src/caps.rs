//! Entity capabilities (XEP-0115) that were verified, so that a restart does not ask every client again.

use crate::sqlite::caps;
use crate::store::Store;
use crate::{Result, Timestamp};

impl Store {
    /// What is kept of the capabilities with this verified hash; `None` if they are not known.
    pub async fn caps(&self, hash: &str) -> Result<Option<Vec<String>>> {
        let hash = hash.to_owned();
        self.look_up(move |conn| caps::get(conn, &hash)).await
    }

    /// Keeps what a verified hash stands for; the oldest give way.
    pub async fn add_caps(&self, hash: &str, values: Vec<String>, now: Timestamp) -> Result<()> {
        let hash = hash.to_owned();
        self.write(move |tx| caps::add(tx, &hash, &values, now)).await
    }
}
