//! Retrieving items (XEP-0060 §6.5), by id, the latest, or page by page (XEP-0059).

use super::access::Visit;
use super::named;
use crate::answer::{Answer, Reply};
use crate::{limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{Item, ItemPage, ItemWindow};

/// What part of a node is asked for.
struct Wanted {
    window: ItemWindow,
    max: usize,
    /// The client pages, and is told where it is.
    paged: bool,
}

/// Items of a node.
pub(super) async fn get(visit: &Visit<'_>, pubsub: &Child<'_>, action: &Child<'_>) -> Answer {
    let name = named(action)?;
    let ids = ids(action)?;
    let wanted = wanted(pubsub, action)?;
    visit.readable(&name).await?;
    let (store, uid) = (&visit.ctx.core.store, visit.owner.uid);
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB);
    if ids.is_empty() {
        let page = store.items(uid, &name, wanted.window, wanted.max).await.map_err(store_error)?;
        // XEP-0059 §2.2: the item that the page was to begin at is not there.
        let page = page.ok_or_else(StanzaError::item_not_found)?;
        write_items(&mut x, visit, &name, &page.items);
        // §6.5.4: some items are not all.
        if wanted.paged || page.items.len() as u64 != page.count {
            write_set(&mut x, &page, wanted.max);
        }
    } else {
        let items = store.items_by_id(uid, &name, ids).await.map_err(store_error)?;
        write_items(&mut x, visit, &name, &items);
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// The ids that are asked for (§6.5.8).
fn ids(action: &Child<'_>) -> Result<Vec<String>, StanzaError> {
    let items = action.children().filter(|c| c.is(ns::PUBSUB, "item"));
    let ids: Vec<String> = items.filter_map(|item| item.attr("id")).map(|id| id.into_owned()).collect();
    if ids.len() > limits::ITEMS_PAGE {
        return Err(StanzaError::policy_violation().text("These are too many items for one request."));
    }
    Ok(ids)
}

/// The latest so many (§6.5.7), or a page (§6.5.4).
fn wanted(pubsub: &Child<'_>, action: &Child<'_>) -> Result<Wanted, StanzaError> {
    let mut wanted = Wanted { window: ItemWindow::Last, max: limits::ITEMS_PAGE, paged: false };
    if let Some(max) = action.attr("max_items") {
        wanted.max = number(&max)?.min(limits::ITEMS_PAGE as u64) as usize;
    }
    let Some(set) = pubsub.child(ns::RSM, "set") else { return Ok(wanted) };
    (wanted.window, wanted.paged) = (ItemWindow::First, true);
    for child in set.children() {
        let text = child.text();
        match child.name() {
            "max" => wanted.max = (number(&text)? as usize).min(wanted.max),
            "before" if text.is_empty() => wanted.window = ItemWindow::Last,
            "before" => wanted.window = ItemWindow::Before(text.into_owned()),
            "after" if text.is_empty() => wanted.window = ItemWindow::First,
            "after" => wanted.window = ItemWindow::After(text.into_owned()),
            "index" => wanted.window = ItemWindow::Index(number(&text)?),
            _ => {}
        }
    }
    Ok(wanted)
}

fn number(text: &str) -> Result<u64, StanzaError> {
    text.trim().parse().map_err(|_| StanzaError::bad_request().text("This is not a number."))
}

fn write_items(x: &mut Xml, visit: &Visit<'_>, node: &str, items: &[Item]) {
    x.open("items").attr("node", node);
    items.iter().for_each(|item| write_item(x, item, visit.owner.address.as_str(), true));
    x.close();
}

/// `<item/>`; the publisher is named where it is not the owner.
pub(crate) fn write_item(x: &mut Xml, item: &Item, owner: &str, payload: bool) {
    x.open("item").attr("id", &item.id);
    if item.publisher != owner {
        x.attr("publisher", &item.publisher);
    }
    if payload {
        x.raw(&item.payload);
    }
    x.close();
}

/// XEP-0059 §2: where the page is.
fn write_set(x: &mut Xml, page: &ItemPage, max: usize) {
    x.open_ns("set", ns::RSM);
    if max > 0
        && let (Some(first), Some(last)) = (page.items.first(), page.items.last())
    {
        x.open("first").attr("index", &page.first_index.to_string()).text(&first.id).close();
        x.text_element("last", &last.id);
    }
    x.text_element("count", &page.count.to_string()).close();
}
