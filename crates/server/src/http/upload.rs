//! Uploads (XEP-0363 §6) and what is downloaded: one address for both. Who asked for the slot has the key, and uploads;
//! everybody who knows the address downloads.

mod download;
mod kinds;
mod put;
mod range;

use super::{NOSNIFF, Web, refuse};
use crate::files::Files;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rookery_store::FileToken;
use std::sync::Arc;

/// Where files are.
pub(super) const PATH: &str = "/upload/{token}/{name}";

/// How many bytes of an upload are here, for who wants to go on with it.
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");

/// Headers of what people uploaded or linked to: what is shown runs no script and loads nothing, and is nobody's page; pictures may be
/// shown on any. An address never means another file, so it may be kept; not by proxies, which would keep what was taken back.
pub(super) const SAFE: [(HeaderName, HeaderValue); 5] = [
    NOSNIFF,
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"),
    ),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
];

/// Pages of all sites may upload and download: the address is the permission, and no cookie is involved.
const CORS: [(HeaderName, HeaderValue); 2] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Content-Range, Content-Disposition, ETag, Accept-Ranges, Upload-Offset"),
    ),
];

/// Everything that is asked of an upload's address.
pub(super) async fn serve(
    State(web): State<Arc<Web>>,
    Path((token, name)): Path<(String, String)>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let answer = match (&web.files, FileToken::new(token.as_bytes())) {
        (Some(files), Some(token)) => answer(files, token, &name, request).await,
        _ => no_file(),
    };
    kept_nowhere(&uri, (CORS, answer).into_response())
}

/// With `?once`, as on computers that are not one's own: nothing of it stays in the browser.
pub(super) fn kept_nowhere(uri: &Uri, mut answer: Response) -> Response {
    if parameter(uri, "once").is_some() {
        answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    answer
}

async fn answer(files: &Arc<Files>, token: FileToken, name: &str, request: Request) -> Response {
    let key = parameter(request.uri(), "key").map(str::to_owned);
    match (request.method(), key) {
        (&Method::OPTIONS, _) => preflight(),
        (&Method::GET | &Method::HEAD, None) if parameter(request.uri(), "thumbnail").is_some() => {
            download::thumbnail(files, token, request.headers()).await
        }
        (&Method::GET | &Method::HEAD, None) => {
            let body = request.method() == Method::GET;
            download::get(files, token, name, request.headers(), body).await
        }
        (&Method::HEAD, Some(key)) => put::offset(files, token, &key).await,
        (&Method::PUT, Some(key)) => put::put(files, token, &key, request).await,
        (&Method::PUT, None) => refuse(StatusCode::FORBIDDEN, "Files are uploaded with a key."),
        _ => {
            let allow = [(header::ALLOW, "GET, HEAD, PUT, OPTIONS")];
            (allow, refuse(StatusCode::METHOD_NOT_ALLOWED, "Files are here, to be put and got."))
                .into_response()
        }
    }
}

/// The value of a parameter behind the path.
fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn no_file() -> Response {
    refuse(StatusCode::NOT_FOUND, "There is no such file here, or not any more.")
}

/// The store or the storage fails: it may be well again in a moment.
fn trouble(error: impl std::fmt::Display) -> Response {
    tracing::warn!(%error, "a file cannot be served");
    let later = [(header::RETRY_AFTER, "30")];
    (later, refuse(StatusCode::SERVICE_UNAVAILABLE, "This does not work at the moment. Try again later."))
        .into_response()
}

/// A browser asks whether a page may upload (Fetch standard, CORS preflight).
fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type, Content-Range, Range, If-None-Match, If-Range"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}
