//! A byte stream, plain or under TLS, and the reading of items from it.
//!
//! An idle connection holds no buffer: bytes are read into a scratch buffer of the thread and scanned there; only an
//! incomplete stanza stays behind, inside the scanner.

use super::framing::{Fed, Framing};
use crate::bosh::Line;
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

/// A carrier before or under TLS, or what stands for one.
pub enum Transport<S> {
    /// As it came.
    Plain(S),
    /// Encrypted.
    Tls(Box<TlsStream<S>>),
    /// Requests and answers; nothing can be read from it but items.
    Bosh(Line),
}

impl<S: Carrier> AsyncRead for Transport<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_read(cx, buf),
            Transport::Bosh(line) => line.poll_told(cx).map(Ok),
        }
    }
}

impl<S: Carrier> AsyncWrite for Transport<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Transport::Plain(s) => Pin::new(s).poll_write(cx, bytes),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_write(cx, bytes),
            Transport::Bosh(line) => line.poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(s) => Pin::new(s).poll_flush(cx),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_flush(cx),
            Transport::Bosh(line) => line.poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Transport::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Transport::Tls(s) => Pin::new(s.as_mut()).poll_shutdown(cx),
            Transport::Bosh(line) => {
                line.shut();
                Poll::Ready(Ok(()))
            }
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
        if let Transport::Bosh(line) = &mut self.transport {
            return line.poll_items(cx, items);
        }
        SCRATCH_BUFFER.with_borrow_mut(|scratch| {
            let mut buf = ReadBuf::new(scratch);
            match ready!(Pin::new(&mut self.transport).poll_read(cx, &mut buf)) {
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

    /// Writes what has its form already, and sees to it that it is on its way.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.transport.write_all(bytes).await?;
        self.transport.flush().await
    }

    /// Reads and forgets until the peer closes, so that what was written last is not lost to a reset.
    pub async fn linger(&mut self) {
        std::future::poll_fn(|cx| {
            loop {
                let gone = SCRATCH_BUFFER.with_borrow_mut(|scratch| {
                    let mut buf = ReadBuf::new(scratch);
                    Pin::new(&mut self.transport)
                        .poll_read(cx, &mut buf)
                        .map(|r| r.is_err() || buf.filled().is_empty())
                });
                if ready!(gone) {
                    return Poll::Ready(());
                }
            }
        })
        .await;
    }
}
