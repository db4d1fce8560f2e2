//! Publishing (XEP-0060 §7.1) and retracting (§7.2).

use super::access::Visit;
use super::draft::{Draft, Known};
use super::{HIDDEN, error, form, named};
use crate::answer::{Answer, Reply};
use crate::xep::{inbox, vcard, vcard4};
use crate::{limits, muc, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::Answers;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::limits::ITEM_BYTES;
use rookery_store::{Affiliation, Item, ItemChange, StoreError};

/// Publishes an item; a node that is not there is made (§7.1.4), with the publisher's options (§7.1.5).
pub(super) async fn publish(visit: &Visit<'_>, pubsub: &Child<'_>, action: &Child<'_>) -> Answer {
    let name = named(action)?;
    let item = item(visit, action)?;
    let options = match pubsub.child(ns::PUBSUB, "publish-options") {
        Some(options) => form::read(&options, ns::PUBSUB_PUBLISH_OPTIONS)?.unwrap_or_default(),
        None => Answers::default(),
    };
    // Another of the owner's clients may be configuring the node: it is asked for again then.
    for _ in 0..limits::PUBLISH_TRIES {
        let node = agreed(visit, &name, &options).await?;
        let mut draft = Draft::default();
        // At the service a name means nothing.
        let personal = visit.service.is_none();
        if name == vcard4::NODE && personal {
            draft.quietly(vcard::from_vcard4(&item));
        }
        let own = visit.own && personal;
        if own {
            let displayed = match name.as_str() {
                ns::MDS => inbox::of_item(visit.ctx, &item).await?,
                ns::BOOKMARKS => muc::inbox::of_bookmark(visit.ctx, &item.id).await?,
                _ => None,
            };
            if let Some(displayed) = displayed {
                draft.quietly(ItemChange::Displayed(displayed));
            }
        }
        match own {
            true => draft.publish(node, item.clone()),
            // The owner may have deleted it just now: it does not come back by somebody else's hand.
            false => draft.add(node, item.clone()),
        }
        match draft.commit(visit.ctx.core, &visit.ctx.store, visit.owner).await {
            Ok(()) => return Ok(Reply::Payload(published(&name, &item.id))),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error::of_store(error)),
        }
    }
    Err(StanzaError::conflict().text("The node is being changed. Try again."))
}

/// The item of a publication (§7.1.3): one, with one payload.
fn item(visit: &Visit<'_>, action: &Child<'_>) -> Result<Item, StanzaError> {
    let mut items = action.children().filter(|c| c.is(ns::PUBSUB, "item"));
    let (Some(item), more) = (items.next(), items.next()) else { return Err(error::item_required()) };
    if more.is_some() {
        return Err(StanzaError::not_allowed().text("A publication has one item."));
    }
    let mut payloads = item.children();
    let payload = payloads.next().ok_or_else(error::payload_required)?;
    if payloads.next().is_some() || payload.ns() == ns::PUBSUB {
        return Err(error::invalid_payload());
    }
    if payload.xml().len() > ITEM_BYTES {
        return Err(error::payload_too_big());
    }
    let id = item.attr("id").filter(|id| !id.is_empty()).map(|id| id.into_owned());
    Ok(Item {
        // §7.1.2: the service gives an id where the publisher has not.
        id: id.unwrap_or_else(|| visit.ctx.core.env.token()),
        at: visit.ctx.core.env.now(),
        publisher: visit.ctx.member.address.to_string(),
        payload: payload.xml().to_vec().into(),
    })
}

/// The node to publish to: as it is, if that is as the publisher wants it; or as it is to be made.
async fn agreed(visit: &Visit<'_>, name: &str, options: &Answers) -> Result<Known, StanzaError> {
    if let Some(node) = visit.node(name).await? {
        visit.may_publish(&node, &visit.part(name).await?).await?;
        // §7.1.5: the options are preconditions: that setting them would change nothing.
        let wanted = visit.configured(node.config.clone(), options)?;
        return if wanted.does_as(&node.config) { Ok(node) } else { Err(error::precondition_not_met()) };
    }
    // The service makes no nodes of itself: who mistypes a name would not see it.
    if !visit.own || visit.service.is_some() || name.starts_with(HIDDEN) {
        return Err(StanzaError::item_not_found());
    }
    Ok(Known::new(name, visit.fresh(name, options)?))
}

/// The answer to a publication (§7.1.2).
fn published(node: &str, id: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("pubsub", ns::PUBSUB).open("publish").attr("node", node);
    x.open("item").attr("id", id).close();
    x.into_vec()
}

/// Takes back an item: the owner any, others their own (§7.2).
pub(super) async fn retract(visit: &Visit<'_>, action: &Child<'_>) -> Answer {
    let name = named(action)?;
    let mut items = action.children().filter(|c| c.is(ns::PUBSUB, "item"));
    let (Some(item), more) = (items.next(), items.next()) else { return Err(error::item_required()) };
    if more.is_some() {
        return Err(StanzaError::not_allowed().text("One item is retracted at a time."));
    }
    let id = item.attr("id").filter(|id| !id.is_empty()).ok_or_else(error::item_required)?;
    let (node, part) = visit.found(&name).await?;
    // Who may only publish takes back what it has published.
    if part.affiliation != Affiliation::PublishOnly {
        visit.may_read(&node, &part).await?;
    }
    let found = visit.ctx.core.store.items_by_id(visit.owner.uid, &name, vec![id.to_string()]).await;
    let found = found.map_err(store_error)?;
    let item = found.first().ok_or_else(StanzaError::item_not_found)?;
    if !visit.owns(&part) && item.publisher != visit.ctx.member.address.as_str() {
        return Err(StanzaError::forbidden());
    }
    let tell = action.attr("notify").is_some_and(|notify| matches!(&*notify, "1" | "true"));
    let mut draft = Draft::default();
    if name == vcard4::NODE && visit.service.is_none() {
        draft.quietly(vcard::without());
    }
    draft.retract(node, &id, tell);
    draft.commit(visit.ctx.core, &visit.ctx.store, visit.owner).await.map_err(error::of_store)?;
    Ok(Reply::Empty)
}
