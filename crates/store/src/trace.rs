//! Where a message is: whose logs point to it, and whether its reader has come so far. For who looks after a server.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};

use crate::sqlite::trace;
use crate::store::Store;
use crate::timeline::{Direction, Flags, MessageId};
use crate::{Result, Timestamp};

/// Which message of an account's log is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sought {
    /// The one at this position.
    Entry(Useq),
    /// The newest of this conversation that somebody would miss ([`Flags::INSTANT`](crate::Flags::INSTANT)): what says that
    /// another one was read is not what is looked for.
    Newest(BareJid),
    /// The one that the account sent to that address under a name of its own.
    Named {
        /// The address that it was sent to.
        to: BareJid,
        /// See [`crate::Origin::id`].
        id: Box<str>,
    },
}

/// A stored body, and where it is seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trace {
    /// The body.
    pub message: MessageId,
    /// When the server took it.
    pub at: Timestamp,
    /// Bytes of the stanza as it is kept.
    pub bytes: u64,
    /// It was taken back; a tombstone stands in its place.
    pub retracted: bool,
    /// Each log that points to it, in the order in which they were written; those that were swept are missing.
    pub tracks: Vec<Track>,
}

/// A body in one log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Track {
    /// Whose log.
    pub uid: Uid,
    /// See [`crate::Entry::useq`].
    pub useq: Useq,
    /// See [`crate::Entry::flags`].
    pub flags: Flags,
    /// See [`crate::Entry::direction`].
    pub direction: Direction,
    /// See [`crate::Entry::peer`].
    pub peer: BareJid,
    /// See [`crate::Entry::resource`].
    pub resource: Option<Box<str>>,
    /// The log's owner has read the conversation up to here, or further.
    pub displayed: bool,
}

impl Store {
    /// Where a message is that an account's log has, or had sent.
    pub async fn trace(&self, uid: Uid, sought: Sought) -> Result<Option<Trace>> {
        self.read(move |conn| trace::trace(conn, uid, &sought)).await
    }
}
