//! XEP-0049: Private XML Storage: elements that a client keeps on the server, one of each namespace and name.

use super::pep::{self, Draft};
use super::{Xep, bookmarks};
use crate::answer::{Answer, Reply};
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::limits::{ITEM_BYTES, NODE_ITEMS};
use rookery_store::{Item, ItemChange};

/// XEP-0049.
pub const INFO: Xep = Xep {
    number: "XEP-0049",
    name: "Private XML Storage",
    version: "1.2",
    server: &[ns::PRIVATE],
    account: &[ns::PRIVATE],
    note: "Whole; `storage:bookmarks` is one with the bookmarks in PEP.",
};

/// The name of the node that keeps them.
pub(crate) fn node() -> rookery_store::Node {
    pep::hidden("private", NODE_ITEMS)
}

/// What one element is kept as.
fn key(element: &Child<'_>) -> Result<String, StanzaError> {
    // §2.3: the element has a namespace of its own.
    if matches!(element.ns(), ns::PRIVATE | ns::CLIENT) {
        return Err(StanzaError::not_acceptable().text("Private data have a namespace of their own."));
    }
    Ok(format!("{} {}", element.ns(), element.name()))
}

/// The element that was stored, or the empty one that was asked for (§2.1).
pub async fn get(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let mut children = payload.children();
    let (Some(wanted), None) = (children.next(), children.next()) else {
        return Err(StanzaError::bad_request().text("One element is asked for at a time."));
    };
    let stored = element(ctx, &wanted).await?;
    let mut x = Xml::new();
    x.open_ns("query", ns::PRIVATE);
    if wanted.is(ns::BOOKMARKS_OLD, "storage") {
        x.raw(&bookmarks::storage(ctx, stored.as_deref()).await?);
    } else {
        x.raw(stored.as_deref().unwrap_or(wanted.xml()));
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

async fn element(ctx: &Ctx<'_>, wanted: &Child<'_>) -> Result<Option<Vec<u8>>, StanzaError> {
    let ids = vec![key(wanted)?];
    let items = ctx.core.store.items_by_id(ctx.member.uid, &node().name, ids).await.map_err(store_error)?;
    Ok(items.first().map(|item| item.payload.to_vec()))
}

/// Stores elements, each in place of what was there (§2.2).
pub async fn set(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let mut draft = Draft::default();
    for element in payload.children() {
        let xml = match element.is(ns::BOOKMARKS_OLD, "storage") {
            true => bookmarks::replace(ctx, &mut draft, &element).await?,
            false => element.xml().to_vec(),
        };
        if xml.len() > ITEM_BYTES {
            return Err(StanzaError::policy_violation().text("This is too much for one element."));
        }
        let item = Item {
            id: key(&element)?,
            at: ctx.core.env.now(),
            publisher: ctx.member.address.to_string(),
            payload: xml.into(),
        };
        draft.quietly(ItemChange::Publish(node(), item));
    }
    if draft.is_empty() {
        return Err(StanzaError::bad_request().text("There is nothing to store."));
    }
    draft.commit(ctx.core, &ctx.store, ctx.member).await.map_err(store_error)?;
    Ok(Reply::Empty)
}
