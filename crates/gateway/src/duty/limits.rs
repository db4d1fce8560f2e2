//! How duty groups are tended.

use std::time::Duration;

/// How often it is looked whether somebody has acknowledged a page by a way of reach me: soon enough for a sender who waits.
pub const LOOK: Duration = Duration::from_secs(10);

/// Messages that are taken from the outbox at a time, and pages that are looked at at a time.
pub const BATCH: usize = 50;

/// The pause after the store has failed.
pub const AGAIN: Duration = Duration::from_secs(5);
