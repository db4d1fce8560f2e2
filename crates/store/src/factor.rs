//! The second factor of an account (RFC 6238): what its codes are made of, and which of them was used last.

use rookery_proto::Uid;

use crate::sqlite::factors;
use crate::store::Store;
use crate::{Result, Timestamp};

/// A second factor. The key of its codes is made of `seed` and the server's secret, so the store alone makes none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Factor {
    /// The random part of the key.
    pub seed: [u8; 16],
    /// Since when the account has it.
    pub since: Timestamp,
    /// The time step of the last code that was used; this one and older ones are not taken again (RFC 6238 §5.2).
    pub step: u64,
}

impl Store {
    /// The second factor of an account, if it has one.
    pub async fn factor(&self, uid: Uid) -> Result<Option<Factor>> {
        self.read(move |conn| factors::get(conn, uid)).await
    }

    /// Gives the account a second factor; false if it has one.
    pub async fn set_factor(&self, uid: Uid, factor: Factor) -> Result<bool> {
        self.write(move |tx| factors::set(tx, uid, factor)).await
    }

    /// Notes that a code was used; false if this one or a later one was used before, or the account has no second factor.
    pub async fn use_factor(&self, uid: Uid, step: u64) -> Result<bool> {
        self.write(move |tx| factors::note(tx, uid, step)).await
    }

    /// Takes the second factor away; false if there was none.
    pub async fn remove_factor(&self, uid: Uid) -> Result<bool> {
        self.write(move |tx| factors::remove(tx, uid)).await
    }
}
