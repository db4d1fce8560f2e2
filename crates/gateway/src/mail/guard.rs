//! Who guesses at addresses, and how many connect.

use super::limits;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rookery_store::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What is remembered of peers.
pub(super) struct Guard {
    /// Guesses, and since when they count.
    guesses: Cache<IpAddr, (u32, Timestamp)>,
    connected: Mutex<HashMap<IpAddr, usize>>,
}

/// A place among the connections, until it is dropped.
pub struct Place {
    guard: Arc<Guard>,
    peer: IpAddr,
}

impl Guard {
    pub(super) fn new() -> Guard {
        Guard { guesses: Cache::new(limits::GUESSERS), connected: Mutex::default() }
    }

    /// A place for a connection, if there is one.
    pub(super) fn enter(self: &Arc<Guard>, peer: IpAddr) -> Option<Place> {
        let peer = network(peer);
        let mut connected = self.connected.lock();
        let all: usize = connected.values().sum();
        let own = connected.get(&peer).copied().unwrap_or(0);
        if all >= limits::CONNECTIONS || own >= limits::CONNECTIONS_PER_ADDRESS {
            return None;
        }
        connected.insert(peer, own + 1);
        Some(Place { guard: self.clone(), peer })
    }

    /// A peer has named somebody who is nobody.
    pub(super) fn guessed(&self, peer: IpAddr, now: Timestamp) {
        let peer = network(peer);
        let (count, since) = self.counted(peer, now).unwrap_or((0, now));
        self.guesses.insert(peer, (count.saturating_add(1), since));
    }

    /// Whether it has done so too often.
    pub(super) fn guesses(&self, peer: IpAddr, now: Timestamp) -> bool {
        self.counted(network(peer), now).is_some_and(|(count, _)| count >= limits::GUESSES)
    }

    fn counted(&self, peer: IpAddr, now: Timestamp) -> Option<(u32, Timestamp)> {
        let counts = |since: &Timestamp| now.0 - since.0 < limits::GUESSING.as_millis() as i64;
        self.guesses.get(&peer).filter(|(_, since)| counts(since))
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

    #[test]
    fn who_guesses_waits_and_is_forgiven() {
        let guard = Guard::new();
        let peer = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..limits::GUESSES {
            assert!(!guard.guesses(peer("2001:db8::1"), Timestamp(5)));
            guard.guessed(peer("2001:db8::1"), Timestamp(5));
        }
        assert!(guard.guesses(peer("2001:db8::2"), Timestamp(6)), "the same network");
        assert!(!guard.guesses(peer("2001:db8:0:1::2"), Timestamp(6)));
        assert!(!guard.guesses(peer("2001:db8::1"), Timestamp(5 + limits::GUESSING.as_millis() as i64)));
    }

    #[test]
    fn connections_are_counted() {
        let guard = Arc::new(Guard::new());
        let here = "127.0.0.1".parse().expect("an address");
        let places: Vec<_> = (0..limits::CONNECTIONS_PER_ADDRESS).map(|_| guard.enter(here)).collect();
        assert!(places.iter().all(Option::is_some) && guard.enter(here).is_none());
        assert!(guard.enter("127.0.0.2".parse().expect("an address")).is_some());
        drop(places);
        assert!(guard.enter(here).is_some());
    }
}
