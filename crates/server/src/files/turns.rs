//! One attempt at an upload at a time. The newest wins: who sends anew knows that the connection before is dead, often long
//! before we do.

use parking_lot::Mutex;
use rookery_store::FileToken;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::{OwnedMutexGuard, watch};

/// The uploads under way: at most one for each connection that there is.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<FileToken, Arc<Attempts>>>);

#[derive(Default)]
struct Attempts {
    /// Counts attempts.
    newest: watch::Sender<u64>,
    one: Arc<tokio::sync::Mutex<()>>,
}

/// The right to write the bytes of an upload, for as long as it is kept: it goes wherever they are worked with, so that no
/// other attempt begins while a write or a move of this one is still under way.
pub struct Turn {
    turns: Arc<Turns>,
    token: FileToken,
    newest: watch::Receiver<u64>,
    /// `None` while it waits, and when it is given back.
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Tells the attempts before to give up, and waits for their end.
    pub(super) async fn take(self: &Arc<Turns>, token: FileToken) -> Turn {
        let (newest, one) = {
            let mut uploads = self.0.lock();
            let attempts = uploads.entry(token).or_default();
            attempts.newest.send_modify(|number| *number += 1);
            (attempts.newest.subscribe(), attempts.one.clone())
        };
        let mut turn = Turn { turns: self.clone(), token, newest, guard: None };
        turn.guard = Some(one.lock_owned().await);
        turn
    }
}

impl Turn {
    /// Resolves when another attempt has begun.
    pub async fn overtaken(&mut self) {
        // It fails only when nobody counts any more, and that is no other attempt.
        if self.newest.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut uploads = self.turns.0.lock();
        self.guard = None;
        // Only this attempt listens any more.
        if uploads.get(&self.token).is_some_and(|attempts| attempts.newest.receiver_count() == 1) {
            uploads.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_attempt_wins() {
        let turns = Arc::new(Turns::default());
        let token = FileToken::new(&[b'a'; FileToken::LEN]).unwrap();
        let mut first = turns.take(token).await;
        let second = turns.take(token);
        tokio::pin!(second);
        tokio::select! {
            biased;
            _ = &mut second => panic!("two write at once"),
            () = first.overtaken() => {}
        }
        drop(first);
        let second = second.await;
        assert_eq!(turns.0.lock().len(), 1);
        drop(second);
        assert!(turns.0.lock().is_empty(), "nothing is kept of what is over");
    }

    #[tokio::test]
    async fn uploads_do_not_wait_for_each_other() {
        let turns = Arc::new(Turns::default());
        let token = |letter| FileToken::new(&[letter; FileToken::LEN]).unwrap();
        let _one = turns.take(token(b'a')).await;
        let _other = turns.take(token(b'b')).await;
    }
}
