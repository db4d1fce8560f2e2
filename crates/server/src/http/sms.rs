//! `/sms/PROVIDER` and `/sms/PROVIDER/TOKEN`: what a provider of short messages posts, and nobody else. docs/sms.md describes it.

use super::visitor::{Visitor, Wire};
use super::{Web, body, refuse};
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rookery_gateway::sms::http::{Call, Heard};
use rookery_gateway::sms::limits;
use std::sync::Arc;

/// Where a provider posts that signs, or sends its token as a bearer.
pub(super) const PATH: &str = "/sms/{provider}";

/// Where it posts otherwise.
pub(super) const TOKEN_PATH: &str = "/sms/{provider}/{token}";

/// `POST`
pub(super) async fn post(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    Path(provider): Path<String>,
    request: Request,
) -> Response {
    heard(&web, &wire, &provider, None, request).await
}

/// `POST`
pub(super) async fn post_with_token(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    Path((provider, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    heard(&web, &wire, &provider, Some(&token), request).await
}

async fn heard(web: &Web, wire: &Wire, provider: &str, token: Option<&str>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Parts { headers, .. } = &parts;
    let Ok(visitor) = Visitor::of(wire, headers, &web.settings.proxies) else {
        return refuse(StatusCode::BAD_REQUEST, "What the proxy says of who asks cannot be understood.");
    };
    let Some(phones) = &web.phones else { return answer(Heard::Nobody) };
    let turn = match phones.turn(provider, visitor.address) {
        Ok(turn) => turn,
        Err(heard) => return answer(heard),
    };
    let Ok(body) = body::read(body, limits::HOOK, |_| limits::HOOK).await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "This is too much, or it came too slowly.");
    };
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let token = token.or_else(|| bearer(headers));
    answer(phones.hear(turn, Call { from: visitor.address, token, header: &header, body: &body }).await)
}

/// RFC 6750 §2.1
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn answer(heard: Heard) -> Response {
    match heard {
        // Some take 204 for a failure.
        Heard::Taken => (StatusCode::OK, "").into_response(),
        Heard::Nobody => refuse(StatusCode::NOT_FOUND, "No provider of short messages posts here."),
        Heard::Unproven => refuse(StatusCode::FORBIDDEN, "This does not prove that it is the provider's."),
        Heard::Garbled => refuse(StatusCode::BAD_REQUEST, "This is neither JSON nor a form."),
        Heard::Later => {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment. Try again later.")
        }
    }
}
