//! Reminders.

use rookery_proto::Uid;
use rusqlite::{Connection, Row, params};

use super::columns::{int, uid};
use super::{Tx, outbox, reach, timeline};
use crate::reminder::{Errand, NewReminder, Reminder, Repeat, Reply};
use crate::timeline::Append;
use crate::{Result, StoreError, Timestamp, limits};

const REMINDER: &str = "uid, number, text, urgency, days, minute, zone, language, next";

fn read(row: &Row<'_>) -> rusqlite::Result<Reminder> {
    let days: u8 = row.get(4)?;
    let repeat = (days != 0).then_some(Repeat { days, minute: row.get(5)? });
    let what = NewReminder {
        text: row.get(2)?,
        urgency: row.get(3)?,
        repeat,
        zone: row.get(6)?,
        language: row.get(7)?,
        next: row.get(8)?,
    };
    Ok(Reminder { uid: uid(row, 0)?, number: row.get(1)?, what })
}

pub(crate) fn errand(
    tx: &mut Tx<'_>,
    owner: Uid,
    outbound: Option<u64>,
    errand: &Errand,
    reply: Reply,
) -> Result<Vec<Reminder>> {
    // Who did so before a kill has answered already.
    if let Some(outbound) = outbound
        && !outbox::remove(tx, outbound)?
    {
        return Ok(Vec::new());
    }
    let done = match errand {
        Errand::Keep(new) => vec![keep(tx, owner, new)?],
        Errand::Forget(number) => forget(tx, owner, *number)?,
        Errand::Zone(zone) => {
            reach::set_zone(tx, owner, zone)?;
            Vec::new()
        }
    };
    if let Some(append) = reply(&done) {
        timeline::append(tx, append)?;
    }
    Ok(done)
}

fn keep(tx: &mut Tx<'_>, owner: Uid, new: &NewReminder) -> Result<Reminder> {
    let fits = |text: &str, most: usize| text.len() <= most;
    let repeats = new.repeat.is_none_or(|it| (1..128).contains(&it.days) && it.minute < 1440);
    if !repeats
        || !fits(&new.text, limits::REMINDER_BYTES)
        || !fits(&new.zone, limits::ZONE_BYTES)
        || !fits(&new.language, limits::ZONE_BYTES)
    {
        return Err(StoreError::Invalid("reminder"));
    }
    let owned = int(owner.0);
    if !tx.conn.prepare_cached("SELECT 1 FROM account WHERE uid = ?1")?.exists([owned])? {
        return Err(StoreError::NotFound);
    }
    let (count, last): (i64, u32) = tx
        .conn
        .prepare_cached("SELECT count(*), coalesce(max(number), 0) FROM reminder WHERE uid = ?1")?
        .query_row([owned], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if count >= limits::REMINDERS as i64 {
        return Err(StoreError::Limit("reminders"));
    }
    let number = last.checked_add(1).ok_or(StoreError::Limit("reminders"))?;
    let repeat = new.repeat.unwrap_or(Repeat { days: 0, minute: 0 });
    let sql = format!("INSERT INTO reminder ({REMINDER}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    tx.conn.prepare_cached(&sql)?.execute(params![
        owned,
        number,
        new.text,
        new.urgency,
        repeat.days,
        repeat.minute,
        new.zone,
        new.language,
        new.next
    ])?;
    Ok(Reminder { uid: owner, number, what: new.clone() })
}

fn forget(tx: &mut Tx<'_>, owner: Uid, number: Option<u32>) -> Result<Vec<Reminder>> {
    let mut gone = of(tx.conn, owner)?;
    gone.retain(|it| number.is_none_or(|number| it.number == number));
    let mut delete = tx.conn.prepare_cached("DELETE FROM reminder WHERE uid = ?1 AND number = ?2")?;
    for reminder in &gone {
        delete.execute(params![int(owner.0), reminder.number])?;
    }
    Ok(gone)
}

pub(crate) fn of(conn: &Connection, owner: Uid) -> Result<Vec<Reminder>> {
    let sql = format!("SELECT {REMINDER} FROM reminder WHERE uid = ?1 ORDER BY next, number");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([int(owner.0)], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn due(conn: &Connection, now: Timestamp, limit: usize) -> Result<Vec<Reminder>> {
    let sql = format!("SELECT {REMINDER} FROM reminder WHERE next <= ?1 ORDER BY next LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![now, limit.min(limits::PAGE) as i64], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn next(conn: &Connection) -> Result<Option<Timestamp>> {
    Ok(conn.prepare_cached("SELECT min(next) FROM reminder")?.query_row([], |row| row.get(0))?)
}

pub(crate) fn remind(
    tx: &mut Tx<'_>,
    seen: &Reminder,
    next: Option<Timestamp>,
    append: Option<Append>,
) -> Result<bool> {
    let (owner, number, due) = (int(seen.uid.0), seen.number, seen.what.next);
    let changed = match next {
        Some(next) => tx
            .conn
            .prepare_cached("UPDATE reminder SET next = ?4 WHERE uid = ?1 AND number = ?2 AND next = ?3")?
            .execute(params![owner, number, due, next])?,
        None => tx
            .conn
            .prepare_cached("DELETE FROM reminder WHERE uid = ?1 AND number = ?2 AND next = ?3")?
            .execute(params![owner, number, due])?,
    };
    if changed == 0 {
        return Ok(false);
    }
    if let Some(append) = append {
        timeline::append(tx, append)?;
    }
    Ok(true)
}
