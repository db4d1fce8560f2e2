//! XEP-0030: Service Discovery, and the hash of the server's own capabilities (XEP-0115).

use super::{ALL, Xep, pep};
use crate::Ctx;
use crate::answer::{Answer, Reply};
use crate::member::Member;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_proto::error::StanzaError;
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
    note: "The server, accounts and their nodes.",
};

/// The node that the server's capabilities hash belongs to.
pub const CAPS_NODE: &str = "https://rookery.im/server";

const SERVER: (&str, &str) = ("server", "im");
const ACCOUNT: (&str, &str) = ("account", "registered");
/// XEP-0163 §6.1.
const PEP: (&str, &str) = ("pubsub", "pep");
const NAME: &str = "Rookery";

fn features(of: impl Fn(&Xep) -> &'static [&'static str]) -> Vec<&'static str> {
    let mut all: Vec<_> = ALL.iter().flat_map(|xep| of(xep).iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The verification string of the server's features (XEP-0115 §5.1).
pub fn server_hash() -> String {
    let mut text = format!("{}/{}//{NAME}<", SERVER.0, SERVER.1);
    for feature in features(|xep| xep.server) {
        text.push_str(feature);
        text.push('<');
    }
    BASE64_STANDARD.encode(Sha1::digest(text.as_bytes()))
}

/// What the server is and can (§3.1).
pub fn server_info(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let hash = server_hash();
    let node = payload.attr("node");
    if let Some(node) = node.as_deref()
        && node.strip_prefix(CAPS_NODE).and_then(|rest| rest.strip_prefix('#')) != Some(&hash)
    {
        return Err(StanzaError::item_not_found());
    }
    let mut list = features(|xep| xep.server);
    if ctx.core.policy.registration != crate::Registration::Open {
        list.retain(|feature| {
            *feature != ns::REGISTER || ctx.core.policy.registration == crate::Registration::Invite
        });
    }
    Ok(Reply::Payload(info(&[SERVER], Some(NAME), &list, node.as_deref())))
}

/// What an account is and can, towards itself and those who may see it; or what one of its nodes is.
pub async fn account_info(ctx: &Ctx<'_>, member: &Arc<Member>, payload: &Child<'_>) -> Answer {
    if let Some(node) = payload.attr("node") {
        return pep::disco::info(ctx, member, &node).await;
    }
    Ok(Reply::Payload(info(&[ACCOUNT, PEP], None, &features(|xep| xep.account), None)))
}

/// There is nothing below (§4.2).
pub fn no_items(payload: &Child<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS).opt("node", payload.attr("node").as_deref()).close();
    Ok(Reply::Payload(x.into_vec()))
}

fn info(identities: &[(&str, &str)], name: Option<&str>, features: &[&str], node: Option<&str>) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).opt("node", node);
    for (category, kind) in identities {
        x.open("identity").attr("category", category).attr("type", kind).opt("name", name).close();
    }
    for feature in features {
        x.open("feature").attr("var", feature).close();
    }
    x.close();
    x.into_vec()
}
