//! XEP-0163: Personal Eventing Protocol. Each account is a publish-subscribe service (XEP-0060) of its owner's nodes.
//!
//! What is changed is committed, then told (`draft`, `notify`); who may see what is decided in one place (`access`).

mod access;
pub(crate) mod approval;
mod config;
pub mod disco;
mod draft;
mod error;
mod form;
mod items;
mod notify;
mod owner;
mod publish;
pub mod service;
mod subscribe;

pub use access::Visit;
pub use config::{Access, Config};
pub use draft::{Draft, Known};
pub(crate) use form::write as write_configuration;
pub(crate) use items::write_item;
pub use notify::Followers;
pub(crate) use owner::write_affiliations;
pub(crate) use service::SERVICE;
pub use service::{Creators, Service};
pub(crate) use subscribe::{write_parts, write_subscriptions};

use super::Xep;
use crate::Ctx;
use crate::answer::Answer;
use crate::member::Member;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_store::Node;
use std::sync::Arc;

/// XEP-0163.
pub const INFO: Xep = Xep {
    number: "XEP-0163",
    name: "Personal Eventing Protocol",
    version: "1.2.2",
    server: &[],
    account: &["http://jabber.org/protocol/pubsub#pep"],
    note: "Whole: own and contacts' clients by `+notify`, directed presence too; last items with presence.",
};

/// XEP-0060.
pub const PUBSUB: Xep = Xep {
    number: "XEP-0060",
    name: "Publish-Subscribe",
    version: "1.30.0",
    server: &[],
    account: &[
        ns::PUBSUB,
        "http://jabber.org/protocol/pubsub#access-open",
        "http://jabber.org/protocol/pubsub#access-presence",
        "http://jabber.org/protocol/pubsub#access-roster",
        "http://jabber.org/protocol/pubsub#access-whitelist",
        "http://jabber.org/protocol/pubsub#auto-create",
        "http://jabber.org/protocol/pubsub#auto-subscribe",
        "http://jabber.org/protocol/pubsub#config-node",
        "http://jabber.org/protocol/pubsub#config-node-max",
        "http://jabber.org/protocol/pubsub#create-and-configure",
        "http://jabber.org/protocol/pubsub#create-nodes",
        "http://jabber.org/protocol/pubsub#delete-items",
        "http://jabber.org/protocol/pubsub#delete-nodes",
        "http://jabber.org/protocol/pubsub#filtered-notifications",
        "http://jabber.org/protocol/pubsub#instant-nodes",
        "http://jabber.org/protocol/pubsub#item-ids",
        "http://jabber.org/protocol/pubsub#last-published",
        "http://jabber.org/protocol/pubsub#manage-subscriptions",
        "http://jabber.org/protocol/pubsub#member-affiliation",
        "http://jabber.org/protocol/pubsub#meta-data",
        "http://jabber.org/protocol/pubsub#modify-affiliations",
        "http://jabber.org/protocol/pubsub#multi-items",
        "http://jabber.org/protocol/pubsub#outcast-affiliation",
        "http://jabber.org/protocol/pubsub#persistent-items",
        "http://jabber.org/protocol/pubsub#presence-notifications",
        "http://jabber.org/protocol/pubsub#publish",
        "http://jabber.org/protocol/pubsub#publish-only-affiliation",
        "http://jabber.org/protocol/pubsub#publish-options",
        "http://jabber.org/protocol/pubsub#publisher-affiliation",
        "http://jabber.org/protocol/pubsub#purge-nodes",
        "http://jabber.org/protocol/pubsub#retract-items",
        "http://jabber.org/protocol/pubsub#retrieve-affiliations",
        "http://jabber.org/protocol/pubsub#retrieve-default",
        "http://jabber.org/protocol/pubsub#retrieve-default-sub",
        "http://jabber.org/protocol/pubsub#retrieve-items",
        "http://jabber.org/protocol/pubsub#retrieve-subscriptions",
        "http://jabber.org/protocol/pubsub#rsm",
        "http://jabber.org/protocol/pubsub#subscribe",
        "http://jabber.org/protocol/pubsub#subscription-options",
    ],
    note: "On accounts and groups as PEP needs it, and at a service: nodes that members make, with owners of their own and \
           subscribers who are let in by hand (`authorize`). No collections, leases or digests; one item a publication; \
           addresses subscribe as bare ones, and only those of this server.",
};

/// XEP-0472.
pub const SOCIAL_FEED: Xep = Xep {
    number: "XEP-0472",
    name: "Pubsub Social Feed",
    version: "0.2.1",
    server: &[],
    account: &[ns::SOCIAL_FEED],
    note: "The base profile is what a node of this type at the service begins with, and the microblog of an account. Posts are not \
           looked into: no message body and no links are added to them.",
};

/// XEP-0222 and XEP-0223 are ways to use it.
pub const PUBLIC_DATA: Xep =
    Xep::of("XEP-0222", "Persistent Storage of Public Data via PubSub", "1.0", "By publish options.");

/// XEP-0223.
pub const PRIVATE_DATA: Xep = Xep::of(
    "XEP-0223",
    "Persistent Storage of Private Data via PubSub",
    "1.1.1",
    "By publish options; known private nodes are private without them.",
);

/// Before the names of nodes that are not there for anybody: no XML document can contain it.
const HIDDEN: char = '\u{1f}';

/// A node that the server keeps something in and that no client can name.
pub fn hidden(name: &str, kept: usize) -> Node {
    Node { name: format!("{HIDDEN}{name}"), kept, config: String::new(), creator: None }
}

/// Whether a node is such a one.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN)
}

/// A request to the nodes of `owner`, who may be the one that asks.
pub async fn iq(ctx: &Ctx<'_>, owner: &Arc<Member>, set: bool, payload: &Child<'_>) -> Answer {
    let visit = Visit::new(ctx, owner).await?;
    let owners = payload.ns() == ns::PUBSUB_OWNER;
    // At the service each node says who owns it.
    if owners && !visit.own && visit.service.is_none() {
        return Err(visit.refusal(StanzaError::forbidden()));
    }
    let side = |c: &Child<'_>| matches!(c.name(), "configure" | "publish-options" | "options");
    let asked = |wanted: &dyn Fn(&Child<'_>) -> bool| {
        payload.children().find(|c| c.ns() == payload.ns() && (owners || wanted(c)))
    };
    let Some(action) = asked(&|c| !side(c)).or_else(|| asked(&|c| c.name() == "options")) else {
        return Err(visit.refusal(StanzaError::bad_request().text("This asks for nothing.")));
    };
    let answer = match (owners, set, action.name()) {
        (false, false, "items") => items::get(&visit, payload, &action).await,
        (false, false, "subscriptions") => subscribe::subscriptions(&visit, &action).await,
        (false, false, "affiliations") => subscribe::affiliations(&visit, &action).await,
        (false, true, "publish") => publish::publish(&visit, payload, &action).await,
        (false, true, "retract") => publish::retract(&visit, &action).await,
        (false, true, "create") => owner::create(&visit, payload, &action).await,
        (false, true, "subscribe") => subscribe::subscribe(&visit, payload, &action).await,
        (false, true, "unsubscribe") => subscribe::unsubscribe(&visit, &action).await,
        (true, false, "configure") => owner::configuration(&visit, &action).await,
        (true, true, "configure") => owner::configure(&visit, &action).await,
        (false, false, "options") => subscribe::options(&visit, &action).await,
        (false, true, "options") => subscribe::set_options(&visit, &action).await,
        (false, false, "default") => subscribe::default(&visit),
        (true, false, "default") => owner::default(&visit),
        (true, true, "delete") => owner::delete(&visit, &action).await,
        (true, true, "purge") => owner::purge(&visit, &action).await,
        (true, false, "affiliations") => owner::affiliations(&visit, &action).await,
        (true, true, "affiliations") => owner::set_affiliations(&visit, &action).await,
        (true, false, "subscriptions") => owner::subscriptions(&visit, &action).await,
        (true, true, "subscriptions") => owner::set_subscriptions(&visit, &action).await,
        _ => Err(StanzaError::feature_not_implemented()),
    };
    answer.map_err(|error| visit.refusal(error))
}

/// Whether a node describes the avatar of whose nodes these are, so that presence depends on it (XEP-0398 §4).
fn avatar_node(owner: &Member, name: &str) -> bool {
    name == ns::AVATAR_METADATA && owner.uid != service::SERVICE
}

/// The node that a request names.
fn named(action: &Child<'_>) -> Result<String, StanzaError> {
    let node = action.attr("node").filter(|node| !node.is_empty());
    node.map(|node| node.into_owned()).ok_or_else(error::node_required)
}
