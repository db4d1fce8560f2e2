//! Nodes in service discovery (XEP-0060 §5): which there are, what they are, what is in them.

use super::access::Visit;
use super::{HIDDEN, Known, form};
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::{Ctx, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::ItemWindow;
use rookery_store::limits::NODES;
use std::sync::Arc;

/// The nodes that the asker may know of (§5.2), or the ids of the items in one (§5.5).
pub async fn items(ctx: &Ctx<'_>, owner: &Arc<Member>, payload: &Child<'_>) -> Answer {
    let visit = Visit::new(ctx, owner).await?;
    match payload.attr("node") {
        Some(name) => items_of(&visit, &name).await,
        None => nodes(&visit, payload).await,
    }
}

async fn items_of(visit: &Visit<'_>, name: &str) -> Answer {
    visit.readable(name).await.map_err(|error| visit.refusal(error))?;
    let (store, owner) = (&visit.ctx.core.store, visit.owner);
    let page = store.items(owner.uid, name, ItemWindow::Last, limits::ITEMS_PAGE).await;
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS).attr("node", name);
    for item in page.map_err(store_error)?.unwrap_or_default().items {
        x.open("item").attr("jid", owner.address.as_str()).attr("name", &item.id).close();
    }
    Ok(Reply::Payload(x.into_vec()))
}

/// All nodes of an account, or those of the service page by page (XEP-0059), in the order in which they were made. A page
/// ends where its place says, not with what is shown: nodes that are not for the asker lie between.
async fn nodes(visit: &Visit<'_>, payload: &Child<'_>) -> Answer {
    let set = payload.child(ns::RSM, "set");
    let field = |name| set.as_ref().and_then(|set| set.child(ns::RSM, name)).map(|c| c.text().into_owned());
    let most = if visit.service.is_some() { limits::NODES_PAGE } else { NODES };
    let max = field("max").and_then(|max| max.trim().parse().ok()).unwrap_or(most).min(most);
    let after = field("after").filter(|after| !after.is_empty());
    let after = after.map(|after| after.parse().map_err(|_| StanzaError::item_not_found())).transpose()?;
    let mut place: u64 = after.unwrap_or(0);
    let (mut x, mut shown, mut first, mut more) = (Xml::new(), 0, None, true);
    x.open_ns("query", ns::DISCO_ITEMS);
    'pages: for _ in 0..limits::NODES_PAGES {
        let (core, me) = (visit.ctx.core, &visit.ctx.member.address);
        let page = core.store.nodes_after(visit.owner.uid, place, limits::NODES_PAGE, me).await;
        let page = page.map_err(store_error)?;
        more = page.len() == limits::NODES_PAGE;
        for listed in page {
            if shown == max {
                more = true;
                break 'pages;
            }
            place = listed.number;
            let node = Known::from(listed.node);
            if node.node.name.starts_with(HIDDEN) || visit.may_know(&node, &listed.part).await.is_err() {
                continue;
            }
            shown += 1;
            first.get_or_insert(place);
            x.open("item").attr("jid", visit.owner.address.as_str()).attr("node", &node.node.name);
            x.opt("name", Some(&node.config.title).filter(|title| !title.is_empty())).close();
        }
        if !more {
            break;
        }
    }
    if set.is_some() || more {
        x.open_ns("set", ns::RSM);
        if let Some(first) = first {
            x.text_element("first", &first.to_string());
        }
        if first.is_some() || more {
            x.text_element("last", &place.to_string());
        }
        x.close();
    }
    Ok(Reply::Payload(x.into_vec()))
}

/// What a node is (§5.3, §5.4).
pub async fn info(ctx: &Ctx<'_>, owner: &Arc<Member>, node: &str) -> Answer {
    let visit = Visit::new(ctx, owner).await?;
    // Who may not know that it is there learns nothing.
    let found = visit.found(node).await.map_err(|error| visit.refusal(error));
    let (found, part) = found.map_err(|_| StanzaError::item_not_found())?;
    visit.may_know(&found, &part).await.map_err(|_| StanzaError::item_not_found())?;
    let creator = match visit.service {
        Some(_) => Some(visit.keeper(&found).await?),
        None => None,
    };
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).attr("node", node);
    x.open("identity").attr("category", "pubsub").attr("type", "leaf").close();
    x.open("feature").attr("var", ns::PUBSUB).close();
    form::write_meta(&mut x, &found.config, creator.as_ref());
    Ok(Reply::Payload(x.into_vec()))
}
