//! A byte stream, plain or under TLS, and the reading of items from it.
//!
//! An idle connection holds no buffer: bytes are read into a scratch buffer of the thread and scanned there; only an
//! incomplete stanza stays behind, inside the scanner.

use super::framing::{Fed, Framing};
use rookery_proto::xml::{Item, ScanError};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::server::TlsStream;

/// What one read may bring: a few dozen chat messages.
const SCRATCH: usize = 32 * 1024;

thread_local! {
    static SCRATCH_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// Anything that carries a stream of bytes both ways.
pub trait Carrier: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Carrier for T {}

/// A carrier before or under TLS.
pub enum Transport<S> {
    /// As it came.
    Plain(S),
    /// Encrypted.
    Tls(Box<TlsStream<S>>),
}

impl<S: Carrier> Transport<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Transport::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_read(cx, buf),
        }
    }

    /// Writes what the peer takes now.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Transport::Plain(s) => Pin::new(s).poll_write(cx, bytes),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_write(cx, bytes),
        }
    }

    /// Sees to it that what was written is on its way.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Transport::Plain(s) => Pin::new(s).poll_flush(cx),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_flush(cx),
        }
    }

    /// Writes all of it.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Transport::Plain(s) => {
                s.write_all(bytes).await?;
                s.flush().await
            }
            Transport::Tls(s) => {
                s.write_all(bytes).await?;
                s.flush().await
            }
        }
    }

    /// Nothing more will be written.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        match self {
            Transport::Plain(s) => s.shutdown().await,
            Transport::Tls(s) => s.shutdown().await,
        }
    }
}

/// A connection: where bytes come from, and what makes items of them.
pub struct Conn<S> {
    /// The bytes.
    pub transport: Transport<S>,
    /// Their meaning.
    pub framing: Framing,
}

/// Why reading ended.
#[derive(Debug)]
pub enum ReadError {
    /// The peer is gone.
    Closed,
    /// What came is not a stream.
    Scan(ScanError),
}

impl<S: Carrier> Conn<S> {
    /// A connection that has not sent anything yet.
    pub fn new(transport: Transport<S>, framing: Framing) -> Conn<S> {
        Conn { transport, framing }
    }

    /// Reads once and appends the items that are complete. What came before an error is still good: the error is
    /// reported with the next call's items, so it is returned beside them.
    pub fn poll_items(
        &mut self,
        cx: &mut Context<'_>,
        items: &mut VecDeque<Item>,
    ) -> Poll<Result<(), ReadError>> {
        SCRATCH_BUFFER.with_borrow_mut(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            match ready!(self.transport.poll_read(cx, &mut buf)) {
                Err(_) => return Poll::Ready(Err(ReadError::Closed)),
                Ok(()) if buf.filled().is_empty() => return Poll::Ready(Err(ReadError::Closed)),
                Ok(()) => {}
            }
            let mut input = buf.filled();
            loop {
                match self.framing.feed(&mut input) {
                    Ok(Fed::Item(item)) => items.push_back(item),
                    Ok(Fed::Nothing) => return Poll::Ready(Ok(())),
                    Ok(Fed::Closed) => return Poll::Ready(Err(ReadError::Closed)),
                    Err(error) => return Poll::Ready(Err(ReadError::Scan(error))),
                }
            }
        })
    }

    /// Writes one element, given as the child of a client's stream.
    pub async fn write_element(&mut self, element: &[u8]) -> io::Result<()> {
        let mut out = element.to_vec();
        self.framing.seal(&mut out, 0);
        self.transport.write_all(&out).await
    }

    /// Reads and forgets until the peer closes, so that what was written last is not lost to a reset.
    pub async fn linger(&mut self) {
        std::future::poll_fn(|cx| {
            loop {
                let gone = SCRATCH_BUFFER.with_borrow_mut(|scratch| {
                    let mut buf = ReadBuf::new(scratch);
                    self.transport.poll_read(cx, &mut buf).map(|r| r.is_err() || buf.filled().is_empty())
                });
                if ready!(gone) {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }
}
