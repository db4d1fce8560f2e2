//! What the occupants of a room are to see, handed out in the order in which it happened: one task a room. It waits for
//! nobody: it puts everything into the sessions, and each session keeps up or not.

use super::config::RoomConfig;
use super::history::{self, Wanted};
use super::occupant::{Occupant, Seat};
use super::privilege::{Affiliation, Role};
use super::room::Place;
use super::show::{self, Phase};
use super::{nodes, status};
use crate::presence::broadcast::addressed;
use crate::session::Session;
use crate::{Core, flags, limits};
use bytes::Bytes;
use rookery_proto::Useq;
use rookery_store::{Entry, Flags};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use tokio::sync::mpsc;

/// Something that happened in a room.
pub(super) enum Event {
    /// An entry of the room's log, or (with `useq` 0) something said that is in no log.
    Entry(Arc<Entry>),
    /// A stanza of the room itself, without `to`.
    Stanza(Bytes),
    /// Somebody came, went, or is not as before.
    Change(Box<Change>),
    /// The room is no more, and this is said of it.
    End(Box<Notes>),
}

/// What happened to one occupant.
pub struct Change {
    /// As it was; `None`: it was not here.
    pub before: Option<Arc<Occupant>>,
    /// As it is; `None`: it is not here any more.
    pub after: Option<Arc<Occupant>>,
    /// What is said of it.
    pub notes: Notes,
    /// A session that is told who is here and what was said before.
    pub greeting: Option<Greeting>,
    /// What the room was set to then.
    pub config: Arc<RoomConfig>,
    /// Nobody is told: after a restart everybody knows already.
    pub quiet: bool,
    /// It was here before a restart and did not come back: who came back knows of it.
    pub lost: bool,
}

/// What is said of a change beside the change itself (XEP-0045 §9, §10).
#[derive(Clone, Default)]
pub struct Notes {
    /// Status codes that all see.
    pub codes: Vec<u16>,
    /// The nick of who did it.
    pub actor: Option<Box<str>>,
    /// Why, in words.
    pub reason: Option<Box<str>>,
    /// `<destroy/>` of a room that is no more (§10.9).
    pub destroyed: Option<Bytes>,
}

/// What a session that comes in gets beside the others' presence (§7.2).
pub struct Greeting {
    /// The session.
    pub session: Arc<Session>,
    /// What it wants of what was said before.
    pub history: Wanted,
    /// Status codes of its own presence.
    pub codes: Vec<u16>,
}

impl Change {
    /// A change in a room that is set to this.
    pub fn new(
        before: Option<Arc<Occupant>>,
        after: Option<Arc<Occupant>>,
        config: &Arc<RoomConfig>,
    ) -> Change {
        let (notes, config) = (Notes::default(), config.clone());
        Change { before, after, notes, greeting: None, config, quiet: false, lost: false }
    }

    /// The sessions that were here with the occupant and are not any more.
    pub fn departed(&self) -> impl Iterator<Item = &Seat> {
        let stays = |seat: &&Seat| self.after.as_ref().is_some_and(|after| after.has(&seat.session));
        self.before.iter().flat_map(|before| &before.seats).filter(move |seat| !stays(seat))
    }
}

/// The task of one room.
pub(super) struct Fan {
    core: Weak<Core>,
    place: Arc<Place>,
    behind: Arc<AtomicBool>,
    audience: BTreeMap<Box<str>, Listener>,
    /// Up to here the room's log was handed out.
    last: Useq,
}

/// An occupant, in the order of events: who hears what happens after it came and before it went.
struct Listener {
    occupant: Arc<Occupant>,
    /// The others know that it is here.
    shown: bool,
}

impl Fan {
    /// Everything up to `last` was said before anybody listened.
    pub(super) fn new(core: Weak<Core>, place: Arc<Place>, behind: Arc<AtomicBool>, last: Useq) -> Fan {
        Fan { core, place, behind, audience: BTreeMap::new(), last }
    }

    /// Hands out until the room is out of use and its last event is told.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            match event {
                Event::Entry(entry) => self.entry(entry).await,
                Event::Stanza(stanza) => self.say(&stanza),
                Event::Change(change) => self.change(*change).await,
                Event::End(notes) => self.end(&notes),
            }
            if self.behind.swap(false, Ordering::AcqRel) {
                self.catch_up().await;
            }
        }
    }

    /// The next entry of the log in its turn; a gap is read from the store.
    async fn entry(&mut self, entry: Arc<Entry>) {
        if entry.useq == Useq(0) {
            self.pass(&entry);
        } else if entry.useq == self.last.next() {
            self.hand_out(&entry);
        } else if entry.useq > self.last {
            self.catch_up().await;
        }
    }

    async fn catch_up(&mut self) {
        while let Some(core) = self.core.upgrade() {
            match core.store.events_after(self.place.uid, self.last, limits::CATCH_UP).await {
                Ok(page) if page.is_empty() => return,
                Ok(page) => page.into_iter().for_each(|entry| self.hand_out(&Arc::new(entry))),
                // It is in the log: the next event looks there again.
                Err(error) => {
                    self.behind.store(true, Ordering::Release);
                    tracing::warn!(uid = self.place.uid.0, %error, "a room's log could not be read");
                    return;
                }
            }
        }
    }

    fn hand_out(&mut self, entry: &Arc<Entry>) {
        self.last = entry.useq;
        if entry.flags.has(flags::SUBJECT) {
            self.place.set_subject(history::subject_of(entry));
        }
        if entry.flags.has(Flags::RETRACTED) {
            return;
        }
        match history::said(&self.place, entry) {
            Ok(said) => {
                let said = Arc::new(said);
                self.seats().for_each(|seat| seat.session.hear(&said));
            }
            Err(error) => {
                tracing::error!(
                    uid = self.place.uid.0,
                    useq = entry.useq.0,
                    ?error,
                    "a stored message cannot be read"
                )
            }
        }
    }

    fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.audience.values().flat_map(|listener| &listener.occupant.seats)
    }

    /// Something that is in no log, to everybody. Nobody needs to know later who was typing.
    fn pass(&self, entry: &Entry) {
        let state = entry.flags.has(flags::STATE);
        for Seat { session, .. } in self.seats() {
            if !(state && session.state().is_away()) {
                session.push(addressed(&entry.stanza, session.jid.as_str()));
            }
        }
    }

    /// A stanza of the room, without `to`, to everybody.
    fn say(&self, stanza: &Bytes) {
        for Seat { session, .. } in self.seats() {
            session.push(addressed(stanza, session.jid.as_str()));
        }
    }

    async fn change(&mut self, change: Change) {
        for Seat { session, .. } in change.after.iter().flat_map(|after| &after.seats) {
            session.state().hears(self.place.uid, self.last, change.quiet);
        }
        if let (Some(greeting), Some(core)) = (&change.greeting, self.core.upgrade()) {
            // Whoever is told that it is in the room is in it after a restart, too.
            core.journal.snapshot_if_live(&greeting.session);
        }
        if let Some(greeting) = change.greeting.as_ref().filter(|_| !change.quiet) {
            self.introduce(&change, greeting);
        }
        let was_known =
            change.before.as_ref().is_some_and(|lost| change.lost && self.shows(lost, &change.config));
        let was_shown = self.forget(change.before.as_deref()) || was_known;
        let shows = change.after.as_ref().is_some_and(|after| self.shows(after, &change.config));
        if !change.quiet {
            self.tell(&change, was_shown, shows);
        }
        if let Some(after) = &change.after {
            let listener = Listener { occupant: after.clone(), shown: shows };
            self.audience.insert(after.nick.clone(), listener);
        }
        if let Some(greeting) = change.greeting.filter(|_| !change.quiet) {
            self.recall(&greeting).await;
        }
    }

    /// Takes an occupant out; whether the others knew of it.
    fn forget(&mut self, before: Option<&Occupant>) -> bool {
        let listener = before.and_then(|before| self.audience.remove(&before.nick));
        listener.is_some_and(|listener| listener.shown)
    }

    /// Whether all are told of an occupant.
    fn shows(&self, occupant: &Occupant, config: &RoomConfig) -> bool {
        config.presence_of.contains(&occupant.role) && self.is_worth_it(occupant)
    }

    /// In a crowd only who keeps order is shown: presence of each to each would grow with the square of their number, and
    /// nobody reads it.
    fn is_worth_it(&self, occupant: &Occupant) -> bool {
        self.audience.len() < limits::ROOM_CROWD || occupant.role == Role::Moderator
    }

    /// Shows a session who else is here (§7.2.2): moderators and those whom all see come first, and of a crowd that one
    /// connection does not take the rest is left out.
    fn introduce(&self, change: &Change, greeting: &Greeting) {
        let Some(viewer) = &change.after else { return };
        let all = viewer.role == Role::Moderator;
        let others = self.audience.values().filter(|other| other.occupant.nick != viewer.nick);
        let seen = |other: &&Listener| all || (other.shown && self.is_worth_it(&other.occupant));
        let mut others: Vec<&Listener> = others.filter(seen).collect();
        others.sort_by_key(|other| (other.occupant.role != Role::Moderator, !other.shown));
        for other in others.into_iter().take(limits::ROOM_INTRODUCED) {
            if greeting.session.state().backlog() > limits::ROOM_INTRODUCED_BACKLOG {
                return;
            }
            let sees = sees(viewer, &change.config);
            let notes = Notes::default();
            let stanza = show::presence(&self.place, &other.occupant, Phase::Here, &notes, sees, &[]);
            greeting.session.push(addressed(&stanza, greeting.session.jid.as_str()));
        }
    }

    /// Tells everybody what happened to an occupant, who is not among them now.
    fn tell(&self, change: &Change, was_shown: bool, shows: bool) {
        if let (Some(before), Some(after)) = (&change.before, &change.after)
            && before.nick != after.nick
        {
            let phase = Phase::Renamed(&after.nick);
            self.tell_others(change, before, phase, was_shown);
            self.tell_own(change, before, phase, &after.seats);
        }
        match (&change.before, &change.after) {
            (_, Some(after)) if shows || !was_shown => {
                self.tell_others(change, after, Phase::Here, shows);
                self.tell_own(change, after, Phase::Here, &after.seats);
            }
            // It is here, but not to be seen any more.
            (_, Some(after)) => {
                self.tell_others(change, after, Phase::Gone, was_shown);
                self.tell_own(change, after, Phase::Here, &after.seats);
            }
            (Some(before), None) => self.tell_others(change, before, Phase::Gone, was_shown),
            (None, None) => {}
        }
        if let Some(before) = &change.before {
            let departed: Vec<Seat> = change.departed().cloned().collect();
            self.tell_own(change, before, Phase::Gone, &departed);
        }
    }

    /// The others are told if they know of it; moderators are in any case.
    fn tell_others(&self, change: &Change, occupant: &Occupant, phase: Phase<'_>, shown: bool) {
        let mut rendered: [Option<Bytes>; 2] = [None, None];
        let from = self.place.address_of(&occupant.nick);
        for viewer in self.audience.values().map(|listener| &listener.occupant) {
            if !shown && viewer.role != Role::Moderator {
                continue;
            }
            let sees = sees(viewer, &change.config);
            let stanza = rendered[usize::from(sees)].get_or_insert_with(|| {
                show::presence(&self.place, occupant, phase, &change.notes, sees, &[])
            });
            for Seat { session, .. } in &viewer.seats {
                session.state().queue_presence(&from, addressed(stanza, session.jid.as_str()));
            }
        }
    }

    /// Its own sessions are told in any case, and that it is about themselves (§7.2.2).
    fn tell_own(&self, change: &Change, occupant: &Occupant, phase: Phase<'_>, seats: &[Seat]) {
        for Seat { session, .. } in seats {
            let greeting =
                change.greeting.as_ref().filter(|greeting| Arc::ptr_eq(&greeting.session, session));
            let codes = greeting.map_or(&[status::SELF][..], |greeting| &greeting.codes);
            let stanza = show::presence(&self.place, occupant, phase, &change.notes, true, codes);
            session.push(addressed(&stanza, session.jid.as_str()));
        }
    }

    /// §10.9: everybody is told of the own way out, and of nobody else's.
    fn end(&mut self, notes: &Notes) {
        for Listener { occupant, .. } in std::mem::take(&mut self.audience).into_values() {
            let out = Occupant { affiliation: Affiliation::None, ..(*occupant).clone() };
            let stanza = show::presence(&self.place, &out, Phase::Gone, notes, false, &[status::SELF]);
            for Seat { session, .. } in &occupant.seats {
                session.push(addressed(&stanza, session.jid.as_str()));
            }
        }
    }

    /// What was said before, and what it is about (§7.2.13, §7.2.15).
    async fn recall(&self, greeting: &Greeting) {
        let Some(core) = self.core.upgrade() else { return };
        let said = history::read(&core, &self.place, &greeting.history, self.last).await;
        let subject = history::subject(&self.place);
        let photo =
            self.place.avatar.lock().as_deref().map(|hash| nodes::photo(&self.place.address, Some(hash)));
        for stanza in photo.iter().chain(&said).chain([&subject]) {
            greeting.session.push(addressed(stanza, greeting.session.jid.as_str()));
        }
    }
}

/// Whether a viewer sees the others' addresses (§4.2).
fn sees(viewer: &Occupant, config: &RoomConfig) -> bool {
    config.is_open() || viewer.role == Role::Moderator
}
