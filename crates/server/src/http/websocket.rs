//! From a request to a WebSocket (RFC 6455 §4, RFC 7395 §3).

use super::origin::{self, single};
use super::patience::Patience;
use super::visitor::{Upgrade, Visitor, Wire};
use super::{Web, refuse};
use crate::net::framing::Framing;
use crate::net::transport::{Carrier, Conn, Transport};
use crate::net::{self, Arrival};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper_util::rt::TokioIo;
use rookery_proto::websocket;
use rookery_proto::xml::Limits;
use std::sync::Arc;
use std::time::Duration;

/// RFC 7395 §3.1
const PROTOCOL: &str = "xmpp";

/// RFC 6455 §4.1
const VERSION: &str = "13";

/// How long the answer to the handshake may take to leave.
const HANDOVER: Duration = Duration::from_secs(10);

/// Agrees to a WebSocket. The connection becomes one when the answer is out.
pub(super) async fn upgrade(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    agree(&web, &wire, &mut parts).unwrap_or_else(|refusal| *refusal)
}

fn agree(web: &Web, wire: &Wire, parts: &mut Parts) -> Result<Response, Box<Response>> {
    let no = |status, sentence| Box::new(refuse(status, sentence));
    let key = handshake(&parts.headers)?;
    origin::judge(parts, web.domain(), &web.settings)?;
    let visitor = Visitor::of(wire, &parts.headers, &web.settings.proxies)
        .map_err(|_| no(StatusCode::BAD_REQUEST, "The proxy in between says something that is not clear."))?;
    // Behind a proxy the connection is the proxy's; who is counted is the client.
    let place = match visitor.proxied {
        true => web.admission.enter(Some(visitor.address)).map(Arc::new),
        false => Some(wire.place.clone()),
    };
    let (Some(place), Some(turn)) = (place, web.admission.turn()) else {
        tracing::warn!(peer = %visitor.address, "too many connections; one is turned away");
        return Err(no(StatusCode::SERVICE_UNAVAILABLE, "Too many connections."));
    };
    let io = parts.extensions.remove().ok_or_else(|| no(StatusCode::BAD_REQUEST, "Nothing to upgrade."))?;
    *wire.next.lock() = Some(Upgrade { io, visitor, place, turn });
    let agreed = [
        (header::CONNECTION, "upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL),
    ];
    let accept = [(header::SEC_WEBSOCKET_ACCEPT, websocket::accept(&key))];
    Ok((StatusCode::SWITCHING_PROTOCOLS, agreed, accept).into_response())
}

/// The key of a handshake that is as RFC 6455 §4.2.1 wants it, for the protocol that we speak.
fn handshake(headers: &HeaderMap) -> Result<String, Box<Response>> {
    let is_websocket = lists(headers, header::UPGRADE, "websocket");
    if !(is_websocket && lists(headers, header::CONNECTION, "upgrade")) {
        let sentence = "Applications connect here by WebSocket (RFC 7395).";
        let upgrade = [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")];
        return Err(Box::new((upgrade, refuse(StatusCode::UPGRADE_REQUIRED, sentence)).into_response()));
    }
    if single(headers, header::SEC_WEBSOCKET_VERSION) != Some(VERSION) {
        let version = [(header::SEC_WEBSOCKET_VERSION, VERSION)];
        let refusal = refuse(StatusCode::UPGRADE_REQUIRED, "This version of WebSocket is not spoken here.");
        return Err(Box::new((version, refusal).into_response()));
    }
    let no = |sentence| Box::new(refuse(StatusCode::BAD_REQUEST, sentence));
    if !lists(headers, header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL) {
        return Err(no("Ask for the protocol xmpp (RFC 7395 §3.1)."));
    }
    let key = single(headers, header::SEC_WEBSOCKET_KEY);
    let key = key.filter(|key| BASE64_STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16));
    key.map(str::to_owned).ok_or_else(|| no("Sec-WebSocket-Key is no key."))
}

/// Whether a header that lists tokens lists this one, in whatever case.
fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The connection behind an agreed WebSocket, and who is at its other end.
pub(super) async fn take_over<S: Carrier>(upgrade: Upgrade) -> Option<(Box<Arrival<S>>, Admitted)> {
    let Upgrade { io, visitor, place, turn } = upgrade;
    let upgraded = tokio::time::timeout(HANDOVER, io).await.ok()?.ok()?;
    let parts = upgraded.downcast::<TokioIo<Patience<Transport<S>>>>().ok()?;
    // RFC 6455 §4.1: a client waits for the answer before it sends anything.
    if !parts.read_buf.is_empty() {
        return None;
    }
    let conn = Conn::new(parts.io.into_inner().into_inner(), Framing::web_socket(Limits::unauthenticated()));
    let Visitor { address, secure, bindings, .. } = visitor;
    Some((Box::new(Arrival { conn, peer: address, secure, bindings }), Admitted { place, turn }))
}

/// What a connection holds while it is open.
pub(super) struct Admitted {
    place: Arc<net::listener::Place>,
    turn: tokio::sync::OwnedSemaphorePermit,
}

/// Serves the stream until its end.
pub(super) async fn serve<S: Carrier>(web: Arc<Web>, arrival: Box<Arrival<S>>, admitted: Admitted) {
    let server = web.server.clone();
    drop(web);
    net::serve(server, arrival, false, Some(admitted.turn)).await;
    drop(admitted.place);
}
