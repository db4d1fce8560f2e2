//! `/account/enter`: who was sent a letter that tells of a message comes in by the ticket in it, once; docs/web.md describes it.

use super::super::visitor::Wire;
use super::super::{Web, body};
use super::{admitted, answer};
use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use rookery_core::accounts::is_odd;
use rookery_core::env::stamp;
use rookery_core::pairing::Newcomer;
use rookery_core::store_error;
use rookery_core::ticket::{Entry, Told};
use rookery_proto::error::StanzaError;
use rookery_proto::sasl2::AGENT_BYTES;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Where it is asked.
pub(in super::super) const PATH: &str = "/account/enter";

/// Bytes of what is asked: a ticket and two names, escaped.
const ASKED_BYTES: usize = 4 << 10;

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    ticket: String,
    /// The application. Without it nobody comes in: it is asked what the ticket is about.
    software: Option<String>,
    /// The machine, or the browser on it.
    #[serde(default)]
    device: String,
    /// Others use this machine too.
    #[serde(default)]
    public: bool,
}

/// `POST`
pub(in super::super) async fn enter(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    answer(entered(&web, &wire, request).await)
}

async fn entered(web: &Web, wire: &Wire, request: Request) -> Result<Value, StanzaError> {
    let (parts, body) = request.into_parts();
    let from = admitted(web, wire, &parts)?;
    let asked = match body::read(body, ASKED_BYTES, |_| ASKED_BYTES).await {
        Ok(bytes) => serde_json::from_slice::<Asked>(&bytes).ok(),
        Err(_) => None,
    };
    // They are shown among the account's devices, in documents of XML.
    let is_name = |text: &str| text.len() <= AGENT_BYTES && !text.contains(is_odd);
    let software = |it: &Asked| it.software.as_deref().is_none_or(|text| !text.is_empty() && is_name(text));
    let asked = asked.filter(|it| software(it) && is_name(&it.device));
    let asked = asked.ok_or_else(|| StanzaError::bad_request().text("This is not what this page asks."))?;
    let core = &web.server.core;
    let Asked { ticket, software, device, public } = asked;
    let said = match software {
        None => core.told(&ticket).await.map_err(store_error)?.map(|told| about(&told)),
        Some(software) => {
            let newcomer = Newcomer { software, device, public, from };
            core.enter(&ticket, &newcomer).await.map_err(store_error)?.map(|entry| admitted_by(&entry))
        }
    };
    said.ok_or_else(|| {
        // Tickets are not guessed one after the other.
        web.server.sign_ups.note_try(from, core.env.now());
        StanzaError::item_not_found().text("This link lets nobody in any more: sign in.")
    })
}

fn about(told: &Told) -> Value {
    json!({ "address": told.address.as_str(), "peer": told.peer.as_ref().map(|peer| peer.as_str()) })
}

fn admitted_by(Entry { admission, peer }: &Entry) -> Value {
    json!({
        "address": admission.address.as_str(),
        "agent": admission.agent,
        "token": admission.token,
        "expires": stamp(admission.expires),
        "peer": peer.as_ref().map(|peer| peer.as_str()),
    })
}
