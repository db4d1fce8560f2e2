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
use rookery_store::{Affiliation, ItemWindow};
use std::sync::Arc;

/// An account's nodes that the asker may read (§5.2), or the ids of the items in one (§5.5).
pub async fn items(ctx: &Ctx<'_>, owner: &Arc<Member>, payload: &Child<'_>) -> Answer {
    let visit = Visit::new(ctx, owner).await?;
    let jid = owner.address.as_str();
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS).opt("node", payload.attr("node").as_deref());
    if let Some(name) = payload.attr("node") {
        visit.readable(&name).await.map_err(|error| visit.refusal(error))?;
        let page = ctx.core.store.items(owner.uid, &name, ItemWindow::Last, limits::ITEMS_PAGE).await;
        for item in page.map_err(store_error)?.unwrap_or_default().items {
            x.open("item").attr("jid", jid).attr("name", &item.id).close();
        }
    } else {
        let me = &ctx.member.address;
        let parts = ctx.core.store.affiliations(owner.uid, me).await.map_err(store_error)?;
        for node in ctx.core.store.nodes(owner.uid).await.map_err(store_error)? {
            if node.name.starts_with(HIDDEN) {
                continue;
            }
            let node = Known::from(node);
            let part = parts.iter().find(|(name, _)| *name == node.node.name);
            let affiliation = part.map_or(Affiliation::None, |(_, part)| part.affiliation);
            if visit.own || ctx.core.may_read(owner, &node.config, me, affiliation).await.is_ok() {
                x.open("item").attr("jid", jid).attr("node", &node.node.name);
                x.opt("name", Some(&node.config.title).filter(|title| !title.is_empty())).close();
            }
        }
    }
    Ok(Reply::Payload(x.into_vec()))
}

/// What a node is (§5.3, §5.4).
pub async fn info(ctx: &Ctx<'_>, owner: &Arc<Member>, node: &str) -> Answer {
    let visit = Visit::new(ctx, owner).await?;
    let found = visit.readable(node).await.map_err(|error| visit.refusal(error));
    let (found, _) = found.map_err(|_| StanzaError::item_not_found())?;
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).attr("node", node);
    x.open("identity").attr("category", "pubsub").attr("type", "leaf").close();
    x.open("feature").attr("var", ns::PUBSUB).close();
    form::write_meta(&mut x, &found.config);
    Ok(Reply::Payload(x.into_vec()))
}
