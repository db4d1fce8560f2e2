//! Guessing is slow: failed authentications cost an address its patience and an account its haste.
//!
//! An address that fails too often is refused for a while, whatever it names. An account that is guessed at from many
//! addresses is never locked (that would be a weapon): each further attempt waits longer. Who asks for a challenge and
//! goes has tried something, too. Nothing here depends on whether the account exists.

use quick_cache::sync::Cache;
use rookery_proto::jid::NodePart;
use rookery_store::Timestamp;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// Addresses and names remembered; beyond it the least used are forgotten.
const REMEMBERED: usize = 50_000;

/// Failures that an address has free, and how long one takes to be forgiven.
const ADDRESS_BURST: f64 = 20.0;
const ADDRESS_FORGIVEN: Duration = Duration::from_secs(30);

/// Failures at one account after which each attempt waits, and how long one takes to be forgiven.
const ACCOUNT_BURST: f64 = 10.0;
const ACCOUNT_FORGIVEN: Duration = Duration::from_secs(60);

/// What is forgotten of more failures at once: an hour after an attack an account is as quick as ever.
const MOST: f64 = 60.0;

/// The longest wait of an attempt.
const LONGEST: Duration = Duration::from_secs(5);

/// Failures so far.
pub struct Throttle {
    addresses: Debts<IpAddr>,
    accounts: Debts<Box<str>>,
}

/// What an attempt must expect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Go on after this long.
    After(Duration),
    /// Not now (RFC 6120 §6.5.10: temporary-auth-failure).
    Refused,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle {
            addresses: Debts::new(ADDRESS_FORGIVEN, MOST),
            accounts: Debts::new(ACCOUNT_FORGIVEN, MOST),
        }
    }
}

impl Throttle {
    /// Whether `address` may try `account` now.
    pub fn judge(&self, address: IpAddr, account: &str, now: Timestamp) -> Verdict {
        if self.addresses.of(&subnet(address), now) >= ADDRESS_BURST {
            return Verdict::Refused;
        }
        let over = self.accounts.of(&*folded(account), now) - ACCOUNT_BURST;
        Verdict::After(Duration::from_secs_f64(over.max(0.0)).min(LONGEST))
    }

    /// An attempt ended before its outcome, and after we had said something of the account: it counts as a guess of the
    /// address. It does not slow the account, whose owner may just have lost the line.
    pub fn abandoned(&self, address: IpAddr, now: Timestamp) {
        self.addresses.add(subnet(address), now);
    }

    /// An attempt failed.
    pub fn failed(&self, address: IpAddr, account: &str, now: Timestamp) {
        self.addresses.add(subnet(address), now);
        self.accounts.add(folded(account), now);
    }
}

/// A name as addresses compare it: another case of a letter is not another account to guess at.
fn folded(account: &str) -> Box<str> {
    NodePart::new(account).map_or_else(|_| account.into(), |node| node.as_str().into())
}

/// Who holds one IPv6 address holds its /64 (RFC 6177).
pub fn subnet(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            IpAddr::V6(octets.into())
        }
        v4 => v4,
    }
}

/// Counts that shrink by one in every `forgiven`.
pub struct Debts<K> {
    forgiven: Duration,
    most: f64,
    counts: Cache<K, (f64, Timestamp)>,
}

impl<K: Hash + Eq + Clone> Debts<K> {
    /// No debts; one is forgiven in every `forgiven`, and none counts beyond `most`.
    pub fn new(forgiven: Duration, most: f64) -> Debts<K> {
        Debts { forgiven, most, counts: Cache::new(REMEMBERED) }
    }

    /// The count of `key` now.
    pub fn of<Q>(&self, key: &Q, now: Timestamp) -> f64
    where
        Q: Hash + quick_cache::Equivalent<K> + ?Sized,
    {
        let Some((count, at)) = self.counts.get(key) else { return 0.0 };
        let passed = (now.0 - at.0).max(0) as f64 / self.forgiven.as_millis() as f64;
        (count - passed).max(0.0)
    }

    /// One more.
    pub fn add(&self, key: K, now: Timestamp) {
        let count = (self.of(&key, now) + 1.0).min(self.most);
        self.counts.insert(key, (count, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn an_address_is_refused_and_forgiven() {
        let throttle = Throttle::default();
        let now = Timestamp(0);
        for n in 0..20 {
            assert_ne!(throttle.judge(HERE, &format!("user{n}"), now), Verdict::Refused);
            throttle.failed(HERE, &format!("user{n}"), now);
        }
        assert_eq!(throttle.judge(HERE, "anybody", now), Verdict::Refused);
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(throttle.judge(other, "anybody", now), Verdict::After(Duration::ZERO));
        assert_ne!(throttle.judge(HERE, "anybody", Timestamp(31_000)), Verdict::Refused);
    }

    #[test]
    fn an_account_is_slowed_but_never_locked() {
        let throttle = Throttle::default();
        for n in 0..200u8 {
            let address = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, n));
            throttle.failed(address, "alice", Timestamp(0));
        }
        assert_eq!(throttle.judge(HERE, "alice", Timestamp(0)), Verdict::After(LONGEST));
        assert_eq!(throttle.judge(HERE, "ALICE", Timestamp(0)), Verdict::After(LONGEST));
        assert_eq!(throttle.judge(HERE, "alice", Timestamp(3_600_000)), Verdict::After(Duration::ZERO));
        assert_eq!(throttle.judge(HERE, "bob", Timestamp(0)), Verdict::After(Duration::ZERO));
    }

    #[test]
    fn what_is_abandoned_costs_the_address_and_not_the_account() {
        let throttle = Throttle::default();
        for _ in 0..20 {
            throttle.abandoned(HERE, Timestamp(0));
        }
        assert_eq!(throttle.judge(HERE, "alice", Timestamp(0)), Verdict::Refused);
        let other = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));
        assert_eq!(throttle.judge(other, "alice", Timestamp(0)), Verdict::After(Duration::ZERO));
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let a: IpAddr = "2001:db8::1".parse().expect("an address");
        let b: IpAddr = "2001:db8::ffff:1".parse().expect("an address");
        assert_eq!(subnet(a), subnet(b));
    }
}
