//! Reports and the copies of what they are about.

use bytes::Bytes;
use rookery_proto::Uid;
use rusqlite::{Connection, OptionalExtension, Params, Row, params};

use super::columns::{int, uid};
use super::{Tx, blocks};
use crate::report::{
    Closing, Evidence, Exhibit, NewReport, Outcome, Reason, Record, Report, Sharing, Untold,
};
use crate::timeline::MessageId;
use crate::{Result, StoreError, Timestamp, is_group, limits};

const SHARE_ORIGIN: i64 = 1;
const SHARE_THIRD_PARTY: i64 = 2;

pub(crate) fn file(
    tx: &mut Tx<'_>,
    reporter: Uid,
    jids: Vec<String>,
    filed: &[NewReport],
    at: Timestamp,
) -> Result<()> {
    blocks::add(tx, reporter, jids)?;
    for new in filed {
        insert(tx, reporter, new, at)?;
    }
    if !filed.is_empty() {
        make_room(tx, reporter)?;
    }
    Ok(())
}

fn insert(tx: &mut Tx<'_>, reporter: Uid, new: &NewReport, at: Timestamp) -> Result<()> {
    if new.text.len() > limits::REPORT_TEXT_BYTES {
        return Err(StoreError::Invalid("text"));
    }
    let share =
        i64::from(new.sharing.origin) * SHARE_ORIGIN + i64::from(new.sharing.third_party) * SHARE_THIRD_PARTY;
    let reason = match new.reason {
        Reason::Spam => 0,
        Reason::Abuse => 1,
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO report (at, reporter, reported, reason, text, share) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![at, int(reporter.0), new.reported, reason, new.text, share])?;
    let report = tx.conn.last_insert_rowid();
    let mut kept = 0;
    let mut bytes = 0;
    let mut behind: Option<String> = None;
    for exhibit in &new.exhibits {
        if kept == limits::REPORT_MESSAGES {
            break;
        }
        let Some((evidence, sender)) = find(tx.conn, exhibit, &new.reported)? else { continue };
        if new.occupant {
            // Two may have had the same name, one after the other.
            if kept > 0 && sender != behind {
                continue;
            }
            behind = sender;
        }
        // The first is kept whatever its size: a report of one large message is not empty.
        if kept > 0 && bytes + evidence.stanza.len() > limits::REPORT_BYTES {
            continue;
        }
        bytes += evidence.stanza.len();
        tx.conn
            .prepare_cached(
                "INSERT INTO report_message (report, n, message, at, stanza) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                report,
                kept as i64,
                int(evidence.message.0),
                evidence.at,
                evidence.stanza.as_ref()
            ])?;
        kept += 1;
    }
    let known = "UPDATE report SET behind = ?2 WHERE id = ?1";
    tx.conn.prepare_cached(known)?.execute(params![report, behind])?;
    Ok(())
}

/// The message of an exhibit, if the reported sent it, and the account that did, as far as that is known.
fn find(conn: &Connection, exhibit: &Exhibit, reported: &str) -> Result<Option<(Evidence, Option<String>)>> {
    let (peer, resource) = match reported.split_once('/') {
        Some((peer, resource)) => (peer, Some(resource)),
        None => (reported, None),
    };
    // In the log of a group stands the account that said it, with its name there; in any other who is seen to say it.
    let mut statement = conn.prepare_cached(
        "SELECT l.message, l.at, m.stanza, CASE WHEN ?5 THEN l.peer ELSE CAST(m.sender AS TEXT) END
         FROM log l CROSS JOIN message m ON m.id = l.message
         WHERE l.uid = ?1 AND l.useq = ?2 AND l.direction = 0 AND (?5 OR l.peer = ?3)
         AND (?4 IS NULL OR l.peer_resource = ?4)",
    )?;
    let group = is_group(exhibit.log);
    let params = params![int(exhibit.log.0), int(exhibit.useq.0), peer, resource, group];
    Ok(statement.query_row(params, |row| Ok((evidence(row)?, row.get(3)?))).optional()?)
}

fn evidence(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    Ok(Evidence {
        message: MessageId(row.get::<_, i64>(0)? as u64),
        at: row.get(1)?,
        stanza: Bytes::copy_from_slice(row.get_ref(2)?.as_blob()?),
    })
}

/// Removes what is beyond the bounds: nobody can fill the store with reports, and one account cannot push out those of
/// all others.
fn make_room(tx: &mut Tx<'_>, reporter: Uid) -> Result<()> {
    let own =
        "SELECT id FROM report WHERE reporter = ?1 AND closed IS NULL ORDER BY id DESC LIMIT -1 OFFSET ?2";
    let surplus = ids(tx, own, [int(reporter.0), limits::REPORTS_OF_ACCOUNT as i64])?;
    surplus.into_iter().try_for_each(|id| remove(tx, id))?;
    let all: i64 = tx.conn.prepare_cached("SELECT count(*) FROM report")?.query_row([], |row| row.get(0))?;
    let surplus = (all - limits::REPORTS as i64).max(0);
    if surplus > 0 {
        let oldest = "SELECT id FROM report ORDER BY closed IS NULL, id LIMIT ?1";
        ids(tx, oldest, [surplus])?.into_iter().try_for_each(|id| remove(tx, id))?;
    }
    Ok(())
}

fn ids(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<Vec<i64>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let rows = statement.query_map(params, |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn remove(tx: &Tx<'_>, id: i64) -> Result<()> {
    tx.conn.prepare_cached("DELETE FROM report_message WHERE report = ?1")?.execute([id])?;
    tx.conn.prepare_cached("DELETE FROM report WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Closed reports are kept for a while: who is reported again has a record.
pub(super) fn sweep(tx: &mut Tx<'_>, now: Timestamp) -> Result<()> {
    let old = "SELECT id FROM report WHERE closed IS NOT NULL AND closed <= ?1 LIMIT ?2";
    let old = ids(tx, old, [now.0 - limits::REPORT_KEPT_MS, limits::SWEEP as i64])?;
    old.into_iter().try_for_each(|id| remove(tx, id))
}

const REPORT: &str = "id, at, reporter, reported, reason, text, share, closed, closed_by, outcome,
     (SELECT count(*) FROM report_message WHERE report = report.id), behind FROM report";

fn report(row: &Row<'_>) -> rusqlite::Result<Report> {
    let share: i64 = row.get(6)?;
    let outcome = match row.get(9)? {
        1 => Outcome::Disabled,
        2 => Outcome::Denied,
        3 => Outcome::ServerDenied,
        4 => Outcome::Removed,
        _ => Outcome::Dismissed,
    };
    let (closed, by): (Option<Timestamp>, _) = (row.get(7)?, row.get(8)?);
    Ok(Report {
        id: row.get::<_, i64>(0)? as u64,
        at: row.get(1)?,
        reporter: uid(row, 2)?,
        reported: row.get(3)?,
        behind: row.get(11)?,
        reason: if row.get::<_, i64>(4)? == 0 { Reason::Spam } else { Reason::Abuse },
        text: row.get(5)?,
        sharing: Sharing { origin: share & SHARE_ORIGIN != 0, third_party: share & SHARE_THIRD_PARTY != 0 },
        messages: row.get::<_, i64>(10)? as u64,
        closed: closed.map(|at| Closing { at, by, outcome }),
    })
}

pub(crate) fn list(
    conn: &Connection,
    waiting: bool,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Report>> {
    let only = if waiting { "AND closed IS NULL" } else { "" };
    let sql = format!("SELECT {REPORT} WHERE id < ?1 {only} ORDER BY id DESC LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let limit = limit.min(limits::REPORTS_PAGE) as i64;
    let rows = statement.query_map([before.map_or(i64::MAX, int), limit], report)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn get(conn: &Connection, id: u64) -> Result<Option<(Report, Vec<Evidence>)>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {REPORT} WHERE id = ?1"))?;
    let Some(report) = statement.query_row([int(id)], report).optional()? else { return Ok(None) };
    let mut copies =
        conn.prepare_cached("SELECT message, at, stanza FROM report_message WHERE report = ?1 ORDER BY n")?;
    let rows = copies.query_map([int(id)], evidence)?;
    Ok(Some((report, rows.collect::<Result<_, _>>()?)))
}

pub(crate) fn record(conn: &Connection, reported: &str) -> Result<Record> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*), count(*) FILTER (WHERE closed IS NULL), count(DISTINCT reporter)
         FROM report WHERE reported = ?1 OR behind = ?1",
    )?;
    let number = |row: &Row<'_>, column| row.get::<_, i64>(column).map(|n| n as u64);
    Ok(statement.query_row([reported], |row| {
        Ok(Record { reports: number(row, 0)?, waiting: number(row, 1)?, reporters: number(row, 2)? })
    })?)
}

pub(crate) fn close(tx: &mut Tx<'_>, id: u64, closing: &Closing, all: bool) -> Result<u64> {
    let reported: Option<(String, Option<String>)> = tx
        .conn
        .prepare_cached("SELECT reported, behind FROM report WHERE id = ?1")?
        .query_row([int(id)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (reported, behind) = reported.ok_or(StoreError::NotFound)?;
    let outcome = match closing.outcome {
        Outcome::Dismissed => 0,
        Outcome::Disabled => 1,
        Outcome::Denied => 2,
        Outcome::ServerDenied => 3,
        Outcome::Removed => 4,
    };
    let closed = tx
        .conn
        .prepare_cached(
            "UPDATE report SET closed = ?3, closed_by = ?4, outcome = ?5
             WHERE reported = ?2 AND behind IS ?7 AND (id = ?1 OR ?6) AND closed IS NULL",
        )?
        .execute(params![int(id), reported, closing.at, closing.by, outcome, all, behind])?;
    Ok(closed as u64)
}

pub(crate) fn untold(conn: &Connection) -> Result<Option<Untold>> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*) FILTER (WHERE id > told), count(*), coalesce(max(id), 0) FROM report,
         (SELECT coalesce((SELECT value FROM counter WHERE name = 'reports told'), 0) AS told)
         WHERE closed IS NULL",
    )?;
    let number = |row: &Row<'_>, column| row.get::<_, i64>(column).map(|n| n as u64);
    let untold = statement.query_row([], |row| {
        Ok(Untold { new: number(row, 0)?, waiting: number(row, 1)?, last: number(row, 2)? })
    })?;
    Ok(Some(untold).filter(|untold| untold.new > 0))
}

pub(crate) fn told(tx: &mut Tx<'_>, last: u64) -> Result<()> {
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO counter (name, value) VALUES ('reports told', ?1)")?
        .execute([int(last)])?;
    Ok(())
}
