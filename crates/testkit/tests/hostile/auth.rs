//! Guessing, pretending and resuming what is another's.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minidom::Element;
use rookery::net::throttle::Verdict;
use rookery_core::limits;
use rookery_proto::Uid;
use rookery_proto::sasl::client::{self as sasl, Binding};
use rookery_proto::sasl::{Hash, Mechanism};
use rookery_testkit::client::{Client, Incoming};
use rookery_testkit::clock;
use rookery_testkit::server::TestServer;

use crate::common::{self, PASSWORD, address, bound, run};

const SCRAM: Mechanism = Mechanism::Scram { hash: Hash::Sha256, plus: false };

async fn opened(server: &TestServer, from: u8) -> Result<Client> {
    let mut client = Client::new(server.connect_from(address(from), false), "localhost");
    client.open_for_features().await?;
    Ok(client)
}

async fn says(client: &mut Client, name: &str, attributes: &str, text: &str) -> Result<Element> {
    let xml = format!("<{name} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'{attributes}>{text}</{name}>");
    client.send_raw(&xml).await?;
    client.recv().await
}

/// What one attempt with PLAIN is answered: the name of `<failure/>`'s condition, or `success`.
async fn guess(client: &mut Client, user: &str, password: &str) -> Result<String> {
    let message = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
    let answer = says(client, "auth", " mechanism='PLAIN'", &message).await?;
    Ok(answer.children().next().map_or("success", Element::name).to_owned())
}

/// A client proves that it knows the password, and keeps the proof until the owner has replaced it: in either profile, and
/// without a word on which installation it is.
#[test]
fn a_password_that_was_replaced_meanwhile() {
    run(async {
        let (classic, newer) = ("urn:ietf:params:xml:ns:xmpp-sasl", "urn:xmpp:sasl:2");
        for ns in [classic, newer] {
            let server = common::server(&[]).await?;
            let mut client = opened(&server, 1).await?;
            let mut exchange =
                sasl::Client::new(SCRAM, "romeo", PASSWORD, None, "abcdef", Binding::Unsupported)?;
            let initial = BASE64_STANDARD.encode(exchange.initial());
            let begin = if ns == classic {
                format!("<auth xmlns='{ns}' mechanism='SCRAM-SHA-256'>{initial}</auth>")
            } else {
                let initial = format!("<initial-response>{initial}</initial-response>");
                format!("<authenticate xmlns='{ns}' mechanism='SCRAM-SHA-256'>{initial}</authenticate>")
            };
            client.send_uncounted(&begin).await?;
            let challenge = client.recv().await?;
            let response = exchange.respond(&BASE64_STANDARD.decode(challenge.text())?)?;
            server.core().set_password(Uid(10_001), "another".to_owned()).await?;
            let response = BASE64_STANDARD.encode(response);
            client.send_uncounted(&format!("<response xmlns='{ns}'>{response}</response>")).await?;
            let answer = client.recv().await?;
            ensure!(answer.is("failure", ns), "{}", String::from(&answer));
            assert_eq!(answer.children().next().map(Element::name), Some("not-authorized"));
        }
        Ok(())
    });
}

#[test]
fn an_address_that_guesses_is_refused_for_a_while() {
    run(async {
        let server = common::server(&[]).await?;
        let mut answers = Vec::new();
        for _ in 0..5 {
            let mut client = opened(&server, 1).await?;
            for _ in 0..limits::AUTH_TRIES {
                answers.push(guess(&mut client, &format!("user{}", answers.len()), "wrong").await?);
            }
            ensure!(
                client.recv().await?.has_child("policy-violation", "urn:ietf:params:xml:ns:xmpp-streams")
            );
        }
        assert!(answers[..20].iter().all(|a| a == "not-authorized"), "{answers:?}");
        assert!(answers[20..].iter().all(|a| a == "temporary-auth-failure"), "{answers:?}");
        // The right password tells nothing there either, but another address is free.
        assert_eq!(guess(&mut opened(&server, 1).await?, "romeo", "secret").await?, "temporary-auth-failure");
        assert_eq!(guess(&mut opened(&server, 2).await?, "romeo", "secret").await?, "success");
        // A refusal is no guess: half a minute forgives one, however often was asked meanwhile.
        clock::pass(Duration::from_secs(31)).await;
        assert_eq!(guess(&mut opened(&server, 1).await?, "romeo", "secret").await?, "success");
        Ok(())
    });
}

/// Whatever is tried at once, no more is told than one after the other.
#[test]
fn guesses_at_the_same_time_are_not_free() {
    run(async {
        let server = common::server(&[]).await?;
        let mut clients = Vec::new();
        for n in 0..60 {
            let mut client = opened(&server, 1).await?;
            let message = BASE64_STANDARD.encode(format!("\0user{n}\0wrong"));
            let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>";
            client.send_raw(&format!("{auth}{message}</auth>")).await?;
            clients.push(client);
        }
        let mut told = 0;
        for client in &mut clients {
            let answer = client.recv().await?;
            told += usize::from(answer.children().any(|c| c.name() == "not-authorized"));
        }
        assert!(told <= 20, "{told} guesses were answered");
        Ok(())
    });
}

#[test]
fn an_account_that_is_guessed_at_is_slowed_whoever_guesses() {
    run(async {
        let server = common::server(&[]).await?;
        for account in ["romeo", "nobody"] {
            for n in 0..14 {
                // Another case of a letter is the same account.
                let name = if n % 2 == 0 { account.to_owned() } else { account.to_uppercase() };
                let mut client = opened(&server, 10 + n).await?;
                let judged = server.shared().throttle.judge(address(10 + n), &name, server.core().env.now());
                let Verdict::After(wait) = judged else { bail!("{account} is locked") };
                assert_eq!(wait > Duration::from_millis(900), n > 10, "{account}, attempt {n}: {wait:?}");
                let message = BASE64_STANDARD.encode(format!("\0{name}\0wrong"));
                let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>";
                client.send_raw(&format!("{auth}{message}</auth>")).await?;
                clock::settle().await;
                if !wait.is_zero() {
                    clock::pass(wait - Duration::from_millis(1)).await;
                    client.keep_alive().await?;
                    assert!(client.inbox().is_empty(), "{account} is not slowed");
                    clock::pass(Duration::from_millis(2)).await;
                }
                assert!(client.recv().await?.children().any(|c| c.name() == "not-authorized"));
            }
        }
        Ok(())
    });
}

/// An unknown account and a wrong password are told apart by nothing: answers, steps, the challenge's form.
#[test]
fn who_exists_is_not_told() {
    run(async {
        let server = common::server(&[]).await?;
        let mut shapes = Vec::new();
        for user in ["romeo", "nobody"] {
            let mut client = opened(&server, 1).await?;
            let mut shape = vec![guess(&mut client, user, "wrong").await?];
            for mechanism in ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
                let mut salts = Vec::new();
                for name in [user.to_owned(), user.to_uppercase()] {
                    let mut client = opened(&server, 1).await?;
                    let first = BASE64_STANDARD.encode(format!("n,,n={name},r=abcdef"));
                    let answer =
                        says(&mut client, "auth", &format!(" mechanism='{mechanism}'"), &first).await?;
                    let challenge = String::from_utf8(BASE64_STANDARD.decode(answer.text())?)?;
                    let [nonce, salt, rounds, announced] =
                        challenge.split(',').collect::<Vec<_>>()[..].try_into().context("four parts")?;
                    let (nonce, salt, rounds): (&str, &str, &str) = (nonce, salt, rounds);
                    let size = hash_size(mechanism);
                    let last = format!("c=biws,{nonce},p={}", BASE64_STANDARD.encode(vec![7; size]));
                    let answer = says(&mut client, "response", "", &BASE64_STANDARD.encode(last)).await?;
                    shape.push(format!(
                        "{} {} {rounds} {announced} {:?}",
                        nonce.len(),
                        salt.len(),
                        String::from(&answer)
                    ));
                    salts.push(salt.to_owned());
                }
                assert_eq!(salts[0], salts[1], "the salt depends on the case of a letter: {user}");
            }
            shapes.push(shape);
        }
        assert_eq!(shapes[0], shapes[1]);
        Ok(())
    });
}

fn hash_size(mechanism: &str) -> usize {
    match mechanism {
        "SCRAM-SHA-1" => 20,
        "SCRAM-SHA-256" => 32,
        _ => 64,
    }
}

#[test]
fn malformed_messages() {
    let plain = |text: &str| BASE64_STANDARD.encode(text);
    let rows: Vec<(&str, String, &str)> = vec![
        ("PLAIN", "=".into(), "malformed-request"),
        ("PLAIN", plain("\0\0"), "malformed-request"),
        ("PLAIN", plain("\0romeo\0secret\0more"), "malformed-request"),
        ("PLAIN", plain("romeo@localhost\0romeo"), "malformed-request"),
        ("PLAIN", plain("juliet@localhost\0romeo\0secret"), "invalid-authzid"),
        ("PLAIN", plain("@@\0romeo\0secret"), "invalid-authzid"),
        ("PLAIN", plain("romeo@localhost/orchard\0romeo\0secret"), "invalid-authzid"),
        ("PLAIN", plain(&format!("\0romeo\0{}", "x".repeat(5000))), "malformed-request"),
        ("PLAIN", plain(&format!("\0romeo\0{}", "x".repeat(2000))), "not-authorized"),
        ("PLAIN", plain(&format!("\0{}\0secret", "x".repeat(2000))), "not-authorized"),
        ("PLAIN", plain("\0ro meo\0secret"), "not-authorized"),
        ("PLAIN", BASE64_STANDARD.encode(b"\0romeo\0\xff\xfe"), "malformed-request"),
        ("PLAIN", "AAA".into(), "incorrect-encoding"),
        ("SCRAM-SHA-1", "=".into(), "malformed-request"),
        ("SCRAM-SHA-1", plain("n,,n=romeo"), "malformed-request"),
        ("SCRAM-SHA-1", plain("n,,n=,r=abc"), "malformed-request"),
        ("SCRAM-SHA-1", plain("n,,n=ro=meo,r=abc"), "malformed-request"),
        ("SCRAM-SHA-1", plain("n,,m=x,n=romeo,r=abc"), "malformed-request"),
        ("SCRAM-SHA-1", plain("p=tls-unique,,n=romeo,r=abc"), "malformed-request"),
        ("SCRAM-SHA-1-PLUS", plain("p=tls-exporter,,n=romeo,r=abc"), "invalid-mechanism"),
        ("scram-sha-1", plain("n,,n=romeo,r=abc"), "invalid-mechanism"),
        ("EXTERNAL", "=".into(), "invalid-mechanism"),
        ("", String::new(), "invalid-mechanism"),
    ];
    run(async {
        let server = common::server(&[]).await?;
        for (n, (mechanism, message, condition)) in rows.into_iter().enumerate() {
            let mut client = opened(&server, n as u8).await?;
            let answer = says(&mut client, "auth", &format!(" mechanism='{mechanism}'"), &message).await?;
            let told = answer.children().next().map(Element::name);
            assert_eq!(told, Some(condition), "{mechanism} {message:.80}");
            assert_eq!(guess(&mut client, "romeo", "secret").await?, "success", "after {condition}");
        }
        Ok(())
    });
}

#[test]
fn sign_ups_are_counted_by_address() {
    run(async {
        let server = common::server(&[("registration", "open")]).await?;
        let mut made = Vec::new();
        for n in 0..10 {
            let mut client = opened(&server, 1).await?;
            made.push(client.register(&format!("sock{n}"), "secret").await.is_ok());
        }
        assert_eq!(made.iter().filter(|made| **made).count(), 5, "{made:?}");
        opened(&server, 2).await?.register("another", "secret").await?;
        clock::pass(Duration::from_secs(3600)).await;
        opened(&server, 1).await?.register("later", "secret").await
    });
}

#[test]
fn odd_resources() {
    let long = "x".repeat(2000);
    let rows = [
        ("\u{200b}", true),
        ("a b", true),
        ("\u{1F600}", true),
        ("a/b@c", true),
        (" ", true),
        (&long, false),
        ("a\u{7}b", false),
        ("\u{fdd0}", false),
    ];
    run(async {
        let server = common::server(&[]).await?;
        for (resource, _) in rows {
            let mut client = opened(&server, 1).await?;
            client.authenticate("romeo", "secret").await?;
            // Refused or not, it is answered, and a good one can still be bound.
            let odd = format!("<resource>{resource}</resource>");
            client
                .send_raw(&format!(
                    "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{odd}</bind></iq>"
                ))
                .await?;
            match client.next().await? {
                Incoming::Element(answer) if answer.is("iq", "jabber:client") => {
                    if answer.attr("type") == Some("error") {
                        assert!(answer.children().any(|e| e.children().any(|c| c.name() == "bad-request")));
                        client.bind(Some("good")).await?;
                    }
                }
                // A control character is not XML at all.
                other => assert!(
                    resource.contains('\u{7}') || resource.contains('\u{fdd0}'),
                    "{resource}: {other:?}"
                ),
            }
        }
        Ok(())
    });
}

#[test]
fn resuming_what_is_not_ones_own() {
    run(async {
        let server = common::server(&[]).await?;
        let mut juliet = bound(&server, "juliet", "balcony").await?;
        juliet.enable_sm().await?;
        let hers = juliet.counters().and_then(|c| c.id.clone()).context("it is resumable")?;
        let mut ids = vec![hers.clone(), String::new(), "x".into(), "a".repeat(5000), "\u{1F600}".into()];
        ids.extend([hers[..hers.len() - 1].to_owned(), hers.to_uppercase(), "7".repeat(39), "a".repeat(39)]);
        let mut romeo = opened(&server, 1).await?;
        romeo.authenticate("romeo", "secret").await?;
        for id in ids {
            romeo.send_raw(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")).await?;
            let answer = romeo.recv().await?;
            assert_eq!(answer.name(), "failed", "{id:.50}");
            assert_eq!(answer.attr("h"), None, "{id:.50}");
        }
        romeo.bind(Some("orchard")).await?;
        // She has not noticed.
        assert!(juliet.barrier().await?.is_empty());
        for h in ["", "-1", "4294967296", "x"] {
            let mut client = opened(&server, 1).await?;
            client.authenticate("juliet", "secret").await?;
            client.send_raw(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{hers}' h='{h}'/>")).await?;
            assert_eq!(client.recv().await?.name(), "error", "h={h}");
        }
        let mut client = opened(&server, 1).await?;
        client.authenticate("juliet", "secret").await?;
        client.send_raw(&format!("<resume xmlns='urn:xmpp:sm:3' previd='{hers}' h='4000000'/>")).await?;
        assert_eq!(client.recv().await?.name(), "failed");
        Ok(())
    });
}

#[test]
fn floods_of_acknowledgements() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        // Before it is enabled they mean nothing.
        romeo.send_uncounted("<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='7'/>").await?;
        assert!(romeo.barrier().await?.is_empty());
        romeo.enable_sm().await?;
        for _ in 0..100 {
            romeo
                .send_uncounted(&"<r xmlns='urn:xmpp:sm:3'/><a xmlns='urn:xmpp:sm:3' h='0'/>".repeat(100))
                .await?;
            romeo.keep_alive().await?;
        }
        let answers = romeo.barrier().await?;
        let answers = answers.iter().filter(|i| matches!(i, Incoming::Element(e) if e.name() == "a")).count();
        assert_eq!(answers, 10_000);
        romeo.send_uncounted("<enable xmlns='urn:xmpp:sm:3'/>").await?;
        loop {
            let element = romeo.recv().await?;
            if element.name() == "failed" {
                return Ok(());
            }
        }
    });
}
