//! What those who bring mail write down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::check::Handed;

/// Shared by all of them and the run.
#[derive(Clone, Default)]
pub(super) struct Book(Arc<Mutex<Entries>>);

/// What is in it.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) handed: Vec<Handed>,
    pub(super) tally: Tally,
    /// What no mail server should hear of a good mail.
    pub(super) complaints: Vec<String>,
}

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Connections that were greeted.
    pub connections: u64,
    /// Those that were cut before the content of a mail,
    pub in_envelope: u64,
    /// in the midst of it,
    pub in_content: u64,
    /// and when all of it was sent and nothing answered.
    pub unanswered: u64,
    /// Mails that were to come later.
    pub later: u64,
    /// Attempts after the first.
    pub again: u64,
    /// Mails that were not brought again though nobody had taken them.
    pub given_up: u64,
}

impl Book {
    pub(super) fn open(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
