//! Resumable streams.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, uid};
use crate::{Result, StreamId, limits};

pub(crate) fn open(tx: &mut Tx<'_>, stream: StreamId, uid: Uid) -> Result<()> {
    // Dead streams whose end was never noted, as after a crash, must not add up.
    tx.conn
        .prepare_cached(
            "DELETE FROM stream WHERE n IN (SELECT n FROM stream WHERE uid = ?1 ORDER BY n DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![int(uid.0), limits::STREAMS as i64 - 1])?;
    tx.conn
        .prepare_cached("INSERT INTO stream (id, uid, handled) VALUES (?1, ?2, 0)")?
        .execute(params![stream, int(uid.0)])?;
    Ok(())
}

pub(crate) fn close(tx: &mut Tx<'_>, stream: StreamId) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM stream WHERE id = ?1")?.execute([stream])?;
    Ok(())
}

pub(crate) fn get(conn: &Connection, stream: StreamId) -> Result<Option<(Uid, u32)>> {
    let mut statement = conn.prepare_cached("SELECT uid, handled FROM stream WHERE id = ?1")?;
    Ok(statement.query_row([stream], |row| Ok((uid(row, 0)?, row.get(1)?))).optional()?)
}
