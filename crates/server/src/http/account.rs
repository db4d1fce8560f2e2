//! `/account/link`: what the messenger asks with a one-time link. First without a password: what is it good for? Then with one: it
//! is used up, and somebody is the administrator or has a new password. docs/web.md describes it.

pub(super) mod enter;
pub(super) mod pair;
pub(super) mod recover;
pub(super) mod stop;

use super::invite::status;
use super::visitor::{Visitor, Wire};
use super::{NOSNIFF, Web, body, origin};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rookery_core::accounts::{AccountError, Wanted};
use rookery_proto::error::StanzaError;
use rookery_store::{Account, LinkPurpose};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

/// Where it is asked.
pub(super) const PATH: &str = "/account/link";

/// Bytes of what is asked: a token, a nick, a name and the longest password, escaped.
const ASKED_BYTES: usize = 16 << 10;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    token: String,
    /// Without it nothing is changed.
    password: Option<String>,
    /// For a new password: who is connected stays so.
    #[serde(default)]
    keep: bool,
    /// For a new account: what others call it.
    nick: Option<String>,
    /// For a new account: the name in its address.
    name: Option<String>,
}

/// `POST`
pub(super) async fn link(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let from = match admitted(&web, &wire, &parts) {
        Ok(from) => from,
        Err(error) => return answer(Err(error)),
    };
    let asked = match body::read(body, ASKED_BYTES, |_| ASKED_BYTES).await {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(_) => None,
    };
    answer(match asked {
        Some(asked) => carried_out(&web, from, asked).await,
        None => Err(StanzaError::bad_request().text("This is not what this page asks.")),
    })
}

/// Where a request comes from that may be answered: of a page of ours, over a way that nobody reads along, and not too often.
fn admitted(web: &Web, wire: &Wire, parts: &Parts) -> Result<IpAddr, StanzaError> {
    let json = origin::single(&parts.headers, header::CONTENT_TYPE);
    let json =
        json.is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json"));
    // Of other pages only forms come unasked, and those are no JSON (Fetch standard, CORS-safelisted request headers).
    if !json || !origin::is_ours(parts, web.domain(), &web.settings) {
        return Err(StanzaError::forbidden().text("Only the messenger's own page asks this."));
    }
    let visitor = Visitor::of(wire, &parts.headers, &web.settings.proxies).map_err(|_| {
        StanzaError::bad_request().text("The proxy in between says something that is not clear.")
    })?;
    if !visitor.secure && !web.server.settings.plain {
        let text = "No secret is passed on without TLS: open the page by https.";
        return Err(StanzaError::forbidden().text(text));
    }
    if web.server.sign_ups.is_spent(visitor.address, web.server.core.env.now()) {
        let text = "Too many tries came from your address. Come back later.";
        return Err(StanzaError::resource_constraint().text(text));
    }
    Ok(visitor.address)
}

async fn carried_out(web: &Web, from: IpAddr, asked: Asked) -> Result<Value, StanzaError> {
    let core = &web.server.core;
    let Asked { token, password, keep, nick, name } = asked;
    let purpose = core.accounts.granted(&token).await;
    // Tokens are not guessed one after the other, nor is the server had to hash without end.
    if purpose.is_err() || password.is_some() {
        web.server.sign_ups.note_try(from, core.env.now());
    }
    match (purpose?, password) {
        (LinkPurpose::Administrator, None) => Ok(json!({ "purpose": "administrator" })),
        (LinkPurpose::Recovery(uid), None) => {
            let account = core.store.account(uid).await.map_err(AccountError::from)?;
            Ok(said(web, "recovery", &account.ok_or(AccountError::Link)?))
        }
        (LinkPurpose::Administrator, Some(password)) => {
            let text = |text: Option<String>| text.filter(|text| !text.is_empty());
            let wanted = Wanted { name: text(name), nick: text(nick), password, invite: None };
            let account = core.accounts.begin(&token, wanted).await?;
            tracing::info!(uid = account.uid.0, %from, "an administrator was made with a link");
            Ok(said(web, "administrator", &account))
        }
        (LinkPurpose::Recovery(_), Some(password)) => {
            let uid = core.recover(&token, password, keep).await?;
            tracing::info!(uid = uid.0, %from, "password set with a link");
            let account = core.store.account(uid).await.map_err(AccountError::from)?;
            Ok(said(web, "recovery", &account.ok_or(AccountError::Link)?))
        }
    }
}

/// An account as the page shows it.
fn said(web: &Web, purpose: &str, account: &Account) -> Value {
    let address = web.server.core.accounts.address(account);
    json!({
        "purpose": purpose,
        "address": address.as_str(),
        // What one signs in with.
        "user": address.node().map(|node| node.as_str()),
        "number": account.uid.0,
        "nick": account.nick,
    })
}

/// Nobody on the way keeps it; an error has the standard's name, and a sentence for people.
fn answer(outcome: Result<Value, StanzaError>) -> Response {
    let head = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let (status, said) = match outcome {
        Ok(said) => (StatusCode::OK, said),
        Err(error) => {
            let status = match error.condition {
                "bad-request" => StatusCode::BAD_REQUEST,
                "forbidden" => StatusCode::FORBIDDEN,
                "item-not-found" => StatusCode::NOT_FOUND,
                _ => status(&error),
            };
            (status, json!({ "error": error.condition, "text": error.text }))
        }
    };
    (status, head, [NOSNIFF], said.to_string()).into_response()
}
