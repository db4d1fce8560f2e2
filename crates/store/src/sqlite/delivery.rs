//! Positions of delivery, and marks on what is owed.

use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, params};

use super::columns::{int, useq};
use super::timeline::{ENTRY, take};
use super::tx::Tx;
use crate::timeline::{Entry, Flags};
use crate::{Result, StoreError, limits};

pub(crate) fn set_delivered(tx: &mut Tx<'_>, positions: &[(Uid, Useq)]) -> Result<()> {
    if positions.len() > limits::BATCH {
        return Err(StoreError::Limit("positions"));
    }
    for &(uid, useq) in positions {
        // A position that was not given yet cannot have reached anybody.
        let last = match tx.last(uid) {
            Ok(last) => last.useq,
            Err(StoreError::NotFound) => continue, // Deleted meanwhile.
            Err(error) => return Err(error),
        };
        tx.conn
            .prepare_cached(
                "INSERT INTO position (uid, delivered) VALUES (?1, ?2)
                 ON CONFLICT (uid) DO UPDATE SET delivered = max(delivered, excluded.delivered)",
            )?
            .execute(params![int(uid.0), int(useq.min(last).0)])?;
    }
    Ok(())
}

pub(crate) fn addressed(
    conn: &Connection,
    uid: Uid,
    resource: &str,
    after: Useq,
    upto: Useq,
) -> Result<Vec<Useq>> {
    let mut statement = conn.prepare_cached(
        "SELECT useq FROM log WHERE uid = ?1 AND useq > ?2 AND useq <= ?3 AND resource = ?4 AND direction = 0
             AND flags & ?5 = ?6
         ORDER BY useq LIMIT ?7",
    )?;
    let rows = statement.query_map(
        params![
            int(uid.0),
            int(after.0),
            int(upto.0),
            resource,
            Flags::DELIVER | Flags::OWED,
            Flags::DELIVER,
            limits::OWED as i64
        ],
        |row| useq(row, 0),
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn mark(tx: &mut Tx<'_>, uid: Uid, useqs: &[Useq], owed: bool) -> Result<()> {
    if useqs.len() > limits::OWED {
        return Err(StoreError::Limit("entries"));
    }
    let mut statement = tx.conn.prepare_cached(
        "UPDATE log SET flags = CASE WHEN ?4 THEN flags | ?3 ELSE flags & ~?3 END WHERE uid = ?1 AND useq = ?2",
    )?;
    for useq in useqs {
        statement.execute(params![int(uid.0), int(useq.0), Flags::OWED, owed])?;
    }
    Ok(())
}

/// The marked entries of one log.
pub(super) fn owed_sql() -> String {
    format!("SELECT {ENTRY} WHERE l.uid = ?1 AND l.useq > ?2 AND l.flags & 128 ORDER BY l.useq LIMIT ?3")
}

pub(crate) fn owed(conn: &Connection, uid: Uid, after: Useq, limit: usize) -> Result<Vec<Entry>> {
    let limit = limit.min(limits::PAGE);
    let mut statement = conn.prepare_cached(&owed_sql())?;
    let rows = statement.query(params![int(uid.0), int(after.0), limit as i64])?;
    Ok(take(rows, limit)?.0)
}

/// How many entries of one log are marked and say something still.
pub(super) const OWED_COUNT: &str = "SELECT count(*) FROM log l CROSS JOIN message m ON m.id = l.message
     WHERE l.uid = ?1 AND l.flags & 128 AND NOT m.flags & ?2";

pub(crate) fn owed_count(conn: &Connection, uid: Uid) -> Result<u64> {
    let mut statement = conn.prepare_cached(OWED_COUNT)?;
    let count: i64 = statement.query_row(params![int(uid.0), Flags::RETRACTED], |row| row.get(0))?;
    Ok(count as u64)
}
