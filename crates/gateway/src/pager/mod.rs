//! The paging station: pages come in and go out by the protocols that paging has. A page that comes in becomes a message in the
//! timeline of the account whose number it was sent to, from the caller at `pager.DOMAIN`; what is answered there is an answer to
//! the page.

mod address;
pub(crate) mod answers;
pub mod carrier;
pub mod channel;
pub mod feed;
mod incoming;
pub mod limits;
mod lines;
pub mod page;
pub mod pocsag;
pub mod snpp;
mod stanza;
pub mod tap;

pub use crate::guard::Place;
pub use address::{number, reaches};
pub use stanza::PAGE;

use crate::duty::Desk;
use crate::guard::{Allowance, Guard, Tally};
use crate::people::People;
use rookery_core::Core;
use rookery_core::component::Component;
use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What the operator decided about paging.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domain that people's addresses are at: the server's own.
    pub domain: String,
    /// The host that callers are at inside.
    pub host: String,
}

/// What pages come in by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// RFC 1861.
    Snpp,
    /// The Telocator Alphanumeric Protocol, without a modem.
    Tap,
}

/// Callers as they are inside.
const PEOPLE: People = People { name: "Pagers", kind: "pager", outside: address::outside, card: |_, _| {} };

/// What callers may take.
const ALLOWANCE: Allowance = Allowance {
    connections: limits::CONNECTIONS,
    per_address: limits::CONNECTIONS_PER_ADDRESS,
    guesses: limits::GUESSES,
    guessing: limits::HOUR,
};

/// How long to wait when the system has no descriptors left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(200);

/// The paging station of one server.
pub struct Gateway {
    core: Arc<Core>,
    component: Arc<Component>,
    settings: Settings,
    guard: Arc<Guard>,
    /// Pages of each address.
    pages: Tally,
    /// Where groups of people are on duty, if there are any.
    desk: Option<Arc<Desk>>,
    /// Held while the outbox is looked through.
    posting: tokio::sync::Mutex<()>,
}

impl Gateway {
    /// The paging station, which pages groups through `desk`; `None` if core has no gateway at its host.
    pub fn new(core: Arc<Core>, settings: Settings, desk: Option<Arc<Desk>>) -> Option<Arc<Gateway>> {
        let component = core.components.of(&settings.host).filter(|it| it.is_gateway())?.clone();
        let guard = Arc::new(Guard::new(ALLOWANCE));
        let pages = Tally::new(limits::PAGES_PER_HOUR, limits::HOUR);
        Some(Arc::new(Gateway { core, component, settings, guard, pages, desk, posting: Default::default() }))
    }

    /// A place for a connection, if there is one.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        self.guard.enter(peer)
    }

    /// Speaks for the callers, and gives them answers, for as long as it is polled.
    pub async fn run(self: Arc<Gateway>) {
        tokio::join!(self.speak(), self.answer());
    }

    async fn speak(&self) {
        let mut outlet = self.component.connect();
        while let Some(stanza) = poll_fn(|cx| outlet.poll_next(cx)).await {
            PEOPLE.asked(&self.core, &self.component, &stanza).await;
        }
    }
}

/// Accepts connections until it is dropped, and they with it.
pub async fn run(gateway: Arc<Gateway>, protocol: Protocol, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, peer)) if stream.set_nodelay(true).is_ok() => {
                if let Some(place) = gateway.enter(peer.ip()) {
                    let (gateway, peer) = (gateway.clone(), peer.ip());
                    match protocol {
                        Protocol::Snpp => connections.spawn(snpp::serve(gateway, stream, peer, place)),
                        Protocol::Tap => connections.spawn(tap::serve(gateway, stream, peer, place)),
                    };
                }
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "no pages can be accepted at the moment");
                tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
            }
        }
    }
}
