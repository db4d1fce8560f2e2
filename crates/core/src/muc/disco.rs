//! What the service of groups and its rooms say of themselves (XEP-0030, XEP-0045 §6).

use super::config::Facts;
use super::privilege::Affiliation;
use super::room::Room;
use super::rooms::config_of;
use super::{ARCHIVE_FEATURES, ROOM_FEATURES};
use crate::answer::{Answer, Reply};
use crate::xep::adhoc::{self, At};
use crate::xep::disco::info;
use crate::xep::{pep, serverinfo};
use crate::{Ctx, limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Group, GroupAffiliation};
use std::sync::Arc;

const IDENTITY: (&str, &str) = ("conference", "text");

/// §6.2: what the service is.
pub(super) fn service_info(payload: &Child<'_>) -> Answer {
    if payload.attr("node").is_some() {
        return Err(StanzaError::item_not_found());
    }
    let features = [ns::DISCO_INFO, ns::DISCO_ITEMS, ns::MUC, ns::MUC_UNIQUE, ns::PING, ns::RSM, ns::VCARD];
    Ok(Reply::Payload(info(&[IDENTITY], Some("Groups"), &features, &[], None)))
}

/// §6.3: the groups that everybody may find, page by page (XEP-0059).
pub(super) async fn service_items(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    if payload.attr("node").is_some() {
        return Err(StanzaError::item_not_found());
    }
    let set = payload.child(ns::RSM, "set");
    let field = |name| set.as_ref().and_then(|set| set.child(ns::RSM, name)).map(|c| c.text().into_owned());
    let max = field("max").and_then(|max| max.trim().parse().ok()).unwrap_or(limits::GROUPS_LISTED);
    let max = max.min(limits::GROUPS_LISTED);
    let after = field("after").filter(|after| !after.is_empty());
    let after =
        after.map(|after| Uid::from_local(&after).ok_or_else(StanzaError::item_not_found)).transpose()?;
    // One more tells whether there is more.
    let mut groups = ctx.core.store.listed_groups(after, max + 1).await.map_err(store_error)?;
    groups.extend(own_hidden(ctx, after).await?);
    groups.sort_unstable_by_key(|group| group.uid);
    let more = groups.len() > max;
    groups.truncate(max);
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS);
    for group in &groups {
        let config = config_of(group);
        let address = ctx.core.group_address(group);
        let name = Some(config.name).filter(|name| !name.is_empty());
        x.open("item").attr("jid", address.as_str()).opt("name", name).close();
    }
    if set.is_some() || more {
        x.open_ns("set", ns::RSM);
        if let (Some(first), Some(last)) = (groups.first(), groups.last()) {
            x.text_element("first", &first.uid.to_string()).text_element("last", &last.uid.to_string());
        }
        x.close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// The groups that only those find who belong to them.
async fn own_hidden(ctx: &Ctx<'_>, after: Option<Uid>) -> Result<Vec<Group>, StanzaError> {
    let own = ctx.core.store.groups_of(&ctx.member.address).await.map_err(store_error)?;
    let own = own.into_iter().filter(|(group, who)| {
        who.affiliation >= GroupAffiliation::Member
            && !group.config.listed
            && after.is_none_or(|after| group.uid > after)
    });
    Ok(own.map(|(group, _)| group).collect())
}

/// §6.4: what a room is. One that is hidden says so to who has its address, and no more than its entrance would;
/// who may not enter does not learn what goes on in it.
pub(super) async fn room_info(ctx: &Ctx<'_>, room: &Arc<Room>, payload: &Child<'_>) -> Answer {
    if adhoc::is_meant(payload) {
        return adhoc::info(ctx, payload, At::Group(room));
    }
    match payload.attr("node").as_deref() {
        None => {}
        // §6.7: what the client's reserved nick is.
        Some("x-roomuser-item") => return reserved_nick(ctx, room),
        Some(node) => return pep::disco::info(ctx, &ctx.core.as_member(room), node).await,
    }
    let (subject, avatar) = (room.place.subject(), room.place.avatar.lock().clone());
    let (config, occupants, hats) = {
        let state = room.state();
        let affiliation = state.affiliation(&ctx.member.address);
        if state.config.locked && affiliation < Affiliation::Owner {
            return Err(StanzaError::item_not_found());
        }
        let may_enter = affiliation.may_enter(state.config.members_only);
        (state.config.clone(), may_enter.then(|| state.occupants().len()), state.hats.hash())
    };
    let mut features: Vec<&str> = ROOM_FEATURES.iter().copied().chain(config.features()).collect();
    if config.archived {
        features.extend(ARCHIVE_FEATURES);
    }
    features.sort_unstable();
    let subject = subject.as_ref().filter(|_| occupants.is_some()).map_or("", |subject| &subject.text);
    // In the order of their types.
    let forms = [
        config.info(Facts { occupants, subject, avatar: avatar.as_deref(), hats: hats.as_deref() }),
        serverinfo::group_data_policy(config.kept_days(ctx.core.policy.group_days())),
    ];
    let name = if config.name.is_empty() {
        room.place.address.node().map(|n| n.as_str())
    } else {
        Some(&*config.name)
    };
    Ok(Reply::Payload(info(&[IDENTITY], name, &features, &forms, None)))
}

/// §6.7, §7.12.
fn reserved_nick(ctx: &Ctx<'_>, room: &Room) -> Answer {
    let state = room.state();
    let who = state.people().find(|who| who.jid == ctx.member.address);
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).attr("node", "x-roomuser-item");
    if let Some(nick) = who.and_then(|who| who.nick.as_deref()) {
        x.open("identity").attr("category", IDENTITY.0).attr("type", IDENTITY.1).attr("name", nick).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// §6.5: who is in the room, for those who are, and for all where it is public.
/// With a node: what is in it.
pub(super) async fn room_items(ctx: &Ctx<'_>, room: &Arc<Room>, payload: &Child<'_>) -> Answer {
    if adhoc::is_meant(payload) {
        return adhoc::items(ctx, payload, At::Group(room));
    }
    if payload.attr("node").is_some() {
        return pep::disco::items(ctx, &ctx.core.as_member(room), payload).await;
    }
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS);
    let state = room.state();
    let inside = state.occupant_of(ctx.session).is_some();
    let shown = inside || (state.config.public && !state.config.members_only && !state.config.locked);
    for occupant in state.occupants().filter(|_| shown).take(limits::ROOM_CROWD) {
        x.open("item").attr("jid", &room.address_of(&occupant.nick)).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}
