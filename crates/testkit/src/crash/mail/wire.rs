//! One side of SMTP, LMTP and IMAP: lines, and what a server answers to them.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take on a busy machine with a disk that stalls.
const ANSWER: Duration = Duration::from_secs(30);

/// A connection.
pub(super) struct Wire(BufReader<TcpStream>);

impl Wire {
    pub(super) async fn open(address: SocketAddr) -> Result<Wire> {
        let connection = timeout(ANSWER, TcpStream::connect(address)).await.context("no connection")??;
        connection.set_nodelay(true)?;
        Ok(Wire(BufReader::new(connection)))
    }

    /// On a connection that came.
    pub(super) fn on(connection: TcpStream) -> Wire {
        Wire(BufReader::new(connection))
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        timeout(ANSWER, self.0.write_all(bytes)).await.context("nobody reads")??;
        Ok(())
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if timeout(ANSWER, self.0.read_line(&mut line)).await.context("no answer")?? == 0 {
            bail!("the connection ended");
        }
        Ok(line.trim_end().to_owned())
    }

    /// The next reply: its last line.
    pub(super) async fn reply(&mut self) -> Result<String> {
        loop {
            let line = self.line().await?;
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(line);
            }
        }
    }

    /// A command, and the reply to it.
    pub(super) async fn ask(&mut self, command: &str) -> Result<String> {
        self.send(format!("{command}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// All up to and with these bytes.
    pub(super) async fn until(&mut self, end: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let from = bytes.len().saturating_sub(end.len());
            if timeout(ANSWER, self.0.read_buf(&mut bytes)).await.context("no end")?? == 0 {
                bail!("the connection ended");
            }
            if memchr::memmem::find(&bytes[from..], end).is_some() {
                return Ok(bytes);
            }
        }
    }
}
