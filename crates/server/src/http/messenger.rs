//! The web messenger: files that were built with the server (`build.rs`) and are part of it, each also in compressed forms.
//!
//! Whatever the page does is bounded by `safety.rs`; what it must know before anybody signs in is in `config.rs`.

pub(super) mod config;
mod encoding;
mod safety;

use super::{Web, page, refuse};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use encoding::Encoding;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

include!(concat!(env!("OUT_DIR"), "/messenger.rs"));

/// The page itself.
const PAGE: &str = "/index.html";

/// Below it names change with the content.
const HASHED: &str = "/assets/";

/// Characters of a tag: 72 bits of a hash.
const TAG: usize = 18;

/// A file as `build.rs` embeds it.
struct Embedded {
    /// From the root of the messenger, with a slash before it.
    path: &'static str,
    raw: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// A file, and what it is called by those who have it already.
struct Asset {
    file: &'static Embedded,
    tag: String,
}

/// The files by their paths.
static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    let asset = |file: &'static Embedded| {
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(file.raw));
        (file.path, Asset { file, tag: hash[..TAG].to_owned() })
    };
    FILES.iter().map(asset).collect()
});

/// Why this server was built without the messenger; `None` if it has it.
pub fn missing() -> Option<&'static str> {
    Some(MISSING).filter(|missing| !missing.is_empty())
}

/// `/`
pub(super) async fn index(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match missing() {
        None => serve(&web, PAGE, &parts),
        Some(why) => page::without_messenger(web.domain(), why),
    }
}

/// Any path that is nothing else.
pub(super) async fn file(State(web): State<Arc<Web>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    serve(&web, parts.uri.path(), &parts)
}

fn serve(web: &Web, path: &str, request: &Parts) -> Response {
    let asset = ASSETS.get(path).filter(|_| matches!(request.method, Method::GET | Method::HEAD));
    match asset {
        Some(asset) => (safety::headers(web, request), asset.answer(&request.headers)).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "There is no such page here."),
    }
}

impl Asset {
    /// The file in the form that the client likes best, or the word that it has it already.
    fn answer(&self, headers: &HeaderMap) -> Response {
        let file = self.file;
        let forms = [(Encoding::Brotli, file.brotli), (Encoding::Gzip, file.gzip)];
        let mut forms = forms.into_iter().filter_map(|(encoding, bytes)| Some((encoding, bytes?)));
        let accepted = encoding::accepted(headers);
        let (encoding, bytes) =
            forms.find(|(encoding, _)| accepted.has(*encoding)).unwrap_or((Encoding::Identity, file.raw));
        // RFC 9110 §8.8.3.3: each form has a tag of its own.
        let tag = format!("\"{}{}\"", self.tag, encoding.suffix());
        let caching = if file.path.starts_with(HASHED) { "max-age=31536000, immutable" } else { "no-cache" };
        let mut head = HeaderMap::new();
        head.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hex in quotes"));
        head.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        head.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if super::is_known(headers, &tag) {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(file.path)));
        if let Some(name) = encoding.name() {
            head.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        (head, bytes).into_response()
    }
}

/// The media type by the end of the name. What is not known is bytes: no browser runs or shows it.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("ogg" | "opus") => "audio/ogg",
        Some("wav") => "audio/wav",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
