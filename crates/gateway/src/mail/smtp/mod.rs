//! Mail comes in by SMTP (RFC 5321), from other servers and from people's programs: one connection, from its greeting to its end.

pub mod anyone;
pub(crate) mod client;
mod content;
mod session;
mod sign_in;
mod wire;

pub use wire::Carrier;

use super::{Gateway, Place, Submission};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
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
