//! Junk: entries of the log that are in no archive and go to no device, and what was said of their senders.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{int, jid, useq};
use super::{Tx, imap, timeline};
use crate::timeline::Flags;
use crate::{FolderRole, Request, Result, limits};

pub(super) const LIST: &str = "SELECT peer, count(*), max(at) FROM log WHERE uid = ?1 AND flags & 16384 GROUP BY peer ORDER BY peer LIMIT ?2";

/// The junk of one sender, as far as one job handles it.
pub(super) const OF: &str =
    "SELECT useq FROM log WHERE uid = ?1 AND peer = ?2 AND flags & 16384 ORDER BY useq LIMIT ?3";

pub(crate) fn said(conn: &Connection, uid: Uid, peer: &BareJid) -> Result<Option<bool>> {
    let mut statement = conn.prepare_cached("SELECT junk FROM junk_sender WHERE uid = ?1 AND jid = ?2")?;
    Ok(statement.query_row(params![int(uid.0), peer.as_str()], |row| row.get(0)).optional()?)
}

pub(crate) fn list(conn: &Connection, uid: Uid) -> Result<Vec<Request>> {
    let mut statement = conn.prepare_cached(LIST)?;
    let rows = statement.query_map(params![int(uid.0), limits::REQUESTS as i64], |row| {
        Ok(Request { peer: jid(row, 0)?, messages: row.get::<_, i64>(1)? as u64, newest: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn of(tx: &Tx<'_>, sql: &str, uid: Uid, peer: &BareJid) -> Result<Vec<Useq>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![int(uid.0), peer.as_str(), limits::SWEEP as i64], |row| useq(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn judge_sender(tx: &mut Tx<'_>, uid: Uid, peer: &BareJid, junk: bool) -> Result<usize> {
    remember(tx, uid, peer, junk)?;
    let (sql, from, to) = match junk {
        true => (super::privacy::REQUEST, FolderRole::Inbox, FolderRole::Junk),
        false => (OF, FolderRole::Junk, FolderRole::Inbox),
    };
    let useqs = of(tx, sql, uid, peer)?;
    for &useq in &useqs {
        mark(tx, uid, useq, junk)?;
        imap::mails::refile(tx, uid, useq, from, to)?;
    }
    Ok(useqs.len())
}

/// An account has moved a mail that came in: what it says by that of the mail, and of its sender. Whether devices are owed it now.
pub(super) fn judge(tx: &Tx<'_>, uid: Uid, useq: Useq, junk: bool) -> Result<bool> {
    let sender = "SELECT peer FROM log WHERE uid = ?1 AND useq = ?2 AND direction = 0";
    let sender =
        tx.conn.prepare_cached(sender)?.query_row(params![int(uid.0), int(useq.0)], |row| jid(row, 0));
    let Some(sender) = sender.optional()? else { return Ok(false) };
    remember(tx, uid, &sender, junk)?;
    Ok(mark(tx, uid, useq, junk)? && !junk)
}

fn remember(tx: &Tx<'_>, uid: Uid, peer: &BareJid, junk: bool) -> Result<()> {
    // A new row each time: of whom it was said again is not forgotten next.
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO junk_sender (uid, jid, junk) VALUES (?1, ?2, ?3)")?
        .execute(params![int(uid.0), peer.as_str(), junk])?;
    tx.conn
        .prepare_cached(
            "DELETE FROM junk_sender WHERE uid = ?1 AND id <= (
                 SELECT id FROM junk_sender WHERE uid = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![int(uid.0), limits::JUNK_SENDERS as i64])?;
    Ok(())
}

/// Out of the archive and from devices, or back: then devices are owed it, as those that had it before know it again by its
/// number. Whether that was new.
fn mark(tx: &Tx<'_>, uid: Uid, useq: Useq, junk: bool) -> Result<bool> {
    let normal = Flags::ARCHIVE | Flags::DELIVER | Flags::OWED;
    let (add, remove) = match junk {
        true => (Flags::JUNK, normal | Flags::REQUEST),
        false => (normal, Flags::JUNK),
    };
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE log SET flags = (flags & ~?4) | ?3
             WHERE uid = ?1 AND useq = ?2 AND (flags & ?5 <> 0) <> ?6",
        )?
        .execute(params![int(uid.0), int(useq.0), add, remove, Flags::JUNK, junk])?;
    Ok(changed > 0)
}

pub(crate) fn discard(tx: &mut Tx<'_>, uid: Uid, peer: &BareJid) -> Result<usize> {
    let useqs = of(tx, OF, uid, peer)?;
    timeline::drop_pointers(tx, uid, &useqs)
}
