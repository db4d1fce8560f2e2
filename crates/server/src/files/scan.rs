//! What somebody else thinks of a file before it is kept: a command, or the daemon of ClamAV. It fails closed: without an answer
//! nothing is kept.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;

/// How long a scanner may take: archives within archives.
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes that are given to the daemon at a time.
const CHUNK: usize = 64 << 10;

/// Bytes of a scanner's answer that are read: a line.
const ANSWER: u64 = 4 << 10;

/// Who looks at files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scanner {
    /// A program that gets the file as its only argument. 0: it is clean; 1: it is not, and the first line that the program
    /// writes says what it is.
    Command(PathBuf),
    /// `clamd`, at a socket of this machine.
    ClamdSocket(PathBuf),
    /// `clamd`, at `host:port`.
    ClamdAddress(String),
}

/// What a scanner found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing.
    Clean,
    /// This.
    Found(String),
}

impl Scanner {
    /// Lets the scanner look at a file.
    pub async fn scan(&self, file: &Path) -> io::Result<Verdict> {
        let scan = async {
            match self {
                Scanner::Command(program) => command(program, file).await,
                Scanner::ClamdSocket(path) => clamd(UnixStream::connect(path).await?, file).await,
                Scanner::ClamdAddress(address) => clamd(TcpStream::connect(address).await?, file).await,
            }
        };
        tokio::time::timeout(PATIENCE, scan).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

async fn command(program: &Path, file: &Path) -> io::Result<Verdict> {
    let mut child = Command::new(program)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = Vec::new();
    if let Some(output) = child.stdout.take() {
        let mut output = output.take(ANSWER);
        output.read_to_end(&mut said).await?;
        // The rest is not wanted; a program that writes it anyway must not wait for us.
        tokio::io::copy(&mut output.into_inner(), &mut tokio::io::sink()).await?;
    }
    match child.wait().await?.code() {
        Some(0) => Ok(Verdict::Clean),
        Some(1) => Ok(Verdict::Found(first_line(&said))),
        _ => Err(io::Error::other("the scanner failed")),
    }
}

/// Of what a scanner says, what people can be told.
fn first_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let line = said.lines().next().unwrap_or_default().trim();
    line.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// clamd(8), `INSTREAM`: chunks with their lengths before them, and an empty one at the end.
async fn clamd(mut stream: impl AsyncRead + AsyncWrite + Unpin, file: &Path) -> io::Result<Verdict> {
    let mut file = tokio::fs::File::open(file).await?;
    stream.write_all(b"zINSTREAM\0").await?;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk).await?;
        stream.write_all(&(read as u32).to_be_bytes()).await?;
        stream.write_all(&chunk[..read]).await?;
        if read == 0 {
            break;
        }
    }
    stream.flush().await?;
    let mut said = Vec::new();
    stream.take(ANSWER).read_to_end(&mut said).await?;
    let said = String::from_utf8_lossy(&said);
    let said = said.trim_end_matches('\0').trim();
    match said.strip_prefix("stream: ") {
        Some("OK") => Ok(Verdict::Clean),
        Some(found) if found.ends_with(" FOUND") => {
            Ok(Verdict::Found(first_line(found.trim_end_matches(" FOUND").as_bytes())))
        }
        _ => Err(io::Error::other(format!("clamd says {:?}", first_line(said.as_bytes())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tokio::net::UnixListener;

    fn file(folder: &Path, bytes: &[u8]) -> PathBuf {
        let path = folder.join("file");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// A daemon that answers once, after it has read a file; what it read.
    async fn daemon(listener: UnixListener, answer: &'static [u8]) -> Vec<u8> {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut command = [0; 10];
        stream.read_exact(&mut command).await.unwrap();
        assert_eq!(&command, b"zINSTREAM\0");
        let mut whole = Vec::new();
        loop {
            let mut chunk = vec![0; stream.read_u32().await.unwrap() as usize];
            if chunk.is_empty() {
                break;
            }
            stream.read_exact(&mut chunk).await.unwrap();
            whole.extend(chunk);
        }
        stream.write_all(answer).await.unwrap();
        whole
    }

    #[tokio::test]
    async fn clamd_is_asked() {
        for (answer, expected) in [
            (&b"stream: OK\0"[..], Some(Verdict::Clean)),
            (b"stream: Eicar-Signature FOUND\0", Some(Verdict::Found("Eicar-Signature".into()))),
            (b"INSTREAM size limit exceeded. ERROR\0", None),
            (b"stream: OK and more\0", None),
            (b"", None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let socket = folder.path().join("clamd");
            let daemon = tokio::spawn(daemon(UnixListener::bind(&socket).unwrap(), answer));
            let bytes = vec![7; 3 * CHUNK / 2];
            let verdict = Scanner::ClamdSocket(socket).scan(&file(folder.path(), &bytes)).await;
            assert_eq!(verdict.ok(), expected, "{}", String::from_utf8_lossy(answer));
            assert!(daemon.await.unwrap() == bytes);
        }
    }

    #[tokio::test]
    async fn without_a_daemon_there_is_no_verdict() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), b"x");
        assert!(Scanner::ClamdSocket(folder.path().join("nobody")).scan(&path).await.is_err());
        assert!(Scanner::Command(folder.path().join("nothing")).scan(&path).await.is_err());
    }

    #[tokio::test]
    async fn a_command_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("scanner");
        let script = "#!/bin/sh\nread first < \"$1\"\ncase \"$first\" in\n  bad*) echo Bad-Thing; exit 1;;\n  \
                      odd*) exit 3;;\nesac\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let scanner = Scanner::Command(program);
        for (bytes, expected) in [
            (&b"good\n"[..], Some(Verdict::Clean)),
            (b"bad\n", Some(Verdict::Found("Bad-Thing".into()))),
            (b"odd\n", None),
        ] {
            assert_eq!(scanner.scan(&file(folder.path(), bytes)).await.ok(), expected);
        }
    }
}
