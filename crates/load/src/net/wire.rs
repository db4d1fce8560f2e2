//! Bytes over a socket, with TLS or without.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme};
use socket2::{Domain, Protocol, Socket, Type};

/// One connection's way to the server.
pub(crate) enum Wire {
    Plain(TcpStream),
    /// Boxed: a plain connection holds no room for it.
    Tls(Box<Secured>),
}

/// A socket with TLS over it.
pub(crate) struct Secured {
    socket: TcpStream,
    session: ClientConnection,
}

/// What a read has brought.
pub(crate) enum Got {
    /// So many bytes; `more` may be there.
    Bytes { count: usize, more: bool },
    /// Nothing now.
    Nothing,
    /// The server has ended the connection.
    End,
}

/// Begins to connect, from a local address if one is given.
pub(crate) fn connect(server: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(server), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // Without this a sign-in waits 40 ms for a delayed acknowledgement, several times.
    socket.set_tcp_nodelay(true)?;
    if let Some(from) = from {
        socket.bind(&SocketAddr::new(from, 0).into())?;
    }
    match socket.connect(&server.into()) {
        // EINPROGRESS, as it is with a socket that does not block.
        Err(error) if error.raw_os_error() != Some(115) && error.kind() != ErrorKind::WouldBlock => {
            Err(error)
        }
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

impl Wire {
    /// The same socket, with a TLS handshake about to begin.
    pub(crate) fn secure(self, config: &Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Wire> {
        let Wire::Plain(socket) = self else { return Err(io::Error::other("TLS inside of TLS")) };
        let mut session = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        session.set_buffer_limit(None);
        Ok(Wire::Tls(Box::new(Secured { socket, session })))
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        match self {
            Wire::Plain(socket) => socket,
            Wire::Tls(secured) => &mut secured.socket,
        }
    }

    /// Whether TLS has something for the socket.
    pub(crate) fn wants_write(&self) -> bool {
        matches!(self, Wire::Tls(secured) if secured.session.wants_write())
    }

    /// Reads what fits into `into`.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        match self {
            Wire::Plain(socket) => match retried(|| socket.read(into)) {
                Ok(0) => Ok(Got::End),
                // A short read has emptied the socket; what comes later is announced again.
                Ok(count) => Ok(Got::Bytes { count, more: count == into.len() }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Got::Nothing),
                Err(error) => Err(error),
            },
            Wire::Tls(secured) => secured.read(into),
        }
    }

    /// Writes from the front of `out`, and takes away what was written. Tells whether all was.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let mut done = 0;
        let result = match self {
            Wire::Plain(socket) => loop {
                if done == out.len() {
                    break Ok(true);
                }
                match retried(|| socket.write(&out[done..])) {
                    Ok(count) => done += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(false),
                    Err(error) => break Err(error),
                }
            },
            Wire::Tls(secured) => {
                secured.session.writer().write_all(out)?;
                done = out.len();
                secured.flush()
            }
        };
        if done == out.len() {
            // An idle connection holds no buffer.
            *out = Vec::new();
        } else {
            out.drain(..done);
        }
        result
    }
}

impl Secured {
    fn read(&mut self, into: &mut [u8]) -> io::Result<Got> {
        loop {
            match self.session.reader().read(into) {
                Ok(0) => return Ok(Got::End),
                Ok(count) => return Ok(Got::Bytes { count, more: true }),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Without a close_notify; who knows better how the stream should have ended is the caller.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Got::End),
                Err(error) => return Err(error),
            }
            match retried(|| self.session.read_tls(&mut self.socket)) {
                Ok(0) => return Ok(Got::End),
                Ok(_) => {
                    self.session.process_new_packets().map_err(io::Error::other)?;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Got::Nothing),
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<bool> {
        while self.session.wants_write() {
            match retried(|| self.session.write_tls(&mut self.socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn retried<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// TLS as most clients speak it; without `tickets` each handshake is a whole one.
pub(crate) fn tls(tickets: bool) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    // All connections are to one server, and a ticket is good once: who comes back takes one and leaves one.
    config.resumption = if tickets { Resumption::in_memory_sessions(1) } else { Resumption::disabled() };
    Arc::new(config)
}

/// Takes every certificate: what is measured is a server of one's own. The handshake's signatures are checked, as they
/// cost time.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
