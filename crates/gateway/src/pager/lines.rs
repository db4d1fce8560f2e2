//! A connection on which lines travel.

use super::limits;
use crate::mail::smtp::Carrier;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Bytes that are read at a time.
const CHUNK: usize = 4096;

/// Why a connection ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Broken {
    /// The peer is gone.
    Gone,
    /// Nothing came for too long.
    Slow,
    /// A line without end.
    Long,
}

/// A connection.
pub(super) struct Lines {
    io: Box<dyn Carrier>,
    /// What was read and is no line yet.
    read: Vec<u8>,
    /// How long a line may take.
    patience: Duration,
}

impl Lines {
    pub(super) fn new(io: impl Carrier, patience: Duration) -> Lines {
        Lines { io: Box::new(io), read: Vec::new(), patience }
    }

    /// The next line, without its end: CR LF, or LF alone, which people have that type.
    pub(super) async fn line(&mut self) -> Result<Vec<u8>, Broken> {
        timeout(self.patience, self.read_line()).await.unwrap_or(Err(Broken::Slow))
    }

    async fn read_line(&mut self) -> Result<Vec<u8>, Broken> {
        let mut searched = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.read[searched..]) {
                let rest = self.read.split_off(searched + at + 1);
                let mut line = std::mem::replace(&mut self.read, rest);
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.read.len();
            if searched > limits::LINE {
                return Err(Broken::Long);
            }
            self.read.resize(searched + CHUNK, 0);
            let count = self.io.read(&mut self.read[searched..]).await.unwrap_or(0);
            self.read.truncate(searched + count);
            if count == 0 {
                return Err(Broken::Gone);
            }
        }
    }

    /// Says a line, or several with CR LF between them.
    pub(super) async fn say(&mut self, text: &str) -> Result<(), Broken> {
        let write = async {
            self.io.write_all(text.as_bytes()).await?;
            self.io.write_all(b"\r\n").await?;
            self.io.flush().await
        };
        timeout(limits::WRITE, write).await.map_err(|_| Broken::Slow)?.map_err(|_| Broken::Gone)
    }

    /// Ends it.
    pub(super) async fn close(mut self) {
        timeout(limits::WRITE, self.io.shutdown()).await.ok();
    }
}
