//! The server as a process of its own, to be killed.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;

use super::history::Account;
use crate::client::Client;
use crate::dialogue::PASSWORD;

/// How long a server may take to open its store and accept.
const STARTING: Duration = Duration::from_secs(30);

/// How a server is run. It serves `localhost`, lets plain connections authenticate and register, and keeps what it
/// has where it kept it the last time.
#[derive(Clone, Debug)]
pub struct Server {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Added to its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it listens for clients.
    pub address: SocketAddr,
    /// What it writes on its standard streams is appended to this file.
    pub log: PathBuf,
    /// The file that tells its disk how to fail, if it has such a disk.
    pub disk: Option<PathBuf>,
}

/// A server that runs; killed when dropped.
pub(super) struct Running(Child);

impl Server {
    /// Start it on a healthy disk, and wait until it speaks.
    pub(super) async fn start(&self) -> Result<Running> {
        self.set_disk("")?;
        let (program, arguments) = self.command.split_first().context("no program to run")?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .context("opening the server's log")?;
        let child = Command::new(program)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("opening the server's log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        let mut running = Running(child);
        let started = Instant::now();
        while self.features().await.is_err() {
            if let Some(status) = running.0.try_wait().context("waiting for the server")? {
                bail!("the server ended by itself ({status}); see {}", self.log.display());
            }
            if started.elapsed() > STARTING {
                bail!("the server does not answer at {}; see {}", self.address, self.log.display());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(running)
    }

    /// Tell the disk how to fail from now on; nothing happens if it cannot be told.
    pub(super) fn set_disk(&self, fault: &str) -> Result<()> {
        let Some(disk) = &self.disk else { return Ok(()) };
        // Put there in one piece, for the server reads it at any time.
        let new = disk.with_extension("new");
        std::fs::write(&new, fault)
            .and_then(|()| std::fs::rename(&new, disk))
            .context("telling the disk to fail")
    }

    async fn features(&self) -> Result<()> {
        let mut client = self.connect().await?;
        let features = tokio::time::timeout(Duration::from_secs(5), client.open_for_features());
        features.await.context("no features")?.map(drop)
    }

    /// Makes the first so many accounts.
    pub(super) async fn register(&self, count: usize) -> Result<()> {
        for account in (0..count).map(Account) {
            let mut client = self.connect().await?;
            client.open_for_features().await?;
            client.register(&account.name(), PASSWORD).await?;
        }
        Ok(())
    }

    /// A client with a fresh connection.
    pub(super) async fn connect(&self) -> Result<Client> {
        let connection = TcpStream::connect(self.address).await.context("connecting")?;
        connection.set_nodelay(true).context("connecting")?;
        Ok(Client::new(connection, "localhost"))
    }
}

impl Running {
    /// SIGKILL: it cannot prepare for it. An error if it had ended before.
    pub(super) fn kill(mut self) -> Result<()> {
        if let Some(status) = self.0.try_wait().context("looking at the server")? {
            bail!("the server ended by itself: {status}");
        }
        self.0.kill().context("killing the server")?;
        self.0.wait().context("waiting for the server").map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nothing can be done here about a process that is already gone.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
