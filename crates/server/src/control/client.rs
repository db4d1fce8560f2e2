//! The command's end: a running server, or the store itself where none runs.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rookery_core::accounts::{Accounts, Hasher};
use rookery_core::env::Env;
use rookery_core::export::Desk;
use rookery_store::Store;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::JoinHandle;

use super::socket::{read_line, write_line};
use super::{Admin, Request, Response};
use crate::config::Config;
use crate::data::{DataLock, control_socket, store_file, store_options};
use crate::export;
use crate::files::Storage;

/// Whom a command talks to.
pub enum Control {
    /// The running server.
    Running(BufReader<OwnedReadHalf>, OwnedWriteHalf),
    /// No server runs: the store is opened by the command.
    Alone {
        /// Carries out the requests.
        admin: Box<Admin>,
        /// The open store.
        store: Store,
        /// Writes exports that are ordered.
        exports: JoinHandle<()>,
        /// Keeps a server from starting meanwhile.
        lock: DataLock,
    },
}

impl Control {
    /// Connects to the running server, or opens the store. A store that is not there is only made if `make`.
    pub async fn open(config: &Config, make: bool) -> Result<Control> {
        if let Some(stream) = connect(&config.data).await? {
            let (reader, writer) = stream.into_split();
            return Ok(Control::Running(BufReader::new(reader), writer));
        }
        let there = store_file(&config.data).exists();
        if !there && !make {
            bail!(
                "There are no accounts in {}. Name the server's data directory with --data, or its configuration with \
                 --config.",
                config.data.display()
            );
        }
        let lock = DataLock::take(&config.data)?;
        let env = Env::system();
        let store = Store::open(store_options(config), Box::new(|_, _| ()))
            .await
            .with_context(|| format!("The store in {} cannot be opened", config.data.display()))?;
        if !there {
            eprintln!("A new data directory was made: {}", config.data.display());
        }
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        let hasher = Hasher::new(at_once);
        let accounts =
            Accounts::new(store.clone(), env.clone(), config.domain.clone(), config.scram_iterations, hasher)
                .with_groups_at(config.groups_host())
                .reached_at(config.public_url());
        let desk = Arc::new(Desk::default());
        let bucket = config.bucket();
        let storage = Storage::at(&config.data, bucket.as_ref(), env.clone())
            .context("The place of uploaded files cannot be reached")?;
        let data = config.data.clone();
        let exports = export::run(store.clone(), env.clone(), desk.clone(), data, Some(Arc::new(storage)));
        let exports = tokio::spawn(exports);
        let admin = Box::new(Admin::alone(accounts, store.clone(), env, desk, config.quota()));
        Ok(Control::Alone { admin, store, exports, lock })
    }

    /// Asks, and takes the answer; a refusal is an error.
    pub async fn ask(&mut self, request: Request) -> Result<Response> {
        let response = match self {
            Control::Running(reader, writer) => {
                let exchange = async {
                    write_line(writer, &request).await?;
                    read_line(reader).await
                };
                let gone = "The server ended before it answered. Whether it did what was asked is not known";
                exchange.await.context(gone)?.context(gone)?
            }
            Control::Alone { admin, .. } => admin.handle(request).await,
        };
        match response {
            Response::Refused { why } => bail!("{why}"),
            response => Ok(response),
        }
    }

    /// Sees to it that all is on disk.
    pub async fn close(self) -> Result<()> {
        match self {
            Control::Running(..) => Ok(()),
            Control::Alone { store, exports, lock, .. } => {
                exports.abort();
                store.close().await.context("The store could not be closed")?;
                drop(lock);
                Ok(())
            }
        }
    }
}

/// The running server, if there is one.
async fn connect(data: &Path) -> Result<Option<UnixStream>> {
    let path = control_socket(data);
    match UnixStream::connect(&path).await {
        Ok(stream) => Ok(Some(stream)),
        // No socket, or one that a server left that was killed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(None)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            bail!("The server runs as another user: run this command as that user, or with sudo.")
        }
        Err(error) => {
            Err(error).with_context(|| format!("The server's socket {} cannot be opened", path.display()))
        }
    }
}
