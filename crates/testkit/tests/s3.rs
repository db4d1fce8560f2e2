//! Files in a store of objects. `cargo xtask s3` starts a server that speaks the protocol of S3, and runs this.

use std::env;
use std::future::Future;

use anyhow::{Context, Result};
use rookery::files::{S3Settings, Settings};
use rookery_testkit::client::{Answered, Client, Slot, request};
use rookery_testkit::server::{TestOptions, TestServer};
use tokio::net::TcpStream;

/// One white point.
const PICTURE: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\x04\0\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// In real time, as there is a real server.
fn run(test: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(test)
}

/// Asks the store of objects itself.
async fn object(service: &str, method: &str, path: &str) -> Result<Answered> {
    let host = service.strip_prefix("http://").context("not http")?;
    request(TcpStream::connect(host).await?, method, path, "", b"").await
}

/// A server whose files are in the bucket `files` of the store of objects, and somebody to put them there.
async fn server(service: &str) -> Result<(TestServer, Client)> {
    object(service, "PUT", "/files").await?;
    let bucket = S3Settings {
        url: service.to_owned(),
        bucket: "files".to_owned(),
        region: "us-east-1".to_owned(),
        key: "key".to_owned(),
        secret: "secret".to_owned(),
    };
    let files = Settings { bucket: Some(bucket), ..Settings::default() };
    let server = TestServer::start(TestOptions { files, ..TestOptions::default() }).await?;
    server.create_account("romeo", "secret").await?;
    let mut romeo = Client::new(server.connect(), "localhost");
    romeo.sign_in("romeo", "secret", "orchard").await?;
    Ok((server, romeo))
}

async fn put(server: &TestServer, slot: &Slot, bytes: &[u8]) -> Result<Answered> {
    request(server.connect_http(), "PUT", &slot.put, "", bytes).await
}

async fn get(server: &TestServer, target: &str, headers: &str) -> Result<Answered> {
    request(server.connect_http(), "GET", target, headers, b"").await
}

#[test]
#[ignore = "wants a store of objects: cargo xtask s3"]
fn files_are_objects() -> Result<()> {
    let service = env::var("ROOKERY_TEST_S3").context("ROOKERY_TEST_S3 is not set")?;
    run(async {
        let (server, mut romeo) = server(&service).await?;
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
        let slot = romeo.slot("a.bin", bytes.len(), "video/mp4", "").await?;
        assert_eq!(put(&server, &slot, &bytes).await?.status, 201);
        assert_eq!(put(&server, &slot, &bytes).await?.status, 200);
        assert!(get(&server, &slot.get, "").await?.body == bytes);
        let part = get(&server, &slot.get, "Range: bytes=1000-1999\r\n").await?;
        assert_eq!(part.status, 206);
        assert_eq!(part.body, bytes[1000..2000]);
        let hash = server.core().store.unused_blobs().await?;
        assert!(hash.is_empty());
        let listed = object(&service, "GET", "/files?list-type=2").await?;
        let listed = String::from_utf8_lossy(&listed.body).into_owned();
        assert_eq!(listed.matches("<Key>").count(), 1, "{listed}");

        let empty = romeo.slot("empty", 0, "", "").await?;
        assert_eq!(put(&server, &empty, b"").await?.status, 201);
        assert_eq!(get(&server, &empty.get, "").await?.body, b"");

        let picture = romeo.slot("a.gif", PICTURE.len(), "image/gif", "").await?;
        assert_eq!(put(&server, &picture, PICTURE).await?.status, 201);
        let small = get(&server, &format!("{}?thumbnail", picture.get), "").await?;
        assert!(small.body.starts_with(&[0xff, 0xd8, 0xff]), "{}", small.head);

        server.delete_account("romeo").await?;
        while server.files().context("there are no files")?.sweep().await? {}
        let listed = object(&service, "GET", "/files?list-type=2").await?;
        assert!(!String::from_utf8_lossy(&listed.body).contains("<Key>"), "all objects are gone");
        Ok(())
    })
}

#[test]
#[ignore = "wants a store of objects: cargo xtask s3"]
fn without_the_bucket_nothing_is_acknowledged() -> Result<()> {
    let service = env::var("ROOKERY_TEST_S3").context("ROOKERY_TEST_S3 is not set")?;
    run(async {
        for url in [service.as_str(), "http://127.0.0.1:1"] {
            let bucket = S3Settings {
                url: url.to_owned(),
                bucket: "nowhere".to_owned(),
                region: "us-east-1".to_owned(),
                ..S3Settings::default()
            };
            let files = Settings { bucket: Some(bucket), ..Settings::default() };
            let server = TestServer::start(TestOptions { files, ..TestOptions::default() }).await?;
            server.create_account("romeo", "secret").await?;
            let mut romeo = Client::new(server.connect(), "localhost");
            romeo.sign_in("romeo", "secret", "orchard").await?;
            let slot = romeo.slot("a", 5, "", "").await?;
            assert_eq!(put(&server, &slot, b"hello").await?.status, 503);
            assert_eq!(get(&server, &slot.get, "").await?.status, 404);
        }
        Ok(())
    })
}
