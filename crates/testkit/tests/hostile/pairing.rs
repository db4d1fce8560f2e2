//! Signing in by another device: who has the secret is let in, once, and as what it asked to be; nobody else is.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use minidom::Element;
use rookery_core::limits;
use rookery_proto::Uid;
use rookery_proto::sasl::{ChannelBindings, Hash, Mechanism, TokenMechanism, client::Binding};
use rookery_testkit::client::{Answered, Client, failure, request, token};
use rookery_testkit::clock;
use rookery_testkit::server::{Ending, StoreFault, TestOptions, TestServer};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::common::{PASSWORD, address, bound, run, server, with};

/// What the messenger's page says of itself.
const OWN: &str = "Origin: http://localhost\r\nContent-Type: application/json\r\n";
const NS: &str = "https://rookery.im/protocol/pairing";
const BROWSER: &str = r#"{"software":"Rookery","device":"Firefox <on> \"Windows\"","public":true}"#;
const OWN_BROWSER: &str = r#"{"software":"Rookery","device":"Laptop","public":false}"#;

async fn post(server: &TestServer, from: u8, path: &str, body: &str) -> Result<Answered> {
    let connection = server.connect_http_from(address(from), false);
    request(connection, "POST", path, OWN, body.as_bytes()).await
}

fn read(answer: &Answered) -> Result<Value> {
    Ok(serde_json::from_slice(&answer.body)?)
}

/// A page that waits.
struct Page {
    id: String,
    secret: String,
    code: String,
}

impl Page {
    async fn begin(server: &TestServer, asks: &str) -> Result<Page> {
        let answer = post(server, 1, "/account/pair", asks).await?;
        ensure!(answer.status == 200, "{}", String::from_utf8_lossy(&answer.body));
        let said = read(&answer)?;
        assert_eq!(said["seconds"], 120);
        let text = |name: &str| said[name].as_str().map(str::to_owned).context("a text");
        Ok(Page { id: text("id")?, secret: text("secret")?, code: text("code")? })
    }

    async fn wait_with(&self, server: &TestServer, secret: &str) -> Result<Answered> {
        let body = json!({ "secret": secret }).to_string();
        post(server, 1, &format!("/account/pair/{}/wait", self.id), &body).await
    }

    /// What the page is told when something was decided already.
    async fn told(&self, server: &TestServer) -> Result<Value> {
        let answer = self.wait_with(server, &self.secret).await?;
        ensure!(answer.status == 200, "{}", answer.status);
        read(&answer)
    }

    /// Asks and waits beside everything else.
    fn waits(&self, server: &TestServer) -> JoinHandle<Result<Answered>> {
        let connection = server.connect_http_from(address(1), false);
        let path = format!("/account/pair/{}/wait", self.id);
        let body = json!({ "secret": self.secret }).to_string();
        tokio::spawn(async move { request(connection, "POST", &path, OWN, body.as_bytes()).await })
    }
}

async fn look(client: &mut Client, attr: &str, value: &str) -> Result<Element> {
    client.iq("get", None, &format!("<pairing xmlns='{NS}' {attr}='{value}'/>")).await
}

async fn decide(client: &mut Client, what: &str, id: &str) -> Result<Element> {
    client.iq("set", None, &format!("<{what} xmlns='{NS}' id='{id}'/>")).await
}

/// The condition of a refusal.
fn condition<T: std::fmt::Debug>(outcome: Result<T>) -> Result<String> {
    let text = format!("{:#}", outcome.err().context("it is allowed")?);
    let conditions =
        ["item-not-found", "forbidden", "bad-request", "policy-violation", "resource-constraint"];
    conditions.into_iter().find(|c| text.contains(&format!("<{c} "))).map(str::to_owned).context(text)
}

/// Shows a token as the page does; `<success/>` or `<failure/>`.
async fn shows(server: &TestServer, told: &Value, more: &str) -> Result<(Client, Element)> {
    let text = |name: &str| told[name].as_str().context("a text");
    let mut client = Client::new(server.connect_from(address(1), false), "localhost");
    client.open_as("romeo").await?;
    let inside = format!(
        "<user-agent id='{}'/>{more}<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>\
         <bind xmlns='urn:xmpp:bind:0'/>",
        text("agent")?
    );
    let none = ChannelBindings::default();
    let answer = client.sasl2_token(TokenMechanism::Unbound, "romeo", text("token")?, &none, &inside).await?;
    if answer.name() == "success" {
        client.features().await?;
    }
    Ok((client, answer))
}

#[test]
fn a_public_page_is_let_in_once_and_stays_public() {
    run(async {
        let server = server(&[]).await?;
        let mut phone = bound(&server, "romeo", "phone").await?;
        let page = Page::begin(&server, BROWSER).await?;
        ensure!(page.code.len() == 9 && page.code.bytes().all(|b| b.is_ascii_digit()), "{}", page.code);
        let waiting = page.waits(&server);
        let seen = look(&mut phone, "id", &page.id).await?;
        let seen = seen.get_child("pairing", NS).context("no payload")?;
        let text = |name| seen.get_child(name, NS).map(Element::text);
        assert_eq!(text("device").as_deref(), Some("Firefox <on> \"Windows\""));
        assert_eq!(text("address").as_deref(), Some("192.0.2.1"));
        assert_eq!(seen.attr("code"), Some(page.code.as_str()));
        ensure!(seen.has_child("public", NS));
        decide(&mut phone, "approve", &page.id).await?;
        let told = read(&waiting.await??)?;
        assert_eq!((&told["state"], &told["address"]), (&json!("approved"), &json!("romeo@localhost")));

        // It is a device already, and public, whatever it says of itself.
        let uid = Uid(10_001);
        let devices = server.core().store.devices(uid).await?;
        let device = devices.iter().find(|device| device.token).context("it is not listed")?;
        ensure!(device.public && !device.password && device.software.as_deref() == Some("Rookery"));
        let (_page, success) = shows(&server, &told, "").await?;
        let (newer, expiry) = token(&success)?;
        assert_eq!(expiry, "2026-01-01T08:00:00.000Z", "for a working day");
        let (_, again) = shows(&server, &told, "").await?;
        assert_eq!(failure(&again)?, "not-authorized", "it is good once");
        let mut later = told.clone();
        later["token"] = json!(newer);
        let (_, again) = shows(&server, &later, "").await?;
        assert_eq!(again.name(), "success");
        Ok(())
    });
}

#[test]
fn an_own_device_keeps_a_token_and_lets_others_in() {
    run(async {
        let mut server = server(&[]).await?;
        let mut phone = bound(&server, "romeo", "phone").await?;
        let page = Page::begin(&server, OWN_BROWSER).await?;
        let typed = format!("{} {} {}", &page.code[..3], &page.code[3..6], &page.code[6..]);
        look(&mut phone, "code", &typed).await?;
        decide(&mut phone, "approve", &page.id).await?;
        let told = page.told(&server).await?;
        assert_eq!(page.told(&server).await?, told, "an answer that was lost is given again");
        // What was approved is in the store: a restart forgets who waits, and not who was let in.
        server.restart(Ending::Killed).await?;
        let (mut laptop, success) = shows(&server, &told, "").await?;
        ensure!(token(&success)?.1.starts_with("2026-01-31"), "for a month");
        let next = Page::begin(&server, OWN_BROWSER).await?;
        look(&mut laptop, "id", &next.id).await?;
        decide(&mut laptop, "approve", &next.id).await?;
        assert_eq!(page.wait_with(&server, &page.secret).await?.status, 404);
        Ok(())
    });
}

#[test]
fn a_public_device_lets_nobody_in() {
    run(async {
        let server = server(&[]).await?;
        let agent = "<user-agent id='library'><public xmlns='https://rookery.im/protocol/clients'/></user-agent>\
                     <bind xmlns='urn:xmpp:bind:0'/>";
        let mut library = Client::new(server.connect(), "localhost");
        library.open_as("romeo").await?;
        let scram = Mechanism::Scram { hash: Hash::Sha256, plus: false };
        library.sasl2(scram, "romeo", PASSWORD, Binding::Unsupported, agent).await?;
        library.features().await?;
        let page = Page::begin(&server, OWN_BROWSER).await?;
        assert_eq!(condition(look(&mut library, "id", &page.id).await)?, "forbidden");
        assert_eq!(condition(look(&mut library, "code", &page.code).await)?, "forbidden");
        for what in ["approve", "refuse"] {
            assert_eq!(condition(decide(&mut library, what, &page.id).await)?, "forbidden");
        }
        let mut phone = bound(&server, "romeo", "phone").await?;
        decide(&mut phone, "approve", &page.id).await?;
        assert_eq!(page.told(&server).await?["state"], "approved", "it still waited");
        Ok(())
    });
}

#[test]
fn a_decision_is_made_once_and_in_time() {
    run(async {
        let server = server(&[]).await?;
        let mut phone = bound(&server, "romeo", "phone").await?;
        let refused = Page::begin(&server, BROWSER).await?;
        let waiting = refused.waits(&server);
        decide(&mut phone, "refuse", &refused.id).await?;
        assert_eq!(read(&waiting.await??)?, json!({ "state": "refused" }));
        let approved = Page::begin(&server, BROWSER).await?;
        decide(&mut phone, "approve", &approved.id).await?;
        for page in [&refused, &approved] {
            for what in ["approve", "refuse"] {
                assert_eq!(condition(decide(&mut phone, what, &page.id).await)?, "item-not-found");
            }
            assert_eq!(condition(look(&mut phone, "code", &page.code).await)?, "item-not-found");
        }
        assert_eq!(server.core().store.devices(Uid(10_001)).await?.len(), 1, "one was let in");

        let late = Page::begin(&server, BROWSER).await?;
        let waiting = late.waits(&server);
        clock::settle().await;
        clock::pass(Duration::from_secs(30)).await;
        assert_eq!(read(&waiting.await??)?, json!({ "state": "waiting" }), "a request waits for so long");
        clock::pass(Duration::from_millis(limits::PAIRING_MS as u64)).await;
        assert_eq!(condition(decide(&mut phone, "approve", &late.id).await)?, "item-not-found");
        assert_eq!(late.wait_with(&server, &late.secret).await?.status, 404);
        // And what was approved is not good for ever.
        let told = Page::begin(&server, BROWSER).await?;
        decide(&mut phone, "approve", &told.id).await?;
        let told = told.told(&server).await?;
        clock::pass(Duration::from_millis(limits::PAIRING_MS as u64)).await;
        let (_, answer) = shows(&server, &told, "").await?;
        assert_eq!(failure(&answer)?, "credentials-expired");
        Ok(())
    });
}

#[test]
fn who_looked_first_decides() {
    run(async {
        let server = server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "phone").await?;
        let mut juliet = bound(&server, "juliet", "phone").await?;
        let page = Page::begin(&server, BROWSER).await?;
        look(&mut romeo, "id", &page.id).await?;
        assert_eq!(condition(look(&mut juliet, "code", &page.code).await)?, "item-not-found");
        for what in ["approve", "refuse"] {
            assert_eq!(condition(decide(&mut juliet, what, &page.id).await)?, "item-not-found");
        }
        decide(&mut romeo, "approve", &page.id).await?;
        assert_eq!(page.told(&server).await?["address"], "romeo@localhost");
        ensure!(server.core().store.devices(Uid(10_002)).await?.is_empty());
        Ok(())
    });
}

#[test]
fn nothing_is_guessed() {
    run(async {
        let server = server(&[]).await?;
        let mut phone = bound(&server, "romeo", "phone").await?;
        let page = Page::begin(&server, BROWSER).await?;
        let long = "7".repeat(5_000);
        for id in ["", "x", "../..", &page.secret, &long] {
            assert_eq!(condition(decide(&mut phone, "approve", id).await)?, "item-not-found");
        }
        let bare = phone.iq("set", None, &format!("<approve xmlns='{NS}'/>")).await;
        assert_eq!(condition(bare)?, "bad-request");
        let bare = phone.iq("get", None, &format!("<pairing xmlns='{NS}' id='a' code='b'/>")).await;
        assert_eq!(condition(bare)?, "bad-request");
        let mut outcomes = Vec::new();
        for n in 0..20 {
            outcomes.push(condition(look(&mut phone, "code", &format!("{n:09}")).await)?);
        }
        let free = outcomes.iter().filter(|outcome| *outcome == "item-not-found").count();
        assert_eq!(free, limits::CODES_AT_ONCE as usize);
        assert_eq!(condition(look(&mut phone, "code", &page.code).await)?, "policy-violation");
        look(&mut phone, "id", &page.id).await?;

        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(page.wait_with(&server, &page.id).await?.status);
        }
        let held = statuses.iter().position(|status| *status == 429).context("nobody is held back")?;
        ensure!(statuses[..held].iter().all(|status| *status == 404), "{statuses:?}");
        Ok(())
    });
}

#[test]
fn only_the_messengers_page_asks_and_for_so_much() {
    run(async {
        let server = server(&[]).await?;
        let foreign = "Origin: https://evil.test\r\nContent-Type: application/json\r\n";
        let form = "Origin: http://localhost\r\nContent-Type: text/plain\r\n";
        for path in ["/account/pair", "/account/pair/abc/wait"] {
            for headers in [foreign, form] {
                let connection = server.connect_http_from(address(1), false);
                let answer = request(connection, "POST", path, headers, BROWSER.as_bytes()).await?;
                assert_eq!(answer.status, 403, "{path} {headers}");
            }
        }
        let long = format!(r#"{{"software":"{}","device":"","public":true}}"#, "x".repeat(256));
        let huge = format!(r#"{{"software":"{}","device":"","public":true}}"#, "x".repeat(5_000));
        for body in [
            "",
            "[]",
            r#"{"software":"a","device":"b"}"#,
            r#"{"software":"","device":"b","public":true}"#,
            r#"{"software":"a","device":"\u0000","public":true}"#,
            r#"{"software":"a","device":"\uffff","public":true}"#,
            r#"{"software":"a","device":"b","public":true,"uid":1}"#,
            &long,
            &huge,
        ] {
            assert_eq!(post(&server, 1, "/account/pair", body).await?.status, 400, "{body:.60}");
        }
        for _ in 0..limits::PAIRINGS_OF_PLACE {
            Page::begin(&server, BROWSER).await?;
        }
        assert_eq!(post(&server, 1, "/account/pair", BROWSER).await?.status, 429);
        assert_eq!(post(&server, 2, "/account/pair", BROWSER).await?.status, 200, "others wait too");
        clock::pass(Duration::from_millis(limits::PAIRING_MS as u64)).await;
        Page::begin(&server, BROWSER).await?;
        Ok(())
    });
}

#[test]
fn nothing_passes_where_others_read_it() {
    run(async {
        let server = with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        assert_eq!(post(&server, 1, "/account/pair", BROWSER).await?.status, 403);
        assert_eq!(post(&server, 1, "/account/pair/abc/wait", r#"{"secret":"x"}"#).await?.status, 403);
        Ok(())
    });
}

#[test]
fn what_the_store_does_not_keep_is_not_approved() {
    run(async {
        let server = server(&[]).await?;
        let mut phone = bound(&server, "romeo", "phone").await?;
        let page = Page::begin(&server, BROWSER).await?;
        server.set_store_fault(Some(StoreFault::Fails));
        assert_eq!(condition(decide(&mut phone, "approve", &page.id).await)?, "resource-constraint");
        server.set_store_fault(None);
        decide(&mut phone, "approve", &page.id).await?;
        assert_eq!(page.told(&server).await?["state"], "approved");
        Ok(())
    });
}

/// A new password is a new password for those, too, who were let in and have not come yet.
#[test]
fn what_ends_tokens_ends_an_approval() {
    run(async {
        let server = server(&[]).await?;
        let mut phone = bound(&server, "romeo", "phone").await?;
        let page = Page::begin(&server, OWN_BROWSER).await?;
        decide(&mut phone, "approve", &page.id).await?;
        let told = page.told(&server).await?;
        server.core().set_password(Uid(10_001), "another".into()).await?;
        let (_, answer) = shows(&server, &told, "").await?;
        assert_eq!(failure(&answer)?, "not-authorized");
        Ok(())
    });
}

/// Being let in proves no second factor, whoever let it in.
#[test]
fn a_second_factor_is_each_sessions_own() {
    run(async {
        let server = server(&[]).await?;
        server.make_administrator("romeo").await?;
        let uid = Uid(10_001);
        let mut phone = bound(&server, "romeo", "phone").await?;
        let session = server.core().router.session(uid, "phone").context("no session")?;
        let seed = [7; 16];
        let code = server.code(&server.core().factor_key(uid, &seed).text())?;
        ensure!(server.core().begin_factor(&session, seed, &code).await?.is_ok());
        let command = "<command xmlns='http://jabber.org/protocol/commands' \
                       node='http://jabber.org/protocol/admin#get-registered-users-num'/>";
        phone.iq("set", Some("localhost"), command).await?;
        let page = Page::begin(&server, OWN_BROWSER).await?;
        decide(&mut phone, "approve", &page.id).await?;
        let told = page.told(&server).await?;
        let (mut laptop, _) = shows(&server, &told, "").await?;
        let refused =
            format!("{:#}", laptop.iq("set", Some("localhost"), command).await.err().context("it may")?);
        ensure!(refused.contains("Confirm first that it is you"), "{refused}");
        Ok(())
    });
}
