//! Phones as they are inside: `+491711234567@sms.DOMAIN`; and whoever has no number but letters, as banks do (XEP-0106).

use super::phone;
use crate::mail::address::{escape, unescape};
use rookery_proto::jid::BareJid;

/// Bytes of what a carrier calls somebody: SMPP has room for twenty.
const NAME: usize = 20;

/// Somebody as an address inside.
pub(super) fn inside(party: &str, host: &str) -> Option<BareJid> {
    let fits = !party.trim().is_empty() && party.len() <= NAME;
    fits.then(|| BareJid::new(&format!("{}@{host}", escape(party.trim()))).ok()).flatten()
}

/// Back again; also those who cannot be written to.
pub(super) fn outside(peer: &BareJid) -> Option<String> {
    let party = unescape(peer.node()?.as_str());
    (party.len() <= NAME).then_some(party)
}

/// Whether a localpart at the gateway's host can be written to: the canonical form of a number, so that a phone has one
/// conversation.
pub fn reaches(local: &str) -> bool {
    phone::is_canonical(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_have_addresses() {
        let address = |party| inside(party, "sms.x").map(|it| it.to_string());
        assert_eq!(address("+491711234567").as_deref(), Some("+491711234567@sms.x"));
        assert_eq!(address("My Bank").as_deref(), Some("my\\20bank@sms.x"));
        assert_eq!((address(""), address(" "), address(&"x".repeat(21))), (None, None, None));
        assert_eq!(outside(&inside("+491711234567", "sms.x").unwrap()).as_deref(), Some("+491711234567"));
        assert!(reaches("+491711234567") && !reaches("491711234567") && !reaches("my\\20bank"));
    }
}
