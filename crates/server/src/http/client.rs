//! HTTP requests that the server makes itself: push services (RFC 8030), stores of objects, hooks. HTTP/1.1, over TLS or not;
//! redirections are not followed, because whoever names an address answers for that one only.
//!
//! A client has one pool of connections. Whose address was named by people has one that reaches the public network only
//! ([`Reach`]); what the operator named is asked through another, so that a connection to the inside is never shared.

mod dial;
mod reach;

pub use dial::{Dial, DialError, Dialling, Line};
pub use reach::{Reach, is_public};

use super::body::{self, NoBody};
use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use dial::Dialer;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Requests under way at a time; the next one waits. Many times what push and files need on a busy server, and few beside the
/// file descriptors of its clients.
const AT_ONCE: usize = 256;

/// How long a request waits for its turn.
pub const WAIT: Duration = Duration::from_secs(5);

/// Connections kept for the next request to the same server.
const IDLE_PER_HOST: usize = 8;

/// How long they are kept: most servers close theirs after a minute.
const IDLE: Duration = Duration::from_secs(30);

/// Bytes of a response's head, and of what is read at a time.
const HEAD_BYTES: usize = 32 << 10;

/// Bounds of one request.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From the request's turn, which it has within [`WAIT`] or not at all, to the end of the response.
    pub time: Duration,
    /// Bytes of the response's body.
    pub body: usize,
}

/// Why there is no response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Too many others are under way.
    #[error("too many requests are under way")]
    Busy,
    /// There was no connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// It took longer than it may.
    #[error("there was no answer in time")]
    TimedOut,
    /// The response is larger than it may be.
    #[error("the answer is too large")]
    TooLarge,
    /// The other side broke off, or speaks no HTTP.
    #[error("the other side does not answer as it should: {0}")]
    Broken(String),
}

/// Makes requests; clones share the pool.
#[derive(Clone)]
pub struct Client {
    pool: legacy::Client<Dialer, Body>,
    turns: Arc<Semaphore>,
}

/// TLS as a client that trusts the authorities that the system trusts.
pub fn system_tls() -> Arc<ClientConfig> {
    dial::trusting(dial::system_roots())
}

impl Client {
    /// A client that trusts whom the system trusts, and reaches so far.
    pub fn new(reach: Reach) -> Client {
        Client::dialing(Dialer::network(reach, dial::system_roots()))
    }

    /// A client that trusts these authorities instead.
    pub fn trusting(roots: rustls::RootCertStore, reach: Reach) -> Client {
        Client::dialing(Dialer::network(reach, roots))
    }

    /// A client whose connections are made by `dial`, so that tests can answer in memory.
    pub fn through(dial: Dial) -> Client {
        Client::dialing(Dialer::Given(dial))
    }

    fn dialing(dialer: Dialer) -> Client {
        let pool = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .http1_max_buf_size(HEAD_BYTES)
            .build(dialer);
        Client { pool, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Makes a request and reads the whole response.
    pub async fn send(&self, request: Request<Body>, bounds: Bounds) -> Result<Response<Bytes>, Error> {
        let whole = async {
            let (head, incoming) = self.begin(request).await?.into_parts();
            match body::collect(Body::new(incoming), bounds.body, |_| bounds.body).await {
                Ok(bytes) => Ok(Response::from_parts(head, bytes.into())),
                Err(NoBody::TooLarge) => Err(Error::TooLarge),
                Err(NoBody::TooSlow) => Err(Error::TimedOut),
                Err(NoBody::Broken) => Err(Error::Broken("the answer ends too early".to_owned())),
            }
        };
        self.in_turn(whole, bounds.time).await
    }

    /// Makes a request, and gives the response when its head is there, within `time` of its turn. What is read of the body, and
    /// for how long, is the caller's to bound.
    pub async fn open(&self, request: Request<Body>, time: Duration) -> Result<Response<Incoming>, Error> {
        self.in_turn(self.begin(request), time).await
    }

    /// Waits for a turn, and then for as long as the work may take.
    async fn in_turn<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
        time: Duration,
    ) -> Result<T, Error> {
        let turn = tokio::time::timeout(WAIT, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Error::Busy)?;
        tokio::time::timeout(time, work).await.unwrap_or(Err(Error::TimedOut))
    }

    async fn begin(&self, request: Request<Body>) -> Result<Response<Incoming>, Error> {
        self.pool.request(request).await.map_err(|error| {
            let dialled = error.source().and_then(|source| source.downcast_ref::<DialError>());
            match dialled {
                Some(dialled) => Error::Dial(dialled.clone()),
                None => Error::Broken(error.to_string()),
            }
        })
    }
}

#[cfg(test)]
mod tests;
