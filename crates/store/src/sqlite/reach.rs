//! How people want to be reached, and where.

use rookery_proto::Uid;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, jid, uid};
use super::{Tx, cases, sendings};
use crate::reach::{Hours, MayBeUrgent, Plan, Proven, ReachAddress, Rule, Tells};
use crate::sending::{Caps, NewSending, SendingState, Way};
use crate::{Result, StoreError, Timestamp, limits};

const MINUTES: u16 = 1440;

fn hours(row: &Row<'_>, from: usize) -> rusqlite::Result<Option<Hours>> {
    let (from, to): (Option<u16>, Option<u16>) = (row.get(from)?, row.get(from + 1)?);
    Ok(from.zip(to).map(|(from, to)| Hours { from, to }))
}

pub(crate) fn plan(conn: &Connection, owner: Uid) -> Result<Option<Plan>> {
    let sql =
        "SELECT active, zone, quiet_from, quiet_to, urgent, content, away FROM reach_plan WHERE uid = ?1";
    let found = conn.prepare_cached(sql)?.query_row([int(owner.0)], |row| {
        Ok(Plan {
            active: row.get(0)?,
            zone: row.get(1)?,
            quiet: hours(row, 2)?,
            urgent: row.get(4)?,
            tells: row.get(5)?,
            away: row.get(6)?,
            ..Plan::default()
        })
    });
    let Some(mut plan) = found.optional()? else { return Ok(None) };
    let sql = "SELECT way, address, after, unread, least, since, until FROM reach_rule WHERE uid = ?1 ORDER BY place";
    let mut statement = conn.prepare_cached(sql)?;
    let rules = statement.query_map([int(owner.0)], |row| {
        Ok(Rule {
            way: row.get(0)?,
            address: row.get(1)?,
            after: row.get(2)?,
            unread: row.get(3)?,
            least: row.get(4)?,
            hours: hours(row, 5)?,
        })
    })?;
    plan.rules = rules.collect::<rusqlite::Result<_>>()?;
    let mut statement = conn.prepare_cached("SELECT jid FROM reach_allowed WHERE uid = ?1 ORDER BY jid")?;
    let allowed = statement.query_map([int(owner.0)], |row| jid(row, 0))?;
    plan.allowed = allowed.collect::<rusqlite::Result<_>>()?;
    Ok(Some(plan))
}

/// Only the time zone; who has no rules yet has none then either.
pub(super) fn set_zone(tx: &Tx<'_>, owner: Uid, zone: &str) -> Result<()> {
    if zone.len() > limits::ZONE_BYTES {
        return Err(StoreError::Invalid("zone"));
    }
    let Plan { active, urgent, tells, .. } = Plan::default();
    let set = "INSERT INTO reach_plan (uid, active, zone, urgent, content)
               SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)
               ON CONFLICT (uid) DO UPDATE SET zone = excluded.zone";
    match tx.conn.prepare_cached(set)?.execute(params![int(owner.0), active, zone, urgent, tells])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

pub(crate) fn set_plan(tx: &mut Tx<'_>, owner: Uid, plan: &Plan, now: Timestamp) -> Result<()> {
    check(tx, owner, plan)?;
    let uid = int(owner.0);
    let (from, to) = plan.quiet.map(|hours| (hours.from, hours.to)).unzip();
    let set =
        "INSERT OR REPLACE INTO reach_plan (uid, active, zone, quiet_from, quiet_to, urgent, content, away)
               SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)";
    let values = params![uid, plan.active, plan.zone, from, to, plan.urgent, plan.tells, plan.away];
    if tx.conn.prepare_cached(set)?.execute(values)? == 0 {
        return Err(StoreError::NotFound);
    }
    for sql in ["DELETE FROM reach_rule WHERE uid = ?1", "DELETE FROM reach_allowed WHERE uid = ?1"] {
        tx.conn.prepare_cached(sql)?.execute([uid])?;
    }
    let mut add = tx.conn.prepare_cached(
        "INSERT INTO reach_rule (uid, place, way, address, after, unread, least, since, until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (place, rule) in plan.rules.iter().enumerate() {
        let (since, until) = rule.hours.map(|hours| (hours.from, hours.to)).unzip();
        let place = place as i64;
        add.execute(params![
            uid,
            place,
            rule.way,
            rule.address,
            rule.after,
            rule.unread,
            rule.least,
            since,
            until
        ])?;
    }
    let mut allow =
        tx.conn.prepare_cached("INSERT OR IGNORE INTO reach_allowed (uid, jid) VALUES (?1, ?2)")?;
    for jid in &plan.allowed {
        allow.execute(params![uid, jid.as_str()])?;
    }
    if !plan.active {
        cases::end_all(tx, owner, now)?;
    }
    sendings::cancel_without_rule(tx, owner, now)
}

fn check(tx: &Tx<'_>, owner: Uid, plan: &Plan) -> Result<()> {
    if plan.rules.len() > limits::REACH_RULES {
        return Err(StoreError::Limit("rules"));
    }
    if plan.allowed.len() > limits::REACH_ALLOWED {
        return Err(StoreError::Limit("people who may be urgent"));
    }
    let day = |hours: Option<Hours>| {
        hours.is_none_or(|hours| hours.from < MINUTES && hours.to < MINUTES && hours.from != hours.to)
    };
    let timely = plan.rules.iter().all(|rule| day(rule.hours) && rule.after <= limits::REACH_AFTER);
    if !day(plan.quiet) || !timely || plan.zone.len() > limits::ZONE_BYTES {
        return Err(StoreError::Invalid("hours"));
    }
    let known = addresses(tx.conn, owner)?;
    let stands =
        |rule: &Rule| known.iter().any(|it| it.verified && it.way == rule.way && it.address == rule.address);
    if !plan.rules.iter().all(stands) {
        return Err(StoreError::Invalid("address of a rule"));
    }
    Ok(())
}

pub(crate) fn addresses(conn: &Connection, owner: Uid) -> Result<Vec<ReachAddress>> {
    let sql = "SELECT way, address, verified FROM reach_address WHERE uid = ?1 ORDER BY way, address";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([int(owner.0)], |row| {
        Ok(ReachAddress { way: row.get(0)?, address: row.get(1)?, verified: row.get(2)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn add_address(tx: &mut Tx<'_>, sending: &NewSending, caps: Caps) -> Result<()> {
    let known = addresses(tx.conn, sending.uid)?;
    let is_it = |it: &&ReachAddress| it.way == sending.way && it.address == sending.address;
    match known.iter().find(is_it) {
        Some(it) if it.verified => return Err(StoreError::Conflict),
        None if known.len() >= limits::REACH_ADDRESSES => {
            return Err(StoreError::Limit("addresses to be reached at"));
        }
        _ => {}
    }
    sendings::check_room(tx, sending, caps)?;
    sendings::insert(tx, sending, SendingState::Queued, "")?;
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO reach_address (uid, way, address, verified, code, tries, at)
             VALUES (?1, ?2, ?3, 0, ?4, 0, ?5)",
        )?
        .execute(params![int(sending.uid.0), sending.way, sending.address, sending.code, sending.at])?;
    Ok(())
}

pub(crate) fn prove(
    tx: &mut Tx<'_>,
    owner: Uid,
    way: Way,
    address: &str,
    code: &str,
    now: Timestamp,
) -> Result<Proven> {
    let key = params![int(owner.0), way, address];
    let sql = "SELECT code, tries, at FROM reach_address WHERE uid = ?1 AND way = ?2 AND address = ?3 AND NOT verified";
    let found: Option<(String, i64, Timestamp)> = tx
        .conn
        .prepare_cached(sql)?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((wanted, tries, at)) = found else { return Ok(Proven::Over) };
    if wanted.is_empty() || tries >= limits::REACH_TRIES || now.0 - at.0 > limits::REACH_CODE_MS {
        return Ok(Proven::Over);
    }
    // The code has few digits, and each try is counted in the same transaction: its time tells nothing that tries do not.
    let right = wanted == code;
    let set = match right {
        true => {
            "UPDATE reach_address SET verified = 1, code = '' WHERE uid = ?1 AND way = ?2 AND address = ?3"
        }
        false => "UPDATE reach_address SET tries = tries + 1 WHERE uid = ?1 AND way = ?2 AND address = ?3",
    };
    tx.conn.prepare_cached(set)?.execute(key)?;
    Ok(if right { Proven::Yes } else { Proven::Wrong })
}

pub(crate) fn remove_address(
    tx: &mut Tx<'_>,
    owner: Uid,
    way: Way,
    address: &str,
    now: Timestamp,
) -> Result<bool> {
    let key = params![int(owner.0), way, address];
    let rules = "DELETE FROM reach_rule WHERE uid = ?1 AND way = ?2 AND address = ?3";
    tx.conn.prepare_cached(rules)?.execute(key)?;
    let sql = "DELETE FROM reach_address WHERE uid = ?1 AND way = ?2 AND address = ?3";
    let removed = tx.conn.prepare_cached(sql)?.execute(key)? > 0;
    sendings::cancel_without_rule(tx, owner, now)?;
    Ok(removed)
}

pub(crate) fn owners(conn: &Connection, way: Way, address: &str) -> Result<Vec<Uid>> {
    let sql =
        "SELECT uid FROM reach_address WHERE way = ?1 AND address = ?2 AND verified ORDER BY uid LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map(params![way, address, limits::REACH_SHARED as i64], |row| uid(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl ToSql for MayBeUrgent {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as i64).into())
    }
}

impl FromSql for MayBeUrgent {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<MayBeUrgent> {
        match value.as_i64()? {
            0 => Ok(MayBeUrgent::Named),
            1 => Ok(MayBeUrgent::Contacts),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

impl ToSql for Tells {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as i64).into())
    }
}

impl FromSql for Tells {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Tells> {
        match value.as_i64()? {
            0 => Ok(Tells::Nothing),
            1 => Ok(Tells::Sender),
            2 => Ok(Tells::Text),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}
