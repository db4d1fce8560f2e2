//! Privacy settings, rules of visibility, and what strangers sent that was set aside.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, jid, useq};
use super::timeline;
use crate::timeline::Flags;
use crate::{Adding, Audience, Privacy, PrivacySettings, Request, Result, StoreError, Strangers, limits};

pub(crate) fn get(conn: &Connection, uid: Uid) -> Result<Privacy> {
    let settings = conn
        .prepare_cached("SELECT presence, last, strangers, adding FROM privacy WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let settings = match settings {
        Some((presence, last, others, who_adds)) => PrivacySettings {
            presence: audience(presence)?,
            last: audience(last)?,
            strangers: strangers(others)?,
            adding: adding(who_adds)?,
        },
        None => PrivacySettings::default(),
    };
    let mut rules = conn.prepare_cached("SELECT jid, visible FROM visibility WHERE uid = ?1 ORDER BY jid")?;
    let visibility = rules.query_map([int(uid.0)], |row| Ok((jid(row, 0)?, row.get(1)?)))?;
    let mut answers = conn.prepare_cached("SELECT jid FROM answered WHERE uid = ?1 ORDER BY id")?;
    let answered = answers.query_map([int(uid.0)], |row| jid(row, 0))?;
    Ok(Privacy {
        settings,
        visibility: visibility.collect::<Result<_, _>>()?,
        answered: answered.collect::<Result<_, _>>()?,
    })
}

pub(crate) fn set(tx: &mut Tx<'_>, uid: Uid, settings: PrivacySettings) -> Result<()> {
    let audience = |audience| match audience {
        Audience::Everybody => 0,
        Audience::Contacts => 1,
        Audience::Nobody => 2,
    };
    let strangers = match settings.strangers {
        Strangers::Accept => 0,
        Strangers::SetAside => 1,
        Strangers::Refuse => 2,
    };
    let adding = match settings.adding {
        Adding::Everybody => 0,
        Adding::Invited => 1,
        Adding::Nobody => 2,
    };
    let (presence, last) = (audience(settings.presence), audience(settings.last));
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO privacy (uid, presence, last, strangers, adding) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![int(uid.0), presence, last, strangers, adding])?;
    Ok(())
}

fn audience(column: i64) -> Result<Audience> {
    match column {
        0 => Ok(Audience::Everybody),
        1 => Ok(Audience::Contacts),
        2 => Ok(Audience::Nobody),
        _ => Err(StoreError::Internal),
    }
}

fn adding(column: i64) -> Result<Adding> {
    match column {
        0 => Ok(Adding::Everybody),
        1 => Ok(Adding::Invited),
        2 => Ok(Adding::Nobody),
        _ => Err(StoreError::Internal),
    }
}

fn strangers(column: i64) -> Result<Strangers> {
    match column {
        0 => Ok(Strangers::Accept),
        1 => Ok(Strangers::SetAside),
        2 => Ok(Strangers::Refuse),
        _ => Err(StoreError::Internal),
    }
}

pub(crate) fn set_visibility(tx: &mut Tx<'_>, uid: Uid, jid: &BareJid, visible: Option<bool>) -> Result<()> {
    let Some(visible) = visible else {
        tx.conn
            .prepare_cached("DELETE FROM visibility WHERE uid = ?1 AND jid = ?2")?
            .execute(params![int(uid.0), jid.as_str()])?;
        return Ok(());
    };
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO visibility (uid, jid, visible) VALUES (?1, ?2, ?3)")?
        .execute(params![int(uid.0), jid.as_str(), visible])?;
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM visibility WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))?;
    if count > limits::VISIBILITY as i64 { Err(StoreError::Limit("rules of visibility")) } else { Ok(()) }
}

pub(crate) fn answer(tx: &mut Tx<'_>, uid: Uid, jid: &BareJid) -> Result<()> {
    // A new row each time: who was answered again is not forgotten next.
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO answered (uid, jid) VALUES (?1, ?2)")?
        .execute(params![int(uid.0), jid.as_str()])?;
    tx.conn
        .prepare_cached(
            "DELETE FROM answered WHERE uid = ?1 AND id <= (
                 SELECT id FROM answered WHERE uid = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![int(uid.0), limits::ANSWERED as i64])?;
    Ok(())
}

pub(super) const REQUESTS: &str = "SELECT peer, count(*), max(at) FROM log WHERE uid = ?1 AND flags & 256 GROUP BY peer ORDER BY peer LIMIT ?2";

pub(crate) fn requests(conn: &Connection, uid: Uid) -> Result<Vec<Request>> {
    let mut statement = conn.prepare_cached(REQUESTS)?;
    let rows = statement.query_map(params![int(uid.0), limits::REQUESTS as i64], |row| {
        Ok(Request { peer: jid(row, 0)?, messages: row.get::<_, i64>(1)? as u64, newest: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What of one peer waits, as far as one job handles it.
pub(super) const REQUEST: &str =
    "SELECT useq FROM log WHERE uid = ?1 AND peer = ?2 AND flags & 256 ORDER BY useq LIMIT ?3";

fn request(tx: &Tx<'_>, uid: Uid, peer: &BareJid) -> Result<Vec<Useq>> {
    let mut statement = tx.conn.prepare_cached(REQUEST)?;
    let params = params![int(uid.0), peer.as_str(), limits::SWEEP as i64];
    let rows = statement.query_map(params, |row| useq(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn release(tx: &mut Tx<'_>, uid: Uid, peer: &BareJid) -> Result<usize> {
    let useqs = request(tx, uid, peer)?;
    let mut statement =
        tx.conn.prepare_cached("UPDATE log SET flags = (flags & ~?3) | ?4 WHERE uid = ?1 AND useq = ?2")?;
    for useq in &useqs {
        let released = Flags::DELIVER | Flags::OWED;
        statement.execute(params![int(uid.0), int(useq.0), Flags::REQUEST, released])?;
    }
    Ok(useqs.len())
}

pub(crate) fn dismiss(tx: &mut Tx<'_>, uid: Uid, peer: &BareJid) -> Result<usize> {
    let useqs = request(tx, uid, peer)?;
    timeline::drop_pointers(tx, uid, &useqs)
}
