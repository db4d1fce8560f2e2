//! A web of a few pages, in memory: what links in tests lead to.

use std::io::Cursor;
use std::sync::Arc;

use rookery::http::client::{Client, Dial, Line};
use rookery::previews::Previews;
use rookery_core::env::Env;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A page with all that a page can say of itself; its picture is a GIF of one pixel.
const PENGUINS: &str = "<title>no</title><meta property='og:title' content='Penguins &amp; ice'>\
                        <meta property='og:description' content='What they do &lt;all day&gt;'>\
                        <meta property='og:site_name' content='The Nest'><meta property='og:image' content='pixel.gif'>";

/// The smallest picture.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

/// Previews of these pages: `penguins.example` says much, `plain.example` has a title, `silent.example` never answers, and
/// nobody else has any page.
pub fn previews() -> Arc<Previews> {
    let dial: Dial = Arc::new(|_| {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(serve(theirs));
        Box::pin(async { Ok(Line::new(ours)) })
    });
    Previews::new(Client::through(dial), Env::virtual_from(1))
}

async fn serve(mut line: DuplexStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match line.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let (status, kind, body) = match (host, path) {
        ("penguins.example", "/") => ("200 OK", "text/html; charset=utf-8", PENGUINS.as_bytes()),
        ("penguins.example", "/pixel.gif") => ("200 OK", "image/gif", PIXEL),
        ("plain.example", _) => ("200 OK", "text/html", &b"<title>Plain</title>"[..]),
        ("silent.example", _) => return std::future::pending().await,
        _ => ("404 Not Found", "text/plain", &b""[..]),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut answer = Cursor::new([head.as_bytes(), body].concat());
    line.write_all_buf(&mut answer).await.ok();
}
