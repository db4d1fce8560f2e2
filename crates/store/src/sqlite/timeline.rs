//! Writing the timeline, and reading it in order. The archive's pages are in `page.rs`.

use bytes::Bytes;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, Row, params};
use smallvec::SmallVec;

use super::cases;
use super::columns::{int, jid, useq};
use super::files;
use super::inbox;
use super::mail;
use super::tx::{Last, Tx};
use crate::timeline::{Append, Appended, Direction, Entry, Flags, Head, MessageId, Origin, Pointer};
use crate::{Result, StoreError, Timestamp, limits};

/// The columns of an [`Entry`], read by [`entry`].
pub(super) const ENTRY: &str = "l.useq, l.message, l.at, l.flags | m.flags, l.direction, l.peer, l.peer_resource, \
     l.resource, m.stanza FROM log l CROSS JOIN message m ON m.id = l.message";

/// Reads one [`ENTRY`].
pub(super) fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        useq: useq(row, 0)?,
        message: MessageId(row.get::<_, i64>(1)? as u64),
        at: row.get(2)?,
        flags: row.get(3)?,
        direction: if row.get(4)? { Direction::Out } else { Direction::In },
        peer: jid(row, 5)?,
        peer_resource: row.get(6)?,
        resource: row.get(7)?,
        stanza: Bytes::copy_from_slice(row.get_ref(8)?.as_blob()?),
    })
}

/// Reads entries until there are `limit` or their stanzas reach [`limits::PAGE_BYTES`]. The second value is whether
/// rows were left over.
pub(super) fn take(mut rows: rusqlite::Rows<'_>, limit: usize) -> Result<(Vec<Entry>, bool)> {
    let mut entries = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        if entries.len() == limit || bytes >= limits::PAGE_BYTES {
            return Ok((entries, true));
        }
        let entry = entry(row)?;
        bytes += entry.stanza.len();
        entries.push(entry);
    }
    Ok((entries, false))
}

/// A [`super::Kind::Checked`] job: all that can refuse comes before the first write.
pub(crate) fn append(tx: &mut Tx<'_>, append: Append) -> Result<Appended> {
    if append.pointers.len() > limits::POINTERS {
        return Err(StoreError::Limit("recipients"));
    }
    let origin =
        append.origin.as_ref().map(|origin| (int(origin.sender.0), fingerprint(&origin.peer, &origin.id)));
    if append.origin.as_ref().is_some_and(|origin| origin.dedup) && sent_before(tx, origin, append.at)? {
        return Ok(Appended::Duplicate);
    }
    if append.pointers.is_empty() {
        return Ok(Appended::Stored(SmallVec::new()));
    }
    for pointer in &append.pointers {
        tx.last(pointer.uid)?;
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO message (id, at, flags, refs, sender, origin, stanza) VALUES (
                 1 + (SELECT max(coalesce((SELECT max(id) FROM message), 0),
                                 coalesce((SELECT value FROM counter WHERE name = 'message'), 0))),
                 ?1, 0, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            append.at,
            append.pointers.len() as i64,
            origin.map(|(sender, _)| sender),
            origin.map(|(_, name)| name),
            append.stanza.as_ref(),
        ])?;
    let message = MessageId(tx.conn.last_insert_rowid() as u64);
    files::refer(tx, int(message.0), &append)?;

    // Users are taken in the order of their uid (invariant 3), answers given in the order of the pointers.
    let mut order: SmallVec<[usize; 2]> = (0..append.pointers.len()).collect();
    order.sort_by_key(|&index| append.pointers[index].uid);
    let mut useqs: SmallVec<[Useq; 2]> = SmallVec::from_elem(Useq(0), append.pointers.len());
    for index in order {
        useqs[index] = point(tx, message, &append, &append.pointers[index])?;
    }
    Ok(Appended::Stored(useqs))
}

/// Adds one row to one log.
fn point(tx: &mut Tx<'_>, message: MessageId, append: &Append, pointer: &Pointer) -> Result<Useq> {
    let last = tx.last(pointer.uid)?;
    let next = Last { useq: last.useq.next(), at: not_before(last.at, append.at) };
    let entry = Entry {
        useq: next.useq,
        message,
        peer: pointer.peer.clone(),
        peer_resource: pointer.peer_resource.clone(),
        direction: pointer.direction,
        resource: pointer.resource.clone(),
        at: next.at,
        flags: append.flags | pointer.flags,
        stanza: append.stanza.clone(),
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO log (uid, useq, message, at, flags, direction, peer, peer_resource, resource)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            int(pointer.uid.0),
            int(entry.useq.0),
            int(message.0),
            entry.at,
            entry.flags,
            entry.direction == Direction::Out,
            entry.peer.as_str(),
            entry.peer_resource,
            entry.resource,
        ])?;
    tx.set_last(pointer.uid, next);
    if entry.flags.has(Flags::REACH) {
        cases::passed(tx, pointer.uid, &entry)?;
    }
    tx.announce(pointer.uid, entry);
    Ok(next.useq)
}

/// The time of a log's next row. Time never goes back along a log, so that it can be searched by time as by position.
/// A clock that was set back by more than [`limits::CLOCK_SKEW_MS`] was wrong before: better one step back than wrong
/// times until it has caught up.
fn not_before(last: Timestamp, at: Timestamp) -> Timestamp {
    if last.0 - at.0 > limits::CLOCK_SKEW_MS { at } else { last.max(at) }
}

/// Whether the sender sent a message of this name within the window of deduplication.
fn sent_before(tx: &Tx<'_>, origin: Option<(i64, i64)>, now: Timestamp) -> Result<bool> {
    let at: Option<Timestamp> = tx
        .conn
        .prepare_cached("SELECT at FROM message WHERE sender = ?1 AND origin = ?2 ORDER BY id DESC LIMIT 1")?
        .query_row(params![origin.map(|(sender, _)| sender), origin.map(|(_, name)| name)], |row| row.get(0))
        .optional()?;
    Ok(at.is_some_and(|at| now.0 - at.0 < limits::DEDUP_WINDOW_MS))
}

/// The name that a sender gave a message, with its conversation, as 64 bits: FNV-1a, which must not change, for it is
/// stored. Names are compared within one sender only, so who finds two of the same fingerprint has found a way to lose
/// a message of one's own.
pub(super) fn fingerprint(peer: &BareJid, id: &str) -> i64 {
    let bytes = peer.as_str().bytes().chain([0]).chain(id.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash as i64
}

pub(crate) fn retract(tx: &mut Tx<'_>, origin: &Origin, tombstone: &Bytes) -> Result<bool> {
    let message: Option<i64> = tx
        .conn
        .prepare_cached("SELECT id FROM message WHERE sender = ?1 AND origin = ?2 ORDER BY id DESC LIMIT 1")?
        .query_row(params![int(origin.sender.0), fingerprint(&origin.peer, &origin.id)], |row| row.get(0))
        .optional()?;
    let Some(message) = message else { return Ok(false) };
    empty(tx, message, tombstone)?;
    Ok(true)
}

pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    message: MessageId,
    stanza: &Bytes,
    tombstone: &Bytes,
) -> Result<bool> {
    let same = tx
        .conn
        .prepare_cached("SELECT 1 FROM message WHERE id = ?1 AND stanza = ?2")?
        .exists(params![int(message.0), stanza.as_ref()])?;
    if same {
        empty(tx, int(message.0), tombstone)?;
    }
    Ok(same)
}

/// Puts a tombstone in the place of a body, in all logs that point to it.
fn empty(tx: &mut Tx<'_>, message: i64, tombstone: &Bytes) -> Result<()> {
    tx.conn
        .prepare_cached("UPDATE message SET stanza = ?2, flags = flags | ?3 WHERE id = ?1")?
        .execute(params![message, tombstone.as_ref(), Flags::RETRACTED])?;
    unindex(tx, message)?;
    mail::forget(tx, message)?;
    files::unrefer(tx, message)
}

/// What was said there is not to be found any more.
fn unindex(tx: &Tx<'_>, message: i64) -> Result<()> {
    tx.conn.prepare_cached("INSERT INTO unindexed (message) VALUES (?1)")?.execute([message])?;
    Ok(())
}

pub(crate) fn drop_pointers(tx: &mut Tx<'_>, uid: Uid, useqs: &[Useq]) -> Result<usize> {
    if useqs.len() > limits::SWEEP {
        return Err(StoreError::Limit("entries"));
    }
    let mut dropped = 0;
    for &useq in useqs {
        let removed: Option<(i64, Flags, bool, Box<str>)> = tx
            .conn
            .prepare_cached(
                "DELETE FROM log WHERE uid = ?1 AND useq = ?2 RETURNING message, flags, direction, peer",
            )?
            .query_row(params![int(uid.0), int(useq.0)], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let Some((message, flags, out, peer)) = removed else { continue };
        // What was answered stays read, also without the answer.
        if out && flags.has(Flags::INSTANT) {
            inbox::raise(tx, uid, &peer, useq)?;
        }
        dropped += 1;
        release(tx, message)?;
        // The time of the log's last row may be another now.
        tx.forget(uid);
        // The next append must not take the position again.
        tx.conn
            .prepare_cached(
                "INSERT INTO position (uid, top) VALUES (?1, ?2)
                 ON CONFLICT (uid) DO UPDATE SET top = max(top, excluded.top)",
            )?
            .execute(params![int(uid.0), int(useq.0)])?;
    }
    Ok(dropped)
}

/// Takes one pointer from a body; true if it was the last and the body is gone.
pub(super) fn release(tx: &mut Tx<'_>, message: i64) -> Result<bool> {
    let last =
        tx.conn.prepare_cached("DELETE FROM message WHERE id = ?1 AND refs <= 1")?.execute([message])?;
    if last > 0 {
        unindex(tx, message)?;
        // The next body must not take the number again. As with heads, nothing is written for it while the last one stands.
        tx.conn
            .prepare_cached(
                "INSERT INTO counter (name, value)
                 SELECT 'message', ?1 WHERE ?1 > (SELECT coalesce(max(id), 0) FROM message)
                 ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            )?
            .execute([message])?;
        mail::forget(tx, message)?;
        files::unrefer(tx, message)?;
    } else {
        tx.conn.prepare_cached("UPDATE message SET refs = refs - 1 WHERE id = ?1")?.execute([message])?;
    }
    Ok(last > 0)
}

pub(crate) fn head(conn: &Connection, uid: Uid) -> Result<Head> {
    let mut head = conn
        .prepare_cached("SELECT top, floor, delivered FROM position WHERE uid = ?1")?
        .query_row([int(uid.0)], |row| {
            Ok(Head { head: useq(row, 0)?, floor: useq(row, 1)?, delivered: useq(row, 2)? })
        })
        .optional()?
        .unwrap_or_default();
    let last = conn
        .prepare_cached("SELECT useq FROM log WHERE uid = ?1 ORDER BY useq DESC LIMIT 1")?
        .query_row([int(uid.0)], |row| useq(row, 0))
        .optional()?;
    head.head = head.head.max(last.unwrap_or_default());
    Ok(head)
}

pub(crate) fn events_after(conn: &Connection, uid: Uid, after: Useq, limit: usize) -> Result<Vec<Entry>> {
    let sql = format!("SELECT {ENTRY} WHERE l.uid = ?1 AND l.useq > ?2 ORDER BY l.useq LIMIT ?3");
    let limit = limit.min(limits::PAGE);
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![int(uid.0), int(after.0), limit as i64])?;
    Ok(take(rows, limit)?.0)
}
