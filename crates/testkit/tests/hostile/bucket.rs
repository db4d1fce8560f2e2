//! A store of objects that does not answer keeps nobody waiting but who waits for that very object.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result};
use rookery::files::{S3Settings, Settings};
use rookery_testkit::client::{Answered, Client, Slot, request};
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::common::{self, bound, run};

/// A store of objects that takes everything, but never answers these methods for objects of these first bytes (as two digits).
struct Bucket {
    listener: TcpListener,
    stalls: HashSet<(&'static str, &'static str)>,
    /// What it was asked and does not answer.
    stalled: mpsc::UnboundedSender<String>,
}

impl Bucket {
    async fn serve(self: Arc<Bucket>) -> Result<()> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            tokio::spawn(self.clone().answer(BufStream::new(stream)));
        }
    }

    async fn answer(self: Arc<Bucket>, mut stream: BufStream<TcpStream>) -> Result<()> {
        loop {
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let begin = head.len();
                if stream.read_line(&mut head).await? == 0 {
                    return Ok(());
                }
                if let Some((name, value)) = head[begin..].split_once(": ")
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse()?;
                }
            }
            stream.read_exact(&mut vec![0; length]).await?;
            let (method, target) = head.split_once(' ').context("no request")?;
            let object = target.strip_prefix("/files/").context("no object")?;
            if self.stalls.contains(&(method, &object[..2])) {
                self.stalled.send(method.to_owned())?;
                std::future::pending::<()>().await;
            }
            let status = if method == "DELETE" { "204 No Content" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await?;
            stream.flush().await?;
        }
    }
}

/// A server whose files are in such a store.
async fn server(
    stalls: &[(&'static str, &'static str)],
) -> Result<(Arc<TestServer>, Client, mpsc::UnboundedReceiver<String>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stalled, asked) = mpsc::unbounded_channel();
    let bucket = Bucket { listener, stalls: stalls.iter().copied().collect(), stalled };
    tokio::spawn(Arc::new(bucket).serve());
    let named = |name: &str| name.to_owned();
    let bucket = S3Settings {
        url,
        bucket: named("files"),
        region: named("us-east-1"),
        key: named("key"),
        secret: named("secret"),
    };
    let files = Settings { bucket: Some(bucket), ..Settings::default() };
    let server = common::with(TestOptions { files, ..TestOptions::default() }).await?;
    let romeo = bound(&server, "romeo", "orchard").await?;
    Ok((Arc::new(server), romeo, asked))
}

async fn put(server: &TestServer, slot: &Slot, bytes: &[u8]) -> Result<Answered> {
    request(server.connect_http(), "PUT", &slot.put, "", bytes).await
}

/// Puts a file and takes its slot away, so that its bytes are to be erased.
async fn put_and_remove(server: &TestServer, romeo: &mut Client, bytes: &[u8]) -> Result<()> {
    let slot = romeo.slot("a", bytes.len(), "", "").await?;
    assert_eq!(put(server, &slot, bytes).await?.status, 201);
    let token = slot.get.split('/').nth(2).and_then(|token| rookery_store::FileToken::new(token.as_bytes()));
    assert!(server.core().store.remove_upload(token.context("no token")?).await?);
    Ok(())
}

#[test]
fn a_sweep_and_uploads_pass_one_that_stalls() {
    run(async {
        // SHA-256 of "hello" begins with 2c.
        let (server, mut romeo, mut asked) = server(&[("PUT", "2c")]).await?;
        put_and_remove(&server, &mut romeo, b"unused").await?;
        let slot = romeo.slot("slow", 5, "", "").await?;
        let slow = tokio::spawn({
            let server = server.clone();
            async move { put(&server, &slot, b"hello").await }
        });
        assert_eq!(asked.recv().await.as_deref(), Some("PUT"));
        server.files().context("no files")?.sweep().await?;
        let left = server.core().store.unused_blobs().await?;
        assert_eq!(left.len(), 1, "what is unused is erased, what is on its way is not");
        let other = romeo.slot("quick", 5, "", "").await?;
        assert_eq!(put(&server, &other, b"quick").await?.status, 201);
        assert!(!slow.is_finished());
        slow.abort();
        Ok(())
    });
}

#[test]
fn uploads_pass_an_erasure_that_stalls() {
    run(async {
        let (server, mut romeo, mut asked) = server(&[("DELETE", "2c")]).await?;
        put_and_remove(&server, &mut romeo, b"hello").await?;
        let sweep = tokio::spawn({
            let files = server.files().context("no files")?.clone();
            async move { files.sweep().await.is_ok() }
        });
        assert_eq!(asked.recv().await.as_deref(), Some("DELETE"));
        let other = romeo.slot("quick", 5, "", "").await?;
        assert_eq!(put(&server, &other, b"quick").await?.status, 201);
        assert!(!sweep.is_finished());
        sweep.abort();
        Ok(())
    });
}
