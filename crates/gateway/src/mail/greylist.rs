//! Servers that are new are asked to come again (RFC 6647): mail servers do, and much of what sends junk does not.

use super::{Gateway, address, limits};
use crate::guard::network;
use quick_cache::sync::Cache;
use rookery_core::member::Member;
use rookery_proto::Uid;
use rookery_store::{StoreError, Timestamp};
use std::net::IpAddr;
use std::time::Duration;

/// Who was asked to come again, and who has. It is remembered in memory: after a restart servers come once more.
pub(super) struct Greylist {
    /// Since when a server's mail from this address for this account waits.
    waiting: Cache<(IpAddr, String, Uid), Timestamp>,
    /// When a server that has come again was last seen.
    known: Cache<IpAddr, Timestamp>,
}

impl Greylist {
    pub(super) fn new() -> Greylist {
        Greylist { waiting: Cache::new(limits::GREYLISTED), known: Cache::new(limits::GREYLISTED) }
    }

    /// Whether mail from this address for this account is taken now.
    pub(super) fn lets(&self, peer: IpAddr, from: &str, to: Uid, now: Timestamp) -> bool {
        let peer = network(peer);
        let within = |since: Timestamp, time: Duration| now.0 - since.0 < time.as_millis() as i64;
        if self.known.get(&peer).is_some_and(|seen| within(seen, limits::GREYLIST_KNOWN)) {
            self.known.insert(peer, now);
            return true;
        }
        let key = (peer, from.to_ascii_lowercase(), to);
        match self.waiting.get(&key).filter(|since| within(*since, limits::GREYLIST_PATIENCE)) {
            Some(since) if within(since, limits::GREYLIST_WAIT) => false,
            Some(_) => {
                self.waiting.remove(&key);
                self.known.insert(peer, now);
                true
            }
            None => {
                self.waiting.insert(key, now);
                false
            }
        }
    }
}

impl Gateway {
    /// Whether a server's mail for this account is taken now: it is known to come again, or need not, as it is the operator's own, or
    /// brings mail of somebody who has written before.
    pub(super) async fn comes_again(
        &self,
        peer: IpAddr,
        from: &str,
        to: &Member,
        front: bool,
    ) -> Result<bool, StoreError> {
        let Some(greylist) = self.greylist.as_ref().filter(|_| !front) else { return Ok(true) };
        if greylist.lets(peer, from, to.uid, self.core.env.now()) {
            return Ok(true);
        }
        let Some(peer) = address::inside(from, &self.settings.host) else { return Ok(false) };
        Ok(self.core.store.latest_mail(to.uid, peer, None).await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_again_is_known() {
        let list = Greylist::new();
        let at = |time: Duration| Timestamp(1_000_000 + time.as_millis() as i64);
        let (peer, other) =
            ("192.0.2.1".parse().expect("it is one"), "198.51.100.1".parse().expect("it is one"));
        let second = Duration::from_secs(1);
        let lets = |peer, from, time| list.lets(peer, from, Uid(1), at(time));
        assert!(!lets(peer, "a@b.org", Duration::ZERO));
        assert!(!lets(peer, "A@b.org", limits::GREYLIST_WAIT - second));
        assert!(!lets(peer, "c@b.org", limits::GREYLIST_WAIT), "that is another mail");
        assert!(lets(peer, "A@b.org", limits::GREYLIST_WAIT));
        assert!(lets(peer, "c@b.org", limits::GREYLIST_WAIT), "the server has shown that it comes again");
        assert!(!lets(other, "a@b.org", limits::GREYLIST_WAIT));
        let long = limits::GREYLIST_WAIT + limits::GREYLIST_KNOWN;
        assert!(lets(peer, "d@b.org", long - second) && !lets(peer, "d@b.org", 2 * long));
        // Who comes after days comes as if for the first time.
        assert!(!lets(other, "a@b.org", limits::GREYLIST_WAIT + limits::GREYLIST_PATIENCE));
    }
}
