//! The index of a full-text search: its file, what it takes from the store, and what it finds.
//!
//! A body is in it once, as it is in the store, under the number of its message. The column `home` says in whose logs it
//! stands, so that a search looks at its owner's messages only, however many others have said the same.

mod find;
mod follow;

pub(crate) use find::Finder;
pub(crate) use follow::{follow, forget_removed};

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;
use rookery_proto::Uid;
use rusqlite::{Connection, OpenFlags};

use super::timeline::fingerprint;
use crate::{Result, StoreError};
use rookery_proto::jid::BareJid;

/// What the index holds and how words are made; another is made anew.
const FORMAT: i64 = 1;

/// The page cache of each connection, KiB: the upper pages of the index.
const CACHE_KIB: i64 = 4 * 1_024;

/// How long (ms) a connection waits for another's lock; there is one writer.
const BUSY_MS: u64 = 5_000;

/// Words are divided by us, so all that is not ASCII is a letter to the index. Texts are not kept.
const SCHEMA: &str = "
    CREATE VIRTUAL TABLE text USING fts5(
        words, home, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '3');
    CREATE TABLE place (
        message INTEGER NOT NULL,        -- all up to here is indexed
        at      INTEGER NOT NULL         -- and when that message was stored, to know the store by
    ) STRICT;
    INSERT INTO place VALUES (0, 0);
    PRAGMA user_version = 1;
";

/// Before a word of the column `home`: of a private use, so that nobody types it.
const HOME: char = '\u{f8ff}';

/// The home of what an account's log has: its own messages, or those of groups.
fn log_home(uid: Uid, group: bool) -> String {
    format!("{HOME}{}{uid}", if group { 'g' } else { 'u' })
}

/// The home of one conversation of an account.
fn conversation_home(uid: Uid, peer: &BareJid) -> String {
    format!("{HOME}c{uid}x{:016x}", fingerprint(peer, ""))
}

/// The index.
pub(crate) struct Index {
    path: PathBuf,
    writer: Mutex<Option<Connection>>,
    /// Connections that nobody uses now, each of a generation of the file.
    readers: Mutex<Vec<(u64, Connection)>>,
    /// How often the file was thrown away.
    generation: AtomicU64,
    lag: AtomicU64,
}

impl Index {
    /// The index in this file, which need not be there.
    pub(crate) fn new(path: PathBuf) -> Index {
        Index {
            path,
            writer: Mutex::new(None),
            readers: Mutex::new(Vec::new()),
            generation: AtomicU64::new(0),
            lag: AtomicU64::new(0),
        }
    }

    pub(crate) fn lag(&self) -> u64 {
        self.lag.load(Relaxed)
    }

    /// What the file takes; 0 while there is none.
    pub(crate) fn bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |about| about.len())
    }

    /// Closes the file, until somebody uses it again.
    pub(crate) fn close(&self) {
        *self.writer.lock() = None;
        self.readers.lock().clear();
    }

    /// Throws the file away.
    pub(crate) fn discard(&self) -> Result<()> {
        self.remove(&mut self.writer.lock())
    }

    fn remove(&self, writer: &mut Option<Connection>) -> Result<()> {
        *writer = None;
        self.generation.fetch_add(1, Relaxed);
        self.readers.lock().clear();
        for suffix in ["", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Runs what writes, one at a time. An index that does not work is thrown away, so that the next finds a new one.
    fn write<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock();
        let conn = match &mut *writer {
            Some(conn) => conn,
            none => none.insert(self.open_or_make()?),
        };
        let answer = work(conn);
        self.judge(&answer, &mut writer);
        answer
    }

    /// Runs a search.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.readers.lock().pop();
        let (generation, conn) = match idle {
            Some(idle) => idle,
            None => (self.generation.load(Relaxed), self.connect()?),
        };
        let answer = work(&conn);
        match &answer {
            Ok(_) if generation == self.generation.load(Relaxed) => {
                self.readers.lock().push((generation, conn))
            }
            Ok(_) => {}
            Err(_) => self.judge(&answer, &mut self.writer.lock()),
        }
        answer
    }

    fn judge<T>(&self, answer: &Result<T>, writer: &mut Option<Connection>) {
        if matches!(answer, Err(StoreError::Corrupt | StoreError::Internal)) {
            tracing::warn!("the search index does not work, and is made anew");
            if let Err(error) = self.remove(writer) {
                tracing::warn!(%error, "the search index cannot be removed");
            }
        }
    }

    /// The connection that writes, to a file of our format.
    fn open_or_make(&self) -> Result<Connection> {
        let ours = |conn: &Connection| -> Result<bool> {
            let format: i64 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
            if format == FORMAT {
                // What is damaged shows here, or later.
                conn.query_row("SELECT count(*) FROM place", [], |_| Ok(()))?;
            }
            Ok(format == FORMAT)
        };
        match self.connect().and_then(|conn| Ok((ours(&conn)?, conn))) {
            Ok((true, conn)) => return Ok(conn),
            Err(StoreError::Full | StoreError::Io | StoreError::Busy) => return Err(StoreError::Io),
            Ok((false, _)) | Err(_) => {}
        }
        self.remove(&mut None)?;
        let conn = self.connect()?;
        conn.execute_batch(SCHEMA)?;
        Ok(conn)
    }

    fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
        conn.pragma_update(None, "secure_delete", "FAST")?;
        conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        // What was removed must be removed for good before the store forgets that it was to be.
        conn.pragma_update(None, "synchronous", "FULL")?;
        Ok(conn)
    }
}
