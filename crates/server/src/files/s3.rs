//! Files in a store of objects: S3, and what speaks its protocol. Requests are signed (AWS Signature Version 4) in their address;
//! an object is named as a file on the disk is.

use super::{blocking, disk, part::Part};
use crate::http::client::{Bounds, Client, Reach};
use axum::body::{Body, HttpBody};
use axum::http::{Method, Request, StatusCode, header};
use rookery_core::env::Env;
use rookery_store::FileHash;
use rusty_s3::{Bucket, Credentials, S3Action, UrlStyle};
use std::fs::{File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

/// How long a signature is good: longer than clocks differ, and than any request waits for its turn.
const SIGNED: Duration = Duration::from_secs(900);

/// How long a file may take to get there: the largest over a slow line.
const PUT: Bounds = Bounds { time: Duration::from_secs(1_800), body: 64 << 10 };

/// How long anything else may take, until there is an answer.
const ASK: Bounds = Bounds { time: Duration::from_secs(30), body: 64 << 10 };

/// How long the bytes of an answer may stop.
const STALL: Duration = Duration::from_secs(30);

/// Where the bucket is, and what opens it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// The address of the service, as `https://s3.example.net`.
    pub url: String,
    /// The bucket.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// The id of the key.
    pub key: String,
    /// The key.
    pub secret: String,
}

impl std::fmt::Debug for Settings {
    // Secrets are not for the log (invariant 10).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "S3({}/{})", self.url, self.bucket)
    }
}

/// A bucket.
pub(super) struct S3 {
    bucket: Bucket,
    credentials: Credentials,
    client: Client,
    env: Env,
}

impl S3 {
    /// The bucket of these settings. An error: the address is none.
    pub(super) fn new(settings: &Settings, env: Env) -> io::Result<S3> {
        let url = settings.url.parse().map_err(io::Error::other)?;
        let bucket = Bucket::new(url, UrlStyle::Path, settings.bucket.clone(), settings.region.clone());
        Ok(S3 {
            bucket: bucket.map_err(io::Error::other)?,
            credentials: Credentials::new(&settings.key, &settings.secret),
            // The operator named it, so it may be within the network.
            client: Client::new(Reach::Anywhere),
            env,
        })
    }

    /// The signed address of what is to be done with an object.
    fn address<'a>(&self, action: impl S3Action<'a>) -> String {
        let now = jiff::Timestamp::from_millisecond(self.env.now().0).unwrap_or_default();
        action.sign_with_time(SIGNED, &now).into()
    }

    /// Puts a file into the bucket.
    pub(super) async fn put(&self, file: &Path, hash: FileHash, size: u64) -> io::Result<()> {
        let (path, name) = (file.to_owned(), disk::name(hash));
        let file = blocking(move || File::open(path)).await?;
        let address = self.address(self.bucket.put_object(Some(&self.credentials), &name));
        let request = Request::put(address).header(header::CONTENT_LENGTH, size);
        let request = request.body(Body::new(Part::new(file, 0, size))).map_err(io::Error::other)?;
        let answer = self.client.send(request, PUT).await.map_err(io::Error::other)?;
        expect(answer.status(), &[StatusCode::OK])
    }

    /// A part of a file.
    pub(super) async fn get(&self, hash: FileHash, from: u64, length: u64) -> io::Result<Body> {
        if length == 0 {
            return Ok(Body::empty());
        }
        let name = disk::name(hash);
        let address = self.address(self.bucket.get_object(Some(&self.credentials), &name));
        let range = format!("bytes={from}-{}", from + length - 1);
        let request = Request::get(address).header(header::RANGE, range);
        let request = request.body(Body::empty()).map_err(io::Error::other)?;
        let answer = self.client.open(request, ASK.time).await.map_err(io::Error::other)?;
        expect(answer.status(), &[StatusCode::PARTIAL_CONTENT])?;
        Ok(Body::new(answer.into_body()))
    }

    /// Copies a file to `copy`, which is gone when the file is closed.
    pub(super) async fn fetch(&self, hash: FileHash, size: u64, copy: PathBuf) -> io::Result<File> {
        let mut body = pin!(self.get(hash, 0, size).await?);
        let mut file = blocking(move || {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&copy)?;
            std::fs::remove_file(copy)?;
            Ok(file)
        })
        .await?;
        loop {
            let frame = poll_fn(|cx| body.as_mut().poll_frame(cx));
            let frame = tokio::time::timeout(STALL, frame).await.map_err(io::Error::other)?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
            file = blocking(move || file.write_all(&data).map(|()| file)).await?;
        }
        blocking(move || file.seek(SeekFrom::Start(0)).map(|_| file)).await
    }

    /// Takes a file out of the bucket.
    pub(super) async fn erase(&self, hash: FileHash) -> io::Result<()> {
        let name = disk::name(hash);
        let address = self.address(self.bucket.delete_object(Some(&self.credentials), &name));
        let request = Request::builder().method(Method::DELETE).uri(address).body(Body::empty());
        let request = request.map_err(io::Error::other)?;
        let answer = self.client.send(request, ASK).await.map_err(io::Error::other)?;
        expect(answer.status(), &[StatusCode::NO_CONTENT, StatusCode::OK, StatusCode::NOT_FOUND])
    }
}

fn expect(status: StatusCode, good: &[StatusCode]) -> io::Result<()> {
    if good.contains(&status) {
        Ok(())
    } else {
        Err(io::Error::other(format!("the store of objects says {status}")))
    }
}
