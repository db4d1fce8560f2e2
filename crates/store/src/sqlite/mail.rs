//! Mail beside the timeline, and the queue of mails on their way out.

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Tx;
use super::columns::{int, jid, uid, useq};
use super::{imap, outbox, timeline};
use crate::timeline::{Append, Appended, Direction, Flags, MessageId};
use crate::{FolderId, Mail, NewFiled, NewQueued, Queued, Result, StoreError, Timestamp, limits};

const MAIL: &str = "uid, peer, name, refs, thread, subject, stanza, raw, sent";
const LATEST: &str =
    "SELECT useq, message, direction, at, flags FROM log WHERE uid = ?1 ORDER BY useq DESC LIMIT ?2";
const QUEUED: &str = "id, uid, peer, stanza, sender, recipient, domain, at, next, attempts, trouble, \
                      envelope, receipt, told, program";

fn read(row: &Row<'_>) -> rusqlite::Result<Mail> {
    Ok(Mail {
        uid: uid(row, 0)?,
        peer: jid(row, 1)?,
        name: row.get(2)?,
        refs: row.get(3)?,
        thread: row.get(4)?,
        subject: row.get(5)?,
        stanza: row.get(6)?,
        raw: row.get(7)?,
        sent: row.get(8)?,
    })
}

fn check(mail: &Mail) -> Result<()> {
    let long = |text: &str| text.len() > limits::MAIL_NAME_BYTES;
    let texts = [&mail.name, &mail.subject, &mail.thread, &mail.stanza];
    if texts.iter().any(|text| long(text)) || mail.refs.len() > limits::MAIL_REFS_BYTES {
        return Err(StoreError::Invalid("headers of the mail"));
    }
    Ok(())
}

/// A [`super::Kind::Checked`] job: what can refuse comes before the first write.
pub(crate) fn append(tx: &mut Tx<'_>, append: Append, mail: &Mail) -> Result<Appended> {
    check(mail)?;
    let appended = timeline::append(tx, append)?;
    if let Some(message) = outbox::body_of(tx, mail.uid, &appended)? {
        insert(tx, message, mail)?;
        // Nobody else named them before, and nobody but this mail needs them.
        tx.conn
            .prepare_cached(
                "UPDATE upload_ref SET own = 1
                 WHERE message = ?1 AND upload IN (SELECT id FROM upload WHERE uid = ?2)",
            )?
            .execute(params![message, int(mail.uid.0)])?;
        file(tx, message, mail)?;
    }
    Ok(appended)
}

fn insert(tx: &Tx<'_>, message: i64, mail: &Mail) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO mail (message, uid, peer, name, refs, thread, subject, stanza, raw, sent)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            message,
            int(mail.uid.0),
            mail.peer.as_str(),
            mail.name,
            mail.refs,
            mail.thread,
            mail.subject,
            mail.stanza,
            mail.raw,
            mail.sent
        ])?;
    Ok(())
}

/// Into its owner's folders, where there are any. It stands near the end of the log, for it was stored a moment ago.
fn file(tx: &mut Tx<'_>, message: i64, mail: &Mail) -> Result<()> {
    if !imap::is_filing(tx.conn, mail.uid)? {
        return Ok(());
    }
    let arrived = {
        let mut statement = tx.conn.prepare_cached(LATEST)?;
        let mut rows = statement.query(params![int(mail.uid.0), limits::PAGE as i64])?;
        let mut found = None;
        while let (None, Some(row)) = (&found, rows.next()?) {
            if row.get::<_, i64>(1)? == message {
                let direction = if row.get(2)? { Direction::Out } else { Direction::In };
                let (uid, useq, at, raw) = (mail.uid, useq(row, 0)?, row.get(3)?, mail.raw);
                let junk = row.get::<_, Flags>(4)?.has(Flags::JUNK);
                found = Some(imap::Arrived { uid, message, useq, direction, at, raw, junk });
            }
        }
        found
    };
    let Some(arrived) = arrived else { return Ok(()) };
    imap::file(tx, &arrived)?;
    match arrived.direction {
        Direction::In => Ok(()),
        // Who answers has read.
        Direction::Out => imap::flags::read_upto(tx, mail.uid, mail.peer.as_str(), arrived.useq),
    }
}

/// A body is gone, or empty.
pub(super) fn forget(tx: &mut Tx<'_>, message: i64) -> Result<()> {
    let mails = tx.conn.prepare_cached("DELETE FROM mail WHERE message = ?1")?.execute([message])?;
    if mails > 0 { imap::forget(tx, message) } else { Ok(()) }
}

/// What a body says of itself as a mail of this account.
pub(super) fn get(conn: &Connection, owner: Uid, message: i64) -> Result<Option<Mail>> {
    let sql = format!("SELECT {MAIL} FROM mail WHERE message = ?1 AND uid = ?2");
    Ok(conn.prepare_cached(&sql)?.query_row(params![message, int(owner.0)], read).optional()?)
}

pub(crate) fn named(conn: &Connection, owner: Uid, name: &str) -> Result<Option<Mail>> {
    let sql = format!("SELECT {MAIL} FROM mail WHERE uid = ?1 AND name = ?2 ORDER BY message DESC LIMIT 1");
    Ok(conn.prepare_cached(&sql)?.query_row(params![int(owner.0), name], read).optional()?)
}

pub(crate) fn latest(
    conn: &Connection,
    owner: Uid,
    peer: &BareJid,
    thread: Option<&str>,
) -> Result<Option<Mail>> {
    let sql = format!(
        "SELECT {MAIL} FROM mail WHERE uid = ?1 AND peer = ?2 AND (?3 IS NULL OR thread = ?3)
         ORDER BY message DESC LIMIT 1"
    );
    let wanted = params![int(owner.0), peer.as_str(), thread];
    Ok(conn.prepare_cached(&sql)?.query_row(wanted, read).optional()?)
}

pub(crate) fn queue(
    tx: &mut Tx<'_>,
    outbound: u64,
    message: MessageId,
    mail: &Mail,
    new: &NewQueued,
) -> Result<()> {
    check(mail)?;
    check_room(tx.conn, std::slice::from_ref(new))?;
    // Who took it before a kill has queued it already.
    let taken = tx.conn.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([int(outbound)])?;
    if taken == 0 {
        return Ok(());
    }
    let stands = tx.conn.prepare_cached("SELECT 1 FROM message WHERE id = ?1")?.exists([int(message.0)])?;
    if stands {
        insert(tx, int(message.0), mail)?;
        file(tx, int(message.0), mail)?;
    }
    enqueue(tx, new)
}

/// A [`super::Kind::Checked`] job: what can refuse comes before the first write.
pub(crate) fn submit(tx: &mut Tx<'_>, append: Append, mail: &Mail, new: &[NewQueued]) -> Result<Appended> {
    check_room(tx.conn, new)?;
    let appended = self::append(tx, append, mail)?;
    if appended != Appended::Duplicate {
        new.iter().try_for_each(|new| enqueue(tx, new))?;
    }
    Ok(appended)
}

/// Whether the queue has room for these of one account.
fn check_room(conn: &Connection, new: &[NewQueued]) -> Result<()> {
    let Some(first) = new.first() else { return Ok(()) };
    let (waiting, bytes): (i64, i64) = conn
        .prepare_cached("SELECT count(*), coalesce(sum(length(data)), 0) FROM mail_queue WHERE uid = ?1")?
        .query_row([int(first.uid.0)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let size: usize = new.iter().map(|new| new.data.len()).sum();
    // One large mail always has room.
    let heavy = bytes > 0 && bytes as usize + size > limits::MAIL_QUEUE_BYTES;
    if waiting as usize + new.len() > limits::MAIL_QUEUE || heavy {
        return Err(StoreError::Limit("mails on their way out"));
    }
    Ok(())
}

fn enqueue(tx: &Tx<'_>, new: &NewQueued) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO mail_queue
                 (uid, peer, stanza, sender, recipient, domain, at, next, data, envelope, receipt, program)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            int(new.uid.0),
            new.peer,
            new.stanza,
            new.sender,
            new.recipient,
            new.domain,
            new.at,
            new.data.as_ref(),
            new.envelope,
            new.receipt,
            new.program
        ])?;
    Ok(())
}

fn queued(row: &Row<'_>, data: Bytes) -> rusqlite::Result<Queued> {
    Ok(Queued {
        id: row.get::<_, i64>(0)? as u64,
        mail: NewQueued {
            uid: uid(row, 1)?,
            peer: row.get(2)?,
            stanza: row.get(3)?,
            sender: row.get(4)?,
            recipient: row.get(5)?,
            domain: row.get(6)?,
            at: row.get(7)?,
            envelope: row.get(11)?,
            receipt: row.get(12)?,
            program: row.get(14)?,
            data,
        },
        next: row.get(8)?,
        attempts: row.get(9)?,
        trouble: row.get(10)?,
        told: row.get(13)?,
    })
}

pub(crate) fn domains(conn: &Connection, limit: usize) -> Result<Vec<(String, Timestamp)>> {
    let mut statement = conn.prepare_cached(
        "SELECT domain, min(next) AS due FROM mail_queue GROUP BY domain ORDER BY due, domain LIMIT ?1",
    )?;
    let rows =
        statement.query_map([limit.min(limits::MAIL_PAGE) as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn due(conn: &Connection, domain: &str, now: Timestamp) -> Result<Option<Queued>> {
    let sql = format!(
        "SELECT {QUEUED}, data FROM mail_queue WHERE domain = ?1 AND next <= ?2 ORDER BY next, id LIMIT 1"
    );
    let read = |row: &Row<'_>| {
        let data = Bytes::copy_from_slice(row.get_ref(15)?.as_blob()?);
        queued(row, data)
    };
    Ok(conn.prepare_cached(&sql)?.query_row(params![domain, now], read).optional()?)
}

pub(crate) fn has_sent(conn: &Connection, owner: Uid) -> Result<bool> {
    let sql = "SELECT 1 FROM mail WHERE uid = ?1 AND sent LIMIT 1";
    Ok(conn.prepare_cached(sql)?.exists([int(owner.0)])?)
}

/// The mail of this name that its owner has sent, as it stands in a folder: the folder's UIDVALIDITY and its UID.
pub(crate) fn sent_in(
    conn: &Connection,
    owner: Uid,
    folder: FolderId,
    name: &str,
) -> Result<Option<(u32, u32)>> {
    let sql = "SELECT f.validity, i.n FROM mail m CROSS JOIN imap_mail i ON i.message = m.message
         CROSS JOIN imap_folder f ON f.id = i.folder
         WHERE m.uid = ?1 AND m.name = ?2 AND m.sent AND i.folder = ?3 LIMIT 1";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    Ok(conn.prepare_cached(sql)?.query_row(params![int(owner.0), name, folder.0], read).optional()?)
}

pub(crate) fn list(conn: &Connection, after: u64) -> Result<Vec<Queued>> {
    let sql = format!("SELECT {QUEUED} FROM mail_queue WHERE id > ?1 ORDER BY id LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement
        .query_map(params![int(after), limits::MAIL_PAGE as i64], |row| queued(row, Bytes::new()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn defer(tx: &mut Tx<'_>, id: u64, next: Timestamp, trouble: &str) -> Result<()> {
    let trouble = &trouble[..trouble.floor_char_boundary(limits::MAIL_NAME_BYTES)];
    tx.conn
        .prepare_cached(
            "UPDATE mail_queue SET next = ?2, attempts = attempts + 1, trouble = ?3 WHERE id = ?1",
        )?
        .execute(params![int(id), next, trouble])?;
    Ok(())
}

pub(crate) fn delay(
    tx: &mut Tx<'_>,
    id: u64,
    next: Timestamp,
    trouble: &str,
    append: Append,
    report: Option<&NewFiled>,
) -> Result<Appended> {
    defer(tx, id, next, trouble)?;
    let owner = "UPDATE mail_queue SET told = 1 WHERE id = ?1 AND told = 0 RETURNING uid";
    tell(tx, owner, id, append, report)
}

pub(crate) fn hurry(tx: &mut Tx<'_>, id: Option<u64>, now: Timestamp) -> Result<u64> {
    let mut update =
        tx.conn.prepare_cached("UPDATE mail_queue SET next = min(next, ?2) WHERE ?1 IS NULL OR id = ?1")?;
    Ok(update.execute(params![id.map(int), now])? as u64)
}

pub(crate) fn unqueue(tx: &mut Tx<'_>, id: u64) -> Result<bool> {
    Ok(tx.conn.prepare_cached("DELETE FROM mail_queue WHERE id = ?1")?.execute([int(id)])? > 0)
}

pub(crate) fn fail(tx: &mut Tx<'_>, id: u64, append: Append, report: Option<&NewFiled>) -> Result<Appended> {
    tell(tx, "DELETE FROM mail_queue WHERE id = ?1 RETURNING uid", id, append, report)
}

/// Tells the owner of a mail in the queue, if the step by which it is told was not done before.
fn tell(tx: &mut Tx<'_>, step: &str, id: u64, append: Append, report: Option<&NewFiled>) -> Result<Appended> {
    let owner = tx.conn.prepare_cached(step)?.query_row([int(id)], |row| uid(row, 0)).optional()?;
    let Some(owner) = owner else { return Ok(Appended::Duplicate) };
    if let Some(report) = report.filter(|_| owner != Uid(0)) {
        imap::put_into_inbox(tx, owner, report)?;
    }
    timeline::append(tx, append)
}
