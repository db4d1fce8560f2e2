//! Pages that need no script: plain, and strict in what they may do.

use super::{NOSNIFF, refuse};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rookery_proto::xml::Xml;

/// No script runs, nothing is loaded, nobody puts the page in a frame, no address leaks.
const STRICT: [(HeaderName, &str); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
];

const STYLE: &str = "body{font:1.1em/1.5 system-ui,sans-serif;max-width:34em;margin:4em auto;padding:0 1em;color:#222;\
                     background:#fff}h1{line-height:1.2}h2{margin-top:2em}a{color:#15c}label{display:block;margin:1em 0}\
                     input{display:block;width:100%;box-sizing:border-box;font:inherit;padding:.4em}\
                     .button,button{display:inline-block;font:inherit;font-weight:bold;padding:.5em 1.2em;border:0;\
                     border-radius:.4em;background:#15c;color:#fff;text-decoration:none;cursor:pointer}\
                     .small{font-size:.85em;color:#666}.wrong{padding:.6em 1em;border-left:.3em solid #c22}\
                     .card{padding:.2em 1.2em;border:1px solid #aaa;border-radius:.6em}.card b{display:block;font-size:1.4em;\
                     overflow-wrap:anywhere}svg{display:block;width:14em;max-width:100%}pre{white-space:pre-wrap}\
                     @media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8bf}.small{color:#aaa}}";

/// A page with this title and body.
pub(super) fn document(title: &str, body: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let mut x = Xml::new();
    x.raw(b"<!DOCTYPE html>\n").open("html").attr("lang", "en").open("head");
    x.open("meta").attr("charset", "utf-8").close();
    x.open("meta").attr("name", "viewport").attr("content", "width=device-width").close();
    x.text_element("title", title).text_element("style", STYLE).close();
    x.open("body");
    body(&mut x);
    x.into_vec()
}

/// A page that may be sent back to where it came from, by a button.
pub(super) fn with_button(page: Vec<u8>) -> Response {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (head, [NOSNIFF], page).into_response()
}

/// What is shown in the messenger's place by a server that was built without it, and why.
pub(super) fn without_messenger(domain: &str, why: &str) -> Response {
    let page = document(domain, |x| {
        x.text_element("h1", domain).text_element(
            "p",
            "This is a Rookery server: people talk to each other here. Its web messenger is not here, but every application for \
             XMPP works.",
        );
        x.open("p").text("Sign in with any of them: your address ends in ");
        x.text_element("b", &format!("@{domain}"));
        x.text(". If you have no account yet, ask who runs this server.").close();
        x.text_element("h2", "If you run this server");
        x.text_element(
            "p",
            "The web messenger is part of the program when it is built with Node. What is missing:",
        );
        x.text_element("pre", why);
        x.open("p").text("Install ").text_element("b", "Node 20.19 or later with npm");
        x.text(", build the server again with ").text_element("code", "cargo build --release");
        x.text(", and restart it.").close();
    });
    let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (kind, STRICT, [NOSNIFF], page).into_response()
}

/// Somebody looks at the address of BOSH with a browser.
pub(super) async fn bosh() -> Response {
    let sentence = "Applications connect here by BOSH (XEP-0124), with POST.";
    ([(header::ALLOW, "POST, OPTIONS")], refuse(StatusCode::METHOD_NOT_ALLOWED, sentence)).into_response()
}
