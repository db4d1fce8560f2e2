//! The web messenger as the server serves it: what browsers may keep, what the page may do, and what it is told.

use anyhow::{Context, Result, ensure};
use rookery::http::messenger;
use rookery_testkit::client::files::{Answered, request};
use rookery_testkit::server::{TestOptions, TestServer};

use crate::common::{address, run, server};

async fn ask(server: &TestServer, method: &str, target: &str, headers: &str) -> Result<Answered> {
    request(server.connect_http_from(address(1), false), method, target, headers, b"").await
}

#[test]
fn the_page_may_run_and_load_nothing_but_its_own() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let page = ask(&server, "GET", "/", "").await?;
        assert_eq!(page.status, 200);
        let policy = page.header("content-security-policy").context("no policy")?;
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'; base-uri 'none'; form-action 'none'"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        if messenger::missing().is_some() {
            assert!(String::from_utf8(page.body)?.contains("What is missing"));
            return Ok(());
        }
        assert!(policy.contains("connect-src 'self' wss://localhost ws://localhost"), "{policy}");
        assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("cross-origin-opener-policy"), Some("same-origin"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        Ok(())
    });
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        if messenger::missing().is_some() {
            return Ok(());
        }
        let whole = ask(&server, "GET", "/", "").await?;
        let tag = whole.header("etag").context("no tag")?;
        let again = ask(&server, "GET", "/", &format!("If-None-Match: {tag}\r\n")).await?;
        assert_eq!((again.status, again.body.len()), (304, 0));
        let head = ask(&server, "HEAD", "/", "").await?;
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()));
        let small = ask(&server, "GET", "/", "Accept-Encoding: br\r\n").await?;
        ensure!(small.header("content-encoding") == Some("br") && small.body.len() < whole.body.len());
        let page = String::from_utf8(whole.body)?;
        let script = page.split('"').find(|part| part.starts_with("/assets/") && part.ends_with(".js"));
        let script = ask(&server, "GET", script.context("the page has a script")?, "").await?;
        assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert_eq!(script.header("cache-control"), Some("max-age=31536000, immutable"));
        // A worker obeys the policy of its own script.
        assert!(script.header("content-security-policy").is_some());
        assert_eq!(ask(&server, "POST", "/index.html", "").await?.status, 404);
        Ok(())
    });
}

#[test]
fn the_page_is_told_what_it_needs_before_signing_in() {
    run(async {
        let server = server(&[("registration", "review"), ("largest", "1000")]).await?;
        let answer = ask(&server, "GET", "/config.json", "").await?;
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("access-control-allow-origin"), None);
        let said = String::from_utf8(answer.body)?;
        for expected in [
            "\"domain\":\"localhost\"",
            "\"groups\":\"groups.localhost\"",
            "\"websocket\":\"/xmpp-websocket\"",
            "\"base\":\"https://localhost:5443\"",
            "\"registration\":\"review\"",
            "\"upload_bytes\":1000",
            "\"push_key\":\"B",
        ] {
            assert!(said.contains(expected), "{expected} in {said}");
        }
        Ok(())
    });
}
