//! What a transmitter of our own is fed with: a file of sound for each transmission, or samples on a program's standard input or on
//! a TCP connection.

use super::carrier::Handed;
use super::limits;
use super::pocsag::{self, Page, Rate};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Where transmissions go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outlet {
    /// Each is a file in this folder, there at once or not at all.
    Folder(PathBuf),
    /// Each is the standard input of a run of this program, which says by its exit status whether it was sent.
    Program(PathBuf),
    /// Each is a connection.
    Tcp(String, u16),
}

/// A transmitter.
#[derive(Debug)]
pub struct Feed {
    rate: Rate,
    outlet: Outlet,
    /// A transmitter sends one thing at a time.
    turn: Mutex<()>,
}

impl Feed {
    /// A transmitter that is fed so.
    pub fn new(rate: Rate, outlet: Outlet) -> Feed {
        Feed { rate, outlet, turn: Mutex::new(()) }
    }

    /// Sends a page; `name` is its own among all pages.
    pub(super) async fn send(&self, page: Page, name: &str) -> Handed {
        let (words, _) = pocsag::transmission(&[page]);
        let samples = pocsag::samples(&words, self.rate);
        let raw = || samples.iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<u8>>();
        // As long as it sounds, and then some.
        let patience = limits::CARRIER
            + std::time::Duration::from_secs((samples.len() as u64).div_ceil(u64::from(pocsag::SAMPLE_RATE)));
        let Ok(_turn) = timeout(limits::CARRIER, self.turn.lock()).await else {
            return Handed::Deferred("The transmitter is busy.".into());
        };
        match &self.outlet {
            Outlet::Folder(folder) => folder_takes(folder, name, pocsag::wav(&samples)).await,
            Outlet::Program(program) => program_takes(program, &raw(), patience).await,
            Outlet::Tcp(host, port) => connection_takes(host, *port, &raw(), patience).await,
        }
    }
}

/// A file that nobody sees before it is whole.
async fn folder_takes(folder: &Path, name: &str, wav: Vec<u8>) -> Handed {
    let (hidden, shown) = (folder.join(format!(".{name}.part")), folder.join(format!("page-{name}.wav")));
    let written = tokio::task::spawn_blocking(move || -> io::Result<()> {
        let mut file = std::fs::File::create(&hidden)?;
        io::Write::write_all(&mut file, &wav)?;
        file.sync_all()?;
        std::fs::rename(&hidden, &shown)
    });
    match written.await {
        Ok(Ok(())) => Handed::Accepted(None),
        Ok(Err(error)) => Handed::Deferred(format!("The file of sound cannot be written: {error}.")),
        Err(_) => Handed::Unknown("Writing the file of sound failed.".into()),
    }
}

async fn program_takes(program: &Path, raw: &[u8], patience: std::time::Duration) -> Handed {
    let started =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true).spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Handed::Deferred(format!("The program cannot be started: {error}.")),
    };
    let fed = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A program that has had enough says by its status what that means.
            stdin.write_all(raw).await.ok();
            stdin.shutdown().await.ok();
        }
        child.wait().await
    };
    match timeout(patience, fed).await {
        Ok(Ok(status)) if status.success() => Handed::Accepted(None),
        Ok(Ok(status)) => Handed::Unknown(format!("The program failed ({status}).")),
        Ok(Err(_)) | Err(_) => Handed::Unknown("The program did not end in time.".into()),
    }
}

async fn connection_takes(host: &str, port: u16, raw: &[u8], patience: std::time::Duration) -> Handed {
    let mut stream = match timeout(limits::CARRIER, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Handed::Deferred(format!("The transmitter cannot be reached: {error}.")),
        Err(_) => return Handed::Deferred("The transmitter does not answer.".into()),
    };
    let sent = async {
        stream.write_all(raw).await?;
        stream.shutdown().await
    };
    match timeout(patience, sent).await {
        Ok(Ok(())) => Handed::Accepted(None),
        _ => Handed::Unknown("The connection to the transmitter broke.".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pocsag::{Alphabet, Content, Function, Ric};
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tokio::io::AsyncReadExt;

    fn page() -> Page {
        let content = Content::Text("Come".into(), Alphabet::International);
        Page { ric: Ric::new(1_234_567).unwrap(), function: Function::D, content, length: 80, times: 1 }
    }

    fn expected() -> Vec<i16> {
        pocsag::samples(&pocsag::transmission(&[page()]).0, Rate::Bps1200)
    }

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[tokio::test]
    async fn a_folder_gets_files() {
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::new(Rate::Bps1200, Outlet::Folder(folder.path().into()));
        assert_eq!(feed.send(page(), "17").await, Handed::Accepted(None));
        assert_eq!(std::fs::read(folder.path().join("page-17.wav")).unwrap(), pocsag::wav(&expected()));
        let nowhere = Feed::new(Rate::Bps1200, Outlet::Folder(folder.path().join("none")));
        assert!(matches!(nowhere.send(page(), "17").await, Handed::Deferred(_)));
    }

    #[tokio::test]
    async fn a_program_gets_samples() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let outlet = |text: &str| Outlet::Program(script(folder.path(), text));
        let feed = Feed::new(Rate::Bps1200, outlet(&format!("cat > {}", out.display())));
        assert_eq!(feed.send(page(), "1").await, Handed::Accepted(None));
        assert_eq!(std::fs::read(&out).unwrap().len(), expected().len() * 2);
        let failing = Feed::new(Rate::Bps1200, outlet("cat > /dev/null; exit 3"));
        assert!(matches!(failing.send(page(), "1").await, Handed::Unknown(_)), "it may have been sent");
        let missing = Feed::new(Rate::Bps1200, Outlet::Program("/nowhere".into()));
        assert!(matches!(missing.send(page(), "1").await, Handed::Deferred(_)));
    }

    #[tokio::test]
    async fn a_connection_gets_samples() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let feed = Feed::new(Rate::Bps1200, Outlet::Tcp("127.0.0.1".into(), port));
        let take = async {
            let mut all = Vec::new();
            listener.accept().await.unwrap().0.read_to_end(&mut all).await.unwrap();
            all.len()
        };
        let (sent, taken) = tokio::join!(feed.send(page(), "1"), take);
        assert_eq!((sent, taken), (Handed::Accepted(None), expected().len() * 2));
        drop(listener);
        assert!(matches!(feed.send(page(), "1").await, Handed::Deferred(_)));
    }
}
