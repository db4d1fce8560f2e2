//! Sendings: what is told people who are not here, by ways beside ours (mail, SMS, pagers). A durable queue, and what became
//! of each.
//!
//! A sending is marked [`SendingState::Sending`] by a commit before its channel is called. One that is found so after a
//! crash may have been accepted by the carrier or not; it is marked [`SendingState::Unknown`] and never sent again.

use rookery_proto::Uid;

use crate::reach::Telling;
use crate::sqlite::sendings;
use crate::store::Store;
use crate::{Result, Timestamp};

/// Names a sending; never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SendingId(pub u64);

/// Names a case: a matter that somebody is to be reached about. Never given twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CaseId(pub u64);

/// A way to people who are not here.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Way {
    /// Mail, to a mail address.
    Mail,
    /// A short message, to a phone number.
    Sms,
    /// A page, to a pager.
    Pager,
}

impl Way {
    /// All of them.
    pub const ALL: [Way; 3] = [Way::Mail, Way::Sms, Way::Pager];

    /// What it is called in our protocol and in figures.
    pub fn name(self) -> &'static str {
        match self {
            Way::Mail => "mail",
            Way::Sms => "sms",
            Way::Pager => "pager",
        }
    }

    /// The way of this name.
    pub fn from_name(name: &str) -> Option<Way> {
        Way::ALL.into_iter().find(|way| way.name() == name)
    }
}

/// How much it matters that somebody is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Urgency {
    /// A message like any other.
    #[default]
    Normal,
    /// It should be seen soon.
    Important,
    /// It cannot wait.
    Urgent,
}

impl Urgency {
    /// All of them, the least first.
    pub const ALL: [Urgency; 3] = [Urgency::Normal, Urgency::Important, Urgency::Urgent];

    /// What it is called in our protocol.
    pub fn name(self) -> &'static str {
        match self {
            Urgency::Normal => "normal",
            Urgency::Important => "important",
            Urgency::Urgent => "urgent",
        }
    }

    /// The urgency of this name.
    pub fn from_name(name: &str) -> Option<Urgency> {
        Urgency::ALL.into_iter().find(|urgency| urgency.name() == name)
    }
}

/// What has become of a sending. It only ever goes on to a later one of these, but for [`SendingState::Sending`], from which
/// it may go back to the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum SendingState {
    /// It waits for its turn, or for a carrier that is not ready.
    #[default]
    Queued,
    /// It is being handed over.
    Sending,
    /// The carrier may have accepted it or not: the connection ended, or this server did. It is not sent again.
    Unknown,
    /// The carrier has accepted it. That is no delivery.
    Accepted,
    /// The carrier does not take it, or has given it up.
    Failed,
    /// The carrier says that it has reached the device.
    Delivered,
    /// It was opened.
    Read,
    /// A person has acknowledged it.
    Acknowledged,
    /// There was no need for it any more before it was handed over.
    Cancelled,
}

impl SendingState {
    /// All of them, in their order.
    pub const ALL: [SendingState; 9] = [
        SendingState::Queued,
        SendingState::Sending,
        SendingState::Unknown,
        SendingState::Accepted,
        SendingState::Failed,
        SendingState::Delivered,
        SendingState::Read,
        SendingState::Acknowledged,
        SendingState::Cancelled,
    ];

    /// What it is called in our protocol and in figures.
    pub fn name(self) -> &'static str {
        match self {
            SendingState::Queued => "queued",
            SendingState::Sending => "sending",
            SendingState::Unknown => "unknown",
            SendingState::Accepted => "accepted",
            SendingState::Failed => "failed",
            SendingState::Delivered => "delivered",
            SendingState::Read => "read",
            SendingState::Acknowledged => "acknowledged",
            SendingState::Cancelled => "cancelled",
        }
    }

    /// Whether it is still in this server's hands.
    pub fn is_open(self) -> bool {
        self <= SendingState::Sending
    }
}

/// A sending for the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSending {
    /// Who is to be reached, and whose caps it counts in.
    pub uid: Uid,
    /// By which way.
    pub way: Way,
    /// Where, in the way's own form; at most [`crate::limits::SENDING_ADDRESS_BYTES`].
    pub address: String,
    /// How urgent.
    pub urgency: Urgency,
    /// What it is about; `None`: no message (a code, a test).
    pub case: Option<CaseId>,
    /// What it is about in one line, for ways that have a subject; at most [`crate::limits::SENDING_TITLE_BYTES`].
    pub title: String,
    /// All that it says; at most [`crate::limits::SENDING_TEXT_BYTES`]. Ways with less room shorten it at its end.
    pub text: String,
    /// What acknowledges it when it is sent back; empty: nothing does.
    pub code: String,
    /// When it was decided.
    pub at: Timestamp,
}

/// A sending, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sending {
    /// Names it.
    pub id: SendingId,
    /// What it says to whom.
    pub what: NewSending,
    /// What became of it.
    pub state: SendingState,
    /// Since when that is so.
    pub changed: Timestamp,
    /// Not handed over before.
    pub next: Timestamp,
    /// How often it was handed over, or this was tried.
    pub attempts: u32,
    /// What the last attempt met; empty: nothing.
    pub trouble: String,
    /// What the carrier calls it.
    pub carrier: Option<String>,
}

/// What may be sent within a day, as each sending may cost money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    /// To reach one account.
    pub account: u32,
    /// To reach all.
    pub server: u32,
}

/// How handing over ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settled {
    /// The carrier has it, and may call it something.
    Accepted(Option<String>),
    /// Not now; again not before this.
    Deferred(Timestamp),
    /// Not this one.
    Failed,
    /// Nobody knows.
    Unknown,
}

/// By what a sending is found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SendingRef {
    /// Our name for it.
    Id(SendingId),
    /// The carrier's name for it; of several, the latest.
    Carrier(Way, String),
}

impl Store {
    /// Puts a sending into the queue. [`crate::StoreError::Limit`]: the caps of the day are reached, or too many of the account
    /// wait ([`crate::limits::SENDINGS_WAITING`]); [`crate::StoreError::NotFound`]: there is no such account.
    pub async fn queue_sending(&self, new: NewSending, caps: Caps) -> Result<SendingId> {
        self.write(move |tx| sendings::queue(tx, &new, caps)).await
    }

    /// When the next sending of a way is due; `None`: none waits.
    pub async fn next_sending(&self, way: Way) -> Result<Option<Timestamp>> {
        self.read(move |conn| sendings::next(conn, way)).await
    }

    /// The most urgent sending of a way that is due, marked [`SendingState::Sending`] with one more attempt. Whoever gets it
    /// hands it over and settles it.
    pub async fn take_sending(&self, way: Way, now: Timestamp) -> Result<Option<Sending>> {
        self.write(move |tx| sendings::take(tx, way, now)).await
    }

    /// Takes what waits for the same account at the same address, too, up to so many; those that wait longest first.
    pub async fn take_along(&self, with: &Sending, now: Timestamp, limit: usize) -> Result<Vec<Sending>> {
        let (uid, way, address) = (with.what.uid, with.what.way, with.what.address.clone());
        self.write(move |tx| sendings::take_along(tx, uid, way, &address, now, limit)).await
    }

    /// How handing over ended, and what is told of it; `trouble` is kept up to [`crate::limits::SENDING_TITLE_BYTES`]. `None`: it
    /// was not being handed over any more, as later news have come before.
    pub async fn settle_sending(
        &self,
        id: SendingId,
        settled: Settled,
        trouble: &str,
        now: Timestamp,
        telling: Telling,
    ) -> Result<Option<Sending>> {
        let trouble = trouble.to_owned();
        self.write(move |tx| sendings::settle(tx, id, &settled, &trouble, now, telling)).await
    }

    /// Later news of a sending, and what is told of them. A case that it is about ends when a person has read or acknowledged
    /// it. `None`: there is no such sending, or these are no news of it.
    pub async fn advance_sending(
        &self,
        which: SendingRef,
        state: SendingState,
        trouble: &str,
        now: Timestamp,
        telling: Telling,
    ) -> Result<Option<Sending>> {
        let trouble = trouble.to_owned();
        self.write(move |tx| sendings::advance(tx, &which, state, &trouble, now, telling)).await
    }

    /// Sendings that are marked as being handed over, at most [`crate::limits::BATCH`]. Before anything is handed over these are
    /// the ones that were when the server ended: whoever asks then settles them as [`Settled::Unknown`].
    pub async fn sendings_under_way(&self) -> Result<Vec<Sending>> {
        self.read(sendings::under_way).await
    }

    /// A sending.
    pub async fn sending(&self, which: SendingRef) -> Result<Option<Sending>> {
        self.read(move |conn| sendings::get(conn, &which)).await
    }

    /// An account's sendings, the newest first, at most `limit` and [`crate::limits::SENDINGS_LISTED`]; of one case only if
    /// one is given.
    pub async fn sendings(&self, uid: Uid, case: Option<CaseId>, limit: usize) -> Result<Vec<Sending>> {
        self.read(move |conn| sendings::list(conn, uid, case, limit)).await
    }

    /// How many sendings wait, of all ways.
    pub async fn sendings_waiting(&self) -> Result<Vec<(Way, u64)>> {
        self.read(sendings::waiting).await
    }
}
