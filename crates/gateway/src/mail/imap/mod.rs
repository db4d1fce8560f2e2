//! Mail programs read by IMAP (RFC 9051, RFC 3501): folders of the account's mails, beside the conversations that the same mails are
//! messages of. How the two stand to each other says docs/decisions/0007.
//!
//! Reads along in this order: `wire.rs` (bytes to commands), `parse/` (what they mean), `session.rs` (what may be said when), then a
//! file for each kind of command. What a mail is made of is in `mime/`; it is read anew for who asks, and nothing of it is kept.

mod answer;
mod door;
mod fetch;
mod folders;
mod idle;
pub mod limits;
mod load;
mod mails;
mod mime;
mod own;
mod parse;
mod search;
mod selected;
mod session;
mod sign_in;
mod wire;

pub use door::Place;

use super::smtp::Carrier;
use super::{Deposit, SignIn, StartTls};
use door::Door;
use rookery_core::Core;
use rookery_store::FileToken;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How long to wait when the system has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(200);

/// Bytes of an upload, so many from this place on; `None`: it is not there.
pub type Fetch = dyn Fn(FileToken, u64, u64) -> Pin<Box<dyn Future<Output = io::Result<Option<Vec<u8>>>> + Send>>
    + Send
    + Sync;

/// What the operator decided.
#[derive(Clone)]
pub struct Settings {
    /// The domain that people's addresses are at.
    pub domain: String,
    /// What the server calls itself.
    pub hostname: String,
    /// The largest mail that may be brought, bytes.
    pub largest: usize,
    /// Where there is any.
    pub tls: Option<StartTls>,
}

/// What is done for mail programs elsewhere in the server.
pub struct Ways {
    /// Checks who somebody is.
    pub sign_in: Arc<SignIn>,
    /// Keeps a mail that is brought.
    pub deposit: Arc<Deposit>,
    /// Reads a mail that is kept.
    pub fetch: Arc<Fetch>,
}

/// What all connections share.
pub struct Server {
    core: Arc<Core>,
    settings: Settings,
    ways: Ways,
    door: Arc<Door>,
    /// Places for large mails.
    large: Arc<Semaphore>,
    /// Turns to look into mails for words.
    searches: Arc<Semaphore>,
}

impl Server {
    /// Nobody is connected yet.
    pub fn new(core: Arc<Core>, settings: Settings, ways: Ways) -> Arc<Server> {
        Arc::new(Server {
            core,
            settings,
            ways,
            door: Arc::default(),
            large: Arc::new(Semaphore::new(limits::LARGE_AT_ONCE)),
            searches: Arc::new(Semaphore::new(limits::SEARCHES_AT_ONCE)),
        })
    }

    /// A place for a connection, if there is one.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        self.door.enter(peer)
    }
}

/// Accepts connections until it is dropped, and they with it; `tls`: it comes first (RFC 8314 §3.2).
pub async fn run(server: Arc<Server>, listener: TcpListener, tls: bool) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            // Small writes go out at once.
            Ok((stream, peer)) if stream.set_nodelay(true).is_ok() => {
                if let Some(place) = server.enter(peer.ip()) {
                    connections.spawn(serve(server.clone(), stream, peer.ip(), place, tls));
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no mail program can be accepted at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}

/// Serves one connection.
pub async fn serve(server: Arc<Server>, stream: impl Carrier + Sync, peer: IpAddr, place: Place, tls: bool) {
    let mut wire = wire::Wire::new(stream, false);
    if tls {
        let Some(config) = server.settings.tls.as_ref().map(|tls| tls()) else { return };
        wire = match wire.start_tls(config).await {
            Ok(wire) => wire,
            Err(broken) => {
                tracing::debug!(%peer, ?broken, "a mail program does not get into TLS");
                return;
            }
        };
    }
    session::Session::new(server, wire, peer).serve().await;
    drop(place);
}
