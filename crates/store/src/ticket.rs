//! What counts once, such as a ticket that lets somebody in: that it was used.

use crate::sqlite::tickets;
use crate::store::Store;
use crate::{Result, Timestamp};

/// The hash of what counts once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TicketHash(pub [u8; 32]);

impl Store {
    /// Uses a ticket, which would be good until `expires`; false: it was used before, or its time is over.
    pub async fn use_ticket(&self, hash: TicketHash, expires: Timestamp, now: Timestamp) -> Result<bool> {
        self.write(move |tx| tickets::use_once(tx, hash, expires, now)).await
    }

    /// Whether it was used, as far as that is remembered.
    pub async fn is_ticket_used(&self, hash: TicketHash) -> Result<bool> {
        self.read(move |conn| tickets::is_used(conn, hash)).await
    }
}
