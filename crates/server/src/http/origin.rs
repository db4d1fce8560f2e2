//! Which pages may talk to us. A browser tells the origin of the page that asks; what is no browser tells none.
//!
//! No cookie or other standing permission is used, so a foreign page has nothing to abuse but the visitor's network. It is
//! refused all the same, unless the operator lists it.

use super::Settings;
use super::refuse;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use std::net::IpAddr;

/// What an answer must say so that the page may read it (Fetch standard, CORS).
pub(super) type Cors = [(HeaderName, HeaderValue); 2];

/// For what everybody may read.
pub(super) const EVERYBODY: (HeaderName, HeaderValue) =
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// The headers of the answer to a page that may ask; to others, a refusal.
pub(super) fn judge(request: &Parts, domain: &str, settings: &Settings) -> Result<Cors, Box<Response>> {
    let vary = (header::VARY, HeaderValue::from_static("Origin"));
    let mut origins = request.headers.get_all(header::ORIGIN).iter();
    let (origin, more) = (origins.next(), origins.next());
    let all = settings.origins.iter().any(|listed| listed == "*");
    let Some(origin) = origin else {
        return Ok([EVERYBODY, vary]);
    };
    let allowed = more.is_none()
        && origin.to_str().is_ok_and(|text| {
            let listed = settings.origins.iter().any(|listed| listed.eq_ignore_ascii_case(text));
            listed || is_own(text, asked_host(request).as_deref(), domain, settings)
        });
    if !(all || allowed) {
        tracing::info!(?origin, "a page of another origin is refused; `http.origins` can allow it");
        return Err(Box::new(refuse(StatusCode::FORBIDDEN, "Pages of this origin may not connect here.")));
    }
    Ok([(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()), vary])
}

/// Whether a request is of a page of ours, or of no page: for forms, which no other page fills in, whatever the operator lets
/// others read.
pub(super) fn is_ours(request: &Parts, domain: &str, settings: &Settings) -> bool {
    let mut origins = request.headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => single(&request.headers, SEC_FETCH_SITE).is_none_or(|site| site == "same-origin"),
        (Some(origin), None) => origin
            .to_str()
            .is_ok_and(|origin| is_own(origin, asked_host(request).as_deref(), domain, settings)),
        _ => false,
    }
}

/// The host that is asked, with its port, if it is one of ours: others cannot have their own name stand there.
pub(super) fn own_host(request: &Parts, domain: &str, settings: &Settings) -> Option<String> {
    let plain =
        |host: &String| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte));
    asked_host(request).filter(|host| plain(host) && is_our_host(host_of(host), domain, settings))
}

/// What a browser says of where a request comes from (Fetch Metadata §2.4).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of `origin` is one of ours: of the very host that it asks, or anywhere at our domain under TLS.
fn is_own(origin: &str, asked: Option<&str>, domain: &str, settings: &Settings) -> bool {
    let origin = origin.to_ascii_lowercase();
    let (scheme, authority) = match origin.split_once("://") {
        Some((scheme @ ("http" | "https"), authority)) => (scheme, authority),
        _ => return false,
    };
    if scheme == "https" && host_of(authority) == domain {
        return true;
    }
    let default = if scheme == "https" { ":443" } else { ":80" };
    let bare = |authority: &str| authority.strip_suffix(default).unwrap_or(authority).to_owned();
    // Not any name that leads here: a page can have its own name lead to us after it was loaded (DNS rebinding).
    asked.is_some_and(|asked| bare(asked) == bare(authority))
        && is_our_host(host_of(authority), domain, settings)
}

/// Names that cannot be made to lead here by others: the domain's, an address itself, this machine's own.
fn is_our_host(host: &str, domain: &str, settings: &Settings) -> bool {
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let base = settings.base.as_deref().and_then(|base| base.split_once("://"));
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    below || address || host == "localhost" || base.is_some_and(|(_, authority)| host_of(authority) == host)
}

/// An authority without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// The host that is asked; a target in absolute form counts before the header (RFC 9112 §3.2.2).
fn asked_host(request: &Parts) -> Option<String> {
    let host = match request.uri.authority() {
        Some(authority) => authority.as_str(),
        None => single(&request.headers, header::HOST)?,
    };
    Some(host.to_ascii_lowercase())
}

/// The value of a header that stands there once.
pub(super) fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let (one, more) = (values.next()?, values.next());
    one.to_str().ok().filter(|_| more.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn allowed(host: &str, origin: Option<&str>, origins: &[&str]) -> bool {
        let settings = Settings {
            base: Some("https://chat.example.net:8443".into()),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            proxies: Vec::new(),
        };
        let mut request = Request::get("/http-bind").header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        judge(&request.body(()).expect("a request").into_parts().0, "example.org", &settings).is_ok()
    }

    #[test]
    fn our_own_pages_and_programs_may_ask() {
        for (host, origin) in [
            ("example.org", None),
            ("anything.test", None),
            ("example.org", Some("https://example.org")),
            ("example.org:5443", Some("https://example.org")),
            ("example.org:5443", Some("https://example.org:5443")),
            ("xmpp.example.org", Some("https://xmpp.example.org")),
            ("EXAMPLE.org:443", Some("https://Example.ORG")),
            ("127.0.0.1:5280", Some("http://127.0.0.1:5280")),
            ("[::1]:5280", Some("http://[::1]:5280")),
            ("localhost:5280", Some("http://localhost:5280")),
            ("chat.example.net:8443", Some("https://chat.example.net:8443")),
        ] {
            assert!(allowed(host, origin, &[]), "{host} {origin:?}");
        }
    }

    #[test]
    fn foreign_pages_may_not() {
        for (host, origin) in [
            ("example.org", "https://evil.test"),
            ("example.org", "null"),
            ("example.org", "http://example.org.evil.test"),
            ("example.org", "https://notexample.org"),
            ("notexample.org", "https://notexample.org"),
            ("example.org", "http://example.org:8080"),
            ("127.0.0.1:5280", "http://127.0.0.1:9999"),
            // DNS rebinding: the name leads here, and is not ours.
            ("evil.test:5280", "http://evil.test:5280"),
            ("example.org", ""),
            ("example.org", "file://example.org"),
        ] {
            assert!(!allowed(host, Some(origin), &[]), "{host} {origin}");
        }
    }

    #[test]
    fn the_operator_may_allow_others() {
        let listed = ["https://web.example.com"];
        assert!(allowed("example.org", Some("https://web.example.com"), &listed));
        assert!(!allowed("example.org", Some("https://web.example.com:444"), &listed));
        assert!(!allowed("example.org", Some("null"), &listed));
        assert!(allowed("example.org", Some("https://evil.test"), &["*"]));
        assert!(allowed("example.org", Some("null"), &["*"]));
    }

    #[test]
    fn only_our_own_host_is_named() {
        let named = |host: &str| {
            let request = Request::get("/").header(header::HOST, host).body(()).expect("it").into_parts().0;
            own_host(&request, "example.org", &Settings::default())
        };
        for host in ["example.org", "chat.example.org:5443", "[::1]:5280", "127.0.0.1:5280", "localhost"] {
            assert_eq!(named(host).as_deref(), Some(host));
        }
        for host in
            ["evil.test", "", "x;script-src *.example.org", "evil.test/.example.org", "a b.example.org"]
        {
            assert_eq!(named(host), None, "{host}");
        }
    }

    #[test]
    fn two_hosts_are_no_host_and_two_origins_no_origin() {
        let settings = Settings::default();
        let request = Request::get("/").header(header::HOST, "localhost").header(header::HOST, "evil.test");
        let (parts, ()) =
            request.header(header::ORIGIN, "http://localhost").body(()).expect("it").into_parts();
        assert!(judge(&parts, "example.org", &settings).is_err());
        let request = Request::get("/").header(header::HOST, "example.org");
        let request =
            request.header(header::ORIGIN, "https://example.org").header(header::ORIGIN, "https://evil.test");
        assert!(judge(&request.body(()).expect("it").into_parts().0, "example.org", &settings).is_err());
    }
}
