//! `/account/recover`: who has lost the password asks for a link by mail. The answer is always the same; docs/web.md describes it.

use super::super::visitor::Wire;
use super::super::{Web, body};
use super::{admitted, answer};
use crate::recovery::Language;
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use rookery_proto::error::StanzaError;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where it is asked.
pub(in super::super) const PATH: &str = "/account/recover";

/// Bytes of what is asked: the longest address, escaped, and a tag.
const ASKED_BYTES: usize = 8 << 10;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// A number, a name, or an address.
    who: String,
    /// The tag of the language that the page is in.
    language: String,
}

/// `POST`
pub(in super::super) async fn ask(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    answer(asked(&web, &wire, request).await)
}

async fn asked(web: &Web, wire: &Wire, request: Request) -> Result<Value, StanzaError> {
    let (parts, body) = request.into_parts();
    let from = admitted(web, wire, &parts)?;
    let offered = web.recovery.as_ref();
    let recovery = offered.ok_or_else(|| StanzaError::item_not_found().text("No links are mailed here."))?;
    let asked = match body::read(body, ASKED_BYTES, |_| ASKED_BYTES).await {
        Ok(bytes) => serde_json::from_slice::<Asked>(&bytes).ok(),
        Err(_) => None,
    };
    let asked = asked.ok_or_else(|| StanzaError::bad_request().text("This is not what this page asks."))?;
    recovery.ask(from, asked.who, Language::of(&asked.language))?;
    Ok(json!({}))
}
