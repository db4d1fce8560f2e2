//! One connection's bytes: command lines, content, replies; in the clear, and in TLS from STARTTLS on.

use super::content::Content;
use crate::mail::limits;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// What mail travels on.
pub trait Carrier: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Carrier for T {}

/// Bytes that are read at a time.
const CHUNK: usize = 16 << 10;

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Broken {
    /// The peer is gone.
    Gone,
    /// Nothing came for too long.
    Slow,
    /// A line without its proper end, or with something in it that no line has.
    Line,
    /// A line without end.
    Long,
    /// A mail far beyond the largest size.
    Flood,
}

/// A connection.
pub(super) struct Wire {
    io: Box<dyn Carrier>,
    /// What was read and is not used yet.
    read: Vec<u8>,
    /// Replies that go out before the next byte is read.
    write: Vec<u8>,
    /// Whether it goes in TLS.
    pub(super) tls: bool,
}

impl Wire {
    pub(super) fn new(io: impl Carrier) -> Wire {
        Wire { io: Box::new(io), read: Vec::new(), write: Vec::new(), tls: false }
    }

    /// A line of a reply goes out with the next [`Wire::flush`].
    pub(super) fn say(&mut self, line: &str) {
        self.write.extend_from_slice(line.as_bytes());
        self.write.extend_from_slice(b"\r\n");
    }

    /// Sends what was said.
    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        if self.write.is_empty() {
            return Ok(());
        }
        let write = std::mem::take(&mut self.write);
        let sent = async {
            self.io.write_all(&write).await?;
            self.io.flush().await
        };
        within(limits::COMMAND, async { sent.await.map_err(|_| Broken::Gone) }).await
    }

    async fn fill(&mut self) -> Result<(), Broken> {
        self.flush().await?;
        let begin = self.read.len();
        self.read.resize(begin + CHUNK, 0);
        let count = self.io.read(&mut self.read[begin..]).await;
        let count = count.unwrap_or(0);
        self.read.truncate(begin + count);
        if count == 0 { Err(Broken::Gone) } else { Ok(()) }
    }

    /// The next command line, without its end (RFC 5321 §2.3.8).
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.read[searched..]) {
                let end = searched + at;
                let rest = self.read.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.read, rest);
                line.pop();
                let proper = line.pop() == Some(b'\r');
                let clean = proper && !line.iter().any(|byte| matches!(byte, b'\r' | 0));
                return if clean { Ok(line) } else { Err(Broken::Line) };
            }
            searched = self.read.len();
            if searched > limits::LINE {
                return Err(Broken::Long);
            }
            within(limits::COMMAND, self.fill()).await?;
        }
    }

    /// The content after `DATA`; `None` if it is too large. What is large takes a place of `large`, and keeps it in `place`.
    pub(super) async fn content(
        &mut self,
        largest: usize,
        large: &Arc<Semaphore>,
        place: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<Option<Vec<u8>>, Broken> {
        within(limits::CONTENT, async {
            let mut content = Content::new(largest);
            loop {
                let bytes = std::mem::take(&mut self.read);
                if let Some(consumed) = content.push(&bytes).map_err(|_| Broken::Line)? {
                    self.read = bytes[consumed..].to_vec();
                    return Ok(content.finish());
                }
                if content.size() > limits::LARGE && place.is_none() {
                    *place = large.clone().acquire_owned().await.ok();
                }
                if content.size() > largest.saturating_add(limits::OVERRUN) {
                    return Err(Broken::Flood);
                }
                self.fill().await?;
            }
        })
        .await
    }

    /// So many bytes after `BDAT` (RFC 3030 §2) into `data`; beyond `largest` they are read and forgotten, false.
    pub(super) async fn chunk(
        &mut self,
        size: usize,
        data: &mut Vec<u8>,
        largest: usize,
    ) -> Result<bool, Broken> {
        let total = data.len().saturating_add(size);
        if size > largest.saturating_add(limits::OVERRUN) {
            return Err(Broken::Flood);
        }
        within(limits::CONTENT, async {
            let mut left = size;
            while left > 0 {
                if self.read.is_empty() {
                    self.fill().await?;
                }
                let count = left.min(self.read.len());
                let rest = self.read.split_off(count);
                let bytes = std::mem::replace(&mut self.read, rest);
                if total <= largest {
                    data.extend_from_slice(&bytes);
                }
                left -= count;
            }
            Ok(total <= largest)
        })
        .await
    }

    /// TLS from here on (RFC 3207). What came before the handshake and after the command was not protected, and nobody may have
    /// it taken for something that was (§5).
    pub(super) async fn start_tls(mut self, config: Arc<ServerConfig>) -> Result<Wire, Broken> {
        self.flush().await?;
        if !self.read.is_empty() {
            return Err(Broken::Line);
        }
        let accepted = within(limits::HANDSHAKE, async {
            TlsAcceptor::from(config).accept(self.io).await.map_err(|_| Broken::Gone)
        });
        Ok(Wire { io: Box::new(accepted.await?), read: Vec::new(), write: Vec::new(), tls: true })
    }

    /// Ends it.
    pub(super) async fn close(mut self) {
        self.flush().await.ok();
        within(limits::HANDSHAKE, async { self.io.shutdown().await.map_err(|_| Broken::Gone) }).await.ok();
    }
}

async fn within<T>(time: Duration, what: impl Future<Output = Result<T, Broken>>) -> Result<T, Broken> {
    tokio::time::timeout(time, what).await.unwrap_or(Err(Broken::Slow))
}
