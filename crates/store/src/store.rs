//! The store as a whole: opening, closing, the ways of a verb (read, look up, write), and what can be observed.

use std::future::Future;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rookery_proto::Uid;
use tokio::sync::oneshot;

use crate::account::Numbers;
use crate::bells::Bells;
use crate::sqlite::search::Index;
use crate::sqlite::{Connection, Kind, Location, Sqlite, Tx};
use crate::stream::StreamId;
use crate::timeline::Entry;
use crate::{Result, StoreError};

/// Called after the commit for each new log row, in commit order. It must not block.
pub type Doorbell = Box<dyn Fn(Uid, Arc<Entry>) + Send + Sync>;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file; made if it is not there. The index of the full-text search stands beside it, with the ending
    /// `search.db`.
    pub path: PathBuf,
    /// The first number given to an account.
    pub first_number: u64,
    /// Numbers that the operator keeps back.
    pub reserved: Vec<RangeInclusive<u64>>,
    /// The SQLite file system to use instead of the system's.
    #[cfg(feature = "test-vfs")]
    pub vfs: Option<String>,
    /// Never syncs, so that a test can show what that loses.
    #[cfg(feature = "test-vfs")]
    pub synchronous_off: bool,
}

impl Options {
    /// The defaults for the database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Options {
        Options {
            path: path.into(),
            first_number: 10_001,
            reserved: Vec::new(),
            #[cfg(feature = "test-vfs")]
            vfs: crate::test_vfs::Faults::from_env().map(|disk| disk.name().to_owned()),
            #[cfg(feature = "test-vfs")]
            synchronous_off: false,
        }
    }
}

/// Counters since the store was opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Transactions committed.
    pub commits: u64,
    /// Jobs in them.
    pub jobs: u64,
    /// Time spent in transactions, microseconds.
    pub commit_micros: u64,
    /// The longest transaction, microseconds.
    pub commit_micros_max: u64,
    /// Transactions that failed.
    pub failures: u64,
    /// Queries begun.
    pub reads: u64,
    /// Jobs that wait for the writer now.
    pub waiting: u64,
}

/// What the store takes on the disk, bytes; uploaded files are beside it ([`Store::stored_files`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Space {
    /// Messages, accounts and everything else.
    pub store: u64,
    /// Of these, what is free within the file and taken again before it grows.
    pub free: u64,
    /// The index of the full-text search.
    pub index: u64,
}

/// The store; clones share it.
#[derive(Clone)]
pub struct Store {
    database: Arc<Sqlite>,
    numbers: Arc<Numbers>,
    index: Arc<Index>,
    /// What each write also notes; see [`Store::handling`].
    handling: Option<(StreamId, u32)>,
}

impl Store {
    /// Opens the store, or makes it, and brings its schema up to date. Must be called within a tokio runtime.
    /// [`StoreError::Busy`]: another process has it open; [`StoreError::NewerSchema`]: a newer version wrote it.
    pub async fn open(options: Options, doorbell: Doorbell) -> Result<Store> {
        let numbers = Arc::new(Numbers::new(options.first_number, options.reserved.iter().cloned()));
        let index = Arc::new(Index::new(options.path.with_extension("search.db")));
        let location = Location {
            path: options.path,
            #[cfg(feature = "test-vfs")]
            vfs: options.vfs,
            #[cfg(feature = "test-vfs")]
            synchronous_off: options.synchronous_off,
        };
        let database = Arc::new(Sqlite::open(location, doorbell).await?);
        Ok(Store { database, numbers, index, handling: None })
    }

    /// This store, except that each write made through it also notes `handled` for the stream, in the same transaction
    /// (XEP-0198: what was handled and what came of it last together). A verb that fails notes nothing.
    pub fn handling(&self, stream: StreamId, handled: u32) -> Store {
        Store { handling: Some((stream, handled)), ..self.clone() }
    }

    /// Commits what waits, moves all into the database file and closes it. Later verbs get [`StoreError::Closed`].
    pub async fn close(&self) -> Result<()> {
        let index = Arc::clone(&self.index);
        // Before the readers go; it is made again from the store, so that nothing is lost with it.
        let closing = self.read(move |_| {
            index.close();
            Ok(())
        });
        closing.await.ok();
        self.database.close().await
    }

    /// What there is to observe.
    pub fn stats(&self) -> Stats {
        self.database.stats()
    }

    /// What it takes on the disk.
    pub async fn space(&self) -> Result<Space> {
        let index = self.search_index();
        self.read(move |conn| {
            let (store, free) = crate::sqlite::space(conn)?;
            Ok(Space { store, free, index: index.bytes() })
        })
        .await
    }

    /// A write in two steps: this waits for room in the queue, the [`Pending`] for the commit.
    pub(crate) async fn enqueue<T: Send + 'static>(
        &self,
        kind: Kind,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<Pending<T>> {
        let handling = self.handling;
        let work = move |tx: &mut Tx<'_>| {
            let answer = work(tx)?;
            if let Some((stream, handled)) = handling {
                tx.set_handled(stream, handled);
            }
            Ok(answer)
        };
        self.database.enqueue(kind, work).await
    }

    /// A write: resolves after its commit.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.enqueue(Kind::Guarded, work).await?.await
    }

    /// A query, in a snapshot that has all committed before.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.read(query).await
    }

    /// The same for a query of a few rows found by an index.
    pub(crate) async fn look_up<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.look_up(query).await
    }

    /// The bells of folders of mail.
    pub(crate) fn bells(&self) -> &Bells {
        &self.database.bells
    }

    /// The index of the full-text search.
    pub(crate) fn search_index(&self) -> Arc<Index> {
        Arc::clone(&self.index)
    }

    /// Which numbers are given to accounts.
    pub(crate) fn numbers(&self) -> Arc<Numbers> {
        Arc::clone(&self.numbers)
    }
}

/// A write on its way: resolves after the commit. It is carried out also if this is dropped.
#[must_use = "the write is only certain when this has resolved"]
pub struct Pending<T>(oneshot::Receiver<Result<T>>);

impl<T> Pending<T> {
    pub(crate) fn new(answer: oneshot::Receiver<Result<T>>) -> Pending<T> {
        Pending(answer)
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}
