//! The rooms in use, and how they come into use.

use super::config::RoomConfig;
use super::fan::{Fan, Notes};
use super::hats::Hats;
use super::room::{Place, Room};
use crate::{Core, limits, store_error};
use bytes::Bytes;
use parking_lot::Mutex;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::{Entry, Group, GroupAffiliate, GroupAffiliation, GroupConfig};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

/// The rooms in use. One goes out of use when nobody holds it any more.
#[derive(Default)]
pub struct Rooms {
    known: Mutex<Known>,
    /// One room at a time comes into use, so that none is read before a change of it and kept after it.
    loading: tokio::sync::Mutex<()>,
    /// Numbers that were given to accounts for rooms that are not made yet (XEP-0307), the oldest first.
    promised: Mutex<VecDeque<(Uid, Uid)>>,
}

#[derive(Default)]
struct Known {
    rooms: HashMap<Uid, Weak<Room>>,
    names: HashMap<Box<str>, Weak<Room>>,
    /// When there are so many, those that went out of use are forgotten.
    tidy_at: usize,
}

impl Rooms {
    /// The room of this number, if it is in use.
    pub fn get(&self, uid: Uid) -> Option<Arc<Room>> {
        self.known.lock().rooms.get(&uid)?.upgrade()
    }

    /// All rooms in use.
    pub fn all(&self) -> Vec<Arc<Room>> {
        self.known.lock().rooms.values().filter_map(Weak::upgrade).collect()
    }

    /// The doorbell: an entry of a room's log was committed.
    pub fn appended(&self, uid: Uid, entry: &Arc<Entry>) {
        if let Some(room) = self.get(uid) {
            room.offer(entry);
        }
    }

    fn find(&self, local: &str) -> Option<Arc<Room>> {
        let known = self.known.lock();
        let room = match Uid::from_local(local) {
            Some(uid) => known.rooms.get(&uid)?,
            None => known.names.get(local)?,
        };
        room.upgrade()
    }

    fn add(&self, room: &Arc<Room>, name: Option<&str>) {
        let mut known = self.known.lock();
        if known.rooms.len() >= known.tidy_at {
            known.rooms.retain(|_, room| room.strong_count() > 0);
            known.names.retain(|_, room| room.strong_count() > 0);
            known.tidy_at = 2 * known.rooms.len() + limits::ROOMS_KEPT;
        }
        known.rooms.insert(room.place.uid, Arc::downgrade(room));
        if let Some(name) = name {
            known.names.insert(name.into(), Arc::downgrade(room));
        }
    }

    /// A room is no more.
    fn remove(&self, room: &Arc<Room>) {
        let mut known = self.known.lock();
        known.rooms.remove(&room.place.uid);
        known.names.retain(|_, other| other.as_ptr() != Arc::as_ptr(room));
    }

    /// Notes for whom a number is.
    pub(super) fn promise(&self, number: Uid, account: Uid) {
        let mut promised = self.promised.lock();
        if promised.len() >= limits::ROOMS_PROMISED {
            promised.pop_front();
        }
        promised.push_back((number, account));
    }

    /// The number that an account was given and has not used.
    pub(super) fn promised(&self, account: Uid) -> Option<Uid> {
        let promised = self.promised.lock();
        promised.iter().find(|(_, whose)| *whose == account).map(|(number, _)| *number)
    }

    /// Whether a number was given to this account; it is not any more.
    pub(super) fn redeem(&self, number: Uid, account: Uid) -> bool {
        let mut promised = self.promised.lock();
        let at = promised.iter().position(|promise| *promise == (number, account));
        at.is_some_and(|at| promised.remove(at).is_some())
    }
}

/// What the store must know of a configuration. What is locked is nobody's business yet, and does not last.
pub fn stored(config: &RoomConfig) -> GroupConfig {
    GroupConfig {
        text: config.to_text(),
        lasting: config.persistent && !config.locked,
        listed: config.public && !config.locked,
        days: Some(config.retention_days).filter(|days| *days > 0),
    }
}

/// What a group is set to; one that cannot be read is closed.
pub fn config_of(group: &Group) -> RoomConfig {
    RoomConfig::from_text(&group.config.text).unwrap_or_else(|| {
        tracing::error!(uid = group.uid.0, "what a group is set to cannot be read");
        RoomConfig { locked: true, public: false, persistent: true, ..RoomConfig::default() }
    })
}

impl Core {
    /// The address of a group.
    pub fn group_address(&self, group: &Group) -> BareJid {
        let local = group.name.clone().unwrap_or_else(|| group.uid.to_string());
        // Names were prepared when the group was made, numbers are digits, the host was checked at the start.
        BareJid::new(&format!("{local}@{}", self.policy.groups)).expect("stored names are valid localparts")
    }

    pub(super) fn place_of(&self, group: &Group) -> Place {
        Place {
            uid: group.uid,
            address: self.group_address(group),
            epoch: group.epoch,
            created: group.created,
            subject: Mutex::new(group.subject.clone()),
            avatar: Mutex::default(),
        }
    }

    /// The room with this number or name in its address, in use from now on; `None` if there is none.
    pub async fn room(&self, local: &str) -> Result<Option<Arc<Room>>, StanzaError> {
        loop {
            let room = match self.router.rooms.find(local) {
                Some(room) => room,
                None => match self.load_room(local).await? {
                    Some(room) => room,
                    None => return Ok(None),
                },
            };
            if !room.state().has_ended() {
                return Ok(Some(room));
            }
            // It is being ended: when that is done, there is perhaps another of its name.
            drop(room.changing.lock().await);
        }
    }

    async fn load_room(&self, local: &str) -> Result<Option<Arc<Room>>, StanzaError> {
        let rooms = &self.router.rooms;
        let _loading = rooms.loading.lock().await;
        if let Some(room) = rooms.find(local) {
            return Ok(Some(room));
        }
        let group = match Uid::from_local(local) {
            Some(uid) => self.store.group(uid).await,
            None => self.store.group_by_name(local).await,
        };
        let Some(group) = group.map_err(store_error)? else { return Ok(None) };
        let people = self.store.group_affiliates(group.uid).await.map_err(store_error)?;
        let place = self.place_of(&group);
        *place.avatar.lock() = self.announced_avatar(group.uid).await?;
        let hats = Hats::new(self.store.hats(group.uid).await.map_err(store_error)?);
        let (room, events, behind) = Room::new(place, config_of(&group), people, hats);
        rooms.add(&room, group.name.as_deref());
        // Read when the doorbell knows the room already: what is committed between is in the queue.
        let head = self.store.head(room.place.uid).await.map_err(store_error)?;
        let fan = Fan::new(self.this.clone(), room.place.clone(), behind, head.head);
        tokio::spawn(fan.run(events));
        Ok(Some(room))
    }

    /// Somebody has left a room: if nobody is in it and it does not last, it ends.
    pub(super) async fn vacated(&self, room: &Arc<Room>) {
        let passing = || {
            let state = room.state();
            state.occupants().len() == 0 && (!state.config.persistent || state.config.locked)
        };
        if !passing() {
            return;
        }
        let _changing = room.changing.lock().await;
        if !passing() || !room.state().end_if_empty() {
            return;
        }
        match self.store.destroy_group(room.place.uid).await {
            Ok(()) => self.forget_room(room).await,
            Err(error) => {
                // It is as if it had never been in use; the next one who enters finds it, or the next start ends it.
                self.router.rooms.remove(room);
                tracing::warn!(uid = room.place.uid.0, %error, "a room that nobody is in any more is not deleted");
            }
        }
    }

    /// Ends a room for good, in the store first: then everybody in it is told so by `end`, which is `<destroy/>` (§10.9), and
    /// let go. The caller holds [`Room::changing`].
    pub(super) async fn destroy_room(&self, room: &Arc<Room>, end: Bytes) -> Result<(), StanzaError> {
        self.store.destroy_group(room.place.uid).await.map_err(store_error)?;
        let notes = Notes { destroyed: Some(end), ..Notes::default() };
        for occupant in room.end(notes).await? {
            self.let_go(room, &occupant.seats);
        }
        self.forget_room(room).await;
        Ok(())
    }

    /// A room is deleted: whoever looks for it finds none, and what was said in it goes.
    async fn forget_room(&self, room: &Arc<Room>) {
        self.router.rooms.remove(room);
        if let Err(error) = self.store.erase_group(room.place.uid).await {
            tracing::warn!(uid = room.place.uid.0, %error, "what was said in a group goes later");
        }
    }

    /// An account is gone, and no group's lists know it any more: neither do the rooms in use.
    pub(crate) fn forget_in_rooms(&self, who: &BareJid) {
        let nothing = GroupAffiliate {
            jid: who.clone(),
            affiliation: GroupAffiliation::None,
            nick: None,
            reason: None,
        };
        for room in self.router.rooms.all() {
            let mut state = room.state();
            if state.people().any(|person| person.jid == *who) {
                state.affiliated(vec![nothing.clone()]);
            }
            state.hats.forget(who);
        }
    }

    /// After a start: rooms that do not last and that no session came back to end.
    pub async fn end_passing_rooms(&self) -> rookery_store::Result<()> {
        let mut after = Uid(0);
        loop {
            let uids = self.store.passing_groups(after, rookery_store::limits::PAGE).await?;
            let Some(last) = uids.last() else { return Ok(()) };
            after = *last;
            for uid in uids {
                if self.router.rooms.get(uid).is_none() {
                    self.store.destroy_group(uid).await?;
                    self.store.erase_group(uid).await?;
                }
            }
        }
    }
}
