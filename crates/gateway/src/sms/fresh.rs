//! What carriers have just accepted: a receipt may be quicker than the store, which is told by another way.

use super::limits;
use quick_cache::sync::Cache;
use rookery_store::SendingId;

/// Carriers' names of sendings.
pub struct Fresh {
    sendings: Cache<String, SendingId>,
}

impl Default for Fresh {
    fn default() -> Fresh {
        Fresh { sendings: Cache::new(limits::FRESH) }
    }
}

impl Fresh {
    /// What a carrier calls a sending, as one name among all carriers.
    pub fn name(carrier: &str, id: &str) -> String {
        format!("{carrier} {id}")
    }

    /// A carrier has accepted it.
    pub(super) fn note(&self, carrier: &str, id: &str, sending: SendingId) {
        self.sendings.insert(Fresh::name(carrier, id), sending);
    }

    /// The sending of a name.
    pub(super) fn sending(&self, name: &str) -> Option<SendingId> {
        self.sendings.get(name)
    }
}
