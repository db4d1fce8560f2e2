//! Occupants over a restart of the server: each session that comes back is in its rooms again, and nobody is told, as
//! nobody was told that it was gone. Of those who do not come back the others are told then.

use super::fan::Change;
use super::join::said;
use super::occupant::occupant_id;
use super::privilege::Role;
use super::room::{Room, State, newcomer};
use crate::Core;
use crate::session::Session;
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::FullJid;
use rookery_proto::stanza::Stanza;
use rookery_proto::{Uid, Useq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A session's visit in a room, as the restart journal has it.
#[derive(Serialize, Deserialize)]
pub struct Visit {
    room: u64,
    nick: String,
    role: Role,
    /// Its place in the room's log.
    last: u64,
}

impl Room {
    /// The visit of a session that has everything up to `last`; `None` if it is not in the room.
    pub(crate) fn visit(&self, session: &Session, last: Useq) -> Option<Visit> {
        let occupant = self.state().occupant_of(session)?.clone();
        Some(Visit {
            room: self.place.uid.0,
            nick: occupant.nick.to_string(),
            role: occupant.role,
            last: last.0,
        })
    }
}

/// What is told of an occupant that did not come back; nothing if one of its name is here.
fn lost(core: &Core, room: &Room, state: &State, session: &Arc<Session>, visit: &Visit) -> Option<Change> {
    if state.occupant(&visit.nick).is_some() {
        return None;
    }
    let id = occupant_id(&core.secret, room.place.uid, session.uid);
    let affiliation = state.affiliation(&session.address);
    let before = newcomer(&visit.nick, &session.address, session.uid, id, affiliation, visit.role);
    let before = Arc::new(before.with(session, Bytes::new()));
    Some(Change { lost: true, ..Change::new(Some(before), None, &state.config) })
}

impl Core {
    /// Seats a restored session in the rooms that it was in. `later` is how far it came in their logs after the snapshot,
    /// `presence` what it said of itself when it became available. Gives the visits that are over.
    pub(crate) async fn return_to_rooms(
        &self,
        session: &Arc<Session>,
        visits: Vec<Visit>,
        later: &BTreeMap<Uid, Useq>,
        presence: &[u8],
    ) -> Vec<Visit> {
        let mut over = Vec::new();
        for visit in visits {
            let room = Uid(visit.room);
            let last = later.get(&room).copied().unwrap_or_default().max(Useq(visit.last));
            if let Err(error) = self.return_to(session, &visit, last, presence).await {
                let uid = session.uid.0;
                tracing::warn!(uid, room = room.0, ?error, "a session is not back in its room");
                over.push(visit);
            }
        }
        over
    }

    /// Tells those who are back in rooms that a session which was in them is not.
    pub(crate) async fn stays_away(&self, uid: Uid, jid: &str, visits: Vec<Visit>) {
        // Of an account that is gone everybody was told when it went.
        let Ok(Some(member)) = self.directory.member(uid).await else { return };
        let Ok(jid) = FullJid::new(jid) else { return };
        let session = Arc::new(Session::new(jid, &member, self.env.now()));
        for visit in visits {
            // Whoever came back holds the room in use.
            let Some(room) = self.router.rooms.get(Uid(visit.room)) else { continue };
            if let Err(error) = room.act(|state| Ok((lost(self, &room, state, &session, &visit), ()))).await {
                tracing::warn!(
                    uid = uid.0,
                    room = visit.room,
                    ?error,
                    "it was not told that somebody is gone"
                );
            }
        }
    }

    async fn return_to(
        &self,
        session: &Arc<Session>,
        visit: &Visit,
        last: Useq,
        presence: &[u8],
    ) -> Result<(), StanzaError> {
        let Some(room) = self.room(&visit.room.to_string()).await? else { return Ok(()) };
        let presence = Stanza::parse(presence).ok().and_then(|stanza| said(&stanza).ok()).unwrap_or_default();
        let id = occupant_id(&self.secret, room.place.uid, session.uid);
        if !session.state().returns(&room, last) {
            return Ok(());
        }
        let outcome = room
            .act(|state| {
                let affiliation = state.affiliation(&session.address);
                let taken = state.occupant(&visit.nick).is_some_and(|other| other.uid != session.uid);
                if taken || !affiliation.may_enter(state.config.members_only) {
                    return Err(StanzaError::forbidden());
                }
                let occupant =
                    newcomer(&visit.nick, &session.address, session.uid, id, affiliation, visit.role);
                let mut change = state.seat(occupant, session, presence, None);
                change.quiet = true;
                Ok((Some(change), ()))
            })
            .await;
        if outcome.is_err() {
            session.state().leaves(&room);
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
