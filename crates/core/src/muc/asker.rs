//! Who asks something of a room, as the room knows them.

use super::privilege::{Affiliation, Refusal, Role, Standing};
use super::room::{Room, State};
use crate::Ctx;
use rookery_proto::jid::BareJid;

/// Who asks.
pub(super) struct Asker {
    /// The account's address.
    pub(super) jid: BareJid,
    /// The nick, of who is in the room.
    pub(super) nick: Option<Box<str>>,
    /// What that one may.
    pub(super) standing: Standing,
}

impl Asker {
    /// The sender of a request: with any of its sessions that is in the room, or from outside.
    pub(super) fn of(ctx: &Ctx<'_>, room: &Room) -> Asker {
        Asker::among(&room.state(), &ctx.member.address)
    }

    /// An account among those in the room and in its lists.
    pub(super) fn among(state: &State, jid: &BareJid) -> Asker {
        let visits = state.occupants().filter(|occupant| occupant.real == *jid);
        let visit = visits.max_by_key(|occupant| occupant.role);
        let role = visit.map_or(Role::None, |occupant| occupant.role);
        Asker {
            jid: jid.clone(),
            nick: visit.map(|occupant| occupant.nick.clone()),
            standing: Standing { affiliation: state.affiliation(jid), role },
        }
    }

    /// Refuses who stands lower than this.
    pub(super) fn must_be(&self, affiliation: Affiliation) -> Result<(), Refusal> {
        if self.standing.affiliation >= affiliation { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}
