//! Where an account's owner fetches the export that was written for them. The name in the address is all that it takes, and it
//! is good once.

use super::{NOSNIFF, Web, refuse};
use axum::body::{Body, HttpBody};
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use rookery_core::accounts::By;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes that are read at a time.
const CHUNK: usize = 64 << 10;

/// Nobody on the way keeps it, and no page is told where it came from.
const ONCE: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
    (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"my-account.zip\"")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// `/export/{id}`
pub(super) async fn get(State(web): State<Arc<Web>>, Path(id): Path<String>, method: Method) -> Response {
    let core = &web.server.core;
    let Some(file) = core.exports.ready(&id, core.env.now()) else { return gone() };
    // Opened before its name is used up: from then on it may be removed.
    let Ok(file) = File::open(file).await else { return gone() };
    let Ok(length) = file.metadata().await.map(|data| data.len()) else { return gone() };
    // Who only looks at where a link leads uses nothing up.
    let body = match method == Method::GET {
        true if core.exports.take(&id, By::Themselves) => Body::new(Whole { file, left: length }),
        true => return gone(),
        false => Body::empty(),
    };
    ([(header::CONTENT_LENGTH, HeaderValue::from(length))], ONCE, [NOSNIFF], body).into_response()
}

/// What never was, was fetched, or waited for too long: nobody learns which.
fn gone() -> Response {
    refuse(StatusCode::NOT_FOUND, "This link is not good any more. Ask for another export.")
}

/// A file as it is read.
struct Whole {
    file: File,
    left: u64,
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut chunk = vec![0; CHUNK];
        let mut buffer = ReadBuf::new(&mut chunk);
        ready!(Pin::new(&mut self.file).poll_read(cx, &mut buffer))?;
        let read = buffer.filled().len();
        if read == 0 {
            return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
        }
        chunk.truncate(read);
        self.left = self.left.saturating_sub(read as u64);
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
