//! The inbox: a loop through the conversations of an account by `log_peer`, from one peer to the next, and in each from its
//! end back to what was read.
//!
//! No index and no counter is kept for it: either would be another page written for each message, while an inbox is asked
//! for a few times a day.

use std::collections::HashMap;

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Rows, ToSql, params};

use super::columns::{int, useq};
use super::timeline::{ENTRY, entry, fingerprint};
use super::{Tx, cases, imap};
use crate::inbox::{Conversation, Displayed, Inbox, InboxGroup, InboxQuery, Place, Upto};
use crate::reach::CaseState;
use crate::timeline::{Flags, Window};
use crate::{GroupAffiliation, Result, StoreError, limits};

/// The peer that follows another.
pub(super) const NEXT_PEER: &str =
    "SELECT peer FROM log WHERE uid = ?1 AND peer > ?2 AND flags & 2 ORDER BY peer LIMIT 1";

/// A conversation from its end.
pub(super) const BACKWARD: &str = "SELECT useq, flags, direction, message, at FROM log
     WHERE uid = ?1 AND peer = ?2 AND flags & 2 ORDER BY useq DESC LIMIT ?3";

/// A group's log from its end; its own is what the reader has said.
pub(super) const GROUP_BACKWARD: &str = "SELECT useq, flags, peer = ?2, message, at FROM log
     WHERE uid = ?1 AND flags & 2 ORDER BY useq DESC LIMIT ?3";

/// What came in of a conversation from its end, with the sender's name for it.
pub(super) const NAMES: &str = "SELECT l.useq, m.origin FROM log l CROSS JOIN message m ON m.id = l.message
     WHERE l.uid = ?1 AND l.peer = ?2 AND l.flags & 2 AND l.direction = 0 ORDER BY l.useq DESC LIMIT ?3";

pub(crate) fn displayed(tx: &mut Tx<'_>, displayed: &Displayed) -> Result<bool> {
    let Displayed { uid, peer, upto } = displayed;
    let in_group = match upto {
        Upto::Shared(group, useq) if stands(tx.conn, *group, *useq)? => {
            raise_at(tx, GROUPS, *uid, &int(group.0), *useq)?
        }
        Upto::Begun(group) => begin(tx, *uid, *group)?,
        _ => false,
    };
    let in_own = match place(tx.conn, *uid, peer, upto)? {
        Some(useq) => {
            cases::read(tx, *uid, peer, useq, CaseState::Read)?;
            raise(tx, *uid, peer.as_str(), useq)?
        }
        None => false,
    };
    Ok(in_group || in_own)
}

/// Whether there is an entry at a position of a group's log.
fn stands(conn: &Connection, group: Uid, useq: Useq) -> Result<bool> {
    let mut statement = conn.prepare_cached("SELECT 1 FROM log WHERE uid = ?1 AND useq = ?2")?;
    Ok(statement.exists([int(group.0), int(useq.0)])?)
}

/// Nothing that was said in the group until now is news, unless it is known how far it was read.
fn begin(tx: &mut Tx<'_>, uid: Uid, group: Uid) -> Result<bool> {
    let known = "SELECT 1 FROM displayed_group WHERE uid = ?1 AND room = ?2";
    if tx.conn.prepare_cached(known)?.exists([int(uid.0), int(group.0)])? {
        return Ok(false);
    }
    match tx.last(group) {
        Ok(last) => raise_at(tx, GROUPS, uid, &int(group.0), last.useq),
        Err(StoreError::NotFound) => Ok(false), // It has ended.
        Err(error) => Err(error),
    }
}

/// Where in the conversation that is, in the account's own log.
fn place(conn: &Connection, uid: Uid, peer: &BareJid, upto: &Upto) -> Result<Option<Useq>> {
    let (uid, peer) = (int(uid.0), peer.as_str());
    match upto {
        Upto::Begun(_) => Ok(None),
        Upto::Entry(place) => {
            let mut statement =
                conn.prepare_cached("SELECT 1 FROM log WHERE uid = ?1 AND useq = ?2 AND peer = ?3")?;
            Ok(statement.exists(params![uid, int(place.0), peer])?.then_some(*place))
        }
        Upto::Shared(other, position) => {
            let body: Option<i64> = conn
                .prepare_cached("SELECT message FROM log WHERE uid = ?1 AND useq = ?2")?
                .query_row([int(other.0), int(position.0)], |row| row.get(0))
                .optional()?;
            let Some(body) = body else { return Ok(None) };
            let mut statement = conn.prepare_cached(BACKWARD)?;
            let mut rows = statement.query(params![uid, peer, limits::INBOX_SCAN as i64])?;
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(3)? == body {
                    return Ok(Some(useq(row, 0)?));
                }
            }
            Ok(None)
        }
        Upto::Named { to, id } => {
            let name = fingerprint(to, id);
            let mut statement = conn.prepare_cached(NAMES)?;
            let mut rows = statement.query(params![uid, peer, limits::DISPLAYED_SCAN as i64])?;
            while let Some(row) = rows.next()? {
                if row.get::<_, Option<i64>>(1)? == Some(name) {
                    return Ok(Some(useq(row, 0)?));
                }
            }
            Ok(None)
        }
    }
}

/// Where it is kept how far conversations were read.
#[derive(Clone, Copy)]
struct Table {
    raise: &'static str,
    add: &'static str,
    count: &'static str,
    forget: &'static str,
}

/// Those in the account's own log, by their peers.
const PEERS: Table = Table {
    raise: "UPDATE displayed SET useq = ?3 WHERE uid = ?1 AND peer = ?2 AND useq < ?3",
    add: "INSERT OR IGNORE INTO displayed (uid, peer, useq) VALUES (?1, ?2, ?3)",
    count: "SELECT count(*) FROM displayed WHERE uid = ?1",
    forget: "DELETE FROM displayed WHERE uid = ?1 AND peer =
                 (SELECT peer FROM displayed WHERE uid = ?1 ORDER BY useq LIMIT 1)",
};

/// Those in the logs of groups.
const GROUPS: Table = Table {
    raise: "UPDATE displayed_group SET useq = ?3 WHERE uid = ?1 AND room = ?2 AND useq < ?3",
    add: "INSERT OR IGNORE INTO displayed_group (uid, room, useq) VALUES (?1, ?2, ?3)",
    count: "SELECT count(*) FROM displayed_group WHERE uid = ?1",
    forget: "DELETE FROM displayed_group WHERE uid = ?1 AND room =
                 (SELECT room FROM displayed_group WHERE uid = ?1 ORDER BY useq LIMIT 1)",
};

/// Moves the place in the own log up to which a conversation was read; whether it moved.
pub(super) fn raise(tx: &mut Tx<'_>, uid: Uid, peer: &str, upto: Useq) -> Result<bool> {
    let raised = raise_at(tx, PEERS, uid, &peer, upto)?;
    if raised {
        imap::flags::read_upto(tx, uid, peer, upto)?;
    }
    Ok(raised)
}

fn raise_at(tx: &Tx<'_>, table: Table, uid: Uid, which: &dyn ToSql, upto: Useq) -> Result<bool> {
    let uid = int(uid.0);
    let raised = tx.conn.prepare_cached(table.raise)?.execute(params![uid, which, int(upto.0)])?;
    if raised > 0 {
        return Ok(true);
    }
    let inserted = tx.conn.prepare_cached(table.add)?.execute(params![uid, which, int(upto.0)])?;
    if inserted > 0 {
        // For another conversation the one that was read longest ago is forgotten.
        let count: i64 = tx.conn.prepare_cached(table.count)?.query_row([uid], |row| row.get(0))?;
        if count > limits::CONVERSATIONS as i64 {
            tx.conn.prepare_cached(table.forget)?.execute([uid])?;
        }
    }
    Ok(inserted > 0)
}

/// How far each conversation of the own log was read, as far as it was said.
fn places(conn: &Connection, uid: Uid) -> Result<HashMap<Box<str>, Useq>> {
    let mut statement = conn.prepare_cached("SELECT peer, useq FROM displayed WHERE uid = ?1")?;
    let rows = statement.query_map([int(uid.0)], |row| Ok((row.get(0)?, useq(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn said_to_be_read(conn: &Connection, uid: Uid) -> Result<Vec<(BareJid, Useq)>> {
    let mut places: Vec<_> = places(conn, uid)?
        .into_iter()
        .map(|(peer, useq)| Ok((BareJid::new(&peer).map_err(|_| StoreError::Corrupt)?, useq)))
        .collect::<Result<_>>()?;
    places.sort();
    Ok(places)
}

/// What is found of a conversation before it is known whether it is wanted.
struct Found {
    peer: String,
    last: Useq,
    active: Place,
    /// The latest instant message is where `active` says.
    instant: bool,
    unread: u64,
}

impl Found {
    /// The same conversation with what was found of it in another log.
    fn with(self, other: Found) -> Found {
        let unread = (self.unread + other.unread).min(limits::UNREAD);
        let later = if other.active > self.active { other } else { self };
        Found { unread, ..later }
    }
}

/// Looks through conversations, within a bound for all of them.
struct Walk<'a> {
    uid: Uid,
    own: &'a str,
    next: CachedStatement<'a>,
    backward: CachedStatement<'a>,
    group: CachedStatement<'a>,
    flags: CachedStatement<'a>,
    /// Entries that may still be looked at.
    room: usize,
}

impl<'a> Walk<'a> {
    fn new(conn: &'a Connection, uid: Uid, own: &'a str) -> Result<Walk<'a>> {
        Ok(Walk {
            uid,
            own,
            next: conn.prepare_cached(NEXT_PEER)?,
            backward: conn.prepare_cached(BACKWARD)?,
            group: conn.prepare_cached(GROUP_BACKWARD)?,
            flags: conn.prepare_cached("SELECT flags FROM message WHERE id = ?1")?,
            room: limits::INBOX_SCAN_ALL,
        })
    }

    fn peer_after(&mut self, peer: &str) -> Result<Option<String>> {
        Ok(self.next.query_row(params![int(self.uid.0), peer], |row| row.get(0)).optional()?)
    }

    /// One conversation of the own log, read up to `place` at least, without what `skip` says; `None`: there is nothing else.
    fn conversation(&mut self, peer: String, place: Useq, skip: Flags) -> Result<Option<Found>> {
        let rows = self.backward.query(params![int(self.uid.0), peer, limit(self.room)])?;
        let (found, seen) = look(rows, &mut self.flags, self.uid, &peer, place, skip)?;
        self.room = self.room.saturating_sub(seen);
        Ok(found)
    }

    /// What was said in a group, in its own log.
    fn group(&mut self, group: &InboxGroup, place: Useq) -> Result<Option<Found>> {
        let rows = self.group.query(params![int(group.uid.0), self.own, limit(self.room)])?;
        let peer = group.address.as_str();
        let (found, seen) = look(rows, &mut self.flags, group.uid, peer, place, Flags::REQUEST)?;
        self.room = self.room.saturating_sub(seen);
        Ok(found)
    }
}

/// Entries of one conversation that are looked at: its end in any case.
fn limit(room: usize) -> i64 {
    limits::INBOX_SCAN.min(room).max(limits::INBOX_SCAN_LEAST) as i64
}

/// Goes through a conversation from its end; what is found, and how many entries were looked at.
fn look(
    mut rows: Rows<'_>,
    bodies: &mut CachedStatement<'_>,
    log: Uid,
    peer: &str,
    place: Useq,
    skip: Flags,
) -> Result<(Option<Found>, usize)> {
    let (mut last, mut newest, mut unread, mut seen): (Option<Place>, Option<Place>, _, _) =
        (None, None, 0, 0);
    // Whether what comes next, which is older, may still be unread.
    let mut open = true;
    while let Some(row) = rows.next()? {
        seen += 1;
        let (useq, flags): (Useq, Flags) = (useq(row, 0)?, row.get(1)?);
        open &= useq > place;
        if flags.0 & skip.0 != 0 {
            continue;
        }
        let here = Place { at: row.get(4)?, log, useq };
        last = last.or(Some(here));
        if !open && newest.is_some() {
            break;
        }
        if !flags.has(Flags::INSTANT) {
            continue;
        }
        // Who answers has read.
        let own: bool = row.get(2)?;
        open &= !own;
        let body: Flags = bodies.query_row([row.get::<_, i64>(3)?], |row| row.get(0))?;
        if body.has(Flags::RETRACTED) {
            continue;
        }
        newest = newest.or(Some(here));
        unread += u64::from(open);
        if unread == limits::UNREAD {
            break;
        }
    }
    let found = last.map(|last| Found {
        peer: peer.to_owned(),
        last: last.useq,
        active: newest.unwrap_or(last),
        instant: newest.is_some(),
        unread,
    });
    Ok((found, seen))
}

/// The groups that are read in their own logs, by address: all but those whose messages stand in their members' logs.
fn large<'a>(conn: &Connection, groups: &'a [InboxGroup]) -> Result<HashMap<&'a str, &'a InboxGroup>> {
    let mut members = conn.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM room_affiliate WHERE room = ?1 AND affiliation >= ?2 LIMIT ?3)",
    )?;
    let mut large = HashMap::new();
    for group in groups.iter().take(limits::INBOX_GROUPS) {
        let most = limits::SMALL_GROUP as i64;
        let params = params![int(group.uid.0), GroupAffiliation::Member as i64, most + 1];
        if !group.private || members.query_row(params, |row| row.get::<_, i64>(0))? > most {
            large.insert(group.address.as_str(), group);
        }
    }
    Ok(large)
}

/// How far each group was read in its own log, as far as it was said.
fn group_places(conn: &Connection, uid: Uid) -> Result<HashMap<i64, Useq>> {
    let mut statement = conn.prepare_cached("SELECT room, useq FROM displayed_group WHERE uid = ?1")?;
    let rows = statement.query_map([int(uid.0)], |row| Ok((row.get(0)?, useq(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All conversations of an account, in no order.
fn all(conn: &Connection, uid: Uid, query: &InboxQuery) -> Result<Vec<Found>> {
    let (places, groups) = (places(conn, uid)?, group_places(conn, uid)?);
    let mut large = large(conn, &query.groups)?;
    let mut walk = Walk::new(conn, uid, query.own.as_str())?;
    let mut found = Vec::new();
    let mut peer = String::new();
    let read = |group: &InboxGroup| groups.get(&int(group.uid.0)).copied().unwrap_or_default();
    while found.len() < limits::CONVERSATIONS
        && let Some(next) = walk.peer_after(&peer)?
    {
        peer.clone_from(&next);
        let own = next == query.own.as_str();
        let place = if own { Useq(u64::MAX) } else { places.get(&*next).copied().unwrap_or_default() };
        let Some(group) = large.remove(&*next) else {
            found.extend(walk.conversation(next, place, Flags::REQUEST)?);
            continue;
        };
        // Of a group that was small once, the own log has what its own has too, and private messages.
        let private = walk.conversation(next, place, Flags::REQUEST | Flags::GROUP)?;
        let said = walk.group(group, read(group))?;
        found.extend(match (private, said) {
            (Some(private), Some(said)) => Some(private.with(said)),
            (private, said) => private.or(said),
        });
    }
    for group in large.into_values() {
        found.extend(walk.group(group, read(group))?);
    }
    Ok(found)
}

pub(crate) fn inbox(conn: &Connection, uid: Uid, query: &InboxQuery) -> Result<Inbox> {
    let mut found = all(conn, uid, query)?;
    let mut inbox = Inbox { total: found.len() as u64, ..Inbox::default() };
    for one in &found {
        inbox.unread += u64::from(one.unread > 0);
        inbox.all_unread += one.unread;
    }
    found.retain(|one| one.unread > 0 || !query.unread_only);
    // Places are unique.
    found.sort_unstable_by_key(|one| std::cmp::Reverse(one.active));
    inbox.count = found.len() as u64;
    let max = query.max.min(limits::PAGE);
    let older = |than: Place| found.partition_point(|one| one.active >= than);
    let newer = |than: Place| found.partition_point(|one| one.active > than);
    let (from, upto) = match query.window {
        Window::First => (0, found.len()),
        Window::After(id) => (older(id), found.len()),
        Window::Index(index) => (found.len().min(index as usize), found.len()),
        Window::Before(id) => (newer(id).saturating_sub(max), newer(id)),
        Window::Last => (found.len().saturating_sub(max), found.len()),
    };
    inbox.first_index = from as u64;
    let (mut bytes, wanted) = (0, found.drain(from..upto).take(max));
    for one in wanted {
        let conversation = fill(conn, one, query.messages)?;
        bytes += conversation.message.as_ref().map_or(0, |message| message.stanza.len());
        inbox.conversations.push(conversation);
        if bytes >= limits::PAGE_BYTES {
            break;
        }
    }
    Ok(inbox)
}

/// The conversation with what is wanted of it.
fn fill(conn: &Connection, one: Found, message: bool) -> Result<Conversation> {
    let Found { peer, last, active, instant, unread } = one;
    let message = match message && instant {
        true => {
            let sql = format!("SELECT {ENTRY} WHERE l.uid = ?1 AND l.useq = ?2");
            let params = [int(active.log.0), int(active.useq.0)];
            Some(conn.prepare_cached(&sql)?.query_row(params, entry)?)
        }
        false => None,
    };
    let peer = BareJid::new(&peer).map_err(|_| StoreError::Corrupt)?;
    Ok(Conversation { peer, last, active, unread, message })
}
