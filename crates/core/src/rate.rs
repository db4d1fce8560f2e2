//! How often something may happen: so many at once, and more as time goes by (the generic cell rate algorithm: a token bucket
//! without tokens).

use rookery_proto::error::{ErrorType, StanzaError};
use rookery_store::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// Periods in microseconds.
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// So many at once, and one more each `interval` microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rate {
    interval: i64,
    burst: i64,
}

impl Rate {
    /// `count` in a period of microseconds, `burst` at once; `None` where there is no limit.
    pub(crate) fn new(count: u32, period: i64, burst: u32) -> Option<Rate> {
        (count > 0).then(|| Rate { interval: period / i64::from(count), burst: i64::from(burst) })
    }
}

/// When the next would be due if they came evenly, microseconds since the Unix epoch. It is read and moved without a lock.
#[derive(Default)]
pub(crate) struct Gauge(AtomicI64);

/// By how many microseconds something comes too early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Early(i64);

impl Gauge {
    /// Takes as many of `wanted` as there are left, and at least one, or says that it is too early for that.
    pub(crate) fn take(&self, rate: Rate, wanted: u32, now: Timestamp) -> Result<u32, Early> {
        if wanted == 0 {
            return Ok(0);
        }
        let now = now.0.saturating_mul(1_000);
        let full = rate.interval * rate.burst;
        // Further ahead than a burst it cannot be, unless the clock was set back.
        let due = |next: i64| if next > now + full { now } else { next.max(now) };
        let left = |next: i64| i64::from(wanted).min((now + full - due(next)) / rate.interval);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            let taken = left(next);
            (taken > 0).then(|| due(next) + taken * rate.interval)
        });
        match taken {
            Ok(before) => Ok(u32::try_from(left(before)).unwrap_or(wanted)),
            Err(next) => Err(Early(due(next) + rate.interval - now - full)),
        }
    }
}

impl Early {
    /// RFC 6120 §8.3.3.12: of the type `wait`, and after how long in words, as there is no element for it.
    pub(crate) fn refuse(self, text: &str) -> StanzaError {
        let seconds = self.0.max(1).unsigned_abs().div_ceil(SECOND.unsigned_abs());
        let wait = match seconds {
            1 => "a second".to_owned(),
            2..=119 => format!("{seconds} seconds"),
            120..=7_199 => format!("{} minutes", seconds.div_ceil(60)),
            _ => format!("{} hours", seconds.div_ceil(3_600)),
        };
        let text = format!("{text} Try again in {wait}.");
        StanzaError::policy_violation().kind(ErrorType::Wait).text(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One in ten milliseconds, three at once.
    const RATE: Rate = Rate { interval: 10_000, burst: 3 };

    fn take(gauge: &Gauge, wanted: u32, now: i64) -> Result<u32, i64> {
        gauge.take(RATE, wanted, Timestamp(now)).map_err(|early| early.0)
    }

    #[test]
    fn a_burst_and_then_the_steady_pace() {
        let gauge = Gauge::default();
        for _ in 0..3 {
            assert_eq!(take(&gauge, 1, 1_000), Ok(1));
        }
        assert_eq!(take(&gauge, 1, 1_000), Err(10_000));
        assert_eq!(take(&gauge, 1, 1_009), Err(1_000), "what was refused does not count");
        assert_eq!(take(&gauge, 1, 1_010), Ok(1));
        assert_eq!(take(&gauge, 1, 1_010), Err(10_000));
        for _ in 0..3 {
            assert_eq!(take(&gauge, 1, 2_000), Ok(1), "no more than a burst is saved up");
        }
        assert_eq!(take(&gauge, 1, 2_000), Err(10_000));
    }

    #[test]
    fn of_many_so_many_as_there_are_left() {
        let gauge = Gauge::default();
        assert_eq!(take(&gauge, 2, 0), Ok(2));
        assert_eq!(take(&gauge, 2, 0), Ok(1));
        assert_eq!((take(&gauge, 0, 0), take(&gauge, 2, 0)), (Ok(0), Err(10_000)));
        assert_eq!(take(&gauge, 2, 10), Ok(1));
        assert_eq!(take(&gauge, 9, 9_000), Ok(3));
    }

    #[test]
    fn a_clock_that_goes_back_locks_nobody_out() {
        let gauge = Gauge::default();
        assert_eq!(take(&gauge, 3, 1_000_000), Ok(3));
        assert_eq!(take(&gauge, 1, 500), Ok(1));
        assert_eq!(take(&gauge, 1, -1_000_000), Ok(1));
    }

    #[test]
    fn a_wait_is_said_in_words() {
        for (early, words) in [
            (0, "a second"),
            (999_999, "a second"),
            (SECOND + 1, "2 seconds"),
            (3 * MINUTE, "3 minutes"),
            (5 * HOUR, "5 hours"),
        ] {
            let text = Early(early).refuse("Slow.").text.expect("a text");
            assert_eq!(text, format!("Slow. Try again in {words}."));
        }
    }

    #[test]
    fn no_limit_is_none() {
        assert_eq!(Rate::new(0, SECOND, 0), None);
        assert_eq!(Rate::new(50, SECOND, 1_000), Some(Rate { interval: 20_000, burst: 1_000 }));
    }
}
