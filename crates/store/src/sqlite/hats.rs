//! Hats of groups, and who wears them.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{Connection, params};

use super::columns::{int, jid};
use super::{Tx, groups};
use crate::hat::{Hat, Hats};
use crate::{Result, StoreError, limits};

pub(crate) fn all(conn: &Connection, group: Uid) -> Result<Hats> {
    let mut hats =
        conn.prepare_cached("SELECT uri, title, hue FROM room_hat WHERE room = ?1 ORDER BY uri")?;
    let known = hats.query_map([int(group.0)], |row| {
        Ok(Hat { uri: row.get(0)?, title: row.get(1)?, hue: row.get(2)? })
    })?;
    let known = known.collect::<Result<_, _>>()?;
    let mut worn =
        conn.prepare_cached("SELECT jid, uri FROM room_hat_worn WHERE room = ?1 ORDER BY jid, uri")?;
    let worn = worn.query_map([int(group.0)], |row| Ok((jid(row, 0)?, row.get(1)?)))?;
    Ok(Hats { known, worn: worn.collect::<Result<_, _>>()? })
}

pub(crate) fn set(tx: &mut Tx<'_>, group: Uid, hat: &Hat) -> Result<()> {
    let Hat { uri, title, hue } = hat;
    let long = [uri, title].into_iter().chain(hue).any(|text| text.len() > limits::TEXT_BYTES);
    if long {
        return Err(StoreError::Invalid("hat"));
    }
    if groups::get(tx.conn, group)?.is_none() {
        return Err(StoreError::NotFound);
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO room_hat (room, uri, title, hue) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (room, uri) DO UPDATE SET title = excluded.title, hue = excluded.hue",
        )?
        .execute(params![int(group.0), uri, title, hue])?;
    within(tx, "SELECT count(*) FROM room_hat WHERE room = ?1", group, limits::HATS, "hats")
}

fn within(tx: &Tx<'_>, count: &str, group: Uid, most: usize, what: &'static str) -> Result<()> {
    let count: i64 = tx.conn.prepare_cached(count)?.query_row([int(group.0)], |row| row.get(0))?;
    if count > most as i64 { Err(StoreError::Limit(what)) } else { Ok(()) }
}

pub(crate) fn remove(tx: &mut Tx<'_>, group: Uid, uri: &str) -> Result<bool> {
    let mut removed = 0;
    for sql in [
        "DELETE FROM room_hat_worn WHERE room = ?1 AND uri = ?2",
        "DELETE FROM room_hat WHERE room = ?1 AND uri = ?2",
    ] {
        removed = tx.conn.prepare_cached(sql)?.execute(params![int(group.0), uri])?;
    }
    Ok(removed > 0)
}

pub(crate) fn wear(tx: &mut Tx<'_>, group: Uid, uri: &str, who: &BareJid, wears: bool) -> Result<bool> {
    let known = "SELECT 1 FROM room_hat WHERE room = ?1 AND uri = ?2";
    if !tx.conn.prepare_cached(known)?.exists(params![int(group.0), uri])? {
        return Err(StoreError::NotFound);
    }
    let sql = match wears {
        true => "INSERT OR IGNORE INTO room_hat_worn (room, jid, uri) VALUES (?1, ?2, ?3)",
        false => "DELETE FROM room_hat_worn WHERE room = ?1 AND jid = ?2 AND uri = ?3",
    };
    let changed = tx.conn.prepare_cached(sql)?.execute(params![int(group.0), who.as_str(), uri])?;
    let count = "SELECT count(*) FROM room_hat_worn WHERE room = ?1";
    within(tx, count, group, limits::HATS_WORN, "hats that people wear")?;
    Ok(changed > 0)
}
