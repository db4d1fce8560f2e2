//! One room in use.

use super::config::RoomConfig;
use super::fan::{Change, Event, Greeting, Notes};
use super::hats::Hats;
use super::occupant::{Occupant, Seat};
use super::privilege::{Affiliation, Role};
use crate::session::Session;
use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, FullJid};
use rookery_proto::{Uid, Useq};
use rookery_store::{Entry, GroupAffiliate, GroupAffiliation, GroupSubject, Timestamp};
use smallvec::smallvec;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;

/// What of a room does not depend on who is in it.
#[derive(Debug)]
pub struct Place {
    /// Its number.
    pub uid: Uid,
    /// Its address: the name if it has one.
    pub address: BareJid,
    /// Salt of the ids of its archive.
    pub epoch: u32,
    /// When it was made.
    pub created: Timestamp,
    /// What it is about, as far as the occupants were told: set by who tells them.
    pub(super) subject: Mutex<Option<GroupSubject>>,
    /// The hash of its picture, if it has one (XEP-0486).
    pub(super) avatar: Mutex<Option<String>>,
}

/// One room in use. Whoever holds it keeps it so: its occupants' sessions do.
pub struct Room {
    /// Who it is.
    pub place: Arc<Place>,
    /// Held by who changes what lasts of it, so that memory and store say the same in the same order.
    pub changing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    events: mpsc::Sender<Event>,
    /// An entry of its log found no room in the queue.
    behind: Arc<AtomicBool>,
}

/// What changes; the lock is held for moments, never across an await, and never together with a session's.
pub struct State {
    /// What it is set to.
    pub config: Arc<RoomConfig>,
    /// Who stands to it.
    people: HashMap<BareJid, GroupAffiliate>,
    /// Counts the changes of who stands to it.
    version: u64,
    /// The accounts of a small private group's members, if they were looked up since the last change.
    logs: Option<Arc<[Uid]>>,
    /// Who is in it, by nick.
    occupants: BTreeMap<Box<str>, Arc<Occupant>>,
    /// The nick of each session that is in it.
    nicks: HashMap<FullJid, Box<str>>,
    /// Its hats, and who wears them.
    pub(super) hats: Hats,
    /// When each occupant may speak again, where that is limited (XEP-0500).
    quiet_until: HashMap<Uid, Timestamp>,
    /// It is no more.
    ended: bool,
}

impl From<GroupAffiliation> for Affiliation {
    fn from(stored: GroupAffiliation) -> Affiliation {
        match stored {
            GroupAffiliation::Outcast => Affiliation::Outcast,
            GroupAffiliation::None => Affiliation::None,
            GroupAffiliation::Member => Affiliation::Member,
            GroupAffiliation::Admin => Affiliation::Admin,
            GroupAffiliation::Owner => Affiliation::Owner,
        }
    }
}

impl From<Affiliation> for GroupAffiliation {
    fn from(affiliation: Affiliation) -> GroupAffiliation {
        match affiliation {
            Affiliation::Outcast => GroupAffiliation::Outcast,
            Affiliation::None => GroupAffiliation::None,
            Affiliation::Member => GroupAffiliation::Member,
            Affiliation::Admin => GroupAffiliation::Admin,
            Affiliation::Owner => GroupAffiliation::Owner,
        }
    }
}

impl Room {
    /// A room without occupants, and where its events come out.
    pub(super) fn new(
        place: Place,
        config: RoomConfig,
        people: Vec<GroupAffiliate>,
        hats: Hats,
    ) -> (Arc<Room>, mpsc::Receiver<Event>, Arc<AtomicBool>) {
        let (events, queue) = mpsc::channel(crate::limits::ROOM_EVENTS);
        let behind = Arc::<AtomicBool>::default();
        let room = Room {
            place: Arc::new(place),
            changing: Default::default(),
            state: Mutex::new(State {
                config: Arc::new(config),
                people: people.into_iter().map(|who| (who.jid.clone(), who)).collect(),
                version: 0,
                logs: None,
                occupants: BTreeMap::new(),
                nicks: HashMap::new(),
                hats,
                quiet_until: HashMap::new(),
                ended: false,
            }),
            events,
            behind: behind.clone(),
        };
        (Arc::new(room), queue, behind)
    }

    /// What changes of it. Take it briefly.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Changes who is in the room, or how: what the occupants see of it takes its place in the queue together with the
    /// change itself. Waits while the queue is full.
    pub async fn act<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<(Option<Change>, T), StanzaError>,
    ) -> Result<T, StanzaError> {
        let place = self.events.reserve().await.map_err(|_| StanzaError::internal_server_error())?;
        let mut state = self.state.lock();
        let (change, outcome) = act(&mut state)?;
        if let Some(change) = change {
            place.send(Event::Change(Box::new(change)));
        }
        Ok(outcome)
    }

    /// The doorbell: an entry of the room's log was committed, or (with `useq` 0) something is said that is in no log. It
    /// never waits: what finds the queue full is read from the log, or not said.
    pub fn offer(&self, entry: &Arc<Entry>) {
        let full = || self.events.try_send(Event::Entry(entry.clone())).is_err();
        if full() && entry.useq != Useq(0) {
            self.behind.store(true, Ordering::Release);
            // The queue may have run empty before that was noted: what finds a place now wakes who hands out.
            full();
        }
    }

    /// A stanza of the room itself, without `to`, to everybody in it.
    pub async fn tell(&self, stanza: Bytes) {
        self.events.send(Event::Stanza(stanza)).await.ok();
    }

    /// Ends the room for everybody in it: the last that they see of it. Who was here.
    pub(super) async fn end(&self, notes: Notes) -> Result<Vec<Arc<Occupant>>, StanzaError> {
        let place = self.events.reserve().await.map_err(|_| StanzaError::internal_server_error())?;
        let mut state = self.state.lock();
        state.ended = true;
        state.nicks.clear();
        place.send(Event::End(Box::new(notes)));
        Ok(std::mem::take(&mut state.occupants).into_values().collect())
    }

    /// The address of an occupant.
    pub fn address_of(&self, nick: &str) -> String {
        self.place.address_of(nick)
    }
}

impl Place {
    /// The address of an occupant.
    pub fn address_of(&self, nick: &str) -> String {
        format!("{}/{nick}", self.address)
    }

    /// What the room is about.
    pub fn subject(&self) -> Option<GroupSubject> {
        self.subject.lock().clone()
    }

    pub(super) fn set_subject(&self, subject: Option<GroupSubject>) {
        *self.subject.lock() = subject;
    }
}

impl State {
    /// How an account stands to the room.
    pub fn affiliation(&self, who: &BareJid) -> Affiliation {
        self.people.get(who).map_or(Affiliation::None, |who| who.affiliation.into())
    }

    /// Who stands to the room.
    pub fn people(&self) -> impl Iterator<Item = &GroupAffiliate> {
        self.people.values()
    }

    /// How many stand to the room as members or more.
    pub fn members(&self) -> usize {
        self.people.values().filter(|who| who.affiliation >= GroupAffiliation::Member).count()
    }

    /// The addresses of those.
    pub(super) fn member_addresses(&self) -> Vec<BareJid> {
        let members = self.people.values().filter(|who| who.affiliation >= GroupAffiliation::Member);
        members.map(|who| who.jid.clone()).collect()
    }

    /// Counts the changes of who stands to the room.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The accounts of those who stand to the room as members or more, if they are known.
    pub(super) fn logs(&self) -> Option<Arc<[Uid]>> {
        self.logs.clone()
    }

    /// Keeps these accounts, unless who stands to the room has changed since `version`.
    pub(super) fn set_logs(&mut self, logs: Arc<[Uid]>, version: u64) {
        if self.version == version {
            self.logs = Some(logs);
        }
    }

    /// What the store has put in place of how these stood to the room. It says nothing of those who are in it; see
    /// [`State::alter`].
    pub fn affiliated(&mut self, changes: Vec<GroupAffiliate>) {
        self.version += 1;
        self.logs = None;
        for change in changes {
            if change.affiliation == GroupAffiliation::None && change.nick.is_none() {
                self.people.remove(&change.jid);
            } else {
                self.people.insert(change.jid.clone(), change);
            }
        }
    }

    /// Whom a nick is kept for.
    pub fn keeper(&self, nick: &str) -> Option<&BareJid> {
        self.people.values().find(|who| who.nick.as_deref() == Some(nick)).map(|who| &who.jid)
    }

    /// The occupant of a nick.
    pub fn occupant(&self, nick: &str) -> Option<&Arc<Occupant>> {
        self.occupants.get(nick)
    }

    /// The occupant that a session is.
    pub fn occupant_of(&self, session: &Session) -> Option<&Arc<Occupant>> {
        self.occupants.get(self.nicks.get(&session.jid)?)
    }

    /// Whether it is an account's turn to speak or to ask; the next one is at `until`.
    pub(super) fn takes_turn(&mut self, who: Uid, now: Timestamp, until: Timestamp) -> bool {
        let waiting = &mut self.quiet_until;
        if waiting.get(&who).is_some_and(|until| *until > now) {
            return false;
        }
        if waiting.len() >= crate::limits::ROOM_CROWD {
            waiting.retain(|_, until| *until > now);
        }
        waiting.insert(who, until);
        true
    }

    /// The occupants, in the order of their nicks.
    pub fn occupants(&self) -> impl ExactSizeIterator<Item = &Arc<Occupant>> {
        self.occupants.values()
    }

    /// Whether the room is no more: whoever still holds it looks for it anew.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Ends the room, if nobody is in it.
    pub(super) fn end_if_empty(&mut self) -> bool {
        self.ended |= self.occupants.is_empty();
        self.ended
    }

    /// A session comes in, is greeted again, or says something else of its presence. `occupant` is who it is under this nick,
    /// used where nobody of that nick is here yet.
    pub(super) fn seat(
        &mut self,
        mut occupant: Occupant,
        session: &Arc<Session>,
        presence: Bytes,
        greeting: Option<Greeting>,
    ) -> Change {
        occupant.hats = self.hats.of(&occupant.real);
        let before = self.occupants.get(&occupant.nick).cloned();
        let known = before.as_deref().unwrap_or(&occupant);
        let after = Arc::new(known.with(session, presence));
        self.nicks.insert(session.jid.clone(), after.nick.clone());
        self.occupants.insert(after.nick.clone(), after.clone());
        Change { greeting, ..Change::new(before, Some(after), &self.config) }
    }

    /// A session goes out: its occupant with it, if it has no other session here.
    pub(super) fn unseat(&mut self, session: &Arc<Session>, presence: Option<Bytes>) -> Option<Change> {
        let nick = self.nicks.get(&session.jid)?;
        let mut before = self.occupants.get(nick).filter(|occupant| occupant.has(session))?.clone();
        let nick = self.nicks.remove(&session.jid)?;
        let after = before.without(session).map(Arc::new);
        match &after {
            Some(after) => self.occupants.insert(nick, after.clone()),
            None => self.occupants.remove(&nick),
        };
        if let Some(presence) = presence {
            before = Arc::new(before.with(session, presence));
        }
        Some(Change::new(Some(before), after, &self.config))
    }

    /// All sessions of an occupant have another nick, which is free.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> Option<Change> {
        let before = self.occupants.remove(from)?;
        let after = Arc::new(Occupant { nick: to.into(), ..(*before).clone() });
        for seat in &after.seats {
            self.nicks.insert(seat.session.jid.clone(), to.into());
        }
        self.occupants.insert(to.into(), after.clone());
        Some(Change::new(Some(before), Some(after), &self.config))
    }

    /// An occupant wears what is noted for it now.
    pub(super) fn dress(&mut self, nick: &str) -> Option<Change> {
        let before = self.occupants.get(nick)?.clone();
        let hats = self.hats.of(&before.real);
        let now = Arc::new(Occupant { hats, ..(*before).clone() });
        self.occupants.insert(nick.into(), now.clone());
        Some(Change::new(Some(before), Some(now), &self.config))
    }

    /// An occupant's affiliation or role is another; with [`Role::None`] it is out. The sessions of one that is out must be
    /// told to forget the room: those in `Change::departed`, by `Core::let_go`.
    pub fn alter(
        &mut self,
        nick: &str,
        affiliation: Affiliation,
        role: Role,
        notes: Notes,
    ) -> Option<Change> {
        let before = self.occupants.get(nick)?.clone();
        let now = Arc::new(Occupant { affiliation, role, ..(*before).clone() });
        if role.is_present() {
            self.occupants.insert(nick.into(), now.clone());
            return Some(Change { notes, ..Change::new(Some(before), Some(now), &self.config) });
        }
        self.occupants.remove(nick);
        for seat in &now.seats {
            self.nicks.remove(&seat.session.jid);
        }
        Some(Change { notes, ..Change::new(Some(now), None, &self.config) })
    }
}

/// Who comes into a room.
pub(super) fn newcomer(
    nick: &str,
    real: &BareJid,
    uid: Uid,
    id: Arc<str>,
    affiliation: Affiliation,
    role: Role,
) -> Occupant {
    let seats: smallvec::SmallVec<[Seat; 1]> = smallvec![];
    Occupant { nick: nick.into(), real: real.clone(), uid, id, affiliation, role, hats: None, seats }
}
