//! Short messages.

use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, uid};
use super::{Tx, outbox, sendings};
use crate::sending::{NewSending, SendingId, SendingState};
use crate::{Caps, Letter, Result, SmsPart, SmsSeen, SmsWhole, StoreError, Timestamp, limits};

pub(crate) fn queue(
    tx: &mut Tx<'_>,
    outbound: u64,
    letter: &Letter,
    sending: &NewSending,
    caps: Caps,
) -> Result<SendingId> {
    if is_stopped(tx.conn, &sending.address)? {
        return Err(StoreError::Conflict);
    }
    check_room(tx, letter.uid, sending.at, caps)?;
    let id = sendings::insert(tx, sending, SendingState::Queued, "")?.id;
    insert_letter(tx, id, letter, sending.at)?;
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO sms_talk (phone, uid, at) VALUES (?1, ?2, ?3)")?
        .execute(params![sending.address, int(letter.uid.0), sending.at])?;
    outbox::remove(tx, outbound)?;
    Ok(id)
}

pub(super) fn insert_letter(tx: &Tx<'_>, id: SendingId, letter: &Letter, at: Timestamp) -> Result<()> {
    let Letter { uid, peer, stanza, receipt } = letter;
    tx.conn
        .prepare_cached(
            "INSERT INTO sms_letter (sending, uid, peer, stanza, receipt, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![int(id.0), int(uid.0), peer, stanza, receipt, at])?;
    Ok(())
}

/// [`StoreError::Limit`]: it may not be sent today.
pub(super) fn check_room(tx: &Tx<'_>, writer: Uid, now: Timestamp, caps: Caps) -> Result<()> {
    let since = Timestamp(now.0.saturating_sub(limits::SENDING_DAY_MS));
    let own: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM sms_letter WHERE uid = ?1 AND at > ?2")?
        .query_row(params![int(writer.0), since], |row| row.get(0))?;
    let all: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM sms_letter WHERE at > ?1")?
        .query_row([since], |row| row.get(0))?;
    let waiting: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM sending WHERE uid = ?1 AND state <= 1")?
        .query_row([int(writer.0)], |row| row.get(0))?;
    if own >= i64::from(caps.account) || all >= i64::from(caps.server) {
        return Err(StoreError::Limit("messages to phones in a day"));
    }
    if waiting >= limits::SENDINGS_WAITING as i64 {
        return Err(StoreError::Limit("sendings that wait"));
    }
    Ok(())
}

pub(crate) fn letter(conn: &Connection, sending: SendingId) -> Result<Option<Letter>> {
    let sql = "SELECT uid, peer, stanza, receipt FROM sms_letter WHERE sending = ?1";
    let read = |row: &Row<'_>| {
        Ok(Letter { uid: uid(row, 0)?, peer: row.get(1)?, stanza: row.get(2)?, receipt: row.get(3)? })
    };
    Ok(conn.prepare_cached(sql)?.query_row([int(sending.0)], read).optional()?)
}

pub(crate) fn writer_to(conn: &Connection, phone: &str) -> Result<Option<Uid>> {
    let sql = "SELECT uid FROM sms_talk WHERE phone = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([phone], |row| uid(row, 0)).optional()?)
}

pub(crate) fn stop(tx: &mut Tx<'_>, phone: &str, stopped: bool, now: Timestamp) -> Result<()> {
    if phone.is_empty() || phone.len() > limits::SENDING_ADDRESS_BYTES {
        return Err(StoreError::Invalid("phone"));
    }
    match stopped {
        true => tx
            .conn
            .prepare_cached("INSERT OR IGNORE INTO sms_stopped (phone, at) VALUES (?1, ?2)")?
            .execute(params![phone, now])?,
        false => tx.conn.prepare_cached("DELETE FROM sms_stopped WHERE phone = ?1")?.execute([phone])?,
    };
    Ok(())
}

pub(crate) fn is_stopped(conn: &Connection, phone: &str) -> Result<bool> {
    Ok(conn.prepare_cached("SELECT 1 FROM sms_stopped WHERE phone = ?1")?.exists([phone])?)
}

pub(crate) fn see(tx: &mut Tx<'_>, seen: &SmsSeen) -> Result<String> {
    let before = brought_before(tx, seen)?;
    let id = before.unwrap_or_else(|| seen.id.clone());
    note(tx, seen, &id)?;
    Ok(id)
}

/// What it was called, if it is brought again.
fn brought_before(tx: &Tx<'_>, seen: &SmsSeen) -> Result<Option<String>> {
    let sql = "SELECT id FROM sms_taken WHERE name = ?1 AND line <> ?2 AND at > ?3";
    let since = Timestamp(seen.at.0.saturating_sub(limits::SMS_AGAIN_MS));
    let mut find = tx.conn.prepare_cached(sql)?;
    Ok(find.query_row(params![seen.name, seen.line, since], |row| row.get(0)).optional()?)
}

/// It has come by this connection now, so what follows by it is new.
fn note(tx: &Tx<'_>, seen: &SmsSeen, id: &str) -> Result<()> {
    let SmsSeen { name, line, at, .. } = seen;
    if [name, line, id].iter().any(|it| it.is_empty() || it.len() > limits::SMS_NAME_BYTES) {
        return Err(StoreError::Invalid("name of a short message"));
    }
    let since = Timestamp(at.0.saturating_sub(limits::SMS_AGAIN_MS));
    tx.conn
        .prepare_cached(
            "DELETE FROM sms_taken WHERE name IN (SELECT name FROM sms_taken WHERE at <= ?1 LIMIT ?2)",
        )?
        .execute(params![since, limits::SWEEP as i64])?;
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO sms_taken (name, line, id, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![name, line, id, at])?;
    Ok(())
}

pub(crate) fn keep(tx: &mut Tx<'_>, part: &SmsPart, seen: &SmsSeen) -> Result<Option<Vec<SmsPart>>> {
    let SmsPart { whole, number, bytes, .. } = part;
    let SmsWhole { carrier, phone, here, reference, total } = whole;
    if !(1..=*total).contains(number) || bytes.len() > limits::SMS_PART_BYTES {
        return Err(StoreError::Invalid("part"));
    }
    let there: Option<Vec<u8>> = tx
        .conn
        .prepare_cached(
            "SELECT bytes FROM sms_part WHERE carrier = ?1 AND phone = ?2 AND here = ?3 AND reference = ?4
             AND total = ?5 AND number = ?6",
        )?
        .query_row(params![carrier, phone, here, reference, total, number], |row| row.get(0))
        .optional()?;
    match there {
        Some(known) if known != *bytes => return Err(StoreError::Conflict),
        Some(_) => {}
        None if brought_before(tx, seen)?.is_some() => {
            note(tx, seen, &seen.id)?;
            return Ok(None);
        }
        None => {
            insert(tx, part)?;
            note(tx, seen, &seen.id)?;
        }
    }
    let all = parts(tx.conn, whole)?;
    Ok((all.len() == usize::from(*total)).then_some(all))
}

fn insert(tx: &Tx<'_>, part: &SmsPart) -> Result<()> {
    let SmsPart { whole, number, alphabet, bytes, at } = part;
    let SmsWhole { carrier, phone, here, reference, total } = whole;
    let count = |sql: &str, key: &[&dyn rusqlite::ToSql]| -> Result<i64> {
        Ok(tx.conn.prepare_cached(sql)?.query_row(key, |row| row.get(0))?)
    };
    if count("SELECT count(*) FROM sms_part", &[])? >= limits::SMS_PARTS as i64
        || count("SELECT count(*) FROM sms_part WHERE carrier = ?1 AND phone = ?2", &[carrier, phone])?
            >= limits::SMS_PARTS_OF_PHONE as i64
    {
        return Err(StoreError::Limit("parts of messages"));
    }
    tx.conn
        .prepare_cached(
            "INSERT INTO sms_part (carrier, phone, here, reference, total, number, alphabet, bytes, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![carrier, phone, here, reference, total, number, alphabet, bytes, at])?;
    Ok(())
}

pub(crate) fn parts(conn: &Connection, whole: &SmsWhole) -> Result<Vec<SmsPart>> {
    let mut statement = conn.prepare_cached(
        "SELECT number, alphabet, bytes, at FROM sms_part
         WHERE carrier = ?1 AND phone = ?2 AND here = ?3 AND reference = ?4 AND total = ?5 ORDER BY number",
    )?;
    let SmsWhole { carrier, phone, here, reference, total } = whole;
    let rows = statement.query_map(params![carrier, phone, here, reference, total], |row| {
        Ok(SmsPart {
            whole: whole.clone(),
            number: row.get(0)?,
            alphabet: row.get(1)?,
            bytes: row.get(2)?,
            at: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn stale(conn: &Connection, before: Timestamp) -> Result<Vec<SmsWhole>> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT carrier, phone, here, reference, total FROM sms_part WHERE at < ?1 LIMIT ?2",
    )?;
    let rows = statement.query_map(params![before, limits::BATCH as i64], |row| {
        Ok(SmsWhole {
            carrier: row.get(0)?,
            phone: row.get(1)?,
            here: row.get(2)?,
            reference: row.get(3)?,
            total: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn drop_parts(tx: &mut Tx<'_>, whole: &SmsWhole) -> Result<()> {
    let SmsWhole { carrier, phone, here, reference, total } = whole;
    tx.conn
        .prepare_cached(
            "DELETE FROM sms_part WHERE carrier = ?1 AND phone = ?2 AND here = ?3 AND reference = ?4 AND total = ?5",
        )?
        .execute(params![carrier, phone, here, reference, total])?;
    Ok(())
}

/// Forgets a slice of what sendings of long ago carried.
pub(super) fn sweep(tx: &Tx<'_>, before: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached(
            "DELETE FROM sms_letter WHERE sending IN (SELECT sending FROM sms_letter WHERE at < ?1 LIMIT ?2)",
        )?
        .execute(params![before, limits::SWEEP as i64])?;
    Ok(())
}
