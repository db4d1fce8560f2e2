//! Time and chance, handed in from outside so that everything in core can be replayed.

use parking_lot::Mutex;
use rookery_store::Timestamp;
use std::sync::Arc;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The source of time and randomness of one server.
#[derive(Clone)]
pub struct Env {
    clock: Clock,
    chance: Chance,
}

#[derive(Clone)]
enum Clock {
    System,
    /// Begins at a fixed moment and goes on with tokio's clock, which tests pause and advance.
    Virtual {
        begin: Timestamp,
        since: tokio::time::Instant,
    },
}

#[derive(Clone)]
enum Chance {
    System,
    /// SplitMix64 from a seed: repeatable, for tests only.
    Seeded(Arc<Mutex<u64>>),
}

impl Env {
    /// The system's clock and randomness.
    pub fn system() -> Env {
        Env { clock: Clock::System, chance: Chance::System }
    }

    /// A clock that starts at 2026-01-01T00:00:00Z and follows tokio's, and randomness from `seed`.
    pub fn virtual_from(seed: u64) -> Env {
        let begin = Timestamp(1_767_225_600_000);
        let clock = Clock::Virtual { begin, since: tokio::time::Instant::now() };
        Env { clock, chance: Chance::Seeded(Arc::new(Mutex::new(seed))) }
    }

    /// Milliseconds since the Unix epoch, UTC.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        match &self.clock {
            Clock::System => {
                let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                Timestamp(since.map_or(0, |d| d.as_millis() as i64))
            }
            Clock::Virtual { begin, since } => Timestamp(begin.0 + since.elapsed().as_millis() as i64),
        }
    }

    /// Fills `out` with unpredictable bytes.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.chance {
            // Without randomness no id, salt or nonce is safe: there is nothing sensible left to do.
            Chance::System => getrandom::fill(out).expect("the system gives randomness"),
            Chance::Seeded(state) => {
                let mut state = state.lock();
                for chunk in out.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(&mut state).to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// An unpredictable identifier of 128 bits in lower-case base32.
    pub fn token(&self) -> String {
        let mut text = data_encoding::BASE32_NOPAD.encode(&self.bytes::<16>());
        text.make_ascii_lowercase();
        text
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A moment as XEP-0082 writes it: `2026-11-22T21:08:44.123Z`.
pub fn stamp(at: Timestamp) -> String {
    let millis = at.0.rem_euclid(1000);
    let whole = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000));
    let whole = whole.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (y, mo, d) = (whole.year(), u8::from(whole.month()), whole.day());
    let (h, mi, s) = (whole.hour(), whole.minute(), whole.second());
    format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{millis:03}Z")
}

/// Reads a XEP-0082 moment; `None` when it is not one.
pub fn parse_stamp(text: &str) -> Option<Timestamp> {
    let at = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_go_both_ways() {
        let at = Timestamp(1_767_225_600_123);
        assert_eq!(stamp(at), "2026-01-01T00:00:00.123Z");
        assert_eq!(parse_stamp("2026-01-01T00:00:00.123Z"), Some(at));
        assert_eq!(parse_stamp("2026-01-01T02:00:00.123+02:00"), Some(at));
        assert_eq!(parse_stamp("2026-01-01"), None);
        assert_eq!(parse_stamp("1969-12-31T23:59:59.999Z"), Some(Timestamp(-1)));
    }
}
