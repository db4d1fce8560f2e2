//! Giving a file to who knows its address: never as something that runs, in parts if they are asked for.

use super::range::{Wanted, wanted};
use super::{SAFE, kinds, no_file, refuse, trouble};
use crate::files::Files;
use crate::http::is_known;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rookery_store::FileToken;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Files are given in parts.
const IN_PARTS: (HeaderName, HeaderValue) = (header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));

/// What the name of a recording ends with where it is asked for in the container that everybody plays.
const OGG: &str = ".ogg";

/// Answers `GET`, or `HEAD` without a body. The name in an address is for people and programs to read; but of a recording in
/// WebM, one that ends in `.ogg` is the same sound in Ogg.
pub(super) async fn get(
    files: &Arc<Files>,
    token: FileToken,
    name: &str,
    headers: &HeaderMap,
    body: bool,
) -> Response {
    let upload = match files.upload(token).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return no_file(),
        Err(error) => return trouble(error),
    };
    let Some(blob) = upload.blob else { return no_file() };
    if name.ends_with(OGG) && !upload.name.ends_with(OGG) {
        match files.voice(&upload, blob).await {
            Ok(Some(ogg)) => {
                let ogg = Bytes::from(ogg);
                let part = Part::of(headers, ogg.len() as u64, &format!("{token}-ogg"));
                return part
                    .answer("audio/ogg", name, body, async |range| {
                        let (from, to) = (range.start as usize, range.end as usize);
                        Ok(ogg.slice(from..to).into())
                    })
                    .await;
            }
            Ok(None) => {}
            Err(error) => return trouble(error),
        }
    }
    let part = Part::of(headers, upload.size, token.as_str());
    let read = async |range: Range<u64>| files.read(blob.hash, range.start, range.end - range.start).await;
    part.answer(&upload.media_type, &upload.name, body, read).await
}

/// What of a file is to be sent.
struct Part {
    size: u64,
    tag: String,
    /// Whether the client has it already.
    known: bool,
    wanted: Wanted,
}

impl Part {
    /// What the headers ask for of a file of `size` bytes, which `tag` names.
    fn of(headers: &HeaderMap, size: u64, tag: &str) -> Part {
        let tag = format!("\"{tag}\"");
        Part { size, known: is_known(headers, &tag), wanted: wanted(headers, size, &tag), tag }
    }

    /// Answers with it; `read` gives the bytes of a range.
    async fn answer(
        self,
        media_type: &str,
        name: &str,
        body: bool,
        read: impl AsyncFnOnce(Range<u64>) -> io::Result<Body>,
    ) -> Response {
        let Part { size, tag, known, wanted } = self;
        let tag = [(header::ETAG, tag)];
        if known {
            return (StatusCode::NOT_MODIFIED, tag, SAFE, [IN_PARTS]).into_response();
        }
        let (status, range) = match wanted {
            Wanted::Whole => (StatusCode::OK, 0..size),
            Wanted::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first..last + 1),
            Wanted::Nothing => {
                let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                let refusal = refuse(StatusCode::RANGE_NOT_SATISFIABLE, "The file is shorter than that.");
                return (range, refusal).into_response();
            }
        };
        let (kind, inline) = kinds::served(media_type);
        let mut head = HeaderMap::new();
        head.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        head.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
        // A name is kept without control characters, and written in ASCII: it is a header's value.
        if let Ok(name) = kinds::disposition(name, inline).try_into() {
            head.insert(header::CONTENT_DISPOSITION, name);
        }
        if status == StatusCode::PARTIAL_CONTENT {
            let range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            head.extend(HeaderValue::try_from(range).ok().map(|range| (header::CONTENT_RANGE, range)));
        }
        let body = match body {
            false => Body::empty(),
            true => match read(range).await {
                Ok(body) => body,
                Err(error) => return trouble(error),
            },
        };
        (status, tag, SAFE, [IN_PARTS], head, body).into_response()
    }
}

/// Answers with a small copy of a picture.
pub(super) async fn thumbnail(files: &Arc<Files>, token: FileToken, headers: &HeaderMap) -> Response {
    let upload = match files.upload(token).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return no_file(),
        Err(error) => return trouble(error),
    };
    let Some(blob) = upload.blob else { return no_file() };
    let etag = format!("\"{token}-thumbnail\"");
    if is_known(headers, &etag) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)], SAFE).into_response();
    }
    match files.thumbnail(blob, upload.size).await {
        Ok(Some(picture)) => {
            let head = [(header::CONTENT_TYPE, "image/jpeg".to_owned()), (header::ETAG, etag)];
            (head, SAFE, picture).into_response()
        }
        Ok(None) => refuse(StatusCode::NOT_FOUND, "There is no small copy of this file."),
        Err(error) => trouble(error),
    }
}
