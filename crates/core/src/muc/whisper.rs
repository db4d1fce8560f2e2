//! Private messages between occupants (XEP-0045 §7.5). They are in the archives of both, and wait for nobody: whoever is
//! not in the room does not get them.

use super::message::{as_occupant, speaker, with};
use super::occupant::Occupant;
use super::privilege::Affiliation;
use super::room::Room;
use crate::pipeline::{After, Kind, Step, archived, classify, origin};
use crate::presence::broadcast::addressed;
use crate::render::archive_id;
use crate::session::Session;
use crate::{Ctx, flags, store_error};
use bytes::Bytes;
use rookery_proto::Useq;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::write_with;
use rookery_proto::xml::Xml;
use rookery_store::{Append, Direction, Flags, Pointer};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// A private message on its way to the sessions of an occupant.
pub struct Handout {
    /// Without `to`.
    stanza: Bytes,
    sessions: Vec<Arc<Session>>,
    /// It is in the receiver's archive, and in the first of the logs that it went to.
    archived: bool,
}

impl Handout {
    /// Hands it out; `useqs` are the positions that it was given.
    pub fn send(self, useqs: &[Useq]) {
        let useq = useqs.first().filter(|_| self.archived);
        for session in self.sessions {
            let mut stanza = self.stanza.clone();
            if let Some(useq) = useq {
                let (mut x, mut out) = (Xml::new(), Vec::new());
                let id = archive_id(*useq, session.epoch);
                x.open_ns("stanza-id", ns::SID).attr("by", session.address.as_str()).attr("id", &id).close();
                if write_with(&stanza, false, &x.into_vec(), &mut out).is_ok() {
                    stanza = out.into();
                }
            }
            session.push(addressed(&stanza, session.jid.as_str()));
        }
    }
}

/// Something for one occupant.
pub(super) async fn whisper(
    ctx: &Ctx<'_>,
    kind: Kind,
    room: &Arc<Room>,
    nick: &str,
) -> Result<Step, StanzaError> {
    if ctx.core.policy.gate.is_some() {
        let stranger = speaker(ctx, room)?.affiliation < Affiliation::Member;
        ctx.screen_in_group(&room.address_of(nick), stranger).await?;
    }
    let speaker = speaker(ctx, room)?;
    let (listener, allowed) = {
        let state = room.state();
        (state.occupant(nick).cloned(), state.config.private_messages.has(speaker.role))
    };
    if !allowed {
        return Err(StanzaError::forbidden().text("This room does not let you send private messages."));
    }
    // §7.5
    let listener =
        listener.ok_or_else(|| StanzaError::item_not_found().text("Nobody here has this nick."))?;
    let theirs = ctx.core.member_of(listener.uid).await?;
    let from = crate::address::parse(&room.address_of(&speaker.nick))?;
    // By the address that the listener knows: one that blocks the account behind it must not learn who that is.
    if theirs.blocks(&from) {
        return Err(StanzaError::service_unavailable());
    }
    if ctx.blocks_named()? {
        return Err(StanzaError::blocked());
    }
    let mut x = Xml::new();
    // §7.5: so that nobody takes it for a message of somebody outside.
    x.leaf_ns("x", ns::MUC_USER);
    let stanza = with(&as_occupant(ctx, room, &speaker)?, &x.into_vec())?;
    let sessions = listener.seats.iter().map(|seat| seat.session.clone()).collect();
    let class = classify(ctx.stanza, kind);
    let mut pointers: SmallVec<[Pointer; 2]> = SmallVec::new();
    if class.has(Flags::DELIVER) {
        pointers = sides(ctx, room, &speaker, &listener, class).await?;
    }
    let archived = pointers.first().is_some_and(|pointer| pointer.direction == Direction::In);
    let handout = Handout { stanza: stanza.clone().into(), sessions, archived };
    if pointers.is_empty() {
        return Ok(Step::Deliver(SmallVec::new(), Some(After::Handout(handout))));
    }
    let append = Append {
        stanza: addressed(&stanza.into(), &room.address_of(nick)),
        at: ctx.core.env.now(),
        flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER | Flags::COPY).0) | flags::WHISPER,
        pointers,
        origin: origin(ctx, &room.place.address),
    };
    let pending = ctx.store.append(append).await.map_err(store_error)?;
    Ok(Step::Commit(pending, Some(After::Handout(handout))))
}

/// The logs that it goes into, the listener's first: of those who want it archived.
async fn sides(
    ctx: &Ctx<'_>,
    room: &Room,
    speaker: &Occupant,
    listener: &Occupant,
    class: Flags,
) -> Result<SmallVec<[Pointer; 2]>, StanzaError> {
    let address = &room.place.address;
    let mut pointers: SmallVec<[Pointer; 2]> = smallvec![];
    let theirs = ctx.core.member_of(listener.uid).await?;
    if archived(ctx.core, &theirs, address, class).await?.has(Flags::ARCHIVE) {
        pointers.push(Pointer {
            uid: listener.uid,
            peer: address.clone(),
            peer_resource: Some(speaker.nick.clone()),
            direction: Direction::In,
            resource: None,
            flags: Flags::ARCHIVE,
        });
    }
    let own = listener.uid == speaker.uid;
    if !own && archived(ctx.core, ctx.member, address, class).await?.has(Flags::ARCHIVE) {
        pointers.push(Pointer {
            uid: speaker.uid,
            peer: address.clone(),
            peer_resource: Some(listener.nick.clone()),
            direction: Direction::Out,
            resource: Some(ctx.session.resource().into()),
            flags: Flags::ARCHIVE,
        });
    }
    Ok(pointers)
}
