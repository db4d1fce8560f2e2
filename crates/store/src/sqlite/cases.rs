//! Cases: opened and ended in the transactions of what opens and ends them.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, jid, uid, useq};
use super::timeline::{ENTRY, take};
use super::{Tx, sendings, timeline};
use crate::reach::{Case, CaseState, CaseStep};
use crate::sending::{CaseId, SendingState, Urgency};
use crate::timeline::{Direction, Entry, Flags};
use crate::{Result, StoreError, Timestamp, limits};

const CASE: &str = "id, uid, peer, urgency, first, last, since, state, changed, next";

fn read_case(row: &Row<'_>) -> rusqlite::Result<Case> {
    Ok(Case {
        id: CaseId(row.get::<_, i64>(0)? as u64),
        uid: uid(row, 1)?,
        peer: jid(row, 2)?,
        urgency: row.get(3)?,
        first: useq(row, 4)?,
        last: useq(row, 5)?,
        since: row.get(6)?,
        state: row.get(7)?,
        changed: row.get(8)?,
        next: row.get(9)?,
    })
}

/// How urgent an entry is, by its flags.
fn urgency(flags: Flags) -> Urgency {
    if flags.has(Flags::URGENT) {
        Urgency::Urgent
    } else if flags.has(Flags::IMPORTANT) {
        Urgency::Important
    } else {
        Urgency::Normal
    }
}

/// The flags of the entries of one urgency.
fn flags(urgency: Urgency) -> Flags {
    match urgency {
        Urgency::Normal => Flags::REACH,
        Urgency::Important => Flags::REACH | Flags::IMPORTANT,
        Urgency::Urgent => Flags::REACH | Flags::URGENT,
    }
}

/// All flags that say something about urgency.
const MASK: u32 = Flags::REACH.0 | Flags::IMPORTANT.0 | Flags::URGENT.0;

/// An entry with [`Flags::REACH`] has entered its owner's log.
pub(super) fn passed(tx: &mut Tx<'_>, owner: Uid, entry: &Entry) -> Result<()> {
    match entry.direction {
        Direction::In => open(tx, owner, entry),
        // Who answers has read.
        Direction::Out => read(tx, owner, &entry.peer, entry.useq, CaseState::Answered),
    }
}

/// Messages of one burst are one case.
fn open(tx: &mut Tx<'_>, owner: Uid, entry: &Entry) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO reach_case (uid, peer, urgency, first, last, since, changed, next)
             VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?5, ?5)
             ON CONFLICT (uid, peer, urgency) WHERE state = 0 DO UPDATE SET last = excluded.last",
        )?
        .execute(params![
            int(owner.0),
            entry.peer.as_str(),
            urgency(entry.flags),
            int(entry.useq.0),
            entry.at
        ])?;
    Ok(())
}

/// All up to a position of a conversation was read, or answered. What came later stays: it was first told of when it came.
pub(super) fn read(tx: &mut Tx<'_>, owner: Uid, peer: &BareJid, upto: Useq, how: CaseState) -> Result<()> {
    let live: Vec<Case> = {
        let sql = format!(
            "SELECT {CASE} FROM reach_case WHERE uid = ?1 AND peer = ?2 AND state <= 1 AND first <= ?3"
        );
        let mut statement = tx.conn.prepare_cached(&sql)?;
        let rows = statement.query_map(params![int(owner.0), peer.as_str(), int(upto.0)], read_case)?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for case in live {
        let left = if case.last > upto { first_after(tx.conn, &case, upto)? } else { None };
        match left {
            Some((first, since)) => {
                tx.conn
                    .prepare_cached("UPDATE reach_case SET first = ?2, since = ?3 WHERE id = ?1")?
                    .execute(params![int(case.id.0), int(first.0), since])?;
            }
            None => {
                let at = reading_time(tx, owner)?;
                end(tx, case.id, how, at)?;
            }
        }
    }
    Ok(())
}

/// When something was read: no clock is asked, so it is the time of the log's last entry.
fn reading_time(tx: &mut Tx<'_>, owner: Uid) -> Result<Timestamp> {
    Ok(tx.last(owner)?.at)
}

/// The first message of a case after a position.
fn first_after(conn: &Connection, case: &Case, after: Useq) -> Result<Option<(Useq, Timestamp)>> {
    let sql =
        "SELECT useq, at FROM log WHERE uid = ?1 AND peer = ?2 AND flags & 2 AND useq > ?3 AND useq <= ?4
                   AND flags & ?5 = ?6 AND NOT direction ORDER BY useq LIMIT 1";
    let values = params![
        int(case.uid.0),
        case.peer.as_str(),
        int(after.0),
        int(case.last.0),
        MASK,
        flags(case.urgency)
    ];
    let mut statement = conn.prepare_cached(sql)?;
    Ok(statement.query_row(values, |row| Ok((useq(row, 0)?, row.get(1)?))).optional()?)
}

/// A case is over, and what waits for it in the queue with it.
pub(super) fn end(tx: &Tx<'_>, id: CaseId, how: CaseState, now: Timestamp) -> Result<()> {
    let sql = "UPDATE reach_case SET state = ?2, changed = ?3 WHERE id = ?1 AND state <= 1";
    if tx.conn.prepare_cached(sql)?.execute(params![int(id.0), how, now])? > 0 {
        sendings::cancel(tx, id, now)?;
    }
    Ok(())
}

/// All cases of an account are over: it does not want to be reached any more.
pub(super) fn end_all(tx: &Tx<'_>, owner: Uid, now: Timestamp) -> Result<()> {
    let live: Vec<i64> = {
        let mut statement =
            tx.conn.prepare_cached("SELECT id FROM reach_case WHERE uid = ?1 AND state <= 1")?;
        let rows = statement.query_map([int(owner.0)], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for id in live {
        end(tx, CaseId(id as u64), CaseState::Expired, now)?;
    }
    Ok(())
}

/// Something has become of a sending: the case is to be looked at. Its time is another than it was in any case, so that a step
/// that was decided without knowing of this is not done.
pub(super) fn look_again(tx: &Tx<'_>, id: CaseId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE reach_case SET next = min(next, ?2) - 1 WHERE id = ?1 AND state <= 1";
    tx.conn.prepare_cached(sql)?.execute(params![int(id.0), now])?;
    Ok(())
}

pub(crate) fn step(
    tx: &mut Tx<'_>,
    seen: &Case,
    step: CaseStep,
    next: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let sql = "UPDATE reach_case SET next = ?2 WHERE id = ?1 AND state <= 1 AND state = ?3 AND first = ?4 AND last = ?5
               AND next = ?6";
    let same = params![int(seen.id.0), next, seen.state, int(seen.first.0), int(seen.last.0), seen.next];
    if tx.conn.prepare_cached(sql)?.execute(same)? == 0 {
        return Ok(false);
    }
    match step {
        CaseStep::Wait => {}
        CaseStep::Send(new, caps, telling) => {
            let (state, why) = match sendings::check_room(tx, &new, caps) {
                Ok(()) => (SendingState::Queued, String::new()),
                // It had its turn; the next rule may be free of charge.
                Err(StoreError::Limit(what)) => (SendingState::Failed, format!("There are too many {what}.")),
                Err(error) => return Err(error),
            };
            let sending = sendings::insert(tx, &new, state, &why)?;
            if let Some(append) = telling(&sending) {
                timeline::append(tx, append)?;
            }
        }
        CaseStep::Told => {
            let sql = "UPDATE reach_case SET state = ?2, changed = ?3 WHERE id = ?1";
            tx.conn.prepare_cached(sql)?.execute(params![int(seen.id.0), CaseState::Told, now])?;
        }
        CaseStep::End(state, telling) => {
            end(tx, seen.id, state, now)?;
            if let Some(append) = telling {
                timeline::append(tx, append)?;
            }
        }
    }
    Ok(true)
}

pub(crate) fn due(conn: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Case>> {
    let sql =
        format!("SELECT {CASE} FROM reach_case WHERE state <= 1 AND next <= ?1 ORDER BY next, id LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![now, limit.min(limits::BATCH) as i64], read_case)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn of_account(conn: &Connection, owner: Uid, limit: usize) -> Result<Vec<Case>> {
    let sql =
        format!("SELECT {CASE} FROM reach_case WHERE uid = ?1 AND state = 0 ORDER BY next, id LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![int(owner.0), limit.min(limits::BATCH) as i64], read_case)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn next(conn: &Connection) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(next) FROM reach_case WHERE state <= 1";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(crate) fn get(conn: &Connection, id: CaseId) -> Result<Option<Case>> {
    let sql = format!("SELECT {CASE} FROM reach_case WHERE id = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([int(id.0)], read_case).optional()?)
}

pub(crate) fn list(conn: &Connection, owner: Uid, limit: usize) -> Result<Vec<Case>> {
    let sql = format!("SELECT {CASE} FROM reach_case WHERE uid = ?1 ORDER BY id DESC LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let limit = limit.min(limits::SENDINGS_LISTED) as i64;
    let rows = statement.query_map(params![int(owner.0), limit], read_case)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn messages(conn: &Connection, id: CaseId) -> Result<(Vec<Entry>, u64)> {
    let Some(case) = get(conn, id)? else { return Ok((Vec::new(), 0)) };
    let which = "l.uid = ?1 AND l.peer = ?2 AND l.flags & 2 AND l.useq BETWEEN ?3 AND ?4
                     AND l.flags & ?5 = ?6 AND NOT l.direction";
    let values = params![
        int(case.uid.0),
        case.peer.as_str(),
        int(case.first.0),
        int(case.last.0),
        MASK,
        flags(case.urgency)
    ];
    let count: i64 = conn
        .prepare_cached(&format!("SELECT count(*) FROM log l WHERE {which}"))?
        .query_row(values, |row| row.get(0))?;
    let newest = limits::REACH_MESSAGES;
    let sql = format!("SELECT {ENTRY} WHERE {which} ORDER BY l.useq DESC LIMIT {newest}");
    let mut statement = conn.prepare_cached(&sql)?;
    let (mut entries, _) = take(statement.query(values)?, newest)?;
    entries.reverse();
    Ok((entries, count as u64))
}

/// Forgets a slice of what was over long ago.
pub(super) fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    let before = Timestamp(now.0.saturating_sub(limits::SENDING_KEPT_MS));
    tx.conn
        .prepare_cached(
            "DELETE FROM reach_case WHERE id IN
                 (SELECT id FROM reach_case WHERE state > 1 AND changed < ?1 LIMIT ?2)",
        )?
        .execute(params![before, limits::SWEEP as i64])?;
    Ok(())
}

impl ToSql for CaseState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as i64).into())
    }
}

impl FromSql for CaseState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<CaseState> {
        let at = value.as_i64()?;
        let found = usize::try_from(at).ok().and_then(|at| CaseState::ALL.get(at));
        found.copied().ok_or(FromSqlError::OutOfRange(at))
    }
}
