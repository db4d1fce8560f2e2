//! Reading what was posted: no more than is allowed, and not for longer.

use axum::body::{Body, HttpBody};
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

/// How long a body may take to arrive: the largest one over a bad line.
const ARRIVAL: Duration = Duration::from_secs(30);

/// Why there is no body.
#[derive(Debug)]
pub(super) enum NoBody {
    /// It is larger than it may be.
    TooLarge,
    /// It did not arrive in time.
    TooSlow,
    /// The client is gone, or does not speak HTTP.
    Broken,
}

/// Reads a body of up to `first` bytes; whether it may be larger, `most` says when it has seen so many.
pub(super) async fn read(body: Body, first: usize, most: impl Fn(&[u8]) -> usize) -> Result<Vec<u8>, NoBody> {
    tokio::time::timeout(ARRIVAL, collect(body, first, most)).await.unwrap_or(Err(NoBody::TooSlow))
}

/// The same, for as long as it takes.
pub(super) async fn collect(
    body: Body,
    first: usize,
    most: impl Fn(&[u8]) -> usize,
) -> Result<Vec<u8>, NoBody> {
    let mut body = pin!(body);
    let mut document = Vec::new();
    let mut allowed = first;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        // Trailers mean nothing here.
        let Ok(data) = frame.map_err(|_| NoBody::Broken)?.into_data() else { continue };
        document.extend_from_slice(&data);
        if document.len() > first && allowed == first {
            allowed = most(&document).max(first);
        }
        if document.len() > allowed {
            return Err(NoBody::TooLarge);
        }
    }
    Ok(document)
}
