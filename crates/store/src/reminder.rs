//! Reminders: what people have asked the secretary to tell them, and when.
//!
//! That one is told and that it moves on is one transaction, so that it stands in the timeline once, whenever the server ends. What
//! is asked for by a message takes that message out of the outbox in the same way.

use rookery_proto::Uid;

use crate::sqlite::reminders;
use crate::store::Store;
use crate::timeline::Append;
use crate::{Result, Timestamp, Urgency};

/// Something comes back on these days, at this time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Repeat {
    /// A bit for each day of the week from Monday on; at least one, and none beyond Sunday.
    pub days: u8,
    /// Minutes since midnight, below 1440.
    pub minute: u16,
}

/// What somebody wants to be reminded of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewReminder {
    /// What of; may be empty; at most [`crate::limits::REMINDER_BYTES`].
    pub text: String,
    /// How much it matters.
    pub urgency: Urgency,
    /// When it comes back; `None`: it does not.
    pub repeat: Option<Repeat>,
    /// The time zone that it was meant in, by its name in the IANA database.
    pub zone: String,
    /// The language that it was asked for in (RFC 5646).
    pub language: String,
    /// When it is due.
    pub next: Timestamp,
}

/// A reminder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reminder {
    /// Whose.
    pub uid: Uid,
    /// What its owner calls it: counted from 1, and above all that there are.
    pub number: u32,
    /// What it says, and when.
    pub what: NewReminder,
}

/// What somebody has the secretary do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// To keep this.
    Keep(NewReminder),
    /// To forget the one of this number; `None`: all.
    Forget(Option<u32>),
    /// To count in this time zone from now on.
    Zone(String),
}

/// Says what is to be appended, in the same transaction, of what was done: the reminders that were kept or forgotten.
pub type Reply = Box<dyn FnOnce(&[Reminder]) -> Option<Append> + Send>;

impl Store {
    /// Does what an account asked for and answers it; the reminders that were kept or forgotten. With `outbound`, which waits in
    /// the outbox, that is done with; if it was already, nothing happens. [`crate::StoreError::Limit`]: the account has
    /// [`crate::limits::REMINDERS`]; [`crate::StoreError::NotFound`]: there is no such account.
    pub async fn do_errand(
        &self,
        uid: Uid,
        outbound: Option<u64>,
        errand: Errand,
        reply: Reply,
    ) -> Result<Vec<Reminder>> {
        self.write(move |tx| reminders::errand(tx, uid, outbound, &errand, reply)).await
    }

    /// An account's reminders, in the order in which they are due.
    pub async fn reminders(&self, uid: Uid) -> Result<Vec<Reminder>> {
        self.read(move |conn| reminders::of(conn, uid)).await
    }

    /// Those that are due, the oldest first, at most `limit`.
    pub async fn reminders_due(&self, now: Timestamp, limit: usize) -> Result<Vec<Reminder>> {
        self.read(move |conn| reminders::due(conn, now, limit)).await
    }

    /// When the next one is due; `None`: there is none.
    pub async fn next_reminder(&self) -> Result<Option<Timestamp>> {
        self.read(reminders::next).await
    }

    /// A reminder is told by `append` and comes back at `next`, or goes; false, and nothing has happened, if it is not what was
    /// `seen` any more.
    pub async fn remind(
        &self,
        seen: Reminder,
        next: Option<Timestamp>,
        append: Option<Append>,
    ) -> Result<bool> {
        self.write(move |tx| reminders::remind(tx, &seen, next, append)).await
    }
}
