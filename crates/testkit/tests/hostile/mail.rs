//! Other mail servers that do not behave: STARTTLS with something before it, and more connections than there are places.

use rookery_testkit::server::{TestOptions, TestServer};
use std::net::{IpAddr, Ipv4Addr};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

async fn server() -> TestServer {
    let settings = [("mail".to_owned(), "on".to_owned())].into();
    TestServer::start(TestOptions { settings, tls: true, ..TestOptions::default() }).await.unwrap()
}

async fn hear(line: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    let mut text = String::new();
    loop {
        let mut one = String::new();
        line.read_line(&mut one).await.unwrap();
        text.push_str(&one);
        if one.as_bytes().get(3) != Some(&b'-') {
            return text;
        }
    }
}

#[tokio::test]
async fn mail_goes_into_tls_and_forgets_what_was_before() {
    let server = server().await;
    let mut line = BufReader::new(server.connect_mail_from(PEER).unwrap());
    hear(&mut line).await;
    line.write_all(b"EHLO a.example\r\n").await.unwrap();
    assert!(hear(&mut line).await.contains("250-STARTTLS\r\n"));
    line.write_all(b"STARTTLS\r\n").await.unwrap();
    assert!(hear(&mut line).await.starts_with("220 "));
    let name = ServerName::try_from("localhost").unwrap();
    let tls = TlsConnector::from(server.trust().unwrap()).connect(name, line.into_inner()).await.unwrap();
    let mut line = BufReader::new(tls);
    line.write_all(b"MAIL FROM:<a@a.example>\r\nEHLO a.example\r\n").await.unwrap();
    assert!(hear(&mut line).await.starts_with("503 "), "it has not greeted in TLS");
    let extensions = hear(&mut line).await;
    assert!(extensions.contains("PIPELINING") && !extensions.contains("STARTTLS"), "{extensions}");
}

/// RFC 3207 §5: a command that somebody put in between before the handshake is not taken for the peer's in TLS.
#[tokio::test]
async fn what_stands_before_the_handshake_is_not_taken_for_what_comes_after() {
    let server = server().await;
    let mut line = BufReader::new(server.connect_mail_from(PEER).unwrap());
    hear(&mut line).await;
    line.write_all(b"EHLO a.example\r\nSTARTTLS\r\nNOOP\r\n").await.unwrap();
    hear(&mut line).await;
    assert!(hear(&mut line).await.starts_with("220 "));
    let mut rest = Vec::new();
    line.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn one_peer_has_few_connections() {
    let server = server().await;
    let lines: Vec<_> = (0..20).map_while(|_| server.connect_mail_from(PEER)).collect();
    assert_eq!(lines.len(), 10);
    let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 8));
    assert!(server.connect_mail_from(other).is_some());
}
