//! Whether look-ups meet a slow disk.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// A look-up that took longer has met the disk, or its thread had to make way for another: dozens of times what one costs
/// whose pages are in memory.
const SLOW: Duration = Duration::from_millis(2);

/// What a slow look-up counts; a quick one takes one off. A thread that makes way now and then is forgotten, a disk is not.
const WORTH: u32 = 64;

/// What is borne: more than two slow ones in a short time are too much.
const BORNE: u32 = 2 * WORTH;

/// How slow look-ups have been lately.
#[derive(Default)]
pub(super) struct Patience(AtomicU32);

impl Patience {
    /// Whether the next look-up had better run elsewhere. Each that does makes the next try here nearer.
    pub(super) fn is_over(&self) -> bool {
        let less = |slowness| (slowness > BORNE).then(|| slowness - 1);
        self.0.fetch_update(Relaxed, Relaxed, less).is_ok()
    }

    /// Notes how long a look-up took.
    pub(super) fn note(&self, took: Duration) {
        let noted = |slowness: u32| match took > SLOW {
            true => Some((slowness + WORTH).min(BORNE + WORTH)),
            // Where all is well nothing is written, which other processors would have to fetch.
            false => slowness.checked_sub(1),
        };
        let _ = self.0.fetch_update(Relaxed, Relaxed, noted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_millis(3);
    const SHORT: Duration = Duration::from_micros(20);

    #[test]
    fn one_in_a_hundred_is_borne() {
        let patience = Patience::default();
        for look_up in 0..1_000 {
            patience.note(if look_up % 100 == 0 { LONG } else { SHORT });
            assert!(!patience.is_over());
        }
    }

    #[test]
    fn a_slow_disk_is_tried_now_and_then() {
        let patience = Patience::default();
        let here = (0..660).filter(|_| !patience.is_over()).inspect(|_| patience.note(LONG)).count();
        assert_eq!(here, 3 + (660 - 3) / 65, "three before it is noticed, then one after each sixty-four");
    }

    #[test]
    fn it_comes_back() {
        let patience = Patience::default();
        (0..5).for_each(|_| patience.note(LONG));
        let elsewhere = (0..1_000).take_while(|_| patience.is_over()).count();
        assert_eq!(elsewhere, 64);
        patience.note(SHORT);
        assert!(!patience.is_over());
    }
}
