//! Tokens (XEP-0484) in the wrong hands, on the wrong connection, at the wrong time.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use rookery_core::limits;
use rookery_proto::Uid;
use rookery_proto::sasl::client::Binding;
use rookery_proto::sasl::{BindingType, ChannelBindings, Hash, Mechanism, TokenMechanism};
use rookery_store::AddressKind;
use rookery_testkit::client::{Client, channel_bindings, failure, tls_handshake, token};
use rookery_testkit::clock;
use rookery_testkit::server::{StoreFault, TestOptions, TestServer};

use crate::common::{self, PASSWORD, address, run};

const AGENT: &str = "<user-agent id='phone'><software>Chat</software><device>Phone</device></user-agent>";
const SCRAM: Mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: false };
const PLUS: Mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: true };
const NONE: TokenMechanism = TokenMechanism::Unbound;

async fn secured(server: &TestServer) -> Result<(Client, ChannelBindings)> {
    let tls = tls_handshake(server.connect_from(address(1), true), "localhost", server.trust()?).await?;
    let bindings = channel_bindings(&tls)?;
    let mut client = Client::new(tls, "localhost");
    client.open_as("romeo").await?;
    Ok((client, bindings))
}

async fn opened(server: &TestServer) -> Result<Client> {
    let mut client = Client::new(server.connect_from(address(1), false), "localhost");
    client.open_as("romeo").await?;
    Ok(client)
}

fn request(mechanism: TokenMechanism) -> String {
    format!("{AGENT}<request-token xmlns='urn:xmpp:fast:0' mechanism='{}'/>", mechanism.name())
}

async fn issued(server: &TestServer) -> Result<String> {
    let mut client = opened(server).await?;
    let success = client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, &request(NONE)).await?;
    Ok(token(&success)?.0)
}

/// What somebody is told who has a token and nothing else.
async fn shown(server: &TestServer, text: &str) -> Result<Element> {
    opened(server).await?.sasl2_token(NONE, "romeo", text, &ChannelBindings::default(), AGENT).await
}

async fn romeo(server: &TestServer) -> Result<Uid> {
    Ok(server.core().accounts.find("romeo").await?.uid)
}

#[test]
fn a_token_is_pinned_to_its_mechanism_and_channel() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        for mechanism in TokenMechanism::ALL {
            let (mut client, here) = secured(&server).await?;
            let exporter = here.get(BindingType::Exporter).context("TLS 1.3")?.to_vec();
            let binding = Binding::Bound(BindingType::Exporter, exporter);
            let success = client.sasl2(PLUS, "romeo", PASSWORD, binding, &request(mechanism)).await?;
            let text = token(&success)?.0;
            for other in TokenMechanism::ALL.into_iter().filter(|other| *other != mechanism) {
                let (mut client, here) = secured(&server).await?;
                let answer = client.sasl2_token(other, "romeo", &text, &here, AGENT).await?;
                assert_eq!(failure(&answer)?, "not-authorized", "{mechanism:?} as {other:?}");
            }
            // What was read along on one connection is worth nothing on another, if it was bound to the first.
            let (mut thief, there) = secured(&server).await?;
            assert_ne!(here.exporter, there.exporter);
            let stolen = thief.sasl2_token(mechanism, "romeo", &text, &here, AGENT).await?;
            assert_eq!(stolen.name() == "failure", mechanism == TokenMechanism::Exporter);
            let (mut client, here) = secured(&server).await?;
            let answer = client.sasl2_token(mechanism, "romeo", &text, &here, AGENT).await?;
            assert_eq!(answer.name(), "success", "{mechanism:?}: {}", String::from(&answer));
        }
        Ok(())
    });
}

/// A token bound to the certificate outlives it; a proof that was made for another certificate does not.
#[test]
fn another_certificate() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let end_point = TokenMechanism::ServerEndPoint;
        let (mut client, before) = secured(&server).await?;
        let success =
            client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, &request(end_point)).await?;
        let text = token(&success)?.0;
        server.renew_certificate()?;
        let (mut client, _) = secured(&server).await?;
        let answer = client.sasl2_token(end_point, "romeo", &text, &before, AGENT).await?;
        assert_eq!(failure(&answer)?, "not-authorized");
        let (mut client, after) = secured(&server).await?;
        assert_eq!(client.sasl2_token(end_point, "romeo", &text, &after, AGENT).await?.name(), "success");
        Ok(())
    });
}

/// RFC 6120 §13.8, XEP-0484 §6: nothing secret is offered or taken in the clear.
#[test]
fn nothing_in_the_clear() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let mut client = Client::new(server.connect(), "localhost");
        let features = client.open_as("romeo").await?;
        assert!(!features.has_child("authentication", "urn:xmpp:sasl:2"));
        let answer = client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, "").await?;
        assert_eq!(failure(&answer)?, "encryption-required");
        let none = ChannelBindings::default();
        let answer = client.sasl2_token(NONE, "romeo", "token", &none, AGENT).await?;
        assert_eq!(failure(&answer)?, "encryption-required");
        Ok(())
    });
}

#[test]
fn tokens_are_unlike_each_other_and_not_in_the_store() {
    run(async {
        let mut server = common::server(&[]).await?;
        let mut seen = HashSet::new();
        for _ in 0..20 {
            let text = issued(&server).await?;
            assert!(text.len() >= 43, "less than 256 bits: {text}");
            assert!(seen.insert(text));
        }
        server.restart(rookery_testkit::server::Ending::Orderly).await?;
        let last = issued(&server).await?;
        assert!(seen.insert(last.clone()), "the same again after a restart");
        assert_eq!(shown(&server, &last).await?.name(), "success");
        for text in seen {
            assert!(!server.store_contains(text.as_bytes())?, "the store has a token");
        }
        assert!(server.store_contains(b"romeo")?, "the test looks into the wrong files");
        Ok(())
    });
}

#[test]
fn expiry() {
    run(async {
        let server = common::server(&[]).await?;
        let text = issued(&server).await?;
        let life = Duration::from_millis(limits::TOKEN_LIFE_MS as u64);
        tokio::time::advance(life - Duration::from_secs(1)).await;
        // In time; but what it is given now is not shown again.
        assert_eq!(shown(&server, &text).await?.name(), "success");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(failure(&shown(&server, &text).await?)?, "credentials-expired");
        assert_eq!(failure(&shown(&server, "wrong").await?)?, "not-authorized");
        Ok(())
    });
}

#[test]
fn revoked_with_the_device_and_the_account() {
    run(async {
        let server = common::server(&[]).await?;
        let uid = romeo(&server).await?;
        let store = &server.core().store;
        let text = issued(&server).await?;
        let devices = store.devices(uid).await?;
        assert_eq!(devices.len(), 1);
        assert_eq!(devices[0].software.as_deref(), Some("Chat"));
        assert_eq!(devices[0].name.as_deref(), Some("Phone"));
        assert_eq!(devices[0].address, AddressKind::V4);
        assert!(store.remove_device(uid, devices[0].id).await?);
        assert_eq!(failure(&shown(&server, &text).await?)?, "not-authorized");

        let text = issued(&server).await?;
        store.set_disabled(uid, true).await?;
        server.core().account_changed(uid, true).await;
        assert_eq!(failure(&shown(&server, &text).await?)?, "not-authorized");
        let mut client = opened(&server).await?;
        let answer = client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, &request(NONE)).await?;
        assert_eq!(failure(&answer)?, "account-disabled");
        store.set_disabled(uid, false).await?;
        server.core().account_changed(uid, false).await;
        assert_eq!(failure(&shown(&server, &text).await?)?, "not-authorized", "it does not come back");

        let text = issued(&server).await?;
        let account = server.core().accounts.find("romeo").await?;
        server.core().accounts.delete(&account, |_, _| ()).await?;
        server.core().account_changed(uid, true).await;
        assert_eq!(failure(&shown(&server, &text).await?)?, "not-authorized");
        Ok(())
    });
}

/// A store that fails lets nobody in, and says so.
#[test]
fn a_failing_store() {
    run(async {
        let server = common::server(&[]).await?;
        let text = issued(&server).await?;
        // That it is seen again is not noted before.
        tokio::time::advance(Duration::from_millis(rookery_store::limits::SEEN_LATELY_MS as u64)).await;
        server.set_store_fault(Some(StoreFault::Fails));
        assert_eq!(failure(&shown(&server, &text).await?)?, "temporary-auth-failure");
        server.set_store_fault(None);
        assert_eq!(shown(&server, &text).await?.name(), "success");
        Ok(())
    });
}

/// Guessing tokens spends an address's patience like guessing passwords.
#[test]
fn guesses_are_counted() {
    run(async {
        let server = common::server(&[]).await?;
        let text = issued(&server).await?;
        for n in 0..20 {
            // Each at another account, for the one that is guessed at is slowed.
            let mut client = Client::new(server.connect_from(address(1), false), "localhost");
            client.open_for_features().await?;
            let (user, none) = (format!("user{n}"), ChannelBindings::default());
            let answer = client.sasl2_token(NONE, &user, "wrong", &none, AGENT).await?;
            assert_eq!(failure(&answer)?, "not-authorized");
        }
        assert_eq!(failure(&shown(&server, &text).await?)?, "temporary-auth-failure");
        tokio::time::advance(Duration::from_secs(31)).await;
        ensure!(shown(&server, &text).await?.name() == "success");
        Ok(())
    });
}

/// A connection that was lost while it signed in takes nothing from the one that its client has made since.
#[test]
fn a_cut_sign_in_is_given_up() {
    run(async {
        let server = common::server(&[]).await?;
        let bind = "<bind xmlns='urn:xmpp:bind:0'/>";
        let mut phone = opened(&server).await?;
        let asked = format!("{}{bind}", request(NONE));
        let success = phone.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, &asked).await?;
        phone.features().await?;
        let shown = NONE.initial("romeo", &token(&success)?.0, &ChannelBindings::default());
        let shown = BASE64.encode(shown.context("a proof")?);
        for orderly in [false, true] {
            let mut cut = opened(&server).await?;
            // What was proven waits for the store when the connection goes.
            server.set_store_fault(Some(StoreFault::Stalls));
            cut.send_uncounted(&format!(
                "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><initial-response>{shown}\
                 </initial-response>{}<fast xmlns='urn:xmpp:fast:0'/>{bind}</authenticate>",
                request(NONE) // A new token is stored before it is given.
            ))
            .await?;
            clock::settle().await;
            if orderly {
                cut.send_uncounted("</stream:stream>").await?;
            }
            drop(cut);
            clock::settle().await;
            server.set_store_fault(None);
            // Stored after it; and then whatever comes of it has come.
            phone.roster_set("juliet@localhost", "Juliet").await?;
            clock::settle().await;
            let came = format!("{:?}", phone.barrier().await?);
            ensure!(!came.contains("conflict"), "{came}");
            assert_eq!(server.core().router.sessions(romeo(&server).await?).len(), 1);
        }
        Ok(())
    });
}
