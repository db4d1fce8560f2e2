//! Getting a page: of the public network only, in few steps, in bounded time and size.

use crate::http::client::Client;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, Request, Response, header};
use bytes::Bytes;
use rookery_core::xep::preview::NoPreview;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// For a page with all redirections, and again for its picture: who waits longer has read on.
const TIME: Duration = Duration::from_secs(5);

/// Redirections that are followed: from http to https, to the site's own name, from a shortener, and one more.
const STEPS: usize = 4;

/// Bytes of a page: what it says of itself stands at its beginning.
const PAGE_BYTES: usize = 512 << 10;

/// Bytes of a picture: pictures for previews are made for it, so a few hundred kilobytes.
const PICTURE_BYTES: usize = 4 << 20;

/// Bytes of an address that a page leads on to.
const ADDRESS_BYTES: usize = 4_096;

/// Who asks, for whoever reads the logs there. It names no host: the server must not be found by links that are posted on it.
const AGENT: &str = concat!("Rookery/", env!("CARGO_PKG_VERSION"), " (link preview)");

/// What an address led to.
pub(super) struct Fetched {
    /// Where it is in the end.
    pub(super) url: Url,
    /// What is there.
    pub(super) content: Content,
}

/// What is at an address.
pub(super) enum Content {
    /// HTML, or the beginning of it.
    Page {
        bytes: Vec<u8>,
        /// In which encoding, as its server says.
        charset: Option<String>,
    },
    /// A picture of whatever kind.
    Picture(Bytes),
}

/// An address that may be asked: a web site at its usual port, and no secrets in it.
pub(super) fn checked(mut url: Url) -> Result<Url, NoPreview> {
    let port = url.port_or_known_default();
    let plain = url.username().is_empty() && url.password().is_none();
    let usual = matches!((url.scheme(), port), ("http" | "https", Some(80 | 443)));
    if !(plain && usual && url.has_host() && url.as_str().len() <= ADDRESS_BYTES) {
        return Err(NoPreview::Address);
    }
    url.set_fragment(None);
    Ok(url)
}

/// Gets a page.
pub(super) async fn page(client: &Client, url: Url) -> Result<Fetched, NoPreview> {
    timeout(TIME, followed(client, url, false)).await.unwrap_or(Err(NoPreview::Nothing))
}

/// Gets a picture.
pub(super) async fn picture(client: &Client, url: Url) -> Result<Bytes, NoPreview> {
    match timeout(TIME, followed(client, url, true)).await {
        Ok(Ok(Fetched { content: Content::Picture(bytes), .. })) => Ok(bytes),
        _ => Err(NoPreview::Nothing),
    }
}

async fn followed(client: &Client, mut url: Url, picture: bool) -> Result<Fetched, NoPreview> {
    for _ in 0..=STEPS {
        let accept = if picture { "image/*" } else { "text/html, application/xhtml+xml, image/*;q=0.5" };
        let request = Request::get(url.as_str())
            .header(header::USER_AGENT, AGENT)
            .header(header::ACCEPT, accept)
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Body::empty())
            .map_err(|_| NoPreview::Address)?;
        let response = client.open(request, TIME).await.map_err(|error| {
            tracing::debug!(%error, "a link leads nowhere");
            NoPreview::Nothing
        })?;
        if response.status().is_redirection() {
            let to = text(response.headers(), header::LOCATION).ok_or(NoPreview::Nothing)?;
            // Each step is looked at like the first.
            url = checked(url.join(to).map_err(|_| NoPreview::Nothing)?)?;
            continue;
        }
        let content = content(response.map(Body::new), picture).await?;
        return Ok(Fetched { url, content });
    }
    Err(NoPreview::Nothing)
}

async fn content(response: Response<Body>, picture: bool) -> Result<Content, NoPreview> {
    let headers = response.headers();
    // We have asked for none.
    let encoded = text(headers, header::CONTENT_ENCODING).is_some_and(|name| name != "identity");
    let kind = text(headers, header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let (essence, parameters) = kind.split_once(';').unwrap_or((&kind, ""));
    if !response.status().is_success() || encoded {
        return Err(NoPreview::Nothing);
    }
    match essence.trim() {
        "text/html" | "application/xhtml+xml" if !picture => {
            let charset =
                parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("charset="));
            let charset = charset.map(|name| name.trim_matches('"').to_owned());
            let (bytes, _) = beginning(response.into_body(), PAGE_BYTES).await?;
            Ok(Content::Page { bytes, charset })
        }
        essence if essence.starts_with("image/") => {
            match beginning(response.into_body(), PICTURE_BYTES).await? {
                (bytes, true) => Ok(Content::Picture(bytes.into())),
                _ => Err(NoPreview::Nothing),
            }
        }
        _ => Err(NoPreview::Nothing),
    }
}

/// The first bytes of a body, and whether they are all.
async fn beginning(body: Body, most: usize) -> Result<(Vec<u8>, bool), NoPreview> {
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(data) = frame.map_err(|_| NoPreview::Nothing)?.into_data() else { continue };
        let room = most - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
        if data.len() > room {
            return Ok((bytes, false));
        }
    }
    Ok((bytes, true))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
