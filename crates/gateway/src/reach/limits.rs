//! How long and how often people are tried to be reached.

use rookery_store::Urgency;
use std::time::Duration;

/// How long handing over one sending may take: connecting, signing in and speaking, on a slow line.
pub const HAND_OVER: Duration = Duration::from_secs(90);

/// Sendings of one way that are handed over at a time: enough for a carrier that is far away, and few enough for a modem's pool.
pub const AT_ONCE: usize = 8;

/// Conversations that are told of at once, where a way can: beyond it one looks for oneself.
pub const TOGETHER: usize = 20;

/// The pause after a carrier was not ready for the first time; it doubles up to [`LONGEST_PAUSE`].
pub const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// See [`FIRST_PAUSE`].
pub const LONGEST_PAUSE: Duration = Duration::from_secs(900);

/// The pause after the store has failed.
pub const STORE_PAUSE: Duration = Duration::from_secs(5);

/// How long a carrier is tried that is not ready: what comes later helps nobody.
pub fn patience(urgency: Urgency) -> Duration {
    match urgency {
        Urgency::Normal => Duration::from_secs(24 * 3600),
        Urgency::Important => Duration::from_secs(6 * 3600),
        Urgency::Urgent => Duration::from_secs(3600),
    }
}

/// The pause before the attempt after this many.
pub fn pause(attempts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST_PAUSE)
}

/// How long a case is followed: who comes back after a long weekend has the messages themselves.
pub const CASE_AGE: Duration = Duration::from_secs(3 * 24 * 3600);

/// How long a case that waits for somebody to leave the last device is not looked at: presence changes too often to follow it.
pub const LOOK_AGAIN: Duration = Duration::from_secs(120);

/// How long an answer to what is urgent may take after the last news, before nobody was reached.
pub const ANSWER: Duration = Duration::from_secs(900);

/// Cases that are looked at before the store is asked anew.
pub const CASES: usize = 100;

/// Digits of the code that acknowledges a sending: what one remembers from a pager's line.
pub const CODE_DIGITS: u32 = 4;

/// How long after the last news of a sending what comes from where it went, without its code, is the answer to it.
pub const ANSWER_WITHOUT_CODE: Duration = Duration::from_secs(2 * 3600);

/// Wrong codes for an account within [`GUESSING`], before only what needs no code is an answer: of 10,000 codes a few are good at a
/// time.
pub const GUESSES: u32 = 10;
/// See [`GUESSES`].
pub const GUESSING: Duration = Duration::from_secs(3600);

/// Sendings of an account among which the one is looked for that was answered.
pub const ANSWERABLE: usize = 50;
