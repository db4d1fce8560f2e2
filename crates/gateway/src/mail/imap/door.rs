//! How many connections there are, of all, of one address, and of one account.

use super::limits;
use parking_lot::Mutex;
use rookery_proto::Uid;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Counts them.
#[derive(Default)]
pub(super) struct Door(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    all: usize,
    peers: HashMap<IpAddr, usize>,
    accounts: HashMap<Uid, usize>,
}

/// A place among the connections, until it is dropped.
pub struct Place {
    door: Arc<Door>,
    peer: IpAddr,
}

/// The same among those of an account.
pub(super) struct Seat {
    door: Arc<Door>,
    uid: Uid,
}

impl Door {
    pub(super) fn enter(self: &Arc<Door>, peer: IpAddr) -> Option<Place> {
        let peer = crate::guard::network(peer);
        let mut counts = self.0.lock();
        let own = counts.peers.get(&peer).copied().unwrap_or(0);
        // Who is on this machine may speak for many.
        if counts.all >= limits::CONNECTIONS
            || (own >= limits::CONNECTIONS_PER_ADDRESS && !peer.is_loopback())
        {
            return None;
        }
        counts.all += 1;
        counts.peers.insert(peer, own + 1);
        Some(Place { door: self.clone(), peer })
    }

    pub(super) fn sit(self: &Arc<Door>, uid: Uid) -> Option<Seat> {
        let mut counts = self.0.lock();
        let own = counts.accounts.entry(uid).or_insert(0);
        if *own >= limits::CONNECTIONS_PER_ACCOUNT {
            return None;
        }
        *own += 1;
        Some(Seat { door: self.clone(), uid })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.door.0.lock();
        counts.all -= 1;
        leave(&mut counts.peers, &self.peer);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        leave(&mut self.door.0.lock().accounts, &self.uid);
    }
}

fn leave<K: std::hash::Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted() {
        let door = Arc::new(Door::default());
        let far = "192.0.2.1".parse().expect("an address");
        let places: Vec<_> = (0..limits::CONNECTIONS_PER_ADDRESS).map(|_| door.enter(far)).collect();
        assert!(places.iter().all(Option::is_some) && door.enter(far).is_none());
        let near = "127.0.0.1".parse().expect("an address");
        let more: Vec<_> = std::iter::from_fn(|| door.enter(near)).collect();
        assert_eq!(places.len() + more.len(), limits::CONNECTIONS);
        drop((places, more));
        assert!(door.enter(far).is_some() && door.0.lock().peers.is_empty());
        let seats: Vec<_> = std::iter::from_fn(|| door.sit(Uid(1))).collect();
        assert_eq!(seats.len(), limits::CONNECTIONS_PER_ACCOUNT);
        assert!(door.sit(Uid(2)).is_some());
        drop(seats);
        assert!(door.sit(Uid(1)).is_some());
    }
}
