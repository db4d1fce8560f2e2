//! What may not be on a stream (RFC 6120 §4.9.3, §11): before and after authentication, at once and byte by byte.

use std::time::Duration;

use anyhow::Result;
use rookery_testkit::clock;
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::io::{AsyncWriteExt, DuplexStream};

use crate::common::{self, HEADER, answer, ends_with, read_to_end, run};

const AUTH: &str =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AHJvbWVvAHNlY3JldA==</auth>";

/// A raw connection that has authenticated as romeo and bound a resource, everything so far read.
pub(crate) async fn signed_in(server: &TestServer) -> Result<DuplexStream> {
    use tokio::io::AsyncReadExt;
    let mut pipe = server.connect();
    let bind = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    for (step, until) in [
        (HEADER, "</stream:features>"),
        (AUTH, "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"),
        (HEADER, "</stream:features>"),
        (bind, "</iq>"),
    ] {
        pipe.write_all(step.as_bytes()).await?;
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains(until) {
            anyhow::ensure!(
                pipe.read_buf(&mut said).await? > 0,
                "it ended: {}",
                String::from_utf8_lossy(&said)
            );
        }
    }
    Ok(pipe)
}

fn deep(levels: usize) -> Vec<u8> {
    ["<message>", &"<x>".repeat(levels)].concat().into_bytes()
}

fn many_attributes(count: usize) -> Vec<u8> {
    let attributes: String = (0..count).map(|n| format!(" a{n}='x'")).collect();
    format!("<message{attributes}/>").into_bytes()
}

/// What is wrong in a stream, by its name, and the stream error that it is answered with.
fn wrongs() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><x>&b;</x>";
    vec![
        ("giant text", [b"<message><body>".to_vec(), vec![b'x'; 300 << 10]].concat(), "policy-violation"),
        ("never-ending tag", [b"<message ".to_vec(), vec![b' '; 300 << 10]].concat(), "policy-violation"),
        ("never-ending name", [b"<".to_vec(), vec![b'x'; 300 << 10]].concat(), "policy-violation"),
        (
            "never-ending value",
            [b"<message to='".to_vec(), vec![b'x'; 300 << 10]].concat(),
            "policy-violation",
        ),
        (
            "never-ending cdata",
            [b"<m><![CDATA[".to_vec(), vec![b'x'; 300 << 10]].concat(),
            "policy-violation",
        ),
        ("deep", deep(100), "policy-violation"),
        ("attributes", many_attributes(100), "policy-violation"),
        ("invalid UTF-8", b"<message><body>\xc3\x28</body></message>".to_vec(), "unsupported-encoding"),
        ("overlong UTF-8", b"<message><body>\xc0\xbc</body></message>".to_vec(), "unsupported-encoding"),
        ("a surrogate", b"<message><body>\xed\xa0\x80</body></message>".to_vec(), "unsupported-encoding"),
        ("NUL", b"<message><body>\0</body></message>".to_vec(), "not-well-formed"),
        ("duplicate attribute", b"<message id='a' id='a'/>".to_vec(), "not-well-formed"),
        (
            "the same attribute by two prefixes",
            b"<m xmlns:a='urn:x' xmlns:b='urn:x' a:i='1' b:i='2'/>".to_vec(),
            "not-well-formed",
        ),
        ("billion laughs", laughs.as_bytes().to_vec(), "restricted-xml"),
        ("entity", b"<message><body>&lol;</body></message>".to_vec(), "restricted-xml"),
        ("comment", b"<message><!-- x --></message>".to_vec(), "restricted-xml"),
        ("instruction", b"<message><?x y?></message>".to_vec(), "restricted-xml"),
        ("declaration", b"<?xml version='1.0'?>".to_vec(), "restricted-xml"),
        ("undeclared prefix", b"<x:message/>".to_vec(), "not-well-formed"),
        ("undeclared prefix of an attribute", b"<message x:y='z'/>".to_vec(), "not-well-formed"),
        ("mismatched tags", b"<message><a></b></message>".to_vec(), "not-well-formed"),
        ("text between stanzas", b"hello".to_vec(), "bad-format"),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), "bad-format"),
    ]
}

#[test]
fn what_may_not_be_on_a_stream_after_authentication() {
    run(async {
        let server = common::server(&[]).await?;
        for (what, bytes, condition) in wrongs() {
            let said = answer(signed_in(&server).await?, &bytes).await?;
            assert!(ends_with(&said, condition), "{what}: {said}");
        }
        assert!(server.core().router.all().is_empty(), "a session stayed");
        Ok(())
    });
}

#[test]
fn what_may_not_be_on_a_stream_before_authentication() {
    run(async {
        let server = common::server(&[]).await?;
        for (what, bytes, condition) in wrongs() {
            let said = answer(server.connect(), &[HEADER.as_bytes(), &bytes].concat()).await?;
            assert!(ends_with(&said, condition), "{what}: {said}");
            assert!(!said.contains("<success"), "{what}: {said}");
        }
        Ok(())
    });
}

#[test]
fn byte_by_byte_is_the_same() {
    run(async {
        let server = common::server(&[]).await?;
        for (what, bytes, condition) in wrongs().into_iter().filter(|(_, bytes, _)| bytes.len() < 4096) {
            let mut pipe = signed_in(&server).await?;
            for byte in bytes {
                if pipe.write_all(&[byte]).await.is_err() {
                    break;
                }
                clock::settle().await;
            }
            let said = read_to_end(pipe).await?;
            assert!(ends_with(&said, condition), "{what}: {said}");
        }
        Ok(())
    });
}

#[test]
fn headers() {
    let stream = "xmlns:stream='http://etherx.jabber.org/streams'";
    let endless = format!("<stream:stream to='localhost' {stream} x='{}", "x".repeat(20 << 10));
    let spaces = " ".repeat(20 << 10);
    let rows: Vec<(String, &str)> = vec![
        (format!("<stream:stream version='1.0' xmlns='jabber:client' {stream}>"), "host-unknown"),
        (format!("<stream:stream to='' version='1.0' xmlns='jabber:client' {stream}>"), "host-unknown"),
        (
            format!("<stream:stream to='x@localhost' version='1.0' xmlns='jabber:client' {stream}>"),
            "host-unknown",
        ),
        (format!("<stream:stream to='localhost' xmlns='jabber:client' {stream}>"), "unsupported-version"),
        (
            format!("<stream:stream to='localhost' version='1.0' xmlns='jabber:client' {stream}/>"),
            "bad-format",
        ),
        (
            format!(
                "<stream:stream to='localhost' to='localhost' version='1.0' xmlns='jabber:client' {stream}>"
            ),
            "not-well-formed",
        ),
        (
            format!("<stream:stream to='localhost' version='1.0' xmlns='jabber:component:accept' {stream}>"),
            "invalid-namespace",
        ),
        (
            format!("<stream to='localhost' version='1.0' xmlns='jabber:client' {stream}>"),
            "bad-namespace-prefix",
        ),
        (format!("<stream:flood to='localhost' version='1.0' xmlns='jabber:client' {stream}>"), "bad-format"),
        ("<stream:stream to='localhost' version='1.0' xmlns='jabber:client'>".into(), "not-well-formed"),
        (format!("<!DOCTYPE x>{HEADER}"), "restricted-xml"),
        (format!("<!-- x -->{HEADER}"), "restricted-xml"),
        (format!("<?xml version='1.0' encoding='latin1'?>{HEADER}"), "unsupported-encoding"),
        (format!("garbage{HEADER}"), "not-well-formed"),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".into(), "not-well-formed"),
        ("\u{16}\u{3}\u{1}\u{2}".into(), "not-well-formed"),
        (endless, "policy-violation"),
        (format!("<stream:stream {spaces}"), "policy-violation"),
        (format!("<?xml {spaces}"), "policy-violation"),
    ];
    run(async {
        let server = common::server(&[]).await?;
        for (bytes, condition) in rows {
            let said = answer(server.connect(), bytes.as_bytes()).await?;
            let start = &bytes[..bytes.len().min(120)];
            assert!(ends_with(&said, condition), "{start}: {said}");
            // RFC 6120 §4.9.1.2: also an error in the header comes on a stream, and on one only.
            assert_eq!(said.matches("<stream:stream").count(), 1, "{start}: {said}");
        }
        Ok(())
    });
}

/// A stream has one header: a second is an element of the first, and no stanza (RFC 6120 §4.9.3.24).
#[test]
fn two_headers() {
    run(async {
        let server = common::server(&[]).await?;
        let twice = format!("{HEADER}{HEADER}</stream:stream>");
        let said = answer(server.connect(), twice.as_bytes()).await?;
        assert!(ends_with(&said, "not-authorized"), "{said}");
        let said = answer(signed_in(&server).await?, &twice.as_bytes()[HEADER.len()..]).await?;
        assert!(ends_with(&said, "unsupported-stanza-type"), "{said}");
        Ok(())
    });
}

/// However slowly or steadily bytes come, a minute is what there is to sign in.
#[test]
fn slow_senders() {
    run(async {
        let server = common::server(&[]).await?;
        for text in ["", "<stream:stream ", HEADER, "<?xml version='1.0'", &format!("{HEADER}<auth ")] {
            let mut pipe = server.connect();
            pipe.write_all(text.as_bytes()).await?;
            for _ in 0..59 {
                clock::pass(Duration::from_secs(1)).await;
                pipe.write_all(b" ").await?;
            }
            clock::pass(Duration::from_secs(2)).await;
            let said = read_to_end(pipe).await?;
            assert!(ends_with(&said, "connection-timeout"), "{text}: {said}");
        }
        Ok(())
    });
}

#[test]
fn silence_on_the_direct_port() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let pipe = server.connect_from(common::address(1), true);
        clock::settle().await;
        clock::pass(Duration::from_secs(61)).await;
        assert_eq!(read_to_end(pipe).await?, "");
        Ok(())
    });
}

#[test]
fn the_direct_port_is_for_tls() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let mut pipe = server.connect_from(common::address(1), true);
        pipe.write_all(HEADER.as_bytes()).await?;
        let mut said = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut pipe, &mut said).await?;
        assert!(!said.windows(7).any(|w| w == b"stream:"), "an answer in the clear");
        Ok(())
    });
}

/// A giant stanza costs the connection; under stream management the session waits and nothing before it is lost.
#[test]
fn a_session_outlives_what_ended_its_connection() {
    run(async {
        let server = common::server(&[]).await?;
        let mut juliet = common::available(&server, "juliet", "balcony").await?;
        let mut romeo = common::bound(&server, "romeo", "orchard").await?;
        romeo.enable_sm().await?;
        let jid = romeo.jid().map(str::to_owned);
        romeo.send_raw("<message to='juliet@localhost' type='chat'><body>hi</body></message>").await?;
        romeo.send_uncounted(&format!("<message><body>{}", "x".repeat(300 << 10))).await.ok();
        loop {
            if let rookery_testkit::client::Incoming::End = romeo.next().await? {
                break;
            }
        }
        assert_eq!(juliet.recv().await?.name(), "message");
        let counters = romeo.into_counters().expect("its books");
        let mut again = rookery_testkit::client::Client::new(server.connect(), "localhost");
        again.open_for_features().await?;
        again.authenticate("romeo", common::PASSWORD).await?;
        again.restore(&jid.expect("bound"), counters);
        assert!(matches!(again.resume().await?, rookery_testkit::client::Resumption::Resumed));
        assert!(
            again.counters().expect("its books").unacknowledged.is_empty(),
            "the message counts as handled"
        );
        assert_eq!(juliet.barrier().await?.len(), 0, "the message came twice");
        Ok(())
    });
}
