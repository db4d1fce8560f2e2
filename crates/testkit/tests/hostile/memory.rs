//! Clients that do not read, do not acknowledge, or ask without end: what waits for them is bounded, and what was
//! acknowledged to its sender is not lost.

use anyhow::{Result, ensure};
use rookery_core::limits;
use rookery_testkit::client::{Client, Incoming};
use rookery_testkit::clock;

use crate::common::{self, available, bound, run, session};

/// Bodies of the messages among what comes, up to `count` of them, in their order.
async fn bodies(client: &mut Client, count: usize) -> Result<Vec<String>> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let element = client.recv().await?;
        if let Some(body) = element.get_child("body", "jabber:client") {
            bodies.push(body.text().split(' ').next().unwrap_or_default().to_owned());
        }
    }
    Ok(bodies)
}

/// Sends numbered messages of about `bytes` to juliet, each acknowledged by the answer to a ping after them.
async fn send_numbered(romeo: &mut Client, to: &str, count: usize, bytes: usize) -> Result<()> {
    let filling = "x".repeat(bytes);
    for n in 0..count {
        let xml = format!("<message to='{to}' type='chat' id='m{n}'><body>{n} {filling}</body></message>");
        romeo.send_raw(&xml).await?;
    }
    ensure!(romeo.barrier().await?.is_empty(), "a message was refused");
    Ok(())
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

#[test]
fn messages_for_one_who_does_not_read_wait_in_the_log() {
    for (count, bytes) in [(400, 10), (60, 100 << 10)] {
        run(async move {
            let server = common::server(&[]).await?;
            let mut juliet = available(&server, "juliet", "balcony").await?;
            let mut romeo = bound(&server, "romeo", "orchard").await?;
            send_numbered(&mut romeo, "juliet@localhost", count, bytes).await?;
            let (waiting, held) = {
                let session = session(&server, 10002, "balcony")?;
                let state = session.state();
                (state.queued(), state.backlog())
            };
            assert!(waiting <= limits::OUTBOX_LOGGED + (300 << 10), "{waiting} bytes wait in memory");
            assert_eq!(held, 0, "what is in the log is held nowhere else");
            assert_eq!(bodies(&mut juliet, count).await?, numbers(count));
            assert!(juliet.barrier().await?.is_empty());
            Ok(())
        });
    }
}

#[test]
fn one_who_never_acknowledges_is_waited_for_and_then_gets_everything() {
    for (count, bytes) in [(limits::UNACKED + 200, 10), (60, 100 << 10)] {
        run(async move {
            let server = common::server(&[]).await?;
            let mut juliet = available(&server, "juliet", "balcony").await?;
            juliet.enable_sm().await?;
            juliet.stop_answering();
            let mut romeo = bound(&server, "romeo", "orchard").await?;
            send_numbered(&mut romeo, "juliet@localhost", count, bytes).await?;
            juliet.keep_alive().await?;
            clock::settle().await;
            juliet.keep_alive().await?;
            let got =
                juliet.inbox().iter().filter(|i| matches!(i, Incoming::Element(e) if e.name() == "message"));
            let got = got.count();
            assert!(got < count, "it was sent everything without an acknowledgement");
            let waiting = session(&server, 10002, "balcony")?.state().queued();
            assert!(waiting <= limits::OUTBOX_LOGGED + (300 << 10), "{waiting} bytes wait in memory");
            let mut seen = 0;
            while seen < count {
                juliet.answer().await?;
                clock::settle().await;
                juliet.keep_alive().await?;
                let inbox = juliet.inbox().iter();
                seen = inbox.filter(|i| matches!(i, Incoming::Element(e) if e.name() == "message")).count();
            }
            assert_eq!(bodies(&mut juliet, count).await?, numbers(count));
            Ok(())
        });
    }
}

/// A session that pauses for acknowledgements still reads them, however much waits behind.
#[test]
fn an_acknowledgement_is_read_though_much_waits() {
    run(async {
        let server = common::server(&[]).await?;
        let mut juliet = available(&server, "juliet", "balcony").await?;
        juliet.enable_sm().await?;
        juliet.stop_answering();
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        let count = limits::UNACKED + 400;
        let filling = "x".repeat(1024);
        for n in 0..count {
            let xml = format!(
                "<message to='juliet@localhost/balcony' type='headline'><body>{n} {filling}</body></message>"
            );
            romeo.send_raw(&xml).await?;
        }
        romeo.barrier().await?;
        juliet.keep_alive().await?;
        assert!(session(&server, 10002, "balcony")?.state().backlog() > limits::WRITE_BACKLOG);
        juliet.answer().await?;
        assert_eq!(bodies(&mut juliet, count).await?, numbers(count));
        Ok(())
    });
}

/// What is in no log is kept up to a bound; then the connection ends, and what is in the log is not lost.
#[test]
fn a_flood_of_presence_ends_the_connection_of_one_who_does_not_read() {
    run(async {
        let server = common::server(&[]).await?;
        let mut juliet = available(&server, "juliet", "balcony").await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        send_numbered(&mut romeo, "juliet@localhost", 200, 1000).await?;
        let status = "x".repeat(10 << 10);
        let mut most = 0;
        for n in 0..600 {
            let xml =
                format!("<presence to='juliet@localhost/balcony'><status>{n}{status}</status></presence>");
            romeo.send_raw(&xml).await?;
            romeo.barrier().await?;
            let Ok(session) = session(&server, 10002, "balcony") else { break };
            most = most.max(session.state().backlog());
        }
        assert!(most <= limits::OUTBOX_BYTES, "{most} bytes were held");
        clock::pass(std::time::Duration::from_secs(5)).await;
        assert!(session(&server, 10002, "balcony").is_err(), "the session is still there");
        let mut got = 0;
        loop {
            match juliet.next().await? {
                Incoming::Element(e) if e.name() == "message" => got += 1,
                Incoming::Element(_) => {}
                _ => break,
            }
        }
        assert!(got <= 200);
        let mut again = bound(&server, "juliet", "balcony").await?;
        let query = "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max></set></query>";
        again.iq("set", None, query).await?;
        let results = again.inbox().len();
        assert_eq!(results, 200, "the archive has all");
        Ok(())
    });
}

#[test]
fn ten_thousand_requests_at_once() {
    run(async {
        let server = common::server(&[]).await?;
        let pipe = crate::stream::signed_in(&server).await?;
        let session = server.core().router.all().pop().expect("it is bound");
        let pings: String = (0..10_000)
            .map(|n| format!("<iq type='get' id='p{n}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"))
            .collect();
        let (mut reader, mut writer) = tokio::io::split(pipe);
        let writing =
            tokio::spawn(
                async move { tokio::io::AsyncWriteExt::write_all(&mut writer, pings.as_bytes()).await },
            );
        clock::settle().await;
        let held = session.state().backlog();
        assert!(held < limits::WRITE_BACKLOG + (64 << 10), "{held} bytes were held");
        let mut said = Vec::new();
        let last = b"id='p9999'";
        while !said.windows(last.len()).any(|w| w == last) {
            let mut part = vec![0; 64 << 10];
            let n = tokio::io::AsyncReadExt::read(&mut reader, &mut part).await?;
            ensure!(n > 0, "the connection ended");
            let keep = said.len().min(64);
            said = [&said[said.len() - keep..], &part[..n]].concat();
            assert!(session.state().backlog() < limits::WRITE_BACKLOG + (64 << 10));
        }
        writing.await??;
        Ok(())
    });
}

/// Pages of an archive that is larger than what may wait: none is lost, and nobody is cut off for asking.
#[test]
fn large_pages_of_the_archive() {
    run(async {
        let server = common::server(&[]).await?;
        let mut romeo = bound(&server, "romeo", "orchard").await?;
        send_numbered(&mut romeo, "juliet@localhost", 60, 100 << 10).await?;
        let mut juliet = bound(&server, "juliet", "balcony").await?;
        for n in 0..20 {
            let query = "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>250</max></set></query>";
            juliet.send_raw(&format!("<iq type='set' id='q{n}'>{query}</iq>")).await?;
        }
        clock::settle().await;
        let held = session(&server, 10002, "balcony")?.state().backlog();
        assert!(held < limits::OUTBOX_BYTES, "{held} bytes are held");
        let mut fins = 0;
        let mut results = 0;
        while fins < 20 {
            let element = juliet.recv().await?;
            match element.name() {
                "iq" => fins += 1,
                _ => results += 1,
            }
        }
        assert!(results >= 20 * 10, "{results}");
        Ok(())
    });
}
