//! The server-wide list of whom nothing is taken from or given to, and block lists of services.

use bytes::Bytes;
use rusqlite::{Connection, params};

use super::Tx;
use crate::{Denied, Result, StoreError, Timestamp, limits};

pub(crate) fn list(conn: &Connection) -> Result<Vec<Denied>> {
    let mut statement = conn.prepare_cached("SELECT jid, at, who FROM denied ORDER BY jid")?;
    let rows =
        statement.query_map([], |row| Ok(Denied { jid: row.get(0)?, at: row.get(1)?, by: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn add(tx: &mut Tx<'_>, jids: &[String], at: Timestamp, by: &str) -> Result<usize> {
    let mut added = 0;
    let mut insert = tx
        .conn
        .prepare_cached("INSERT INTO denied (jid, at, who) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?;
    for jid in jids {
        added += insert.execute(params![jid, at, by])?;
    }
    let count: i64 =
        tx.conn.prepare_cached("SELECT count(*) FROM denied")?.query_row([], |row| row.get(0))?;
    if count > limits::DENIED as i64 { Err(StoreError::Limit("blocked addresses")) } else { Ok(added) }
}

pub(crate) fn remove(tx: &mut Tx<'_>, jids: &[String]) -> Result<usize> {
    let mut delete = tx.conn.prepare_cached("DELETE FROM denied WHERE jid = ?1")?;
    let mut removed = 0;
    for jid in jids {
        removed += delete.execute([jid])?;
    }
    Ok(removed)
}

pub(crate) fn lists(conn: &Connection) -> Result<Vec<(String, Bytes)>> {
    let mut statement = conn.prepare_cached("SELECT name, hashes FROM block_list ORDER BY name")?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, Bytes::copy_from_slice(row.get_ref(1)?.as_blob()?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn keep_list(tx: &mut Tx<'_>, name: &str, hashes: &[u8]) -> Result<()> {
    if hashes.len() > limits::BLOCK_LIST_BYTES {
        return Err(StoreError::Limit("block list"));
    }
    match hashes.is_empty() {
        true => tx.conn.prepare_cached("DELETE FROM block_list WHERE name = ?1")?.execute([name])?,
        false => tx
            .conn
            .prepare_cached("INSERT OR REPLACE INTO block_list (name, hashes) VALUES (?1, ?2)")?
            .execute(params![name, hashes])?,
    };
    Ok(())
}
