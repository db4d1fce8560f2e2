//! The second factor of administrators: what administers is done by a session only after it has proven a code of the moment
//! (RFC 6238), and for a while.
//!
//! It guards the rights, not the sign-in, so that it works with every client: a code is the answer to a command.

use crate::session::Session;
use crate::{Core, limits};
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use rookery_proto::Uid;
use rookery_store::{Factor, Result, Timestamp};
use sha1::Sha1;
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use subtle::ConstantTimeEq;

/// Seconds for which a code is the code (RFC 6238 §5.2).
const STEP: u64 = 30;

/// What makes codes.
#[derive(Clone, Copy)]
pub struct Key([u8; 20]);

impl Key {
    /// As people type it, and as it is in the address that applications read.
    pub fn text(&self) -> String {
        data_encoding::BASE32_NOPAD.encode(&self.0)
    }

    /// The key of this text.
    pub fn parse(text: &str) -> Option<Key> {
        Some(Key(data_encoding::BASE32_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok()?))
    }

    /// The code of a step: six digits (RFC 4226 §5.3).
    pub fn code(&self, step: u64) -> String {
        let mut mac =
            <Hmac<Sha1> as KeyInit>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest[19] & 15);
        let word = u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]);
        format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
    }

    /// The step that this is the code of: the one of now, the one before or the one after, for clocks go wrong.
    fn step(&self, code: &str, now: Timestamp) -> Option<u64> {
        let middle = step_at(now);
        [middle, middle.saturating_sub(1), middle + 1]
            .into_iter()
            .find(|step| self.code(*step).as_bytes().ct_eq(code.as_bytes()).into())
    }
}

/// The step of a moment.
pub fn step_at(now: Timestamp) -> u64 {
    (now.0.max(0) / 1_000) as u64 / STEP
}

/// Why a code is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is not the code of now, or was used.
    Wrong,
    /// There were too many wrong ones.
    TooMany,
    /// The account has no second factor.
    None,
}

/// Sessions that have proven it lately, and who guesses.
#[derive(Default)]
pub struct Confirmed(Mutex<Known>);

#[derive(Default)]
struct Known {
    sessions: Vec<(Weak<Session>, Timestamp)>,
    /// Wrong codes of an account, and when the first of them came.
    wrong: HashMap<Uid, (u32, Timestamp)>,
}

impl Confirmed {
    fn has(&self, session: &Arc<Session>, now: Timestamp) -> bool {
        let known = self.0.lock();
        known
            .sessions
            .iter()
            .any(|(who, until)| *until > now && std::ptr::eq(who.as_ptr(), Arc::as_ptr(session)))
    }

    fn note(&self, session: &Arc<Session>, now: Timestamp) {
        let mut known = self.0.lock();
        known.sessions.retain(|(who, until)| *until > now && who.strong_count() > 0);
        known.sessions.push((Arc::downgrade(session), Timestamp(now.0 + limits::CONFIRMED_MS)));
    }

    /// Whether the account may try another code; it counts as a wrong one until [`Confirmed::right`].
    fn may_try(&self, uid: Uid, now: Timestamp) -> bool {
        let mut known = self.0.lock();
        known.wrong.retain(|_, (_, since)| now.0 - since.0 < limits::CONFIRMED_MS);
        let (count, _) = known.wrong.entry(uid).or_insert((0, now));
        *count += 1;
        *count <= limits::WRONG_CODES
    }

    fn right(&self, uid: Uid) {
        self.0.lock().wrong.remove(&uid);
    }
}

impl Core {
    /// The key of an account's codes.
    pub fn factor_key(&self, uid: Uid, seed: &[u8; 16]) -> Key {
        let derived = self.secret.derive("second factor", &[&uid.0.to_be_bytes(), seed]);
        let mut key = [0; 20];
        key.copy_from_slice(&derived[..20]);
        Key(key)
    }

    /// Whether a session of this account may administer now, as far as a second factor goes. `None`: it must have one first.
    pub async fn is_confirmed(&self, session: &Arc<Session>) -> Result<Option<bool>> {
        Ok(match self.store.factor(session.uid).await? {
            Some(_) => Some(self.confirmed.has(session, self.env.now())),
            None if self.policy.second_factor => None,
            None => Some(true),
        })
    }

    /// Gives the account a second factor, proven by its first code, or says why not.
    pub async fn begin_factor(
        &self,
        session: &Arc<Session>,
        seed: [u8; 16],
        code: &str,
    ) -> Result<std::result::Result<(), Refusal>> {
        let (uid, now) = (session.uid, self.env.now());
        if !self.confirmed.may_try(uid, now) {
            return Ok(Err(Refusal::TooMany));
        }
        let Some(step) = self.factor_key(uid, &seed).step(code, now) else { return Ok(Err(Refusal::Wrong)) };
        if !self.store.set_factor(uid, Factor { seed, since: now, step }).await? {
            return Ok(Err(Refusal::Wrong));
        }
        self.confirmed.right(uid);
        self.confirmed.note(session, now);
        Ok(Ok(()))
    }

    /// Takes a code of the account's second factor: the session may administer for a while.
    pub async fn confirm(
        &self,
        session: &Arc<Session>,
        code: &str,
    ) -> Result<std::result::Result<(), Refusal>> {
        let (uid, now) = (session.uid, self.env.now());
        let Some(factor) = self.store.factor(uid).await? else { return Ok(Err(Refusal::None)) };
        if !self.confirmed.may_try(uid, now) {
            return Ok(Err(Refusal::TooMany));
        }
        match self.factor_key(uid, &factor.seed).step(code, now) {
            Some(step) if self.store.use_factor(uid, step).await? => {
                self.confirmed.right(uid);
                self.confirmed.note(session, now);
                Ok(Ok(()))
            }
            _ => Ok(Err(Refusal::Wrong)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, the last six of its eight digits.
    #[test]
    fn codes_of_the_standard() {
        let key = Key(*b"12345678901234567890");
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let at = Timestamp(seconds * 1_000);
            assert_eq!(key.code(step_at(at)), code);
            assert_eq!(key.step(code, at), Some(step_at(at)));
            assert_eq!(key.step(code, Timestamp(at.0 + 61_000)), None);
        }
        assert_eq!(Key::parse(&key.text()).map(|same| same.0), Some(key.0));
        assert_eq!(key.step("28708", Timestamp(59_000)), None);
    }
}
