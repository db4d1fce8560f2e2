//! Groups, and who stands how to them.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::columns::{int, jid, uid};
use super::{Tx, prefs, timeline};
use crate::account::group_after;
use crate::group::{Group, GroupAffiliate, GroupAffiliation, GroupConfig, GroupSubject, NewGroup};
use crate::timeline::{Append, Appended};
use crate::{Result, StoreError, limits};

const GROUP: &str = "r.uid, r.name, r.config, r.lasting, r.listed, r.created, r.created_by, r.epoch, r.subject, \
     r.subject_by, r.subject_at, (SELECT days FROM retention WHERE uid = r.uid) FROM room r";

fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    let subject = match row.get(8)? {
        Some(text) => Some(GroupSubject { text, by: row.get(9)?, at: row.get(10)? }),
        None => None,
    };
    let operator = row.get_ref(6)? == ValueRef::Null;
    Ok(Group {
        uid: uid(row, 0)?,
        name: row.get(1)?,
        config: GroupConfig {
            text: row.get(2)?,
            lasting: row.get(3)?,
            listed: row.get(4)?,
            days: row.get(11)?,
        },
        subject,
        created: row.get(5)?,
        created_by: if operator { None } else { Some(jid(row, 6)?) },
        epoch: row.get(7)?,
    })
}

const AFFILIATE: &str = "a.jid, a.affiliation, a.nick, a.reason";

fn affiliate_at(row: &Row<'_>, first: usize) -> rusqlite::Result<GroupAffiliate> {
    Ok(GroupAffiliate {
        jid: jid(row, first)?,
        affiliation: affiliation(row.get(first + 1)?),
        nick: row.get(first + 2)?,
        reason: row.get(first + 3)?,
    })
}

fn affiliation(column: i64) -> GroupAffiliation {
    match column {
        0 => GroupAffiliation::Outcast,
        2 => GroupAffiliation::Member,
        3 => GroupAffiliation::Admin,
        4 => GroupAffiliation::Owner,
        _ => GroupAffiliation::None,
    }
}

/// Gives the next number of a group that is nobody's and never was.
pub(crate) fn next_number(tx: &Tx<'_>) -> Result<Uid> {
    let number = group_after(last_number(tx)?).ok_or(StoreError::Limit("groups"))?;
    tx.conn
        .prepare_cached("INSERT OR REPLACE INTO counter (name, value) VALUES ('group', ?1)")?
        .execute([int(number)])?;
    Ok(Uid(number))
}

fn last_number(tx: &Tx<'_>) -> Result<u64> {
    let last: Option<i64> = tx
        .conn
        .prepare_cached("SELECT value FROM counter WHERE name = 'group'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or(0) as u64)
}

pub(crate) fn create(tx: &mut Tx<'_>, new: NewGroup) -> Result<Group> {
    check_config(&new.config)?;
    if let Some(name) = &new.name {
        // A name of digits would be taken for a number (invariant 4).
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        if number || name.len() > limits::TEXT_BYTES {
            return Err(StoreError::Invalid("name"));
        }
        if by_name(tx.conn, name)?.is_some() {
            return Err(StoreError::Conflict);
        }
    }
    check_creator(tx, new.created_by.as_ref())?;
    let uid = match new.uid {
        Some(uid) if was_kept(tx, uid)? => uid,
        Some(_) => return Err(StoreError::Conflict),
        None => next_number(tx)?,
    };
    tx.conn
        .prepare_cached(
            "INSERT INTO room (uid, name, config, lasting, listed, created, created_by, epoch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            int(uid.0),
            new.name,
            new.config.text,
            new.config.lasting,
            new.config.listed,
            new.created,
            new.created_by.as_ref().map(|who| who.as_str()),
            new.epoch,
        ])?;
    put(tx, uid, &new.affiliates)?;
    prefs::set_retention(tx, uid, new.config.days)?;
    let NewGroup { name, config, created, created_by, epoch, .. } = new;
    Ok(Group { uid, name, config, subject: None, created, created_by, epoch })
}

fn check_config(config: &GroupConfig) -> Result<()> {
    let fits = config.text.len() <= limits::GROUP_CONFIG_BYTES;
    if fits { Ok(()) } else { Err(StoreError::Invalid("configuration of the group")) }
}

fn check_creator(tx: &Tx<'_>, creator: Option<&BareJid>) -> Result<()> {
    let Some(creator) = creator else { return Ok(()) };
    let made: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM room WHERE created_by = ?1")?
        .query_row([creator.as_str()], |row| row.get(0))?;
    if made >= limits::GROUPS_MADE as i64 { Err(StoreError::Limit("groups of yours")) } else { Ok(()) }
}

/// Whether this number was given, and no group has or had it.
fn was_kept(tx: &Tx<'_>, uid: Uid) -> Result<bool> {
    let used = get(tx.conn, uid)?.is_some()
        || tx.conn.prepare_cached("SELECT 1 FROM deleted WHERE uid = ?1")?.exists([int(uid.0)])?;
    Ok(!used && group_after(uid.0.saturating_sub(1)) == Some(uid.0) && uid.0 <= last_number(tx)?)
}

pub(crate) fn get(conn: &Connection, uid: Uid) -> Result<Option<Group>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {GROUP} WHERE r.uid = ?1"))?;
    Ok(statement.query_row([int(uid.0)], group).optional()?)
}

pub(crate) fn by_name(conn: &Connection, name: &str) -> Result<Option<Group>> {
    let mut statement = conn.prepare_cached(&format!("SELECT {GROUP} WHERE r.name = ?1"))?;
    Ok(statement.query_row([name], group).optional()?)
}

pub(crate) fn named(
    conn: &Connection,
    locals: &[String],
    who: &BareJid,
) -> Result<Vec<(Group, GroupAffiliation)>> {
    let mut stands =
        conn.prepare_cached("SELECT affiliation FROM room_affiliate WHERE room = ?1 AND jid = ?2")?;
    let mut found = Vec::new();
    for local in locals.iter().take(limits::INBOX_GROUPS) {
        let group = match Uid::from_local(local) {
            Some(uid) => get(conn, uid)?,
            None => by_name(conn, local)?,
        };
        let Some(group) = group else { continue };
        let params = params![int(group.uid.0), who.as_str()];
        let how = stands.query_row(params, |row| Ok(affiliation(row.get(0)?))).optional()?;
        found.push((group, how.unwrap_or_default()));
    }
    Ok(found)
}

pub(crate) fn list(conn: &Connection, after: Option<Uid>, listed: bool, limit: usize) -> Result<Vec<Group>> {
    let which = if listed { "AND r.listed" } else { "" };
    let sql = format!("SELECT {GROUP} WHERE r.uid > ?1 {which} ORDER BY r.uid LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let limit = limit.min(limits::PAGE) as i64;
    let rows = statement.query_map(params![int(after.map_or(0, |uid| uid.0)), limit], group)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn passing(conn: &Connection, after: Uid, limit: usize) -> Result<Vec<Uid>> {
    let mut statement =
        conn.prepare_cached("SELECT uid FROM room WHERE NOT lasting AND uid > ?1 ORDER BY uid LIMIT ?2")?;
    let rows = statement.query_map(params![int(after.0), limit as i64], |row| uid(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn count(conn: &Connection) -> Result<u64> {
    let count: i64 = conn.prepare_cached("SELECT count(*) FROM room")?.query_row([], |row| row.get(0))?;
    Ok(count as u64)
}

pub(crate) fn of(conn: &Connection, who: &BareJid) -> Result<Vec<(Group, GroupAffiliate)>> {
    let sql = format!(
        "SELECT {}, {AFFILIATE} FROM room_affiliate a JOIN room r ON r.uid = a.room WHERE a.jid = ?1 \
         ORDER BY r.uid LIMIT ?2",
        GROUP.trim_end_matches(" FROM room r")
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(params![who.as_str(), limits::GROUPS_OF as i64], |row| {
        Ok((group(row)?, affiliate_at(row, 12)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn affiliates(conn: &Connection, uid: Uid) -> Result<Vec<GroupAffiliate>> {
    let sql = format!("SELECT {AFFILIATE} FROM room_affiliate a WHERE a.room = ?1 ORDER BY a.jid");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([int(uid.0)], |row| affiliate_at(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn configure(tx: &mut Tx<'_>, uid: Uid, config: &GroupConfig) -> Result<()> {
    check_config(config)?;
    let set = tx
        .conn
        .prepare_cached("UPDATE room SET config = ?2, lasting = ?3, listed = ?4 WHERE uid = ?1")?
        .execute(params![int(uid.0), config.text, config.lasting, config.listed])?;
    if set == 0 { Err(StoreError::NotFound) } else { prefs::set_retention(tx, uid, config.days) }
}

pub(crate) fn affiliate(tx: &mut Tx<'_>, uid: Uid, changes: &[GroupAffiliate]) -> Result<()> {
    if get(tx.conn, uid)?.is_none() {
        return Err(StoreError::NotFound);
    }
    let owned = has_owner(tx, uid)?;
    put(tx, uid, changes)?;
    // XEP-0045 §10.4: a room keeps an owner.
    if owned && !has_owner(tx, uid)? { Err(StoreError::Conflict) } else { Ok(()) }
}

fn has_owner(tx: &Tx<'_>, uid: Uid) -> Result<bool> {
    let mut statement = tx
        .conn
        .prepare_cached("SELECT 1 FROM room_affiliate WHERE room = ?1 AND affiliation = ?2 LIMIT 1")?;
    Ok(statement.exists(params![int(uid.0), GroupAffiliation::Owner as i64])?)
}

fn put(tx: &Tx<'_>, uid: Uid, changes: &[GroupAffiliate]) -> Result<()> {
    // All of them go first: two may exchange their nicknames.
    for change in changes {
        tx.conn
            .prepare_cached("DELETE FROM room_affiliate WHERE room = ?1 AND jid = ?2")?
            .execute(params![int(uid.0), change.jid.as_str()])?;
    }
    for GroupAffiliate { jid, affiliation, nick, reason } in changes {
        let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > limits::TEXT_BYTES);
        if long(nick) || long(reason) {
            return Err(StoreError::Invalid("nickname or reason"));
        }
        if *affiliation == GroupAffiliation::None && nick.is_none() {
            continue;
        }
        if let Some(nick) = nick {
            let mut taken =
                tx.conn.prepare_cached("SELECT 1 FROM room_affiliate WHERE room = ?1 AND nick = ?2")?;
            if taken.exists(params![int(uid.0), nick])? {
                return Err(StoreError::Conflict);
            }
        }
        tx.conn
            .prepare_cached(
                "INSERT INTO room_affiliate (room, jid, affiliation, nick, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![int(uid.0), jid.as_str(), *affiliation as i64, nick, reason])?;
    }
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM room_affiliate WHERE room = ?1")?
        .query_row([int(uid.0)], |row| row.get(0))?;
    if count > limits::GROUP_AFFILIATES as i64 {
        return Err(StoreError::Limit("people in the lists of the group"));
    }
    Ok(())
}

pub(crate) fn set_subject(
    tx: &mut Tx<'_>,
    uid: Uid,
    subject: &GroupSubject,
    append: Append,
) -> Result<Appended> {
    let appended = timeline::append(tx, append)?;
    if appended != Appended::Duplicate {
        tx.conn
            .prepare_cached("UPDATE room SET subject = ?2, subject_by = ?3, subject_at = ?4 WHERE uid = ?1")?
            .execute(params![int(uid.0), subject.text, subject.by, subject.at])?;
    }
    Ok(appended)
}

pub(crate) fn destroy(tx: &mut Tx<'_>, uid: Uid) -> Result<()> {
    if tx.conn.prepare_cached("DELETE FROM room WHERE uid = ?1")?.execute([int(uid.0)])? == 0 {
        return Err(StoreError::NotFound);
    }
    for sql in [
        "DELETE FROM room_affiliate WHERE room = ?1",
        "DELETE FROM displayed_group WHERE room = ?1",
        "DELETE FROM retention WHERE uid = ?1",
        "DELETE FROM room_hat WHERE room = ?1",
        "DELETE FROM room_hat_worn WHERE room = ?1",
        "INSERT INTO deleted (uid, erased) VALUES (?1, 0)",
    ] {
        tx.conn.prepare_cached(sql)?.execute([int(uid.0)])?;
    }
    // Its nodes: card, picture, notices, requests.
    super::pubsub::erase(tx, uid)?;
    tx.forget(uid);
    Ok(())
}

pub(crate) fn forget(tx: &mut Tx<'_>, who: &BareJid, requests: &str) -> Result<Vec<Uid>> {
    super::pubsub::retract_in_groups(tx, requests, who.as_str())?;
    tx.conn
        .prepare_cached("UPDATE room SET created_by = NULL WHERE created_by = ?1")?
        .execute([who.as_str()])?;
    let mut rooms: Vec<Uid> = Vec::new();
    for sql in [
        "DELETE FROM room_affiliate WHERE jid = ?1 RETURNING room",
        "DELETE FROM room_hat_worn WHERE jid = ?1 RETURNING room",
    ] {
        let mut statement = tx.conn.prepare_cached(sql)?;
        let rows = statement.query_map([who.as_str()], |row| uid(row, 0))?;
        rooms.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    rooms.sort_unstable();
    rooms.dedup();
    Ok(rooms)
}
