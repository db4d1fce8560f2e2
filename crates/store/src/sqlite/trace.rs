//! The logs that point to one body. They were written by one transaction, so their rows stand together, and no index is needed.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{int, jid, uid, useq};
use super::timeline::fingerprint;
use crate::timeline::{Direction, Flags, MessageId};
use crate::trace::{Sought, Trace, Track};
use crate::{Result, limits};

pub(crate) fn trace(conn: &Connection, owner: Uid, sought: &Sought) -> Result<Option<Trace>> {
    let Some((row, message)) = find(conn, owner, sought)? else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT l.uid, l.useq, l.flags, l.direction, l.peer, l.resource,
                ifnull((SELECT d.useq >= l.useq FROM displayed d WHERE d.uid = l.uid AND d.peer = l.peer), 0)
         FROM log l WHERE l.id BETWEEN ?1 AND ?2 AND l.message = ?3 ORDER BY l.id",
    )?;
    let around = limits::POINTERS as i64;
    let tracks = statement.query_map(params![row - around, row + around, message], |row| {
        Ok(Track {
            uid: uid(row, 0)?,
            useq: useq(row, 1)?,
            flags: row.get(2)?,
            direction: if row.get(3)? { Direction::Out } else { Direction::In },
            peer: jid(row, 4)?,
            resource: row.get(5)?,
            displayed: row.get(6)?,
        })
    })?;
    let tracks = tracks.collect::<rusqlite::Result<_>>()?;
    let mut statement = conn.prepare_cached("SELECT at, length(stanza), flags FROM message WHERE id = ?1")?;
    let trace = statement.query_row([message], |row| {
        let flags: Flags = row.get(2)?;
        Ok(Trace {
            message: MessageId(message as u64),
            at: row.get(0)?,
            bytes: row.get::<_, i64>(1)? as u64,
            retracted: flags.has(Flags::RETRACTED),
            tracks,
        })
    })?;
    Ok(Some(trace))
}

/// The row of the account's log, and the body that it points to.
fn find(conn: &Connection, owner: Uid, sought: &Sought) -> Result<Option<(i64, i64)>> {
    let owner = int(owner.0);
    let found = match sought {
        Sought::Entry(place) => conn
            .prepare_cached("SELECT id, message FROM log WHERE uid = ?1 AND useq = ?2")?
            .query_row([owner, int(place.0)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
        Sought::Newest(peer) => conn
            .prepare_cached(
                "SELECT id, message FROM log WHERE uid = ?1 AND peer = ?2 AND flags & 2 AND flags & ?3
                 ORDER BY useq DESC LIMIT 1",
            )?
            .query_row(params![owner, peer.as_str(), Flags::INSTANT], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
        Sought::Named { to, id } => conn
            .prepare_cached(
                "SELECT l.id, l.message FROM log l WHERE l.uid = ?1 AND l.peer = ?2 AND l.flags & 2 AND l.message =
                     (SELECT id FROM message WHERE sender = ?1 AND origin = ?3 ORDER BY id DESC LIMIT 1)
                 ORDER BY l.useq DESC LIMIT 1",
            )?
            .query_row(params![owner, to.as_str(), fingerprint(to, id)], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?,
    };
    Ok(found)
}
