//! Second factors.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::int;
use crate::Result;
use crate::factor::Factor;

pub(crate) fn get(conn: &Connection, uid: Uid) -> Result<Option<Factor>> {
    let mut statement = conn.prepare_cached("SELECT seed, since, step FROM factor WHERE uid = ?1")?;
    let factor = statement.query_row([int(uid.0)], |row| {
        Ok(Factor { seed: row.get(0)?, since: row.get(1)?, step: row.get::<_, i64>(2)? as u64 })
    });
    Ok(factor.optional()?)
}

pub(crate) fn set(tx: &mut Tx<'_>, uid: Uid, factor: Factor) -> Result<bool> {
    let inserted = tx
        .conn
        .prepare_cached("INSERT OR IGNORE INTO factor (uid, seed, since, step) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![int(uid.0), factor.seed, factor.since, int(factor.step)])?;
    Ok(inserted > 0)
}

pub(crate) fn note(tx: &mut Tx<'_>, uid: Uid, step: u64) -> Result<bool> {
    let moved = tx
        .conn
        .prepare_cached("UPDATE factor SET step = ?2 WHERE uid = ?1 AND step < ?2")?
        .execute(params![int(uid.0), int(step)])?;
    Ok(moved > 0)
}

pub(crate) fn remove(tx: &mut Tx<'_>, uid: Uid) -> Result<bool> {
    Ok(tx.conn.prepare_cached("DELETE FROM factor WHERE uid = ?1")?.execute([int(uid.0)])? > 0)
}
