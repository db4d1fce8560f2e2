//! What waits for gateways.

use bytes::Bytes;
use rookery_proto::Uid;
use rusqlite::{Connection, params};

use super::Tx;
use super::columns::{int, uid};
use super::timeline;
use crate::timeline::{Append, Appended, MessageId};
use crate::{Outbound, Result, StoreError, limits};

/// A [`super::Kind::Checked`] job: what can refuse comes before the first write.
pub(crate) fn append(tx: &mut Tx<'_>, append: Append, gateway: &str) -> Result<Appended> {
    let Some(sender) = append.pointers.first().map(|pointer| pointer.uid) else {
        return Err(StoreError::Invalid("sender"));
    };
    let waiting: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM outbox WHERE uid = ?1")?
        .query_row([int(sender.0)], |row| row.get(0))?;
    if waiting >= limits::OUTBOX as i64 {
        return Err(StoreError::Limit("messages on their way out"));
    }
    let (at, stanza) = (append.at, append.stanza.clone());
    let appended = timeline::append(tx, append)?;
    if let Some(message) = body_of(tx, sender, &appended)? {
        tx.conn
            .prepare_cached(
                "INSERT INTO outbox (gateway, uid, message, at, stanza) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![gateway, int(sender.0), message, at, stanza.as_ref()])?;
    }
    Ok(appended)
}

/// The body that was appended into this log first; none of a duplicate.
pub(super) fn body_of(tx: &Tx<'_>, owner: Uid, appended: &Appended) -> Result<Option<i64>> {
    let Appended::Stored(useqs) = appended else { return Ok(None) };
    let Some(useq) = useqs.first() else { return Ok(None) };
    let mut find = tx.conn.prepare_cached("SELECT message FROM log WHERE uid = ?1 AND useq = ?2")?;
    Ok(Some(find.query_row(params![int(owner.0), int(useq.0)], |row| row.get(0))?))
}

pub(crate) fn list(conn: &Connection, gateway: &str, limit: usize) -> Result<Vec<Outbound>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, uid, message, at, stanza FROM outbox WHERE gateway = ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(params![gateway, limit.min(limits::PAGE) as i64], |row| {
        Ok(Outbound {
            id: row.get::<_, i64>(0)? as u64,
            uid: uid(row, 1)?,
            message: MessageId(row.get::<_, i64>(2)? as u64),
            at: row.get(3)?,
            stanza: Bytes::copy_from_slice(row.get_ref(4)?.as_blob()?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn remove(tx: &mut Tx<'_>, id: u64) -> Result<bool> {
    Ok(tx.conn.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([int(id)])? > 0)
}

/// Who did so before a kill has told it already.
pub(crate) fn refuse(tx: &mut Tx<'_>, id: u64, append: Append) -> Result<Appended> {
    match remove(tx, id)? {
        true => timeline::append(tx, append),
        false => Ok(Appended::Duplicate),
    }
}
