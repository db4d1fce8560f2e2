//! The queue of sendings.

use rookery_proto::Uid;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, uid};
use super::{Tx, cases, sms, timeline};
use crate::reach::{CaseState, Telling};
use crate::sending::{Caps, CaseId, NewSending, Sending, SendingId, SendingRef, SendingState, Settled};
use crate::{Result, StoreError, Timestamp, Urgency, Way, limits};

const SENDING: &str = "id, uid, way, address, urgency, matter, title, text, code, at, state, changed, next, attempts, \
     trouble, carrier";

fn read(row: &Row<'_>) -> rusqlite::Result<Sending> {
    Ok(Sending {
        id: SendingId(row.get::<_, i64>(0)? as u64),
        what: NewSending {
            uid: uid(row, 1)?,
            way: row.get(2)?,
            address: row.get(3)?,
            urgency: row.get(4)?,
            case: row.get::<_, Option<i64>>(5)?.map(|id| CaseId(id as u64)),
            title: row.get(6)?,
            text: row.get(7)?,
            code: row.get(8)?,
            at: row.get(9)?,
        },
        state: row.get(10)?,
        changed: row.get(11)?,
        next: row.get(12)?,
        attempts: row.get(13)?,
        trouble: row.get(14)?,
        carrier: row.get(15)?,
    })
}

pub(crate) fn queue(tx: &mut Tx<'_>, new: &NewSending, caps: Caps) -> Result<SendingId> {
    check_room(tx, new, caps)?;
    Ok(insert(tx, new, SendingState::Queued, "")?.id)
}

/// [`StoreError::Limit`]: it may not be sent now.
pub(super) fn check_room(tx: &Tx<'_>, new: &NewSending, caps: Caps) -> Result<()> {
    let count = |sql: &str, params: &[&dyn ToSql]| -> Result<i64> {
        Ok(tx.conn.prepare_cached(sql)?.query_row(params, |row| row.get(0))?)
    };
    let (owner, since) = (int(new.uid.0), Timestamp(new.at.0.saturating_sub(limits::SENDING_DAY_MS)));
    let open = "SELECT count(*) FROM sending WHERE uid = ?1 AND state <= 1";
    if count(open, &[&owner])? >= limits::SENDINGS_WAITING as i64 {
        return Err(StoreError::Limit("sendings that wait"));
    }
    if new.case.is_none() {
        let plain = "SELECT count(*) FROM sending WHERE uid = ?1 AND at > ?2 AND matter IS NULL
            AND NOT EXISTS (SELECT 1 FROM sms_letter l WHERE l.sending = sending.id)";
        if count(plain, &[&owner, &since])? >= limits::SENDING_PROOFS as i64 {
            return Err(StoreError::Limit("codes and tests of a day"));
        }
    }
    // What was cancelled, or never tried, has cost nothing. What people write to phones, and what these are answered, has caps of
    // its own.
    const COSTS: &str = "state <> 8 AND NOT (state = 4 AND attempts = 0)
        AND NOT EXISTS (SELECT 1 FROM sms_letter l WHERE l.sending = sending.id)";
    let of_account = format!("SELECT count(*) FROM sending WHERE uid = ?1 AND at > ?2 AND {COSTS}");
    let of_all = format!("SELECT count(*) FROM sending WHERE at > ?1 AND {COSTS}");
    if count(&of_account, &[&owner, &since])? >= i64::from(caps.account)
        || count(&of_all, &[&since])? >= i64::from(caps.server)
    {
        return Err(StoreError::Limit("sendings of a day"));
    }
    Ok(())
}

/// A sending in this state.
pub(super) fn insert(tx: &Tx<'_>, new: &NewSending, state: SendingState, trouble: &str) -> Result<Sending> {
    let fits = new.address.len() <= limits::SENDING_ADDRESS_BYTES
        && new.title.len() <= limits::SENDING_TITLE_BYTES
        && new.text.len() <= limits::SENDING_TEXT_BYTES
        && new.code.len() <= limits::SENDING_CODE_BYTES;
    if !fits || new.address.is_empty() {
        return Err(StoreError::Invalid("sending"));
    }
    let sql = format!(
        "INSERT INTO sending (uid, way, address, urgency, matter, title, text, code, at, changed, next, state, trouble)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?9, ?10, ?11
         WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1) RETURNING {SENDING}"
    );
    let values = params![
        int(new.uid.0),
        new.way,
        new.address,
        new.urgency,
        new.case.map(|case| int(case.0)),
        new.title,
        new.text,
        new.code,
        new.at,
        state,
        trouble
    ];
    tx.conn.prepare_cached(&sql)?.query_row(values, read).optional()?.ok_or(StoreError::NotFound)
}

/// What waits in the queue for a case is not needed any more.
pub(super) fn cancel(tx: &Tx<'_>, case: CaseId, now: Timestamp) -> Result<()> {
    let sql = "UPDATE sending SET state = ?2, changed = ?3 WHERE matter = ?1 AND state = 0";
    tx.conn.prepare_cached(sql)?.execute(params![int(case.0), SendingState::Cancelled, now])?;
    Ok(())
}

/// What waits in the queue about cases, and no rule would send any more, is not sent: to a place that was given up goes nothing.
pub(super) fn cancel_without_rule(tx: &Tx<'_>, owner: Uid, now: Timestamp) -> Result<()> {
    let sql =
        "UPDATE sending SET state = ?2, changed = ?3 WHERE uid = ?1 AND state = 0 AND matter IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM reach_rule WHERE reach_rule.uid = ?1 AND reach_rule.way = sending.way
                         AND reach_rule.address = sending.address) RETURNING matter";
    let cases: Vec<i64> = {
        let mut statement = tx.conn.prepare_cached(sql)?;
        let rows =
            statement.query_map(params![int(owner.0), SendingState::Cancelled, now], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for case in cases {
        cases::look_again(tx, CaseId(case as u64), now)?;
    }
    Ok(())
}

pub(crate) fn next(conn: &Connection, way: Way) -> Result<Option<Timestamp>> {
    let sql = "SELECT min(next) FROM sending WHERE way = ?1 AND state = 0";
    Ok(conn.prepare_cached(sql)?.query_row([way], |row| row.get(0))?)
}

pub(crate) fn take(tx: &mut Tx<'_>, way: Way, now: Timestamp) -> Result<Option<Sending>> {
    let sql = format!(
        "UPDATE sending SET state = ?3, changed = ?2, attempts = attempts + 1 WHERE id =
             (SELECT id FROM sending WHERE way = ?1 AND state = 0 AND next <= ?2
              ORDER BY urgency DESC, next, id LIMIT 1)
         RETURNING {SENDING}"
    );
    let mut statement = tx.conn.prepare_cached(&sql)?;
    Ok(statement.query_row(params![way, now, SendingState::Sending], read).optional()?)
}

/// Those about cases: a code that proves an address is for itself.
pub(crate) fn take_along(
    tx: &mut Tx<'_>,
    owner: Uid,
    way: Way,
    address: &str,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Sending>> {
    let sql = format!(
        "UPDATE sending SET state = ?5, changed = ?4, attempts = attempts + 1 WHERE id IN
             (SELECT id FROM sending WHERE uid = ?1 AND way = ?2 AND address = ?3 AND state = 0 AND next <= ?4
              AND matter IS NOT NULL ORDER BY next, id LIMIT ?6)
         RETURNING {SENDING}"
    );
    let mut statement = tx.conn.prepare_cached(&sql)?;
    let limit = limit.min(limits::SENDINGS_LISTED) as i64;
    let values = params![int(owner.0), way, address, now, SendingState::Sending, limit];
    let rows = statement.query_map(values, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn settle(
    tx: &mut Tx<'_>,
    id: SendingId,
    settled: &Settled,
    trouble: &str,
    now: Timestamp,
    telling: Telling,
) -> Result<Option<Sending>> {
    let (state, next, carrier) = match settled {
        Settled::Accepted(carrier) => (SendingState::Accepted, None, carrier.as_deref()),
        Settled::Deferred(next) => (SendingState::Queued, Some(*next), None),
        Settled::Failed => (SendingState::Failed, None, None),
        Settled::Unknown => (SendingState::Unknown, None, None),
    };
    let carrier = carrier.map(|carrier| shortened(carrier, limits::SENDING_ADDRESS_BYTES));
    // Also of one whose receipt was quicker than this.
    tx.conn
        .prepare_cached("UPDATE sending SET carrier = coalesce(?2, carrier) WHERE id = ?1")?
        .execute(params![int(id.0), carrier])?;
    let sql = format!(
        "UPDATE sending SET state = ?2, changed = ?3, next = coalesce(?4, next), trouble = ?5
         WHERE id = ?1 AND state = 1 RETURNING {SENDING}"
    );
    let trouble = shortened(trouble, limits::SENDING_TITLE_BYTES);
    let values = params![int(id.0), state, now, next, trouble];
    let settled = tx.conn.prepare_cached(&sql)?.query_row(values, read).optional()?;
    changed(tx, settled.as_ref(), now, telling)?;
    Ok(settled)
}

/// What follows when something has become of a sending.
fn changed(tx: &mut Tx<'_>, sending: Option<&Sending>, now: Timestamp, telling: Telling) -> Result<()> {
    let Some(sending) = sending else { return Ok(()) };
    if let Some(case) = sending.what.case {
        match sending.state {
            SendingState::Acknowledged => cases::end(tx, case, CaseState::Acknowledged, now)?,
            SendingState::Read => cases::end(tx, case, CaseState::Read, now)?,
            _ => cases::look_again(tx, case, now)?,
        }
    }
    if let Some(append) = telling(sending) {
        timeline::append(tx, append)?;
    }
    Ok(())
}

fn shortened(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

pub(crate) fn advance(
    tx: &mut Tx<'_>,
    which: &SendingRef,
    state: SendingState,
    trouble: &str,
    now: Timestamp,
    telling: Telling,
) -> Result<Option<Sending>> {
    let Some(known) = get(tx.conn, which)? else { return Ok(None) };
    if state <= known.state {
        return Ok(None);
    }
    let sql = format!(
        "UPDATE sending SET state = ?2, changed = ?3, trouble = ?4 WHERE id = ?1 RETURNING {SENDING}"
    );
    let trouble = shortened(trouble, limits::SENDING_TITLE_BYTES);
    let values = params![int(known.id.0), state, now, trouble];
    let advanced = tx.conn.prepare_cached(&sql)?.query_row(values, read).optional()?;
    changed(tx, advanced.as_ref(), now, telling)?;
    Ok(advanced)
}

pub(crate) fn under_way(conn: &Connection) -> Result<Vec<Sending>> {
    let sql = format!("SELECT {SENDING} FROM sending WHERE state = 1 ORDER BY id LIMIT ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([limits::BATCH as i64], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn get(conn: &Connection, which: &SendingRef) -> Result<Option<Sending>> {
    let found = match which {
        SendingRef::Id(id) => {
            let sql = format!("SELECT {SENDING} FROM sending WHERE id = ?1");
            conn.prepare_cached(&sql)?.query_row([int(id.0)], read).optional()?
        }
        SendingRef::Carrier(way, name) => {
            let sql = format!(
                "SELECT {SENDING} FROM sending WHERE way = ?1 AND carrier = ?2 ORDER BY id DESC LIMIT 1"
            );
            conn.prepare_cached(&sql)?.query_row(params![way, name], read).optional()?
        }
    };
    Ok(found)
}

pub(crate) fn list(
    conn: &Connection,
    owner: Uid,
    case: Option<CaseId>,
    limit: usize,
) -> Result<Vec<Sending>> {
    let sql = format!(
        "SELECT {SENDING} FROM sending WHERE uid = ?1 AND (?2 IS NULL OR matter = ?2)
         ORDER BY at DESC, id DESC LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let limit = limit.min(limits::SENDINGS_LISTED) as i64;
    let rows = statement.query_map(params![int(owner.0), case.map(|case| int(case.0)), limit], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn waiting(conn: &Connection) -> Result<Vec<(Way, u64)>> {
    let sql = "SELECT way, count(*) FROM sending WHERE state = 0 GROUP BY way";
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets a slice of what was settled long ago.
pub(super) fn sweep(tx: &Tx<'_>, now: Timestamp) -> Result<()> {
    let before = Timestamp(now.0.saturating_sub(limits::SENDING_KEPT_MS));
    tx.conn
        .prepare_cached(
            "DELETE FROM sending WHERE id IN (SELECT id FROM sending WHERE at < ?1 AND state > 1 LIMIT ?2)",
        )?
        .execute(params![before, limits::SWEEP as i64])?;
    sms::sweep(tx, before)
}

impl ToSql for Way {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let way: i64 = match self {
            Way::Mail => 0,
            Way::Sms => 1,
            Way::Pager => 2,
        };
        Ok(way.into())
    }
}

impl FromSql for Way {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Way> {
        indexed(value, &Way::ALL)
    }
}

impl ToSql for Urgency {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as i64).into())
    }
}

impl FromSql for Urgency {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Urgency> {
        indexed(value, &Urgency::ALL)
    }
}

impl ToSql for SendingState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok((*self as i64).into())
    }
}

impl FromSql for SendingState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<SendingState> {
        indexed(value, &SendingState::ALL)
    }
}

/// One of these, by its place.
fn indexed<T: Copy>(value: ValueRef<'_>, all: &[T]) -> FromSqlResult<T> {
    let at = value.as_i64()?;
    let found = usize::try_from(at).ok().and_then(|at| all.get(at));
    found.copied().ok_or(FromSqlError::OutOfRange(at))
}
