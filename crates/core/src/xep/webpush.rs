//! Web Push (RFC 8030, 8291, 8292): a browser's subscription, registered in a way of our own that docs/push.md describes.
//! The server encrypts and posts; who is told, and what, is in [`crate::push`].

use super::Xep;
use super::push::{register, unregister};
use crate::Ctx;
use crate::answer::{Answer, Reply};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use rookery_store::{PushFilter, PushTarget};

/// RFC 8030.
pub const INFO: Xep = Xep {
    number: "RFC 8030",
    name: "Web Push",
    version: "2016-12",
    server: &[],
    account: &[ns::WEB_PUSH],
    note: "Encrypted (RFC 8291, `aes128gcm`) and signed (RFC 8292); subscriptions are registered under \
           `https://rookery.im/protocol/webpush`, see [push](push.md).",
};

/// The key that a browser's subscription is to be bound to (RFC 8292 §4).
pub fn key(ctx: &Ctx<'_>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("key", ns::WEB_PUSH).text(&ctx.core.push_key).close();
    Ok(Reply::Payload(x.into_vec()))
}

/// Registers a subscription, as the browser's `PushSubscription` tells it.
pub async fn subscribe(ctx: &Ctx<'_>, subscribe: &Child<'_>) -> Answer {
    let endpoint = endpoint(subscribe)?;
    // RFC 8030 §8: never in the clear; whether the address may be reached is looked at when it is.
    if !endpoint.starts_with("https://") || endpoint.bytes().any(|b| b.is_ascii_control() || b == b' ') {
        return Err(StanzaError::not_acceptable().text("The endpoint is no https address."));
    }
    let (key, auth) = (bytes(subscribe, "p256dh")?, bytes(subscribe, "auth")?);
    // RFC 8291 §3.1: an uncompressed point.
    let (Ok(key), Ok(auth)) = (<[u8; 65]>::try_from(key), auth.try_into()) else {
        return Err(StanzaError::not_acceptable().text("The keys are not those of a subscription."));
    };
    if key[0] != 4 {
        return Err(StanzaError::not_acceptable().text("The keys are not those of a subscription."));
    }
    register(ctx, PushTarget::Web { endpoint, key, auth }).await
}

/// Removes a subscription.
pub async fn unsubscribe(ctx: &Ctx<'_>, unsubscribe: &Child<'_>) -> Answer {
    unregister(ctx, PushFilter::Endpoint(endpoint(unsubscribe)?)).await
}

fn endpoint(element: &Child<'_>) -> Result<String, StanzaError> {
    let endpoint = element.attr("endpoint").filter(|endpoint| !endpoint.is_empty());
    endpoint
        .map(|endpoint| endpoint.into_owned())
        .ok_or_else(|| StanzaError::bad_request().text("Which endpoint?"))
}

fn bytes(element: &Child<'_>, name: &str) -> Result<Vec<u8>, StanzaError> {
    let text = element.child(ns::WEB_PUSH, name).map(|child| child.text().into_owned());
    let text = text.ok_or_else(|| StanzaError::bad_request().text("A subscription has two keys."))?;
    let decoded = BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('='));
    decoded.map_err(|_| StanzaError::not_acceptable().text("The keys are in base64url."))
}
