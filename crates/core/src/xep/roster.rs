//! RFC 6121 §2: the roster. Names (remarks) and groups here, subscriptions in `presence`.

use crate::answer::{Answer, Reply};
use crate::roster::{roster_push, write_item};
use crate::{Ctx, address, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::subscription::Kind;
use rookery_proto::xml::Xml;
use rookery_store::{Party, Removal, RosterChange};

/// The roster, or what changed since the version that the client has (§2.6).
pub async fn get(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let uid = ctx.member.uid;
    // Interested first: a change that comes between is pushed, never missed (§2.1.6).
    ctx.session.state().interested = true;
    ctx.core.journal.snapshot(ctx.session);
    let known: Option<u64> = payload.attr("ver").and_then(|ver| ver.parse().ok());
    if let Some(ver) = known
        && let Some(changes) = ctx.store.roster_since(uid, ver).await.map_err(store_error)?
    {
        let to = ctx.session.jid.as_str();
        let push = |change: &RosterChange| roster_push(change, to, &ctx.core.env.token());
        return Ok(Reply::Then(changes.iter().map(push).collect()));
    }
    let roster = ctx.store.roster(uid).await.map_err(store_error)?;
    let mut x = Xml::new();
    x.open_ns("query", ns::ROSTER).attr("ver", &roster.ver.to_string());
    roster.items.iter().for_each(|item| write_item(&mut x, item));
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// Adds, changes or removes one item (§2.3, §2.4, §2.5).
pub async fn set(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let mut items = payload.children().filter(|c| c.name() == "item" && c.ns() == ns::ROSTER);
    // §2.1.5: exactly one item.
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(StanzaError::bad_request().text("A roster set has exactly one item."));
    };
    let jid = item.attr("jid").ok_or_else(|| StanzaError::bad_request().text("The item has no address."))?;
    // RFC 6121 §2.1.2.4 speaks of a bare address; a resource is not an error but has no meaning.
    let jid = ctx.resolved(address::parse(&jid)?.to_bare()).await?;
    if jid == ctx.member.address {
        return Err(StanzaError::not_allowed().text("You are always on your own list."));
    }
    if item.attr("subscription").as_deref() == Some("remove") {
        return remove(ctx, jid).await;
    }
    let name = item.attr("name").map(|name| name.into_owned()).filter(|name| !name.is_empty());
    let groups = groups(&item)?;
    let change = ctx.store.roster_set(ctx.member.uid, &jid, name, groups).await.map_err(store_error)?;
    ctx.core.push_roster(ctx.member.uid, &change);
    ctx.core.befriended(ctx.member, &jid).await?;
    Ok(Reply::Empty)
}

/// §2.3.3: no group is empty, and none is named twice.
fn groups(item: &Child<'_>) -> Result<Vec<String>, StanzaError> {
    let mut groups: Vec<String> = Vec::new();
    for group in item.children().filter(|c| c.name() == "group") {
        let group = group.text().into_owned();
        if group.is_empty() {
            return Err(StanzaError::not_acceptable().text("A group has a name."));
        }
        if groups.contains(&group) {
            return Err(StanzaError::bad_request().text("The same group is named twice."));
        }
        groups.push(group);
    }
    Ok(groups)
}

/// A contact at a component learns of it, and sees the user go.
fn tell_outside(ctx: &Ctx<'_>, contact: &BareJid, removal: &Removal) {
    let me = ctx.member.address.as_str();
    if removal.unsubscribe {
        ctx.core.tell_outside(me, contact, Kind::Unsubscribe.name());
    }
    if removal.unsubscribed {
        ctx.core.tell_outside(me, contact, Kind::Unsubscribed.name());
        ctx.core.show_outside(ctx.member, contact, false);
    }
}

/// §2.5: the item goes, and with it the subscriptions both ways.
async fn remove(ctx: &Ctx<'_>, jid: BareJid) -> Answer {
    let core = ctx.core;
    let theirs = match core.target(&jid.clone().into()).await? {
        address::Target::Account { member, .. } => Some(member),
        _ => None,
    };
    let actor = Party { uid: Some(ctx.member.uid), jid: ctx.member.address.clone() };
    let contact = Party { jid, uid: theirs.as_ref().map(|m| m.uid) };
    let removal = ctx.store.roster_remove(actor, contact).await.map_err(store_error)?;
    let Some(change) = &removal.actor_change else { return Err(StanzaError::item_not_found()) };
    core.push_roster(ctx.member.uid, change);
    match theirs {
        Some(theirs) => {
            core.parted(ctx.member, &theirs, &removal);
            if removal.unsubscribe {
                core.present(&theirs, ctx.member, false);
            }
        }
        None => tell_outside(ctx, &change.jid, &removal),
    }
    Ok(Reply::Empty)
}
