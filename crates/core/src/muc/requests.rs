//! Becoming a member of a room (XEP-0045 §7.10, XEP-0077), and deciding about those who want to (§9.9). Requests wait in a
//! node of the room that no client can name.

use super::asker::Asker;
use super::privilege::{self, Affiliation};
use super::registration::{self, Decision, Registration};
use super::room::{Room, State};
use super::{admin, affiliate, join, mediate};
use crate::answer::{Answer, Reply};
use crate::pipeline::Step;
use crate::xep::pep;
use crate::{Ctx, letter, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Purpose};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Item, ItemChange, Node};
use std::sync::Arc;

/// The node that keeps what waits: an item for each account, the oldest makes room for one more.
pub(crate) fn node() -> Node {
    pep::hidden("membership-requests", limits::ROOM_REQUESTS)
}

/// How one stands to the room, and the form to be filled in (§7.10).
pub(super) fn get(ctx: &Ctx<'_>, room: &Room) -> Answer {
    let state = room.state();
    let asker = Asker::among(&state, &ctx.member.address);
    let mut x = Xml::new();
    x.open_ns("query", ns::REGISTER);
    if asker.standing.affiliation >= Affiliation::Member {
        x.leaf("registered");
        if let Some(nick) = kept_nick(&state, &asker.jid) {
            x.text_element("username", nick);
        }
    } else {
        may_register(&state, &asker)?;
        x.text_element("instructions", "Fill in the form to become a member of this room.");
        registration::form(asker.nick.as_deref()).write(Purpose::Form, &mut x);
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

fn kept_nick<'a>(state: &'a State, jid: &BareJid) -> Option<&'a str> {
    state.people().find(|who| who.jid == *jid).and_then(|who| who.nick.as_deref())
}

fn may_register(state: &State, asker: &Asker) -> Result<(), StanzaError> {
    match asker.standing.affiliation {
        Affiliation::Outcast => Err(StanzaError::forbidden().text("You are banned from this room.")),
        Affiliation::None if !state.config.registration || state.config.locked => {
            Err(StanzaError::not_allowed().text("This room takes no new members by request."))
        }
        _ => Ok(()),
    }
}

/// A form that was filled in, or the end of a membership (XEP-0077 §3.2).
pub(super) async fn set(ctx: &Ctx<'_>, room: &Arc<Room>, query: &Child<'_>) -> Answer {
    let changing = room.changing.lock().await;
    let asker = Asker::of(ctx, room);
    if query.child(ns::REGISTER, "remove").is_some() {
        leave(ctx, room, &asker).await?;
        drop(changing);
        ctx.core.vacated(room).await;
        return Ok(Reply::Empty);
    }
    let form = query.child(ns::DATA_FORMS, "x");
    let form = form.ok_or_else(|| StanzaError::bad_request().text("There is no form."))?;
    let answers = Answers::read(&form)?;
    if answers.is_canceled() {
        return Ok(Reply::Empty);
    }
    let wanted = registration::read(&answers)?;
    let (affiliation, approval) = {
        let state = room.state();
        may_register(&state, &asker)?;
        join::check_nick(&wanted.nick)?;
        join::free(&state, &wanted.nick, &asker.jid)?;
        let approval = Registration::wants_approval(state.config.members_only, state.config.moderated);
        (asker.standing.affiliation, approval)
    };
    if affiliation == Affiliation::None && approval {
        wait(ctx, room, &asker.jid, wanted).await?;
    } else {
        // Who is a member already gets another nick.
        let to = affiliation.max(Affiliation::Member);
        let row = affiliate::row(&room.state(), &asker.jid, to, Some(wanted.nick), None);
        affiliate::apply(ctx.core, &ctx.store, room, None, vec![row]).await?;
    }
    Ok(Reply::Empty)
}

/// Who goes for good. Who has only asked takes that back.
async fn leave(ctx: &Ctx<'_>, room: &Arc<Room>, asker: &Asker) -> Result<(), StanzaError> {
    let affiliation = asker.standing.affiliation;
    if affiliation < Affiliation::Member {
        return forget(ctx, room, &asker.jid).await;
    }
    privilege::may_set_affiliation(affiliation, affiliation, Affiliation::None, true)?;
    let row = affiliate::row(&room.state(), &asker.jid, Affiliation::None, None, None);
    affiliate::apply(ctx.core, &ctx.store, room, Some(asker), vec![row]).await
}

/// Keeps a request, and writes to those who decide about it (§9.9).
async fn wait(
    ctx: &Ctx<'_>,
    room: &Arc<Room>,
    jid: &BareJid,
    wanted: Registration,
) -> Result<(), StanzaError> {
    let core = ctx.core;
    let known = core.store.items_by_id(room.place.uid, &node().name, vec![jid.to_string()]).await;
    let again = !known.map_err(store_error)?.is_empty();
    let item = Item {
        id: jid.to_string(),
        at: core.env.now(),
        publisher: jid.to_string(),
        payload: wanted.to_xml().into(),
    };
    let kept = ctx.store.change_items(room.place.uid, vec![ItemChange::Publish(node(), item)]).await;
    kept.map_err(store_error)?;
    // Who asks again changes the words, and nobody is asked twice.
    if again {
        return Ok(());
    }
    let (mut staff, name) = {
        let state = room.state();
        let staff = state.people().filter(|who| Affiliation::from(who.affiliation) >= Affiliation::Admin);
        let staff: Vec<_> = staff.map(|who| (who.affiliation, who.jid.clone())).collect();
        (staff, state.config.name.clone())
    };
    staff.sort_unstable_by(|one, other| {
        other.0.cmp(&one.0).then_with(|| one.1.as_str().cmp(other.1.as_str()))
    });
    let name = if name.is_empty() { room.place.address.to_string() } else { name };
    let body = format!("{jid} wants to become a member of {name}.");
    let form = wanted.approval(jid);
    for (_, who) in staff.into_iter().take(limits::ROOM_ASKED) {
        let write = |to: &str| mediate::with_form(room, to, &core.env.token(), Some(&body), &form);
        letter::send(core, &ctx.store, &room.place.address, &who, write).await?;
    }
    Ok(())
}

async fn forget(ctx: &Ctx<'_>, room: &Room, jid: &BareJid) -> Result<(), StanzaError> {
    let change = ItemChange::Retract { node: node().name, id: jid.to_string() };
    ctx.store.change_items(room.place.uid, vec![change]).await.map_err(store_error)?;
    Ok(())
}

/// An admin's word (§9.9). Who has decided first has decided.
pub(super) async fn decide(ctx: &Ctx<'_>, room: &Arc<Room>, decision: Decision) -> Result<Step, StanzaError> {
    let _changing = room.changing.lock().await;
    let asker = Asker::of(ctx, room);
    asker.must_be(Affiliation::Admin)?;
    let jid = &decision.jid;
    let found = ctx.core.store.items_by_id(room.place.uid, &node().name, vec![jid.to_string()]).await;
    let found = found.map_err(store_error)?;
    let Some(wanted) = found.first().and_then(|item| Registration::from_xml(&item.payload)) else {
        return Err(StanzaError::item_not_found().text("Nobody of this address waits."));
    };
    if decision.allow
        && let Err(error) = admin::known(ctx, jid).await
    {
        // Who asked is gone, and who takes the address later has asked for nothing.
        if error.condition == "item-not-found" {
            forget(ctx, room, jid).await?;
        }
        return Err(error);
    }
    let rows = {
        let state = room.state();
        let waits = decision.allow && state.affiliation(jid) == Affiliation::None;
        // The nick may have become somebody else's while this waited.
        let nick = Some(wanted.nick).filter(|nick| join::free(&state, nick, jid).is_ok());
        waits.then(|| affiliate::row(&state, jid, Affiliation::Member, nick, None))
    };
    affiliate::apply(ctx.core, &ctx.store, room, Some(&asker), rows.into_iter().collect()).await?;
    forget(ctx, room, jid).await?;
    Ok(Step::Done)
}
