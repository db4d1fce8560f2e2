//! Lost passwords: a link goes to a mailbox that the account has proven, and nobody else learns anything.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use mail_parser::MessageParser;
use rookery_core::reach;
use rookery_proto::Uid;
use rookery_store::{NewSending, Proven, Urgency, Way};
use rookery_testkit::client::Client;
use rookery_testkit::client::files::request;
use rookery_testkit::clock;
use rookery_testkit::server::TestServer;

use crate::common::{PASSWORD, address, available, run, server};

const OWN: &str = "Origin: http://localhost\r\nContent-Type: application/json\r\n";
const ROMEO: Uid = Uid(10_001);
const JULIET: Uid = Uid(10_002);
const MAILBOX: &str = "juliet@verona.example";

/// A server whose juliet has proven a mailbox.
async fn proven() -> Result<TestServer> {
    let server = server(&[("mail", "on")]).await?;
    prove(&server, JULIET, MAILBOX).await?;
    Ok(server)
}

pub(crate) async fn prove(server: &TestServer, uid: Uid, mailbox: &str) -> Result<()> {
    let (store, at) = (&server.core().store, server.core().env.now());
    let sending = NewSending {
        uid,
        way: Way::Mail,
        address: mailbox.into(),
        urgency: Urgency::Important,
        case: None,
        title: String::new(),
        text: String::new(),
        code: "123456".into(),
        at,
    };
    store.add_reach_address(sending, reach::Policy::default().caps).await?;
    let proven = store.prove_reach_address(uid, Way::Mail, mailbox.into(), "123456".into(), at).await?;
    ensure!(proven == Proven::Yes, "{proven:?}");
    Ok(())
}

/// Status and body of what somebody is answered who has lost a password.
async fn ask(server: &TestServer, from: u8, who: &str) -> Result<(u16, String)> {
    let body = format!(r#"{{"who":"{who}","language":"en"}}"#);
    let connection = server.connect_http_from(address(from), false);
    let answer = request(connection, "POST", "/account/recover", OWN, body.as_bytes()).await?;
    Ok((answer.status, String::from_utf8(answer.body)?))
}

async fn redeem(server: &TestServer, body: &str) -> Result<(u16, String)> {
    let connection = server.connect_http_from(address(99), false);
    let answer = request(connection, "POST", "/account/link", OWN, body.as_bytes()).await?;
    Ok((answer.status, String::from_utf8(answer.body)?))
}

/// The token in the next letter, which goes to this mailbox.
async fn token(server: &TestServer, mailbox: &str) -> Result<String> {
    let (recipient, mail) = server.smarthost.take().await?;
    assert_eq!(recipient, mailbox);
    let read = MessageParser::default().parse(mail.as_bytes()).context("no mail")?;
    let text = read.body_text(0).context("no text")?.into_owned();
    let (_, after) = text.split_once("/#/recover/").context("no link")?;
    Ok(after.split_whitespace().next().context("no token")?.to_owned())
}

/// What was asked before is done, and nothing came of it: of two links that romeo asks for, nothing lies between.
async fn nobody_was_told(server: &TestServer) -> Result<()> {
    prove(server, ROMEO, "romeo@verona.example").await?;
    ask(server, 200, "romeo").await?;
    token(server, "romeo@verona.example").await?;
    ensure!(server.smarthost.is_quiet(), "somebody else was written to");
    Ok(())
}

#[test]
fn who_has_proven_a_mailbox_gets_back_in() {
    run(async {
        let server = proven().await?;
        let mut phone = available(&server, "juliet", "phone").await?;
        for who in ["juliet", "10002", "juliet@localhost"] {
            assert_eq!(ask(&server, 1, who).await?, (200, "{}".into()), "{who}");
            token(&server, MAILBOX).await?;
        }
        clock::pass(Duration::from_secs(3_600)).await;
        ask(&server, 2, "juliet@VERONA.example").await?;
        let token = token(&server, MAILBOX).await?;
        ensure!(!server.store_contains(token.as_bytes())?, "only its hash is kept");
        let body = format!(r#"{{"token":"{token}","password":"another"}}"#);
        assert_eq!(redeem(&server, &body).await?.0, 200);
        let end = format!("{:?}", phone.next().await?);
        ensure!(end.contains("This account has a new password."), "{end}");
        assert_eq!(redeem(&server, &body).await?.0, 404, "it is good once");
        let mut juliet = Client::new(server.connect(), "localhost");
        juliet.sign_in("juliet", "another", "phone").await?;
        Ok(())
    });
}

#[test]
fn who_wants_to_keeps_the_devices() {
    run(async {
        let server = proven().await?;
        let mut phone = available(&server, "juliet", "phone").await?;
        ask(&server, 1, "juliet").await?;
        let token = token(&server, MAILBOX).await?;
        let body = format!(r#"{{"token":"{token}","password":"another","keep":true}}"#);
        assert_eq!(redeem(&server, &body).await?.0, 200);
        phone.barrier().await?;
        let mut other = Client::new(server.connect(), "localhost");
        ensure!(other.sign_in("juliet", PASSWORD, "tablet").await.is_err(), "the old password is none");
        Ok(())
    });
}

#[test]
fn nobody_learns_who_is_here() {
    run(async {
        let server = proven().await?;
        let store = &server.core().store;
        store.set_disabled(JULIET, true).await?;
        // No account, none with a mailbox, a disabled one; nobody's mailbox, and what is no address at all.
        for who in ["nobody", "99999", "romeo", "juliet", "romeo@verona.example", "@", "", "a@b@c", "\\u0000"]
        {
            assert_eq!(ask(&server, 1, who).await?, (200, "{}".into()), "{who:?}");
        }
        nobody_was_told(&server).await
    });
}

#[test]
fn a_mailbox_is_not_filled_by_others() {
    run(async {
        let server = proven().await?;
        for from in 0..3 {
            ask(&server, from, "juliet").await?;
            token(&server, MAILBOX).await?;
        }
        for from in 3..20 {
            assert_eq!(ask(&server, from, ["juliet", MAILBOX][usize::from(from % 2)]).await?.0, 200);
        }
        nobody_was_told(&server).await?;
        clock::pass(Duration::from_secs(1_201)).await;
        ask(&server, 50, "juliet").await?;
        token(&server, MAILBOX).await?;
        Ok(())
    });
}

#[test]
fn one_address_does_not_ask_without_end() {
    run(async {
        let server = proven().await?;
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(ask(&server, 7, "nobody").await?.0);
        }
        assert_eq!(statuses[..10], [200; 10]);
        assert_eq!(statuses[10..], [429, 429]);
        assert_eq!(ask(&server, 8, "nobody").await?.0, 200, "others do");
        Ok(())
    });
}

#[test]
fn a_link_ends_with_the_hour_and_with_a_remembered_password() {
    run(async {
        let server = proven().await?;
        ask(&server, 1, "juliet").await?;
        let first = token(&server, MAILBOX).await?;
        server.core().set_password(JULIET, "remembered".into()).await?;
        assert_eq!(redeem(&server, &format!(r#"{{"token":"{first}"}}"#)).await?.0, 404);
        ask(&server, 1, "juliet").await?;
        let second = token(&server, MAILBOX).await?;
        assert_eq!(redeem(&server, &format!(r#"{{"token":"{second}"}}"#)).await?.0, 200);
        clock::pass(Duration::from_secs(3_600)).await;
        assert_eq!(redeem(&server, &format!(r#"{{"token":"{second}"}}"#)).await?.0, 404);
        Ok(())
    });
}

#[test]
fn a_mail_server_that_is_not_ready_is_asked_again() {
    run(async {
        let server = proven().await?;
        ask(&server, 1, "juliet").await?;
        drop(server.smarthost.called().await.context("nobody calls")?);
        // It is noticed before the time passes after which it is tried again.
        clock::settle().await;
        clock::pass(Duration::from_secs(31)).await;
        token(&server, MAILBOX).await?;
        Ok(())
    });
}

#[test]
fn other_pages_ask_nothing() {
    run(async {
        let server = proven().await?;
        let body = br#"{"who":"juliet","language":"en"}"#;
        for headers in [
            "Content-Type: text/plain\r\n",
            "Origin: https://evil.test\r\nContent-Type: application/json\r\n",
        ] {
            let connection = server.connect_http_from(address(1), false);
            assert_eq!(request(connection, "POST", "/account/recover", headers, body).await?.status, 403);
        }
        for wrong in
            ["", "{}", r#"{"who":1,"language":"en"}"#, r#"{"who":"juliet","language":"en","more":1}"#]
        {
            let connection = server.connect_http_from(address(1), false);
            let answer = request(connection, "POST", "/account/recover", OWN, wrong.as_bytes()).await?;
            assert_eq!(answer.status, 400, "{wrong}");
        }
        nobody_was_told(&server).await
    });
}
