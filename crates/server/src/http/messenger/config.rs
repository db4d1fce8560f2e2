//! `/config.json`: what the page must know before anybody has signed in. Nothing in it is secret.

use super::super::visitor::{Visitor, Wire};
use super::super::{NOSNIFF, WEBSOCKET_PATH, Web};
use super::{ASSETS, PAGE};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use rookery_core::Registration;
use serde_json::json;
use std::sync::Arc;

/// Answers with the configuration of the page.
pub(in super::super) async fn get(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    headers: HeaderMap,
) -> Response {
    let policy = &web.server.core.policy;
    let visitor = Visitor::of(&wire, &headers, &web.settings.proxies);
    let config = json!({
        "domain": policy.domain,
        "groups": policy.groups,
        "websocket": WEBSOCKET_PATH,
        // What the addresses of files begin with: the same path is here, whatever this page was reached by.
        "base": policy.public_url,
        // Whether secrets may pass on the way that this request came.
        "secure": web.server.settings.plain || visitor.is_ok_and(|visitor| visitor.secure),
        "registration": registration(policy.registration),
        "members_invite": policy.members_invite,
        "upload_bytes": policy.files.as_ref().map(|files| files.largest),
        "previews": web.previews.is_some(),
        "push_key": web.server.core.push_key,
        // Whether who has lost the password may ask for a link by mail.
        "recovery": web.recovery.is_some(),
        "terms": policy.terms,
        "version": env!("CARGO_PKG_VERSION"),
        // Another page was built: a worker or a tab of before is told by it.
        "build": ASSETS.get(PAGE).map(|page| &page.tag),
    });
    let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (kind, [NOSNIFF], config.to_string()).into_response()
}

/// As `registration.mode` is written.
fn registration(mode: Registration) -> &'static str {
    match mode {
        Registration::Closed => "closed",
        Registration::Invite => "invite",
        Registration::Review => "review",
        Registration::Open => "open",
    }
}
