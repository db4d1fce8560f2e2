//! The one place that reads the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970 that never go back: comparable between the processes of one machine, to some microseconds.
pub(crate) struct Clock {
    start: Instant,
    base: u64,
}

/// A second, in the clock's unit.
pub(crate) const SECOND: u64 = 1_000_000_000;

impl Clock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the load generator measures time; this is where it reads it"
    )]
    pub(crate) fn new() -> Clock {
        let base = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64);
        Clock { start: Instant::now(), base }
    }

    pub(crate) fn now(&self) -> u64 {
        self.base + self.start.elapsed().as_nanos() as u64
    }
}
