//! TLS: which certificate, how it is read and read again, and what a connection can be bound to.

mod der;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::RwLock;
use rookery_proto::sasl::ChannelBindings;
use rustls::crypto::ring as provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ProtocolVersion, ServerConfig, ServerConnection};
use sha2::{Digest, Sha256, Sha384, Sha512};
use time::UtcDateTime;
use tokio::signal::unix::{SignalKind, signal};

use crate::certificate::{LocalCertificate, LocalError};
use der::{Facts, SignatureHash};

/// How often the certificate's files are looked at: what renews them need not tell us.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// XEP-0368 §3: what direct TLS negotiates.
const ALPN: &[u8] = b"xmpp-client";

/// RFC 7301: what HTTPS negotiates. WebSocket begins with HTTP/1.1 (RFC 6455 §4.1).
const ALPN_HTTP: &[u8] = b"http/1.1";

/// RFC 9266
const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The operator's files: a PEM chain, the server's certificate first, and its key.
    Files {
        /// The chain.
        certificate: PathBuf,
        /// The key, in PKCS #8, PKCS #1 or SEC 1.
        key: PathBuf,
    },
    /// Made by ourselves.
    Local(LocalCertificate),
}

impl Source {
    fn files(&self) -> (PathBuf, PathBuf) {
        match self {
            Source::Files { certificate, key } => (certificate.clone(), key.clone()),
            Source::Local(local) => (local.chain_file(), local.key_file()),
        }
    }
}

/// Why a certificate cannot be used: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The local certificate could not be made.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// A file could not be read.
    #[error(
        "The {what} file {path} cannot be read: {cause}. Check `tls` in the configuration and the file's owner."
    )]
    Read {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A file has not the form that it should have.
    #[error("{path} has no {what} in PEM form. Check that the two files under `tls` are not exchanged.")]
    Pem {
        /// `certificate` or `key`.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The two files do not belong together, or are of a kind that we cannot use.
    #[error("The certificate {certificate} and the key {key} cannot be used together: {cause}.")]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library says.
        cause: rustls::Error,
    },
}

/// One certificate, ready to serve: what a connection takes when it begins and keeps until it is secured.
pub struct Identity {
    /// For connections that begin in the clear (STARTTLS).
    pub starttls: Arc<ServerConfig>,
    /// For connections that begin with TLS (XEP-0368).
    pub direct: Arc<ServerConfig>,
    /// For HTTPS.
    pub http: Arc<ServerConfig>,
    /// Until when the certificate is valid.
    pub not_after: UtcDateTime,
    end_point: Option<Vec<u8>>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

impl Identity {
    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        facts: Facts,
    ) -> Result<Identity, rustls::Error> {
        let end_point = facts.signature_hash.map(|hash| end_point(hash, &chain[0]));
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        // A ticket does not outlive its certificate: a resumed session would be bound to one that the client has not
        // seen (tls-server-end-point).
        config.ticketer = provider::Ticketer::new()?;
        // A client comes back with one connection, and each ticket is sealed anew for it.
        config.send_tls13_tickets = 1;
        let mut direct = config.clone();
        direct.alpn_protocols = vec![ALPN.to_vec()];
        let mut http = config.clone();
        http.alpn_protocols = vec![ALPN_HTTP.to_vec()];
        Ok(Identity {
            starttls: Arc::new(config),
            direct: Arc::new(direct),
            http: Arc::new(http),
            not_after: facts.not_after,
            end_point,
        })
    }

    /// What a connection that was secured with this identity can be bound to. The handshake is over.
    pub fn channel_bindings(&self, connection: &ServerConnection) -> ChannelBindings {
        // RFC 9266: before TLS 1.3 the exporter is unique only with an extension that the library does not tell of.
        let exporter = (connection.protocol_version() == Some(ProtocolVersion::TLSv1_3))
            .then(|| connection.export_keying_material([0; 32], EXPORTER_LABEL, None).ok())
            .flatten();
        ChannelBindings { exporter, server_end_point: self.end_point.clone() }
    }
}

/// RFC 5929 §4.1: the certificate's hash, by the hash of its signature, but not a weak one.
fn end_point(hash: SignatureHash, certificate: &[u8]) -> Vec<u8> {
    match hash {
        SignatureHash::Weak | SignatureHash::Sha256 => Sha256::digest(certificate).to_vec(),
        SignatureHash::Sha384 => Sha384::digest(certificate).to_vec(),
        SignatureHash::Sha512 => Sha512::digest(certificate).to_vec(),
    }
}

/// The first certificate of a PEM file, and until when it is valid.
pub(crate) fn first_certificate(pem: &[u8]) -> Option<(CertificateDer<'static>, UtcDateTime)> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    let facts = Facts::read(&certificate)?;
    Some((certificate, facts.not_after))
}

/// The server's certificate, exchanged without a restart.
#[derive(Debug)]
pub struct Tls {
    source: Source,
    current: RwLock<Arc<Identity>>,
    /// The files' contents when they were last tried, so that the same fault is reported once.
    tried: RwLock<Pem>,
}

/// The contents of the two files.
#[derive(Clone, PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Never the key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pem")
    }
}

impl Tls {
    /// Reads the certificate, making the local one if that is the source.
    pub fn open(source: Source, now: UtcDateTime) -> Result<Tls, TlsError> {
        let pem = read(&source, now)?;
        let identity = parse(&source, &pem)?;
        warn_of_end(&identity, now);
        Ok(Tls { source, current: RwLock::new(Arc::new(identity)), tried: RwLock::new(pem) })
    }

    /// The identity for a connection that begins now.
    pub fn current(&self) -> Arc<Identity> {
        self.current.read().clone()
    }

    /// Takes the files' contents if they have changed; true if there is a new certificate. On an error the old one
    /// stays. Blocks on the disk.
    pub fn reload(&self, now: UtcDateTime) -> Result<bool, TlsError> {
        let pem = read(&self.source, now)?;
        if *self.tried.read() == pem {
            return Ok(false);
        }
        self.tried.write().clone_from(&pem);
        let identity = parse(&self.source, &pem)?;
        warn_of_end(&identity, now);
        *self.current.write() = Arc::new(identity);
        Ok(true)
    }

    /// Reloads each minute and on SIGHUP, for as long as it is polled.
    pub async fn watch(self: Arc<Self>) -> std::io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut last_fault = String::new();
        loop {
            let asked = tokio::time::timeout(LOOK_EVERY, hangup.recv()).await.is_ok();
            let tls = self.clone();
            let outcome = tokio::task::spawn_blocking(move || tls.reload(UtcDateTime::now())).await;
            let fault = match outcome {
                Ok(Ok(true)) => {
                    tracing::info!(until = %self.current().not_after, "new certificate in use");
                    String::new()
                }
                Ok(Ok(false)) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic.to_string(),
            };
            // Each minute the same sentence would only fill the log.
            if !fault.is_empty() && (asked || fault != last_fault) {
                tracing::warn!("{fault} The certificate that was in use stays.");
            }
            last_fault = fault;
        }
    }
}

fn read(source: &Source, now: UtcDateTime) -> Result<Pem, TlsError> {
    if let Source::Local(local) = source {
        local.ensure(now)?;
    }
    let (certificate, key) = source.files();
    let read = |what, path: &Path| {
        std::fs::read(path).map_err(|cause| TlsError::Read { what, path: path.to_owned(), cause })
    };
    Ok(Pem { certificate: read("certificate", &certificate)?, key: read("key", &key)? })
}

fn parse(source: &Source, pem: &Pem) -> Result<Identity, TlsError> {
    let (certificate, key) = source.files();
    let no_certificate = || TlsError::Pem { what: "certificate", path: certificate.clone() };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem.certificate)
        .collect::<Result<_, _>>()
        .map_err(|_| no_certificate())?;
    let facts = chain.first().and_then(|leaf| Facts::read(leaf)).ok_or_else(no_certificate)?;
    let private = PrivateKeyDer::from_pem_slice(&pem.key)
        .map_err(|_| TlsError::Pem { what: "private key", path: key.clone() })?;
    Identity::new(chain, private, facts).map_err(|cause| TlsError::Mismatch { certificate, key, cause })
}

fn warn_of_end(identity: &Identity, now: UtcDateTime) {
    if identity.not_after <= now {
        tracing::warn!(
            "The certificate ended at {}: clients will refuse to connect. Put a new one in its place; \
             it is taken without a restart.",
            identity.not_after
        );
    }
}

#[cfg(test)]
mod tests;
