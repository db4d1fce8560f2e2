//! Small private groups: what is said in one also goes into the log of each of its members, whoever is in the room at the
//! moment, so that it is in their inboxes and counts as unread. Of a larger group, and of one that everybody may enter, only
//! the room's own log has what is said.

use super::occupant::Occupant;
use super::room::Room;
use crate::pipeline::archived;
use crate::{Core, Ctx, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_store::limits::SMALL_GROUP;
use rookery_store::{Direction, Flags, Pointer};
use std::sync::Arc;

/// What goes into the members' logs of something that an occupant says.
pub(super) async fn pointers(
    ctx: &Ctx<'_>,
    room: &Room,
    speaker: &Occupant,
) -> Result<Vec<Pointer>, StanzaError> {
    let mut pointers = Vec::new();
    let address: Jid = room.place.address.clone().into();
    for uid in members(ctx.core, room).await?.iter() {
        let Some(member) = ctx.core.directory.member(*uid).await.map_err(store_error)? else { continue };
        // XEP-0191 §3.2: nothing of a group that one blocks.
        if member.blocks(&address) {
            continue;
        }
        let own = *uid == speaker.uid;
        let wanted = archived(ctx.core, &member, &room.place.address, Flags::ARCHIVE).await?;
        pointers.push(Pointer {
            uid: *uid,
            peer: room.place.address.clone(),
            peer_resource: Some(speaker.nick.clone()),
            direction: if own { Direction::Out } else { Direction::In },
            resource: own.then(|| ctx.session.resource().into()),
            flags: Flags::GROUP | wanted,
        });
    }
    Ok(pointers)
}

/// The members of a group that is small and private; nobody for any other.
async fn members(core: &Core, room: &Room) -> Result<Arc<[Uid]>, StanzaError> {
    let (known, people, version) = {
        let state = room.state();
        if !state.config.is_private() || state.members() > SMALL_GROUP {
            return Ok(Arc::default());
        }
        (state.logs(), state.member_addresses(), state.version())
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let mut uids = Vec::with_capacity(people.len());
    for jid in people {
        uids.extend(account(core, &jid).await?);
    }
    let uids: Arc<[Uid]> = uids.into();
    room.state().set_logs(uids.clone(), version);
    Ok(uids)
}

/// The account here that has this address now.
async fn account(core: &Core, jid: &BareJid) -> Result<Option<Uid>, StanzaError> {
    let Some(local) = jid.node().filter(|_| jid.domain().as_str() == core.policy.domain) else {
        return Ok(None);
    };
    let member = core.directory.find(local.as_str()).await.map_err(store_error)?;
    Ok(member.map(|member| member.uid))
}
