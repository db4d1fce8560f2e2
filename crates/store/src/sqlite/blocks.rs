//! Blocked addresses.

use rookery_proto::Uid;
use rusqlite::{Connection, params};

use super::Tx;
use super::columns::int;
use crate::{Result, StoreError, limits};

pub(crate) fn list(conn: &Connection, uid: Uid) -> Result<Vec<String>> {
    let mut statement = conn.prepare_cached("SELECT jid FROM block WHERE uid = ?1 ORDER BY jid")?;
    let rows = statement.query_map([int(uid.0)], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn add(tx: &mut Tx<'_>, uid: Uid, jids: Vec<String>) -> Result<Vec<String>> {
    let mut added = Vec::new();
    for jid in jids {
        let new = tx
            .conn
            .prepare_cached("INSERT INTO block (uid, jid) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute(params![int(uid.0), jid])?;
        if new > 0 {
            added.push(jid);
        }
    }
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM block WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))?;
    if count > limits::BLOCKS as i64 { Err(StoreError::Limit("blocked addresses")) } else { Ok(added) }
}

pub(crate) fn remove(tx: &mut Tx<'_>, uid: Uid, jids: Vec<String>) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for jid in jids {
        let mut statement = tx.conn.prepare_cached("DELETE FROM block WHERE uid = ?1 AND jid = ?2")?;
        if statement.execute(params![int(uid.0), jid])? > 0 {
            removed.push(jid);
        }
    }
    Ok(removed)
}

pub(crate) fn clear(tx: &mut Tx<'_>, uid: Uid) -> Result<Vec<String>> {
    let all = list(tx.conn, uid)?;
    tx.conn.prepare_cached("DELETE FROM block WHERE uid = ?1")?.execute([int(uid.0)])?;
    Ok(all)
}
