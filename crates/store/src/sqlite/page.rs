//! Pages of the archive (XEP-0313, XEP-0059), by the index: `log_position`, or `log_peer` for one conversation.
//!
//! All conditions but `with` are a range of positions: times too, as time never goes back along a log.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::columns::{int, jid, useq};
use super::search::{Finder, Index};
use super::timeline::{ENTRY, entry, take};
use crate::search::words::Wanted;
use crate::timeline::{ArchiveBounds, ArchiveSize, Entry, Flags, Page, PageQuery, Window};
use crate::{Result, StoreError, Timestamp, limits};

/// What a query selects: archived entries of `uid` in an inclusive range of positions, perhaps of one conversation.
struct Selection<'a> {
    conn: &'a Connection,
    uid: i64,
    first: i64,
    last: i64,
    with: Option<&'a str>,
    resource: Option<&'a str>,
    /// Entries with any of these flags are left out.
    hidden: i64,
}

pub(crate) fn page(conn: &Connection, uid: Uid, query: &PageQuery) -> Result<Option<Page>> {
    if !are_known(conn, uid, query)? {
        return Ok(None);
    }
    let selection = Selection::new(conn, uid, query)?;
    let max = query.max.min(limits::PAGE);
    if query.ids.is_empty() {
        selection.page(query.window, max).map(Some)
    } else {
        selection.among(query.ids.clone(), query.window, max).map(Some)
    }
}

/// [`page`] of what a search finds among that.
pub(crate) fn search(
    conn: &Connection,
    index: &Index,
    uid: Uid,
    query: &PageQuery,
    wanted: &Wanted,
) -> Result<Option<Page>> {
    if !are_known(conn, uid, query)? {
        return Ok(None);
    }
    let selection = Selection::new(conn, uid, query)?;
    let finder = Finder::new(conn, index, uid, query, wanted);
    selection.search(&finder, query).map(Some)
}

/// Whether all ids in the query are in the archive; that the query can be understood.
fn are_known(conn: &Connection, uid: Uid, query: &PageQuery) -> Result<bool> {
    if query.ids.len() > limits::PAGE {
        return Err(StoreError::Limit("ids"));
    }
    if query.with_resource.is_some() && query.with.is_none() {
        return Err(StoreError::Invalid("with"));
    }
    let window_id = match query.window {
        Window::After(id) | Window::Before(id) => Some(id),
        Window::First | Window::Last | Window::Index(_) => None,
    };
    let ids = query.ids.iter().copied().chain(query.after_id).chain(query.before_id).chain(window_id);
    for id in ids {
        if !archived(conn, uid, id)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn archived(conn: &Connection, uid: Uid, id: Useq) -> Result<bool> {
    let mut statement =
        conn.prepare_cached("SELECT 1 FROM log WHERE uid = ?1 AND useq = ?2 AND flags & 2")?;
    Ok(statement.exists([int(uid.0), int(id.0)])?)
}

/// The condition of a selection. Each names all parameters, whatever the query leaves out.
pub(super) fn condition(with: bool, resource: bool) -> &'static str {
    match (with, resource) {
        (false, _) => {
            "l.uid = :uid AND l.useq BETWEEN :first AND :last AND l.flags & 2 AND NOT l.flags & :hidden \
             AND :with IS NULL AND :resource IS NULL"
        }
        (true, false) => {
            "l.uid = :uid AND l.peer = :with AND l.useq BETWEEN :first AND :last AND l.flags & 2 \
             AND NOT l.flags & :hidden AND :resource IS NULL"
        }
        (true, true) => {
            "l.uid = :uid AND l.peer = :with AND l.useq BETWEEN :first AND :last AND l.flags & 2 \
             AND NOT l.flags & :hidden AND l.peer_resource = :resource"
        }
    }
}

pub(super) fn page_sql(condition: &str, backward: bool) -> String {
    let order = if backward { "DESC" } else { "ASC" };
    format!("SELECT {ENTRY} WHERE {condition} ORDER BY l.useq {order} LIMIT :limit OFFSET :skip")
}

pub(super) fn count_sql(condition: &str) -> String {
    format!("SELECT count(*) FROM (SELECT 1 FROM log l WHERE {condition} LIMIT :limit)")
}

impl<'a> Selection<'a> {
    fn new(conn: &'a Connection, uid: Uid, query: &'a PageQuery) -> Result<Selection<'a>> {
        let mut first = query.after_id.map_or(0, |id| int(id.0).saturating_add(1));
        let mut last = query.before_id.map_or(i64::MAX, |id| int(id.0) - 1);
        if let Some(start) = query.start {
            first = first.max(first_from(conn, uid, start)?);
        }
        if let Some(end) = query.end {
            last = last.min(first_from(conn, uid, Timestamp(end.0.saturating_add(1)))? - 1);
        }
        Ok(Selection {
            conn,
            uid: int(uid.0),
            first,
            last,
            with: query.with.as_ref().map(|jid| jid.as_str()),
            resource: query.with_resource.as_deref(),
            hidden: if query.groups { 0 } else { Flags::GROUP.0.into() },
        })
    }

    /// The condition for what the query gives.
    fn condition(&self) -> &'static str {
        condition(self.with.is_some(), self.resource.is_some())
    }

    /// The part of a range that the window shows.
    fn page(&self, window: Window, max: usize) -> Result<Page> {
        let (mut first, mut last) = (self.first, self.last);
        let mut skip = 0;
        match window {
            Window::First | Window::Last => {}
            Window::After(id) => first = first.max(int(id.0).saturating_add(1)),
            Window::Before(id) => last = last.min(int(id.0) - 1),
            Window::Index(index) => skip = int(index),
        }
        let backward = matches!(window, Window::Before(_) | Window::Last);
        let mut statement = self.conn.prepare_cached(&page_sql(self.condition(), backward))?;
        // One more than wanted tells whether there are more.
        let rows = statement.query(named_params! {
            ":uid": self.uid, ":first": first, ":last": last, ":with": self.with, ":resource": self.resource,
            ":hidden": self.hidden,
            ":limit": max as i64 + 1, ":skip": skip,
        })?;
        let (mut entries, more) = take(rows, max)?;
        if backward {
            entries.reverse();
        }
        let count = self.count(self.last)?;
        let first_index = match (count, entries.first()) {
            (Some(_), Some(entry)) => self.count(int(entry.useq.0) - 1)?,
            _ => None,
        };
        Ok(Page { entries, complete: !more, first_index, count })
    }

    /// How many there are up to `last`; `None` above [`limits::COUNT`].
    fn count(&self, last: i64) -> Result<Option<u64>> {
        let count: i64 = self.conn.prepare_cached(&count_sql(self.condition()))?.query_row(
            named_params! {
                ":uid": self.uid, ":first": self.first, ":last": last, ":with": self.with,
                ":resource": self.resource, ":hidden": self.hidden, ":limit": int(limits::COUNT + 1),
            },
            |row| row.get(0),
        )?;
        let count = count as u64;
        Ok((count <= limits::COUNT).then_some(count))
    }

    /// The page of a query that names its entries.
    fn among(&self, mut ids: Vec<Useq>, window: Window, max: usize) -> Result<Page> {
        let sql = format!("SELECT {ENTRY} WHERE {} ", self.condition());
        let mut statement = self.conn.prepare_cached(&sql)?;
        ids.sort_unstable();
        ids.dedup();
        // Those that the other conditions select, first by their positions only.
        let mut selected = Vec::with_capacity(ids.len());
        for id in ids.into_iter().filter(|id| (self.first..=self.last).contains(&int(id.0))) {
            let id = int(id.0);
            let found = statement.exists(named_params! {
                ":uid": self.uid, ":first": id, ":last": id, ":with": self.with, ":resource": self.resource,
                ":hidden": self.hidden,
            })?;
            if found {
                selected.push(Useq(id as u64));
            }
        }
        let after = |id| selected.partition_point(|&other| other <= id);
        let before = |id| selected.partition_point(|&other| other < id);
        let range = match window {
            Window::First | Window::Last => 0..selected.len(),
            Window::After(id) => after(id)..selected.len(),
            Window::Before(id) => 0..before(id),
            Window::Index(index) => selected.len().min(index as usize)..selected.len(),
        };
        let backward = matches!(window, Window::Before(_) | Window::Last);
        let wanted = &selected[range];
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        for step in 0..wanted.len().min(max) {
            if bytes >= limits::PAGE_BYTES {
                break;
            }
            let id = int(if backward { wanted[wanted.len() - 1 - step] } else { wanted[step] }.0);
            let entry = statement.query_row(
                named_params! {
                    ":uid": self.uid, ":first": id, ":last": id, ":with": self.with, ":resource": self.resource,
                    ":hidden": self.hidden,
                },
                entry,
            )?;
            bytes += entry.stanza.len();
            entries.push(entry);
        }
        let complete = entries.len() == wanted.len();
        if backward {
            entries.reverse();
        }
        let first_index = entries.first().map(|entry| before(entry.useq) as u64);
        Ok(Page { entries, complete, first_index, count: Some(selected.len() as u64) })
    }
}

impl Selection<'_> {
    /// The page of what a search finds. Of much, only the part that is wanted is looked for, and it is not counted.
    fn search(&self, finder: &Finder<'_>, query: &PageQuery) -> Result<Page> {
        let max = query.max.min(limits::PAGE);
        let mut statement =
            self.conn.prepare_cached(&format!("SELECT {ENTRY} WHERE {}", self.condition()))?;
        let mut read = |id: i64| -> Result<Option<Entry>> {
            if !query.ids.is_empty() && !query.ids.contains(&Useq(id as u64)) {
                return Ok(None);
            }
            let params = named_params! {
                ":uid": self.uid, ":first": id, ":last": id, ":with": self.with, ":resource": self.resource,
                ":hidden": self.hidden,
            };
            Ok(statement.query_row(params, entry).optional()?)
        };
        let found = finder.walk((self.first, self.last), false, limits::SEARCH_SCAN, &mut read)?;
        if found.all {
            return self.among(found.entries, query.window, max);
        }
        let (mut first, mut last, mut skip) = (self.first, self.last, 0);
        match query.window {
            Window::First | Window::Last => {}
            Window::After(id) => first = first.max(int(id.0).saturating_add(1)),
            Window::Before(id) => last = last.min(int(id.0) - 1),
            Window::Index(index) => skip = index as usize,
        }
        let backward = matches!(query.window, Window::Before(_) | Window::Last);
        let mut found = finder.walk((first, last), backward, skip.saturating_add(max), &mut read)?;
        let entries = found.entries.split_off(skip.min(found.entries.len()));
        let window = if backward { Window::Last } else { Window::First };
        let page = self.among(entries, window, max)?;
        Ok(Page { complete: found.all && page.complete, first_index: None, count: None, ..page })
    }
}

/// The first position whose time is `from` or later; past the head if there is none. A binary search, as times never go
/// back along a log: some thirty look-ups in the longest.
pub(super) fn first_from(conn: &Connection, uid: Uid, from: Timestamp) -> Result<i64> {
    let mut probe =
        conn.prepare_cached("SELECT useq, at FROM log WHERE uid = ?1 AND useq >= ?2 ORDER BY useq LIMIT 1")?;
    let mut at = |position: i64| -> Result<Option<(i64, Timestamp)>> {
        Ok(probe.query_row([int(uid.0), position], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
    };
    let Some((mut low, _)) = at(0)? else { return Ok(0) };
    let last = conn
        .prepare_cached("SELECT useq FROM log WHERE uid = ?1 ORDER BY useq DESC LIMIT 1")?
        .query_row([int(uid.0)], |row| row.get::<_, i64>(0))?;
    let mut high = last + 1;
    // What is before `low` is earlier, what is from `high` on is not.
    while low < high {
        let middle = low + (high - low) / 2;
        match at(middle)? {
            Some((position, time)) if time < from => low = position + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(high)
}

/// The next address after one, of those that the archive has messages with: a look-up, however long the conversations.
pub(super) const PEER: &str =
    "SELECT peer FROM log WHERE uid = ?1 AND peer > ?2 AND flags & 2 ORDER BY peer LIMIT 1";

pub(crate) fn peers(
    conn: &Connection,
    uid: Uid,
    after: Option<&BareJid>,
    limit: usize,
) -> Result<Vec<BareJid>> {
    let mut next = conn.prepare_cached(PEER)?;
    let mut peers: Vec<BareJid> = Vec::new();
    while peers.len() < limit.min(limits::PAGE) {
        let last = peers.last().or(after).map_or("", |jid| jid.as_str());
        let Some(peer) = next.query_row(params![int(uid.0), last], |row| jid(row, 0)).optional()? else {
            break;
        };
        peers.push(peer);
    }
    Ok(peers)
}

/// The entries of one conversation, in order.
pub(super) fn events_with_sql() -> String {
    format!(
        "SELECT {ENTRY} WHERE l.uid = ?1 AND l.peer = ?2 AND l.useq > ?3 AND l.flags & 2 ORDER BY l.useq LIMIT ?4"
    )
}

pub(crate) fn events_with(
    conn: &Connection,
    uid: Uid,
    peer: &BareJid,
    after: Useq,
    limit: usize,
) -> Result<Vec<Entry>> {
    let limit = limit.min(limits::PAGE);
    let mut statement = conn.prepare_cached(&events_with_sql())?;
    let rows = statement.query(params![int(uid.0), peer.as_str(), int(after.0), limit as i64])?;
    Ok(take(rows, limit)?.0)
}

pub(super) const MESSAGES_WITH: &str = "SELECT 1 FROM log WHERE uid = ?1 AND peer = ?2 AND flags & 2 LIMIT 1";

pub(crate) fn has_messages_with(conn: &Connection, uid: Uid, peer: &BareJid) -> Result<bool> {
    Ok(conn.prepare_cached(MESSAGES_WITH)?.exists(params![int(uid.0), peer.as_str()])?)
}

pub(crate) fn archive_bounds(conn: &Connection, uid: Uid) -> Result<Option<ArchiveBounds>> {
    let end = |order: &str| -> Result<Option<(Useq, Timestamp)>> {
        let sql =
            format!("SELECT useq, at FROM log WHERE uid = ?1 AND flags & 2 ORDER BY useq {order} LIMIT 1");
        let mut statement = conn.prepare_cached(&sql)?;
        Ok(statement.query_row([int(uid.0)], |row| Ok((useq(row, 0)?, row.get(1)?))).optional()?)
    };
    let (Some(first), Some(last)) = (end("ASC")?, end("DESC")?) else { return Ok(None) };
    Ok(Some(ArchiveBounds { first, last }))
}

pub(crate) fn archive_size(conn: &Connection, uid: Uid, after: Useq) -> Result<ArchiveSize> {
    let mut statement = conn.prepare_cached(
        "SELECT l.useq, l.flags & 2, length(m.stanza) FROM log l CROSS JOIN message m ON m.id = l.message
         WHERE l.uid = ?1 AND l.useq > ?2 ORDER BY l.useq LIMIT ?3",
    )?;
    let limit = limits::SIZE_SLICE as i64;
    let mut rows = statement.query([int(uid.0), int(after.0), limit])?;
    let (mut size, mut seen, mut last) = (ArchiveSize::default(), 0, after);
    while let Some(row) = rows.next()? {
        (seen, last) = (seen + 1, useq(row, 0)?);
        if row.get::<_, i64>(1)? != 0 {
            size.entries += 1;
            size.bytes += row.get::<_, i64>(2)? as u64;
        }
    }
    size.next = (seen == limit).then_some(last);
    Ok(size)
}

pub(crate) fn log_length(conn: &Connection, uid: Uid, most: u64) -> Result<u64> {
    let mut statement =
        conn.prepare_cached("SELECT count(*) FROM (SELECT 1 FROM log WHERE uid = ?1 LIMIT ?2)")?;
    let count: i64 = statement.query_row([int(uid.0), int(most)], |row| row.get(0))?;
    Ok(count as u64)
}
