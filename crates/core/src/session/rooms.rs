//! The rooms that a session is in (XEP-0045).

use super::State;
use crate::limits;
use crate::muc::Room;
use rookery_proto::error::StanzaError;
use std::sync::Arc;

/// Few sessions are in a room: those that are have this.
#[derive(Default)]
pub(super) struct Rooms(Vec<Arc<Room>>);

impl State {
    /// The session is about to enter a room, and keeps it in use.
    pub fn enters(&mut self, room: &Arc<Room>) -> Result<(), StanzaError> {
        let Rooms(rooms) = &mut **self.rooms.get_or_insert_default();
        if rooms.iter().any(|other| Arc::ptr_eq(other, room)) {
            return Ok(());
        }
        if rooms.len() >= limits::ROOMS_OF_SESSION {
            return Err(StanzaError::policy_violation().text("You are in too many rooms."));
        }
        rooms.push(room.clone());
        Ok(())
    }

    /// The session is not in this room any more.
    pub fn leaves(&mut self, room: &Arc<Room>) {
        let Some(rooms) = &mut self.rooms else { return };
        rooms.0.retain(|other| !Arc::ptr_eq(other, room));
        if rooms.0.is_empty() {
            self.rooms = None;
        }
    }

    /// The rooms that the session is in.
    pub fn rooms(&self) -> Vec<Arc<Room>> {
        self.rooms.as_ref().map(|rooms| rooms.0.clone()).unwrap_or_default()
    }
}
