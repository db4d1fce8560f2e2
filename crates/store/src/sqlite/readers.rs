//! A small pool of read-only connections. Queries run on the blocking threads, at most [`limits::READERS`] at a time.

use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::Location;
use crate::{Result, StoreError, limits};

pub(super) struct Readers {
    location: Location,
    permits: Semaphore,
    /// Open connections that nobody uses now.
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(location: Location) -> Arc<Readers> {
        let permits = Semaphore::new(limits::READERS);
        Arc::new(Readers { location, permits, idle: Mutex::new(Vec::new()) })
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

    fn query<T>(&self, query: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().pop();
        let mut conn = match idle {
            Some(conn) => conn,
            None => self.location.reader()?,
        };
        let answer = {
            let snapshot = conn.transaction()?;
            query(&snapshot)
        };
        // After a fault the connection is given up; the next query opens another.
        if !answer.as_ref().is_err_and(StoreError::is_fault) {
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
