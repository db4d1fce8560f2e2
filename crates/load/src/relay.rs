//! The floor: a relay that knows no XMPP. It forwards pieces of bytes between the same clients over the same sockets, on one
//! thread, so it shows what a server could not be cheaper than.

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::net::framing::{RELAY_HEAD, TO_ALL, TO_NOBODY};

#[derive(Args)]
pub(crate) struct RelayArgs {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:5000")]
    listen: SocketAddr,
    /// A certificate chain as a PEM file: then TLS comes first
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key
    #[arg(long)]
    key: Option<PathBuf>,
}

/// Bytes read at once.
const SCRATCH: usize = 64 << 10;

/// Bytes that may wait for a reader before it is cut off.
const BACKLOG: usize = 16 << 20;

const DOOR: Token = Token(usize::MAX);

/// A client.
struct Client {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// An incomplete piece.
    held: Vec<u8>,
    out: Vec<u8>,
    queued: bool,
}

struct Relay {
    clients: Vec<Option<Client>>,
    free: Vec<usize>,
    /// Which client has which number.
    numbers: HashMap<u32, usize>,
    dirty: Vec<usize>,
    scratch: Box<[u8]>,
}

/// Runs until it is killed.
pub(crate) fn run(args: &RelayArgs) -> Result<()> {
    let tls = match (&args.certificate, &args.key) {
        (Some(certificate), Some(key)) => Some(config(certificate.clone(), key.clone())?),
        _ => None,
    };
    let mut listener =
        TcpListener::bind(args.listen).with_context(|| format!("listening on {}", args.listen))?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, DOOR, Interest::READABLE)?;
    let mut relay = Relay {
        clients: Vec::new(),
        free: Vec::new(),
        numbers: HashMap::new(),
        dirty: Vec::new(),
        scratch: vec![0; SCRATCH].into(),
    };
    let mut events = Events::with_capacity(1024);
    println!("relay on {}", args.listen);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        }
        for event in &events {
            match event.token() {
                DOOR => relay.accept(&listener, &poll, tls.as_ref())?,
                Token(index) => relay.serve(index, event.is_writable()),
            }
        }
        relay.flush();
    }
}

fn config(certificate: PathBuf, key: PathBuf) -> Result<Arc<ServerConfig>> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

impl Relay {
    fn accept(&mut self, listener: &TcpListener, poll: &Poll, tls: Option<&Arc<ServerConfig>>) -> Result<()> {
        loop {
            let mut socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("accepting"),
            };
            socket.set_nodelay(true)?;
            let index = self.free.pop().unwrap_or_else(|| {
                self.clients.push(None);
                self.clients.len() - 1
            });
            poll.registry().register(&mut socket, Token(index), Interest::READABLE | Interest::WRITABLE)?;
            let tls = tls.map(|config| ServerConnection::new(config.clone())).transpose()?.map(Box::new);
            self.clients[index] =
                Some(Client { socket, tls, held: Vec::new(), out: Vec::new(), queued: false });
        }
    }

    /// Reads everything that a client has sent.
    fn serve(&mut self, index: usize, writable: bool) {
        let mut scratch = std::mem::take(&mut self.scratch);
        if writable {
            self.queue(index);
        }
        while let Some(client) = &mut self.clients[index] {
            match client.read(&mut scratch) {
                Ok(0) => self.remove(index),
                Ok(count) => {
                    let more = count == scratch.len() || client.tls.is_some();
                    self.forward(index, &scratch[..count]);
                    if !more {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // A TLS handshake answers while it is read.
                    self.queue(index);
                    break;
                }
                Err(_) => self.remove(index),
            }
        }
        self.scratch = scratch;
    }

    fn remove(&mut self, index: usize) {
        if self.clients[index].take().is_some() {
            self.free.push(index);
            self.numbers.retain(|_, at| *at != index);
        }
    }

    /// Hands whole pieces on, and keeps the rest.
    fn forward(&mut self, index: usize, bytes: &[u8]) {
        let held = match &mut self.clients[index] {
            Some(client) => std::mem::take(&mut client.held),
            None => return,
        };
        let joined;
        let mut rest = match held.is_empty() {
            true => bytes,
            false => {
                joined = [&held[..], bytes].concat();
                &joined[..]
            }
        };
        while let Some(head) = rest.first_chunk::<RELAY_HEAD>() {
            let length = RELAY_HEAD + usize::from(u16::from_be_bytes([head[0], head[1]]));
            let target = u32::from_be_bytes([head[2], head[3], head[4], head[5]]);
            let Some(piece) = rest.get(..length) else { break };
            rest = &rest[length..];
            match target {
                // The first piece of a client says its number; an empty one is the answer.
                TO_NOBODY => {
                    if let Some(number) = piece[RELAY_HEAD..].first_chunk() {
                        self.numbers.insert(u32::from_be_bytes(*number), index);
                    }
                    self.give(index, &[0; RELAY_HEAD]);
                }
                TO_ALL => (0..self.clients.len()).for_each(|to| self.give(to, piece)),
                number => {
                    if let Some(&to) = self.numbers.get(&number) {
                        self.give(to, piece);
                    }
                }
            }
        }
        if let (Some(client), false) = (&mut self.clients[index], rest.is_empty()) {
            client.held = rest.to_vec();
        }
    }

    fn give(&mut self, to: usize, piece: &[u8]) {
        if let Some(client) = &mut self.clients[to] {
            client.out.extend_from_slice(piece);
            self.queue(to);
        }
    }

    fn queue(&mut self, index: usize) {
        if let Some(client) = &mut self.clients[index]
            && !client.queued
        {
            client.queued = true;
            self.dirty.push(index);
        }
    }

    fn flush(&mut self) {
        for index in std::mem::take(&mut self.dirty) {
            let Some(client) = &mut self.clients[index] else { continue };
            client.queued = false;
            if client.write().is_err() || client.out.len() > BACKLOG {
                self.remove(index);
            }
        }
    }
}

impl Client {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.socket.read(into) };
        loop {
            match tls.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other,
            }
            if tls.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(io::Error::other)?;
        }
    }

    fn write(&mut self) -> io::Result<()> {
        use io::Write;
        let waits = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock => Ok(0),
            _ => Err(error),
        };
        if let Some(tls) = &mut self.tls {
            let taken = tls.writer().write(&self.out)?;
            self.out.drain(..taken);
            while tls.wants_write() {
                if tls.write_tls(&mut self.socket).or_else(waits)? == 0 {
                    break;
                }
            }
        } else if !self.out.is_empty() {
            let taken = self.socket.write(&self.out).or_else(waits)?;
            self.out.drain(..taken);
        }
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        Ok(())
    }
}
