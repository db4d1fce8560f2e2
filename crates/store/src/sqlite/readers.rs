//! A small pool of read-only connections.
//!
//! A query runs on a blocking thread, at most [`limits::READERS`] at a time. A look-up, which touches a handful of pages,
//! runs where it is asked for: to hand it to another thread and back costs several times what it costs itself (measured:
//! docs/performance.md). Where pages must come from a slow disk it would keep all others on its thread waiting, so after
//! several that took long the next ones are handed over, too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::Location;
use super::patience::Patience;
use crate::{Result, StoreError, limits};

pub(super) struct Readers {
    location: Location,
    permits: Semaphore,
    /// Open connections that nobody uses now.
    idle: Mutex<Vec<Connection>>,
    patience: Patience,
}

impl Readers {
    pub(super) fn new(location: Location) -> Arc<Readers> {
        let permits = Semaphore::new(limits::READERS);
        Arc::new(Readers { location, permits, idle: Mutex::new(Vec::new()), patience: Patience::default() })
    }

    /// Runs a query in one snapshot of the database.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.permits.acquire().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(self);
        let answer = tokio::task::spawn_blocking(move || readers.query(query)).await;
        drop(permit);
        answer.unwrap_or_else(|panic| {
            tracing::error!(%panic, "a query panicked");
            Err(StoreError::Internal)
        })
    }

    /// The same for a query of a few rows found by an index.
    pub(super) async fn look_up<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let here = self.permits.try_acquire().ok().filter(|_| !self.patience.is_over());
        match here {
            Some(_permit) => self.query_here(query),
            None => self.read(query).await,
        }
    }

    #[allow(clippy::disallowed_methods, reason = "how long it takes decides only where the next one runs")]
    fn query_here<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let begun = Instant::now();
        // As on a thread of its own, a defect in a query is an error to who asked.
        let answer = catch_unwind(AssertUnwindSafe(|| self.query(query))).unwrap_or_else(|_| {
            tracing::error!("a look-up panicked");
            Err(StoreError::Internal)
        });
        self.patience.note(begun.elapsed());
        answer
    }

    fn query<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => self.location.reader()?,
        };
        conn.prepare_cached("BEGIN")?.execute([])?;
        let answer = query(&conn);
        let ended = conn.prepare_cached("COMMIT")?.execute([]);
        // After a fault the connection is given up; the next query opens another.
        if ended.is_ok() && !answer.as_ref().is_err_and(StoreError::is_fault) {
            self.idle.lock().push(conn);
        }
        answer
    }

    /// Waits for the queries under way, refuses further ones and closes the connections.
    pub(super) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(limits::READERS as u32).await {
            self.permits.close();
            self.idle.lock().clear();
            drop(all);
        }
    }
}
