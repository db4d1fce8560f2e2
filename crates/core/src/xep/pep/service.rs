//! The publish-subscribe service (XEP-0060): a host of its own, whose nodes are made by accounts and owned by whom their owners
//! name. Everything else is as with personal nodes.

use super::disco;
use crate::announce::SERVER;
use crate::answer::{Answer, Reply};
use crate::choice::choice;
use crate::member::Member;
use crate::xep::disco::info;
use crate::xep::version;
use crate::{Core, Ctx};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use std::sync::Arc;

/// Whose number the service's nodes stand under: nobody's.
pub(crate) const SERVICE: Uid = SERVER;

/// What people see.
pub(crate) const NAME: &str = "Publish-Subscribe";

const IDENTITY: (&str, &str) = ("pubsub", "service");

/// What the service can (§10), in the order of the names.
const FEATURES: &[&str] = &[
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::PUBSUB,
    "http://jabber.org/protocol/pubsub#access-authorize",
    "http://jabber.org/protocol/pubsub#access-open",
    "http://jabber.org/protocol/pubsub#access-whitelist",
    "http://jabber.org/protocol/pubsub#config-node",
    "http://jabber.org/protocol/pubsub#config-node-max",
    "http://jabber.org/protocol/pubsub#create-and-configure",
    "http://jabber.org/protocol/pubsub#create-nodes",
    "http://jabber.org/protocol/pubsub#delete-items",
    "http://jabber.org/protocol/pubsub#delete-nodes",
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
    "http://jabber.org/protocol/pubsub#subscription-notifications",
    "http://jabber.org/protocol/pubsub#subscription-options",
    ns::VERSION,
    ns::PING,
    ns::SOCIAL_FEED,
];

choice! {
    /// Who may make nodes at the service.
    Creators {
        /// Every account.
        Members = "members",
        /// Administrators of the server.
        Administrators = "administrators",
        /// Nobody: what is there stays.
        Nobody = "nobody",
    }
}

/// The service as the operator wants it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its address: a host.
    pub address: BareJid,
    /// Who may make nodes.
    pub create: Creators,
}

impl Service {
    /// The service at a host; `None` if that is no address.
    pub fn new(host: &str, create: Creators) -> Option<Service> {
        Some(Service { address: BareJid::new(host).ok()?, create })
    }
}

/// What a client asks of the service.
pub(crate) async fn iq(ctx: &Ctx<'_>, set: bool, payload: &Child<'_>) -> Answer {
    let service = ctx.core.service().ok_or_else(StanzaError::service_unavailable)?;
    match (set, payload.ns(), payload.name()) {
        (_, ns::PUBSUB | ns::PUBSUB_OWNER, "pubsub") => super::iq(ctx, &service, set, payload).await,
        (false, ns::DISCO_INFO, "query") => match payload.attr("node") {
            Some(node) => disco::info(ctx, &service, &node).await,
            None => Ok(Reply::Payload(info(&[IDENTITY], Some(NAME), FEATURES, &[], None))),
        },
        (false, ns::DISCO_ITEMS, "query") => disco::items(ctx, &service, payload).await,
        (false, ns::PING, "ping") => Ok(Reply::Empty),
        (false, ns::VERSION, "query") => version::get(),
        _ => Err(StanzaError::service_unavailable()),
    }
}

impl Core {
    /// The service as the owner of its nodes, if there is one.
    pub(super) fn service(&self) -> Option<Arc<Member>> {
        let service = self.policy.pubsub.as_ref()?;
        Some(Arc::new(Member::of_nodes(SERVICE, service.address.clone(), 0)))
    }
}
