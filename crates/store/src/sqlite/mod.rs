//! SQLite behind the verbs: one connection writes, a few read. All SQL of the store is in this folder.

mod columns;
mod connection;
mod patience;
mod readers;
mod schema;
#[cfg(test)]
mod tests;
mod tx;
mod writer;

pub(crate) mod accounts;
pub(crate) mod affiliates;
pub(crate) mod blocks;
pub(crate) mod calls;
pub(crate) mod caps;
pub(crate) mod cases;
pub(crate) mod delivery;
pub(crate) mod denied;
pub(crate) mod devices;
pub(crate) mod directory;
pub(crate) mod duties;
pub(crate) mod factors;
pub(crate) mod files;
pub(crate) mod groups;
pub(crate) mod hats;
pub(crate) mod imap;
pub(crate) mod inbox;
pub(crate) mod invites;
pub(crate) mod junk;
pub(crate) mod links;
pub(crate) mod mail;
pub(crate) mod notices;
pub(crate) mod outbox;
pub(crate) mod page;
pub(crate) mod pagers;
pub(crate) mod phones;
pub(crate) mod prefs;
pub(crate) mod privacy;
pub(crate) mod pubsub;
pub(crate) mod push;
pub(crate) mod reach;
pub(crate) mod reminders;
pub(crate) mod reports;
pub(crate) mod review;
pub(crate) mod roster;
pub(crate) mod search;
pub(crate) mod sendings;
pub(crate) mod sms;
pub(crate) mod streams;
pub(crate) mod subscriptions;
pub(crate) mod sweep;
pub(crate) mod tickets;
pub(crate) mod timeline;
pub(crate) mod tokens;
pub(crate) mod trace;

pub(crate) use connection::Location;
pub(crate) use rusqlite::Connection;
pub(crate) use tx::{Kind, Tx};

use std::fs::TryLockError;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::bells::Bells;
use crate::store::{Doorbell, Pending, Stats};
use crate::{Result, StoreError, limits};
use readers::Readers;
use writer::{Request, Verb, Writer};

/// An open database.
pub(crate) struct Sqlite {
    queue: mpsc::Sender<Request>,
    readers: Arc<Readers>,
    counters: Arc<Counters>,
    /// Rung when something in folders of mail changes.
    pub(crate) bells: Arc<Bells>,
}

impl Sqlite {
    pub(crate) async fn open(location: Location, doorbell: Doorbell) -> Result<Sqlite> {
        let counters = Arc::new(Counters::default());
        let readers = Readers::new(location.clone());
        let opening = Arc::clone(&counters);
        let writer = tokio::task::spawn_blocking(move || {
            let lock = lock(&location)?;
            Writer::open(location, lock, opening)
        });
        let writer = writer.await.map_err(|_| StoreError::Internal)??;
        let (queue, requests) = mpsc::channel(limits::QUEUE);
        let bells = Arc::new(Bells::default());
        tokio::spawn(writer.serve(requests, doorbell, bells.clone()));
        Ok(Sqlite { queue, readers, counters, bells })
    }

    /// Queues a write, waiting for room.
    pub(crate) async fn enqueue<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Pending<T>> {
        let room = self.queue.reserve().await.map_err(|_| StoreError::Closed)?;
        let (answer, pending) = oneshot::channel();
        // Until it has run there is no outcome; the writer always runs a job before it answers a committed batch.
        let verb = Verb { kind, work: Some(work), outcome: Err(StoreError::Internal), answer };
        room.send(Request::Job(Box::new(verb)));
        Ok(Pending::new(pending))
    }

    /// Runs a query in one snapshot, waiting for a free reader.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.counters.reads.fetch_add(1, Relaxed);
        self.readers.read(query).await
    }

    /// The same for a query of a few rows found by an index: it runs on this thread while the disk is quick.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.counters.reads.fetch_add(1, Relaxed);
        self.readers.look_up(query).await
    }

    pub(crate) async fn close(&self) -> Result<()> {
        // Readers first: the log cannot be moved past what one of them still reads.
        self.readers.close().await;
        let (answer, closed) = oneshot::channel();
        match self.queue.send(Request::Close(answer)).await {
            Ok(()) => closed.await.map_err(|_| StoreError::Closed),
            Err(_) => Ok(()),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let counters = &self.counters;
        Stats {
            commits: counters.commits.load(Relaxed),
            jobs: counters.jobs.load(Relaxed),
            commit_micros: counters.micros.load(Relaxed),
            commit_micros_max: counters.micros_max.load(Relaxed),
            failures: counters.failures.load(Relaxed),
            reads: counters.reads.load(Relaxed),
            waiting: (self.queue.max_capacity() - self.queue.capacity()) as u64,
        }
    }
}

/// Bytes of the database, and how many of them are free.
pub(crate) fn space(conn: &Connection) -> Result<(u64, u64)> {
    let read = |pragma: &str| conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let (size, pages, free) = (read("page_size")?, read("page_count")?, read("freelist_count")?);
    Ok(((size * pages) as u64, (size * free) as u64))
}

/// Takes the lock file: two processes with the store open would each believe their own heads.
fn lock(location: &Location) -> Result<std::fs::File> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(connection::lock_path(&location.path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// What [`Stats`] is read from.
#[derive(Default)]
struct Counters {
    commits: AtomicU64,
    jobs: AtomicU64,
    micros: AtomicU64,
    micros_max: AtomicU64,
    failures: AtomicU64,
    reads: AtomicU64,
}

impl Counters {
    fn note_commit(&self, jobs: usize, took: Duration) {
        let micros = took.as_micros() as u64;
        self.commits.fetch_add(1, Relaxed);
        self.jobs.fetch_add(jobs as u64, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
        self.micros_max.fetch_max(micros, Relaxed);
    }
}
