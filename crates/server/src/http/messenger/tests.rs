use super::*;
use axum::http::HeaderName;

static FILE: Embedded = Embedded {
    path: "/assets/main-abc.js",
    raw: b"let one = 1;",
    brotli: Some(b"packed small"),
    gzip: Some(b"packed"),
};

fn asset(file: &'static Embedded) -> Asset {
    Asset { file, tag: "tag".to_owned() }
}

fn headers(said: &[(HeaderName, &'static str)]) -> HeaderMap {
    said.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

/// Status, encoding and tag of the answer.
fn answered(file: &'static Embedded, said: &[(HeaderName, &'static str)]) -> (u16, String, String) {
    let answer = asset(file).answer(&headers(said));
    let value = |name| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), value(header::CONTENT_ENCODING), value(header::ETAG))
}

#[test]
fn the_smallest_form_that_the_client_takes() {
    let chosen = |said| answered(&FILE, &[(header::ACCEPT_ENCODING, said)]).1;
    for (said, expected) in [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("BR ; q=0.001", "br"),
        ("br;q=0.000", ""),
        ("*", "br"),
        ("*;q=0", ""),
        ("*, br;q=0", "gzip"),
        ("identity", ""),
        ("", ""),
        (";;;q=,=", ""),
    ] {
        assert_eq!(chosen(said), expected, "{said}");
    }
    assert_eq!(answered(&FILE, &[]).1, "");
    static PICTURE: Embedded = Embedded { path: "/a.png", raw: b"", brotli: None, gzip: None };
    assert_eq!(answered(&PICTURE, &[(header::ACCEPT_ENCODING, "br")]).1, "");
}

#[test]
fn who_has_it_is_told_so() {
    let br = (header::ACCEPT_ENCODING, "br");
    assert_eq!(answered(&FILE, std::slice::from_ref(&br)), (200, "br".into(), "\"tag-br\"".into()));
    let had = |tag| answered(&FILE, &[br.clone(), (header::IF_NONE_MATCH, tag)]).0;
    assert_eq!(had("\"tag-br\""), 304);
    assert_eq!(had("W/\"x\", W/\"tag-br\""), 304);
    assert_eq!(had("\"tag\""), 200, "another form of it");
}

#[test]
fn only_names_that_change_with_the_content_are_kept() {
    let caching = |file| asset(file).answer(&HeaderMap::new()).headers()[header::CACHE_CONTROL].clone();
    assert_eq!(caching(&FILE), "max-age=31536000, immutable");
    static WORKER: Embedded = Embedded { path: "/worker.js", raw: b"", brotli: None, gzip: None };
    assert_eq!(caching(&WORKER), "no-cache");
}

#[test]
fn a_host_that_is_not_ours_is_not_in_the_policy() {
    let policy = |host: Option<&str>| safety::policy(host.map(str::to_owned)).to_str().unwrap().to_owned();
    assert!(
        policy(Some("127.0.0.1:5280"))
            .ends_with("connect-src 'self' wss://127.0.0.1:5280 ws://127.0.0.1:5280")
    );
    assert!(policy(None).ends_with("connect-src 'self'"));
}

#[test]
fn what_is_embedded_is_a_whole_messenger_or_none() {
    assert_eq!(missing().is_none(), ASSETS.contains_key(PAGE));
    for asset in ASSETS.values() {
        assert!(asset.file.path.starts_with('/'), "{}", asset.file.path);
        assert_ne!(kind(asset.file.path), "application/octet-stream", "{}", asset.file.path);
    }
}
