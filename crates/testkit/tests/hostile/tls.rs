//! STARTTLS, direct TLS and channel binding, end to end (RFC 6120 §5, XEP-0368, XEP-0440).

use anyhow::{Context, Result};
use rookery_proto::sasl::client::Binding;
use rookery_proto::sasl::{BindingType, ChannelBindings, Hash, Mechanism};
use rookery_testkit::client::{Client, channel_bindings, tls_handshake};
use rookery_testkit::server::{TestOptions, TestServer};

use crate::common::{self, PASSWORD, address, run};

const PLUS: Mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: true };
const BARE: Mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: false };

async fn server() -> Result<TestServer> {
    common::with(TestOptions { tls: true, ..TestOptions::default() }).await
}

/// A client with TLS under it, and what it can be bound to.
async fn secured(server: &TestServer, direct: bool) -> Result<(Client, ChannelBindings)> {
    let pipe = server.connect_from(address(1), direct);
    if direct {
        let tls = tls_handshake(pipe, "localhost", server.trust()?).await?;
        let bindings = channel_bindings(&tls)?;
        return Ok((Client::new(tls, "localhost"), bindings));
    }
    let mut client = Client::new(pipe, "localhost");
    client.open_for_features().await?;
    client.starttls(server.trust()?).await
}

fn bound_by(bindings: &ChannelBindings, kind: BindingType) -> Result<Binding> {
    Ok(Binding::Bound(kind, bindings.get(kind).context("there is such a binding")?.to_vec()))
}

#[test]
fn bound_to_the_channel() {
    run(async {
        let server = server().await?;
        for (direct, kind) in [false, true].into_iter().flat_map(|d| BindingType::ALL.map(|kind| (d, kind))) {
            let (mut client, bindings) = secured(&server, direct).await?;
            let features = String::from(&client.open_for_features().await?);
            for name in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS", kind.name()] {
                assert!(features.contains(name), "{features}");
            }
            client.authenticate_with(PLUS, "romeo", PASSWORD, bound_by(&bindings, kind)?).await?;
            client.bind(Some("orchard")).await?;
        }
        Ok(())
    });
}

#[test]
fn bound_to_another_channel() {
    run(async {
        let server = server().await?;
        for kind in BindingType::ALL {
            let (mut client, mut bindings) = secured(&server, true).await?;
            client.open_for_features().await?;
            bindings.exporter = bindings.exporter.map(|bytes| bytes.map(|b| b ^ 1));
            bindings.server_end_point = Some(vec![1; 32]);
            let outcome = client.authenticate_with(PLUS, "romeo", PASSWORD, bound_by(&bindings, kind)?).await;
            let refused = format!("{:#}", outcome.err().context("it was let in")?);
            assert!(refused.contains("not-authorized"), "{refused}");
        }
        Ok(())
    });
}

/// Who says that no -PLUS was offered was lied to (RFC 5802 §6); who knows none is let in.
#[test]
fn a_downgrade_is_noticed() {
    run(async {
        let server = server().await?;
        let (mut client, _) = secured(&server, true).await?;
        client.open_for_features().await?;
        let outcome = client.authenticate_with(BARE, "romeo", PASSWORD, Binding::Unoffered).await;
        let refused = format!("{:#}", outcome.err().context("it was let in")?);
        assert!(refused.contains("not-authorized"), "{refused}");
        client.authenticate_with(BARE, "romeo", PASSWORD, Binding::Unsupported).await?;
        Ok(())
    });
}

#[test]
fn nothing_in_the_clear() {
    run(async {
        let server = server().await?;
        let mut client = Client::new(server.connect(), "localhost");
        let features = client.open_for_features().await?;
        assert!(features.has_child("starttls", "urn:ietf:params:xml:ns:xmpp-tls"));
        assert!(!features.has_child("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl"));
        let outcome = client.authenticate("romeo", PASSWORD).await;
        let refused = format!("{:#}", outcome.err().context("it was let in")?);
        assert!(refused.contains("encryption-required"), "{refused}");
        Ok(())
    });
}

/// RFC 6120 §5.3.5: what somebody put in front of the handshake is not taken for the client's.
#[test]
fn what_was_said_before_tls_does_not_count() {
    run(async {
        let server = server().await?;
        let mut client = Client::new(server.connect(), "localhost");
        client.open_for_features().await?;
        let injected = "<iq type='get' id='injected'><query xmlns='jabber:iq:register'/></iq>";
        client
            .send_uncounted(&format!("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>{injected}"))
            .await?;
        client.expect("<proceed/>", |e| e.name() == "proceed").await?;
        // A second <starttls/> would be answered under TLS, where there is none.
        let outcome = client.starttls(server.trust()?).await;
        assert!(outcome.is_err());
        Ok(())
    });
}

#[test]
fn another_certificate_without_a_restart() {
    run(async {
        let server = server().await?;
        let (mut old, before) = secured(&server, true).await?;
        old.open_for_features().await?;
        server.renew_certificate()?;
        let (mut new, after) = secured(&server, true).await?;
        assert_ne!(before.server_end_point, after.server_end_point);
        new.open_for_features().await?;
        // Each is bound to the certificate that it has seen.
        for (mut client, bindings) in [(old, before), (new, after)] {
            let binding = bound_by(&bindings, BindingType::ServerEndPoint)?;
            client.authenticate_with(PLUS, "romeo", PASSWORD, binding).await?;
        }
        Ok(())
    });
}

/// Names are not confused: the certificate is for our domain alone, whatever name TLS was asked for, and so is the stream,
/// whatever name TLS was set up with.
#[test]
fn another_name_is_not_ours() {
    run(async {
        let server = server().await?;
        let refused =
            tls_handshake(server.connect_from(address(1), true), "elsewhere.example", server.trust()?);
        let why = refused.await.err().context("the certificate is for elsewhere.example")?;
        assert!(format!("{why:#}").contains("not valid for name"), "{why:#}");
        let tls = tls_handshake(server.connect_from(address(1), true), "localhost", server.trust()?).await?;
        let mut client = Client::new(tls, "elsewhere.example");
        let why = client.open_for_features().await.err().context("the stream is to elsewhere.example")?;
        assert!(format!("{why:#}").contains("host-unknown"), "{why:#}");
        Ok(())
    });
}
