//! Who guesses at addresses, how many connect, and how much one peer does within a time.

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rookery_proto::Uid;
use rookery_store::Timestamp;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Peers whose doings are remembered; those that were not seen for longest are forgotten first.
const PEERS: usize = 10_000;

/// What peers may take.
pub(crate) struct Allowance {
    /// Connections at a time.
    pub(crate) connections: usize,
    /// Connections of one address at a time.
    pub(crate) per_address: usize,
    /// Guesses of one address within [`Allowance::guessing`].
    pub(crate) guesses: u32,
    /// How long guesses count.
    pub(crate) guessing: Duration,
}

/// What is remembered of peers.
pub(crate) struct Guard {
    allowance: Allowance,
    guesses: Tally,
    connected: Mutex<HashMap<IpAddr, usize>>,
}

/// Who is counted.
pub(crate) trait Doer: Copy + Eq + Hash {
    /// Whom it stands for.
    fn stands_for(self) -> Self;
}

impl Doer for IpAddr {
    fn stands_for(self) -> IpAddr {
        network(self)
    }
}

impl Doer for Uid {
    fn stands_for(self) -> Uid {
        self
    }
}

/// What peers, or accounts, have done within a time.
pub(crate) struct Tally<Who = IpAddr> {
    most: u32,
    window: Duration,
    /// How often, and since when it counts.
    counts: Cache<Who, (u32, Timestamp)>,
}

/// A place among the connections, until it is dropped.
pub struct Place {
    guard: Arc<Guard>,
    peer: IpAddr,
}

impl<Who: Doer> Tally<Who> {
    pub(crate) fn new(most: u32, window: Duration) -> Tally<Who> {
        Tally { most, window, counts: Cache::new(PEERS) }
    }

    /// Somebody has done it once more.
    pub(crate) fn count(&self, who: Who, now: Timestamp) {
        self.count_all(who, 1, now);
    }

    /// Somebody has done it so many times more.
    pub(crate) fn count_all(&self, who: Who, times: u32, now: Timestamp) {
        let who = who.stands_for();
        let (count, since) = self.counted(who, now).unwrap_or((0, now));
        self.counts.insert(who, (count.saturating_add(times), since));
    }

    /// Whether they have done so as often as they may.
    pub(crate) fn is_over(&self, who: Who, now: Timestamp) -> bool {
        self.counted(who.stands_for(), now).is_some_and(|(count, _)| count >= self.most)
    }

    fn counted(&self, who: Who, now: Timestamp) -> Option<(u32, Timestamp)> {
        let counts = |since: &Timestamp| now.0 - since.0 < self.window.as_millis() as i64;
        self.counts.get(&who).filter(|(_, since)| counts(since))
    }
}

impl Guard {
    pub(crate) fn new(allowance: Allowance) -> Guard {
        let guesses = Tally::new(allowance.guesses, allowance.guessing);
        Guard { allowance, guesses, connected: Mutex::default() }
    }

    /// A place for a connection, if there is one.
    pub(crate) fn enter(self: &Arc<Guard>, peer: IpAddr) -> Option<Place> {
        let peer = network(peer);
        let mut connected = self.connected.lock();
        let all: usize = connected.values().sum();
        let own = connected.get(&peer).copied().unwrap_or(0);
        if all >= self.allowance.connections || own >= self.allowance.per_address {
            return None;
        }
        connected.insert(peer, own + 1);
        Some(Place { guard: self.clone(), peer })
    }

    /// A peer has named somebody who is nobody.
    pub(crate) fn guessed(&self, peer: IpAddr, now: Timestamp) {
        self.guesses.count(peer, now);
    }

    /// Whether it has done so too often.
    pub(crate) fn guesses(&self, peer: IpAddr, now: Timestamp) -> bool {
        self.guesses.is_over(peer, now)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connected = self.guard.connected.lock();
        if let Some(count) = connected.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                connected.remove(&self.peer);
            }
        }
    }
}

/// Whom an address stands for: one machine has a whole /64 of IPv6.
pub(super) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let guessing = Duration::from_secs(3600);
        Guard::new(Allowance { connections: 200, per_address: 10, guesses: 40, guessing })
    }

    #[test]
    fn who_guesses_waits_and_is_forgiven() {
        let guard = guard();
        let peer = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..40 {
            assert!(!guard.guesses(peer("2001:db8::1"), Timestamp(5)));
            guard.guessed(peer("2001:db8::1"), Timestamp(5));
        }
        assert!(guard.guesses(peer("2001:db8::2"), Timestamp(6)), "the same network");
        assert!(!guard.guesses(peer("2001:db8:0:1::2"), Timestamp(6)));
        assert!(!guard.guesses(peer("2001:db8::1"), Timestamp(5 + 3_600_000)));
    }

    #[test]
    fn connections_are_counted() {
        let guard = Arc::new(guard());
        let here = "127.0.0.1".parse().expect("an address");
        let places: Vec<_> = (0..10).map(|_| guard.enter(here)).collect();
        assert!(places.iter().all(Option::is_some) && guard.enter(here).is_none());
        assert!(guard.enter("127.0.0.2".parse().expect("an address")).is_some());
        drop(places);
        assert!(guard.enter(here).is_some());
    }
}
