//! XEP-0030: Service Discovery, and the hash of the server's own capabilities (XEP-0115).

use super::{ALL, Xep, pep, search, serverinfo, upload};
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::{Core, Ctx, Policy, Registration};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Form, Purpose};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use sha1::{Digest, Sha1};
use std::sync::Arc;

/// XEP-0030.
pub const INFO: Xep = Xep {
    number: "XEP-0030",
    name: "Service Discovery",
    version: "2.5.0",
    server: &[ns::DISCO_INFO, ns::DISCO_ITEMS],
    account: &[ns::DISCO_INFO, ns::DISCO_ITEMS],
    note: "The server with its components, accounts and their nodes.",
};

/// The node that the server's capabilities hash belongs to.
pub const CAPS_NODE: &str = "https://rookery.im/server";

const SERVER: (&str, &str) = ("server", "im");
/// Where clients look for a place for files (XEP-0363 §3).
const STORE: (&str, &str) = ("store", "file");
const ACCOUNT: (&str, &str) = ("account", "registered");
/// XEP-0163 §6.1.
const PEP: (&str, &str) = ("pubsub", "pep");
const NAME: &str = "Rookery";

/// What the server says of itself: made once, as nothing of it changes while it runs.
pub struct Announced {
    identities: Vec<(&'static str, &'static str)>,
    features: Vec<&'static str>,
    forms: Vec<Form>,
    /// The verification string of all that (XEP-0115 §5.1).
    pub hash: String,
}

impl Announced {
    /// What follows from what the operator decided.
    pub fn new(policy: &Policy) -> Announced {
        let mut features = features(|xep| xep.server);
        features.retain(|feature| match *feature {
            ns::REGISTER => policy.registration != Registration::Closed,
            ns::EXT_DISCO => !policy.services.is_empty(),
            ns::FILE_INFO => policy.files.is_some(),
            ns::PREVIEW => policy.previewer.is_some(),
            feature if upload::INFO.server.contains(&feature) => policy.files.is_some(),
            _ => true,
        });
        // In the order of their types, and the fields of each in the order of their names, as the hash wants them.
        let forms: Vec<Form> = serverinfo::forms(policy);
        let mut identities = vec![SERVER];
        identities.extend(policy.files.as_ref().map(|_| STORE));
        let mut text: String =
            identities.iter().map(|(category, kind)| format!("{category}/{kind}//{NAME}<")).collect();
        for feature in &features {
            text.push_str(feature);
            text.push('<');
        }
        forms.iter().for_each(|form| text.push_str(&form.verification()));
        Announced { identities, features, forms, hash: BASE64_STANDARD.encode(Sha1::digest(text.as_bytes())) }
    }
}

fn features(of: impl Fn(&Xep) -> &'static [&'static str]) -> Vec<&'static str> {
    let mut all: Vec<_> = ALL.iter().flat_map(|xep| of(xep).iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What the server is and can (§3.1).
pub fn server_info(core: &Core, payload: &Child<'_>) -> Answer {
    let Announced { identities, features, forms, hash } = &core.announced;
    let node = payload.attr("node");
    if let Some(node) = node.as_deref()
        && node.strip_prefix(CAPS_NODE).and_then(|rest| rest.strip_prefix('#')) != Some(hash)
    {
        return Err(StanzaError::item_not_found());
    }
    Ok(Reply::Payload(info(identities, Some(NAME), features, forms, node.as_deref())))
}

/// What an account is and can, towards itself and those who may see it; or what one of its nodes is.
pub async fn account_info(ctx: &Ctx<'_>, member: &Arc<Member>, payload: &Child<'_>) -> Answer {
    if let Some(node) = payload.attr("node") {
        return pep::disco::info(ctx, member, &node).await;
    }
    Ok(Reply::Payload(info(&[ACCOUNT, PEP], None, &features(|xep| xep.account), &[], None)))
}

/// What belongs to the server (§4.1): the directory, the host of groups, and those of its components.
pub fn server_items(core: &Core, payload: &Child<'_>) -> Answer {
    let node = payload.attr("node");
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS).opt("node", node.as_deref());
    if node.is_none() {
        let directory = (&core.policy.domain, ns::SEARCH, search::NAME);
        x.open("item").attr("jid", directory.0).attr("node", directory.1).attr("name", directory.2).close();
        x.open("item").attr("jid", &core.policy.groups).attr("name", "Groups").close();
        if let Some(service) = &core.policy.pubsub {
            x.open("item").attr("jid", service.address.as_str()).attr("name", pep::service::NAME).close();
        }
    }
    for component in core.components.iter().filter(|_| node.is_none()) {
        x.open("item").attr("jid", &component.allowed.host).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// What an entity is and can, as the answer to a request (§3.1).
pub(crate) fn info(
    identities: &[(&str, &str)],
    name: Option<&str>,
    features: &[&str],
    forms: &[Form],
    node: Option<&str>,
) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).opt("node", node);
    for (category, kind) in identities {
        x.open("identity").attr("category", category).attr("type", kind).opt("name", name).close();
    }
    for feature in features {
        x.open("feature").attr("var", feature).close();
    }
    forms.iter().for_each(|form| form.write(Purpose::Result, &mut x));
    x.close();
    x.into_vec()
}
