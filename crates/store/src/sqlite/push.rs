//! Registrations for push, and what notifications may say.

use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tx;
use super::columns::{int, uid, useq};
use super::page::first_from;
use super::timeline;
use crate::{
    DeviceId, Push, PushContent, PushFilter, PushId, PushTarget, Registrant, Result, StoreError, Timestamp,
    limits,
};

/// Values of the column `kind`.
const APP_SERVER: u8 = 0;
const WEB: u8 = 1;

pub(crate) fn list(conn: &Connection, uid: Uid) -> Result<Vec<Push>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, resource, device, kind, target, node, detail, told, at FROM push WHERE uid = ?1 ORDER BY id",
    )?;
    let rows = statement
        .query_map([int(uid.0)], |row| Ok((push(row)?, target(row)?, useq(row, 7)?, row.get(8)?)))?;
    let mut pushes = Vec::new();
    for row in rows {
        let ((id, by), target, told, at) = row?;
        pushes.push(Push { id, by, target: target.ok_or(StoreError::Corrupt)?, at, told });
    }
    Ok(pushes)
}

fn push(row: &Row<'_>) -> rusqlite::Result<(PushId, Registrant)> {
    Ok((PushId(row.get::<_, i64>(0)? as u64), Registrant { resource: row.get(1)?, device: row.get(2)? }))
}

fn target(row: &Row<'_>) -> rusqlite::Result<Option<PushTarget>> {
    let (kind, target, node, detail): (u8, String, String, Vec<u8>) =
        (row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?);
    Ok(match kind {
        APP_SERVER => Some(PushTarget::AppServer { jid: target, node, options: detail }),
        WEB => detail.split_first_chunk::<65>().and_then(|(key, auth)| {
            Some(PushTarget::Web { endpoint: target, key: *key, auth: auth.try_into().ok()? })
        }),
        _ => None,
    })
}

pub(crate) fn accounts(conn: &Connection) -> Result<Vec<Uid>> {
    let mut statement = conn.prepare_cached("SELECT DISTINCT uid FROM push")?;
    let rows = statement.query_map([], |row| uid(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn untold(conn: &Connection, after: Uid, since: Timestamp) -> Result<Vec<(Uid, Useq)>> {
    let mut statement = conn.prepare_cached(
        "SELECT uid, min(told) FROM push WHERE uid > ?1 GROUP BY uid ORDER BY uid LIMIT ?2",
    )?;
    let rows = statement
        .query_map(params![int(after.0), limits::BATCH as i64], |row| Ok((uid(row, 0)?, useq(row, 1)?)))?;
    let mut places = rows.collect::<Result<Vec<_>, _>>()?;
    for (uid, told) in &mut places {
        *told = (*told).max(Useq((first_from(conn, *uid, since)? - 1).max(0) as u64));
    }
    Ok(places)
}

pub(crate) fn set_told(tx: &mut Tx<'_>, told: &[(PushId, Useq)]) -> Result<()> {
    if told.len() > limits::BATCH {
        return Err(StoreError::Limit("positions"));
    }
    let mut statement = tx.conn.prepare_cached("UPDATE push SET told = max(told, ?2) WHERE id = ?1")?;
    for (id, upto) in told {
        statement.execute([int(id.0), int(upto.0)])?;
    }
    Ok(())
}

pub(crate) fn set(
    tx: &mut Tx<'_>,
    uid: Uid,
    by: &Registrant,
    target: &PushTarget,
    at: Timestamp,
) -> Result<PushId> {
    let (kind, target, node, detail) = match target {
        PushTarget::AppServer { jid, node, options } => (APP_SERVER, jid, node.as_str(), options.clone()),
        PushTarget::Web { endpoint, key, auth } => (WEB, endpoint, "", [&key[..], &auth[..]].concat()),
    };
    if target.len() + node.len() + detail.len() > limits::PUSH_BYTES {
        return Err(StoreError::Invalid("push registration"));
    }
    let others: i64 = tx
        .conn
        .prepare_cached(
            "SELECT count(*) FROM push WHERE uid = ?1 AND NOT (kind = ?2 AND target = ?3 AND node = ?4)",
        )?
        .query_row(params![int(uid.0), kind, target, node], |row| row.get(0))?;
    if others >= limits::PUSHES as i64 {
        return Err(StoreError::Limit("push registrations"));
    }
    let head = timeline::head(tx.conn, uid)?.head;
    let id: Option<i64> = tx
        .conn
        .prepare_cached(
            "INSERT INTO push (uid, resource, device, kind, target, node, detail, told, at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)
             ON CONFLICT (uid, kind, target, node) DO UPDATE SET resource = excluded.resource,
                 device = excluded.device, detail = excluded.detail
             RETURNING id",
        )?
        .query_row(
            params![int(uid.0), by.resource, by.device, kind, target, node, detail, int(head.0), at],
            |row| row.get(0),
        )
        .optional()?;
    id.map(|id| PushId(id as u64)).ok_or(StoreError::NotFound)
}

pub(crate) fn remove(tx: &mut Tx<'_>, uid: Uid, filter: &PushFilter) -> Result<Vec<PushId>> {
    remove_if(tx, uid, |push| match (filter, &push.target) {
        (PushFilter::Id(id), _) => push.id == *id,
        (PushFilter::AppServer { jid, node }, PushTarget::AppServer { jid: theirs, node: at, .. }) => {
            jid == theirs && node.as_ref().is_none_or(|node| node == at)
        }
        (PushFilter::Endpoint(wanted), PushTarget::Web { endpoint, .. }) => wanted == endpoint,
        _ => false,
    })
}

/// Removes those of clients that are in no list: they never said which device they are, and are not `here`.
pub(crate) fn remove_lost(tx: &mut Tx<'_>, uid: Uid, here: &[String]) -> Result<Vec<PushId>> {
    remove_if(tx, uid, |push| push.by.device.is_none() && !here.contains(&push.by.resource))
}

/// Removes those of everybody who was signed in.
pub(super) fn remove_all(tx: &mut Tx<'_>, uid: Uid) -> Result<Vec<PushId>> {
    remove_if(tx, uid, |_| true)
}

fn remove_if(tx: &mut Tx<'_>, uid: Uid, goes: impl Fn(&Push) -> bool) -> Result<Vec<PushId>> {
    let pushes = list(tx.conn, uid)?.into_iter();
    let gone: Vec<PushId> = pushes.filter(goes).map(|push| push.id).collect();
    for id in &gone {
        tx.conn.prepare_cached("DELETE FROM push WHERE id = ?1")?.execute([int(id.0)])?;
    }
    Ok(gone)
}

/// A device's registrations go with it.
pub(super) fn remove_of(tx: &Tx<'_>, uid: Uid, device: DeviceId) -> Result<()> {
    tx.conn
        .prepare_cached("DELETE FROM push WHERE uid = ?1 AND device = ?2")?
        .execute(params![int(uid.0), device])?;
    Ok(())
}

pub(crate) fn content(conn: &Connection, uid: Uid) -> Result<PushContent> {
    let value: Option<u8> = conn
        .prepare_cached("SELECT value FROM push_content WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))
        .optional()?;
    match value {
        None => Ok(PushContent::default()),
        Some(0) => Ok(PushContent::Nothing),
        Some(1) => Ok(PushContent::Sender),
        Some(2) => Ok(PushContent::Full),
        Some(_) => Err(StoreError::Corrupt),
    }
}

pub(crate) fn set_content(tx: &mut Tx<'_>, uid: Uid, content: PushContent) -> Result<()> {
    let value = match content {
        PushContent::Nothing => 0,
        PushContent::Sender => 1,
        PushContent::Full => 2,
    };
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO push_content (uid, value)
             SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)",
        )?
        .execute(params![int(uid.0), value])?;
    Ok(())
}
