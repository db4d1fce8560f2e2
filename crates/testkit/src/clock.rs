//! Virtual time: it stands still until the test moves it, and a watchdog in real time ends a test that hangs.

use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

/// How long a whole test may take in real time. Only a safety net: nothing is ever waited for this long.
const WATCHDOG: Duration = Duration::from_secs(30);

/// The longest step in which time is moved, so that timers fire in their order and their work is done in between.
pub const STEP: Duration = Duration::from_secs(15);

/// Run a test on a runtime of its own whose clock stands still. `None` if it hung.
///
/// Tokio's paused clock jumps ahead by itself when all tasks are idle, and would do so while a thread outside the
/// runtime (the store's writer) is at work. A blocking task that lasts as long as the test keeps it from jumping;
/// the same task is the watchdog.
pub fn run<T>(test: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime can be built");
    let (done, ended) = mpsc::channel::<()>();
    let outcome = runtime.block_on(async {
        let watchdog = tokio::task::spawn_blocking(move || ended.recv_timeout(WATCHDOG));
        let outcome = tokio::select! {
            outcome = test => Some(outcome),
            _ = watchdog => None,
        };
        drop(done);
        outcome
    });
    runtime.shutdown_background();
    outcome
}

/// Let time pass, in steps, with the tasks of this runtime running in between.
pub async fn pass(mut time: Duration) {
    while !time.is_zero() {
        let step = time.min(STEP);
        tokio::time::advance(step).await;
        settle().await;
        time -= step;
    }
}

/// Let every task of this runtime that can run do so.
pub async fn settle() {
    // A timer's work passes through a handful of tasks: the session, the store's answer, the router.
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "it is about a thread that the runtime does not know of")]
    fn time_stands_still_while_a_thread_works() {
        let moved = run(async {
            let start = Instant::now();
            let timer = tokio::spawn(tokio::time::sleep(Duration::from_secs(1)));
            let (answer, answered) = oneshot::channel();
            std::thread::spawn(move || {
                let spin = (0..20_000_000u64).fold(0, |sum: u64, n| sum.wrapping_add(n).rotate_left(1));
                let _ = answer.send(spin);
            });
            answered.await.expect("the thread answers");
            assert!(!timer.is_finished(), "the clock jumped to the timer");
            pass(Duration::from_secs(1)).await;
            assert!(timer.is_finished(), "the timer did not fire");
            start.elapsed()
        });
        assert_eq!(moved, Some(Duration::from_secs(1)));
    }
}
