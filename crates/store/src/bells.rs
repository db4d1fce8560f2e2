//! Who wants to know when something in the folders of an account changes.

use std::collections::HashMap;

use parking_lot::Mutex;
use rookery_proto::Uid;
use tokio::sync::watch;

/// A bell for each account that somebody listens to: it holds one ring, however often it rang.
#[derive(Default)]
pub(crate) struct Bells(Mutex<HashMap<Uid, watch::Sender<()>>>);

impl Bells {
    /// Listens to an account's bell for as long as the receiver is kept.
    pub(crate) fn listen(&self, uid: Uid) -> watch::Receiver<()> {
        let mut bells = self.0.lock();
        bells.retain(|_, bell| bell.receiver_count() > 0);
        bells.entry(uid).or_insert_with(|| watch::channel(()).0).subscribe()
    }

    /// Rings an account's bell.
    pub(crate) fn ring(&self, uid: Uid) {
        if let Some(bell) = self.0.lock().get(&uid) {
            bell.send_replace(());
        }
    }
}
