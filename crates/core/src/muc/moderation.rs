//! What was said is taken back: by who said it (XEP-0424), or by a moderator (XEP-0425). A tombstone stays in its place, in
//! the room's log and in those of its members.

use super::message::{append, speaker};
use super::occupant::Occupant;
use super::privilege::Role;
use super::room::Room;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use crate::render::parse_archive_id;
use crate::xep::Xep;
use crate::{Ctx, limits, store_error};
use rookery_proto::Useq;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{Entry, Flags};
use std::sync::Arc;

/// XEP-0425.
pub const INFO: Xep = Xep {
    number: "XEP-0425",
    name: "Moderated Message Retraction",
    version: "0.3.0",
    server: &[],
    account: &[],
    note: "Whole; asked for and told in the older form (`urn:xmpp:message-moderate:0`), too.",
};

/// Empties what a message of an occupant takes back (XEP-0424 §3.2): what it said itself, by the room's own id. What is not
/// there is nobody's, and the message goes on as any other.
pub(super) async fn retract(
    ctx: &Ctx<'_>,
    room: &Room,
    speaker: &Occupant,
    retraction: &Child<'_>,
) -> Result<(), StanzaError> {
    let id = retraction.attr("id");
    let id =
        id.ok_or_else(|| StanzaError::bad_request().text("A retraction names the id of what it retracts."))?;
    let Some(entry) = find(ctx, room, &id).await? else { return Ok(()) };
    if entry.peer != speaker.real {
        return Err(StanzaError::forbidden().text("Somebody else has said that."));
    }
    let retraction = ctx.stanza.id();
    let stone = tombstone(ctx, &entry, |x| {
        x.opt("id", retraction.as_deref());
    });
    empty(ctx, &entry, stone).await
}

/// A moderator's request (XEP-0425 §3), in its form of today.
pub(super) async fn moderate(ctx: &Ctx<'_>, room: &Arc<Room>, payload: &Child<'_>) -> Answer {
    let wants = payload.child(ns::RETRACT, "retract").is_some();
    let reason = payload.child(ns::MODERATE, "reason");
    carry_out(ctx, room, payload, wants, reason).await
}

/// The same as it was written before version 0.3.
pub(super) async fn apply_to(ctx: &Ctx<'_>, room: &Arc<Room>, payload: &Child<'_>) -> Answer {
    let moderate =
        payload.child(ns::MODERATE_OLD, "moderate").ok_or_else(StanzaError::service_unavailable)?;
    let wants = moderate.child(ns::RETRACT_OLD, "retract").is_some();
    carry_out(ctx, room, payload, wants, moderate.child(ns::MODERATE_OLD, "reason")).await
}

async fn carry_out(
    ctx: &Ctx<'_>,
    room: &Arc<Room>,
    named: &Child<'_>,
    wants: bool,
    reason: Option<Child<'_>>,
) -> Answer {
    let moderator = speaker(ctx, room)?;
    if moderator.role != Role::Moderator {
        return Err(StanzaError::forbidden());
    }
    let id = named.attr("id").filter(|_| wants).ok_or_else(StanzaError::bad_request)?;
    let reason = reason.map(|reason| reason.text().into_owned());
    if reason.as_ref().is_some_and(|reason| reason.len() > limits::ROOM_TEXT) {
        return Err(StanzaError::policy_violation().text("The reason is too long."));
    }
    let entry = find(ctx, room, &id).await?.ok_or_else(StanzaError::item_not_found)?;
    let moderated = moderated(room, &moderator);
    let stone = tombstone(ctx, &entry, |x| {
        x.raw(&moderated);
        if let Some(reason) = &reason {
            x.text_element("reason", reason);
        }
    });
    empty(ctx, &entry, stone).await?;
    let told = announcement(ctx, room, &moderator, &id, &moderated, reason.as_deref());
    let pending = ctx.core.store.append(append(ctx, room, &moderator, told, Flags::default()).await?).await;
    pending.map_err(store_error)?.await.map_err(store_error)?;
    Ok(Reply::Empty)
}

/// The entry of this id in the room's archive.
async fn find(ctx: &Ctx<'_>, room: &Room, id: &str) -> Result<Option<Entry>, StanzaError> {
    let Some(useq) = parse_archive_id(id, room.place.epoch).filter(|useq| *useq > Useq(0)) else {
        return Ok(None);
    };
    let found =
        ctx.core.store.events_after(room.place.uid, Useq(useq.0 - 1), 1).await.map_err(store_error)?;
    Ok(found.into_iter().find(|entry| entry.useq == useq))
}

async fn empty(ctx: &Ctx<'_>, entry: &Entry, stone: Vec<u8>) -> Result<(), StanzaError> {
    ctx.core.store.withdraw(entry.message, entry.stanza.clone(), stone.into()).await.map_err(store_error)?;
    Ok(())
}

/// What stays of a message (XEP-0424 §5): who said it, and that it is gone.
fn tombstone(ctx: &Ctx<'_>, entry: &Entry, retracted: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let said = Stanza::parse(&entry.stanza).ok();
    let of = |name: &str| said.as_ref().and_then(|said| said.attr(name));
    let mut x = Xml::new();
    x.open("message").attr("type", "groupchat").opt("from", of("from")).opt("id", of("id"));
    let occupant = said.as_ref().and_then(|said| said.child(ns::OCCUPANT_ID, "occupant-id"));
    if let Some(occupant) = occupant {
        x.raw(occupant.xml());
    }
    x.open_ns("retracted", ns::RETRACT).attr("stamp", &stamp(ctx.core.env.now()));
    retracted(&mut x);
    x.close().close();
    x.into_vec()
}

/// `<moderated/>`: by whom.
fn moderated(room: &Room, moderator: &Occupant) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("moderated", ns::MODERATE).attr("by", &room.address_of(&moderator.nick));
    x.open_ns("occupant-id", ns::OCCUPANT_ID).attr("id", &moderator.id).close().close();
    x.into_vec()
}

/// What everybody is told (XEP-0425 §3): in the form of today and in the older one, each of which clients pass over that do
/// not know it.
fn announcement(
    ctx: &Ctx<'_>,
    room: &Room,
    moderator: &Occupant,
    id: &str,
    moderated: &[u8],
    reason: Option<&str>,
) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", room.place.address.as_str()).attr("type", "groupchat");
    x.attr("id", &ctx.core.env.token());
    x.open_ns("retract", ns::RETRACT).attr("id", id).raw(moderated);
    if let Some(reason) = reason {
        x.text_element("reason", reason);
    }
    x.close();
    x.open_ns("apply-to", ns::FASTEN).attr("id", id);
    x.open_ns("moderated", ns::MODERATE_OLD).attr("by", &room.address_of(&moderator.nick));
    x.leaf_ns("retract", ns::RETRACT_OLD);
    if let Some(reason) = reason {
        x.text_element("reason", reason);
    }
    x.close().close().close();
    x.into_vec()
}
