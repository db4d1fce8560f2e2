//! Mail that nobody asked for ([`crate::Flags::JUNK`]), and what an account has said of its senders.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::sqlite::junk;
use crate::store::Store;
use crate::{Request, Result};

impl Store {
    /// What an account has said of a sender: true, their mail is junk; false, it is none; `None`, nothing.
    pub async fn junk_sender(&self, uid: Uid, peer: BareJid) -> Result<Option<bool>> {
        self.look_up(move |conn| junk::said(conn, uid, &peer)).await
    }

    /// Whose junk there is, by address, with how much of it; at most [`crate::limits::REQUESTS`].
    pub async fn junk(&self, uid: Uid) -> Result<Vec<Request>> {
        self.read(move |conn| junk::list(conn, uid)).await
    }

    /// Says of a sender whether their mail is junk, and moves what there is, at most [`crate::limits::SWEEP`] mails: what was set
    /// aside ([`crate::Flags::REQUEST`]) becomes junk, or junk is delivered as [`Store::release`] does it; in folders, too. Gives
    /// how many that were. Of senders beyond [`crate::limits::JUNK_SENDERS`] the one of whom it was said longest ago is forgotten.
    pub async fn judge_sender(&self, uid: Uid, peer: BareJid, junk: bool) -> Result<usize> {
        self.write(move |tx| junk::judge_sender(tx, uid, &peer, junk)).await
    }

    /// Removes a sender's junk, at most [`crate::limits::SWEEP`] mails; gives how many there were.
    pub async fn discard_junk(&self, uid: Uid, peer: BareJid) -> Result<usize> {
        self.write(move |tx| junk::discard(tx, uid, &peer)).await
    }
}
