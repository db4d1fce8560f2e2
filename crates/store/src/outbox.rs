//! What gateways are to hand on: noted in the transaction that stores a message in its sender's log, so that nothing that was
//! acknowledged is lost on the way out.

use bytes::Bytes;
use rookery_proto::Uid;

use crate::sqlite::{Kind, inbox, outbox};
use crate::store::{Pending, Store};
use crate::timeline::{Append, Appended, MessageId};
use crate::{Displayed, Result, Timestamp};

/// A message that waits for its gateway.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outbound {
    /// Names it; what was sent later has a higher one.
    pub id: u64,
    /// Who sent it.
    pub uid: Uid,
    /// Its body in the timeline, which may be gone.
    pub message: MessageId,
    /// When the server took it.
    pub at: Timestamp,
    /// See [`crate::Entry::stanza`].
    pub stanza: Bytes,
}

impl Store {
    /// [`Store::append`] of one that goes to this gateway, with what its sender says to have read; the first pointer is the
    /// sender's. [`crate::StoreError::Limit`]: too many of the account wait, see [`crate::limits::OUTBOX`].
    pub async fn append_outbound(
        &self,
        append: Append,
        displayed: Option<Displayed>,
        gateway: &str,
    ) -> Result<Pending<Appended>> {
        let gateway = gateway.to_owned();
        let work = move |tx: &mut crate::sqlite::Tx<'_>| {
            let appended = outbox::append(tx, append, &gateway)?;
            if let Some(displayed) = displayed {
                inbox::displayed(tx, &displayed)?;
            }
            Ok(appended)
        };
        self.enqueue(Kind::Checked, work).await
    }

    /// What waits for this gateway, in order, at most `limit`.
    pub async fn outbox(&self, gateway: &str, limit: usize) -> Result<Vec<Outbound>> {
        let gateway = gateway.to_owned();
        self.read(move |conn| outbox::list(conn, &gateway, limit)).await
    }

    /// The gateway is done with it, one way or another.
    pub async fn drop_outbound(&self, id: u64) -> Result<()> {
        self.write(move |tx| outbox::remove(tx, id).map(drop)).await
    }

    /// The gateway cannot hand it on, and its sender is told so by `append`, as one transaction.
    pub async fn refuse_outbound(&self, id: u64, append: Append) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Guarded, move |tx| outbox::refuse(tx, id, append)).await
    }
}
