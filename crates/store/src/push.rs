//! Where an account's devices are told of messages that they do not take now: app servers (XEP-0357) and Web Push
//! endpoints (RFC 8030); and what they are told.

use rookery_proto::{Uid, Useq};

use crate::sqlite::push;
use crate::store::Store;
use crate::{DeviceId, Result, Timestamp};

/// Names a registration; never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PushId(pub u64);

/// A registration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Push {
    /// Which one.
    pub id: PushId,
    /// Who registered it.
    pub by: Registrant,
    /// Where it leads.
    pub target: PushTarget,
    /// When it was registered first.
    pub at: Timestamp,
    /// Up to here in the log it needs no telling.
    pub told: Useq,
}

/// The session that registered something last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registrant {
    /// Its resource.
    pub resource: String,
    /// Its device, where the client says which it is.
    pub device: Option<DeviceId>,
}

/// Where a notification goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PushTarget {
    /// An app server (XEP-0357 §5). Its address and the node name the registration.
    AppServer {
        /// Its address.
        jid: String,
        /// The node; empty if there is none.
        node: String,
        /// What is sent along with each publication: a form as XML, or nothing.
        options: Vec<u8>,
    },
    /// A Web Push endpoint, which names the registration.
    Web {
        /// Where it is posted to: who knows it can post.
        endpoint: String,
        /// The browser's public key on the curve P-256, as an uncompressed point (RFC 8291 §3.1).
        key: [u8; 65],
        /// The secret that it shares (RFC 8291 §3.2).
        auth: [u8; 16],
    },
}

/// Registrations, to be removed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PushFilter {
    /// This one.
    Id(PushId),
    /// Those at an app server: of one node, or all.
    AppServer {
        /// The app server's address.
        jid: String,
        /// The node.
        node: Option<String>,
    },
    /// The one of a Web Push endpoint.
    Endpoint(String),
}

/// What a notification may say of a message.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum PushContent {
    /// That there is one.
    #[default]
    Nothing,
    /// And who sent it.
    Sender,
    /// And its text.
    Full,
}

impl Store {
    /// The account's registrations, oldest first, and what they may be told.
    pub async fn pushes(&self, uid: Uid) -> Result<(Vec<Push>, PushContent)> {
        self.read(move |conn| Ok((push::list(conn, uid)?, push::content(conn, uid)?))).await
    }

    /// The accounts that have registrations.
    pub async fn push_accounts(&self) -> Result<Vec<Uid>> {
        self.read(push::accounts).await
    }

    /// Of the accounts beyond `after` that have registrations, at most [`crate::limits::BATCH`]: the place in the log after
    /// which there may be something that they are to be told. What came before `since` is left out.
    pub async fn untold(&self, after: Uid, since: Timestamp) -> Result<Vec<(Uid, Useq)>> {
        self.read(move |conn| push::untold(conn, after, since)).await
    }

    /// Notes up to where registrations need no telling any more, at most [`crate::limits::BATCH`] at once.
    pub async fn set_told(&self, told: Vec<(PushId, Useq)>) -> Result<()> {
        self.write(move |tx| push::set_told(tx, &told)).await
    }

    /// Registers, or changes what is registered under the same name; a new one is told what comes from
    /// now on. [`crate::StoreError::Limit`]: there are
    /// [`crate::limits::PUSHES`] others; [`crate::StoreError::NotFound`]: there is no such account.
    pub async fn set_push(
        &self,
        uid: Uid,
        by: Registrant,
        target: PushTarget,
        at: Timestamp,
    ) -> Result<PushId> {
        self.write(move |tx| push::set(tx, uid, &by, &target, at)).await
    }

    /// Removes registrations; those that there were.
    pub async fn remove_pushes(&self, uid: Uid, filter: PushFilter) -> Result<Vec<PushId>> {
        self.write(move |tx| push::remove(tx, uid, &filter)).await
    }

    /// Sets what notifications may say.
    pub async fn set_push_content(&self, uid: Uid, content: PushContent) -> Result<()> {
        self.write(move |tx| push::set_content(tx, uid, content)).await
    }
}
