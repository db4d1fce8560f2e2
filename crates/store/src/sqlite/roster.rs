//! The roster's rows.

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_proto::subscription::State;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, jid};
use crate::roster::{Roster, RosterChange, RosterItem};
use crate::{Result, StoreError, limits};

/// Between groups in their column. No XML document can contain it.
const SEPARATOR: char = '\u{1f}';

/// What a row is to the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Status {
    /// A contact that only asked: no roster item yet.
    #[default]
    Hidden,
    /// A roster item.
    Shown,
    /// A roster item that was removed; remembered for roster versioning.
    Removed,
}

/// A row of `roster_item` but its key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Row {
    pub(super) status: Status,
    pub(super) name: Option<String>,
    pub(super) groups: Vec<String>,
    pub(super) state: State,
    pub(super) request: Option<Bytes>,
}

impl Row {
    /// This row in another state: an item from now on, if the state makes it one.
    pub(super) fn moved(&self, state: State) -> Row {
        let mut row = Row { state, ..self.clone() };
        if state.without(State::PENDING_IN) != State::NONE {
            row.status = Status::Shown;
        }
        if !state.has(State::PENDING_IN) {
            row.request = None;
        }
        row
    }

    /// What the user's clients see of it.
    fn seen(&self, jid: &BareJid) -> Option<RosterItem> {
        (self.status == Status::Shown).then(|| RosterItem {
            jid: jid.clone(),
            name: self.name.clone(),
            groups: self.groups.clone(),
            state: self.state,
        })
    }

    /// Whether the user's clients see the same of both. They do not see who asks.
    fn looks_like(&self, other: &Row) -> bool {
        let facts = |row: &Row| row.state.without(State::PENDING_IN);
        match (self.status == Status::Shown, other.status == Status::Shown) {
            (false, false) => true,
            (true, true) => {
                facts(self) == facts(other) && self.name == other.name && self.groups == other.groups
            }
            _ => false,
        }
    }
}

const ROW: &str = "status, name, groups, state, request, jid, ver FROM roster_item";

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let groups: String = row.get(2)?;
    let request: Option<Vec<u8>> = row.get(4)?;
    Ok(Row {
        status: match row.get(0)? {
            1 => Status::Shown,
            2 => Status::Removed,
            _ => Status::Hidden,
        },
        name: row.get(1)?,
        groups: groups.split_terminator(SEPARATOR).map(str::to_owned).collect(),
        state: State::from_bits(row.get(3)?),
        request: request.map(Bytes::from),
    })
}

/// The last change of a row, as its roster push said it.
fn change(columns: &rusqlite::Row<'_>) -> rusqlite::Result<RosterChange> {
    let jid = jid(columns, 5)?;
    let item = row(columns)?.seen(&jid);
    Ok(RosterChange { ver: columns.get::<_, i64>(6)? as u64, jid, item })
}

/// The row, or an empty one.
pub(super) fn load(conn: &Connection, uid: Uid, jid: &BareJid) -> Result<Row> {
    let mut statement = conn.prepare_cached(&format!("SELECT {ROW} WHERE uid = ?1 AND jid = ?2"))?;
    Ok(statement.query_row(params![int(uid.0), jid.as_str()], row).optional()?.unwrap_or_default())
}

/// Writes the row, if it differs, and makes the change that the user's clients see, if they do.
pub(super) fn save(
    tx: &Tx<'_>,
    uid: Uid,
    jid: &BareJid,
    before: &Row,
    after: &Row,
) -> Result<Option<RosterChange>> {
    if before == after {
        return Ok(None);
    }
    if before.looks_like(after) {
        if after.status == Status::Hidden && after.state == State::NONE {
            delete(tx, uid, jid)?;
        } else {
            keep(tx, uid, jid, after, None)?;
        }
        return Ok(None);
    }
    if before.status != Status::Shown {
        bound(tx, uid, "status = 1", limits::ROSTER_ITEMS, "roster items")?;
    }
    push(tx, uid, jid, after).map(Some)
}

/// Writes the row under the roster's next version.
pub(super) fn push(tx: &Tx<'_>, uid: Uid, jid: &BareJid, after: &Row) -> Result<RosterChange> {
    let ver: i64 = tx
        .conn
        .prepare_cached(
            "INSERT INTO roster (uid, ver, forgotten) VALUES (?1, 1, 0)
             ON CONFLICT (uid) DO UPDATE SET ver = ver + 1 RETURNING ver",
        )?
        .query_row([int(uid.0)], |row| row.get(0))?;
    keep(tx, uid, jid, after, Some(ver))?;
    if after.status == Status::Removed {
        forget(tx, uid)?;
    }
    Ok(RosterChange { ver: ver as u64, jid: jid.clone(), item: after.seen(jid) })
}

/// Writes the row, with its version if the clients see a change.
fn keep(tx: &Tx<'_>, uid: Uid, jid: &BareJid, row: &Row, ver: Option<i64>) -> Result<()> {
    let mut groups = String::new();
    for group in &row.groups {
        groups.push_str(group);
        groups.push(SEPARATOR);
    }
    let status = match row.status {
        Status::Hidden => 0,
        Status::Shown => 1,
        Status::Removed => 2,
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO roster_item (uid, jid, status, name, groups, state, ver, request)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, 0), ?8)
             ON CONFLICT (uid, jid) DO UPDATE SET status = excluded.status, name = excluded.name,
                groups = excluded.groups, state = excluded.state, ver = coalesce(?7, ver), request = excluded.request",
        )?
        .execute(params![
            int(uid.0),
            jid.as_str(),
            status,
            row.name,
            groups,
            row.state.bits(),
            ver,
            row.request.as_deref(),
        ])?;
    Ok(())
}

fn delete(tx: &Tx<'_>, uid: Uid, jid: &BareJid) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM roster_item WHERE uid = ?1 AND jid = ?2")?
        .execute(params![int(uid.0), jid.as_str()])?;
    Ok(())
}

/// Refuses one more row of this condition than `limit`.
pub(super) fn bound(
    tx: &Tx<'_>,
    uid: Uid,
    condition: &'static str,
    limit: usize,
    what: &'static str,
) -> Result<()> {
    let sql = format!("SELECT count(*) FROM roster_item WHERE uid = ?1 AND {condition}");
    let count: i64 = tx.conn.prepare_cached(&sql)?.query_row([int(uid.0)], |row| row.get(0))?;
    if count >= limit as i64 { Err(StoreError::Limit(what)) } else { Ok(()) }
}

/// Forgets the oldest removed items beyond [`limits::ROSTER_REMOVED`].
fn forget(tx: &Tx<'_>, uid: Uid) -> Result<()> {
    let last: Option<i64> = tx
        .conn
        .prepare_cached(
            "SELECT ver FROM roster_item WHERE uid = ?1 AND status = 2 ORDER BY ver DESC LIMIT 1 OFFSET ?2",
        )?
        .query_row(params![int(uid.0), limits::ROSTER_REMOVED as i64], |row| row.get(0))
        .optional()?;
    let Some(last) = last else { return Ok(()) };
    for forgotten in [
        // Who asked again since is remembered for that.
        "UPDATE roster_item SET status = 0 WHERE uid = ?1 AND status = 2 AND ver <= ?2 AND state <> 0",
        "DELETE FROM roster_item WHERE uid = ?1 AND status = 2 AND ver <= ?2",
        "UPDATE roster SET forgotten = ?2 WHERE uid = ?1",
    ] {
        tx.conn.prepare_cached(forgotten)?.execute([int(uid.0), last])?;
    }
    Ok(())
}

pub(crate) fn set(
    tx: &mut Tx<'_>,
    uid: Uid,
    jid: &BareJid,
    name: Option<String>,
    groups: Vec<String>,
) -> Result<RosterChange> {
    if groups.len() > limits::ROSTER_GROUPS {
        return Err(StoreError::Limit("groups"));
    }
    let fits = |text: &String| text.len() <= limits::ROSTER_NAME_BYTES;
    if !name.iter().all(fits) {
        return Err(StoreError::Invalid("name"));
    }
    if !groups.iter().all(|group| fits(group) && !group.is_empty() && !group.contains(SEPARATOR)) {
        return Err(StoreError::Invalid("group"));
    }
    let before = load(tx.conn, uid, jid)?;
    if before.status != Status::Shown {
        bound(tx, uid, "status = 1", limits::ROSTER_ITEMS, "roster items")?;
    }
    push(tx, uid, jid, &Row { status: Status::Shown, name, groups, ..before })
}

pub(crate) fn get(conn: &Connection, uid: Uid) -> Result<Roster> {
    let (ver, _) = version(conn, uid)?;
    let mut statement =
        conn.prepare_cached(&format!("SELECT {ROW} WHERE uid = ?1 AND status = 1 ORDER BY jid"))?;
    let rows = statement.query_map([int(uid.0)], change)?;
    let changes: Vec<RosterChange> = rows.collect::<Result<_, _>>()?;
    Ok(Roster { ver, items: changes.into_iter().filter_map(|change| change.item).collect() })
}

pub(crate) fn since(conn: &Connection, uid: Uid, ver: u64) -> Result<Option<Vec<RosterChange>>> {
    let (current, forgotten) = version(conn, uid)?;
    if ver > current || ver < forgotten {
        return Ok(None);
    }
    let mut statement = conn
        .prepare_cached(&format!("SELECT {ROW} WHERE uid = ?1 AND status <> 0 AND ver > ?2 ORDER BY ver"))?;
    let rows = statement.query_map([int(uid.0), int(ver)], change)?;
    Ok(Some(rows.collect::<Result<_, _>>()?))
}

pub(crate) fn item(conn: &Connection, uid: Uid, jid: &BareJid) -> Result<Option<RosterItem>> {
    let row = load(conn, uid, jid)?;
    if row.status != Status::Shown && row.state == State::NONE {
        return Ok(None);
    }
    let Row { name, groups, state, .. } = row;
    Ok(Some(RosterItem { jid: jid.clone(), name, groups, state }))
}

pub(crate) fn contacts(conn: &Connection, uid: Uid) -> Result<Vec<(BareJid, State)>> {
    let mut statement =
        conn.prepare_cached("SELECT jid, state FROM roster_item WHERE uid = ?1 AND status = 1 ORDER BY jid")?;
    let rows = statement.query_map([int(uid.0)], |row| Ok((jid(row, 0)?, State::from_bits(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn requests(conn: &Connection, uid: Uid) -> Result<Vec<Bytes>> {
    let mut statement = conn.prepare_cached(
        "SELECT request FROM roster_item WHERE uid = ?1 AND request IS NOT NULL ORDER BY jid",
    )?;
    let rows = statement.query_map([int(uid.0)], |row| row.get::<_, Vec<u8>>(0).map(Bytes::from))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The roster's version, and the last one that is not known any more.
fn version(conn: &Connection, uid: Uid) -> Result<(u64, u64)> {
    let version = conn
        .prepare_cached("SELECT ver, forgotten FROM roster WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))
        .optional()?;
    Ok(version.unwrap_or_default())
}
