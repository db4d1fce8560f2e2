//! Taking the bytes of an upload: so many as were announced, in one request or in several.
//!
//! A request that broke is repeated from the beginning, or goes on: `HEAD` tells how many bytes are here (`Upload-Offset`), and
//! `Content-Range` (RFC 9110 §14.5) where a request's bytes belong. Who repeats what was finished already is told so again,
//! as long as the bytes are the same.

use super::{UPLOAD_OFFSET, no_file, refuse, trouble};
use crate::files::{Files, Incoming, Trouble, Turn};
use crate::http::origin::single;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rookery_store::{FileHash, FileToken, StoreError, Upload};
use sha2::{Digest, Sha256};
use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Bytes that are written at a time.
const CHUNK: usize = 256 << 10;

/// How long nothing may come of an upload: some retransmissions on a bad line.
const STALL: Duration = Duration::from_secs(30);

/// How many bytes are here, for who wants to go on.
pub(super) async fn offset(files: &Arc<Files>, token: FileToken, key: &str) -> Response {
    if !files.opens(token, key) {
        return wrong_key();
    }
    let here = match files.upload(token).await {
        Ok(Some(upload)) if upload.blob.is_some() => upload.size,
        Ok(Some(_)) => files.arrived(token).await,
        Ok(None) => return no_file(),
        Err(error) => return trouble(error),
    };
    ([(UPLOAD_OFFSET, here.to_string())], [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// Takes bytes.
pub(super) async fn put(files: &Arc<Files>, token: FileToken, key: &str, request: Request) -> Response {
    if !files.opens(token, key) {
        return wrong_key();
    }
    let (parts, body) = request.into_parts();
    let turn = files.turn(token).await;
    let upload = match files.upload(token).await {
        Ok(Some(upload)) => upload,
        Ok(None) => return refuse(StatusCode::GONE, "The time for this upload is over. Ask for a new one."),
        Err(error) => return trouble(error),
    };
    let from = match begins(&parts.headers, &upload) {
        Ok(from) => from,
        Err(refusal) => return *refusal,
    };
    match upload.blob {
        Some(blob) => again(&upload, blob.hash, from, body, turn).await,
        None => receive(files, upload, from, body, turn).await,
    }
}

fn wrong_key() -> Response {
    refuse(StatusCode::FORBIDDEN, "This is not the key to this upload.")
}

/// Where the bytes of a request belong, if it is one of this upload.
fn begins(headers: &HeaderMap, upload: &Upload) -> Result<u64, Box<Response>> {
    let no = |status, sentence| Err(Box::new(refuse(status, sentence)));
    let length = single(headers, header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    let Some(length) = length else {
        return no(StatusCode::LENGTH_REQUIRED, "An upload says how long it is (Content-Length).");
    };
    let from = match headers.contains_key(header::CONTENT_RANGE) {
        false => 0,
        true => match single(headers, header::CONTENT_RANGE).and_then(|range| rest_of(range, upload.size)) {
            Some(from) => from,
            None => {
                return no(StatusCode::BAD_REQUEST, "Content-Range goes to the end of the announced file.");
            }
        },
    };
    // XEP-0363 §6: the length must be the one that was asked for.
    match length.cmp(&(upload.size - from)) {
        std::cmp::Ordering::Greater => {
            return no(StatusCode::PAYLOAD_TOO_LARGE, "These are more bytes than were asked for.");
        }
        std::cmp::Ordering::Less => {
            return no(StatusCode::BAD_REQUEST, "These are fewer bytes than were asked for.");
        }
        std::cmp::Ordering::Equal => {}
    }
    let said = headers.get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default());
    let essence = |kind: &str| kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // §6: and so must the type, if both were said.
    if said.is_some_and(|said| !upload.media_type.is_empty() && essence(said) != essence(&upload.media_type))
    {
        return no(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The upload was asked for with another Content-Type.");
    }
    Ok(from)
}

/// The beginning of `bytes 4-9/10`, if it goes to the end.
fn rest_of(range: &str, size: u64) -> Option<u64> {
    let (bounds, whole) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = bounds.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    (whole.parse() == Ok(size) && first <= last && last.checked_add(1) == Some(size)).then_some(first)
}

/// Why the bytes did not come.
enum Broken {
    Slow,
    Overtaken,
    Gone,
    Disk(io::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        Broken::Disk(error)
    }
}

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        match self {
            Broken::Slow => refuse(StatusCode::REQUEST_TIMEOUT, "Nothing came for too long."),
            Broken::Overtaken => refuse(StatusCode::CONFLICT, "The same upload has begun anew."),
            Broken::Gone => refuse(StatusCode::BAD_REQUEST, "The upload is not complete."),
            Broken::Disk(error) if error.kind() == io::ErrorKind::StorageFull => no_room(error),
            Broken::Disk(error) => trouble(error),
        }
    }
}

fn no_room(error: impl std::fmt::Display) -> Response {
    tracing::error!(%error, "there is no room for a file");
    refuse(StatusCode::INSUFFICIENT_STORAGE, "The server has no room for this file at the moment.")
}

/// The next bytes of a body; empty at its end.
async fn next(body: &mut Body, turn: &mut Turn) -> Result<Option<bytes::Bytes>, Broken> {
    loop {
        let frame = tokio::select! {
            biased;
            () = turn.overtaken() => return Err(Broken::Overtaken),
            frame = tokio::time::timeout(STALL, poll_fn(|cx| std::pin::Pin::new(&mut *body).poll_frame(cx))) => frame,
        };
        let Some(frame) = frame.map_err(|_| Broken::Slow)? else { return Ok(None) };
        // Trailers mean nothing here.
        if let Ok(data) = frame.map_err(|_| Broken::Gone)?.into_data() {
            return Ok(Some(data));
        }
    }
}

/// Takes the bytes of an upload that is not finished.
async fn receive(files: &Arc<Files>, upload: Upload, from: u64, mut body: Body, turn: Turn) -> Response {
    let incoming = match files.receive(upload.token, from, turn).await {
        Ok(Some(incoming)) => incoming,
        Ok(None) => {
            let here = files.arrived(upload.token).await.to_string();
            let refusal = refuse(StatusCode::CONFLICT, "The bytes before these are not here.");
            return ([(UPLOAD_OFFSET, here)], refusal).into_response();
        }
        Err(error) => return Broken::Disk(error).into_response(),
    };
    let whole = match fill(incoming, upload.size, &mut body).await {
        Ok(whole) => whole,
        Err(broken) => return broken.into_response(),
    };
    match files.keep(upload, whole).await {
        Ok(()) => (StatusCode::CREATED, "The file is here.\n").into_response(),
        Err(Trouble::Store(StoreError::NotFound)) => {
            refuse(StatusCode::GONE, "The time for this upload is over. Ask for a new one.")
        }
        Err(Trouble::Found(what)) => {
            let sentence = format!("The file is not taken: {what} was found in it.");
            refuse(StatusCode::UNPROCESSABLE_ENTITY, sentence)
        }
        Err(Trouble::Store(StoreError::Full)) => no_room(StoreError::Full),
        Err(Trouble::Storage(error)) => Broken::Disk(error).into_response(),
        Err(error) => trouble(error),
    }
}

/// Writes a body to the end of a file.
async fn fill(mut incoming: Incoming, size: u64, body: &mut Body) -> Result<Incoming, Broken> {
    let mut chunk = Vec::new();
    loop {
        let data = match next(body, incoming.turn()).await {
            Ok(data) => data,
            Err(broken) => {
                // What came can be gone on with.
                incoming.write(chunk).await?;
                return Err(broken);
            }
        };
        let ended = data.is_none();
        chunk.extend_from_slice(&data.unwrap_or_default());
        if ended || chunk.len() >= CHUNK {
            incoming = incoming.write(std::mem::take(&mut chunk)).await?;
        }
        if ended {
            return if incoming.length() == size { Ok(incoming) } else { Err(Broken::Gone) };
        }
    }
}

/// The file is here already: well, if it is the same.
async fn again(upload: &Upload, hash: FileHash, from: u64, mut body: Body, mut turn: Turn) -> Response {
    let other = || refuse(StatusCode::CONFLICT, "There is a file already, and it is another.");
    if from > 0 {
        return other();
    }
    let (mut digest, mut length) = (Sha256::new(), 0u64);
    loop {
        match next(&mut body, &mut turn).await {
            Ok(Some(data)) => {
                length += data.len() as u64;
                digest.update(&data);
            }
            Ok(None) if length == upload.size && digest.finalize()[..] == hash.0 => {
                return (StatusCode::OK, "The file is here already.\n").into_response();
            }
            Ok(None) => return other(),
            Err(broken) => return broken.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_goes_to_the_end() {
        for (range, expected) in [
            ("bytes 0-9/10", Some(0)),
            ("bytes 4-9/10", Some(4)),
            ("bytes 9-9/10", Some(9)),
            ("bytes 10-9/10", None),
            ("bytes 4-8/10", None),
            ("bytes 4-9/11", None),
            ("bytes 4-9/*", None),
            ("bytes */10", None),
            ("bytes=4-9/10", None),
            ("bytes 4-18446744073709551615/10", None),
            ("bytes -1-9/10", None),
            ("", None),
        ] {
            assert_eq!(rest_of(range, 10), expected, "{range}");
        }
        assert_eq!(rest_of("bytes 0-0/0", 0), None);
    }
}
