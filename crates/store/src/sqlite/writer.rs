//! The one writer: takes all that waits, commits it as one transaction, answers all, then rings the doorbell.
//!
//! Each batch runs on a blocking thread, also because a paused test clock does not advance while one runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::connection::Location;
use super::tx::{Heads, Kind, News, Tx};
use super::{Counters, schema};
use crate::bells::Bells;
use crate::store::Doorbell;
use crate::{Result, StoreError, limits};

/// What waits in the queue.
pub(super) enum Request {
    Job(Box<dyn Job>),
    /// Take nothing more, finish and close; answered when the file is closed.
    Close(oneshot::Sender<()>),
}

/// A verb on its way through the writer.
pub(super) trait Job: Send {
    /// How its failure is kept from its neighbours.
    fn kind(&self) -> Kind;
    /// Does its work and keeps the answer.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()>;
    /// Gives the answer, or the error by which the batch failed.
    fn answer(self: Box<Self>, committed: Result<()>);
}

/// A [`Job`] of a closure.
pub(super) struct Verb<F, T> {
    pub(super) kind: Kind,
    pub(super) work: Option<F>,
    pub(super) outcome: Result<T>,
    pub(super) answer: oneshot::Sender<Result<T>>,
}

impl<F, T> Job for Verb<F, T>
where
    F: FnOnce(&mut Tx<'_>) -> Result<T> + Send,
    T: Send,
{
    fn kind(&self) -> Kind {
        self.kind
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let Some(work) = self.work.take() else { return Err(StoreError::Internal) };
        self.outcome = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or_else(|_| {
            tracing::error!("a job of the store panicked");
            Err(StoreError::Internal)
        });
        self.outcome.as_ref().map(drop).map_err(Clone::clone)
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        // Who asked may have gone away.
        let _ = self.answer.send(committed.and(self.outcome));
    }
}

/// What the writer's thread owns.
pub(super) struct Writer {
    location: Location,
    /// `None` after a fault that it did not survive: the next batch opens another.
    conn: Option<Connection>,
    heads: Heads,
    counters: Arc<Counters>,
    /// Held for as long as the writer lives.
    lock: std::fs::File,
}

impl Writer {
    /// Opens the database, brings its schema up to date.
    pub(super) fn open(location: Location, lock: std::fs::File, counters: Arc<Counters>) -> Result<Writer> {
        let mut conn = location.writer()?;
        schema::migrate(&mut conn)?;
        Ok(Writer { location, conn: Some(conn), heads: Heads::default(), counters, lock })
    }

    /// Runs until told to close, or until nobody is left who could ask.
    pub(super) async fn serve(
        self,
        mut queue: mpsc::Receiver<Request>,
        doorbell: Doorbell,
        bells: Arc<Bells>,
    ) {
        let mut writer = self;
        let mut requests = Vec::with_capacity(limits::BATCH);
        let mut closing = None;
        while queue.recv_many(&mut requests, limits::BATCH).await > 0 {
            let mut jobs = Vec::with_capacity(requests.len());
            for request in requests.drain(..) {
                match request {
                    Request::Job(job) => jobs.push(job),
                    Request::Close(answer) => {
                        queue.close();
                        closing = Some(answer);
                    }
                }
            }
            if jobs.is_empty() {
                continue;
            }
            let batch = tokio::task::spawn_blocking(move || {
                let committed = writer.commit(&mut jobs);
                (writer, jobs, committed)
            });
            let Ok((returned, jobs, committed)) = batch.await else {
                // The runtime shuts down, or a defect: jobs' own panics are caught. Without the writer every verb
                // answers `Closed`.
                tracing::error!("the store's writer was lost");
                return;
            };
            writer = returned;
            settle(jobs, committed, &doorbell, &bells);
        }
        // Off the runtime's threads, as closing moves the log into the database.
        let closed = tokio::task::spawn_blocking(move || writer.close()).await;
        if let (Some(answer), Ok(())) = (closing, closed) {
            let _ = answer.send(());
        }
    }

    /// Commits the jobs as one transaction; what is new.
    #[allow(clippy::disallowed_methods, reason = "how long a commit takes is observed, and decides nothing")]
    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<News> {
        let started = Instant::now();
        let committed = self.transaction(jobs);
        if committed.is_ok() {
            self.counters.note_commit(jobs.len(), started.elapsed());
        } else {
            self.roll_back();
            self.counters.failures.fetch_add(1, Relaxed);
        }
        committed
    }

    /// Nothing of the batch happened, and what was remembered along with it may be wrong.
    ///
    /// The connection stays: it knows that what it wrote to the log before a failed sync does not count, and overwrites
    /// it. A new one would find a whole transaction there and bring it back, though it was told to have failed.
    fn roll_back(&mut self) {
        self.heads = Heads::default();
        let rolled_back = self.conn.as_ref().is_some_and(|conn| {
            // After some errors SQLite has done it already.
            conn.is_autocommit() || conn.execute_batch("ROLLBACK").is_ok()
        });
        if !rolled_back {
            self.conn = None;
        }
    }

    fn transaction(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<News> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            none => none.insert(self.location.writer()?),
        };
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut tx = Tx::new(conn, &mut self.heads);
        for job in jobs {
            tx.attempt(job.kind(), |tx| job.run(tx))?;
        }
        let news = tx.finish()?;
        conn.prepare_cached("COMMIT")?.execute([])?;
        Ok(news)
    }

    fn close(self) {
        if let Some(conn) = self.conn {
            let checkpoint =
                conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
            // The log keeps what could not be moved; nothing is lost.
            if let Err(error) = checkpoint.and_then(|_| conn.close().map_err(|(_, error)| error)) {
                tracing::warn!(%error, "the database did not close cleanly");
            }
        }
        // Closing the file would leave the lock to a child process that is just being started.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the lock of the store was not released");
        }
    }
}

/// Answers all jobs of a batch, then rings.
fn settle(jobs: Vec<Box<dyn Job>>, committed: Result<News>, doorbell: &Doorbell, bells: &Bells) {
    let (news, answer) = match committed {
        Ok(news) => (news, Ok(())),
        Err(error) => (News::default(), Err(error)),
    };
    for job in jobs {
        job.answer(answer.clone());
    }
    for (uid, entry) in news.rows {
        doorbell(uid, entry);
    }
    for uid in news.folders {
        bells.ring(uid);
    }
}
