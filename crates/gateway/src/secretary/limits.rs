//! How much the secretary takes, and how punctual it is.

use std::time::Duration;

/// Bytes of what somebody says that are read: a paragraph.
pub const SAID: usize = rookery_store::limits::REMINDER_BYTES;

/// The most minutes ahead that one may say; about ten years, as an appointment far away is written down elsewhere too.
pub const MINUTES_AHEAD: u32 = 10 * 366 * 24 * 60;

/// After how long a reminder says that it is late: a busy server is not.
pub const LATE: Duration = Duration::from_secs(120);

/// Messages that are taken from the outbox at a time, and reminders that are looked up at a time.
pub const BATCH: usize = 50;

/// The pause after the store has failed.
pub const AGAIN: Duration = Duration::from_secs(5);
