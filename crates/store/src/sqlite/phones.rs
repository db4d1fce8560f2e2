//! What people do with their account by text messages.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{Connection, OptionalExtension, params};

use super::columns::{int, uid};
use super::{Tx, inbox, sendings, sms};
use crate::phone::{Desk, DeskItem, PhoneAnswer, PinDigest, PinTried};
use crate::sending::SendingState;
use crate::{Caps, Letter, Result, StoreError, Timestamp, limits};

pub(crate) fn has_pin(conn: &Connection, owner: Uid) -> Result<bool> {
    Ok(conn.prepare_cached("SELECT 1 FROM phone_pin WHERE uid = ?1")?.exists([int(owner.0)])?)
}

pub(crate) fn set_pin(tx: &mut Tx<'_>, owner: Uid, pin: Option<PinDigest>) -> Result<()> {
    let owner = int(owner.0);
    let Some(pin) = pin else {
        tx.conn.prepare_cached("DELETE FROM phone_pin WHERE uid = ?1")?.execute([owner])?;
        return Ok(());
    };
    let set = "INSERT OR REPLACE INTO phone_pin (uid, digest, wrong, since)
               SELECT ?1, ?2, 0, 0 WHERE EXISTS (SELECT 1 FROM account WHERE uid = ?1)";
    match tx.conn.prepare_cached(set)?.execute(params![owner, pin.as_slice()])? {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// A PIN of which a wrong try would be the how-manieth, and since when these count.
struct Pin {
    owner: Uid,
    right: bool,
    wrong: i64,
    since: Timestamp,
}

/// What is compared are digests with a secret in them: the time that it takes tells nothing of the PIN.
fn pin(conn: &Connection, owner: Uid, digest: &PinDigest, now: Timestamp) -> Result<Option<Pin>> {
    let found: Option<(Vec<u8>, i64, Timestamp)> = conn
        .prepare_cached("SELECT digest, wrong, since FROM phone_pin WHERE uid = ?1")?
        .query_row([int(owner.0)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    Ok(found.map(|(known, wrong, since)| {
        let counts = wrong > 0 && now.0 - since.0 < limits::PIN_LOCKED_MS;
        let (wrong, since) = if counts { (wrong + 1, since) } else { (1, now) };
        Pin { owner, right: known == digest, wrong, since }
    }))
}

fn note(conn: &Connection, owner: Uid, wrong: i64, since: Timestamp) -> Result<()> {
    conn.prepare_cached("UPDATE phone_pin SET wrong = ?2, since = ?3 WHERE uid = ?1")?.execute(params![
        int(owner.0),
        wrong,
        since
    ])?;
    Ok(())
}

pub(crate) fn try_pin(
    tx: &mut Tx<'_>,
    tried: &[(Uid, PinDigest)],
    now: Timestamp,
) -> Result<(PinTried, Option<Uid>)> {
    let found = tried.iter().map(|(owner, digest)| pin(tx.conn, *owner, digest, now));
    let pins: Vec<Pin> = found.filter_map(Result::transpose).collect::<Result<_>>()?;
    let Some(first) = pins.first() else { return Ok((PinTried::None, tried.first().map(|it| it.0))) };
    let locked = |pin: &Pin| pin.wrong > limits::PIN_TRIES;
    if let Some(right) = pins.iter().find(|pin| pin.right && !locked(pin)) {
        note(tx.conn, right.owner, 0, Timestamp(0))?;
        return Ok((PinTried::Right, Some(right.owner)));
    }
    for pin in pins.iter().filter(|pin| !locked(pin)) {
        note(tx.conn, pin.owner, pin.wrong, pin.since)?;
    }
    Ok((if locked(first) { PinTried::Locked } else { PinTried::Wrong }, Some(first.owner)))
}

pub(crate) fn desk(conn: &Connection, phone: &str) -> Result<Option<Desk>> {
    let sql = "SELECT uid, listed, item, place, at FROM phone_desk WHERE phone = ?1";
    let found = conn.prepare_cached(sql)?.query_row([phone], |row| {
        let listed: String = row.get(1)?;
        Ok((uid(row, 0)?, listed, row.get(2)?, row.get(3)?, row.get(4)?))
    });
    let Some((uid, listed, item, place, at)) = found.optional()? else { return Ok(None) };
    let listed = listed.lines().map(read).collect::<Option<_>>().ok_or(StoreError::Corrupt)?;
    Ok(Some(Desk { uid, listed, item, place, at }))
}

fn read(line: &str) -> Option<DeskItem> {
    let (last, rest) = line.split_once(' ')?;
    let (unread, peer) = rest.split_once(' ')?;
    let peer = BareJid::new(peer).ok()?;
    Some(DeskItem { peer, last: Useq(last.parse().ok()?), unread: unread.parse().ok()? })
}

fn set_desk(tx: &Tx<'_>, phone: &str, desk: &Desk) -> Result<()> {
    let Desk { uid, listed, item, place, at } = desk;
    if listed.len() > limits::DESK_LISTED {
        return Err(StoreError::Limit("conversations in a list"));
    }
    let line = |it: &DeskItem| format!("{} {} {}\n", it.last.0, it.unread, it.peer);
    let listed: String = listed.iter().map(line).collect();
    let old = Timestamp(at.0.saturating_sub(limits::DESK_KEPT_MS));
    tx.conn
        .prepare_cached(
            "DELETE FROM phone_desk WHERE phone IN (SELECT phone FROM phone_desk WHERE at < ?1 LIMIT ?2)",
        )?
        .execute(params![old, limits::BATCH as i64])?;
    tx.conn
        .prepare_cached(
            "INSERT OR REPLACE INTO phone_desk (phone, uid, listed, item, place, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![phone, int(uid.0), listed, item, place, at])?;
    Ok(())
}

pub(crate) fn answer(tx: &mut Tx<'_>, answer: &PhoneAnswer, caps: Caps) -> Result<bool> {
    let PhoneAnswer { sending, about, desk, displayed } = answer;
    let since = Timestamp(sending.at.0.saturating_sub(limits::SENDING_DAY_MS));
    let before = tx
        .conn
        .prepare_cached("SELECT 1 FROM sms_letter WHERE uid = ?1 AND at > ?2 AND stanza = ?3 AND peer = ''")?
        .exists(params![int(sending.uid.0), since, about])?;
    if before {
        return Ok(false);
    }
    if sms::is_stopped(tx.conn, &sending.address)? {
        return Err(StoreError::Conflict);
    }
    sms::check_room(tx, sending.uid, sending.at, caps)?;
    let id = sendings::insert(tx, sending, SendingState::Queued, "")?.id;
    // Nobody here wrote it, so there is nobody who hears of it.
    let letter = Letter { uid: sending.uid, peer: String::new(), stanza: about.clone(), receipt: false };
    sms::insert_letter(tx, id, &letter, sending.at)?;
    if let Some(desk) = desk {
        set_desk(tx, &sending.address, desk)?;
    }
    if let Some(displayed) = displayed {
        inbox::displayed(tx, displayed)?;
    }
    Ok(true)
}

pub(crate) fn set_away(tx: &mut Tx<'_>, owner: Uid, away: bool) -> Result<bool> {
    let set = "UPDATE reach_plan SET away = ?2 WHERE uid = ?1";
    Ok(tx.conn.prepare_cached(set)?.execute(params![int(owner.0), away])? > 0)
}
