//! Mail comes in by SMTP (RFC 5321), from other servers and from people's programs: one connection, from its greeting to its end.

pub mod anyone;
pub(crate) mod client;
mod content;
mod front;
mod session;
mod sign_in;
mod wire;

pub use wire::Carrier;

use super::{Gateway, Place, Submission};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

/// How long to wait when the system has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(200);

/// Accepts connections until it is dropped, and they with it.
pub async fn run(gateway: Arc<Gateway>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            // Small writes go out at once.
            Ok((stream, peer)) if stream.set_nodelay(true).is_ok() => {
                // Where there is no place the connection ends; the peer comes again (RFC 5321 §4.5.4.1).
                if let Some(place) = gateway.enter(peer.ip()) {
                    connections.spawn(serve(gateway.clone(), stream, peer.ip(), place));
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no mail can be accepted at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

/// Accepts connections of the operator's own front server, by LMTP (RFC 2033), until it is dropped.
pub async fn run_front(gateway: Arc<Gateway>, door: Door) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // Where there is no place it waits for one: nobody but the operator's server comes here.
        let Ok(place) = gateway.front.clone().acquire_owned().await else { return };
        let accepted = match &door {
            Door::Address(listener) => listener.accept().await.map(|(stream, peer)| {
                // Small writes go out at once; where they do not, they go out later.
                stream.set_nodelay(true).ok();
                (Box::new(stream) as Box<dyn Carrier>, peer.ip())
            }),
            Door::Socket(listener) => listener
                .accept()
                .await
                .map(|(stream, _)| (Box::new(stream) as Box<dyn Carrier>, IpAddr::V4(Ipv4Addr::LOCALHOST))),
        };
        match accepted {
            Ok((stream, peer)) => {
                let gateway = gateway.clone();
                connections.spawn(async move {
                    serve_front(gateway, stream, peer).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no mail can be accepted by LMTP at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

/// Where the operator's front server comes in.
pub enum Door {
    /// At an address.
    Address(TcpListener),
    /// At a socket of this machine.
    Socket(UnixListener),
}

/// Serves one connection of the operator's front server.
pub async fn serve_front(gateway: Arc<Gateway>, stream: impl Carrier, peer: IpAddr) {
    session::Session::new(gateway, None, wire::Wire::new(stream), peer).at_front().serve().await;
}

/// Serves one connection.
pub async fn serve(gateway: Arc<Gateway>, stream: impl Carrier, peer: IpAddr, place: Place) {
    session::Session::new(gateway, None, wire::Wire::new(stream), peer).serve().await;
    drop(place);
}

/// Accepts connections of people's programs until it is dropped, and they with it; `tls`: it comes first (RFC 8314 §3.3).
pub async fn run_submission(submission: Arc<Submission>, listener: TcpListener, tls: bool) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) if stream.set_nodelay(true).is_ok() => {
                if let Some(place) = submission.enter(peer.ip()) {
                    connections.spawn(serve_program(submission.clone(), stream, peer.ip(), place, tls));
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no program that sends can be accepted at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

/// Serves one connection of a program that sends.
pub async fn serve_program(
    submission: Arc<Submission>,
    stream: impl Carrier,
    peer: IpAddr,
    place: Place,
    tls: bool,
) {
    let gateway = submission.gateway.clone();
    let mut wire = wire::Wire::new(stream);
    if tls {
        let Some(config) = gateway.settings.tls.as_ref().map(|tls| tls()) else { return };
        wire = match wire.start_tls(config).await {
            Ok(wire) => wire,
            Err(broken) => {
                tracing::debug!(%peer, ?broken, "a program that sends does not get into TLS");
                return;
            }
        };
    }
    session::Session::new(gateway, Some(submission), wire, peer).serve().await;
    drop(place);
}
