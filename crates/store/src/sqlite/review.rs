//! Accounts that wait for approval.

use rookery_proto::Uid;
use rusqlite::{Connection, params};

use super::columns::{int, uid};
use super::{Tx, accounts};
use crate::{Account, Result, limits};

pub(super) fn begin(tx: &Tx<'_>, uid: Uid) -> Result<()> {
    tx.conn.prepare_cached("INSERT OR IGNORE INTO review (uid) VALUES (?1)")?.execute([int(uid.0)])?;
    Ok(())
}

pub(crate) fn waiting(conn: &Connection, after: Option<Uid>, limit: usize) -> Result<Vec<Account>> {
    let mut statement = conn.prepare_cached("SELECT uid FROM review WHERE uid > ?1 ORDER BY uid LIMIT ?2")?;
    let after = after.map_or(0, |uid| int(uid.0));
    let rows =
        statement.query_map(params![after, limit.min(limits::ACCOUNTS_PAGE) as i64], |row| uid(row, 0))?;
    let mut accounts = Vec::new();
    for uid in rows {
        accounts.extend(accounts::get(conn, uid?)?);
    }
    Ok(accounts)
}

pub(crate) fn waits(conn: &Connection, uid: Uid) -> Result<bool> {
    Ok(conn.prepare_cached("SELECT 1 FROM review WHERE uid = ?1")?.exists([int(uid.0)])?)
}

pub(crate) fn approve(tx: &mut Tx<'_>, uid: Uid) -> Result<bool> {
    Ok(tx.conn.prepare_cached("DELETE FROM review WHERE uid = ?1")?.execute([int(uid.0)])? > 0)
}
