//! Callers as they are inside: `ward 3` is `ward\203@pager.DOMAIN` (XEP-0106).

use super::limits;
use crate::mail::address::{escape, unescape};
use rookery_proto::jid::{BareJid, NodePart};

/// A caller as an address inside; who does not say who it is, or says something that cannot be an address, is called as the
/// protocol is that it calls by.
pub(super) fn inside(caller: &str, protocol: &str, host: &str) -> Option<BareJid> {
    let name = caller.trim();
    let address = |name: &str| BareJid::new(&format!("{}@{host}", escape(name))).ok();
    let fits = !name.is_empty() && name.len() <= limits::NAME;
    fits.then(|| address(name)).flatten().or_else(|| address(protocol))
}

/// Back again.
pub(super) fn outside(peer: &BareJid) -> Option<String> {
    let name = unescape(peer.node()?.as_str());
    (name.len() <= limits::NAME).then_some(name)
}

/// Whether a localpart at the gateway's host can be a caller.
pub fn reaches(local: &str) -> bool {
    unescape(local).len() <= limits::NAME
}

/// The canonical form of a pager number that somebody has typed; `None`: there can be no such number. They are prepared as
/// the names of accounts are, since both are paged.
pub fn number(typed: &str) -> Option<String> {
    NodePart::new(typed).ok().map(|number| number.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_have_addresses() {
        let address = |caller| inside(caller, "snpp", "pager.x").unwrap().to_string();
        assert_eq!(address("Ward 3"), "ward\\203@pager.x");
        assert_eq!(address("+49 (30) 1@2"), "+49\\20(30)\\201\\402@pager.x");
        assert_eq!(
            (address(""), address(" "), address("\u{7}")),
            ("snpp@pager.x".into(), "snpp@pager.x".into(), "snpp@pager.x".into())
        );
        assert_eq!(outside(&inside("Ward 3", "snpp", "pager.x").unwrap()).as_deref(), Some("ward 3"));
        assert_eq!((number("B7"), number("7 8"), number("7@8")), (Some("b7".into()), None, None));
        assert!(reaches("ward\\203") && !reaches(&"x".repeat(65)));
    }
}
