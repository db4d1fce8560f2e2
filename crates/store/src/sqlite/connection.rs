//! Opening connections, and the meaning of SQLite's errors.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::StoreError;

/// How long (ms) a connection waits for another's lock. In one process only the recovery of the log after a crash
/// takes one that readers meet.
const BUSY_MS: u64 = 5_000;

/// The page cache of the writer, KiB: the hot ends of the tables and the indexes of some ten thousand active users.
const WRITER_CACHE_KIB: i64 = 64 * 1_024;

/// The page cache of each reader, KiB. What a query needs is mostly in the system's cache.
const READER_CACHE_KIB: i64 = 4 * 1_024;

/// Pages in the write-ahead log after which a commit moves them into the database (64 MiB): often enough for a recovery
/// within a second, seldom enough that a hot page is moved once for many commits.
const CHECKPOINT_PAGES: i64 = 16_384;

/// Bytes that the log's file keeps after it was moved: what it needs again soon.
const LOG_BYTES: i64 = 2 * CHECKPOINT_PAGES * 4_096;

/// Statements kept prepared by a connection: more than there are verbs.
const STATEMENTS: usize = 128;

/// Where the database is and how it is reached.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) path: PathBuf,
    #[cfg(feature = "test-vfs")]
    pub(crate) vfs: Option<String>,
    #[cfg(feature = "test-vfs")]
    pub(crate) synchronous_off: bool,
}

impl Location {
    /// The connection that writes. Makes the file if need be.
    pub(super) fn writer(&self) -> rusqlite::Result<Connection> {
        let conn = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // Retracted and deleted text does not stay behind in pages that are written anyway.
        conn.pragma_update(None, "secure_delete", "FAST")?;
        let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        debug_assert_eq!(mode, "wal");
        // FULL syncs the log at each commit: what is acknowledged survives a power cut (invariant 1).
        conn.pragma_update(None, "synchronous", self.synchronous())?;
        conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        conn.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
        Ok(conn)
    }

    /// A connection that only reads. The writer's must be open.
    pub(super) fn reader(&self) -> rusqlite::Result<Connection> {
        let conn = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(conn)
    }

    fn open(&self, access: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = self.open_with(flags)?;
        conn.busy_timeout(std::time::Duration::from_millis(BUSY_MS))?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        // Plans do not depend on the values bound; else statements are planned anew for each value that might matter.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(conn)
    }

    #[cfg(not(feature = "test-vfs"))]
    fn open_with(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        Connection::open_with_flags(&self.path, flags)
    }

    #[cfg(feature = "test-vfs")]
    fn open_with(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str()),
            None => Connection::open_with_flags(&self.path, flags),
        }
    }

    #[cfg(not(feature = "test-vfs"))]
    fn synchronous(&self) -> &'static str {
        "FULL"
    }

    #[cfg(feature = "test-vfs")]
    fn synchronous(&self) -> &'static str {
        if self.synchronous_off { "OFF" } else { "FULL" }
    }
}

/// The file beside the database that its process locks.
pub(super) fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> StoreError {
        tracing::warn!(%error, "the database refused");
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Corrupt,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory
                | ErrorCode::FileLockingProtocolFailed,
            ) => StoreError::Io,
            _ => StoreError::Internal,
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> StoreError {
        tracing::warn!(%error, "the file system refused");
        if error.kind() == std::io::ErrorKind::StorageFull { StoreError::Full } else { StoreError::Io }
    }
}
