//! Connections: from the listener to the session and back.

pub mod connection;
pub mod keepalive;
pub mod listener;
pub mod negotiation;
pub mod registration;
pub mod throttle;
pub mod transport;

use crate::tls::Tls;
use connection::Connection;
use negotiation::Negotiation;
use rookery_core::{Core, limits};
use rookery_proto::stream::StreamError;
use std::net::IpAddr;
use std::sync::Arc;
use throttle::Throttle;
use tokio::sync::OwnedSemaphorePermit;
use transport::Carrier;

/// What connections share besides core.
pub struct Server {
    /// Accounts, sessions, messages.
    pub core: Arc<Core>,
    /// Certificates; without them there is no TLS.
    pub tls: Option<Arc<Tls>>,
    /// Failed authentications.
    pub throttle: Throttle,
    /// Sign-ups so far.
    pub sign_ups: registration::SignUps,
    /// Makes up the salts of accounts that do not exist; never changes.
    pub decoy: [u8; 32],
    /// What the operator decided about connections.
    pub settings: Settings,
}

impl Server {
    /// A server around `core` that nobody has failed at yet.
    pub fn new(core: Arc<Core>, tls: Option<Arc<Tls>>, settings: Settings, decoy: [u8; 32]) -> Server {
        let sign_ups = registration::SignUps::new(settings.registrations_per_hour);
        Server { core, tls, throttle: Throttle::default(), sign_ups, decoy, settings }
    }
}

/// What the operator decided about connections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Authentication is allowed without TLS.
    pub plain: bool,
    /// Accounts that one address may sign up in an hour.
    pub registrations_per_hour: u32,
}

/// Serves one connection from its first byte to its last. `direct`: TLS comes first (XEP-0368). `turn` is given back
/// when the connection has signed in.
pub async fn serve<S: Carrier>(
    server: Arc<Server>,
    stream: S,
    peer: IpAddr,
    direct: bool,
    turn: Option<OwnedSemaphorePermit>,
) {
    // Boxed, so that what only the negotiation needs is gone when it is over.
    let mut bound = Box::pin(negotiate(server, stream, peer, direct)).await;
    drop(turn);
    // By reference: a future keeps the room of what is moved within it.
    if let Some(connection) = &mut bound {
        connection.run().await;
    }
}

async fn negotiate<S: Carrier>(
    server: Arc<Server>,
    stream: S,
    peer: IpAddr,
    direct: bool,
) -> Option<Connection<S>> {
    let core = server.core.clone();
    let mut negotiation = Negotiation::new(server, stream, peer);
    let outcome = tokio::time::timeout(limits::NEGOTIATION, negotiation.run(direct)).await;
    let stop = match outcome {
        Ok(Ok(())) => {
            let (conn, session) = (negotiation.conn.take()?, negotiation.take_session()?);
            return Some(Connection::new(conn, core, session, std::mem::take(&mut negotiation.items)));
        }
        Ok(Err(stop)) => stop,
        Err(_) => {
            let text = "You took too long to sign in.";
            negotiation::Stop::Error(StreamError::with("connection-timeout", text))
        }
    };
    tracing::debug!(%peer, ?stop, "no session came of a connection");
    if let Some(session) = negotiation.take_session() {
        core.disconnected(&session).await;
    }
    tokio::time::timeout(connection::FAREWELL, negotiation.refuse(stop)).await.ok();
    None
}
