//! What a job sees: the batch's transaction, and what is remembered along with it.

use std::collections::HashMap;
use std::sync::Arc;

use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use crate::stream::StreamId;
use crate::timeline::Entry;
use crate::{Result, StoreError, Timestamp, limits};

/// The last row of a log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Last {
    pub(super) useq: Useq,
    pub(super) at: Timestamp,
}

/// The heads of active logs, so that an append need not look for them. Only what is committed or in the running
/// transaction; forgotten whenever something is rolled back.
#[derive(Default)]
pub(super) struct Heads(HashMap<Uid, Last>);

impl Heads {
    fn insert(&mut self, uid: Uid, last: Last) {
        // Forgetting all is simpler than choosing, and costs each user one look-up.
        if self.0.len() >= limits::HEADS_CACHED {
            self.0.clear();
        }
        self.0.insert(uid, last);
    }
}

/// How a job's failure is kept from its neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// In a savepoint, which copies each page that the job touches.
    Guarded,
    /// The job promises to refuse before it writes, and to fail afterwards by a fault of the medium only.
    Checked,
}

/// What a batch brought.
#[derive(Default)]
pub(super) struct News {
    /// New rows of logs in the order of the commit.
    pub(super) rows: Vec<(Uid, Arc<Entry>)>,
    /// Accounts in whose folders of mail something changed.
    pub(super) folders: Vec<Uid>,
}

/// One batch's transaction.
pub(crate) struct Tx<'a> {
    pub(super) conn: &'a Connection,
    heads: &'a mut Heads,
    /// Logs whose head the running job has moved.
    moved: Vec<Uid>,
    /// New log rows in the order of the commit.
    rows: Vec<(Uid, Arc<Entry>)>,
    /// Accounts in whose folders of mail something changed.
    folders: Vec<Uid>,
    /// The latest counts of streams. Written once at the end of the batch, as a busy stream has many jobs in it.
    handled: HashMap<StreamId, u32>,
}

impl<'a> Tx<'a> {
    pub(super) fn new(conn: &'a Connection, heads: &'a mut Heads) -> Tx<'a> {
        Tx { conn, heads, moved: Vec::new(), rows: Vec::new(), folders: Vec::new(), handled: HashMap::new() }
    }

    /// Runs one job so that its failure leaves no trace. An error is one of the medium, and fails the batch.
    pub(super) fn attempt(&mut self, kind: Kind, job: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        match kind {
            Kind::Guarded => self.guarded(job),
            Kind::Checked => self.checked(job),
        }
    }

    fn guarded(&mut self, job: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.run("SAVEPOINT job")?;
        self.moved.clear();
        let rows = self.rows.len();
        match job(self) {
            Ok(()) => self.run("RELEASE job"),
            Err(fault) if fault.is_fault() => Err(fault),
            Err(_) => {
                self.rows.truncate(rows);
                for uid in &self.moved {
                    self.heads.0.remove(uid);
                }
                self.run("ROLLBACK TO job")?;
                self.run("RELEASE job")
            }
        }
    }

    fn checked(&mut self, job: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let changes = self.conn.total_changes();
        let answer = job(self);
        let untouched = self.conn.total_changes() == changes && !self.conn.is_autocommit();
        match answer {
            Err(fault) if fault.is_fault() => Err(fault),
            Err(_) if untouched => Ok(()),
            // It broke its word. What it wrote cannot be told from what its neighbours wrote.
            Err(error) => {
                tracing::error!(%error, "a job refused after it had written");
                Err(StoreError::Internal)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Writes what was kept for the end; what is to be announced after the commit.
    pub(super) fn finish(self) -> Result<News> {
        // The count goes round at 2^32, and never back: what is less than half the circle ahead is newer.
        let mut set = self.conn.prepare_cached(
            "UPDATE stream SET handled = ?2 WHERE id = ?1 AND ((?2 - handled) & 4294967295) < 2147483648",
        )?;
        for (stream, handled) in &self.handled {
            set.execute(params![stream.0, handled])?;
        }
        Ok(News { rows: self.rows, folders: self.folders })
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }

    /// The last row of the log. [`StoreError::NotFound`] if the account was deleted: nothing may enter its log again.
    pub(super) fn last(&mut self, uid: Uid) -> Result<Last> {
        if let Some(last) = self.heads.0.get(&uid) {
            return Ok(*last);
        }
        let id = uid.0 as i64;
        let gone = self.conn.prepare_cached("SELECT 1 FROM deleted WHERE uid = ?1")?.exists([id])?;
        if gone {
            return Err(StoreError::NotFound);
        }
        let row = self
            .conn
            .prepare_cached("SELECT useq, at FROM log WHERE uid = ?1 ORDER BY useq DESC LIMIT 1")?
            .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
            .optional()?;
        let top: Option<i64> = self
            .conn
            .prepare_cached("SELECT top FROM position WHERE uid = ?1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        let (useq, at) = row.unwrap_or_default();
        let last = Last { useq: Useq(useq.max(top.unwrap_or(0)) as u64), at: Timestamp(at) };
        self.heads.insert(uid, last);
        Ok(last)
    }

    /// Moves the head of the log.
    pub(super) fn set_last(&mut self, uid: Uid, last: Last) {
        self.moved.push(uid);
        self.heads.insert(uid, last);
    }

    /// Forgets the head of the log.
    pub(super) fn forget(&mut self, uid: Uid) {
        self.heads.0.remove(&uid);
    }

    /// Announces a new row once it is committed.
    pub(super) fn announce(&mut self, uid: Uid, entry: Entry) {
        self.rows.push((uid, Arc::new(entry)));
    }

    /// Rings for the account's folders of mail once it is committed.
    pub(super) fn folders_changed(&mut self, uid: Uid) {
        if self.folders.last() != Some(&uid) {
            self.folders.push(uid);
        }
    }

    /// Notes what a stream has handled; an older count than one noted before says nothing.
    pub(crate) fn set_handled(&mut self, stream: StreamId, handled: u32) {
        let noted = self.handled.entry(stream).or_insert(handled);
        if handled.wrapping_sub(*noted) < 1 << 31 {
            *noted = handled;
        }
    }
}
