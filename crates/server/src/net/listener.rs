//! Doors: accepts connections within the bounds and hands each to a task of its own.

use super::throttle::subnet;
use super::{Arrival, Server};
use parking_lot::Mutex;
use rookery_core::limits;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long to wait when the system has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(200);

/// How many connections may be open, over all doors.
pub struct Admission {
    all: Arc<Semaphore>,
    /// Half-open connections have a bound of their own: those who have signed in do not suffer from them.
    negotiating: Arc<Semaphore>,
    per_address: usize,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A connection's place; given back when it is dropped.
pub struct Place {
    _one: OwnedSemaphorePermit,
    /// Who is counted for it.
    address: Option<IpAddr>,
    addresses: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Admission {
    /// Room for `all` connections, and `per_address` of one address.
    pub fn new(all: usize, per_address: usize) -> Admission {
        Admission {
            all: Arc::new(Semaphore::new(all)),
            negotiating: Arc::new(Semaphore::new(limits::NEGOTIATIONS)),
            per_address,
            addresses: Arc::default(),
        }
    }

    /// A place for a connection from `peer`, and its turn to sign in; nothing where a bound is reached.
    fn admit(&self, peer: IpAddr) -> Option<(Place, OwnedSemaphorePermit)> {
        Some((self.enter(Some(peer))?, self.turn()?))
    }

    /// A place for a connection from `peer`; nobody's, if many come through it.
    pub fn enter(&self, peer: Option<IpAddr>) -> Option<Place> {
        let one = self.all.clone().try_acquire_owned().ok()?;
        let address = peer.map(subnet);
        if let Some(address) = address {
            let mut addresses = self.addresses.lock();
            let count = addresses.entry(address).or_default();
            if *count >= self.per_address {
                return None;
            }
            *count += 1;
        }
        Some(Place { _one: one, address, addresses: self.addresses.clone() })
    }

    /// A turn to sign in, to be given back when it is done.
    pub fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.negotiating.clone().try_acquire_owned().ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut addresses = self.addresses.lock();
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}

/// Accepts connections until it is dropped. `direct`: TLS comes first (XEP-0368).
pub async fn run(server: Arc<Server>, listener: TcpListener, admission: Arc<Admission>, direct: bool) {
    loop {
        let (stream, peer) = accept(&listener).await;
        let Some((place, turn)) = admission.admit(peer) else {
            tracing::warn!(%peer, "too many connections; one is turned away");
            continue;
        };
        let server = server.clone();
        tokio::spawn(async move {
            super::serve(server, Arrival::plain(stream, peer), direct, Some(turn)).await;
            drop(place);
        });
    }
}

/// The next connection, and where it comes from.
pub async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            // Small writes go out at once: waiting for more costs a sign-in 40 ms. Without it, it was gone before it began.
            Ok((stream, peer)) if stream.set_nodelay(true).is_ok() => {
                return (stream, peer.ip().to_canonical());
            }
            Ok(_) => {}
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

/// Errors that say something of one peer and nothing of the listener.
fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_and_given_back() {
        let admission = Admission::new(3, 2);
        let here: IpAddr = "192.0.2.1".parse().expect("an address");
        let there: IpAddr = "192.0.2.2".parse().expect("an address");
        let first = admission.admit(here);
        let second = admission.admit(here);
        assert!(first.is_some() && second.is_some());
        assert!(admission.admit(here).is_none(), "two of one address");
        let third = admission.admit(there);
        assert!(third.is_some());
        drop(first);
        assert!(admission.admit(there).is_some(), "the place is free again");
    }
}
