//! Who is in a room.

use super::privilege::{Affiliation, Role};
use crate::secret::Secret;
use crate::session::Session;
use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use smallvec::SmallVec;
use std::sync::Arc;

/// An occupant as the others know it: an account under a nick. It is never changed but replaced, so that whoever tells of
/// it tells of one moment.
#[derive(Clone)]
pub struct Occupant {
    /// The nick.
    pub nick: Box<str>,
    /// The account's address, which only those see who may.
    pub real: BareJid,
    /// The account.
    pub uid: Uid,
    /// What it is known by in this room for ever (XEP-0421).
    pub id: Arc<str>,
    /// How it stands to the room.
    pub affiliation: Affiliation,
    /// What it is in this visit.
    pub role: Role,
    /// What it wears (XEP-0317): `<hats/>`, if there is anything in it.
    pub hats: Option<Bytes>,
    /// The sessions that are here under this nick; the one that spoke of its presence last is the last. There is at least
    /// one.
    pub seats: SmallVec<[Seat; 1]>,
}

/// One session of an occupant.
#[derive(Clone)]
pub struct Seat {
    /// The session.
    pub session: Arc<Session>,
    /// What it says of its presence: elements, in canonical form.
    pub presence: Bytes,
}

impl Occupant {
    /// The session that speaks for the occupant: the one that did last.
    pub fn seat(&self) -> &Seat {
        self.seats.last().expect("an occupant has a session")
    }

    /// Whether this session is one of its own.
    pub fn has(&self, session: &Arc<Session>) -> bool {
        self.seats.iter().any(|seat| Arc::ptr_eq(&seat.session, session))
    }

    /// The same with a session that says this of its presence, which is the one to be shown.
    pub(super) fn with(&self, session: &Arc<Session>, presence: Bytes) -> Occupant {
        let mut occupant = self.clone();
        occupant.seats.retain(|seat| !Arc::ptr_eq(&seat.session, session));
        occupant.seats.push(Seat { session: session.clone(), presence });
        occupant
    }

    /// The same without a session; `None` if it was the last.
    pub(super) fn without(&self, session: &Arc<Session>) -> Option<Occupant> {
        let mut occupant = self.clone();
        occupant.seats.retain(|seat| !Arc::ptr_eq(&seat.session, session));
        (!occupant.seats.is_empty()).then_some(occupant)
    }
}

/// What an account is known by in a room (XEP-0421 §4): it says nothing of the account, and nothing of it in other rooms.
pub(super) fn occupant_id(secret: &Secret, room: Uid, account: Uid) -> Arc<str> {
    let hash = secret.derive("occupant-id", &[&room.0.to_be_bytes(), &account.0.to_be_bytes()]);
    data_encoding::BASE64URL_NOPAD.encode(&hash[..16]).into()
}
