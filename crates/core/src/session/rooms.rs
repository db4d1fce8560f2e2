//! The rooms that a session is in (XEP-0045), and how far it is in the log of each. What is said in a room never piles up
//! here: a session that falls behind reads the room's log from its place, as it does with its account's.

use super::{Link, Out, Sent, Session, State, Turn};
use crate::limits;
use crate::muc::Room;
use crate::muc::room::Place;
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::StreamId;
use std::sync::Arc;

/// An entry of a room's log as its occupants get it.
#[derive(Debug)]
pub struct Said {
    /// The room.
    pub room: Uid,
    /// The entry's position in the room's log.
    pub useq: Useq,
    /// The message with its id there, without `to`.
    pub stanza: Bytes,
}

/// Few sessions are in a room: those that are have this.
#[derive(Default)]
pub(super) struct Rooms {
    visits: Vec<Visit>,
    /// What the restart journal calls the visits of a session that cannot be resumed.
    noted: Option<StreamId>,
}

/// A session's visit in one room.
struct Visit {
    /// The room, which is in use as long as somebody is in it.
    room: Arc<Room>,
    /// Everything up to here was queued for the session, or said before it came.
    last: Useq,
    /// The newest that it has heard of.
    head: Useq,
    /// It hears what is said: it has been told who is there.
    begun: bool,
}

/// Where a session is to read on in a room's log.
pub struct Behind {
    /// The room.
    pub place: Arc<Place>,
    /// It has everything up to here.
    pub last: Useq,
    /// It has heard of this one.
    pub head: Useq,
}

impl Session {
    /// Offers an entry of a room's log straight from its commit.
    pub fn hear(&self, said: &Arc<Said>) {
        let mut state = self.state();
        if matches!(state.link, Link::Ended(_)) {
            return;
        }
        let room = state.link == Link::Attached
            && state.outbox.len() < limits::OUTBOX_ENTRIES
            && state.logged_bytes < limits::OUTBOX_LOGGED;
        let Some(visit) = state.visit(said.room).filter(|visit| visit.begun) else { return };
        let next = room && visit.last == visit.head && said.useq == visit.last.next();
        visit.head = visit.head.max(said.useq);
        if next {
            visit.last = said.useq;
            state.put(Out::Said(said.clone(), Turn::Live));
        }
        state.wake();
    }
}

impl State {
    fn visit(&mut self, room: Uid) -> Option<&mut Visit> {
        self.rooms.as_mut()?.visits.iter_mut().find(|visit| visit.room.place.uid == room)
    }

    /// The session is about to enter a room, and keeps it in use.
    pub fn enters(&mut self, room: &Arc<Room>) -> Result<(), StanzaError> {
        self.visits(room, Useq(0))
            .then_some(())
            .ok_or_else(|| StanzaError::policy_violation().text("You are in too many rooms."))
    }

    /// The session is in a room again after a restart of the server, with everything up to `last`.
    pub fn returns(&mut self, room: &Arc<Room>, last: Useq) -> bool {
        self.visits(room, last)
    }

    fn visits(&mut self, room: &Arc<Room>, last: Useq) -> bool {
        let Rooms { visits, .. } = &mut **self.rooms.get_or_insert_default();
        if visits.iter().any(|visit| Arc::ptr_eq(&visit.room, room)) {
            return true;
        }
        let fits = visits.len() < limits::ROOMS_OF_SESSION;
        if fits {
            visits.push(Visit { room: room.clone(), last, head: last, begun: false });
        }
        fits
    }

    /// The session hears what is said in a room after `head`. One that has just come has everything before it; one that
    /// `returns` may not.
    pub fn hears(&mut self, room: Uid, head: Useq, returns: bool) {
        let Some(visit) = self.visit(room).filter(|visit| !visit.begun) else { return };
        visit.begun = true;
        visit.head = visit.head.max(head);
        if !returns {
            visit.last = visit.head;
        }
        self.wake();
    }

    /// The session is not in this room any more.
    pub fn leaves(&mut self, room: &Arc<Room>) {
        let Some(rooms) = &mut self.rooms else { return };
        rooms.visits.retain(|visit| !Arc::ptr_eq(&visit.room, room));
        if rooms.visits.is_empty() && rooms.noted.is_none() {
            self.rooms = None;
        }
    }

    /// What the restart journal is to call the session's visits; `new` makes a name for one that has none. `None`: it is in no
    /// room, or is noted whole, as it can be resumed.
    pub fn noted(&mut self, new: impl FnOnce() -> StreamId) -> Option<StreamId> {
        let passing = self.resumable().is_none();
        let rooms = self.rooms.as_mut().filter(|rooms| passing && !rooms.visits.is_empty())?;
        Some(*rooms.noted.get_or_insert_with(new))
    }

    /// What the restart journal has called the session's visits; it does not any more.
    pub fn unnoted(&mut self) -> Option<StreamId> {
        let rooms = self.rooms.as_mut()?;
        let noted = rooms.noted.take();
        if rooms.visits.is_empty() {
            self.rooms = None;
        }
        noted
    }

    /// The rooms that the session is in.
    pub fn rooms(&self) -> Vec<Arc<Room>> {
        self.visited().map(|visit| visit.room.clone()).collect()
    }

    /// The rooms that the session is in, each with its place in the log: everything up to there was written to the client,
    /// or it does without.
    pub fn places(&self) -> Vec<(Arc<Room>, Useq)> {
        let place = |visit: &Visit| {
            let waits = self.outbox.iter().filter_map(|out| match out {
                Out::Said(said, turn) if *turn != Turn::Again && said.room == visit.room.place.uid => {
                    Some(Useq(said.useq.0 - 1))
                }
                _ => None,
            });
            (visit.room.clone(), waits.fold(visit.last, Useq::min))
        };
        self.visited().map(place).collect()
    }

    /// The number of the room of this address, if the session hears what is said in it.
    pub fn room_at(&self, address: &BareJid) -> Option<Uid> {
        let mut heard = self.visited().filter(|visit| visit.begun).map(|visit| &visit.room.place);
        heard.find(|place| place.address == *address).map(|place| place.uid)
    }

    /// Whether the client has taken what was said in a room up to there.
    pub fn has_heard(&self, room: Uid, upto: Useq) -> bool {
        let waiting = self.outbox.iter().filter_map(|out| match out {
            Out::Said(said, _) => Some((said.room, said.useq)),
            _ => None,
        });
        let unacked = self.sm.iter().flat_map(|sm| sm.queue()).filter_map(|sent| match sent {
            Sent::Said(room, useq, _) => Some((*room, *useq)),
            _ => None,
        });
        let has =
            self.visited().any(|visit| visit.room.place.uid == room && visit.begun && visit.last >= upto);
        has && !waiting.chain(unacked).any(|(other, useq)| other == room && useq <= upto)
    }

    fn visited(&self) -> impl Iterator<Item = &Visit> {
        self.rooms.iter().flat_map(|rooms| &rooms.visits)
    }

    /// Whether a room's log must be read for this session.
    pub(super) fn is_behind_in_a_room(&self) -> bool {
        self.visited().any(|visit| visit.last < visit.head)
    }

    /// Where to read on in a room's log, when everything else is written.
    pub fn must_catch_up_in(&self) -> Option<Behind> {
        if !self.outbox.is_empty() || self.timeline.is_behind() || self.must_pause() {
            return None;
        }
        let visit = self.visited().find(|visit| visit.last < visit.head)?;
        Some(Behind { place: visit.room.place.clone(), last: visit.last, head: visit.head })
    }

    /// Takes a page of a room's log that was read because the session was behind. A page may end early for its size: only
    /// an empty one is the log's end. `upto` is how far the page goes.
    pub fn catch_up_in(&mut self, behind: &Behind, page: Vec<Said>, upto: Option<Useq>) {
        let Some(visit) = self.visit(behind.place.uid).filter(|visit| visit.last == behind.last) else {
            return;
        };
        visit.last = upto.unwrap_or(behind.head).max(visit.last);
        visit.head = visit.head.max(visit.last);
        for said in page {
            self.put(Out::Said(Arc::new(said), Turn::Late));
        }
    }
}
