//! Verified capabilities.

use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use crate::{Result, StoreError, Timestamp, limits};

/// Between values in their column. No XML document can contain it.
const SEPARATOR: &str = "\u{1f}";

pub(crate) fn get(conn: &Connection, hash: &str) -> Result<Option<Vec<String>>> {
    let values: Option<String> = conn
        .prepare_cached("SELECT value FROM caps WHERE hash = ?1")?
        .query_row([hash], |row| row.get(0))
        .optional()?;
    Ok(values.map(|values| values.split_terminator(SEPARATOR).map(str::to_owned).collect()))
}

pub(crate) fn add(tx: &mut Tx<'_>, hash: &str, values: &[String], now: Timestamp) -> Result<()> {
    let value = values.join(SEPARATOR);
    if hash.len() + value.len() > limits::CAPS_BYTES {
        return Err(StoreError::Limit("capabilities"));
    }
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO caps (hash, at, value) VALUES (?1, ?2, ?3)")?
        .execute(params![hash, now, value])?;
    tx.conn
        .prepare_cached(
            "DELETE FROM caps WHERE hash IN (SELECT hash FROM caps ORDER BY at DESC, hash LIMIT -1 OFFSET ?1)",
        )?
        .execute([limits::CAPS as i64])?;
    Ok(())
}
