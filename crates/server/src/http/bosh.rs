//! BOSH as HTTP sees it (XEP-0124): one address that is posted to.

use super::body::{self, NoBody};
use super::visitor::{Visitor, Wire};
use super::{NOSNIFF, Web, origin, refuse};
use crate::bosh::Client;
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rookery_proto::stream::bosh::{Body, session_of, terminate};
use rookery_proto::xml::Limits;
use std::sync::Arc;

/// XEP-0124 §6
const XML: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));

/// An answer is for one client, once.
const NO_STORE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));

/// How long a browser may remember that it may ask.
const REMEMBER: &str = "3600";

/// A browser asks whether a page may post (Fetch standard, CORS preflight).
pub(super) async fn preflight(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match origin::judge(&parts, web.domain(), &web.settings) {
        Ok(cors) => {
            let allowed = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
                (header::ACCESS_CONTROL_MAX_AGE, REMEMBER),
            ];
            (StatusCode::NO_CONTENT, cors, allowed).into_response()
        }
        Err(refusal) => *refusal,
    }
}

/// A request of a session, or for one.
pub(super) async fn post(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let cors = match origin::judge(&parts, web.domain(), &web.settings) {
        Ok(cors) => cors,
        Err(refusal) => return *refusal,
    };
    let Ok(visitor) = Visitor::of(&wire, &parts.headers, &web.settings.proxies) else {
        return refuse(StatusCode::BAD_REQUEST, "The proxy in between says something that is not clear.");
    };
    match exchange(&web, &wire, visitor, body).await {
        Ok((status, answer)) => (status, cors, [XML, NO_STORE, NOSNIFF], answer).into_response(),
        Err(refusal) => (cors, *refusal).into_response(),
    }
}

type Answer = Result<(StatusCode, Bytes), Box<Response>>;

fn end(status: StatusCode, condition: &str) -> Answer {
    Ok((status, terminate(Some(condition), &[]).into()))
}

async fn exchange(web: &Arc<Web>, wire: &Wire, visitor: Visitor, body: axum::body::Body) -> Answer {
    let stranger = Limits::unauthenticated();
    let limits = |document: &[u8]| {
        let session = session_of(document, &stranger).and_then(|sid| web.sessions.get(&sid, visitor.secure));
        session.map_or(stranger, |session| session.limits())
    };
    let most = |document: &[u8]| 2 * limits(document).stanza_bytes;
    let document = match body::read(body, 2 * stranger.stanza_bytes, most).await {
        Ok(document) => document,
        Err(NoBody::TooLarge) => return end(StatusCode::PAYLOAD_TOO_LARGE, "policy-violation"),
        Err(NoBody::TooSlow) => {
            return Err(Box::new(refuse(StatusCode::REQUEST_TIMEOUT, "The request took too long.")));
        }
        Err(NoBody::Broken) => {
            return Err(Box::new(refuse(StatusCode::BAD_REQUEST, "The request is not complete.")));
        }
    };
    let Ok(body) = Body::parse(&document, &limits(&document)) else {
        return end(StatusCode::BAD_REQUEST, "bad-request");
    };
    drop(document);
    let reply = match &body.sid {
        Some(sid) => match web.sessions.get(sid, visitor.secure) {
            Some(session) => session.request(body),
            None => return end(StatusCode::OK, "item-not-found"),
        },
        None => {
            // A session is more than the connection that asked for it, and takes a place of its own.
            let place = web.admission.enter(Some(visitor.address));
            let (Some(place), Some(turn)) = (place, web.admission.turn()) else {
                tracing::warn!(peer = %visitor.address, proxy = %wire.peer, "too many sessions; one is turned away");
                return end(StatusCode::OK, "policy-violation");
            };
            let Visitor { address, secure, .. } = visitor;
            web.sessions.open(&web.server, Client { address, secure, place, turn }, body)
        }
    };
    match reply.await {
        Ok(answer) => Ok((StatusCode::OK, answer)),
        // The same request has come again over another connection, which gets the answer; or the server ends.
        Err(_) => {
            let sentence = "There is no answer to this request here.";
            Err(Box::new(refuse(StatusCode::SERVICE_UNAVAILABLE, sentence)))
        }
    }
}
