//! What everybody is told: standing notices, and announcements on their way into all logs.

use rookery_proto::Uid;

use crate::sqlite::notices;
use crate::store::Store;
use crate::{Result, Timestamp};

/// Which notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeKind {
    /// Shown once to each who comes (XEP-0133: message of the day).
    Motd,
    /// What new accounts are told.
    Welcome,
}

/// A notice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What it says; at most [`crate::limits::NOTICE_BYTES`].
    pub text: String,
    /// From when on it is news.
    pub at: Timestamp,
}

/// An announcement on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// Which one.
    pub id: u64,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
    /// All accounts up to this number have it.
    pub after: Uid,
    /// How many accounts have it.
    pub sent: u64,
}

impl Store {
    /// The notice, if there is one.
    pub async fn notice(&self, kind: NoticeKind) -> Result<Option<Notice>> {
        self.look_up(move |conn| notices::get(conn, kind)).await
    }

    /// Replaces the notice, or takes it away.
    pub async fn set_notice(&self, kind: NoticeKind, notice: Option<Notice>) -> Result<()> {
        self.write(move |tx| notices::set(tx, kind, notice.as_ref())).await
    }

    /// Begins an announcement; at most [`crate::limits::ANNOUNCEMENTS`] are under way.
    pub async fn announce(&self, subject: String, text: String, at: Timestamp) -> Result<Announcement> {
        self.write(move |tx| notices::announce(tx, subject, text, at)).await
    }

    /// The announcements under way, the oldest first.
    pub async fn announcements(&self) -> Result<Vec<Announcement>> {
        self.read(notices::announcements).await
    }

    /// Notes how far an announcement has come.
    pub async fn announced(&self, id: u64, after: Uid, sent: u64) -> Result<()> {
        self.write(move |tx| notices::announced(tx, id, after, sent)).await
    }

    /// An announcement has reached everybody, or is given up.
    pub async fn end_announcement(&self, id: u64) -> Result<()> {
        self.write(move |tx| notices::end(tx, id)).await
    }
}
