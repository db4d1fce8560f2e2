//! Tickets that were used.

use rusqlite::{Connection, params};

use super::Tx;
use crate::ticket::TicketHash;
use crate::{Result, Timestamp};

pub(crate) fn use_once(
    tx: &mut Tx<'_>,
    hash: TicketHash,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    if expires <= now {
        return Ok(false);
    }
    let sql = "INSERT INTO ticket (hash, expires) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    Ok(tx.conn.prepare_cached(sql)?.execute(params![hash.0, expires])? > 0)
}

pub(crate) fn is_used(conn: &Connection, hash: TicketHash) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM ticket WHERE hash = ?1)";
    Ok(conn.prepare_cached(sql)?.query_row([hash.0], |row| row.get(0))?)
}

/// Forgets those that nobody could use any more.
pub(super) fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM ticket WHERE expires <= ?1")?.execute([now])?;
    Ok(())
}
