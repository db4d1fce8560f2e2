//! The server's end of a session: what a stream is served over, in place of a socket.

use super::Session;
use crate::net::transport::ReadError;
use rookery_proto::xml::Item;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::time::{Instant, Sleep, sleep_until};

/// Items in, elements out. The session ends with it.
pub struct Line {
    session: Arc<Session>,
    /// For the next answer that is due, or the end of a session that nobody asks for.
    timer: Pin<Box<Sleep>>,
}

impl Line {
    /// The end of `session`; there is one.
    pub fn new(session: Arc<Session>) -> Line {
        Line { session, timer: Box::pin(sleep_until(Instant::now())) }
    }

    /// Appends what came; nothing, if a request came that was empty.
    pub fn poll_items(
        &mut self,
        cx: &mut Context<'_>,
        items: &mut VecDeque<Item>,
    ) -> Poll<Result<(), ReadError>> {
        loop {
            let now = Instant::now();
            let mut state = self.session.state();
            let next = state.tick(now);
            if let Poll::Ready(came) = state.poll_items(cx, items, now) {
                return Poll::Ready(came.ok_or(ReadError::Closed));
            }
            drop(state);
            self.timer.as_mut().reset(next);
            ready!(self.timer.as_mut().poll(cx));
        }
    }

    /// Takes all of `bytes`, or waits for a request to take what is there.
    pub fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.session.state().poll_write(cx, bytes).map(taken)
    }

    /// Waits until a request has taken everything.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.state().poll_flush(cx, Instant::now()).map(taken)
    }

    /// Nothing more will be written.
    pub fn shut(&self) {
        self.session.state().shut(Instant::now());
    }

    /// Waits until the client knows that.
    pub fn poll_told(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.session.state().poll_told(cx)
    }
}

fn taken<T>(outcome: Option<T>) -> io::Result<T> {
    outcome.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

impl Drop for Line {
    fn drop(&mut self) {
        self.session.state().end(None);
    }
}
