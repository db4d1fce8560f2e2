//! HTTP: what browsers and their applications ask of the server. Streams over WebSocket and BOSH, where to find them, and
//! the web messenger for who comes with nothing but an address; on a port of its own, figures for the operator.

mod account;
mod body;
mod bosh;
pub mod client;
mod discovery;
mod export;
mod invite;
pub mod listener;
pub mod messenger;
mod monitor;
mod origin;
mod page;
mod patience;
mod preview;
mod sms;
mod upload;
pub mod visitor;
mod websocket;

pub use monitor::{Monitor, recorder};

use crate::bosh::Sessions;
use crate::files::Files;
use crate::net::Server;
use crate::net::listener::Admission;
use crate::previews::Previews;
use crate::recovery::Recovery;
use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use rookery_core::export::EXPORT_PATH;
use rookery_gateway::sms::Gateway as Phones;
use std::sync::Arc;
use visitor::Network;

/// Where streams are served over WebSocket.
pub const WEBSOCKET_PATH: &str = "/xmpp-websocket";

/// Where they are served over BOSH.
pub const BOSH_PATH: &str = "/http-bind";

/// What the operator decided about HTTP.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The address under which the outside reaches us, as `https://example.org`; none if nobody does.
    pub base: Option<String>,
    /// Pages of these origins may connect, besides our own; `*` for all.
    pub origins: Vec<String>,
    /// What they say about whom they speak for is believed.
    pub proxies: Vec<Network>,
}

/// What all requests share.
pub struct Web {
    server: Arc<Server>,
    admission: Arc<Admission>,
    settings: Settings,
    /// Uploaded files, where they are offered.
    files: Option<Arc<Files>>,
    /// Pages that people link to, where they are looked at.
    previews: Option<Arc<Previews>>,
    /// Links for lost passwords, where they are mailed.
    recovery: Option<Arc<Recovery>>,
    /// The way to phones, where there is one: providers post what they bring.
    phones: Option<Arc<Phones>>,
    /// Streams over BOSH.
    pub sessions: Arc<Sessions>,
}

impl Web {
    /// Serves the streams of `server`; `admission` bounds the connections of all doors.
    pub fn new(
        server: Arc<Server>,
        admission: Arc<Admission>,
        settings: Settings,
        files: Option<Arc<Files>>,
        previews: Option<Arc<Previews>>,
        recovery: Option<Arc<Recovery>>,
        phones: Option<Arc<Phones>>,
    ) -> Arc<Web> {
        let sessions = Arc::default();
        Arc::new(Web { server, admission, settings, files, previews, recovery, phones, sessions })
    }

    /// Uploaded files, where they are offered.
    pub fn files(&self) -> Option<&Arc<Files>> {
        self.files.as_ref()
    }

    fn domain(&self) -> &str {
        &self.server.core.policy.domain
    }
}

/// Every path there is.
fn router(web: Arc<Web>) -> Router {
    Router::new()
        .route("/", get(messenger::index))
        .route("/config.json", get(messenger::config::get))
        .route(WEBSOCKET_PATH, get(websocket::upgrade))
        .route(BOSH_PATH, get(page::bosh).post(bosh::post).options(bosh::preflight))
        .route("/.well-known/host-meta", get(discovery::xml))
        .route("/.well-known/host-meta.json", get(discovery::json))
        .route(invite::PATH, get(invite::show).post(invite::sign_up))
        .route(preview::PATH, get(preview::picture))
        .route(account::PATH, post(account::link))
        .route(account::recover::PATH, post(account::recover::ask))
        .route(account::enter::PATH, post(account::enter::enter))
        .route(account::stop::PATH, get(account::stop::show).post(account::stop::stop))
        .route(account::pair::PATH, post(account::pair::begin))
        .route(account::pair::WAIT_PATH, post(account::pair::wait))
        .route(sms::PATH, post(sms::post))
        .route(sms::TOKEN_PATH, post(sms::post_with_token))
        .route(upload::PATH, any(upload::serve))
        .route(&format!("{EXPORT_PATH}{{id}}"), get(export::get))
        .fallback(messenger::file)
        .with_state(web)
}

/// A refusal with a sentence for people.
fn refuse(status: StatusCode, sentence: impl std::fmt::Display) -> axum::response::Response {
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(header::CONTENT_TYPE, plain), NOSNIFF], format!("{sentence}\n")).into_response()
}

/// Nobody is to guess that a text is something else, such as a script.
const NOSNIFF: (HeaderName, HeaderValue) =
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// RFC 9110 §13.1.2: the client has it already.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let mut tags = tags.flat_map(|tags| tags.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag == etag)
}
