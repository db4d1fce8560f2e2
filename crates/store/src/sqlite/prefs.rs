//! Archive preferences and retention.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, jid};
use crate::{ArchiveDefault, ArchivePrefs, Result, StoreError, limits};

pub(crate) fn archive(conn: &Connection, uid: Uid) -> Result<Option<ArchivePrefs>> {
    let default: Option<i64> = conn
        .prepare_cached("SELECT value FROM archive_default WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))
        .optional()?;
    let rules = |always: bool| -> Result<Vec<BareJid>> {
        let mut statement =
            conn.prepare_cached("SELECT jid FROM archive_rule WHERE uid = ?1 AND always = ?2 ORDER BY jid")?;
        let rows = statement.query_map(params![int(uid.0), always], |row| jid(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    };
    let default = match default {
        None => return Ok(None),
        Some(0) => ArchiveDefault::Always,
        Some(1) => ArchiveDefault::Never,
        Some(2) => ArchiveDefault::Roster,
        Some(_) => return Err(StoreError::Internal),
    };
    Ok(Some(ArchivePrefs { default, always: rules(true)?, never: rules(false)? }))
}

pub(crate) fn set_archive(tx: &mut Tx<'_>, uid: Uid, prefs: &ArchivePrefs) -> Result<()> {
    if prefs.always.len() > limits::PREFS || prefs.never.len() > limits::PREFS {
        return Err(StoreError::Limit("archive rules"));
    }
    let default = match prefs.default {
        ArchiveDefault::Always => 0,
        ArchiveDefault::Never => 1,
        ArchiveDefault::Roster => 2,
    };
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO archive_default (uid, value) VALUES (?1, ?2)")?
        .execute(params![int(uid.0), default])?;
    tx.conn.prepare_cached("DELETE FROM archive_rule WHERE uid = ?1")?.execute([int(uid.0)])?;
    // Who is in both lists is never archived.
    let rules = prefs.always.iter().map(|jid| (jid, true)).chain(prefs.never.iter().map(|jid| (jid, false)));
    for (jid, always) in rules {
        tx.conn
            .prepare_cached("INSERT OR REPLACE INTO archive_rule (uid, jid, always) VALUES (?1, ?2, ?3)")?
            .execute(params![int(uid.0), jid.as_str(), always])?;
    }
    Ok(())
}

pub(crate) fn retention(conn: &Connection, uid: Uid) -> Result<Option<u32>> {
    let mut statement = conn.prepare_cached("SELECT days FROM retention WHERE uid = ?1")?;
    Ok(statement.query_row([int(uid.0)], |row| row.get(0)).optional()?)
}

pub(crate) fn set_retention(tx: &mut Tx<'_>, uid: Uid, days: Option<u32>) -> Result<()> {
    match days {
        Some(days) => tx
            .conn
            .prepare_cached("INSERT OR REPLACE INTO retention (uid, days) VALUES (?1, ?2)")?
            .execute(params![int(uid.0), days])?,
        None => tx.conn.prepare_cached("DELETE FROM retention WHERE uid = ?1")?.execute([int(uid.0)])?,
    };
    Ok(())
}
