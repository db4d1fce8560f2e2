//! Groups of people of whom one is on duty, and the pages that they get.

use bytes::Bytes;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, jid, uid, useq};
use super::{Tx, calls, cases, outbox, timeline};
use crate::duty::{Cover, Duty, DutyEnd, DutyPage, NewDutyPage};
use crate::sending::CaseId;
use crate::timeline::{Append, Appended};
use crate::{CallAnswer, CaseState, NewCall, Result, StoreError, Timestamp, limits};

pub(crate) fn set(tx: &mut Tx<'_>, duty: &Duty) -> Result<()> {
    let Duty { name, zone, days, minute, since, patience, people, covers } = duty;
    let fits = (1..=limits::PAGER_BYTES).contains(&name.len())
        && name.to_lowercase() == *name
        && zone.len() <= limits::ZONE_BYTES
        && (1..=366).contains(days)
        && *minute < 1440
        && (30..=86_400).contains(patience)
        && people.len() <= limits::DUTY_PEOPLE
        && covers.len() <= limits::DUTY_COVERS
        && covers.iter().all(|cover| cover.since < cover.until);
    if !fits {
        return Err(StoreError::Invalid("duty"));
    }
    let mut is_there = tx.conn.prepare_cached("SELECT 1 FROM account WHERE uid = ?1")?;
    for uid in people.iter().chain(covers.iter().map(|cover| &cover.uid)) {
        if !is_there.exists([int(uid.0)])? {
            return Err(StoreError::NotFound);
        }
    }
    let others: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM duty WHERE name <> ?1")?
        .query_row([name], |row| row.get(0))?;
    if others >= limits::DUTIES as i64 {
        return Err(StoreError::Limit("groups on duty"));
    }
    forget(tx, name)?;
    tx.conn
        .prepare_cached(
            "INSERT INTO duty (name, zone, days, minute, since, patience) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![name, zone, days, minute, since, patience])?;
    let mut person =
        tx.conn.prepare_cached("INSERT INTO duty_person (duty, place, uid) VALUES (?1, ?2, ?3)")?;
    for (place, uid) in people.iter().enumerate() {
        person.execute(params![name, place as i64, int(uid.0)])?;
    }
    let mut cover = tx.conn.prepare_cached(
        "INSERT OR REPLACE INTO duty_cover (duty, since, until, uid) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for Cover { uid, since, until } in covers {
        cover.execute(params![name, since, until, int(uid.0)])?;
    }
    Ok(())
}

fn forget(tx: &Tx<'_>, name: &str) -> Result<bool> {
    tx.conn.prepare_cached("DELETE FROM duty_person WHERE duty = ?1")?.execute([name])?;
    tx.conn.prepare_cached("DELETE FROM duty_cover WHERE duty = ?1")?.execute([name])?;
    Ok(tx.conn.prepare_cached("DELETE FROM duty WHERE name = ?1")?.execute([name])? > 0)
}

pub(crate) fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    forget(tx, name)
}

const DUTY: &str = "name, zone, days, minute, since, patience";

fn read_duty(row: &Row<'_>) -> rusqlite::Result<Duty> {
    Ok(Duty {
        name: row.get(0)?,
        zone: row.get(1)?,
        days: row.get(2)?,
        minute: row.get(3)?,
        since: row.get(4)?,
        patience: row.get(5)?,
        people: Vec::new(),
        covers: Vec::new(),
    })
}

fn with_people(conn: &Connection, mut duty: Duty) -> Result<Duty> {
    let mut people = conn.prepare_cached("SELECT uid FROM duty_person WHERE duty = ?1 ORDER BY place")?;
    duty.people = people.query_map([&duty.name], |row| uid(row, 0))?.collect::<rusqlite::Result<_>>()?;
    let mut covers = conn
        .prepare_cached("SELECT uid, since, until FROM duty_cover WHERE duty = ?1 ORDER BY since, until")?;
    let cover = |row: &Row<'_>| Ok(Cover { uid: uid(row, 0)?, since: row.get(1)?, until: row.get(2)? });
    duty.covers = covers.query_map([&duty.name], cover)?.collect::<rusqlite::Result<_>>()?;
    Ok(duty)
}

pub(crate) fn get(conn: &Connection, name: &str) -> Result<Option<Duty>> {
    let sql = format!("SELECT {DUTY} FROM duty WHERE name = ?1");
    let duty = conn.prepare_cached(&sql)?.query_row([name], read_duty).optional()?;
    duty.map(|duty| with_people(conn, duty)).transpose()
}

pub(crate) fn all(conn: &Connection) -> Result<Vec<Duty>> {
    let sql = format!("SELECT {DUTY} FROM duty ORDER BY name");
    let mut statement = conn.prepare_cached(&sql)?;
    let duties: Vec<Duty> = statement.query_map([], read_duty)?.collect::<rusqlite::Result<_>>()?;
    duties.into_iter().map(|duty| with_people(conn, duty)).collect()
}

pub(crate) fn open(
    tx: &mut Tx<'_>,
    outbound: Option<u64>,
    page: &NewDutyPage,
    append: Append,
    call: Option<&NewCall>,
) -> Result<Appended> {
    // Who did so before a kill has told it already.
    if let Some(outbound) = outbound
        && !outbox::remove(tx, outbound)?
    {
        return Ok(Appended::Duplicate);
    }
    let first = append.pointers.first().map(|pointer| pointer.uid).ok_or(StoreError::Invalid("page"))?;
    let appended = match call {
        Some(call) => calls::append(tx, append, call)?,
        None => timeline::append(tx, append)?,
    };
    let Appended::Stored(useqs) = &appended else { return Ok(appended) };
    tx.conn
        .prepare_cached("DELETE FROM duty_page WHERE id IN (SELECT id FROM duty_page WHERE state > 0 AND at < ?1 LIMIT ?2)")?
        .execute(params![page.at.0 - limits::CALL_MILLIS, limits::BATCH as i64])?;
    tx.conn
        .prepare_cached("DELETE FROM duty_told WHERE page < (SELECT min(id) FROM duty_page)")?
        .execute([])?;
    tx.conn
        .prepare_cached(
            "INSERT INTO duty_page (duty, peer, caller, stanza, tag, body, at, since, next)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
        )?
        .execute(params![
            page.duty,
            page.peer.as_str(),
            page.caller.map_or(0, |uid| int(uid.0)),
            page.stanza,
            call.map(|call| int(call.tag)),
            page.body.as_ref(),
            page.at,
            page.next
        ])?;
    let id = tx.conn.last_insert_rowid();
    note_told(tx, id, 0, first, useqs.first().copied().unwrap_or_default())?;
    Ok(appended)
}

fn note_told(tx: &Tx<'_>, page: i64, place: u32, uid: Uid, useq: Useq) -> Result<()> {
    tx.conn
        .prepare_cached("INSERT INTO duty_told (page, place, uid, useq) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![page, place, int(uid.0), int(useq.0)])?;
    Ok(())
}

const PAGE: &str = "id, duty, peer, caller, stanza, tag, body, step, at, next, since";

fn read_page(row: &Row<'_>) -> rusqlite::Result<DutyPage> {
    let caller: i64 = row.get(3)?;
    let page = NewDutyPage {
        duty: row.get(1)?,
        peer: jid(row, 2)?,
        caller: (caller > 0).then_some(Uid(caller as u64)),
        stanza: row.get(4)?,
        body: Bytes::copy_from_slice(row.get_ref(6)?.as_blob()?),
        at: row.get(8)?,
        next: row.get(9)?,
    };
    let tag: Option<i64> = row.get(5)?;
    let (id, step, since) = (row.get::<_, i64>(0)? as u64, row.get(7)?, row.get(10)?);
    Ok(DutyPage {
        id,
        page,
        tag: tag.map(|tag| tag as u64),
        step,
        since,
        told: Vec::new(),
        acknowledged: None,
    })
}

fn with_told(conn: &Connection, mut page: DutyPage) -> Result<DutyPage> {
    let mut told = conn.prepare_cached("SELECT uid, useq FROM duty_told WHERE page = ?1 ORDER BY place")?;
    let rows = told.query_map([int(page.id)], |row| Ok((uid(row, 0)?, useq(row, 1)?)))?;
    page.told = rows.collect::<rusqlite::Result<_>>()?;
    let mut acknowledged = conn.prepare_cached(
        "SELECT 1 FROM reach_case WHERE uid = ?1 AND peer = ?2 AND first <= ?3 AND last >= ?3 AND state IN (?4, ?5)",
    )?;
    for (uid, useq) in &page.told {
        let case = params![
            int(uid.0),
            page.page.peer.as_str(),
            int(useq.0),
            CaseState::Answered,
            CaseState::Acknowledged
        ];
        if acknowledged.exists(case)? {
            page.acknowledged = Some(*uid);
        }
    }
    Ok(page)
}

pub(crate) fn due(conn: &Connection, now: Timestamp, limit: usize) -> Result<Vec<DutyPage>> {
    let sql = format!("SELECT {PAGE} FROM duty_page WHERE state = 0 AND next <= ?1 ORDER BY next LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![now, limit.min(limits::PAGE) as i64], read_page)?;
    let pages: Vec<DutyPage> = rows.collect::<rusqlite::Result<_>>()?;
    pages.into_iter().map(|page| with_told(conn, page)).collect()
}

pub(crate) fn next(conn: &Connection) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(next) FROM duty_page WHERE state = 0";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(crate) fn told_page(conn: &Connection, duty: &str, owner: Uid) -> Result<Option<DutyPage>> {
    let sql = format!(
        "SELECT {PAGE} FROM duty_page WHERE state = 0 AND duty = ?1
         AND id IN (SELECT page FROM duty_told WHERE uid = ?2) ORDER BY id DESC LIMIT 1"
    );
    let page = conn.prepare_cached(&sql)?.query_row(params![duty, int(owner.0)], read_page).optional()?;
    page.map(|page| with_told(conn, page)).transpose()
}

pub(crate) fn of_call(conn: &Connection, tag: u64) -> Result<Option<DutyPage>> {
    let sql = format!("SELECT {PAGE} FROM duty_page WHERE state = 0 AND tag = ?1");
    let page = conn.prepare_cached(&sql)?.query_row([int(tag)], read_page).optional()?;
    page.map(|page| with_told(conn, page)).transpose()
}

pub(crate) fn tell(
    tx: &mut Tx<'_>,
    seen: &DutyPage,
    append: Append,
    now: Timestamp,
    next: Timestamp,
) -> Result<bool> {
    let to = append.pointers.first().map(|pointer| pointer.uid).ok_or(StoreError::Invalid("page"))?;
    let step = seen.step + 1;
    let sql =
        "UPDATE duty_page SET step = ?3, next = ?4, since = ?5 WHERE id = ?1 AND state = 0 AND step = ?2";
    if tx.conn.prepare_cached(sql)?.execute(params![int(seen.id), seen.step, step, next, now])? == 0 {
        return Ok(false);
    }
    let Appended::Stored(useqs) = timeline::append(tx, append)? else { return Ok(true) };
    let useq = useqs.first().copied().unwrap_or_default();
    note_told(tx, int(seen.id), step, to, useq)?;
    if let Some(tag) = seen.tag {
        // Its caller hears of whoever has it now.
        tx.conn
            .prepare_cached("UPDATE call SET uid = ?2, useq = ?3 WHERE tag = ?1 AND answered IS NULL")?
            .execute(params![int(tag), int(to.0), int(useq.0)])?;
    }
    Ok(true)
}

pub(crate) fn put_off(tx: &mut Tx<'_>, id: u64, next: Timestamp) -> Result<()> {
    let sql = "UPDATE duty_page SET next = ?2 WHERE id = ?1 AND state = 0";
    tx.conn.prepare_cached(sql)?.execute(params![int(id), next])?;
    Ok(())
}

pub(crate) fn end(
    tx: &mut Tx<'_>,
    seen: &DutyPage,
    end: DutyEnd,
    outbound: Option<u64>,
    answer: Option<&CallAnswer>,
    tell: Option<Append>,
) -> Result<bool> {
    if let Some(outbound) = outbound {
        outbox::remove(tx, outbound)?;
    }
    let state = match end {
        DutyEnd::Acknowledged => 1,
        DutyEnd::Nobody => 2,
    };
    let sql = "UPDATE duty_page SET state = ?2 WHERE id = ?1 AND state = 0";
    if tx.conn.prepare_cached(sql)?.execute(params![int(seen.id), state])? == 0 {
        return Ok(false);
    }
    if let (Some(tag), Some(answer)) = (seen.tag, answer) {
        calls::set_answer(tx, tag, answer)?;
    }
    for (uid, useq) in &seen.told {
        let cases: Vec<i64> = {
            let mut live = tx.conn.prepare_cached(
                "SELECT id FROM reach_case WHERE uid = ?1 AND peer = ?2 AND state <= 1 AND first <= ?3 AND last >= ?3",
            )?;
            let rows =
                live.query_map(params![int(uid.0), seen.page.peer.as_str(), int(useq.0)], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for case in cases {
            let at = tx.last(*uid)?.at;
            cases::end(tx, CaseId(case as u64), CaseState::Expired, at)?;
        }
    }
    if let Some(append) = tell {
        timeline::append(tx, append)?;
    }
    Ok(true)
}
