//! One-time links: they make one administrator, or set one password, and nothing for anybody else.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rookery_proto::Uid;
use rookery_store::LinkPurpose;
use rookery_testkit::client::Client;
use rookery_testkit::client::files::{Answered, request};
use rookery_testkit::clock;
use rookery_testkit::server::{StoreFault, TestOptions, TestServer};

use crate::common::{PASSWORD, address, available, run, server, with};

/// What the messenger's page says of itself.
const OWN: &str = "Origin: http://localhost\r\nContent-Type: application/json\r\n";

async fn ask(server: &TestServer, from: u8, headers: &str, body: &str) -> Result<Answered> {
    let connection = server.connect_http_from(address(from), false);
    request(connection, "POST", "/account/link", headers, body.as_bytes()).await
}

/// Status and text of what the page is told.
async fn told(server: &TestServer, body: &str) -> Result<(u16, String)> {
    let answer = ask(server, 1, OWN, body).await?;
    Ok((answer.status, String::from_utf8(answer.body)?))
}

async fn grant(server: &TestServer, purpose: LinkPurpose) -> Result<String> {
    Ok(server.core().accounts.grant(purpose).await?.token)
}

#[test]
fn the_first_administrator_comes_with_a_link() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let token = grant(&server, LinkPurpose::Administrator).await?;
        let looked = told(&server, &format!(r#"{{"token":"{token}"}}"#)).await?;
        assert_eq!(looked, (200, r#"{"purpose":"administrator"}"#.to_owned()), "looking uses nothing up");
        let (status, why) = told(&server, &format!(r#"{{"token":"{token}","password":""}}"#)).await?;
        ensure!(status == 422 && why.contains("not-acceptable"), "{status} {why}");
        let body = format!(r#"{{"token":"{token}","password":"pa\"ss","nick":"Rose","name":"rose"}}"#);
        let (status, made) = told(&server, &body).await?;
        ensure!(status == 200 && made.contains(r#""address":"rose@localhost""#), "{status} {made}");
        ensure!(made.contains(r#""number":10001"#) && made.contains(r#""user":"rose""#), "{made}");
        ensure!(told(&server, &body).await?.0 == 404, "it is good once");
        let mut rose = Client::new(server.connect(), "localhost");
        rose.sign_in("10001", "pa\"ss", "phone").await?;
        assert_eq!(server.core().store.admins().await?, [Uid(10_001)]);
        Ok(())
    });
}

#[test]
fn who_forgot_the_password_sets_a_new_one_and_is_alone() {
    run(async {
        let server = server(&[]).await?;
        let mut thief = available(&server, "juliet", "thief").await?;
        let token = grant(&server, LinkPurpose::Recovery(Uid(10_002))).await?;
        let (_, looked) = told(&server, &format!(r#"{{"token":"{token}"}}"#)).await?;
        ensure!(
            looked.contains(r#""address":"juliet@localhost""#) && looked.contains("recovery"),
            "{looked}"
        );
        let body = format!(r#"{{"token":"{token}","password":"another"}}"#);
        assert_eq!(told(&server, &body).await?.0, 200);
        let end = format!("{:?}", thief.next().await?);
        ensure!(end.contains("This account has a new password."), "{end}");
        assert_eq!(told(&server, &body).await?.0, 404, "it is good once");
        let mut juliet = Client::new(server.connect(), "localhost");
        ensure!(juliet.sign_in("juliet", PASSWORD, "phone").await.is_err(), "the old password is none");
        let mut juliet = Client::new(server.connect(), "localhost");
        juliet.sign_in("juliet", "another", "phone").await?;
        ensure!(server.core().store.admins().await?.is_empty(), "nobody became an administrator");
        Ok(())
    });
}

#[test]
fn a_link_is_not_good_for_ever_nor_after_a_newer_one() {
    run(async {
        let server = server(&[]).await?;
        let recovery = LinkPurpose::Recovery(Uid(10_001));
        let (older, newer) = (grant(&server, recovery).await?, grant(&server, recovery).await?);
        let looked = async |token: &str| told(&server, &format!(r#"{{"token":"{token}"}}"#)).await;
        assert_eq!((looked(&older).await?.0, looked(&newer).await?.0), (404, 200));
        clock::pass(Duration::from_secs(86_400)).await;
        assert_eq!(looked(&newer).await?.0, 404);
        Ok(())
    });
}

#[test]
fn only_the_messengers_page_asks() {
    run(async {
        let server = server(&[]).await?;
        let token = grant(&server, LinkPurpose::Administrator).await?;
        let body = format!(r#"{{"token":"{token}","password":"secret"}}"#);
        for (headers, expected) in [
            ("Origin: https://evil.test\r\nContent-Type: application/json\r\n", 403),
            ("Sec-Fetch-Site: cross-site\r\nContent-Type: application/json\r\n", 403),
            ("Origin: http://localhost\r\nContent-Type: text/plain\r\n", 403),
            ("Origin: http://localhost\r\n", 403),
        ] {
            assert_eq!(ask(&server, 1, headers, &body).await?.status, expected, "{headers}");
        }
        let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(20_000));
        for body in ["", "[]", r#"{"token":1}"#, r#"{"token":"x","admin":true}"#, long.as_str()] {
            assert_eq!(ask(&server, 1, OWN, body).await?.status, 400, "{body:.40}");
        }
        assert_eq!(server.core().store.account_count().await?, 2, "nobody was made");
        Ok(())
    });
}

#[test]
fn a_password_is_not_taken_where_others_read_it() {
    run(async {
        let server = with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let token = grant(&server, LinkPurpose::Administrator).await?;
        let body = format!(r#"{{"token":"{token}","password":"secret"}}"#);
        assert_eq!(ask(&server, 1, OWN, &body).await?.status, 403);
        let here = request(server.connect_http(), "POST", "/account/link", OWN, body.as_bytes()).await?;
        assert_eq!(here.status, 200, "what stays on this machine is seen by nobody");
        Ok(())
    });
}

#[test]
fn links_are_not_guessed() {
    run(async {
        let server = server(&[]).await?;
        let token = grant(&server, LinkPurpose::Administrator).await?;
        let guess = r#"{"token":"aaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(ask(&server, 7, OWN, guess).await?.status);
        }
        let refused = statuses.iter().position(|status| *status == 429).context("nobody is held back")?;
        ensure!(statuses[..refused].iter().all(|status| *status == 404), "{statuses:?}");
        let good = format!(r#"{{"token":"{token}"}}"#);
        assert_eq!(ask(&server, 7, OWN, &good).await?.status, 429);
        assert_eq!(ask(&server, 8, OWN, &good).await?.status, 200, "others are not");
        Ok(())
    });
}

#[test]
fn what_the_store_does_not_keep_is_not_told() {
    run(async {
        let server = server(&[]).await?;
        let token = grant(&server, LinkPurpose::Recovery(Uid(10_001))).await?;
        let body = format!(r#"{{"token":"{token}","password":"another"}}"#);
        server.set_store_fault(Some(StoreFault::Fails));
        let (status, why) = told(&server, &body).await?;
        ensure!(status >= 500 || why.contains("resource-constraint"), "{status} {why}");
        server.set_store_fault(None);
        let mut romeo = Client::new(server.connect(), "localhost");
        romeo.sign_in("romeo", PASSWORD, "phone").await?;
        assert_eq!(told(&server, &body).await?.0, 200, "the link is as good as before");
        Ok(())
    });
}
