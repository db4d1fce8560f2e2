//! One connection's bytes: commands with their literals, and what is answered.

use super::limits;
use crate::mail::smtp::Carrier;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// Bytes that are read at a time.
const CHUNK: usize = 4 << 10;

/// Why a connection ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The program is gone.
    Gone,
    /// Nothing came for too long.
    Slow,
    /// A command without end.
    Long,
}

/// How large commands may be.
pub(super) struct Room {
    /// Bytes of a command.
    pub(super) command: usize,
    /// Bytes of the mail that `APPEND` brings.
    pub(super) append: usize,
    /// Places for large ones.
    pub(super) large: Arc<Semaphore>,
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// A whole command, its literals in it, without its end.
    Command(Vec<u8>),
    /// One that announced too much, up to that.
    TooBig(Vec<u8>),
}

/// A connection.
pub(super) struct Wire {
    io: Box<dyn Carrier + Sync>,
    /// What was read and is not used yet.
    read: Vec<u8>,
    /// What goes out before the next byte is read.
    write: Vec<u8>,
    /// Whether it goes in TLS.
    pub(super) tls: bool,
}

impl Wire {
    pub(super) fn new(io: impl Carrier + Sync, tls: bool) -> Wire {
        Wire { io: Box::new(io), read: Vec::new(), write: Vec::new(), tls }
    }

    /// Bytes that go out with the next [`Wire::flush`].
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.write.extend_from_slice(bytes);
    }

    /// A line of them.
    pub(super) fn say(&mut self, line: &str) {
        self.put(line.as_bytes());
        self.put(b"\r\n");
    }

    /// Sends what was said.
    pub(super) async fn flush(&mut self) -> Result<(), Broken> {
        if self.write.is_empty() {
            return Ok(());
        }
        let write = std::mem::take(&mut self.write);
        self.send(&write).await
    }

    /// The same, once there is much of it.
    pub(super) async fn relieve(&mut self) -> Result<(), Broken> {
        if self.write.len() < limits::WRITE { Ok(()) } else { self.flush().await }
    }

    /// Sends bytes that need not be copied, after what was said.
    pub(super) async fn stream(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if bytes.len() < limits::WRITE {
            self.put(bytes);
            return self.relieve().await;
        }
        self.flush().await?;
        for chunk in bytes.chunks(limits::WRITE) {
            self.send(chunk).await?;
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let sent = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        within(limits::PATIENCE, async { sent.await.map_err(|_| Broken::Gone) }).await
    }

    /// Waits for more. Nothing is lost where this is dropped.
    pub(super) async fn fill(&mut self) -> Result<(), Broken> {
        self.read.reserve(CHUNK);
        match self.io.read_buf(&mut self.read).await {
            Ok(1..) => Ok(()),
            _ => Err(Broken::Gone),
        }
    }

    /// Whether anything came that is not used yet.
    pub(super) fn has_more(&self) -> bool {
        !self.read.is_empty()
    }

    /// The next line, without its end; a bare LF ends one as well. `None`: there is no whole one yet.
    pub(super) fn line(&mut self, most: usize) -> Result<Option<Vec<u8>>, Broken> {
        let Some(at) = memchr::memchr(b'\n', &self.read) else {
            return if self.read.len() > most { Err(Broken::Long) } else { Ok(None) };
        };
        if at > most {
            return Err(Broken::Long);
        }
        let rest = self.read.split_off(at + 1);
        let mut line = std::mem::replace(&mut self.read, rest);
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// The next line, within a time.
    pub(super) async fn next_line(&mut self, most: usize, time: Duration) -> Result<Vec<u8>, Broken> {
        self.flush().await?;
        within(time, async {
            loop {
                if let Some(line) = self.line(most)? {
                    return Ok(line);
                }
                self.fill().await?;
            }
        })
        .await
    }

    /// The next command: a line, and as long as that ends in a literal (RFC 9051 §4.3), the literal and another line.
    pub(super) async fn command(&mut self, room: &Room, silence: Duration) -> Result<Came, Broken> {
        let mut line = self.next_line(room.command, silence).await?;
        let (mut command, mut place, mut mail) = (Vec::new(), None, 0);
        loop {
            // Only what ends a line announces a literal: what ends another literal is text.
            let literal = announced(&line);
            command.append(&mut line);
            let Some((size, waits)) = literal else { return Ok(Came::Command(command)) };
            let left = room.command.saturating_sub(command.len() - mail);
            // Only one literal of a command is a mail, and it is the largest of all.
            let fits_mail = mail == 0 && brings_mail(&command) && size <= room.append;
            if size > left && !fits_mail {
                // It is not read; who did not wait for leave has sent it all the same.
                return if waits { Ok(Came::TooBig(command)) } else { Err(Broken::Long) };
            }
            if size > left {
                mail = size;
            }
            if size as u64 > limits::LARGE && place.is_none() {
                place = room.large.clone().acquire_owned().await.ok();
            }
            if waits {
                self.say("+ Go on");
            }
            command.extend_from_slice(b"\r\n");
            self.literal(size, &mut command).await?;
            let left = room.command.saturating_sub(command.len() - mail);
            line = self.next_line(left, limits::PATIENCE).await?;
        }
    }

    async fn literal(&mut self, size: usize, into: &mut Vec<u8>) -> Result<(), Broken> {
        self.flush().await?;
        let mut left = size;
        while left > 0 {
            if self.read.is_empty() {
                within(limits::PATIENCE, self.fill()).await?;
            }
            let count = left.min(self.read.len());
            into.extend(self.read.drain(..count));
            left -= count;
        }
        Ok(())
    }

    /// TLS from here on. What came before the handshake was not protected, and nobody may have it taken for something that was
    /// (RFC 9051 §6.2.1).
    pub(super) async fn start_tls(mut self, config: Arc<ServerConfig>) -> Result<Wire, Broken> {
        self.flush().await?;
        if self.has_more() {
            return Err(Broken::Gone);
        }
        let accepted = within(limits::SIGN_IN, async {
            TlsAcceptor::from(config).accept(self.io).await.map_err(|_| Broken::Gone)
        });
        Ok(Wire::new(accepted.await?, true))
    }

    /// Ends it.
    pub(super) async fn close(mut self) {
        let farewell = async {
            self.flush().await?;
            self.io.shutdown().await.map_err(|_| Broken::Gone)
        };
        within(limits::FAREWELL, farewell).await.ok();
    }
}

/// The literal that a line ends with: its size, and whether its sender waits for leave (RFC 7888 §4).
fn announced(line: &[u8]) -> Option<(usize, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let digits = &inner[memchr::memrchr(b'{', inner)? + 1..];
    let (digits, waits) = match digits.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    let number = (1..=10).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    let size = std::str::from_utf8(digits).ok().filter(|_| number)?.parse().ok()?;
    Some((size, waits))
}

/// Whether a command is `APPEND`.
fn brings_mail(command: &[u8]) -> bool {
    let word = command.split(|byte| *byte == b' ').nth(1);
    word.is_some_and(|word| word.eq_ignore_ascii_case(b"APPEND"))
}

pub(super) async fn within<T>(
    time: Duration,
    what: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    tokio::time::timeout(time, what).await.unwrap_or(Err(Broken::Slow))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    #[test]
    fn literals_are_announced_at_the_end_of_a_line() {
        assert_eq!(announced(b"a LOGIN {5}"), Some((5, true)));
        assert_eq!(announced(b"a LOGIN {5+}"), Some((5, false)));
        assert_eq!(announced(b"a APPEND x ~{7}"), Some((7, true)));
        for none in ["a LOGIN x", "{}", "{5", "{-5}", "{5} ", "{99999999999}", "{5+}\"", "}"] {
            assert_eq!(announced(none.as_bytes()), None, "{none}");
        }
    }

    async fn came(sent: &[u8], command: usize, append: usize) -> (Result<Came, Broken>, Vec<u8>) {
        let (mut theirs, ours) = duplex(1 << 16);
        theirs.write_all(sent).await.unwrap();
        let mut wire = Wire::new(ours, false);
        let room = Room { command, append, large: Arc::new(Semaphore::new(1)) };
        theirs.shutdown().await.unwrap();
        let came = wire.command(&room, limits::SILENCE).await;
        wire.close().await;
        let mut heard = Vec::new();
        theirs.read_to_end(&mut heard).await.unwrap();
        (came, heard)
    }

    #[tokio::test]
    async fn a_command_is_whole_with_its_literals() {
        let (command, heard) = came(b"a LOGIN {3}\r\nx\ny {1+}\r\nz\r\nnext", 100, 0).await;
        assert_eq!(command, Ok(Came::Command(b"a LOGIN {3}\r\nx\ny {1+}\r\nz".to_vec())));
        assert_eq!(heard, b"+ Go on\r\n");
        // A literal may be whatever it likes.
        let (command, _) = came(b"a LOGIN x {3+}\r\n{9}\r\nnext", 100, 0).await;
        assert_eq!(command, Ok(Came::Command(b"a LOGIN x {3+}\r\n{9}".to_vec())));
    }

    #[tokio::test]
    async fn commands_have_so_much_room() {
        let long = |size: usize| format!("a {}\r\n", "x".repeat(size)).into_bytes();
        assert!(matches!(came(&long(50), 100, 0).await.0, Ok(Came::Command(_))));
        assert_eq!(came(&long(150), 100, 0).await.0, Err(Broken::Long));
        assert_eq!(came(&long(50_000)[..40_000], 100, 0).await.0, Err(Broken::Long));
        assert!(matches!(came(b"a LOGIN {500}\r\n", 100, 1000).await.0, Ok(Came::TooBig(_))));
        assert_eq!(came(b"a LOGIN {500+}\r\n", 100, 1000).await.0, Err(Broken::Long));
        let mail = |size: usize| {
            [format!("a APPEND x {{{size}+}}\r\n").into_bytes(), vec![b'x'; size], b"\r\n".to_vec()].concat()
        };
        assert!(matches!(came(&mail(500), 100, 1000).await.0, Ok(Came::Command(_))));
        assert_eq!(came(&mail(1500), 100, 1000).await.0, Err(Broken::Long));
        let twice = [&mail(500)[..519], b" {500+}\r\n"].concat();
        assert_eq!(came(&twice, 100, 1000).await.0, Err(Broken::Long), "one mail");
    }
}
