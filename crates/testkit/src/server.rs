//! The server in this process, on pipes in memory: the same code as the program, on a clock that tests move.

use crate::browser::Browsers;
use crate::carrier::Carrier;
use crate::client::Door;
use crate::clock;
use crate::names;
use crate::provider::Provider;
use crate::sites;
use crate::smarthost::Smarthost;
use crate::smsc::Smsc;
use anyhow::{Context, Result, bail};
use rookery::assemble;
use rookery::certificate::LocalCertificate;
use rookery::control::{self, Admin};
use rookery::files::{self, Files};
use rookery::http::client::Client;
use rookery::http::listener::Http;
use rookery::http::{self, Web};
use rookery::net::listener::Admission;
use rookery::net::{self, Arrival, Server};
use rookery::previews::Previews;
use rookery::push::Poster;
use rookery::recovery::Recovery;
use rookery::tls::{Source, Tls};
use rookery_core::component::Allowed;
use rookery_core::env::Env;
use rookery_core::gate::{Gate, Question, Verdict};
use rookery_core::reach::Offer;
use rookery_core::second_factor;
use rookery_core::xep::extdisco::{Key, Service};
use rookery_core::xep::pep;
use rookery_core::xep::upload;
use rookery_core::{Core, Policy, Registration, listed, pace};
use rookery_gateway::duty::Desk;
use rookery_gateway::mail::judge::Judge;
use rookery_gateway::mail::letter::Letters;
use rookery_gateway::mail::notices::Notices;
use rookery_gateway::mail::{Gateway, Settings, Submission, imap, smtp};
use rookery_gateway::pager::{self, snpp};
use rookery_gateway::reach::Reach;
use rookery_gateway::reach::channel::{Channel, Way};
use rookery_gateway::secretary::Secretary;
use rookery_gateway::sms::smpp::{self, Joining, Link};
use rookery_gateway::sms::text::Alphabet;
use rookery_gateway::sms::{self, Fresh, phone};
use rookery_proto::Uid;
use rookery_proto::sasl::Credentials;
use rookery_store::test_vfs::{Fault, Faults, Mode};
use rookery_store::{Caps, FileQuota, NewAccount, Options, Primary};
use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use time::UtcDateTime;
use tokio::io::DuplexStream;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Where browsers reach the server.
pub const PUBLIC_URL: &str = "https://localhost:5443";

/// Rounds of PBKDF2 in tests: the least that the mechanisms allow.
const ITERATIONS: u32 = 4096;

/// Bytes that wait in a pipe, as they would in a socket's buffer.
const PIPE: usize = 64 * 1024;

/// Connections for HTTP, of all and of one address: few, so that a test can take them all.
const CONNECTIONS: usize = 1000;
const CONNECTIONS_PER_ADDRESS: usize = 20;

/// Recipients of one account's mail programs within an hour.
const SENT_PER_HOUR: u32 = 4;
/// The largest mail.
const MAIL_BYTES: usize = 1_000_000;

/// What the components of a test must know.
pub const COMPONENT_SECRET: &str = "secret";

/// What a test wants different from the defaults: settings of the configuration file, by their names.
#[derive(Clone, Debug, Default)]
pub struct TestOptions {
    /// `registration` → `open`.
    pub settings: BTreeMap<String, String>,
    /// With a local certificate; then nobody authenticates in the clear.
    pub tls: bool,
    /// Where files are, and who looks at them.
    pub files: files::Settings,
}

/// How a server comes to its end before it is started again on the same store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As on SIGTERM.
    Orderly,
    /// As on SIGKILL: nothing more is written, nobody is told.
    Killed,
}

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// Commits fail.
    Fails,
    /// Commits fail for want of space.
    Full,
    /// Commits wait.
    Stalls,
}

/// A running server with a fresh store.
pub struct TestServer {
    data: TempDir,
    policy: Policy,
    tls: Option<Arc<Tls>>,
    server: Arc<Server>,
    web: Arc<Web>,
    clock: JoinHandle<()>,
    disk: Faults,
    /// Browsers and their push service.
    pub browsers: Browsers,
    files: files::Settings,
    previews: Option<Arc<Previews>>,
    mail: Option<Arc<Gateway>>,
    letters: Option<Arc<Letters>>,
    /// Who judges mail that comes in, where this test has one.
    judge: Option<Arc<Judge>>,
    /// A filter is asked about mail that comes in.
    filtered: bool,
    /// Mail servers that are new are asked to come again.
    greylist: bool,
    /// Where mail programs hand in what is to be sent.
    submission: Option<Arc<Submission>>,
    /// What mail programs read.
    programs: Option<Arc<imap::Server>>,
    /// Reach me, where there are ways out.
    pub reach: Option<Arc<Reach>>,
    reaching: Option<JoinHandle<()>>,
    /// What these ways lead to.
    pub carriers: Vec<Arc<Carrier>>,
    pager: Option<Arc<pager::Gateway>>,
    /// Whether short messages go by the carriers of this test; `http`: by the provider first.
    phones: Option<String>,
    /// The one by SMPP.
    pub smsc: Smsc,
    /// The one by HTTP.
    pub provider: Provider,
    /// Where mail goes out to.
    pub smarthost: Smarthost,
    connections: Arc<parking_lot::Mutex<Vec<JoinHandle<()>>>>,
}

impl TestServer {
    /// Starts on the current runtime.
    pub async fn start(options: TestOptions) -> Result<TestServer> {
        let data = tempfile::tempdir()?;
        let previews = options.settings.contains_key("previews").then(sites::previews);
        let previewer = previews.as_ref().map(|it| it.previewer(PUBLIC_URL.to_owned()));
        let policy = Policy { previewer, ..policy(&options.settings)? };
        let name = format!("scenario-{}", data.path().display());
        let disk = Faults::new(&name, Mode::Direct);
        let tls = match options.tls {
            true => Some(Arc::new(Tls::open(Source::Local(local(&data, &policy)), UtcDateTime::now())?)),
            false => None,
        };
        let (browsers, files) = (Browsers::default(), options.files);
        let judge = options.settings.contains_key("judged").then(names::judge).transpose()?;
        let env = Env::virtual_from(1);
        let opened =
            open(&data, &policy, env, tls.clone(), &disk, &browsers, &files, previews.clone()).await?;
        let (server, web, clock) = opened;
        let phones = options.settings.get("sms").cloned();
        let ways = policy.reach.ways.iter().map(|offer| offer.way);
        let carriers = ways.filter(|way| phones.is_none() || *way != Way::Sms).map(Carrier::new).collect();
        let connections = Default::default();
        let mut server = TestServer {
            data,
            policy,
            tls,
            server,
            web,
            clock,
            disk,
            browsers,
            files,
            previews,
            mail: None,
            submission: None,
            letters: None,
            judge,
            filtered: options.settings.contains_key("filtered"),
            greylist: options.settings.contains_key("greylist"),
            programs: None,
            reach: None,
            reaching: None,
            carriers,
            pager: None,
            phones,
            smsc: Smsc::default(),
            provider: Provider::default(),
            smarthost: Smarthost::default(),
            connections,
        };
        server.open_mail();
        server.open_reach();
        server.open_pager();
        server.open_secretary();
        Ok(server)
    }

    /// The server's inside.
    pub fn core(&self) -> &Arc<Core> {
        &self.server.core
    }

    /// Lets the store's threads, for which time does not stand still, do what was asked of them so far: a write comes behind all
    /// writes, and what follows from them has a turn.
    pub async fn let_the_store_work(&self) {
        for _ in 0..2 {
            // Nothing has this number, so nothing changes. A store that fails has done what it can.
            self.core().store.drop_outbound(0).await.ok();
            self.core().store.admins().await.ok();
            clock::settle().await;
        }
    }

    /// A new connection, as if accepted from this host on the port for STARTTLS.
    pub fn connect(&self) -> DuplexStream {
        self.connect_from(IpAddr::V4(Ipv4Addr::LOCALHOST), false)
    }

    /// A new connection from `peer`; `direct`, as if accepted on the port where TLS comes first.
    pub fn connect_from(&self, peer: IpAddr, direct: bool) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let task = tokio::spawn(net::serve(self.server.clone(), Arrival::plain(theirs, peer), direct, None));
        self.connections.lock().push(task);
        ours
    }

    /// A new connection for HTTP, as if accepted from this host on the port without TLS.
    pub fn connect_http(&self) -> DuplexStream {
        self.connect_http_from(IpAddr::V4(Ipv4Addr::LOCALHOST), false)
    }

    /// A new connection for HTTP from `peer`, with TLS first or without.
    pub fn connect_http_from(&self, peer: IpAddr, tls: bool) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let http = Http::new(self.web.clone());
        // Where there is no place, the connection ends.
        if let Some(place) = http.enter(peer) {
            let tls = self.tls.clone().filter(|_| tls);
            self.connections.lock().push(tokio::spawn(http.serve(theirs, peer, tls, place)));
        }
        ours
    }

    /// Makes such connections from this host, for as long as this run of the server lasts.
    pub fn door(&self) -> Door {
        let (web, connections) = (self.web.clone(), self.connections.clone());
        Arc::new(move || {
            let (ours, theirs) = tokio::io::duplex(PIPE);
            let (http, peer) = (Http::new(web.clone()), IpAddr::V4(Ipv4Addr::LOCALHOST));
            if let Some(place) = http.enter(peer) {
                connections.lock().push(tokio::spawn(http.serve(theirs, peer, None, place)));
            }
            Box::new(ours)
        })
    }

    /// A new connection to the door of components.
    pub fn connect_component(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let task = tokio::spawn(net::component::serve(self.core().clone(), theirs));
        self.connections.lock().push(task);
        ours
    }

    /// Reach me, where this test has ways out.
    fn open_reach(&mut self) {
        let reach = Reach::new(self.core().clone());
        // Mail goes out as letters where this test has a mail system.
        let channel = |carrier: &Arc<Carrier>| match (&self.letters, carrier.way()) {
            (Some(letters), Way::Mail) => {
                Arc::new(Notices::new(self.core().clone(), letters.clone())) as Arc<dyn Channel>
            }
            _ => carrier.clone() as Arc<dyn Channel>,
        };
        let mut channels: Vec<_> = self.carriers.iter().map(channel).collect();
        let by_http = self.phones.as_deref() == Some("http");
        let phones = self.phones.as_ref().and_then(|_| self.phones(by_http, &reach));
        if by_http {
            self.open_hooks(phones.clone());
        }
        channels.extend(phones.clone().map(|phones| phones as Arc<dyn Channel>));
        if channels.is_empty() {
            return;
        }
        let running = reach.clone().run(channels);
        self.reaching = Some(tokio::spawn(async {
            match phones {
                Some(phones) => drop(tokio::join!(running, phones.run())),
                None => running.await,
            }
        }));
        self.reach = Some(reach);
    }

    /// Providers post where streams are served, too.
    fn open_hooks(&mut self, phones: Option<Arc<sms::Gateway>>) {
        let files = self.web.files().cloned();
        self.web = web(&self.server, files, self.previews.clone(), None, phones);
    }

    /// The way to phones, by the carriers of this test.
    fn phones(&self, by_http: bool, reach: &Arc<Reach>) -> Option<Arc<sms::Gateway>> {
        let smpp = smpp::Settings {
            system_id: "rookery".into(),
            password: "secret".into(),
            system_type: String::new(),
            sender: "4711".into(),
            joining: Joining::Header,
            default_alphabet: Alphabet::Gsm,
            window: 10,
        };
        let fresh = Arc::new(Fresh::default());
        let link = Link::new("smsc", smpp, self.smsc.dial(), 1, fresh.clone());
        let way = sms::Way::Smpp(link);
        let carrier = sms::Carrier { name: "smsc".into(), prefixes: Vec::new(), priority: 1, way };
        let mut carriers = vec![carrier];
        carriers.extend(by_http.then(|| self.provider.carrier(fresh.clone())));
        let settings = sms::Settings {
            host: "sms.localhost".into(),
            caps: Caps { account: 5, server: 10 },
            numbers: [("4712".to_owned(), "nurse".to_owned())].into(),
            parts: 2,
        };
        sms::Gateway::new(self.core().clone(), reach.clone(), settings, carriers, fresh)
    }

    /// Reach me ends, whatever it was doing, and begins again.
    pub async fn kill_reach(&mut self) {
        if let Some(task) = self.reaching.take() {
            task.abort();
            task.await.ok();
        }
        self.open_reach();
    }

    /// The carrier of a way.
    pub fn carrier(&self, way: Way) -> Result<&Arc<Carrier>> {
        let carrier = self.carriers.iter().find(|carrier| carrier.way() == way);
        carrier.with_context(|| format!("there is no way {}: `server reach=…` makes it", way.name()))
    }

    /// The mail system, where this test has one.
    fn open_mail(&mut self) {
        self.mail = self.files().and_then(|files| {
            let settings = Settings {
                domain: self.policy.domain.clone(),
                host: format!("mail.{}", self.policy.domain),
                hostname: "mx.localhost".into(),
                largest: MAIL_BYTES,
                tls: self.tls.clone().map(rookery::mail::starttls),
                out: self.policy.gateways.iter().any(|it| (it.reaches)("a\\40b.org")),
                sign: Arc::new(|_| String::new()),
                judge: self.judge.clone(),
                filter: self.filtered.then(names::filter),
                unfiltered: false,
                greylist: self.greylist,
            };
            assemble::mail(self.core(), files, settings)
        });
        let mail = self.mail.as_ref();
        self.submission = mail.map(|mail| assemble::submission(&self.server, mail, SENT_PER_HOUR));
        self.programs = self.files().filter(|_| self.mail.is_some()).map(|files| {
            let settings = imap::Settings {
                domain: self.policy.domain.clone(),
                hostname: "mx.localhost".into(),
                largest: MAIL_BYTES,
                tls: self.tls.clone().map(rookery::mail::starttls),
            };
            assemble::mail_programs(&self.server, files, settings)
        });
        if let Some(mail) = self.mail.clone() {
            self.connections.lock().push(tokio::spawn(mail.clone().run(Some(self.smarthost.route()))));
            let letters = Arc::new(Letters::new(mail, self.smarthost.route()));
            self.letters = Some(letters.clone());
            let (recovery, fulfilling) = Recovery::open(self.core().clone(), letters);
            self.connections.lock().push(tokio::spawn(fulfilling));
            let (files, previews) = (self.files().cloned(), self.previews.clone());
            self.web = web(&self.server, files, previews, Some(recovery), None);
        }
    }

    /// A new connection of a mail server at `peer`; none where there is no place, or no mail.
    pub fn connect_mail_from(&self, peer: IpAddr) -> Option<DuplexStream> {
        let mail = self.mail.clone()?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let place = mail.enter(peer)?;
        self.connections.lock().push(tokio::spawn(smtp::serve(mail, theirs, peer, place)));
        Some(ours)
    }

    /// A new connection of the operator's front server, by LMTP; none where there is no mail.
    pub fn connect_front(&self) -> Option<DuplexStream> {
        let mail = self.mail.clone()?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.connections.lock().push(tokio::spawn(smtp::serve_front(mail, theirs, here)));
        Some(ours)
    }

    /// A new connection of a mail program at `peer` that sends, without TLS; none where there is no place, or no mail.
    pub fn connect_submission_from(&self, peer: IpAddr) -> Option<DuplexStream> {
        let submission = self.submission.clone()?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let place = submission.enter(peer)?;
        let serving = smtp::serve_program(submission, theirs, peer, place, false);
        self.connections.lock().push(tokio::spawn(serving));
        Some(ours)
    }

    /// A new connection of a mail program at `peer`, without TLS; none where there is no place, or no mail.
    pub fn connect_imap_from(&self, peer: IpAddr) -> Option<DuplexStream> {
        let programs = self.programs.clone()?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let place = programs.enter(peer)?;
        self.connections.lock().push(tokio::spawn(imap::serve(programs, theirs, peer, place, false)));
        Some(ours)
    }

    /// The paging station, where this test has one.
    fn open_pager(&mut self) {
        let domain = self.policy.domain.clone();
        let settings = pager::Settings { host: format!("pager.{domain}"), domain };
        let desk = Desk::new(self.core().clone());
        if let Some(desk) = desk.clone() {
            self.connections.lock().push(tokio::spawn(desk.run()));
        }
        self.pager = pager::Gateway::new(self.core().clone(), settings, desk);
        if let Some(pager) = self.pager.clone() {
            self.connections.lock().push(tokio::spawn(pager.run()));
        }
    }

    /// The secretary, where this test has one.
    fn open_secretary(&self) {
        if let Some(secretary) = Secretary::new(self.core().clone()) {
            self.connections.lock().push(tokio::spawn(secretary.run()));
        }
    }

    /// These take turns in a group on duty, each for a day that ends at midnight (UTC), from the first on now; the next is told after so
    /// many minutes.
    pub async fn set_duty(&self, name: &str, people: &[String], minutes: u32) -> Result<()> {
        let admin = Admin::of(self.core().clone());
        let request = control::DutyRequest::Set {
            name: name.to_owned(),
            people: people.to_vec(),
            days: 1,
            at: "00:00".to_owned(),
            since: None,
            zone: "UTC".to_owned(),
            patience: minutes,
        };
        match admin.handle(control::Request::Duty { request }).await {
            control::Response::Done { .. } => Ok(()),
            other => bail!("the group was not made: {other:?}"),
        }
    }

    /// A new connection of a caller at `peer`, by SNPP; none where there is no place, or no paging station.
    pub fn connect_caller_from(&self, peer: IpAddr) -> Option<DuplexStream> {
        let pager = self.pager.clone()?;
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let place = pager.enter(peer)?;
        self.connections.lock().push(tokio::spawn(snpp::serve(pager, theirs, peer, place)));
        Some(ours)
    }

    /// The data directory.
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    /// The server's files, where it has any.
    pub fn files(&self) -> Option<&Arc<Files>> {
        self.web.files()
    }

    /// The server as a listener needs it, for tests over real sockets.
    pub fn shared(&self) -> &Arc<Server> {
        &self.server
    }

    /// What a client needs to trust the local certificate.
    pub fn trust(&self) -> Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        let authority = local(&self.data, &self.policy).authority_file();
        roots.add(CertificateDer::from_pem_file(authority)?)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }

    /// Another certificate of the same authority comes into use, as when the files are replaced.
    pub fn renew_certificate(&self) -> Result<()> {
        let tls = self.tls.as_ref().context("the server has no TLS")?;
        std::fs::remove_file(local(&self.data, &self.policy).chain_file())?;
        if !tls.reload(UtcDateTime::now())? {
            bail!("the new certificate was not taken");
        }
        Ok(())
    }

    /// Creates an account by name, or with the number that `name` spells; returns its number.
    pub async fn create_account(&self, name: &str, password: &str) -> Result<u64> {
        let env = &self.core().env;
        let salts = [env.bytes(), env.bytes(), env.bytes()];
        let password = password.to_owned();
        let keys = tokio::task::spawn_blocking(move || Credentials::derive(&password, &salts, ITERATIONS));
        let credentials = rookery_store::Credentials(keys.await??.to_bytes());
        let number = Uid::from_local(name);
        let new = NewAccount {
            name: number.is_none().then(|| name.to_owned()),
            primary: if number.is_none() { Primary::Name } else { Primary::Number },
            nick: None,
            credentials,
            created: env.now(),
            epoch: u32::from_le_bytes(env.bytes()),
            invite: None,
        };
        let account = self.core().store.create_account(new).await?;
        if number.is_some_and(|wanted| wanted != account.uid) {
            bail!("the next number is {}, not {name}: create the accounts in order", account.uid);
        }
        Ok(account.uid.0)
    }

    /// Lets the account administer the server, as `rookery account admin` does.
    pub async fn make_administrator(&self, name: &str) -> Result<()> {
        let account = self.core().accounts.find(name).await?;
        self.core().store.set_admin(account.uid, true).await?;
        self.core().account_changed(account.uid, false).await;
        Ok(())
    }

    /// What an application for second factors shows now.
    pub fn code(&self, key: &str) -> Result<String> {
        let key = second_factor::Key::parse(key).context("this is no key of a second factor")?;
        Ok(key.code(second_factor::step_at(self.core().env.now())))
    }

    /// The operator's command to delete an account.
    pub async fn delete_account(&self, account: &str) -> Result<()> {
        let request = control::Request::Delete { account: account.to_owned() };
        match Admin::of(self.core().clone()).handle(request).await {
            control::Response::Refused { why } => bail!(why),
            _ => Ok(()),
        }
    }

    /// The operator's command to make an invitation: `for` whom, whether they become a `contact`, `name`, `uses`, and in how
    /// many seconds it `expires`. Gives its token.
    pub async fn invite(&self, settings: &[(String, String)]) -> Result<String> {
        let get =
            |wanted: &str| settings.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
        let request = control::Request::CreateInvite {
            uses: get("uses").map_or(Ok(1), |uses| uses.parse())?,
            seconds: get("expires").map_or(Ok(86_400), |seconds| seconds.parse())?,
            account: get("for"),
            contact: get("contact").is_some(),
            name: get("name"),
            group: get("group"),
        };
        match Admin::of(self.core().clone()).handle(request).await {
            control::Response::Invited { token, .. } => Ok(token),
            control::Response::Refused { why } => bail!(why),
            _ => bail!("the server answered something else"),
        }
    }

    /// Ends, and starts again on the same store. All connections are gone.
    pub async fn restart(&mut self, ending: Ending) -> Result<()> {
        self.restart_after(ending, Duration::ZERO).await
    }

    /// The same; `away` goes by before it is there again.
    pub async fn restart_after(&mut self, ending: Ending, away: Duration) -> Result<()> {
        let env = self.core().env.clone();
        if let Some(task) = self.reaching.take() {
            task.abort();
            task.await.ok();
        }
        self.smsc.hang_up();
        match ending {
            Ending::Orderly => {
                assemble::shutdown(self.core()).await?;
                self.clock.abort();
            }
            Ending::Killed => {
                self.clock.abort();
                self.web.sessions.kill();
                let connections = std::mem::take(&mut *self.connections.lock());
                for connection in connections {
                    connection.abort();
                    connection.await.ok();
                }
                // What was handed to the store may still commit, as a write that the kernel has may.
                self.core().store.close().await?;
            }
        }
        self.connections.lock().clear();
        tokio::time::advance(away).await;
        let (tls, previews) = (self.tls.clone(), self.previews.clone());
        (self.server, self.web, self.clock) =
            open(&self.data, &self.policy, env, tls, &self.disk, &self.browsers, &self.files, previews)
                .await?;
        self.open_mail();
        self.open_reach();
        self.open_pager();
        self.open_secretary();
        Ok(())
    }

    /// Whether these bytes stand anywhere in the files of the store.
    pub fn store_contains(&self, bytes: &[u8]) -> Result<bool> {
        for file in ["rookery.db", "rookery.db-wal"] {
            let content = std::fs::read(self.data.path().join(file)).unwrap_or_default();
            if content.windows(bytes.len()).any(|window| window == bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From now on the store has this fault, or none.
    pub fn set_store_fault(&self, fault: Option<StoreFault>) {
        self.disk.heal();
        match fault {
            Some(StoreFault::Fails) => self.disk.fail_writes(0, Fault::Io),
            Some(StoreFault::Full) => self.disk.fail_writes(0, Fault::Full),
            Some(StoreFault::Stalls) => self.disk.stall_syncs(),
            None => {}
        }
    }
}

/// HTTP as the program offers it by default.
fn web(
    server: &Arc<Server>,
    files: Option<Arc<Files>>,
    previews: Option<Arc<Previews>>,
    recovery: Option<Arc<Recovery>>,
    phones: Option<Arc<sms::Gateway>>,
) -> Arc<Web> {
    let proxies = ["127.0.0.2", "10.0.0.0/8"].map(|network| network.parse().expect("a network"));
    let settings =
        http::Settings { base: Some(PUBLIC_URL.to_owned()), origins: Vec::new(), proxies: proxies.to_vec() };
    let admission = Arc::new(Admission::new(CONNECTIONS, CONNECTIONS_PER_ADDRESS));
    Web::new(server.clone(), admission, settings, files, previews, recovery, phones)
}

fn local(data: &TempDir, policy: &Policy) -> LocalCertificate {
    LocalCertificate::new(data.path(), &policy.domain)
}

#[allow(clippy::too_many_arguments, reason = "all that a server in a test is made of")]
async fn open(
    data: &TempDir,
    policy: &Policy,
    env: Env,
    tls: Option<Arc<Tls>>,
    disk: &Faults,
    browsers: &Browsers,
    files: &files::Settings,
    previews: Option<Arc<Previews>>,
) -> Result<(Arc<Server>, Arc<Web>, JoinHandle<()>)> {
    let mut options = Options::new(data.path().join("rookery.db"));
    options.vfs = Some(disk.name().to_owned());
    let core = assemble::core(data.path(), options, policy.clone(), env).await?;
    let files = assemble::files(&core, data.path(), files.clone())?;
    let poster = Poster::open(data.path(), Client::through(browsers.dial()), &core.policy)?;
    let clock = assemble::background(core.clone(), data.path(), files.clone(), poster);
    let settings = net::Settings { plain: tls.is_none(), registrations_per_hour: 5 };
    let server = Arc::new(Server::new(core, tls, settings));
    let web = web(&server, files, previews, None, None);
    Ok((server, web, clock))
}

fn policy(settings: &BTreeMap<String, String>) -> Result<Policy> {
    let mut policy = Policy {
        domain: "localhost".into(),
        groups: "groups.localhost".into(),
        pubsub: pep::Service::new("pubsub.localhost", pep::Creators::Members),
        resumption: Duration::from_secs(600),
        // Scripted clients answer no pings while time passes.
        idle: Duration::from_secs(86_400),
        stanza_bytes: 256 << 10,
        registration: Registration::Closed,
        second_factor: false,
        members_invite: true,
        public_url: Some(PUBLIC_URL.to_owned()),
        retention_days: None,
        group_retention_days: None,
        archive_default: Default::default(),
        iterations: ITERATIONS,
        // A test's clock stands still: whatever it sends comes at once. What is about a limit sets it.
        pace: pace::Limits::OFF,
        lists: Vec::new(),
        gate: None,
        components: Vec::new(),
        gateways: Vec::new(),
        services: Vec::new(),
        contacts: Vec::new(),
        terms: None,
        outage: Vec::new(),
        files: Some(upload::Files {
            base: PUBLIC_URL.to_owned(),
            largest: 100_000_000,
            quota: FileQuota::default(),
            unnamed_days: Some(30),
        }),
        reach: Default::default(),
        previewer: None,
    };
    for (name, value) in settings {
        let number = || value.parse::<u64>().with_context(|| format!("{name} is a number, not {value}"));
        match (name.as_str(), value.as_str()) {
            ("domain", domain) => policy.domain = domain.into(),
            ("registration", "closed") => policy.registration = Registration::Closed,
            ("registration", "invite") => policy.registration = Registration::Invite,
            ("registration", "review") => policy.registration = Registration::Review,
            ("registration", "open") => policy.registration = Registration::Open,
            ("second_factor", _) => policy.second_factor = value == "true",
            ("members_invite", _) => policy.members_invite = value == "true",
            ("component", hosts) => policy.components = hosts.split(',').map(component).collect(),
            ("turn", host) => policy.services = vec![turn(host)],
            ("abuse", uri) => policy.contacts = vec![("abuse-addresses", vec![uri.into()])],
            ("terms", uri) => policy.terms = Some(uri.into()),
            ("outage", uri) => policy.outage = vec![uri.into()],
            // Looked at before, and after.
            ("previews", "on") => {}
            ("judged" | "filtered" | "greylist", "on") => {}
            ("mail", way @ ("in" | "on")) => {
                policy.gateways = vec![rookery::mail::host("mail.localhost".into(), way == "on")];
            }
            ("reach", ways) => {
                policy.reach.ways.extend(ways.split('+').map(offer).collect::<Result<Vec<_>>>()?);
            }
            ("sms", "on" | "http") => {
                policy.reach.ways.push(Offer { way: Way::Sms, canonical: phone::canonical });
                policy.gateways.push(rookery::sms::host("sms.localhost".into()));
            }
            ("sendings_per_day", _) => policy.reach.caps.account = number()? as u32,
            ("pager", "on") => policy.gateways.push(rookery::pager::host("pager.localhost".into())),
            ("duty", "on") => policy.gateways.push(rookery::duty::host(&policy.domain)),
            ("secretary", "on") => policy.gateways.push(rookery::secretary::host(&policy.domain)),
            ("pubsub", "off") => policy.pubsub = None,
            ("pubsub", who) => {
                let create = pep::Creators::from_name(who).with_context(|| format!("{who} make no nodes"))?;
                policy.pubsub = pep::Service::new("pubsub.localhost", create);
            }
            ("files", "off") => policy.files = None,
            ("largest" | "quota" | "total", _) => {
                let bytes = number()?;
                let files = policy.files.as_mut().context("there are no files")?;
                match name.as_str() {
                    "largest" => files.largest = bytes,
                    "quota" => files.quota.account = Some(bytes),
                    _ => files.quota.total = Some(bytes),
                }
            }
            ("resumption", _) => policy.resumption = Duration::from_secs(number()?),
            ("idle", _) => policy.idle = Duration::from_secs(number()?),
            ("stanza_bytes", _) => policy.stanza_bytes = number()? as usize,
            ("list", text) => policy.lists = vec![list(text)?],
            ("gate", "strangers") => policy.gate = Some(gate(false)),
            ("gate", "all") => policy.gate = Some(gate(true)),
            ("messages_per_second", _) => policy.pace.messages_per_second = number()? as u32,
            ("strangers_per_hour", _) => policy.pace.strangers_per_hour = number()? as u32,
            ("strangers_per_day", _) => policy.pace.strangers_per_day = number()? as u32,
            ("subscriptions_per_hour", _) => policy.pace.subscriptions_per_hour = number()? as u32,
            ("iterations", _) => policy.iterations = number()? as u32,
            ("retention_days", _) => policy.retention_days = Some(number()? as u32),
            ("group_retention_days", _) => policy.group_retention_days = Some(number()? as u32),
            _ => bail!("there is no setting {name}={value}"),
        }
    }
    Ok(policy)
}

/// A way of a test, which reaches whatever has no spaces.
fn offer(name: &str) -> Result<Offer> {
    let way = Way::from_name(name).with_context(|| format!("there is no way {name}"))?;
    let canonical = |typed: &str| {
        let plain: String = typed.chars().filter(|c| *c != '-').collect();
        (!plain.is_empty() && !plain.contains(' ')).then_some(plain)
    };
    Ok(Offer { way, canonical })
}

/// `rtbl.localhost/bans`: a node and its service.
fn list(text: &str) -> Result<listed::Source> {
    let (service, node) = text.split_once('/').context("a list is a service, a slash and a node")?;
    Ok(listed::Source { service: service.into(), node: node.into() })
}

/// A program that refuses what has `roses` in it, sets `later` aside, and takes its time.
fn gate(all: bool) -> Gate {
    let ask = |question: Question| -> Pin<Box<dyn Future<Output = Verdict> + Send>> {
        Box::pin(async move {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            match question.body {
                Some(body) if body.contains("roses") => Verdict::Refuse("No flowers here.".into()),
                Some(body) if body.contains("later") => Verdict::SetAside,
                _ => Verdict::Allow,
            }
        })
    };
    Gate { ask: Arc::new(ask), all }
}

fn component(host: &str) -> Allowed {
    Allowed { host: host.into(), secret: COMPONENT_SECRET.into(), stanza_bytes: 64 << 10 }
}

fn turn(host: &str) -> Service {
    let key = Key::Shared { secret: "north".into(), seconds: 3600 };
    let (kind, host, transport) = ("turn".into(), host.into(), Some("udp".into()));
    Service { kind, host, port: Some(3478), transport, name: None, key }
}
