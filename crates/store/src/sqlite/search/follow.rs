//! What the index takes from the store.
//!
//! Messages have their numbers in the order in which they were stored, and no number is given twice. So one number says how
//! far the index has come; and along the rows of all logs in their order, the numbers of messages never fall.

use std::sync::atomic::Ordering::Relaxed;

use rookery_proto::jid::BareJid;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Index, conversation_home, log_home};
use crate::search::Indexed;
use crate::search::words::of_stanza;
use crate::sqlite::Tx;
use crate::sqlite::columns::{jid, uid};
use crate::timeline::Flags;
use crate::{Result, limits};

/// What one slice did.
pub(crate) struct Step {
    pub(crate) indexed: Indexed,
    /// Removals up to here are done.
    pub(crate) removed: Option<i64>,
}

/// One slice, from a snapshot of the store.
pub(crate) fn follow(index: &Index, main: &Connection) -> Result<Step> {
    let total = last_message(main)?;
    let removals = removals(main)?;
    let step = index.write(|conn| {
        let mut place = place(conn)?;
        if !place.is_of(main, total)? {
            tracing::warn!("the search index is of another store, and is made anew");
            conn.execute_batch(
                "INSERT INTO text (text) VALUES ('delete-all'); UPDATE place SET message = 0, at = 0",
            )?;
            place = Place::default();
        }
        if place.message == total && removals.is_empty() {
            return Ok((place, None));
        }
        let tx = conn.transaction()?;
        let mut slice = Slice { main, tx: &tx, messages: 0, bytes: 0 };
        for (_, message) in &removals {
            tx.prepare_cached("DELETE FROM text WHERE rowid = ?1")?.execute([message])?;
        }
        place.message = slice.from(place.message, total)?;
        place.at = at(main, place.message)?.unwrap_or(place.at);
        tx.execute("UPDATE place SET message = ?1, at = ?2", [place.message, place.at])?;
        tx.commit()?;
        Ok((place, removals.last().map(|(n, _)| *n)))
    })?;
    let (place, removed) = step;
    index.lag.store((total - place.message).unsigned_abs(), Relaxed);
    let more = place.message < total || removals.len() == limits::SWEEP;
    Ok(Step { indexed: Indexed { done: place.message as u64, total: total as u64, more }, removed })
}

/// Forgets removals that were carried out.
pub(crate) fn forget_removed(tx: &mut Tx<'_>, upto: i64) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM unindexed WHERE n <= ?1")?.execute([upto])?;
    Ok(())
}

/// The last number that was given to a message.
fn last_message(main: &Connection) -> Result<i64> {
    Ok(main
        .prepare_cached(
            "SELECT max(coalesce((SELECT max(id) FROM message), 0),
                        coalesce((SELECT value FROM counter WHERE name = 'message'), 0))",
        )?
        .query_row([], |row| row.get(0))?)
}

/// Messages that were removed or emptied since.
fn removals(main: &Connection) -> Result<Vec<(i64, i64)>> {
    let mut statement = main.prepare_cached("SELECT n, message FROM unindexed ORDER BY n LIMIT ?1")?;
    let rows = statement.query_map([limits::SWEEP as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How far the index is.
#[derive(Clone, Copy, Default)]
struct Place {
    message: i64,
    at: i64,
}

impl Place {
    /// Whether it is of this store, and not of what was there before a backup took its place: if the message is there, it is
    /// the same.
    fn is_of(self, main: &Connection, total: i64) -> Result<bool> {
        Ok(self.message <= total && at(main, self.message)?.is_none_or(|at| at == self.at))
    }
}

fn place(conn: &Connection) -> Result<Place> {
    Ok(conn.query_row("SELECT message, at FROM place", [], |row| {
        Ok(Place { message: row.get(0)?, at: row.get(1)? })
    })?)
}

/// When a message was stored.
fn at(main: &Connection, message: i64) -> Result<Option<i64>> {
    let mut statement = main.prepare_cached("SELECT at FROM message WHERE id = ?1")?;
    Ok(statement.query_row([message], |row| row.get(0)).optional()?)
}

/// Work under way.
struct Slice<'a> {
    main: &'a Connection,
    tx: &'a Transaction<'a>,
    messages: usize,
    bytes: usize,
}

/// In which logs a message stands.
struct Homes {
    message: i64,
    words: Vec<String>,
    hidden: bool,
}

impl Slice<'_> {
    /// Takes what follows the message `after`; the last that was taken.
    fn from(&mut self, after: i64, total: i64) -> Result<i64> {
        let mut rows = self
            .main
            .prepare_cached("SELECT message, uid, peer, flags FROM log WHERE id >= ?1 ORDER BY id")?;
        let mut rows = rows.query([first_row(self.main, after + 1)?])?;
        let mut homes: Option<Homes> = None;
        while let Some(row) = rows.next()? {
            let message: i64 = row.get(0)?;
            if let Some(before) = homes.take_if(|homes| homes.message != message) {
                self.take(&before)?;
                if self.messages >= limits::INDEX_BATCH || self.bytes >= limits::INDEX_BYTES {
                    return Ok(before.message);
                }
            }
            homes.get_or_insert_with(|| Homes::of(message)).add(row)?;
        }
        if let Some(last) = homes {
            self.take(&last)?;
        }
        Ok(total)
    }

    /// Puts one message into the index, if it is to be found.
    fn take(&mut self, homes: &Homes) -> Result<()> {
        self.messages += 1;
        if homes.hidden || homes.words.is_empty() {
            return Ok(());
        }
        let mut statement =
            self.main.prepare_cached("SELECT stanza FROM message WHERE id = ?1 AND NOT flags & 16")?;
        let words = statement
            .query_row([homes.message], |row| {
                let stanza = row.get_ref(0)?.as_blob()?;
                self.bytes += stanza.len();
                Ok(of_stanza(stanza))
            })
            .optional()?;
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            self.tx
                .prepare_cached("INSERT INTO text (rowid, words, home) VALUES (?1, ?2, ?3)")?
                .execute(params![homes.message, words, homes.words.join(" ")])?;
        }
        Ok(())
    }
}

impl Homes {
    fn of(message: i64) -> Homes {
        Homes { message, words: Vec::new(), hidden: false }
    }

    /// Adds a row of a log: of what is archived and can be read.
    fn add(&mut self, row: &rusqlite::Row<'_>) -> Result<()> {
        let (uid, flags): (_, Flags) = (uid(row, 1)?, row.get(3)?);
        self.hidden |= flags.has(Flags::ENCRYPTED);
        if flags.has(Flags::ARCHIVE) {
            let peer: BareJid = jid(row, 2)?;
            self.words.push(log_home(uid, flags.has(Flags::GROUP)));
            self.words.push(conversation_home(uid, &peer));
        }
        Ok(())
    }
}

/// The first row of all logs whose message has this number or a later one; past the end if there is none. A binary search.
fn first_row(main: &Connection, message: i64) -> Result<i64> {
    let mut probe = main.prepare_cached("SELECT id, message FROM log WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let (mut low, mut high): (i64, i64) = main
        .prepare_cached(
            "SELECT coalesce((SELECT min(id) FROM log), 0), coalesce((SELECT max(id) FROM log), 0)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? + 1)))?;
    // What is before `low` is of earlier messages, what is from `high` on is not.
    while low < high {
        let middle = low + (high - low) / 2;
        let row: Option<(i64, i64)> =
            probe.query_row([middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match row {
            Some((row, of)) if of < message => low = row + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(high)
}
