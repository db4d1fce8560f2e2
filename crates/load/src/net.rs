//! Many connections on one thread: readiness in, stanzas out. A connection is a small state machine and has no task,
//! no timer and, while it is idle, no buffer.

mod conn;
pub(crate) mod framing;
pub(crate) mod signin;
mod timer;
pub(crate) mod websocket;
pub(crate) mod wire;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use rookery_proto::stanza::Stanza;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::accounts::Accounts;
use crate::clock::Clock;
use conn::{Conn, Happening, Took};
use framing::{Framing, Target};
use signin::{Kept, Profile, SignIn};
use timer::Timer;
use wire::Got;

/// Bytes read at once, for all connections one after the other.
const SCRATCH: usize = 64 << 10;

/// Readiness taken from the system at once.
const EVENTS: usize = 1024;

/// Where the coordinator's commands come from.
const COMMANDS: Token = Token(usize::MAX);

/// The timer of [`Net::wake_at`].
const TIMER: Token = Token(usize::MAX - 1);

/// Local addresses over which connections are spread: each has some 28,000 ports for one server.
const SOURCES: usize = 200;

/// How connections are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
pub(crate) enum Via {
    /// A stream without TLS
    Plain,
    /// A stream that goes over to TLS
    Starttls,
    /// A stream within TLS from the beginning
    Tls,
    /// A WebSocket without TLS (RFC 7395)
    Ws,
    /// A WebSocket within TLS
    Wss,
    /// `rookery-load relay`: the floor, without any XMPP
    Relay,
    /// The same within TLS
    RelayTls,
}

impl Via {
    fn secured(self) -> bool {
        matches!(self, Via::Tls | Via::Wss | Via::RelayTls)
    }

    /// Whether the relay is behind it, which signs nobody in.
    pub(crate) fn is_relay(self) -> bool {
        matches!(self, Via::Relay | Via::RelayTls)
    }
}

/// Where and how to connect, and as whom.
pub(crate) struct Setup {
    pub(crate) server: SocketAddr,
    pub(crate) via: Via,
    /// The path of the WebSocket.
    pub(crate) path: String,
    pub(crate) profile: Profile,
    pub(crate) accounts: Accounts,
    /// TLS sessions are resumed.
    pub(crate) tickets: bool,
    /// Stanzas after which an acknowledgement is asked for, on managed streams; 0: never.
    pub(crate) ask_every: u32,
}

/// Who a session is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) account: usize,
    pub(crate) resource: String,
    /// Its number over all workers.
    pub(crate) number: usize,
}

/// What happened to a session.
#[derive(Debug)]
pub(crate) enum Event {
    /// It has signed in, or registered.
    Ready(usize),
    /// A stanza came.
    Stanza(usize, Stanza),
    /// The server has handled so many more stanzas of a session.
    Acknowledged(u32),
    /// Its connection ended, though nobody here wanted it to.
    Closed(usize, String),
    /// The coordinator has said something.
    Command(String),
}

/// The sessions of this worker, by their index.
pub(crate) struct Net {
    pub(crate) clock: Clock,
    setup: Setup,
    tls: Arc<ClientConfig>,
    name: ServerName<'static>,
    poll: Poll,
    events: Events,
    identities: Vec<Identity>,
    conns: Vec<Option<Conn>>,
    /// What those without a connection have kept of the last one.
    kept: HashMap<usize, Kept>,
    /// Connections with something to write.
    dirty: Vec<usize>,
    ready: VecDeque<Token>,
    scratch: Box<[u8]>,
    /// Of what is in the scratch buffer, what is still to be taken, and whose it is.
    unread: std::ops::Range<usize>,
    current: Option<(usize, bool)>,
    commands: File,
    /// What came from there and is no whole line.
    said: Vec<u8>,
    /// For SCRAM: begins at the clock, so that two runs have no two alike.
    nonce: u64,
    timer: Timer,
}

impl Net {
    /// `commands` is where lines come from that are events, too: a pipe.
    pub(crate) fn new(setup: Setup, identities: Vec<Identity>, commands: File) -> Result<Net> {
        let poll = Poll::new().context("polling")?;
        poll.registry()
            .register(&mut SourceFd(&commands.as_raw_fd()), COMMANDS, Interest::READABLE)
            .context("listening for commands")?;
        let name =
            ServerName::try_from(setup.profile.domain.clone()).context("the domain is no host name")?;
        let conns = identities.iter().map(|_| None).collect();
        let timer = Timer::new().context("making a timer")?;
        poll.registry().register(&mut SourceFd(&timer.fd()), TIMER, Interest::READABLE)?;
        let clock = Clock::new();
        Ok(Net {
            nonce: clock.now(),
            timer,
            clock,
            tls: wire::tls(setup.tickets),
            setup,
            name,
            poll,
            events: Events::with_capacity(EVENTS),
            identities,
            conns,
            kept: HashMap::new(),
            dirty: Vec::new(),
            ready: VecDeque::new(),
            scratch: vec![0; SCRATCH].into(),
            unread: 0..0,
            current: None,
            commands,
            said: Vec::new(),
        })
    }

    pub(crate) fn sessions(&self) -> usize {
        self.identities.len()
    }

    pub(crate) fn identity(&self, session: usize) -> &Identity {
        &self.identities[session]
    }

    /// Whether the relay is at the other end, which does nothing but forward.
    pub(crate) fn is_relay(&self) -> bool {
        self.setup.via.is_relay()
    }

    /// Sessions that have a connection.
    pub(crate) fn connected(&self) -> usize {
        self.conns.iter().flatten().count()
    }

    /// Whether this one has.
    pub(crate) fn is_connected(&self, session: usize) -> bool {
        self.conns[session].is_some()
    }

    /// The bare address of an account.
    pub(crate) fn address(&self, account: usize) -> String {
        format!("{}@{}", self.setup.accounts.local(account), self.setup.profile.domain)
    }

    /// Begins to connect and sign in, or to `register` only. What comes of it is an event.
    pub(crate) fn connect(&mut self, session: usize, register: bool) -> Result<()> {
        let number = self.identities[session].number;
        let from = self.setup.server.ip().is_loopback().then(|| source(number));
        let socket = wire::connect(self.setup.server, from.filter(|_| self.setup.server.is_ipv4()))?;
        let mut wire = wire::Wire::Plain(socket);
        if self.setup.via.secured() {
            wire = wire.secure(&self.tls, self.name.clone())?;
        }
        let framing = match self.setup.via {
            Via::Plain | Via::Starttls | Via::Tls => Framing::stream(),
            Via::Ws | Via::Wss => Framing::WebSocket(Box::default()),
            Via::Relay | Via::RelayTls => Framing::Relay(Vec::new()),
        };
        let kept = self.kept.remove(&session).unwrap_or_default();
        let mut conn = Conn::new(wire, framing, SignIn::new(register, kept), self.clock.now());
        conn.begin(&self.setup, number)?;
        self.poll.registry().register(
            conn.wire.socket(),
            Token(session),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        self.conns[session] = Some(conn);
        self.dirty.push(session);
        Ok(())
    }

    /// When the session's connection was begun.
    pub(crate) fn since(&self, session: usize) -> Option<u64> {
        self.conns[session].as_ref().map(|conn| conn.since)
    }

    /// Sends one element; nothing if the session is not connected.
    pub(crate) fn send(&mut self, session: usize, target: Target, element: &[u8]) -> Result<()> {
        let Some(conn) = &mut self.conns[session] else { return Ok(()) };
        conn.send(target, element, self.setup.ask_every)?;
        self.queue(session);
        Ok(())
    }

    /// Ends a session in order: what was sent goes out first.
    pub(crate) fn leave(&mut self, session: usize) {
        if let Some(conn) = &mut self.conns[session] {
            conn.leave();
            self.queue(session);
        }
    }

    /// Ends a session as a network does: at once, and without a word.
    pub(crate) fn cut(&mut self, session: usize) {
        if let Some(mut conn) = self.conns[session].take() {
            let kept = conn.kept();
            if kept != Kept::default() {
                self.kept.insert(session, kept);
            }
        }
        if self.current.is_some_and(|(current, _)| current == session) {
            (self.current, self.unread) = (None, 0..0);
        }
    }

    fn queue(&mut self, session: usize) {
        if let Some(conn) = &mut self.conns[session]
            && !conn.queued
        {
            conn.queued = true;
            self.dirty.push(session);
        }
    }

    /// Writes what was sent since the last time.
    pub(crate) fn flush(&mut self) {
        for session in std::mem::take(&mut self.dirty) {
            let Some(conn) = &mut self.conns[session] else { continue };
            conn.queued = false;
            // A connection that is broken says so when it is read, too.
            let _ = conn.wire.write(&mut conn.out);
        }
    }

    /// Waits until something is ready, at most so long.
    pub(crate) fn wait(&mut self, at_most: Duration) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(at_most)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other.context("waiting for events")?,
        }
        for event in &self.events {
            if event.token() == TIMER {
                self.timer.rung();
                continue;
            }
            if event.is_writable() && event.token() != COMMANDS {
                let session = event.token().0;
                if let Some(conn) = self.conns[session]
                    .as_mut()
                    .filter(|conn| !conn.queued && (!conn.out.is_empty() || conn.wire.wants_write()))
                {
                    conn.queued = true;
                    self.dirty.push(session);
                }
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.ready.push_back(event.token());
            }
        }
        Ok(())
    }

    /// Ends a [`Net::wait`] at that time, to some microseconds; the timeout of polling knows milliseconds only.
    pub(crate) fn wake_at(&mut self, at: u64) -> Result<()> {
        let left = at.saturating_sub(self.clock.now());
        self.timer.set(Duration::from_nanos(left.max(1))).context("setting the timer")
    }

    /// The next thing that has happened; nothing when all that was ready has been read.
    pub(crate) fn next(&mut self) -> Result<Option<Event>> {
        loop {
            if let Some(event) = self.take_unread()? {
                return Ok(Some(event));
            }
            let Some((session, more)) = self.current else {
                match self.ready.pop_front() {
                    None => return Ok(None),
                    Some(COMMANDS) => {
                        if let Some(command) = self.command()? {
                            return Ok(Some(Event::Command(command)));
                        }
                    }
                    Some(Token(session)) => self.current = Some((session, true)),
                }
                continue;
            };
            if !more {
                self.current = None;
                continue;
            }
            let Some(conn) = &mut self.conns[session] else {
                self.current = None;
                continue;
            };
            match conn.wire.read(&mut self.scratch) {
                Ok(Got::Bytes { count, more }) => {
                    self.unread = 0..count;
                    self.current = Some((session, more));
                }
                Ok(Got::Nothing) => self.current = None,
                ended => {
                    let leaving = conn.leaving;
                    self.cut(session);
                    let why = ended
                        .err()
                        .map_or_else(|| "the connection ended".to_owned(), |error| error.to_string());
                    if !leaving {
                        return Ok(Some(Event::Closed(session, why)));
                    }
                }
            }
            // A TLS handshake answers while it is read.
            if self.setup.via != Via::Plain {
                self.queue(session);
            }
        }
    }

    /// Goes on with what was read, until something of interest has happened.
    fn take_unread(&mut self) -> Result<Option<Event>> {
        while !self.unread.is_empty() {
            let Some((session, _)) = self.current else { break };
            let Some(conn) = &mut self.conns[session] else { break };
            let mut input = &self.scratch[self.unread.clone()];
            let item = conn.framing.feed(&mut input);
            self.unread.start = self.unread.end - input.len();
            let took = match item {
                Ok(None) => break,
                Ok(Some(item)) => {
                    self.nonce += 1;
                    conn.take(item, &self.setup, &self.identities[session], self.nonce)
                }
                Err(error) => Err(error.to_string()),
            };
            if let Some(event) = self.tell(session, took) {
                return Ok(Some(event));
            }
        }
        self.unread = 0..0;
        Ok(None)
    }

    /// Makes an event of what a connection took.
    fn tell(&mut self, session: usize, took: Took) -> Option<Event> {
        match took {
            Ok(Happening::Nothing) => None,
            Ok(Happening::Wrote) => {
                self.queue(session);
                None
            }
            Ok(Happening::Secure) => match self.secure(session) {
                Ok(()) => None,
                Err(error) => self.end(session, format!("no TLS: {error}")),
            },
            Ok(Happening::Ready) => Some(Event::Ready(session)),
            Ok(Happening::Acknowledged(count)) => Some(Event::Acknowledged(count)),
            Ok(Happening::Stanza(stanza)) => Some(Event::Stanza(session, stanza)),
            Err(why) => self.end(session, why),
        }
    }

    fn end(&mut self, session: usize, why: String) -> Option<Event> {
        let leaving = self.conns[session].as_ref().is_none_or(|conn| conn.leaving);
        self.cut(session);
        (!leaving).then_some(Event::Closed(session, why))
    }

    /// STARTTLS: the server is ready (RFC 6120 §5.4.3.3).
    fn secure(&mut self, session: usize) -> Result<()> {
        let mut conn = self.conns[session].take().context("it is connected")?;
        conn.wire = conn.wire.secure(&self.tls, self.name.clone())?;
        conn.restart(&self.setup);
        self.conns[session] = Some(conn);
        self.queue(session);
        Ok(())
    }

    /// A line from the coordinator, who waits for its answer before it says more; when it is gone there is nothing left to
    /// do.
    fn command(&mut self) -> Result<Option<String>> {
        let mut bytes = [0; 4096];
        let count = self.commands.read(&mut bytes).context("reading commands")?;
        if count == 0 {
            return Ok(Some("\"Quit\"".to_owned()));
        }
        self.said.extend_from_slice(&bytes[..count]);
        if self.said.last() != Some(&b'\n') {
            return Ok(None);
        }
        let line = std::mem::take(&mut self.said);
        Ok(Some(String::from_utf8(line).context("a command is no text")?))
    }
}

/// 127.0.0.2 and following: a server may take only so many connections of one address.
fn source(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2 + (number % SOURCES) as u8))
}
