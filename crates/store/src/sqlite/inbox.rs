//! The inbox: a loop through the conversations of an account by `log_peer`, from one peer to the next, and in each from its
//! end back to what was read.
//!
//! No index and no counter is kept for it: either would be another page written for each message, while an inbox is asked
//! for a few times a day.

use std::collections::HashMap;

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::Tx;
use super::columns::{int, useq};
use super::timeline::{ENTRY, entry, fingerprint};
use crate::inbox::{Conversation, Displayed, Inbox, InboxQuery, Upto};
use crate::timeline::{Flags, Window};
use crate::{Result, limits};

/// The peer that follows another.
pub(super) const NEXT_PEER: &str =
    "SELECT peer FROM log WHERE uid = ?1 AND peer > ?2 AND flags & 2 ORDER BY peer LIMIT 1";

/// A conversation from its end.
pub(super) const BACKWARD: &str = "SELECT useq, flags, direction, message FROM log
     WHERE uid = ?1 AND peer = ?2 AND flags & 2 ORDER BY useq DESC LIMIT ?3";

/// What came in of a conversation from its end, with the sender's name for it.
pub(super) const NAMES: &str = "SELECT l.useq, m.origin FROM log l CROSS JOIN message m ON m.id = l.message
     WHERE l.uid = ?1 AND l.peer = ?2 AND l.flags & 2 AND l.direction = 0 ORDER BY l.useq DESC LIMIT ?3";

pub(crate) fn displayed(tx: &mut Tx<'_>, displayed: &Displayed) -> Result<bool> {
    let Displayed { uid, peer, upto } = displayed;
    match place(tx.conn, *uid, peer, upto)? {
        Some(useq) => raise(tx, *uid, peer.as_str(), useq),
        None => Ok(false),
    }
}

/// Where in the conversation that is.
fn place(conn: &Connection, uid: Uid, peer: &BareJid, upto: &Upto) -> Result<Option<Useq>> {
    let (uid, peer) = (int(uid.0), peer.as_str());
    match upto {
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

/// Moves the place up to which a conversation was read; whether it moved.
pub(super) fn raise(tx: &Tx<'_>, uid: Uid, peer: &str, upto: Useq) -> Result<bool> {
    let uid = int(uid.0);
    let raised = tx
        .conn
        .prepare_cached("UPDATE displayed SET useq = ?3 WHERE uid = ?1 AND peer = ?2 AND useq < ?3")?
        .execute(params![uid, peer, int(upto.0)])?;
    if raised > 0 {
        return Ok(true);
    }
    let inserted = tx
        .conn
        .prepare_cached("INSERT OR IGNORE INTO displayed (uid, peer, useq) VALUES (?1, ?2, ?3)")?
        .execute(params![uid, peer, int(upto.0)])?;
    if inserted > 0 {
        make_room(tx, uid)?;
    }
    Ok(inserted > 0)
}

/// For another conversation the one that was read longest ago is forgotten.
fn make_room(tx: &Tx<'_>, uid: i64) -> Result<()> {
    let count: i64 = tx
        .conn
        .prepare_cached("SELECT count(*) FROM displayed WHERE uid = ?1")?
        .query_row([uid], |row| row.get(0))?;
    if count > limits::CONVERSATIONS as i64 {
        tx.conn
            .prepare_cached(
                "DELETE FROM displayed WHERE uid = ?1 AND peer =
                     (SELECT peer FROM displayed WHERE uid = ?1 ORDER BY useq LIMIT 1)",
            )?
            .execute([uid])?;
    }
    Ok(())
}

/// How far each conversation was read, as far as it was said.
fn places(conn: &Connection, uid: Uid) -> Result<HashMap<Box<str>, Useq>> {
    let mut statement = conn.prepare_cached("SELECT peer, useq FROM displayed WHERE uid = ?1")?;
    let rows = statement.query_map([int(uid.0)], |row| Ok((row.get(0)?, useq(row, 1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What is found of a conversation before it is known whether it is wanted.
struct Found {
    peer: String,
    last: Useq,
    /// The latest instant message.
    newest: Option<Useq>,
    unread: u64,
}

impl Found {
    fn active(&self) -> Useq {
        self.newest.unwrap_or(self.last)
    }
}

/// Looks through conversations, within a bound for all of them.
struct Walk<'a> {
    uid: i64,
    next: CachedStatement<'a>,
    backward: CachedStatement<'a>,
    flags: CachedStatement<'a>,
    /// Entries that may still be looked at.
    room: usize,
}

impl<'a> Walk<'a> {
    fn new(conn: &'a Connection, uid: Uid) -> Result<Walk<'a>> {
        Ok(Walk {
            uid: int(uid.0),
            next: conn.prepare_cached(NEXT_PEER)?,
            backward: conn.prepare_cached(BACKWARD)?,
            flags: conn.prepare_cached("SELECT flags FROM message WHERE id = ?1")?,
            room: limits::INBOX_SCAN_ALL,
        })
    }

    fn peer_after(&mut self, peer: &str) -> Result<Option<String>> {
        Ok(self.next.query_row(params![self.uid, peer], |row| row.get(0)).optional()?)
    }

    /// One conversation, read up to `place` at least; `None`: all of it was set aside.
    fn conversation(&mut self, peer: String, place: Useq) -> Result<Option<Found>> {
        // The end of each conversation is looked at in any case.
        let limit = limits::INBOX_SCAN.min(self.room).max(limits::INBOX_SCAN_LEAST);
        let (mut last, mut newest, mut unread, mut seen) = (None, None, 0, 0);
        // Whether what comes next, which is older, may still be unread.
        let mut open = true;
        let mut rows = self.backward.query(params![self.uid, peer, limit as i64])?;
        while let Some(row) = rows.next()? {
            seen += 1;
            let (at, flags): (Useq, Flags) = (useq(row, 0)?, row.get(1)?);
            open &= at > place;
            if flags.has(Flags::REQUEST) {
                continue;
            }
            last = last.or(Some(at));
            if !open && newest.is_some() {
                break;
            }
            if !flags.has(Flags::INSTANT) {
                continue;
            }
            // Who answers has read.
            let own: bool = row.get(2)?;
            open &= !own;
            let body: Flags = self.flags.query_row([row.get::<_, i64>(3)?], |row| row.get(0))?;
            if body.has(Flags::RETRACTED) {
                continue;
            }
            newest = newest.or(Some(at));
            unread += u64::from(open);
            if unread == limits::UNREAD {
                break;
            }
        }
        self.room = self.room.saturating_sub(seen);
        Ok(last.map(|last| Found { peer, last, newest, unread }))
    }
}

pub(crate) fn inbox(conn: &Connection, uid: Uid, query: &InboxQuery) -> Result<Inbox> {
    let places = places(conn, uid)?;
    let mut walk = Walk::new(conn, uid)?;
    let mut found = Vec::new();
    let mut inbox = Inbox::default();
    let mut peer = String::new();
    while inbox.total < limits::CONVERSATIONS as u64
        && let Some(next) = walk.peer_after(&peer)?
    {
        peer.clone_from(&next);
        let own = next == query.own.as_str();
        let place = if own { Useq(u64::MAX) } else { places.get(&*next).copied().unwrap_or_default() };
        let Some(one) = walk.conversation(next, place)? else { continue };
        inbox.total += 1;
        inbox.unread += u64::from(one.unread > 0);
        inbox.all_unread += one.unread;
        if one.unread > 0 || !query.unread_only {
            found.push(one);
        }
    }
    // Positions are unique along a log.
    found.sort_unstable_by_key(|one| std::cmp::Reverse(one.active()));
    inbox.count = found.len() as u64;
    let max = query.max.min(limits::PAGE);
    let older = |than: Useq| found.partition_point(|one| one.active() >= than);
    let newer = |than: Useq| found.partition_point(|one| one.active() > than);
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
        let conversation = fill(conn, uid, one, query.messages)?;
        bytes += conversation.message.as_ref().map_or(0, |message| message.stanza.len());
        inbox.conversations.push(conversation);
        if bytes >= limits::PAGE_BYTES {
            break;
        }
    }
    Ok(inbox)
}

/// The conversation with what is wanted of it.
fn fill(conn: &Connection, uid: Uid, one: Found, message: bool) -> Result<Conversation> {
    let message = match one.newest.filter(|_| message) {
        Some(newest) => {
            let sql = format!("SELECT {ENTRY} WHERE l.uid = ?1 AND l.useq = ?2");
            Some(conn.prepare_cached(&sql)?.query_row([int(uid.0), int(newest.0)], entry)?)
        }
        None => None,
    };
    let peer = BareJid::new(&one.peer).map_err(|_| crate::StoreError::Corrupt)?;
    Ok(Conversation { peer, last: one.last, active: one.active(), unread: one.unread, message })
}
