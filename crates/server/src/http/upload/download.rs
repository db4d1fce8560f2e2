//! Giving a file to who knows its address: never as something that runs, in parts if they are asked for.

use super::range::{Wanted, wanted};
use super::{SAFE, kinds, no_file, refuse, trouble};
use crate::files::Files;
use crate::http::is_known;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rookery_store::FileToken;
use std::sync::Arc;

/// Files are given in parts.
const IN_PARTS: (HeaderName, HeaderValue) = (header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));

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
        return (StatusCode::NOT_MODIFIED, tag, SAFE, [IN_PARTS]).into_response();
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
        true => match files.read(blob.hash, first, length).await {
            Ok(body) => body,
            Err(error) => return trouble(error),
        },
    };
    (status, tag, SAFE, [IN_PARTS], head, body).into_response()
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
