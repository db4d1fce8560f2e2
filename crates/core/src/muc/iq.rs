//! Requests to the service of groups, to a room and to an occupant (XEP-0045 §6, §7.5, §10).

use super::occupant::Occupant;
use super::room::Room;
use super::{admin, archive, disco, moderation, owner, requests};
use crate::answer::{Answer, Reply};
use crate::dispatch::{result, sole_child};
use crate::xep::adhoc::At;
use crate::{Ctx, store_error, xep};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use std::sync::Arc;

/// Handles an IQ for a room or an occupant: answers it, or hands it on.
pub(crate) async fn iq(
    ctx: &Ctx<'_>,
    local: &str,
    nick: Option<&str>,
    kind: &str,
) -> Result<(), StanzaError> {
    let set = match kind {
        "get" => false,
        "set" => true,
        "result" | "error" => return answer(ctx, local, nick).await,
        _ => return Err(StanzaError::bad_request().text("There is no IQ of this type.")),
    };
    let payload = sole_child(ctx)?;
    let room = ctx.core.room(local).await?;
    // XEP-0191 §3: nothing goes out to whom one blocks.
    if room.as_ref().is_some_and(|room| ctx.member.blocks(&room.place.address.clone().into())) {
        return Err(StanzaError::blocked());
    }
    let reply = match (room, nick) {
        (Some(room), None) => of_room(ctx, &room, set, &payload).await?,
        (Some(room), Some(nick)) => match of_occupant(ctx, &room, nick, set, &payload).await? {
            Some(reply) => reply,
            None => return Ok(()),
        },
        // XEP-0410 §3.3: who pings where nothing is is not there either.
        (None, Some(_)) => return Err(StanzaError::not_acceptable()),
        (None, None) => return Err(StanzaError::item_not_found()),
    };
    result(ctx, reply);
    Ok(())
}

/// What a client asks of the service.
pub(crate) async fn of_service(ctx: &Ctx<'_>, set: bool, payload: &Child<'_>) -> Answer {
    match (set, payload.ns(), payload.name()) {
        (false, ns::DISCO_INFO, "query") => disco::service_info(payload),
        (false, ns::DISCO_ITEMS, "query") => disco::service_items(ctx, payload).await,
        (false, ns::PING, "ping") => Ok(Reply::Empty),
        (false, ns::VERSION, "query") => xep::version::get(),
        (false, ns::MUC_UNIQUE, "unique") => unique(ctx).await,
        _ => Err(StanzaError::service_unavailable()),
    }
}

/// XEP-0307: a number that is nobody else's, the same until it is used: numbers do not come back. It costs what entering a
/// room does.
async fn unique(ctx: &Ctx<'_>) -> Answer {
    let (core, rooms) = (ctx.core, &ctx.core.router.rooms);
    core.pace.join(ctx.member, core.env.now())?;
    let number = match rooms.promised(ctx.member.uid) {
        Some(number) => number,
        None => {
            let number = core.store.reserve_group().await.map_err(store_error)?;
            rooms.promise(number, ctx.member.uid);
            number
        }
    };
    let mut x = Xml::new();
    x.open_ns("unique", ns::MUC_UNIQUE).text(&number.to_string()).close();
    Ok(Reply::Payload(x.into_vec()))
}

/// What a client asks of a room.
async fn of_room(ctx: &Ctx<'_>, room: &Arc<Room>, set: bool, payload: &Child<'_>) -> Answer {
    match (set, payload.ns(), payload.name()) {
        (false, ns::DISCO_INFO, "query") => disco::room_info(ctx, room, payload).await,
        (false, ns::DISCO_ITEMS, "query") => disco::room_items(ctx, room, payload).await,
        (false, ns::PING, "ping") => Ok(Reply::Empty),
        (false, ns::MUC_ADMIN, "query") => admin::get(ctx, room, payload),
        (true, ns::MUC_ADMIN, "query") => admin::set(ctx, room, payload).await,
        (false, ns::MUC_OWNER, "query") => owner::get(ctx, room),
        (true, ns::MUC_OWNER, "query") => owner::set(ctx, room, payload).await,
        (false, ns::REGISTER, "query") => requests::get(ctx, room),
        (true, ns::REGISTER, "query") => requests::set(ctx, room, payload).await,
        (false, ns::MAM, "query") => archive::form(ctx, room),
        (true, ns::MAM, "query") => archive::query(ctx, room, payload).await,
        (false, ns::MAM, "metadata") => archive::metadata(ctx, room).await,
        (true, ns::COMMANDS, "command") => xep::adhoc::execute(ctx, payload, At::Group(room)).await,
        (true, ns::MODERATE, "moderate") => moderation::moderate(ctx, room, payload).await,
        (true, ns::FASTEN, "apply-to") => moderation::apply_to(ctx, room, payload).await,
        (false, ns::VCARD, "vCard") => xep::vcard::get(ctx, &ctx.core.as_member(room)).await,
        (true, ns::VCARD, "vCard") => xep::vcard::set(ctx, &ctx.core.as_member(room), payload).await,
        (_, ns::PUBSUB | ns::PUBSUB_OWNER, "pubsub") => {
            xep::pep::iq(ctx, &ctx.core.as_member(room), set, payload).await
        }
        _ => Err(StanzaError::service_unavailable()),
    }
}

/// What a client asks of an occupant: answered by the room or by the account behind it, or handed on (`None`).
async fn of_occupant(
    ctx: &Ctx<'_>,
    room: &Arc<Room>,
    nick: &str,
    set: bool,
    payload: &Child<'_>,
) -> Result<Option<Reply>, StanzaError> {
    let (asker, asked) = {
        let state = room.state();
        (state.occupant_of(ctx.session).cloned(), state.occupant(nick).cloned())
    };
    // §7.5 by analogy, XEP-0410 §3.3: who is not in the room asks nobody in it.
    let text = "You are not in this room.";
    let asker = asker.ok_or_else(|| StanzaError::not_acceptable().text(text))?;
    let asked = asked.ok_or_else(StanzaError::item_not_found)?;
    if asker.nick != asked.nick {
        if ctx.blocks_named()? {
            return Err(StanzaError::blocked());
        }
        if hears_not(ctx, room, &asked, &asker).await? {
            return Err(StanzaError::service_unavailable());
        }
    }
    match (set, payload.ns(), payload.name()) {
        // XEP-0410 §4: the room itself knows that it is there.
        (false, ns::PING, "ping") if asker.nick == asked.nick => return Ok(Some(Reply::Empty)),
        // A card is the account's, and needs no client to be shown; the account says who may see it.
        (false, ns::VCARD, "vCard") => {
            let member = ctx.core.member_of(asked.uid).await?;
            return xep::vcard::get(ctx, &member).await.map(Some);
        }
        _ => {}
    }
    let session = &asked.seat().session;
    let stanza = ctx.sent_on(&room.address_of(&asker.nick), Some(session.jid.as_str()), None);
    session.push(stanza.into());
    Ok(None)
}

/// An answer to what another occupant asked. Which of its sessions did only that session knows: all get it.
async fn answer(ctx: &Ctx<'_>, local: &str, nick: Option<&str>) -> Result<(), StanzaError> {
    let (Some(nick), Some(room)) = (nick, ctx.core.room(local).await?) else { return Ok(()) };
    let (from, to) = {
        let state = room.state();
        (state.occupant_of(ctx.session).cloned(), state.occupant(nick).cloned())
    };
    let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
    if hears_not(ctx, &room, &to, &from).await? {
        return Ok(());
    }
    for seat in &to.seats {
        let stanza = ctx.sent_on(&room.address_of(&from.nick), Some(seat.session.jid.as_str()), None);
        seat.session.push(stanza.into());
    }
    Ok(())
}

/// XEP-0191 §3: whether an occupant blocks another, under the address that it knows it by.
async fn hears_not(
    ctx: &Ctx<'_>,
    room: &Room,
    listener: &Occupant,
    speaker: &Occupant,
) -> Result<bool, StanzaError> {
    let theirs = ctx.core.member_of(listener.uid).await?;
    Ok(theirs.blocks(&crate::address::parse(&room.address_of(&speaker.nick))?))
}
