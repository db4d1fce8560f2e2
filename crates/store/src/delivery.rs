//! What has reached the devices of an account, and what one of them left behind.

use rookery_proto::{Uid, Useq};

use crate::Result;
use crate::sqlite::delivery;
use crate::store::Store;
use crate::timeline::Entry;

impl Store {
    /// Notes for each account that all up to a position has reached a client; at most [`crate::limits::BATCH`]. Never lowers.
    pub async fn set_delivered(&self, positions: Vec<(Uid, Useq)>) -> Result<()> {
        self.write(move |tx| delivery::set_delivered(tx, &positions)).await
    }

    /// Which entries are addressed to one `resource`: those after `after` and up to `upto` that came
    /// in, are to be delivered, and are not marked yet; ascending, at most [`crate::limits::OWED`].
    pub async fn addressed(
        &self,
        uid: Uid,
        resource: Box<str>,
        after: Useq,
        upto: Useq,
    ) -> Result<Vec<Useq>> {
        self.read(move |conn| delivery::addressed(conn, uid, &resource, after, upto)).await
    }

    /// Marks entries [`crate::Flags::OWED`]; at most [`crate::limits::OWED`].
    pub async fn owe(&self, uid: Uid, useqs: Vec<Useq>) -> Result<()> {
        self.write(move |tx| delivery::mark(tx, uid, &useqs, true)).await
    }

    /// Takes the mark away again: they have reached a client. At most [`crate::limits::OWED`].
    pub async fn settle(&self, uid: Uid, useqs: Vec<Useq>) -> Result<()> {
        self.write(move |tx| delivery::mark(tx, uid, &useqs, false)).await
    }

    /// How many entries are marked, but for those that were retracted. Linear in the answer.
    pub async fn owed_count(&self, uid: Uid) -> Result<u64> {
        self.read(move |conn| delivery::owed_count(conn, uid)).await
    }

    /// The marked entries after `after`, ascending, at most `limit` and about [`crate::limits::PAGE_BYTES`].
    pub async fn owed(&self, uid: Uid, after: Useq, limit: usize) -> Result<Vec<Entry>> {
        self.read(move |conn| delivery::owed(conn, uid, after, limit)).await
    }
}
