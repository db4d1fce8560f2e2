//! Giving a file to who knows its address: never as something that runs, in parts if they are asked for.

use super::range::{Wanted, wanted};
use super::{kinds, no_file, refuse, trouble};
use crate::files::Files;
use crate::http::NOSNIFF;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use rookery_store::FileToken;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::task::JoinHandle;

/// Bytes that are read at a time.
const CHUNK: u64 = 128 << 10;

/// What is shown runs no script and loads nothing, and is nobody's page; pictures may be shown on any. An address never means
/// another file, so it may be kept; not by proxies, which would keep what was taken back.
const SAFE: [(HeaderName, HeaderValue); 6] = [
    NOSNIFF,
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"),
    ),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
    (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
];

/// Answers `GET`, or `HEAD` without a body.
pub(super) async fn get(files: &Arc<Files>, token: FileToken, headers: &HeaderMap, body: bool) -> Response {
    let upload = match files.upload(token).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return no_file(),
        Err(error) => return trouble(error),
    };
    let Some(blob) = upload.blob else { return no_file() };
    let etag = format!("\"{token}\"");
    let tag = [(header::ETAG, etag.clone())];
    if is_known(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, tag, SAFE).into_response();
    }
    let (status, first, length) = match wanted(headers, upload.size, &etag) {
        Wanted::Whole => (StatusCode::OK, 0, upload.size),
        Wanted::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Wanted::Nothing => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{}", upload.size))];
            let refusal = refuse(StatusCode::RANGE_NOT_SATISFIABLE, "The file is shorter than that.");
            return (range, refusal).into_response();
        }
    };
    let (kind, inline) = kinds::served(&upload.media_type);
    let mut head = HeaderMap::new();
    head.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    head.insert(header::CONTENT_LENGTH, length.into());
    // A name is kept without control characters, and written in ASCII: it is a header's value.
    if let Ok(name) = kinds::disposition(&upload.name, inline).try_into() {
        head.insert(header::CONTENT_DISPOSITION, name);
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{}", first + length - 1, upload.size);
        head.extend(HeaderValue::try_from(range).ok().map(|range| (header::CONTENT_RANGE, range)));
    }
    let body = match body {
        false => Body::empty(),
        true => match files.read(blob.hash).await {
            Ok(file) => Body::new(Part { file: State::At(file), next: first, left: length }),
            Err(error) => return trouble(error),
        },
    };
    (status, tag, SAFE, head, body).into_response()
}

/// RFC 9110 §13.1.2: the client has it already.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
    let mut tags = tags.flat_map(|tags| tags.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
    tags.any(|tag| tag == "*" || tag == etag)
}

/// A part of a file as a body, read as it is taken.
struct Part {
    file: State,
    /// Where the next byte is.
    next: u64,
    /// Bytes that are still to come.
    left: u64,
}

enum State {
    /// Nothing is read at this moment.
    At(File),
    Reading(JoinHandle<io::Result<(File, Vec<u8>)>>),
    /// It failed.
    Over,
}

impl HttpBody for Part {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        loop {
            match std::mem::replace(&mut this.file, State::Over) {
                State::At(file) if this.left > 0 => {
                    let (from, most) = (this.next, this.left.min(CHUNK));
                    this.file = State::Reading(tokio::task::spawn_blocking(move || read(file, from, most)));
                }
                State::Reading(mut reading) => {
                    let Poll::Ready(read) = Pin::new(&mut reading).poll(cx) else {
                        this.file = State::Reading(reading);
                        return Poll::Pending;
                    };
                    let (file, data) = read.unwrap_or_else(|error| Err(io::Error::other(error)))?;
                    this.next += data.len() as u64;
                    this.left -= data.len() as u64;
                    this.file = State::At(file);
                    return Poll::Ready(Some(Ok(Frame::data(data.into()))));
                }
                State::At(_) | State::Over => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Reads some bytes, and `most` at most. The end of the file is an error: it is shorter than it should be.
fn read(mut file: File, from: u64, most: u64) -> io::Result<(File, Vec<u8>)> {
    let mut data = vec![0; most as usize];
    file.seek(SeekFrom::Start(from))?;
    file.read_exact(&mut data)?;
    Ok((file, data))
}
