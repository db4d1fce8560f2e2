//! Sessions over BOSH whose requests come twice, late, out of order, too often or from somebody else (XEP-0124).

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use rookery_core::limits::{WRITE_BACKLOG, WRITE_CHUNK};
use rookery_testkit::client::post;
use rookery_testkit::clock;
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::task::JoinHandle;

use crate::common::{self, address, run};

/// The number of the first request.
const FIRST: u64 = 100;

/// A client that writes its requests itself.
struct Session<'a> {
    server: &'a TestServer,
    peer: IpAddr,
    sid: String,
}

fn first(attributes: &str) -> String {
    format!(
        "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='{FIRST}' to='localhost' \
         xmpp:version='1.0' {attributes}/>"
    )
}

const USUAL: &str = "wait='20' hold='1' ver='1.11'";

impl<'a> Session<'a> {
    async fn open(server: &'a TestServer, attributes: &str) -> Result<Session<'a>> {
        let peer = address(1);
        let answer = post(Box::new(server.connect_http_from(peer, false)), &first(attributes)).await?;
        let sid = answer.split("sid='").nth(1).and_then(|rest| rest.split('\'').next());
        let sid = sid.with_context(|| format!("no session: {answer}"))?.to_owned();
        Ok(Session { server, peer, sid })
    }

    /// A request in a task of its own; `after` the first one.
    fn request(&self, after: u64, attributes: &str, payload: &str) -> JoinHandle<Result<String>> {
        let body = format!(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='{}' sid='{}' \
             {attributes}>{payload}</body>",
            FIRST + after,
            self.sid
        );
        let pipe = self.server.connect_http_from(self.peer, false);
        tokio::spawn(async move { post(Box::new(pipe), &body).await })
    }

    async fn ask(&self, after: u64, attributes: &str, payload: &str) -> Result<String> {
        self.request(after, attributes, payload).await?
    }

    /// Signs in as romeo; the next request is number 4.
    async fn sign_in(&self) -> Result<()> {
        let auth =
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHNlY3JldA==</auth>";
        let said = self.ask(1, "", auth).await?;
        anyhow::ensure!(said.contains("<success"), "{said}");
        let said = self.ask(2, "xmpp:restart='true' to='localhost' xmpp:version='1.0'", "").await?;
        anyhow::ensure!(said.contains("xmpp-bind"), "{said}");
        let bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
        let said = self.ask(3, "", bind).await?;
        anyhow::ensure!(said.contains("<jid>"), "{said}");
        Ok(())
    }
}

fn ends(said: &str, condition: &str) -> bool {
    said.contains("type='terminate'") && said.contains(&format!("condition='{condition}'"))
}

const PING: &str = "<iq xmlns='jabber:client' type='get' id='p1'><ping xmlns='urn:xmpp:ping'/></iq>";

#[test]
fn a_session_says_what_it_allows() {
    run(async {
        let server = common::server(&[]).await?;
        let pipe = server.connect_http_from(address(1), false);
        let said = post(Box::new(pipe), &first("wait='3600' hold='9' ver='1.11'")).await?;
        for attribute in [
            "wait='55'",
            "hold='1'",
            "requests='2'",
            "inactivity='60'",
            "polling='5'",
            "maxpause='120'",
            "ver='1.11'",
            "from='localhost'",
            "xmpp:version='1.0'",
            "xmpp:restartlogic='true'",
            "<stream:features ",
            "authid='",
        ] {
            assert!(said.contains(attribute), "{attribute}: {said}");
        }
        let sid = said.split("sid='").nth(1).context("a session")?.split('\'').next().context("its end")?;
        assert_eq!(sid.len(), 26, "128 bits in base32: {sid}");
        Ok(())
    });
}

#[test]
fn a_repeated_request_is_answered_again_and_done_once() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let message = "<message xmlns='jabber:client' to='romeo@localhost' type='chat' id='m1'><body>once</body></message>";
        let answer = session.ask(4, "", &format!("{message}{PING}")).await?;
        assert!(answer.contains("id='p1'"), "{answer}");
        assert_eq!(session.ask(4, "", &format!("{message}{PING}")).await?, answer);
        // One that is still waiting goes on over the new connection.
        let lost = session.request(5, "", "");
        clock::settle().await;
        let again = session.request(5, "", "");
        clock::settle().await;
        let other = session.request(6, "", &PING.replace("p1", "p2"));
        let (again, other) = (again.await?, other.await?);
        let said = format!("{}{}", again?, other?);
        assert!(lost.await?.is_err(), "the first connection gets no answer");
        assert_eq!(said.matches("id='p2'").count() + said.matches("type='terminate'").count(), 1, "{said}");
        Ok(())
    });
}

#[test]
fn requests_are_taken_in_their_order() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let late = session.request(5, "", &PING.replace("p1", "second"));
        clock::settle().await;
        let early = session.ask(4, "", &PING.replace("p1", "first")).await?;
        let late = late.await??;
        let said = format!("{early}{late}");
        let (first, second) = (said.find("id='first'"), said.find("id='second'"));
        assert!(first.is_some() && first < second, "{said}");
        Ok(())
    });
}

#[test]
fn numbers_outside_of_the_window_end_the_session() {
    run(async {
        let server = common::server(&[]).await?;
        for (after, name) in [(6, "ahead"), (1, "long ago"), (u64::MAX - FIRST - 5, "far ahead")] {
            let session = Session::open(&server, USUAL).await?;
            session.sign_in().await?;
            let said = session.request(after, "", PING).await?;
            match said {
                Ok(said) => assert!(ends(&said, "item-not-found"), "{name}: {said}"),
                Err(refused) => assert!(refused.to_string().contains("400"), "{name}: {refused}"),
            }
        }
        Ok(())
    });
}

#[test]
fn what_is_no_session_is_told_so() {
    run(async {
        let server = common::server(&[]).await?;
        let mut session = Session::open(&server, USUAL).await?;
        let sid = std::mem::replace(&mut session.sid, "aaaaaaaaaaaaaaaaaaaaaaaaaa".into());
        assert!(ends(&session.ask(1, "", PING).await?, "item-not-found"));
        // Not even the beginning of it.
        session.sid = sid[..25].into();
        assert!(ends(&session.ask(1, "", PING).await?, "item-not-found"));
        session.sid = sid;
        assert!(!session.ask(1, "", PING).await?.contains("item-not-found"));
        for body in ["", "<body/>", "<html/>", "<body xmlns='http://jabber.org/protocol/httpbind' rid='x'/>"]
        {
            let answer = post(Box::new(server.connect_http_from(address(1), false)), body).await;
            assert!(answer.is_err_and(|refused| refused.to_string().contains("400")), "{body}");
        }
        let elsewhere = first(USUAL).replace("'localhost'", "'evil.test'");
        let said = post(Box::new(server.connect_http_from(address(1), false)), &elsewhere).await?;
        assert!(said.contains("host-unknown") && said.contains("type='terminate'"), "{said}");
        Ok(())
    });
}

#[test]
fn a_request_that_can_be_read_is_of_no_private_session() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let pipe = server.connect_http();
        let said = post(Box::new(pipe), &first(USUAL)).await?;
        let sid = said.split("sid='").nth(1).context("a session")?.split('\'').next().context("its end")?;
        let session = Session { server: &server, peer: address(1), sid: sid.to_owned() };
        assert!(ends(&session.ask(1, "", PING).await?, "item-not-found"));
        Ok(())
    });
}

#[test]
fn keys_tell_a_client_from_who_has_seen_its_requests() {
    run(async {
        let server = common::server(&[]).await?;
        // "abc", its SHA-1, and the SHA-1 of that (XEP-0124 §15.2).
        let once = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let twice = rookery_proto::stream::bosh::key_before(once);
        let usual = format!("{USUAL} newkey='{twice}'");
        let session = Session::open(&server, &usual).await?;
        let said = session
            .ask(
                1,
                &format!("key='{once}'"),
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'/>",
            )
            .await?;
        assert!(said.contains("invalid-mechanism"), "{said}");
        let said = session.ask(2, &format!("key='{once}'"), "").await?;
        assert!(ends(&said, "item-not-found"), "a key counts once: {said}");
        let session = Session::open(&server, &usual).await?;
        assert!(ends(&session.ask(1, "", "").await?, "item-not-found"), "no key");
        Ok(())
    });
}

#[test]
fn a_repeated_request_shows_the_same_key() {
    run(async {
        let server = common::server(&[]).await?;
        let once = "a9993e364706816aba3e25717850c26c9cd0d89d";
        let usual = format!("{USUAL} newkey='{}'", rookery_proto::stream::bosh::key_before(once));
        let auth = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'/>";
        for (answered, payload) in [(true, auth), (false, "")] {
            for key in ["", "key='abc'"] {
                let session = Session::open(&server, &usual).await?;
                let own = session.request(1, &format!("key='{once}'"), payload);
                clock::settle().await;
                let again = session.request(1, &format!("key='{once}'"), payload);
                clock::settle().await;
                assert_eq!(again.is_finished(), answered);
                let said = session.ask(1, key, payload).await?;
                assert!(ends(&said, "item-not-found"), "{key}: {said}");
                let said = if answered { own.await?? } else { again.await?? };
                assert_eq!(said.contains("invalid-mechanism"), answered, "{said}");
            }
        }
        Ok(())
    });
}

#[test]
fn who_asks_for_much_and_ends_gets_an_answer() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let info = "<iq xmlns='jabber:client' type='get' to='localhost' id='i'>\
                    <query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
        let length = session.ask(4, "", info).await?.len();
        // More than a session may leave unread and still ask, beside what is in the buffers for writing.
        let questions = (WRITE_BACKLOG + 5 * WRITE_CHUNK / 2) / length;
        let mut said = session.ask(5, "type='terminate'", &info.repeat(questions)).await?;
        assert!(said.contains("disco#info"), "{said}");
        for after in 6.. {
            if said.contains("type='terminate'") {
                break;
            }
            said = session.ask(after, "", "").await?;
        }
        assert!(!said.contains("condition="), "{said}");
        Ok(())
    });
}

#[test]
fn an_empty_wait_ends_in_time() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let waiting = session.request(4, "", "");
        clock::settle().await;
        clock::pass(Duration::from_secs(19)).await;
        assert!(!waiting.is_finished());
        clock::pass(Duration::from_secs(2)).await;
        let said = waiting.await??;
        assert!(!said.contains("terminate") && said.contains("<body "), "{said}");
        Ok(())
    });
}

/// By then a session that has ended is forgotten, however slow the disk.
const FORGOTTEN: u64 = 500;

#[test]
fn a_session_that_nobody_asks_for_ends() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        clock::pass(Duration::from_secs(55)).await;
        assert_eq!(server.core().router.all().len(), 1);
        clock::pass(Duration::from_secs(10)).await;
        assert_eq!(server.core().router.all().len(), 0);
        // For a moment it is still known that there was one.
        assert!(session.ask(4, "", PING).await?.contains("type='terminate'"));
        // That moment begins when the session is gone from the store too, which is not the clock's to say.
        for rid in 5..FORGOTTEN {
            clock::pass(Duration::from_secs(5)).await;
            if ends(&session.ask(rid, "", PING).await?, "item-not-found") {
                return Ok(());
            }
        }
        panic!("it is known for ever");
    });
}

#[test]
fn a_pause_is_granted_once_and_within_bounds() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let said = session.ask(4, "pause='999999'", "").await?;
        assert!(!said.contains("terminate"), "answered at once: {said}");
        clock::pass(Duration::from_secs(110)).await;
        assert_eq!(server.core().router.all().len(), 1);
        clock::pass(Duration::from_secs(20)).await;
        assert_eq!(server.core().router.all().len(), 0);
        Ok(())
    });
}

#[test]
fn polling_and_empty_requests_have_a_pace() {
    run(async {
        let server = common::server(&[]).await?;
        let polling = Session::open(&server, "wait='0' hold='0'").await?;
        polling.ask(1, "", "").await?;
        clock::pass(Duration::from_secs(6)).await;
        assert!(!polling.ask(2, "", "").await?.contains("terminate"));
        assert!(ends(&polling.ask(3, "", "").await?, "policy-violation"));

        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let mut waiting = session.request(4, "", "");
        let mut ended = None;
        for after in 5..60 {
            clock::settle().await;
            let next = session.request(after, "", "");
            let said = waiting.await??;
            if said.contains("terminate") {
                ended = Some((after, said));
                break;
            }
            waiting = next;
        }
        let (after, said) = ended.context("as many as it likes")?;
        assert!(ends(&said, "policy-violation") && (20..40).contains(&after), "after {after}: {said}");
        Ok(())
    });
}

#[test]
fn sessions_of_one_address_are_bounded() {
    run(async {
        let server = common::server(&[]).await?;
        let mut open = Vec::new();
        // Beside the place of each session its request holds one for a moment.
        for _ in 0..19 {
            open.push(Session::open(&server, USUAL).await?);
        }
        let said = post(Box::new(server.connect_http_from(address(1), false)), &first(USUAL)).await?;
        assert!(ends(&said, "policy-violation"), "{said}");
        // Who never signs in gives its place back.
        clock::pass(Duration::from_secs(70)).await;
        Session::open(&server, USUAL).await?;
        Ok(())
    });
}

#[test]
fn large_stanzas_are_for_those_who_have_signed_in() {
    run(async {
        let server = common::server(&[]).await?;
        let session = Session::open(&server, USUAL).await?;
        session.sign_in().await?;
        let large = format!(
            "<message xmlns='jabber:client' to='romeo@localhost' type='headline'><body>{}</body></message>{PING}",
            "x".repeat(200 << 10)
        );
        let said = session.ask(4, "", &large).await?;
        assert!(said.contains("id='p1'") || said.contains("headline"), "{}", &said[..said.len().min(300)]);
        let stranger = Session::open(&server, USUAL).await?;
        let refused = stranger.ask(1, "", &large).await;
        assert!(refused.is_err_and(|refused| refused.to_string().contains("413")));
        Ok(())
    });
}
