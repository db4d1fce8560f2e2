//! XEP-0054: vcard-temp. The card is kept without its picture, which is the avatar's ([`super::avatar`]), and next to its
//! twin in vCard 4 ([`super::vcard4`]): each is written anew from the other when that changes.
//!
//! Who may read the node of the twin may read the card; without a twin it is public, as vCards are (§6).

use super::avatar::Photo;
use super::pep::{self, Draft, Visit};
use super::{Xep, vcard4};
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Edit, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{Item, ItemChange, ItemWindow, Node};
use std::sync::Arc;

/// XEP-0054.
pub const INFO: Xep = Xep {
    number: "XEP-0054",
    name: "vcard-temp",
    version: "1.3.0",
    server: &[],
    account: &[ns::VCARD],
    note: "Set and get. Who may read follows the node of the vCard 4; without one a card is public.",
};

/// The id of the one item of the card's node.
const CURRENT: &str = "current";

/// The node that keeps the card.
pub(crate) fn node() -> Node {
    pep::hidden("vcard", 1)
}

/// An account's card, as who asks may see it (§3.1, §3.3).
pub async fn get(ctx: &Ctx<'_>, owner: &Arc<Member>) -> Answer {
    let visit = Visit::new(ctx, owner).await?;
    let who = Some(&ctx.member.address).filter(|_| !visit.own);
    let photo = ctx.core.avatar(owner, who).await?;
    let card = if is_readable(&visit).await? { stored(&visit).await? } else { None };
    if card.is_none() && photo.is_none() && !visit.known {
        return Err(StanzaError::service_unavailable());
    }
    let mut x = Xml::new();
    if let Some(photo) = &photo {
        x.open("PHOTO").text_element("TYPE", &photo.kind).text_element("BINVAL", &photo.base64).close();
    }
    let photo = x.into_vec();
    let Some(card) = card else {
        let mut x = Xml::new();
        x.open_ns("vCard", ns::VCARD).raw(&photo).close();
        return Ok(Reply::Payload(x.into_vec()));
    };
    Ok(Reply::Payload(card.render(&Edit { append: &photo, ..Edit::default() })))
}

async fn is_readable(visit: &Visit<'_>) -> Result<bool, StanzaError> {
    if visit.own || visit.node(vcard4::NODE).await?.is_none() {
        return Ok(true);
    }
    Ok(visit.readable(vcard4::NODE).await.is_ok())
}

async fn stored(visit: &Visit<'_>) -> Result<Option<Stanza>, StanzaError> {
    let (store, uid) = (&visit.ctx.core.store, visit.owner.uid);
    let page = store.items(uid, &node().name, ItemWindow::Last, 1).await.map_err(store_error)?;
    Ok(page.unwrap_or_default().items.first().and_then(|item| Stanza::parse(&item.payload).ok()))
}

/// Another card of `owner` (§3.2), and with it another avatar and vCard 4.
pub async fn set(ctx: &Ctx<'_>, owner: &Arc<Member>, payload: &Child<'_>) -> Answer {
    let core = ctx.core;
    if !Visit::new(ctx, owner).await?.own {
        return Err(StanzaError::forbidden());
    }
    let card = Stanza::parse(payload.xml()).map_err(|_| StanzaError::bad_request())?;
    let photo = card.children().filter(is_photo).find_map(|photo| {
        let text = |name| photo.child(ns::VCARD, name).map(|c| c.text().into_owned()).unwrap_or_default();
        Photo::new(&text("TYPE"), &text("BINVAL"))
    });
    let plain = card.render(&Edit { drop: Some(&is_photo), ..Edit::default() });
    let item = |payload: Vec<u8>| Item {
        id: CURRENT.into(),
        at: core.env.now(),
        publisher: owner.address.to_string(),
        payload: payload.into(),
    };
    let mut draft = Draft::default();
    draft.publish(core.public_node(owner, vcard4::NODE).await?, item(vcard4::from_temp(&card)));
    draft.quietly(ItemChange::Publish(node(), item(plain)));
    core.draft_avatar(&mut draft, owner, photo).await?;
    draft.commit(core, &ctx.store, owner).await.map_err(store_error)?;
    Ok(Reply::Empty)
}

/// A picture in the card itself; one at some address is a line of the card like others.
fn is_photo(child: &Child<'_>) -> bool {
    child.name() == "PHOTO" && child.child(ns::VCARD, "EXTVAL").is_none()
}

/// The card that a published vCard 4 makes.
pub fn from_vcard4(item: &Item) -> ItemChange {
    let payload = vcard4::to_temp(&item.payload).into();
    ItemChange::Publish(node(), Item { id: CURRENT.into(), payload, ..item.clone() })
}

/// No card any more.
pub fn without() -> ItemChange {
    ItemChange::Retract { node: node().name, id: CURRENT.into() }
}

/// The vCard 4 is about to go: the card goes before it, or it would become public.
pub async fn before_removal(visit: &Visit<'_>, name: &str) -> Result<(), StanzaError> {
    if name == vcard4::NODE && visit.service.is_none() {
        let changes = vec![without()];
        visit.ctx.store.change_items(visit.owner.uid, changes).await.map_err(store_error)?;
    }
    Ok(())
}
