use super::*;
use crate::http::client::{Dial, Line, Reach};
use parking_lot::Mutex;
use std::collections::HashMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// A web of pages in memory: whole answers by `host/path`, and what was asked.
#[derive(Clone, Default)]
struct Sites {
    pages: Arc<Mutex<HashMap<&'static str, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Sites {
    fn with(pages: &[(&'static str, Vec<u8>)]) -> Sites {
        let sites = Sites::default();
        sites.pages.lock().extend(pages.iter().cloned());
        sites
    }

    fn previews(&self) -> Arc<Previews> {
        let sites = self.clone();
        let dial: Dial = Arc::new(move |_| {
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(sites.clone().serve(theirs));
            Box::pin(async { Ok(Line::new(ours)) })
        });
        Previews::new(Client::through(dial), Env::virtual_from(1))
    }

    async fn serve(self, mut line: DuplexStream) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match line.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => return,
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap_or_default();
        let host =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        let key = format!("{}{path}", host.unwrap_or_default());
        self.asked.lock().push(key.clone());
        let answer = self.pages.lock().get(key.as_str()).cloned();
        let answer =
            answer.unwrap_or_else(|| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
        line.write_all(&answer).await.ok();
    }
}

fn ok(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn picture() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::new(640, 320).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

const PAGE: &[u8] = b"<title>Penguins</title><meta property=og:image content=/p.png>";

#[tokio::test]
async fn a_page_and_its_picture() {
    let sites = Sites::with(&[
        ("short.example/x", moved("https://www.example.net/penguins")),
        ("www.example.net/penguins", ok("text/html; charset=utf-8", PAGE)),
        ("www.example.net/p.png", ok("image/png", &picture())),
    ]);
    let previews = sites.previews();
    let preview = previews.look("http://short.example/x#top").await.unwrap();
    assert_eq!((preview.title.as_str(), preview.site.as_str()), ("Penguins", "example.net"));
    let image = preview.image.clone().unwrap();
    assert_eq!((image.width, image.height), (320, 160));
    let shown = previews.picture(image.path.strip_prefix(PATH).unwrap()).unwrap();
    assert!(shown.starts_with(&[0xff, 0xd8, 0xff]), "drawn anew, as JPEG");
    assert_eq!(previews.picture("0"), None);
    assert_eq!(previews.look("http://short.example/x").await.unwrap(), preview);
    assert_eq!(sites.asked.lock().len(), 3, "it is remembered");
}

#[tokio::test]
async fn many_who_ask_at_once_have_it_fetched_once() {
    let sites = Sites::with(&[("example.net/", ok("text/html", PAGE))]);
    let previews = sites.previews();
    let all: Vec<_> = (0..50)
        .map(|_| {
            let previews = previews.clone();
            tokio::spawn(async move { previews.look("https://example.net/").await })
        })
        .collect();
    for one in all {
        assert_eq!(one.await.unwrap().unwrap().title, "Penguins");
    }
    let asked = sites.asked.lock().clone();
    assert_eq!(asked, ["example.net/", "example.net/p.png"]);
}

#[tokio::test]
async fn what_is_no_page_has_no_preview() {
    let endless =
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Long</title>", &[b' '; 1 << 20][..]]
            .concat();
    let sites = Sites::with(&[
        ("a.example/loop", moved("https://a.example/loop")),
        ("a.example/file", moved("file:///etc/passwd")),
        ("a.example/port", moved("https://a.example:6379/")),
        ("a.example/user", moved("https://root:secret@a.example/")),
        ("a.example/zip", ok("application/zip", b"<title>x</title>")),
        ("a.example/svg", ok("image/svg+xml", b"<svg/>")),
        ("a.example/empty", ok("text/html", b"")),
        ("a.example/endless", endless),
    ]);
    let previews = sites.previews();
    for path in ["loop", "zip", "svg", "empty", "none"] {
        let outcome = previews.look(&format!("https://a.example/{path}")).await;
        assert_eq!(outcome, Err(NoPreview::Nothing), "{path}");
    }
    for path in ["file", "port", "user"] {
        let outcome = previews.look(&format!("https://a.example/{path}")).await;
        assert_eq!(outcome, Err(NoPreview::Address), "{path}");
    }
    for address in
        ["", "x", "ftp://a.example/", "https://a.example:8080/", "https://a:b@a.example/", "javascript:1"]
    {
        assert_eq!(previews.look(address).await, Err(NoPreview::Address), "{address}");
    }
    assert_eq!(previews.look("https://a.example/endless").await.unwrap().title, "Long");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_page_that_does_not_come() {
    let dial: Dial = Arc::new(|_| {
        let (ours, theirs) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let _theirs = theirs;
            std::future::pending::<()>().await
        });
        Box::pin(async { Ok(Line::new(ours)) })
    });
    let previews = Previews::new(Client::through(dial), Env::virtual_from(1));
    let started = tokio::time::Instant::now();
    assert_eq!(previews.look("https://slow.example/").await, Err(NoPreview::Nothing));
    assert_eq!(started.elapsed(), Duration::from_secs(5));
}

#[tokio::test]
async fn the_inside_is_not_looked_at() {
    let client = Client::trusting(rustls::RootCertStore::empty(), Reach::Public { besides: Vec::new() });
    let previews = Previews::new(client, Env::virtual_from(1));
    for host in ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "169.254.169.254", "[::ffff:10.0.0.1]"] {
        assert_eq!(previews.look(&format!("http://{host}/")).await, Err(NoPreview::Nothing), "{host}");
    }
}
