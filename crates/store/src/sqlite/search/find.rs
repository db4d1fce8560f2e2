//! What the index finds, each checked against the store.

use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Index, conversation_home, log_home};
use crate::search::words::{Wanted, of_stanza};
use crate::sqlite::columns::{int, useq};
use crate::timeline::{Entry, Flags, PageQuery};
use crate::{Result, limits};

/// Looks for something in one log.
pub(crate) struct Finder<'a> {
    main: &'a Connection,
    index: &'a Index,
    uid: Uid,
    wanted: &'a Wanted,
    /// What the index is asked.
    expression: String,
}

/// What was found.
pub(crate) struct Found {
    /// In the order of the walk.
    pub(crate) entries: Vec<Useq>,
    /// Whether that is all there is.
    pub(crate) all: bool,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(
        main: &'a Connection,
        index: &'a Index,
        uid: Uid,
        query: &PageQuery,
        wanted: &'a Wanted,
    ) -> Finder<'a> {
        let homes = match (&query.with, query.groups) {
            (Some(peer), _) => vec![conversation_home(uid, peer)],
            (None, true) => vec![log_home(uid, false), log_home(uid, true)],
            (None, false) => vec![log_home(uid, false)],
        };
        Finder { main, index, uid, wanted, expression: wanted.expression(&homes) }
    }

    /// Walks through the entries from `first` to `last`, or from the last on, until there are `max`. `read` gives the entry
    /// at a position if it is selected. At most [`limits::SEARCH_SCAN`] are looked at.
    pub(crate) fn walk(
        &self,
        (first, last): (i64, i64),
        backward: bool,
        max: usize,
        mut read: impl FnMut(i64) -> Result<Option<Entry>>,
    ) -> Result<Found> {
        let none = Found { entries: Vec::new(), all: true };
        if self.wanted.is_empty() {
            return Ok(none);
        }
        let (Some(from), Some(upto)) = (self.message(first, false)?, self.message(last, true)?) else {
            return Ok(none);
        };
        let order = if backward { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT rowid FROM text WHERE text MATCH ?1 AND rowid BETWEEN ?2 AND ?3 ORDER BY rowid {order} LIMIT ?4"
        );
        self.index.read(|conn| {
            let mut statement = conn.prepare_cached(&sql)?;
            let limit = limits::SEARCH_SCAN as i64;
            let mut rows = statement.query(params![self.expression, from, upto, limit])?;
            let (mut entries, mut seen) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                seen += 1;
                let Some(position) = self.position(row.get(0)?)? else { continue };
                if !(first..=last).contains(&position) {
                    continue;
                }
                if let Some(entry) = read(position)?.filter(|entry| self.is_wanted(entry)) {
                    if entries.len() == max {
                        return Ok(Found { entries, all: false });
                    }
                    entries.push(entry.useq);
                }
            }
            Ok(Found { entries, all: seen < limits::SEARCH_SCAN })
        })
    }

    /// Nothing is believed of the index: what was retracted is not found, nor what another message said before.
    fn is_wanted(&self, entry: &Entry) -> bool {
        let silent = entry.flags.has(Flags::RETRACTED) || entry.flags.has(Flags::ENCRYPTED);
        !silent && self.wanted.matches(&of_stanza(&entry.stanza))
    }

    /// The message at the first position from there on, or the last up to there.
    fn message(&self, position: i64, backward: bool) -> Result<Option<i64>> {
        let sql = match backward {
            false => "SELECT message FROM log WHERE uid = ?1 AND useq >= ?2 ORDER BY useq LIMIT 1",
            true => "SELECT message FROM log WHERE uid = ?1 AND useq <= ?2 ORDER BY useq DESC LIMIT 1",
        };
        let mut statement = self.main.prepare_cached(sql)?;
        Ok(statement.query_row([int(self.uid.0), position], |row| row.get(0)).optional()?)
    }

    /// Where a message stands in the log. A binary search, as messages have their numbers in the order of each log.
    fn position(&self, message: i64) -> Result<Option<i64>> {
        let uid = int(self.uid.0);
        let mut probe = self.main.prepare_cached(
            "SELECT useq, message FROM log WHERE uid = ?1 AND useq >= ?2 ORDER BY useq LIMIT 1",
        )?;
        let end: Option<i64> = self
            .main
            .prepare_cached("SELECT useq FROM log WHERE uid = ?1 ORDER BY useq DESC LIMIT 1")?
            .query_row([uid], |row| Ok(int(useq(row, 0)?.0)))
            .optional()?;
        let (mut low, mut high, mut found) = (0, end.map_or(0, |end| end + 1), None);
        while low < high {
            let middle = low + (high - low) / 2;
            let row: Option<(i64, i64)> =
                probe.query_row([uid, middle], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            match row {
                Some((position, of)) if of < message => low = position + 1,
                Some((position, of)) => {
                    found = (of == message).then_some(position);
                    high = middle;
                }
                None => high = middle,
            }
        }
        Ok(found)
    }
}
