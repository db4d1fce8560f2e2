//! Where the other ways to connect are (XEP-0156 §3): for whoever knows the domain, from whatever page.

use super::{BOSH_PATH, NOSNIFF, WEBSOCKET_PATH, Web, origin, refuse};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rookery_proto::xml::Xml;
use std::sync::Arc;

/// RFC 6415 §2: the namespace of a host's metadata.
const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

/// What a link leads to, and where, under the address that the operator announces: what a request says of the host it was
/// sent to does not count.
fn links(web: &Web) -> Option<[(&'static str, String); 2]> {
    let base = web.settings.base.as_deref()?;
    let socket = base.replacen("http", "ws", 1);
    Some([
        ("urn:xmpp:alt-connections:websocket", format!("{socket}{WEBSOCKET_PATH}")),
        ("urn:xmpp:alt-connections:xbosh", format!("{base}{BOSH_PATH}")),
    ])
}

/// `/.well-known/host-meta`
pub(super) async fn xml(State(web): State<Arc<Web>>) -> Response {
    let Some(links) = links(&web) else { return nowhere() };
    let mut x = Xml::new();
    x.raw(b"<?xml version='1.0' encoding='utf-8'?>\n").open_ns("XRD", XRD);
    for (rel, href) in &links {
        x.open("Link").attr("rel", rel).attr("href", href).close();
    }
    x.close();
    answer("application/xrd+xml; charset=utf-8", x.into_vec())
}

/// `/.well-known/host-meta.json`
pub(super) async fn json(State(web): State<Arc<Web>>) -> Response {
    let Some(links) = links(&web) else { return nowhere() };
    let links = links.map(|(rel, href)| serde_json::json!({ "rel": rel, "href": href }));
    answer("application/json", serde_json::json!({ "links": links }).to_string().into_bytes())
}

fn answer(kind: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], [origin::EVERYBODY, NOSNIFF], body).into_response()
}

fn nowhere() -> Response {
    refuse(StatusCode::NOT_FOUND, "Nothing is announced here: see `http.public_url` in the configuration.")
}
