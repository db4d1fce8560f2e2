//! What the page may do: run and load what comes from here, talk to this server, and nothing else. Without exceptions, so what
//! slips into the page by a mistake of ours does not run.

use super::super::{NOSNIFF, Web, origin};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};

/// Content Security Policy, Level 3, but for the addresses of WebSockets. Pictures and recordings are also made in the page
/// (`blob:`) and small ones are in its files (`data:`). Strings become markup or code only in the two places that have names: where
/// Svelte makes elements of its own templates, and where the page names its workers (Trusted Types).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      media-src 'self' blob:; font-src 'self'; worker-src 'self'; manifest-src 'self'; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
                      require-trusted-types-for 'script'; trusted-types svelte-trusted-html rookery-worker; \
                      connect-src 'self'";

/// Nothing of the device but the microphone, for voice messages.
const DEVICES: HeaderValue = HeaderValue::from_static(
    "microphone=(self), camera=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=()",
);

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

const SAME_ORIGIN: HeaderValue = HeaderValue::from_static("same-origin");

/// The headers of every file of the messenger: a worker obeys those of its own script.
pub(super) fn headers(web: &Web, request: &Parts) -> [(HeaderName, HeaderValue); 6] {
    [
        (header::CONTENT_SECURITY_POLICY, policy(origin::own_host(request, web.domain(), &web.settings))),
        (PERMISSIONS_POLICY, DEVICES),
        (OPENER_POLICY, SAME_ORIGIN),
        (RESOURCE_POLICY, SAME_ORIGIN),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        NOSNIFF,
    ]
}

/// The policy of a page at this host. Not every browser takes `'self'` for a WebSocket of the page's own host.
pub(super) fn policy(host: Option<String>) -> HeaderValue {
    let sockets = host.map(|host| format!(" wss://{host} ws://{host}")).unwrap_or_default();
    let plain = HeaderValue::from_static(POLICY);
    HeaderValue::from_str(&format!("{POLICY}{sockets}")).unwrap_or(plain)
}
