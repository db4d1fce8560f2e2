//! The sweeper: bounded slices of a round through what is to be forgotten.
//!
//! A round has five parts: logs of deleted accounts; what is older than the server keeps; what is older than an account or a
//! group keeps; what is older than all groups keep; delivered entries that are not for the archive, and old junk.

use std::collections::HashMap;

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::{OptionalExtension, Params, Row, params};

use super::columns::int;
use super::page::first_from;
use super::timeline::release;
use super::{Tx, cases, links, reports, sendings, tickets};
use crate::timeline::{Policy, SweepCursor, SweepPart, Swept};
use crate::{Result, Timestamp, limits};

const DAY_MS: i64 = 86_400_000;

/// A log row that may go.
struct Candidate {
    id: i64,
    uid: i64,
    useq: i64,
    message: i64,
    at: Timestamp,
}

const CANDIDATE: &str = "l.id, l.uid, l.useq, l.message, l.at";

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        id: row.get(0)?,
        uid: row.get(1)?,
        useq: row.get(2)?,
        message: row.get(3)?,
        at: row.get(4)?,
    })
}

pub(super) fn candidates_sql(rest: &str) -> String {
    format!("SELECT {CANDIDATE} FROM log l {rest}")
}

fn candidates(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<Vec<Candidate>> {
    let mut statement = tx.conn.prepare_cached(&candidates_sql(sql))?;
    let rows = statement.query_map(params, candidate)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn sweep(tx: &mut Tx<'_>, now: Timestamp, policy: Policy, from: SweepCursor) -> Result<Swept> {
    match from.0 {
        SweepPart::Deleted => deleted(tx, now),
        SweepPart::Age => age(tx, now, policy),
        SweepPart::Chosen { after } => {
            let (logs, next) = (chosen(tx, after)?, |after| SweepPart::Chosen { after });
            shorten(tx, now, &logs, next, SweepPart::Groups { after: Uid(0) })
        }
        SweepPart::Groups { after } => {
            let (logs, next) = (groups(tx, policy, after)?, |after| SweepPart::Groups { after });
            shorten(tx, now, &logs, next, SweepPart::Passing { uid: 0, useq: 0 })
        }
        SweepPart::Passing { uid, useq } => passing(tx, now, uid, useq),
    }
}

fn deleted(tx: &mut Tx<'_>, now: Timestamp) -> Result<Swept> {
    let uid: Option<i64> = tx
        .conn
        .prepare_cached("SELECT uid FROM deleted WHERE erased = 0 LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let Some(uid) = uid else {
        let expired = Timestamp(now.0 - limits::INVITE_SHOWN_MS);
        tx.conn.prepare_cached("DELETE FROM invite WHERE expires <= ?1")?.execute([expired])?;
        links::sweep(tx, now)?;
        tickets::sweep(tx, now)?;
        reports::sweep(tx, now)?;
        sendings::sweep(tx, now)?;
        cases::sweep(tx, now)?;
        return Ok(Swept { next: Some(SweepCursor(SweepPart::Age)), ..Swept::default() });
    };
    let mut swept = Swept { next: Some(SweepCursor(SweepPart::Deleted)), ..Swept::default() };
    erase(tx, Uid(uid as u64), &mut swept)?;
    Ok(swept)
}

/// Erases a slice of a deleted account's log; true if there is more.
pub(crate) fn erase(tx: &mut Tx<'_>, uid: Uid, swept: &mut Swept) -> Result<bool> {
    let sql = "WHERE l.uid = ?1 ORDER BY l.useq LIMIT ?2";
    let rows = candidates(tx, sql, params![int(uid.0), limits::SWEEP as i64])?;
    remove(tx, &rows, swept)?;
    if rows.len() == limits::SWEEP {
        return Ok(true);
    }
    // What others received stays theirs; the number that it came from is nobody's any more.
    let named = tx.conn.prepare_cached(ANONYMOUS)?.execute(params![int(uid.0), limits::SWEEP as i64])?;
    if named == limits::SWEEP {
        return Ok(true);
    }
    tx.conn.prepare_cached("UPDATE deleted SET erased = 1 WHERE uid = ?1")?.execute([int(uid.0)])?;
    tx.conn.prepare_cached("DELETE FROM position WHERE uid = ?1")?.execute([int(uid.0)])?;
    Ok(false)
}

/// Forgets which messages a deleted account sent, and what it called them.
pub(super) const ANONYMOUS: &str = "UPDATE message SET sender = NULL, origin = NULL WHERE id IN (
    SELECT id FROM message WHERE sender = ?1 AND origin IS NOT NULL LIMIT ?2)";

fn age(tx: &mut Tx<'_>, now: Timestamp, policy: Policy) -> Result<Swept> {
    let mut swept =
        Swept { next: Some(SweepCursor(SweepPart::Chosen { after: Uid(0) })), ..Swept::default() };
    let Some(days) = policy.days else { return Ok(swept) };
    // The table is in the order of arrival: the oldest are the first. A row of a time when the clock was ahead keeps those
    // behind it until its time comes: better late than early.
    let mut rows = candidates(tx, "ORDER BY l.id LIMIT ?1", [limits::SWEEP as i64])?;
    let old = rows.iter().take_while(|row| row.at < before(now, days)).count();
    rows.truncate(old);
    remove(tx, &rows, &mut swept)?;
    raise_floors(tx, &rows)?;
    if rows.len() == limits::SWEEP {
        swept.next = Some(SweepCursor(SweepPart::Age));
    }
    Ok(swept)
}

/// The next logs whose owners have chosen, with their days.
fn chosen(tx: &Tx<'_>, after: Uid) -> Result<Vec<(i64, u32)>> {
    let sql = "SELECT uid, days FROM retention WHERE uid > ?1 ORDER BY uid LIMIT ?2";
    let mut statement = tx.conn.prepare_cached(sql)?;
    let params = params![int(after.0), limits::SWEEP_ACCOUNTS as i64];
    let rows = statement.query_map(params, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The next logs of groups, with the days of all groups: none where those are no fewer than the server's.
fn groups(tx: &Tx<'_>, policy: Policy, after: Uid) -> Result<Vec<(i64, u32)>> {
    let fewer = policy.group_days.filter(|days| policy.days.is_none_or(|all| *days < all));
    let Some(days) = fewer else { return Ok(Vec::new()) };
    let mut statement =
        tx.conn.prepare_cached("SELECT uid FROM room WHERE uid > ?1 ORDER BY uid LIMIT ?2")?;
    let params = params![int(after.0), limits::SWEEP_ACCOUNTS as i64];
    let rows = statement.query_map(params, |row| Ok((row.get(0)?, days)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes from each of these logs what is older than its days. It goes on at `next` of the last one that is done, and behind
/// the last log of this part at `then`.
fn shorten(
    tx: &mut Tx<'_>,
    now: Timestamp,
    logs: &[(i64, u32)],
    next: impl Fn(Uid) -> SweepPart,
    then: SweepPart,
) -> Result<Swept> {
    let mut swept = Swept::default();
    let mut left = limits::SWEEP;
    for &(uid, days) in logs {
        let mut rows =
            candidates(tx, "WHERE l.uid = ?1 ORDER BY l.useq LIMIT ?2", params![uid, left as i64])?;
        let old = rows.iter().take_while(|row| row.at < before(now, days)).count();
        rows.truncate(old);
        remove(tx, &rows, &mut swept)?;
        raise_floors(tx, &rows)?;
        left -= rows.len();
        if left == 0 {
            // This log may have more.
            swept.next = Some(SweepCursor(next(Uid(uid as u64 - 1))));
            return Ok(swept);
        }
    }
    swept.next = Some(SweepCursor(match logs.last() {
        Some(&(uid, _)) if logs.len() == limits::SWEEP_ACCOUNTS => next(Uid(uid as u64)),
        _ => then,
    }));
    Ok(swept)
}

/// The rows that are not for the archive, with how far their log has been delivered, and whether they are junk.
pub(super) fn passing_sql() -> String {
    format!(
        "SELECT {CANDIDATE}, coalesce(p.delivered, 0), l.flags & 16384 FROM log l LEFT JOIN position p ON p.uid = l.uid
         WHERE NOT l.flags & 2 AND NOT l.flags & 128 AND (l.uid, l.useq) > (?1, ?2) ORDER BY l.uid, l.useq LIMIT ?3"
    )
}

fn passing(tx: &mut Tx<'_>, now: Timestamp, uid: i64, useq: i64) -> Result<Swept> {
    let rows: Vec<(Candidate, i64, bool)> = {
        let mut statement = tx.conn.prepare_cached(&passing_sql())?;
        let rows = statement.query_map(params![uid, useq, limits::SWEEP as i64], |row| {
            Ok((candidate(row)?, row.get(5)?, row.get::<_, i64>(6)? != 0))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    let next = match rows.last() {
        Some((row, ..)) if rows.len() == limits::SWEEP => {
            Some(SweepCursor(SweepPart::Passing { uid: row.uid, useq: row.useq }))
        }
        _ => None,
    };
    let kept_from = Timestamp(now.0.saturating_sub(limits::PASSING_KEPT_MS));
    let junk_from = Timestamp(now.0.saturating_sub(limits::JUNK_KEPT_MS));
    let passed: Vec<Candidate> = rows
        .into_iter()
        .filter(|(row, delivered, junk)| match junk {
            true => row.at < junk_from,
            false => row.useq <= *delivered && row.at < kept_from,
        })
        .map(|(row, ..)| row)
        .collect();
    let mut swept = Swept { next, ..Swept::default() };
    remove(tx, &passed, &mut swept)?;
    Ok(swept)
}

/// Removes a slice of what the owner does not want to keep any more.
pub(crate) fn purge(
    tx: &mut Tx<'_>,
    uid: Uid,
    with: Option<&BareJid>,
    before: Option<Timestamp>,
) -> Result<u64> {
    let end = match before {
        Some(before) => first_from(tx.conn, uid, before)?,
        None => i64::MAX,
    };
    let limit = limits::SWEEP as i64;
    let rows = match with {
        Some(peer) => candidates(
            tx,
            "WHERE l.uid = ?1 AND l.peer = ?2 AND l.useq < ?3 AND l.flags & 2 ORDER BY l.useq LIMIT ?4",
            params![int(uid.0), peer.as_str(), end, limit],
        )?,
        None => candidates(
            tx,
            "WHERE l.uid = ?1 AND l.useq < ?2 AND l.flags & 2 ORDER BY l.useq LIMIT ?3",
            params![int(uid.0), end, limit],
        )?,
    };
    let mut swept = Swept::default();
    remove(tx, &rows, &mut swept)?;
    Ok(swept.entries)
}

/// The moment `days` before `now`.
fn before(now: Timestamp, days: u32) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::from(days) * DAY_MS))
}

/// Removes the rows, and the bodies that nothing points to any more; the positions are not given again.
fn remove(tx: &mut Tx<'_>, rows: &[Candidate], swept: &mut Swept) -> Result<()> {
    for row in rows {
        tx.conn.prepare_cached("DELETE FROM log WHERE id = ?1")?.execute([row.id])?;
        swept.entries += 1;
        swept.bodies += u64::from(release(tx, row.message)?);
    }
    for (uid, useq) in lasts(rows) {
        tx.forget(Uid(uid as u64));
        tx.conn
            .prepare_cached(
                "INSERT INTO position (uid, top) VALUES (?1, ?2)
                 ON CONFLICT (uid) DO UPDATE SET top = max(top, excluded.top)",
            )?
            .execute([uid, useq])?;
    }
    Ok(())
}

/// Notes that the logs begin after these rows.
fn raise_floors(tx: &Tx<'_>, rows: &[Candidate]) -> Result<()> {
    for (uid, useq) in lasts(rows) {
        tx.conn
            .prepare_cached("UPDATE position SET floor = max(floor, ?2) WHERE uid = ?1")?
            .execute([uid, useq])?;
    }
    Ok(())
}

/// The last row of each log among these.
fn lasts(rows: &[Candidate]) -> HashMap<i64, i64> {
    let mut lasts = HashMap::new();
    for row in rows {
        let last = lasts.entry(row.uid).or_insert(row.useq);
        *last = row.useq.max(*last);
    }
    lasts
}
