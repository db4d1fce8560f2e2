//! HTTP and WebSocket: what a request may be, who may ask, and what a peer that does not play by the rules is told
//! (RFC 9112, RFC 6455, RFC 7395).

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rookery_proto::sasl::client::Binding;
use rookery_proto::sasl::{BindingType, Hash, Mechanism};
use rookery_testkit::client::{Client, channel_bindings, tls_handshake};
use rookery_testkit::clock;
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::common::{self, PASSWORD, address, answer, read_to_end, run};

/// What the server answers to a request from a host that is not its own, until it closes.
async fn ask(server: &TestServer, request: &str) -> Result<String> {
    let answered = answer(server.connect_http_from(address(1), false), request.as_bytes());
    at_once(answered).await.with_context(|| request.chars().take(200).collect::<String>())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

/// The handshake of RFC 6455 §1.3 with other headers beside it.
fn handshake(headers: &str) -> String {
    format!(
        "GET /xmpp-websocket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n{headers}\r\n"
    )
}

/// A body that asks for a session.
const SESSION: &str = "<body xmlns='http://jabber.org/protocol/httpbind' rid='1' to='localhost' wait='5' hold='1' \
                       xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>";

/// A handshake after which the connection ends if it is refused.
fn last_handshake(headers: &str) -> String {
    handshake(headers).replace("Connection: Upgrade", "Connection: Upgrade, close")
}

/// What comes of it without time passing.
async fn at_once<T>(what: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        done = what => done,
        () = clock::settle() => bail!("nothing comes"),
    }
}

fn post(headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /http-bind HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    )
}

#[test]
fn odd_paths_and_methods() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        for (request, expected) in [
            (get("/", ""), "200"),
            (get("/.well-known/host-meta", ""), "200"),
            (get("/.well-known/host-meta.json", ""), "200"),
            (get("/nothing", ""), "404"),
            (get("/../etc/passwd", ""), "404"),
            (get("/%2e%2e/%2e%2e/etc/passwd", ""), "404"),
            (get("//http-bind", ""), "404"),
            (get("/http-bind/", ""), "404"),
            (get("/HTTP-BIND", ""), "404"),
            (get("/%68ttp-bind", ""), "404"),
            (get("/http-bind", ""), "405"),
            (get("/xmpp-websocket", ""), "426"),
            (get(&format!("/{}", "x".repeat(8000)), ""), "404"),
            ("DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(), "405"),
            ("TRACE /http-bind HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(), "405"),
            ("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(), "404"),
            ("POST /xmpp-websocket HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(), "405"),
            ("BREW / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".into(), "405"),
            ("GET /\r\n\r\n".into(), "400"),
            ("<stream:stream to='localhost'>\r\n\r\n".into(), "400"),
            ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n".into(), "400"),
        ] {
            let said = ask(&server, &request).await?;
            assert_eq!(status(&said), expected, "{request}\n{said}");
        }
        Ok(())
    });
}

#[test]
fn headers_cannot_be_injected() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let evil = "%0d%0aSet-Cookie:%20a=b%0d%0a";
        for request in [
            get(&format!("/{evil}"), ""),
            get(&format!("/.well-known/host-meta?{evil}"), ""),
            get("/.well-known/host-meta", "Origin: https://localhost%0d%0aSet-Cookie:%20a=b\r\n"),
            get("/", "X-Forwarded-For: 1\r\n Set-Cookie: a=b\r\n"),
            get("/", "X-Forwarded-Host: evil\nSet-Cookie: a=b\r\n"),
            post("Host: localhost\r\nOrigin: https://localhost\r\tSet-Cookie: a=b\r\n", SESSION),
            last_handshake("Host: localhost\r\nSec-WebSocket-Protocol: x\rSet-Cookie: a=b\r\n"),
        ] {
            let said = ask(&server, &request).await?;
            let head = said.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
            assert!(!head.contains("set-cookie"), "{request}\n{said}");
        }
        Ok(())
    });
}

#[test]
fn one_request_is_not_two() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let inner = "GET /.well-known/host-meta HTTP/1.1\r\nHost: localhost\r\n\r\n";
        for headers in [
            format!("Host: localhost\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n", inner.len()),
            "Host: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n".into(),
            "Host: localhost\r\nTransfer-Encoding: xchunked\r\n".into(),
            "Host: localhost\r\nContent-Length: +5\r\n".into(),
        ] {
            let request = format!("POST /http-bind HTTP/1.1\r\n{headers}\r\n0\r\n\r\n{inner}");
            let said = ask(&server, &request).await?;
            assert!(!said.contains("alt-connections"), "{request}\n{said}");
        }
        Ok(())
    });
}

#[test]
fn the_host_header_decides_nothing() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        for target in [
            "/.well-known/host-meta",
            "/.well-known/host-meta.json",
            "http://evil.test/.well-known/host-meta",
        ] {
            let request = format!("GET {target} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
            let said = ask(&server, &request).await?;
            assert!(said.contains("wss://localhost:5443/xmpp-websocket"), "{said}");
            assert!(said.contains("https://localhost:5443/http-bind"), "{said}");
            assert!(!said.contains("evil"), "{said}");
        }
        // A name that others lead here is not ours, though the page's own (DNS rebinding).
        let rebound = "Host: evil.test\r\nOrigin: http://evil.test\r\n";
        assert_eq!(status(&ask(&server, &post(rebound, SESSION)).await?), "403");
        assert_eq!(status(&ask(&server, &last_handshake(rebound)).await?), "403");
        let two = "Host: localhost\r\nHost: evil.test\r\nOrigin: http://evil.test\r\n";
        assert_eq!(status(&ask(&server, &last_handshake(two)).await?), "403");
        Ok(())
    });
}

#[test]
fn pages_of_other_sites_may_not_ask() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        for origin in ["https://evil.test", "null", "https://localhost.evil.test", "http://localhost:9999"] {
            let from = format!("Host: localhost\r\nOrigin: {origin}\r\n");
            // A form can post this from any page without asking first.
            let simple = format!("{from}Content-Type: text/plain\r\n");
            for request in [
                post(&simple, SESSION),
                last_handshake(&from),
                format!(
                    "OPTIONS /http-bind HTTP/1.1\r\nConnection: close\r\nAccess-Control-Request-Method: POST\r\n{from}\r\n"
                ),
            ] {
                let said = ask(&server, &request).await?;
                assert_eq!(status(&said), "403", "{request}\n{said}");
                assert!(!said.to_ascii_lowercase().contains("access-control"), "{said}");
            }
        }
        assert_eq!(server.core().router.all().len(), 0);
        let own = "Host: localhost\r\nOrigin: https://localhost\r\n";
        let preflight = format!("OPTIONS /http-bind HTTP/1.1\r\nConnection: close\r\n{own}\r\n");
        let said = ask(&server, &preflight).await?;
        assert_eq!(status(&said), "204");
        for header in [
            "access-control-allow-origin: https://localhost",
            "access-control-allow-methods: POST, OPTIONS",
            "access-control-allow-headers: Content-Type",
            "vary: Origin",
        ] {
            assert!(said.contains(header), "{said}");
        }
        let said = ask(&server, &post(own, SESSION)).await?;
        assert!(
            said.contains("access-control-allow-origin: https://localhost") && said.contains(" sid="),
            "{said}"
        );
        let said = ask(&server, &get("/.well-known/host-meta.json", "Origin: https://evil.test\r\n")).await?;
        assert!(said.contains("access-control-allow-origin: *"), "what is public is for all: {said}");
        Ok(())
    });
}

#[test]
fn large_heads_and_bodies_are_refused() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let long = format!("X-Long: {}\r\n", "x".repeat(20 << 10));
        assert_eq!(status(&ask(&server, &get("/", &long)).await?), "431");
        let many: String = (0..100).map(|n| format!("X-{n}: x\r\n")).collect();
        assert_eq!(status(&ask(&server, &get("/", &many)).await?), "431");
        // A stranger gets no more room over HTTP than over a stream.
        let body = SESSION.replace("/>", &format!("><!--{}--></body>", "x".repeat(40 << 10)));
        let said = ask(&server, &post("Host: localhost\r\n", &body)).await?;
        assert_eq!(status(&said), "413", "{said}");
        let chunks = format!("{:x}\r\n{}\r\n", 40 << 10, "x".repeat(40 << 10));
        let chunked = "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        assert_eq!(status(&ask(&server, &format!("{chunked}{chunks}")).await?), "413");
        // What is only announced takes no room, and not for long.
        let announced =
            "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n\r\n<body";
        let waiting = tokio::spawn(answer(server.connect_http_from(address(1), false), announced.as_bytes()));
        clock::settle().await;
        clock::pass(Duration::from_secs(31)).await;
        assert_eq!(status(&at_once(async { waiting.await? }).await?), "408");
        Ok(())
    });
}

#[test]
fn the_slow_are_not_waited_for() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        for beginning in ["", "GET / HTTP/1.1\r\nHost: loc", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
            let mut pipe = server.connect_http_from(address(1), false);
            pipe.write_all(beginning.as_bytes()).await?;
            clock::settle().await;
            clock::pass(Duration::from_secs(30)).await;
            // A byte now and then is no excuse.
            pipe.write_all(b"x").await?;
            clock::pass(Duration::from_secs(50)).await;
            let said = at_once(read_to_end(pipe)).await;
            said.with_context(|| format!("{beginning:?} is still waited for"))?;
        }
        // A WebSocket without a stream is no better than a connection without one.
        let mut pipe = server.connect_http_from(address(1), false);
        shake_hands(&mut pipe).await?;
        clock::pass(Duration::from_secs(64)).await;
        pipe.shutdown().await?;
        let said = at_once(rest(pipe)).await?;
        assert!(contains(&said, "connection-timeout"), "{:?}", String::from_utf8_lossy(&said));
        Ok(())
    });
}

#[test]
fn handshakes_that_are_none() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let good = handshake("Host: localhost\r\n");
        for (from, to, expected) in [
            ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8", "426"),
            ("Sec-WebSocket-Version: 13\r\n", "", "426"),
            ("Upgrade: websocket", "Upgrade: h2c", "426"),
            ("Connection: Upgrade", "Connection: close", "426"),
            ("Sec-WebSocket-Protocol: xmpp", "Sec-WebSocket-Protocol: chat", "400"),
            ("Sec-WebSocket-Protocol: xmpp\r\n", "", "400"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "short", "400"),
            ("dGhlIHNhbXBsZSBub25jZQ==", "!!!lIHNhbXBsZSBub25jZQ==", "400"),
        ] {
            let request = good.replace(from, to).replacen("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1);
            let said = ask(&server, &request).await?;
            assert_eq!(status(&said), expected, "{request}\n{said}");
        }
        // RFC 6455 §4.1: a client waits for the answer; what comes with the request is not looked at.
        let hasty = format!("{good}{}", String::from_utf8_lossy(&frame(0x81, b"<open/>")));
        let said = answer(server.connect_http_from(address(1), false), hasty.as_bytes()).await?;
        assert!(!said.contains("stream:error"), "{said}");
        Ok(())
    });
}

// ---- frames ------------------------------------------------------------------------------------------------

/// A frame of a client, with a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | 127];
    match payload.len() {
        n @ 0..126 => bytes[1] = 0x80 | n as u8,
        n @ 126..0x1_0000 => {
            bytes[1] = 0x80 | 126;
            bytes.extend((n as u16).to_be_bytes());
        }
        n => bytes.extend((n as u64).to_be_bytes()),
    }
    [&bytes[..], &[0; 4], payload].concat()
}

async fn shake_hands(pipe: &mut DuplexStream) -> Result<()> {
    pipe.write_all(handshake("Host: localhost\r\n").as_bytes()).await?;
    let mut said = Vec::new();
    while !contains(&said, "\r\n\r\n") {
        ensure!(pipe.read_buf(&mut said).await? > 0, "it ended: {}", String::from_utf8_lossy(&said));
    }
    ensure!(contains(&said, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{}", String::from_utf8_lossy(&said));
    Ok(())
}

async fn rest(mut pipe: DuplexStream) -> Result<Vec<u8>> {
    let mut said = Vec::new();
    pipe.read_to_end(&mut said).await.ok();
    Ok(said)
}

fn contains(said: &[u8], text: &str) -> bool {
    said.windows(text.len()).any(|window| window == text.as_bytes())
}

const OPEN: &[u8] = b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";

/// The Close frame of a server with this code.
fn close(code: u16) -> Vec<u8> {
    [&[0x88, 2][..], &code.to_be_bytes()].concat()
}

#[test]
fn frames_that_break_the_rules() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let huge = [&[0x81, 0xff][..], &i64::MAX.to_be_bytes(), &[0; 4]].concat();
        for (name, bytes, condition, code) in [
            ("binary", frame(0x82, OPEN), "bad-format", 1003),
            ("unmasked", [&[0x81, OPEN.len() as u8][..], OPEN].concat(), "bad-format", 1002),
            ("compressed", frame(0xc1, OPEN), "bad-format", 1002),
            ("a continuation of nothing", frame(0x80, OPEN), "bad-format", 1002),
            (
                "no UTF-8",
                frame(0x81, b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='\xff'/>"),
                "unsupported-encoding",
                1007,
            ),
            ("too long for a stranger", frame(0x81, &[b' '; 17 << 10]), "policy-violation", 1009),
            ("longer than all", huge, "policy-violation", 1009),
            (
                "too long in pieces",
                frame(0x01, &[b'<'; 9 << 10])
                    .repeat(1)
                    .into_iter()
                    .chain(frame(0x80, &[b'x'; 9 << 10]))
                    .collect(),
                "policy-violation",
                1009,
            ),
            ("no element", frame(0x81, b"hello"), "not-well-formed", 1000),
            ("nothing", frame(0x81, b""), "not-well-formed", 1000),
            (
                "white space first",
                frame(0x81, b" <open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"),
                "not-well-formed",
                1000,
            ),
            ("two elements", frame(0x81, &OPEN.repeat(2)), "not-well-formed", 1000),
            ("half an element", frame(0x81, &OPEN[..20]), "not-well-formed", 1000),
            ("a document type", frame(0x81, b"<!DOCTYPE open><open/>"), "restricted-xml", 1000),
            ("a stream's header", frame(0x81, common::HEADER.as_bytes()), "not-well-formed", 1000),
            ("no namespace", frame(0x81, b"<message to='juliet@localhost'/>"), "invalid-namespace", 1000),
            (
                "another domain",
                frame(0x81, &String::from_utf8_lossy(OPEN).replace("localhost", "evil.test").into_bytes()),
                "host-unknown",
                1000,
            ),
        ] {
            let mut pipe = server.connect_http_from(address(1), false);
            shake_hands(&mut pipe).await?;
            pipe.write_all(&bytes).await?;
            pipe.shutdown().await.ok();
            let said = rest(pipe).await?;
            let text = String::from_utf8_lossy(&said);
            assert!(text.contains(&format!("<{condition} xmlns=")), "{name}: {text}");
            assert!(
                text.contains("<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"),
                "{name}: {text}"
            );
            assert!(text.contains("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"), "{name}: {text}");
            assert!(said.ends_with(&close(code)), "{name}: {text}");
        }
        Ok(())
    });
}

#[test]
fn fragments_and_pings_are_as_the_standard_says() {
    run(async {
        let server = TestServer::start(TestOptions::default()).await?;
        let mut pipe = server.connect_http_from(address(1), false);
        shake_hands(&mut pipe).await?;
        let (first, last) = OPEN.split_at(30);
        for bytes in
            [frame(0x01, first), frame(0x89, b"there?"), frame(0x00, b""), frame(0x80, last)].concat()
        {
            pipe.write_all(&[bytes]).await?;
        }
        pipe.write_all(&frame(0x88, &1000u16.to_be_bytes())).await?;
        let said = rest(pipe).await?;
        assert!(said.windows(8).any(|window| window == [&[0x8a, 6][..], b"there?"].concat()), "no pong");
        assert!(contains(&said, "<open xmlns=") && contains(&said, "<stream:features xmlns:stream="));
        assert!(said.ends_with(&close(1000)));
        Ok(())
    });
}

#[test]
fn a_flood_of_pings_fills_nothing() {
    run(async {
        let server = common::server(&[]).await?;
        let mut pipe = server.connect_http_from(address(1), false);
        shake_hands(&mut pipe).await?;
        pipe.write_all(&frame(0x81, OPEN)).await?;
        let flood = frame(0x89, &[b'x'; 125]).repeat(100);
        for _ in 0..300 {
            pipe.write_all(&flood).await?;
        }
        // RFC 6455 §5.5.3: only the latest ping need be answered. Nobody read meanwhile, and nothing was collected.
        let mut said = Vec::new();
        while at_once(async { Ok(pipe.read_buf(&mut said).await?) }).await.is_ok() {}
        let pongs = said.windows(3).filter(|window| window == b"\x8a\x7dx").count();
        assert!((1..600).contains(&pongs), "{pongs} answers to 30,000 pings");
        Ok(())
    });
}

// ---- who may sign in ---------------------------------------------------------------------------------------

/// What the server offers to an `<open/>` that comes in this way.
async fn offer(mut pipe: DuplexStream, headers: &str) -> Result<String> {
    pipe.write_all(handshake(&format!("Host: localhost\r\n{headers}")).as_bytes()).await?;
    let mut said = Vec::new();
    while !contains(&said, "\r\n\r\n") {
        ensure!(pipe.read_buf(&mut said).await? > 0, "it ended: {}", String::from_utf8_lossy(&said));
    }
    pipe.write_all(&frame(0x81, OPEN)).await?;
    while !contains(&said, "</stream:features>") {
        ensure!(pipe.read_buf(&mut said).await? > 0, "it ended: {}", String::from_utf8_lossy(&said));
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn secrets_pass_where_nobody_can_read_them() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let (proxy, near, far) = ([127, 0, 0, 2].into(), [127, 0, 0, 1].into(), address(1));
        let https = "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n";
        let http = "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: http\r\n";
        for (name, peer, headers, allowed) in [
            ("this machine", near, "", true),
            ("another machine", far, "", false),
            ("one that claims to be a proxy", far, https, false),
            ("a proxy that was asked by https", proxy, https, true),
            ("a proxy that was asked by http", proxy, http, false),
            ("a proxy that does not say", proxy, "X-Forwarded-For: 198.51.100.7\r\n", false),
        ] {
            let said = offer(server.connect_http_from(peer, false), headers).await?;
            assert_eq!(said.contains("<mechanism>PLAIN</mechanism>"), allowed, "{name}: {said}");
            assert!(!said.contains("starttls") && !said.contains("PLUS"), "{name}: {said}");
        }
        // BOSH goes by the same rule.
        for (peer, headers, allowed) in [(far, "", false), (proxy, https, true), (proxy, http, false)] {
            let request = post(&format!("Host: localhost\r\n{headers}"), SESSION);
            let said = answer(server.connect_http_from(peer, false), request.as_bytes()).await?;
            assert_eq!(said.contains("<mechanism>PLAIN</mechanism>"), allowed, "{said}");
        }
        Ok(())
    });
}

#[test]
fn a_websocket_is_bound_to_our_own_tls() {
    run(async {
        let server = common::with(TestOptions { tls: true, ..TestOptions::default() }).await?;
        let tls =
            tls_handshake(server.connect_http_from(address(1), true), "localhost", server.trust()?).await?;
        let bindings = channel_bindings(&tls)?;
        let mut client = Client::by_web_socket(tls, "localhost").await?;
        client.open_for_features().await?;
        let kind = BindingType::Exporter;
        let binding = Binding::Bound(kind, bindings.get(kind).context("an exporter")?.to_vec());
        let plus = Mechanism::Scram { hash: Hash::Sha256, plus: true };
        client.authenticate_with(plus, "romeo", PASSWORD, binding).await?;
        client.bind(Some("orchard")).await?;
        Ok(())
    });
}

// ---- floods ------------------------------------------------------------------------------------------------

#[test]
fn websockets_of_one_address_are_bounded() {
    run(async {
        let server = common::server(&[]).await?;
        let mut open = Vec::new();
        for _ in 0..20 {
            let mut pipe = server.connect_http_from(address(1), false);
            shake_hands(&mut pipe).await?;
            open.push(pipe);
        }
        let said = ask(&server, &get("/", "")).await?;
        assert!(said.is_empty(), "{said}");
        // Others do not feel it, and places are given back.
        assert_eq!(
            status(&answer(server.connect_http_from(address(2), false), get("/", "").as_bytes()).await?),
            "200"
        );
        drop(open);
        clock::settle().await;
        assert_eq!(status(&ask(&server, &get("/", "")).await?), "200");
        Ok(())
    });
}

#[test]
fn who_does_not_read_its_answers_does_not_stay() {
    run(async {
        let server = common::server(&[]).await?;
        let request = get("/", "").replace("Connection: close\r\n", "");
        let mut open = Vec::new();
        for _ in 0..20 {
            let mut pipe = server.connect_http_from(address(1), false);
            let asking = async { Ok(pipe.write_all(request.repeat(5000).as_bytes()).await?) };
            assert!(at_once(asking).await.is_err(), "everything was answered");
            open.push(pipe);
        }
        assert!(ask(&server, &get("/", "")).await?.is_empty());
        clock::pass(Duration::from_secs(31)).await;
        assert_eq!(status(&ask(&server, &get("/", "")).await?), "200");
        Ok(())
    });
}

#[test]
fn who_comes_through_a_proxy_is_counted_alone() {
    run(async {
        let server = common::server(&[]).await?;
        let through = |client: u8| format!("Host: localhost\r\nX-Forwarded-For: 198.51.100.{client}\r\n");
        let mut open = Vec::new();
        for turn in 0..21 {
            let mut pipe = server.connect_http_from([127, 0, 0, 2].into(), false);
            pipe.write_all(handshake(&through(1)).as_bytes()).await?;
            let mut said = [0; 12];
            pipe.read_exact(&mut said).await?;
            assert_eq!(&said[9..], if turn < 20 { b"101" } else { b"503" }, "number {turn}");
            open.push(pipe);
        }
        let mut other = server.connect_http_from([127, 0, 0, 2].into(), false);
        other.write_all(handshake(&through(2)).as_bytes()).await?;
        let mut said = [0; 12];
        other.read_exact(&mut said).await?;
        assert_eq!(&said[9..], b"101");
        Ok(())
    });
}

/// The link to everything that is the account's, as its owner is given it, without the address before it.
pub(crate) async fn export_link(client: &mut Client) -> Result<String> {
    let node = "https://rookery.im/command/export";
    let command = format!("<command xmlns='http://jabber.org/protocol/commands' node='{node}'/>");
    let answer = String::from(&client.iq("set", None, &command).await?);
    let link = answer.split("https://localhost:5443").nth(1).and_then(|rest| rest.split('<').next());
    link.map(str::to_owned).with_context(|| answer.clone())
}

#[test]
fn an_export_is_fetched_once_by_who_has_the_link() {
    run(async {
        let server = common::server(&[]).await?;
        let mut juliet = common::bound(&server, "juliet", "balcony").await?;
        let link = export_link(&mut juliet).await?;
        ensure!(link.len() >= "/export/".len() + 26, "it can be guessed: {link}");
        ensure!(export_link(&mut juliet).await? == link, "who asks again gets the same");

        let wrong = format!("{}x", &link[..link.len() - 1]);
        for target in [wrong.as_str(), "/export/", "/export/..%2frookery.db", "/export/%2e%2e%2fsecret"] {
            ensure!(status(&ask(&server, &get(target, "")).await?) == "404", "{target}");
        }
        let head = fetched(&server, &get(&link, "").replacen("GET", "HEAD", 1)).await?;
        ensure!(head.starts_with(b"HTTP/1.1 200"), "who only looks uses nothing up");
        let archive = fetched(&server, &get(&link, "")).await?;
        let text = String::from_utf8_lossy(&archive);
        let (head, body) = text.split_once("\r\n\r\n").context("no end of the headers")?;
        for line in ["200 OK", "content-type: application/zip", "cache-control: no-store", "attachment"] {
            ensure!(head.contains(line), "{line} is not in {head}");
        }
        ensure!(body.starts_with("PK") && body.contains("account.xml"), "this is no archive");
        ensure!(status(&ask(&server, &get(&link, "")).await?) == "404", "it is good once");

        let second = export_link(&mut juliet).await?;
        ensure!(second != link);
        clock::pass(Duration::from_secs(31 * 60)).await;
        ensure!(status(&ask(&server, &get(&second, "")).await?) == "404", "its time is over");

        let third = export_link(&mut juliet).await?;
        server.core().remove_account(rookery_proto::Uid(10_002)).await?;
        ensure!(status(&ask(&server, &get(&third, "")).await?) == "404", "with the account its export goes");
        Ok(())
    });
}

/// The answer to a request that is read from a file, which takes a thread beside the runtime.
async fn fetched(server: &TestServer, request: &str) -> Result<Vec<u8>> {
    let mut pipe = server.connect_http_from(address(1), false);
    pipe.write_all(request.as_bytes()).await?;
    let mut all = Vec::new();
    pipe.read_to_end(&mut all).await?;
    Ok(all)
}
