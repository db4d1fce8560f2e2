//! Mail that nobody asked for. It stands apart, in no archive and on no device, until its owner says that it is none; what one says of
//! a mail is remembered of its sender.

use crate::{Core, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::Request;

impl Core {
    /// Whose junk an account has, and how much.
    pub async fn junk(&self, uid: Uid) -> Result<Vec<Request>, StanzaError> {
        self.store.junk(uid).await.map_err(store_error)
    }

    /// Says of a sender whether their mail is junk. What there is of it moves: what waits as a stranger's becomes junk, or what is
    /// junk is delivered. Stored when this returns.
    pub async fn judge_sender(&self, uid: Uid, peer: &BareJid, junk: bool) -> Result<(), StanzaError> {
        let mut some = false;
        while self.store.judge_sender(uid, peer.clone(), junk).await.map_err(store_error)? > 0 {
            some = true;
        }
        if some && !junk {
            self.owes(uid);
        }
        Ok(())
    }

    /// Throws a sender's junk away.
    pub async fn discard_junk(&self, uid: Uid, peer: &BareJid) -> Result<(), StanzaError> {
        while self.store.discard_junk(uid, peer.clone()).await.map_err(store_error)? > 0 {}
        Ok(())
    }
}
