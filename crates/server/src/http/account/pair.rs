//! `/account/pair`: a page on which nobody has signed in asks to be let in by a device of somebody's, and waits. What that device
//! does is an IQ (`core/xep/pairing.rs`); docs/extensions.md describes both.

use super::super::visitor::Wire;
use super::super::{Web, body};
use super::{admitted, answer};
use crate::net::throttle::subnet;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use rookery_core::accounts::is_odd;
use rookery_core::env::stamp;
use rookery_core::pairing::{Newcomer, Standing};
use rookery_proto::error::StanzaError;
use rookery_proto::sasl2::AGENT_BYTES;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Where one begins.
pub(in super::super) const PATH: &str = "/account/pair";

/// Where one waits.
pub(in super::super) const WAIT_PATH: &str = "/account/pair/{id}/wait";

/// Bytes of what is asked: two names, escaped.
const ASKED_BYTES: usize = 4 << 10;

/// How long a request waits for a decision: well below the minute after which proxies give up.
const WAITS: Duration = Duration::from_secs(25);

/// What begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    software: String,
    device: String,
    /// Others use this machine too.
    public: bool,
}

/// What waits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    secret: String,
}

/// `POST`: begins.
pub(in super::super) async fn begin(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    answer(match admitted(&web, &wire, &parts) {
        Ok(from) => asked(body).await.and_then(|begin| begun(&web, from, begin)),
        Err(error) => Err(error),
    })
}

/// `POST`: how it stands, when it is decided or after a while.
pub(in super::super) async fn wait(
    State(web): State<Arc<Web>>,
    Extension(wire): Extension<Wire>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    answer(match admitted(&web, &wire, &parts) {
        Ok(from) => match asked(body).await {
            Ok(Wait { secret }) => decided(&web, from, &id, &secret).await,
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    })
}

async fn asked<T: DeserializeOwned>(body: Body) -> Result<T, StanzaError> {
    let bytes = body::read(body, ASKED_BYTES, |_| ASKED_BYTES).await.ok();
    let asked = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    asked.ok_or_else(|| StanzaError::bad_request().text("This is not what this page asks."))
}

fn begun(web: &Web, from: IpAddr, asked: Begin) -> Result<Value, StanzaError> {
    let Begin { software, device, public } = asked;
    // They will be shown to whoever decides, in documents of XML.
    let is_name = |text: &str| text.len() <= AGENT_BYTES && !text.contains(is_odd);
    if software.is_empty() || !is_name(&software) || !is_name(&device) {
        return Err(StanzaError::bad_request().text("These are no names."));
    }
    let core = &web.server.core;
    let begun = core.begin_pairing(Newcomer { software, device, public, from }, subnet(from))?;
    let seconds = (begun.expires.0 - core.env.now().0) / 1_000;
    Ok(json!({ "id": begun.id, "secret": begun.secret, "code": begun.code, "seconds": seconds }))
}

async fn decided(web: &Web, from: IpAddr, id: &str, secret: &str) -> Result<Value, StanzaError> {
    let core = &web.server.core;
    let Some((mut standing, expires)) = core.pairing(id, secret) else {
        // Secrets are not guessed one after the other.
        web.server.sign_ups.note_try(from, core.env.now());
        return Err(StanzaError::item_not_found().text("This is over. Begin anew."));
    };
    let left = Duration::from_millis(u64::try_from(expires.0 - core.env.now().0).unwrap_or(0));
    let decision =
        standing.wait_for(|standing| matches!(standing, Standing::Refused | Standing::Approved(_)));
    let standing = match tokio::time::timeout(WAITS.min(left), decision).await {
        Ok(Ok(standing)) => standing.clone(),
        // Forgotten meanwhile, or nobody has decided: what is asked next says which.
        Ok(Err(_)) | Err(_) => Standing::Waiting,
    };
    Ok(match standing {
        Standing::Waiting | Standing::Deciding => json!({ "state": "waiting" }),
        Standing::Refused => json!({ "state": "refused" }),
        Standing::Approved(admission) => json!({
            "state": "approved",
            "address": admission.address.as_str(),
            "agent": admission.agent,
            "token": admission.token,
            "expires": stamp(admission.expires),
        }),
    })
}
