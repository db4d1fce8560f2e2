//! Connections to other servers: the name is looked up, each address is asked about, and the connection goes to the
//! address that was allowed, so that no second look-up can lead elsewhere.

use super::Reach;
use axum::http::Uri;
use axum::http::uri::Scheme;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tower_service::Service;

/// For the look-up, the connection and TLS together.
const CONNECT: Duration = Duration::from_secs(10);

/// Addresses of one name that are tried, in the system's order.
const ADDRESSES: usize = 4;

/// Why there is no connection.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DialError {
    /// It is no address of HTTP.
    #[error("this is no address of http or https")]
    Address,
    /// The name leads to the inside of the network only.
    #[error("this leads to an internal address")]
    Internal,
    /// It took longer than it may.
    #[error("there was no connection in time")]
    TimedOut,
    /// Nobody is there, or nobody who can be trusted.
    #[error("there is no connection: {0}")]
    Failed(String),
}

impl From<io::Error> for DialError {
    fn from(error: io::Error) -> DialError {
        DialError::Failed(error.to_string())
    }
}

/// What bytes go over.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection.
pub struct Line(Box<dyn Stream>);

impl Line {
    /// A connection over this.
    pub fn new(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Line {
        Line(Box::new(stream))
    }
}

/// Makes a connection to where an address leads.
pub type Dial = Arc<dyn Fn(&Uri) -> Dialling + Send + Sync>;

/// A connection that is being made.
pub type Dialling = Pin<Box<dyn Future<Output = Result<Line, DialError>> + Send>>;

/// Makes the pool's connections.
#[derive(Clone)]
pub(super) enum Dialer {
    Network { reach: Arc<Reach>, tls: Arc<ClientConfig> },
    Given(Dial),
}

/// TLS as a client that trusts these authorities.
pub(super) fn trusting(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

impl Dialer {
    pub(super) fn network(reach: Reach, roots: RootCertStore) -> Dialer {
        Dialer::Network { reach: Arc::new(reach), tls: trusting(roots) }
    }

    fn dial(&self, uri: &Uri) -> Dialling {
        match self {
            Dialer::Given(dial) => dial(uri),
            Dialer::Network { reach, tls } => {
                let (uri, reach, tls) = (uri.clone(), reach.clone(), tls.clone());
                Box::pin(async move {
                    let line = tokio::time::timeout(CONNECT, connect(&uri, &reach, tls));
                    line.await.unwrap_or(Err(DialError::TimedOut))
                })
            }
        }
    }
}

async fn connect(uri: &Uri, reach: &Reach, tls: Arc<ClientConfig>) -> Result<Line, DialError> {
    let host = uri.host().ok_or(DialError::Address)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let (secure, usual) = match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => (true, 443),
        Some(scheme) if *scheme == Scheme::HTTP => (false, 80),
        _ => return Err(DialError::Address),
    };
    let stream = reached(host, uri.port_u16().unwrap_or(usual), reach).await?;
    if !secure {
        return Ok(Line::new(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|_| DialError::Address)?;
    Ok(Line::new(TlsConnector::from(tls).connect(name, stream).await?))
}

/// A connection to the first address that may be asked and answers.
async fn reached(host: &str, port: u16, reach: &Reach) -> Result<TcpStream, DialError> {
    let mut error = DialError::Failed("the name has no address".to_owned());
    let mut tried = 0;
    for address in tokio::net::lookup_host((host, port)).await? {
        if !reach.has(address.ip()) {
            error = DialError::Internal;
            continue;
        }
        if tried == ADDRESSES {
            break;
        }
        tried += 1;
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(refused) => error = refused.into(),
        }
    }
    Err(error)
}

/// The authorities that the system trusts. Without any, nobody can be asked over TLS: said in the log, not fatal, as a
/// server that asks nobody needs none.
pub(super) fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!("the system has no certificate authorities: no other server can be asked over TLS");
    }
    roots
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Line>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Line>, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let line = self.dial(&uri);
        Box::pin(async move { line.await.map(TokioIo::new) })
    }
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
