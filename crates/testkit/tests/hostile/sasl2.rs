//! The newer profile (XEP-0388) pulled at from all sides: who exists, who goes without an answer, and better keys.

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minidom::Element;
use rookery_proto::sasl::client::{Binding, salted_password};
use rookery_proto::sasl::{ChannelBindings, Hash, Mechanism, TokenMechanism};
use rookery_testkit::client::{Client, failure, token};
use rookery_testkit::server::TestServer;

use crate::common::{self, PASSWORD, address, run};

const SCRAM: Mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: false };
const AGENT: &str = "<user-agent id='phone'/>";
const UPGRADE: &str = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>";

async fn opened(server: &TestServer, from: u8) -> Result<Client> {
    let mut client = Client::new(server.connect_from(address(from), false), "localhost");
    client.open_for_features().await?;
    Ok(client)
}

async fn says(client: &mut Client, xml: &str) -> Result<Element> {
    client.send_uncounted(xml).await?;
    client.recv().await
}

async fn first_message(client: &mut Client, user: &str) -> Result<Element> {
    let initial = BASE64_STANDARD.encode(format!("n,,n={user},r=abcdef"));
    let initial = format!("<initial-response>{initial}</initial-response>");
    says(
        client,
        &format!("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'>{initial}</authenticate>"),
    )
    .await
}

/// A wrong password, a wrong token and an unknown account are told apart by nothing: not by words, not by steps, and not
/// by how much the store is asked, even where it has been asked before.
#[test]
fn who_exists_is_not_told() {
    run(async {
        let server = common::server(&[]).await?;
        let reads = || server.core().store.stats().reads;
        let mut told = Vec::new();
        for user in ["romeo", "romeo", "juliet", "nobody", "nobody", "10001", "99999", "ROMEO", "a b"] {
            let mut row = Vec::new();
            let before = reads();
            let mut client = opened(&server, 1).await?;
            let challenge = first_message(&mut client, user).await?;
            row.push(format!("{} after {} reads", challenge.name(), reads() - before));
            drop(client);
            for mechanism in [SCRAM, Mechanism::Plain] {
                let before = reads();
                let mut client = opened(&server, 2).await?;
                let answer = client.sasl2(mechanism, user, "wrong", Binding::Unsupported, AGENT).await?;
                row.push(format!("{} after {} reads", String::from(&answer), reads() - before));
            }
            let before = reads();
            let mut client = opened(&server, 3).await?;
            let none = ChannelBindings::default();
            let answer = client.sasl2_token(TokenMechanism::Unbound, user, "wrong", &none, AGENT).await?;
            row.push(format!("{} after {} reads", String::from(&answer), reads() - before));
            told.push(row);
        }
        for row in &told {
            assert_eq!(row, &told[0]);
        }
        Ok(())
    });
}

/// Collecting challenges is guessing: a salt that two names share shows that both are one account's, and no salt can be
/// had for a name alone. What is left is to count.
#[test]
fn challenges_are_not_collected() {
    run(async {
        let server = common::server(&[]).await?;
        for n in 0..20 {
            let mut client = opened(&server, 1).await?;
            assert_eq!(first_message(&mut client, &format!("user{n}")).await?.name(), "challenge");
            match n % 3 {
                0 => {
                    let answer = says(&mut client, "<abort xmlns='urn:xmpp:sasl:2'/>").await?;
                    assert_eq!(failure(&answer)?, "aborted");
                }
                1 => assert_eq!(says(&mut client, "<presence/>").await?.name(), "error"),
                _ => drop(client),
            }
            rookery_testkit::clock::settle().await;
        }
        let answer = first_message(&mut opened(&server, 1).await?, "romeo").await?;
        assert_eq!(failure(&answer)?, "temporary-auth-failure");
        // Others do not suffer, and an account that somebody asked for is not slowed.
        let answer = first_message(&mut opened(&server, 2).await?, "user0").await?;
        assert_eq!(answer.name(), "challenge");
        Ok(())
    });
}

/// Who answers its challenges may sign in as often as it likes.
#[test]
fn answered_challenges_do_not_count() {
    run(async {
        let server = common::server(&[]).await?;
        for _ in 0..30 {
            let mut client = opened(&server, 1).await?;
            let answer = client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, "").await?;
            assert_eq!(answer.name(), "success");
        }
        Ok(())
    });
}

/// The stream says who it comes from, and somebody else signs in.
#[test]
fn a_stream_of_another() {
    run(async {
        let server = common::server(&[]).await?;
        for (from, outcome) in [
            ("romeo", "success"),
            ("ROMEO", "success"),
            ("10001", "success"),
            ("juliet", "failure"),
            ("nobody", "failure"),
        ] {
            let mut client = Client::new(server.connect_from(address(1), false), "localhost");
            client.open_as(from).await?;
            let answer = client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, "").await?;
            assert_eq!(answer.name(), outcome, "{from}");
            if outcome == "failure" {
                assert_eq!(failure(&answer)?, "invalid-authzid");
            }
        }
        // As of old: the second header counts.
        let mut client = opened(&server, 2).await?;
        client.authenticate("romeo", PASSWORD).await?;
        let mut client = opened(&server, 2).await?;
        let plain = BASE64_STANDARD.encode("\0romeo\0secret");
        let auth = format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        assert_eq!(says(&mut client, &auth).await?.name(), "success");
        assert!(client.open_as("juliet").await.is_err());
        Ok(())
    });
}

async fn upgrading(server: &TestServer) -> Result<(Client, Element)> {
    let mut client = opened(server, 1).await?;
    let sha1 = Mechanism::Scram { hash: Hash::Sha1, plus: false };
    let answer =
        client.sasl2(sha1, "romeo", PASSWORD, Binding::Unsupported, &format!("{AGENT}{UPGRADE}")).await?;
    Ok((client, answer))
}

const NEXT: &str = "<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>";

async fn rounds(server: &TestServer) -> Result<String> {
    let challenge = first_message(&mut opened(server, 9).await?, "romeo").await?;
    let text = String::from_utf8(BASE64_STANDARD.decode(challenge.text())?)?;
    Ok(text.split(',').nth(2).context("no rounds")?.to_owned())
}

/// XEP-0480 §3: keys that were made with fewer rounds than the operator now asks for.
#[test]
fn keys_are_made_anew() {
    run(async {
        // Accounts are made with 4096 rounds.
        let server = common::server(&[("iterations", "8192")]).await?;
        assert_eq!(rounds(&server).await?, "i=4096");
        let (mut client, answer) = upgrading(&server).await?;
        assert!(answer.is("continue", "urn:xmpp:sasl:2"));
        let task = answer.get_child("tasks", "urn:xmpp:sasl:2").and_then(|t| t.children().next());
        assert_eq!(task.map(Element::text).as_deref(), Some("UPGR-SCRAM-SHA-256"));
        let data = says(&mut client, NEXT).await?;
        let salt = data.get_child("salt", "urn:xmpp:scram-upgrade:0").context("no salt")?;
        assert_eq!(salt.attr("iterations"), Some("8192"));
        let salt = BASE64_STANDARD.decode(salt.text())?;
        let hash = BASE64_STANDARD.encode(salted_password(Hash::Sha256, PASSWORD, &salt, 8192)?);
        let hash = format!("<hash xmlns='urn:xmpp:scram-upgrade:0'>{hash}</hash>");
        let answer =
            says(&mut client, &format!("<task-data xmlns='urn:xmpp:sasl:2'>{hash}</task-data>")).await?;
        assert!(answer.is("success", "urn:xmpp:sasl:2"), "{}", String::from(&answer));
        assert!(answer.get_child("additional-data", "urn:xmpp:sasl:2").is_none(), "it was told already");
        assert_eq!(rounds(&server).await?, "i=8192");
        for mechanism in [SCRAM, Mechanism::Plain, Mechanism::Scram { hash: Hash::Sha512, plus: false }] {
            let mut client = opened(&server, 2).await?;
            let right = client.sasl2(mechanism, "romeo", PASSWORD, Binding::Unsupported, "").await?;
            assert_eq!(right.name(), "success", "{mechanism:?}");
            let mut client = opened(&server, 2).await?;
            let wrong = client.sasl2(mechanism, "romeo", "wrong", Binding::Unsupported, "").await?;
            assert_eq!(failure(&wrong)?, "not-authorized");
        }
        // Once is enough.
        assert_eq!(upgrading(&server).await?.1.name(), "success");
        Ok(())
    });
}

#[test]
fn upgrades_that_lead_nowhere() {
    run(async {
        let server = common::server(&[("iterations", "8192")]).await?;
        let short = "<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>AAAA</hash></task-data>";
        let none = "<task-data xmlns='urn:xmpp:sasl:2'/>";
        let abort = "<abort xmlns='urn:xmpp:sasl:2'/>";
        let other = "<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-512'/>";
        for (steps, condition) in [
            (vec![NEXT, short], "malformed-request"),
            (vec![NEXT, none], "malformed-request"),
            (vec![NEXT, abort], "aborted"),
            (vec![abort], "aborted"),
            (vec![other], "malformed-request"),
        ] {
            let (mut client, _) = upgrading(&server).await?;
            let mut answer = None;
            for step in &steps {
                answer = Some(says(&mut client, step).await?);
            }
            assert_eq!(failure(&answer.context("nothing was said")?)?, condition, "{steps:?}");
            // Nobody is in.
            assert_eq!(
                says(&mut client, "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>").await?.name(),
                "error"
            );
        }
        assert_eq!(rounds(&server).await?, "i=4096");
        let (mut client, _) = upgrading(&server).await?;
        assert_eq!(says(&mut client, "<presence/>").await?.name(), "error");
        Ok(())
    });
}

/// A token is no password: with it nobody replaces the keys of one.
#[test]
fn a_token_upgrades_nothing() {
    run(async {
        let server = common::server(&[("iterations", "8192")]).await?;
        let request = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>";
        let mut client = opened(&server, 1).await?;
        let asking = format!("{AGENT}{request}");
        let success = client.sasl2(SCRAM, "romeo", PASSWORD, Binding::Unsupported, &asking).await?;
        let text = token(&success)?.0;
        let mut client = opened(&server, 1).await?;
        let none = ChannelBindings::default();
        let asking = format!("{AGENT}{UPGRADE}");
        let answer = client.sasl2_token(TokenMechanism::Unbound, "romeo", &text, &none, &asking).await?;
        assert_eq!(answer.name(), "success");
        assert_eq!(rounds(&server).await?, "i=4096");
        Ok(())
    });
}
