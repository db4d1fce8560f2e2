//! Devices.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tx;
use super::columns::{int, uid};
use super::{push, tokens};
use crate::{Device, DeviceId, Result, Seen, StoreError, Timestamp, limits};

fn device(row: &Row<'_>) -> rusqlite::Result<Device> {
    Ok(Device {
        id: row.get(0)?,
        software: row.get(1)?,
        name: row.get(2)?,
        first_seen: row.get(3)?,
        last_seen: row.get(4)?,
        address: row.get(5)?,
        public: row.get(6)?,
        password: row.get(7)?,
        token: row.get(8)?,
    })
}

/// What makes a [`Device`].
const DEVICE: &str = "id, software, name, first_seen, last_seen, address, public, password,
    EXISTS (SELECT 1 FROM token WHERE token.uid = device.uid AND token.device = device.id) FROM device";

pub(crate) fn list(conn: &Connection, uid: Uid) -> Result<Vec<Device>> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT {DEVICE} WHERE uid = ?1 ORDER BY last_seen DESC, id"))?;
    let rows = statement.query_map([int(uid.0)], device)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn public(conn: &Connection, before: Timestamp) -> Result<Vec<(Uid, DeviceId)>> {
    let mut statement = conn.prepare_cached(
        "SELECT uid, id FROM device WHERE public AND first_seen <= ?1 ORDER BY first_seen LIMIT ?2",
    )?;
    let rows = statement
        .query_map(params![before, limits::DEVICES as i64], |row| Ok((uid(row, 0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn get(conn: &Connection, uid: Uid, id: DeviceId) -> Result<Option<Device>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {DEVICE} WHERE uid = ?1 AND id = ?2"))?;
    Ok(statement.query_row(params![int(uid.0), id], device).optional()?)
}

pub(crate) fn touch(tx: &mut Tx<'_>, uid: Uid, id: DeviceId, at: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE device SET last_seen = max(last_seen, ?3) WHERE uid = ?1 AND id = ?2")?
        .execute(params![int(uid.0), id, at])?;
    Ok(())
}

/// A device signs in, with the password or without. Beyond [`limits::DEVICES`] the one that was not seen for longest goes.
pub(super) fn enter(tx: &mut Tx<'_>, uid: Uid, seen: &Seen, password: bool) -> Result<()> {
    let fits = |text: &Option<String>| text.as_ref().is_none_or(|t| t.len() <= limits::DEVICE_TEXT_BYTES);
    if !fits(&seen.software) || !fits(&seen.name) {
        return Err(StoreError::Invalid("device"));
    }
    let Seen { id, software, name, at, address, public } = seen;
    let noted = tx
        .conn
        .prepare_cached(
            "INSERT INTO device (uid, id, software, name, first_seen, last_seen, address, public, password)
             SELECT ?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)
             ON CONFLICT DO UPDATE SET software = coalesce(excluded.software, software),
                 name = coalesce(excluded.name, name), last_seen = max(last_seen, excluded.last_seen),
                 address = excluded.address, public = max(public, excluded.public),
                 password = max(password, excluded.password)",
        )?
        .execute(params![int(uid.0), id, software, name, at, address, public, password])?;
    if noted == 0 {
        return Err(StoreError::NotFound);
    }
    make_room(tx, uid, *id)
}

/// Whether [`enter`] would note nothing but the time, and that was noted lately.
pub(super) fn is_known(conn: &Connection, uid: Uid, seen: &Seen, password: bool) -> Result<bool> {
    let Some(known) = get(conn, uid, seen.id)? else { return Ok(false) };
    let said = |now: &Option<String>, before: &Option<String>| now.is_none() || now == before;
    let lately = seen.at.0 - known.last_seen.0 < limits::SEEN_LATELY_MS;
    Ok(lately
        && said(&seen.software, &known.software)
        && said(&seen.name, &known.name)
        && seen.address == known.address
        && (known.public || !seen.public)
        && (known.password || !password))
}

/// Forgets the devices that were not seen for longest, but not the one that just was.
fn make_room(tx: &mut Tx<'_>, uid: Uid, seen: DeviceId) -> Result<()> {
    let gone: Vec<DeviceId> = {
        let mut statement = tx.conn.prepare_cached(
            "SELECT id FROM device WHERE uid = ?1 AND id <> ?2 ORDER BY last_seen DESC, id LIMIT -1 OFFSET ?3",
        )?;
        let rows =
            statement.query_map(params![int(uid.0), seen, limits::DEVICES as i64 - 1], |row| row.get(0))?;
        rows.collect::<Result<_, _>>()?
    };
    for device in gone {
        remove(tx, uid, device)?;
    }
    Ok(())
}

pub(crate) fn remove(tx: &mut Tx<'_>, uid: Uid, device: DeviceId) -> Result<bool> {
    tokens::revoke(tx, uid, device)?;
    push::remove_of(tx, uid, device)?;
    let mut statement = tx.conn.prepare_cached("DELETE FROM device WHERE uid = ?1 AND id = ?2")?;
    Ok(statement.execute(params![int(uid.0), device])? > 0)
}
