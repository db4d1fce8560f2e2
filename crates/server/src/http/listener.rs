//! The doors for HTTP: requests within bounds of size and time, and what a connection becomes after them.

use super::patience::Patience;
use super::visitor::Wire;
use super::websocket::{self, Admitted};
use super::{Web, router};
use crate::net::Arrival;
use crate::net::listener::{Place, accept};
use crate::net::transport::{Carrier, Transport};
use crate::tls::Tls;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rookery_proto::sasl::ChannelBindings;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(15);

/// How long the head of a request may take, the time before its first byte included: who asks nothing for so long may
/// connect anew. Longer than a request of BOSH waits, so that the second connection of its client stays.
const HEAD: Duration = Duration::from_secs(75);

/// Bytes that are read before they are looked at: the head of a request, and portions of its body.
const HEAD_BYTES: usize = 16 << 10;

/// Headers of a request: browsers send some twenty, proxies add a few.
const HEADERS: usize = 64;

/// The paths, and what serves them.
#[derive(Clone)]
pub struct Http {
    web: Arc<Web>,
    router: TowerToHyperService<Router>,
}

impl Http {
    /// Everything that `web` offers.
    pub fn new(web: Arc<Web>) -> Http {
        Http { router: TowerToHyperService::new(router(web.clone())), web }
    }

    /// Accepts connections until it is dropped; with `tls`, they begin with it.
    pub async fn run(self, listener: TcpListener, tls: Option<Arc<Tls>>) {
        loop {
            let (stream, peer) = accept(&listener).await;
            let Some(place) = self.enter(peer) else {
                tracing::warn!(%peer, "too many connections; one is turned away");
                continue;
            };
            tokio::spawn(self.clone().serve(stream, peer, tls.clone(), place));
        }
    }

    /// A place for a connection. Through a proxy come many, who are counted when they are known.
    pub fn enter(&self, peer: IpAddr) -> Option<Place> {
        let proxy = self.web.settings.proxies.iter().any(|network| network.contains(peer));
        self.web.admission.enter(Some(peer).filter(|_| !proxy))
    }

    /// Serves a connection from its first byte to its last.
    pub async fn serve<S: Carrier>(self, stream: S, peer: IpAddr, tls: Option<Arc<Tls>>, place: Place) {
        let web = self.web.clone();
        // Boxed, so that what requests need is gone when a WebSocket goes on without them.
        let next = Box::pin(self.requests(stream, peer, tls, place)).await;
        if let Some((arrival, admitted)) = next {
            websocket::serve(web, arrival, admitted).await;
        }
    }

    /// Answers requests until there are no more; what the connection is then.
    async fn requests<S: Carrier>(
        self,
        stream: S,
        peer: IpAddr,
        tls: Option<Arc<Tls>>,
        place: Place,
    ) -> Option<(Box<Arrival<S>>, Admitted)> {
        let (transport, bindings) = match tls {
            Some(tls) => secured(stream, &tls).await?,
            None => (Transport::Plain(stream), None),
        };
        let wire = Wire { peer, tls: bindings, place: Arc::new(place), next: Arc::default() };
        let next = wire.next.clone();
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(wire.clone());
            router.call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES).max_headers(HEADERS);
        let connection =
            http.serve_connection(TokioIo::new(Patience::new(transport)), service).with_upgrades();
        if let Err(error) = connection.await {
            tracing::debug!(%peer, %error, "a connection for HTTP ends");
        }
        let upgrade = next.lock().take()?;
        websocket::take_over(upgrade).await
    }
}

/// TLS as a browser speaks it, and what can be bound to it.
async fn secured<S: Carrier>(stream: S, tls: &Tls) -> Option<(Transport<S>, Option<ChannelBindings>)> {
    let identity = tls.current();
    let acceptor = tokio_rustls::TlsAcceptor::from(identity.http.clone());
    let stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await.ok()?.ok()?;
    let bindings = identity.channel_bindings(stream.get_ref().1);
    Some((Transport::Tls(Box::new(stream)), Some(bindings)))
}
