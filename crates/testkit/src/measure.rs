//! What measurements need: a server put together as the program does it, on the system's file system and clock, many
//! accounts at once, and clients that cost next to nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use memchr::memmem;
use rookery::assemble;
use rookery::certificate::LocalCertificate;
use rookery::net::{self, Arrival, Server, Settings};
use rookery::tls::{Source, Tls};
use rookery_core::env::Env;
use rookery_core::{Policy, Registration};
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_proto::sasl::Credentials;
use rookery_proto::subscription::Kind;
use rookery_store::{NewAccount, Options, Party, Primary};
use tempfile::TempDir;
use time::UtcDateTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinSet;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::Transport;
use crate::ns;

/// Signing in is not what is measured.
const ITERATIONS: u32 = 1;

/// Every account's password.
const PASSWORD: &str = "secret";

/// Bytes that wait in a pipe, as they would in a socket's buffer.
const PIPE: usize = 64 * 1024;

/// A server with accounts.
pub struct Site {
    data: TempDir,
    server: Arc<Server>,
    accounts: Vec<Uid>,
}

impl Site {
    /// A server with so many accounts and a fresh store in the temporary directory (`TMPDIR`), without TLS.
    pub async fn with_accounts(count: usize) -> Result<Site> {
        Site::open(count, false).await
    }

    /// The same with TLS, by a certificate of its own.
    pub async fn with_tls(count: usize) -> Result<Site> {
        Site::open(count, true).await
    }

    async fn open(count: usize, secured: bool) -> Result<Site> {
        let data = tempfile::tempdir()?;
        let policy = Policy {
            components: Vec::new(),
            gateways: Vec::new(),
            services: Vec::new(),
            contacts: Vec::new(),
            terms: None,
            outage: Vec::new(),
            files: None,
            reach: Default::default(),
            previewer: None,
            domain: "localhost".into(),
            groups: "groups.localhost".into(),
            pubsub: None,
            resumption: Duration::from_secs(600),
            idle: Duration::from_secs(86_400),
            stanza_bytes: 256 << 10,
            registration: Registration::Closed,
            second_factor: false,
            members_invite: false,
            public_url: None,
            retention_days: None,
            group_retention_days: None,
            archive_default: Default::default(),
            iterations: ITERATIONS,
            // What one account can do is measured, not what it may.
            pace: rookery_core::pace::Limits::OFF,
            lists: Vec::new(),
            gate: None,
        };
        let options = Options::new(data.path().join("rookery.db"));
        let core = assemble::core(data.path(), options, policy, Env::system()).await?;
        let credentials = Credentials::derive(PASSWORD, &[[0; 16]; 3], ITERATIONS)?.to_bytes();
        let new = NewAccount {
            name: None,
            primary: Primary::Number,
            nick: None,
            credentials: rookery_store::Credentials(credentials),
            created: core.env.now(),
            epoch: 1,
            invite: None,
        };
        let made = core.store.import_accounts(vec![new; count]).await?;
        let accounts = made.into_iter().map(|account| account.map(|a| a.uid)).collect::<Result<_, _>>()?;
        let settings = Settings { plain: true, registrations_per_hour: 0 };
        let local = || LocalCertificate::new(data.path(), "localhost");
        let tls = secured.then(|| Tls::open(Source::Local(local()), UtcDateTime::now()).map(Arc::new));
        Ok(Site { server: Arc::new(Server::new(core, tls.transpose()?, settings)), data, accounts })
    }

    /// The server.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// What a client of a site with TLS needs to trust it.
    pub fn trust(&self) -> Result<Arc<ClientConfig>> {
        let authority = LocalCertificate::new(self.data.path(), "localhost").authority_file();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    /// The bare address of the account made as number `index`, counted from 0.
    pub fn address(&self, index: usize) -> String {
        format!("{}@localhost", self.accounts[index])
    }

    /// Lets the accounts of each pair see each other's presence. To be done before they sign in.
    pub async fn befriend(&self, pairs: &[(usize, usize)]) -> Result<()> {
        let there = |&(one, other): &(usize, usize)| (one, other);
        let back = |&(one, other): &(usize, usize)| (other, one);
        self.subscriptions(pairs.iter().map(there), Kind::Subscribe).await?;
        self.subscriptions(pairs.iter().map(back), Kind::Subscribed).await?;
        self.subscriptions(pairs.iter().map(back), Kind::Subscribe).await?;
        self.subscriptions(pairs.iter().map(there), Kind::Subscribed).await
    }

    /// All at once, so that they share commits.
    async fn subscriptions(&self, pairs: impl Iterator<Item = (usize, usize)>, kind: Kind) -> Result<()> {
        let mut all = JoinSet::new();
        for (actor, contact) in pairs {
            let (actor, contact) = (self.party(actor)?, self.party(contact)?);
            let request =
                (kind == Kind::Subscribe).then(|| Bytes::from_static(b"<presence type='subscribe'/>"));
            let store = self.server.core.store.clone();
            all.spawn(async move { store.subscription(actor, contact, kind, request).await.map(drop) });
        }
        while let Some(done) = all.join_next().await {
            done??;
        }
        Ok(())
    }

    fn party(&self, index: usize) -> Result<Party> {
        Ok(Party { jid: BareJid::new(&self.address(index))?, uid: Some(self.accounts[index]) })
    }

    /// Signs in over a pipe.
    pub async fn sign_in(&self, index: usize, resource: &str) -> Result<Wire<DuplexStream>> {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        tokio::spawn(net::serve(self.server.clone(), Arrival::plain(theirs, peer), false, None));
        let mut wire = Wire::new(ours);
        wire.sign_in(&self.accounts[index].to_string(), resource).await?;
        Ok(wire)
    }

    /// What the account made as number `index` signs in as.
    pub fn user(&self, index: usize) -> String {
        self.accounts[index].to_string()
    }

    /// Signs in over `transport`, which the server serves.
    pub async fn sign_in_over<S: Transport>(&self, transport: S, index: usize) -> Result<Wire<S>> {
        let mut wire = Wire::new(transport);
        wire.sign_in(&self.user(index), "desk").await?;
        Ok(wire)
    }

    /// The same over a WebSocket, on a connection for HTTP.
    pub async fn sign_in_over_web_socket<S: Transport>(&self, transport: S, index: usize) -> Result<Wire<S>> {
        let mut wire = Wire::new(transport);
        wire.shake_hands().await?;
        wire.sign_in(&self.accounts[index].to_string(), "desk").await?;
        Ok(wire)
    }

    /// Ends the server in order.
    pub async fn close(self) -> Result<()> {
        assemble::shutdown(&self.server.core).await?;
        Ok(self.data.close()?)
    }
}

/// A client that knows only bytes: it looks for what it waits for, and parses nothing.
pub struct Wire<S> {
    transport: S,
    /// Everything is sent as messages of a WebSocket.
    framed: bool,
    /// Read and not yet waited for.
    seen: Vec<u8>,
    /// Stream management is on.
    managed: bool,
    /// Stanzas read since then.
    handled: u32,
}

impl<S> Wire<S> {
    /// A client on a connection that nothing was sent over.
    pub fn new(transport: S) -> Wire<S> {
        Wire { transport, framed: false, seen: Vec::new(), managed: false, handled: 0 }
    }

    /// The same client with its connection in another form, and no more memory than it needs.
    pub fn map<T>(self, change: impl FnOnce(S) -> T) -> Wire<T> {
        let Wire { transport, framed, mut seen, managed, handled } = self;
        seen.shrink_to_fit();
        Wire { transport: change(transport), framed, seen, managed, handled }
    }
}

impl<S: Transport> Wire<S> {
    /// Signs in to an account as [`Site::user`] calls it, and binds.
    pub async fn sign_in(&mut self, user: &str, resource: &str) -> Result<()> {
        let header = match self.framed {
            true => {
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>".to_owned()
            }
            false => format!(
                "<stream:stream to='localhost' version='1.0' xmlns='{}' xmlns:stream='{}'>",
                ns::CLIENT,
                ns::STREAM
            ),
        };
        self.ask(&header, "</stream:features>").await?;
        let initial = BASE64.encode(format!("\0{user}\0{PASSWORD}"));
        self.ask(&format!("<auth xmlns='{}' mechanism='PLAIN'>{initial}</auth>", ns::SASL), "<success")
            .await?;
        self.ask(&header, "</stream:features>").await?;
        let bind = format!("<bind xmlns='{}'><resource>{resource}</resource></bind>", ns::BIND);
        self.ask(&format!("<iq type='set' id='b'>{bind}</iq>"), "</iq>").await
    }

    /// Turns resumable stream management on.
    pub async fn manage(&mut self) -> Result<()> {
        self.ask(&format!("<enable xmlns='{}' resume='true'/>", ns::SM), "<enabled").await?;
        self.managed = true;
        Ok(())
    }

    /// Acknowledges everything, and comes back when the server has nothing left to do for this client.
    pub async fn settle(&mut self) -> Result<()> {
        for _ in 0..2 {
            self.send(format!("<a xmlns='{}' h='{}'/>", ns::SM, self.handled).as_bytes()).await?;
            self.ping().await?;
        }
        Ok(())
    }

    /// Comes back when everything sent before is done, and what that brought was read.
    pub async fn ping(&mut self) -> Result<()> {
        self.ask(&format!("<iq type='get' id='ping'><ping xmlns='{}'/></iq>", ns::PING), "id='ping'").await
    }

    /// Sends, and reads until `answer` has come.
    pub async fn ask(&mut self, request: &str, answer: &str) -> Result<()> {
        self.send(request.as_bytes()).await?;
        self.read(answer.as_bytes(), 1).await
    }

    /// Goes over to WebSocket (RFC 7395 §3.1).
    pub async fn shake_hands(&mut self) -> Result<()> {
        let request = "GET /xmpp-websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       Sec-WebSocket-Protocol: xmpp\r\n\r\n";
        self.ask(request, "\r\n\r\n").await?;
        self.framed = true;
        Ok(())
    }

    /// Sends one element.
    pub async fn send(&mut self, element: &[u8]) -> Result<()> {
        if !self.framed {
            return self.transport.write_all(element).await.context("writing");
        }
        // RFC 6455 §5.2, with a mask of zeros; RFC 7395 §3.3.3.
        let name = element.iter().position(|byte| b" />".contains(byte)).unwrap_or(element.len());
        let stanza = matches!(&element[..name], b"<iq" | b"<presence" | b"<message");
        let declared: &[u8] = if stanza { b" xmlns='jabber:client'" } else { b"" };
        let length = u16::try_from(element.len() + declared.len()).context("more than one would say")?;
        let mut frame = match length {
            0..126 => vec![0x81, 0x80 | length as u8],
            _ => [&[0x81, 0x80 | 126][..], &length.to_be_bytes()].concat(),
        };
        frame.extend([0; 4]);
        for part in [&element[..name], declared, &element[name..]] {
            frame.extend(part);
        }
        self.transport.write_all(&frame).await.context("writing")
    }

    /// Reads until `mark` has come so many times. What comes after it is for the next read.
    pub async fn read(&mut self, mark: &[u8], times: usize) -> Result<()> {
        let (mut found, mut from) = (0, 0);
        while found < times {
            if let Some(at) = memmem::find(&self.seen[from..], mark) {
                from += at + mark.len();
                found += 1;
                continue;
            }
            // The next mark may have begun already.
            from = from.max(self.seen.len().saturating_sub(mark.len() - 1));
            if self.transport.read_buf(&mut self.seen).await.context("reading")? == 0 {
                bail!("the stream ended with {}", String::from_utf8_lossy(&self.seen));
            }
        }
        if self.managed {
            let stanzas = |name: &str| memmem::find_iter(&self.seen[..from], name).count() as u32;
            self.handled += stanzas("<presence ") + stanzas("<iq ") + stanzas("<message ");
        }
        self.seen.drain(..from);
        Ok(())
    }
}
