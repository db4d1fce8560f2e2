//! Explicit subscriptions (XEP-0060 §6.1, §6.2), and what a visitor has here (§5.6, §5.7). Most need none: contacts say what
//! they want by their capabilities.

use super::access::Visit;
use super::config::SendLast;
use super::{HIDDEN, error, named, owner};
use crate::answer::{Answer, Reply};
use crate::{address, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Affiliate, AffiliateChange, Affiliation, ItemWindow};

/// Who is to be subscribed: the visitor, under whichever of its addresses; all its resources are told.
async fn subscriber(visit: &Visit<'_>, action: &Child<'_>) -> Result<BareJid, StanzaError> {
    let jid = action.attr("jid").ok_or_else(error::invalid_jid)?;
    let jid = visit.ctx.resolved(address::parse(&jid)?.to_bare()).await?;
    // §6.1.3.1.
    if jid == visit.ctx.member.address { Ok(jid) } else { Err(error::invalid_jid()) }
}

/// Subscribes, and sends the last item where the node does so.
pub(super) async fn subscribe(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let jid = subscriber(visit, action).await?;
    let name = named(action)?;
    let (node, _) = visit.readable(&name).await?;
    set(visit, &name, jid.clone(), true).await?;
    if node.config.last != SendLast::Never {
        let core = visit.ctx.core;
        let last =
            core.store.items(visit.owner.uid, &name, ItemWindow::Last, 1).await.map_err(store_error)?;
        if let Some(item) = last.unwrap_or_default().items.first() {
            core.push_last(visit.owner, visit.ctx.session, &node, item);
        }
    }
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB);
    write(&mut x, &name, &jid, "subscribed");
    Ok(Reply::Payload(x.into_vec()))
}

/// Ends a subscription; that is nobody's to refuse.
pub(super) async fn unsubscribe(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let jid = subscriber(visit, action).await?;
    let name = named(action)?;
    if visit.node(&name).await?.is_none() {
        return Err(StanzaError::item_not_found());
    }
    if !visit.part(&name).await?.subscribed {
        return Err(error::not_subscribed());
    }
    set(visit, &name, jid, false).await?;
    Ok(Reply::Empty)
}

async fn set(visit: &Visit<'_>, node: &str, jid: BareJid, subscribed: bool) -> Result<(), StanzaError> {
    let change = AffiliateChange { jid, affiliation: None, subscribed: Some(subscribed) };
    let changed = visit.ctx.store.change_affiliates(visit.owner.uid, node, vec![change]).await;
    changed.map_err(error::of_store)
}

fn write(x: &mut Xml, node: &str, jid: &BareJid, subscription: &str) {
    x.open("subscription").attr("node", node).attr("jid", jid.as_str()).attr("subscription", subscription);
    x.close();
}

/// The visitor's parts in the owner's nodes, or in the one that is named.
async fn parts(visit: &Visit<'_>, action: &Child<'_>) -> Result<Vec<(String, Affiliate)>, StanzaError> {
    let only = named(action).ok();
    let me = &visit.ctx.member.address;
    let mut parts = visit.ctx.core.store.affiliations(visit.owner.uid, me).await.map_err(store_error)?;
    parts.retain(|(node, _)| only.as_ref().is_none_or(|only| only == node));
    Ok(parts)
}

/// What the visitor has subscribed to here (§5.6).
pub(super) async fn subscriptions(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("subscriptions");
    for (node, part) in parts(visit, action).await?.iter().filter(|(_, part)| part.subscribed) {
        write(&mut x, node, &part.jid, "subscribed");
    }
    answer(visit, x)
}

/// What the visitor is to nodes here (§5.7): the owner to all.
pub(super) async fn affiliations(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("affiliations");
    if visit.own {
        let nodes = visit.ctx.core.store.nodes(visit.owner.uid).await.map_err(store_error)?;
        for node in nodes.iter().filter(|node| !node.name.starts_with(HIDDEN)) {
            x.open("affiliation").attr("node", &node.name).attr("affiliation", "owner").close();
        }
    }
    let parts = parts(visit, action).await?;
    for (node, part) in parts.iter().filter(|(_, part)| part.affiliation != Affiliation::None) {
        x.open("affiliation")
            .attr("node", node)
            .attr("affiliation", owner::name_of(part.affiliation))
            .close();
    }
    answer(visit, x)
}

/// To a stranger an account without a part for it is like none.
fn answer(visit: &Visit<'_>, x: Xml) -> Answer {
    if !visit.known {
        return Err(StanzaError::service_unavailable());
    }
    Ok(Reply::Payload(x.into_vec()))
}
