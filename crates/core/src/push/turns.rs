//! How many notifications of one account are under way: whose endpoints are slow keeps only itself waiting.

use crate::limits;
use rookery_proto::Uid;
use rookery_store::PushId;
use std::collections::HashMap;

/// The accounts that have notifications under way.
#[derive(Default)]
pub(super) struct Turns(HashMap<Uid, Account>);

#[derive(Default)]
struct Account {
    under_way: usize,
    /// Registrations that could be told something, and wait for a turn.
    waiting: Vec<PushId>,
}

impl Turns {
    /// Takes a turn for a registration, or notes that it waits for one.
    pub(super) fn take(&mut self, uid: Uid, id: PushId) -> bool {
        let account = self.0.entry(uid).or_default();
        let free = account.under_way < limits::PUSH_AT_ONCE;
        match free {
            true => account.under_way += 1,
            false => account.waiting.push(id),
        }
        free
    }

    /// Gives a turn back; those that waited for it.
    pub(super) fn give_back(&mut self, uid: Uid) -> Vec<PushId> {
        let Some(account) = self.0.get_mut(&uid) else { return Vec::new() };
        account.under_way -= 1;
        let waiting = std::mem::take(&mut account.waiting);
        if account.under_way == 0 {
            self.0.remove(&uid);
        }
        waiting
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
