//! What one phone writes is taken in the order in which it came, whatever is being stored at the same time.

use super::limits;
use parking_lot::Mutex;
use std::hash::{BuildHasher, RandomState};
use tokio::sync::oneshot;

/// Lanes in which phones wait for those before them. A phone always takes the same one; that it meets others there costs it a moment.
pub(super) struct Lanes {
    hasher: RandomState,
    /// Of each lane, the end of whoever entered it last.
    last: [Mutex<Option<oneshot::Receiver<()>>>; limits::LANES],
}

/// A place in a lane, until it is dropped.
pub(super) struct Place {
    before: Option<oneshot::Receiver<()>>,
    _after: oneshot::Sender<()>,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes { hasher: RandomState::new(), last: std::array::from_fn(|_| Mutex::new(None)) }
    }
}

impl Lanes {
    /// The place of what a phone has written just now.
    pub(super) fn enter(&self, phone: &str) -> Place {
        let lane = self.hasher.hash_one(phone) as usize % limits::LANES;
        let (after, end) = oneshot::channel();
        let before = self.last[lane].lock().replace(end);
        Place { before, _after: after }
    }
}

impl Place {
    /// Waits until everything before it is done with, one way or another.
    pub(super) async fn wait(&mut self) {
        if let Some(before) = self.before.take() {
            before.await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_waits_for_the_one_before() {
        let lanes = Lanes::default();
        let (order, mut done) = tokio::sync::mpsc::unbounded_channel();
        let mut places: Vec<_> = (0..20).map(|number| (number, lanes.enter("+49"))).collect();
        // Those that came last are begun first.
        places.reverse();
        for (number, mut place) in places {
            let order = order.clone();
            tokio::spawn(async move {
                place.wait().await;
                tokio::task::yield_now().await;
                order.send(number).unwrap();
            });
        }
        drop(order);
        let mut seen = Vec::new();
        while let Some(number) = done.recv().await {
            seen.push(number);
        }
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }
}
