//! The server that a dialogue talks to: our own in this process, or any other at an address.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;

use super::{PASSWORD, Way};
use crate::client::Client;
use crate::clock;
use crate::server::{Ending, StoreFault, TestOptions, TestServer};

/// How long anything may take on a server that is not in this process. Only a safety net.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Where the connections of a dialogue go.
pub enum Target {
    /// The server in this process, not started yet; time is virtual.
    Ours,
    /// The same, running.
    Running(Box<TestServer>),
    /// A server at this address for `localhost`, that lets plain connections authenticate and register.
    At {
        /// Where it listens.
        address: SocketAddr,
        /// Registered there by this dialogue, and removed at its end.
        accounts: Vec<String>,
    },
}

impl Target {
    /// The domain that all dialogues are about.
    pub(super) const DOMAIN: &str = "localhost";

    pub(super) async fn start(&mut self, options: TestOptions) -> Result<()> {
        match self {
            Target::Ours => *self = Target::Running(Box::new(TestServer::start(options).await?)),
            Target::Running(_) => bail!("the server has been started already"),
            Target::At { .. } => {}
        }
        Ok(())
    }

    pub(super) async fn connect(&self, way: Way) -> Result<Client> {
        match (self, way) {
            (Target::Ours, _) => bail!("the server is not started"),
            (Target::Running(server), Way::Stream) => Ok(Client::new(server.connect(), Target::DOMAIN)),
            (Target::Running(server), Way::WebSocket) => {
                Client::by_web_socket(server.connect_http(), Target::DOMAIN).await
            }
            (Target::Running(server), Way::Bosh) => Ok(Client::by_bosh(server.door(), Target::DOMAIN)),
            (Target::At { .. }, Way::WebSocket | Way::Bosh) => bail!("another server is reached by TCP"),
            (Target::At { address, .. }, Way::Stream) => {
                let connection = TcpStream::connect(address).await.context("connecting")?;
                connection.set_nodelay(true).context("connecting")?;
                Ok(Client::new(connection, Target::DOMAIN))
            }
        }
    }

    /// A connection to the door of components.
    pub(super) fn connect_component(&mut self, host: &str) -> Result<Client> {
        Ok(Client::component(self.ours()?.connect_component(), Target::DOMAIN, host))
    }

    /// Create an account; its number, if the server has numbers.
    pub(super) async fn create_account(&mut self, name: &str) -> Result<Option<u64>> {
        if let Target::Running(server) = self {
            return server.create_account(name, PASSWORD).await.map(Some);
        }
        let mut client = self.connect(Way::Stream).await?;
        client.open_for_features().await?;
        client.register(name, PASSWORD).await?;
        if let Target::At { accounts, .. } = self {
            accounts.push(name.to_owned());
        }
        Ok(None)
    }

    /// Leave nothing behind on a server that others use too.
    pub(super) async fn clean_up(&mut self) -> Result<()> {
        let accounts = match self {
            Target::At { accounts, .. } => std::mem::take(accounts),
            Target::Ours | Target::Running(_) => return Ok(()),
        };
        for account in accounts {
            let mut client = self.connect(Way::Stream).await?;
            client.sign_in(&account, PASSWORD, "clean-up").await?;
            client.unregister().await?;
        }
        Ok(())
    }

    /// The server in this process, for what only it can do.
    pub(super) fn ours(&mut self) -> Result<&mut TestServer> {
        match self {
            Target::Running(server) => Ok(server),
            Target::Ours | Target::At { .. } => bail!("only the server in this process can do this"),
        }
    }

    /// Restart; meanwhile time passes, since a server that ends gives its clients some to say goodbye.
    pub(super) async fn restart(&mut self, ending: Ending, away: Duration) -> Result<()> {
        let passing = async {
            loop {
                clock::pass(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            biased;
            restarted = self.ours()?.restart_after(ending, away) => restarted,
            () = passing => Ok(()),
        }
    }

    pub(super) fn set_store_fault(&mut self, fault: Option<StoreFault>) -> Result<()> {
        self.ours()?.set_store_fault(fault);
        Ok(())
    }

    /// Wait for something with the patience that this server deserves; in process the watchdog is the limit.
    pub(super) async fn patiently<T>(&self, what: impl Future<Output = Result<T>>) -> Result<T> {
        match self {
            Target::Ours | Target::Running(_) => what.await,
            Target::At { .. } => tokio::time::timeout(PATIENCE, what)
                .await
                .unwrap_or_else(|_| bail!("nothing came in {PATIENCE:?}")),
        }
    }
}
