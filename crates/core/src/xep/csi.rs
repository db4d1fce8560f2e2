//! XEP-0352: Client State Indication.

use super::Xep;
use crate::Core;
use crate::session::Session;

/// XEP-0352.
pub const INFO: Xep = Xep {
    number: "XEP-0352",
    name: "Client State Indication",
    version: "1.0.0",
    server: &[],
    account: &[],
    note: "While inactive, presence waits (the newest of each contact) and chat states are dropped.",
};

impl Core {
    /// The client says whether somebody looks at it.
    pub fn client_state(&self, session: &Session, active: bool) {
        session.state().set_inactive(!active);
        self.journal.snapshot(session);
    }
}
