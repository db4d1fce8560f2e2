//! Connections: from the listener to the session and back.

pub mod component;
pub mod connection;
pub mod framing;
pub mod keepalive;
pub mod listener;
pub mod negotiation;
pub mod password;
pub mod registration;
pub mod throttle;
pub mod transport;

use crate::tls::Tls;
use connection::Connection;
use framing::Framing;
use negotiation::Negotiation;
use rookery_core::{Core, limits};
use rookery_proto::sasl::ChannelBindings;
use rookery_proto::stream::StreamError;
use rookery_proto::xml::Limits;
use std::net::IpAddr;
use std::sync::Arc;
use throttle::Throttle;
use tokio::sync::OwnedSemaphorePermit;
use transport::{Carrier, Conn, Transport};

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
    /// What the operator decided about connections.
    pub settings: Settings,
}

impl Server {
    /// A server around `core` that nobody has failed at yet.
    pub fn new(core: Arc<Core>, tls: Option<Arc<Tls>>, settings: Settings) -> Server {
        let sign_ups = registration::SignUps::new(settings.registrations_per_hour);
        Server { core, tls, throttle: Throttle::default(), sign_ups, settings }
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

/// A connection before its first element. It is handed on in a box: a future keeps the room of what is moved within it.
pub struct Arrival<S> {
    /// What it is made of.
    pub conn: Conn<S>,
    /// Where it comes from.
    pub peer: IpAddr,
    /// Nobody on the way can read along, so that secrets may pass.
    pub secure: bool,
    /// What an authentication can be bound to: the TLS that we ended ourselves.
    pub bindings: ChannelBindings,
}

impl<S: Carrier> Arrival<S> {
    /// A connection as a listener accepts it: a stream in the clear.
    pub fn plain(stream: S, peer: IpAddr) -> Box<Arrival<S>> {
        let conn = Conn::new(Transport::Plain(stream), Framing::stream(Limits::unauthenticated()));
        Box::new(Arrival { conn, peer, secure: false, bindings: ChannelBindings::default() })
    }
}

/// Serves one connection from its first byte to its last. `direct`: TLS comes first (XEP-0368). `turn` is given back
/// when the connection has signed in.
pub async fn serve<S: Carrier>(
    server: Arc<Server>,
    arrival: Box<Arrival<S>>,
    direct: bool,
    turn: Option<OwnedSemaphorePermit>,
) {
    // Boxed, so that what only the negotiation needs is gone when it is over.
    let mut bound = Box::pin(negotiate(server, arrival, direct)).await;
    drop(turn);
    // By reference, for the same reason.
    if let Some(connection) = &mut bound {
        connection.run().await;
    }
}

async fn negotiate<S: Carrier>(
    server: Arc<Server>,
    arrival: Box<Arrival<S>>,
    direct: bool,
) -> Option<Connection<S>> {
    let (core, peer) = (server.core.clone(), arrival.peer);
    let mut negotiation = Negotiation::new(server, *arrival);
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
