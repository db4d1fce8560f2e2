//! A part of a file as the body of a request or an answer, read as it is taken.

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::JoinHandle;

/// Bytes that are read at a time.
const CHUNK: u64 = 128 << 10;

/// A part of a file.
pub(super) struct Part {
    file: State,
    /// Where the next byte is.
    next: u64,
    /// Bytes that are still to come.
    left: u64,
}

impl Part {
    /// `length` bytes after the first `from`.
    pub(super) fn new(file: File, from: u64, length: u64) -> Part {
        Part { file: State::At(file), next: from, left: length }
    }
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
