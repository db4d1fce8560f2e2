//! `rookery serve`: everything is opened, the doors too, and closed again in order.

mod greeting;

use crate::assemble;
use crate::certificate::LocalCertificate;
use crate::config::{Config, LogFormat};
use crate::control::{self, Admin};
use crate::data::{DataLock, store_options};
use crate::duty::{self, Desk};
use crate::files::{self, Files, Scanner};
use crate::http::client::{Client, Reach};
use crate::http::listener::Http;
use crate::http::{self, Monitor, Web};
use crate::mail;
use crate::moderation::{self, hook};
use crate::net::component;
use crate::net::listener::{self, Admission};
use crate::net::{Server, Settings};
use crate::pager;
use crate::previews::Previews;
use crate::push::Poster;
use crate::reach;
use crate::recovery::Recovery;
use crate::secretary::{self, Secretary};
use crate::sms;
use crate::tls::{Source, Tls};
use anyhow::{Context, Result};
use rookery_core::env::Env;
use rookery_core::gate::Gate;
use rookery_core::xep::pep::Service;
use rookery_core::xep::upload;
use rookery_core::{Core, Policy};
use rookery_gateway::mail::imap;
use rookery_gateway::mail::letter::Letters;
use rookery_gateway::mail::notices::Notices;
use rookery_gateway::reach::Reach as ReachMe;
use rookery_gateway::reach::channel::Channel;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use time::UtcDateTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

/// Silence after which a client is asked for a sign of life: below the ten minutes after which many routers forget a
/// connection, and seldom enough for a phone's battery.
const IDLE: Duration = Duration::from_secs(300);

/// Runs the server until it is told to stop.
pub fn serve(config: Config) -> Result<()> {
    log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(config))
}

async fn run(config: Config) -> Result<()> {
    let mut stop = Stop::new()?;
    let figures = http::recorder()?;
    let env = Env::system();
    // Held until the end: commands see a running server, and nobody else writes.
    let _lock = DataLock::take(&config.data)?;
    let tls = Arc::new(Tls::open(certificates(&config), UtcDateTime::now())?);
    let reach = Reach::Public { besides: config.http_internal_networks.clone() };
    let previews = config.previews.then(|| Previews::new(Client::new(reach.clone()), env.clone()));
    let previewer = previews.as_ref().map(|it| it.previewer(config.public_url().unwrap_or_default()));
    let policy = Policy { gate: gate(&config), previewer, ..policy(&config) };
    let core = assemble::core(&config.data, store_options(&config), policy, env).await?;
    moderation::files::load(&core, &config.list_files)?;
    let settings = Settings {
        plain: config.allow_plain_connections,
        registrations_per_hour: config.registrations_per_hour,
    };
    let server = Arc::new(Server::new(core.clone(), Some(tls.clone()), settings));
    let monitor = Monitor::new(core.clone(), figures);

    let mut doors = JoinSet::new();
    let files = assemble::files(&core, &config.data, file_settings(&config))?;
    let letters = match &files {
        Some(files) => open_mail(&config, &server, files, &mut doors).await?,
        None => None,
    };
    let recovery = letters.as_ref().and_then(|letters| open_recovery(&core, letters, &mut doors));
    let reaching = ReachMe::new(core.clone());
    let phones = sms::gateway(&config, &core, &reaching);
    open_doors(&config, &server, files.clone(), previews, recovery, phones.clone(), &mut doors).await?;
    let mut channels = Vec::new();
    channels.extend(letters.map(|letters| Arc::new(Notices::new(core.clone(), letters)) as Arc<dyn Channel>));
    open_pager(&config, &core, &mut doors).await?;
    channels.extend(pager::channel(&config, &core));
    open_secretary(&config, &core, &mut doors).await?;
    if let Some(phones) = phones {
        doors.spawn(phones.clone().run());
        channels.push(phones);
    }
    if !channels.is_empty() {
        doors.spawn(reaching.run(channels));
    }
    for address in &config.listen_status {
        let listener = bind(*address, "listen.status").await?;
        let monitor = monitor.clone();
        doors.spawn(async move {
            if let Err(error) = monitor.serve(listener).await {
                tracing::error!(%error, "metrics and health are not served any more");
            }
        });
    }
    doors.spawn(async move {
        if let Err(error) = tls.watch().await {
            tracing::error!(%error, "changed certificates will not be noticed");
        }
    });
    doors.spawn(moderation::files::watch(core.clone(), config.list_files.clone()));
    let commands = control::listen(&config.data)?;
    doors.spawn(control::run(commands, Arc::new(Admin::of(core.clone()))));
    let poster = Poster::open(&config.data, Client::new(reach), &core.policy)?;
    let clock = assemble::background(core.clone(), &config.data, files, poster);
    greeting::greet(&config, &core).await;

    stop.wait().await;
    tracing::info!("shutting down; sessions can be resumed after the restart");
    monitor.retire();
    doors.shutdown().await;
    clock.abort();
    assemble::shutdown(&core).await
}

async fn open_doors(
    config: &Config,
    server: &Arc<Server>,
    files: Option<Arc<Files>>,
    previews: Option<Arc<Previews>>,
    recovery: Option<Arc<Recovery>>,
    phones: Option<Arc<sms::Gateway>>,
    doors: &mut JoinSet<()>,
) -> Result<()> {
    let admission = Arc::new(Admission::new(config.connections, config.connections_per_address));
    let settings = web_settings(config);
    let web = Web::new(server.clone(), admission.clone(), settings, files, previews, recovery, phones);
    let tls = server.tls.clone();
    for (setting, addresses, tls) in
        [("listen.http", &config.listen_http, None), ("listen.https", &config.listen_https, tls)]
    {
        for address in addresses {
            let listener = bind(*address, setting).await?;
            doors.spawn(Http::new(web.clone()).run(listener, tls.clone()));
        }
    }
    let kinds = [("listen.c2s", &config.listen_c2s, false), ("listen.c2s_tls", &config.listen_c2s_tls, true)];
    for (setting, addresses, direct) in kinds {
        for address in addresses {
            let listener = bind(*address, setting).await?;
            doors.spawn(listener::run(server.clone(), listener, admission.clone(), direct));
        }
    }
    for address in config.listen_components.iter().filter(|_| !config.components.is_empty()) {
        let listener = bind(*address, "listen.components").await?;
        doors.spawn(component::run(server.core.clone(), listener));
    }
    Ok(())
}

/// The mail system, where there is one; and letters, if it has a way out.
async fn open_mail(
    config: &Config,
    server: &Arc<Server>,
    files: &Arc<Files>,
    doors: &mut JoinSet<()>,
) -> Result<Option<Arc<Letters>>> {
    if let Some(settings) = mail::programs(config, server.tls.clone()) {
        let programs = assemble::mail_programs(server, files, settings);
        let kinds = [("mail.imap", &config.mail.imap, false), ("mail.imap_tls", &config.mail.imap_tls, true)];
        for (setting, addresses, direct) in kinds {
            for address in addresses {
                let listener = bind(*address, setting).await?;
                doors.spawn(imap::run(programs.clone(), listener, direct));
            }
        }
    }
    let settings = mail::settings(config, server.tls.clone())?;
    let Some(gateway) = settings.and_then(|it| assemble::mail(&server.core, files, it)) else {
        return Ok(None);
    };
    for address in &config.mail.listen {
        let listener = bind(*address, "mail.listen").await?;
        doors.spawn(mail::run(gateway.clone(), listener));
    }
    if let Some(door) = mail::front(config).await? {
        doors.spawn(mail::run_front(gateway.clone(), door));
    }
    let submission = assemble::submission(server, &gateway, config.mail.sent_per_hour);
    let kinds = [
        ("mail.submission", &config.mail.submission, false),
        ("mail.submission_tls", &config.mail.submission_tls, true),
    ];
    for (setting, addresses, direct) in kinds {
        for address in addresses {
            let listener = bind(*address, setting).await?;
            doors.spawn(mail::run_submission(submission.clone(), listener, direct));
        }
    }
    let letters = mail::route(config)?.map(|route| Arc::new(Letters::new(gateway.clone(), route)));
    doors.spawn(gateway.run(mail::route(config)?));
    Ok(letters)
}

/// Links for lost passwords are mailed where they can be opened.
fn open_recovery(core: &Arc<Core>, letters: &Arc<Letters>, doors: &mut JoinSet<()>) -> Option<Arc<Recovery>> {
    core.policy.public_url.as_ref()?;
    let (recovery, fulfilling) = Recovery::open(core.clone(), letters.clone());
    doors.spawn(fulfilling);
    Some(recovery)
}

/// The paging station, where there is one, and groups on duty.
async fn open_pager(config: &Config, core: &Arc<Core>, doors: &mut JoinSet<()>) -> Result<()> {
    let desk = Desk::new(core.clone());
    if let Some(desk) = desk.clone() {
        doors.spawn(desk.run());
    }
    let settings = pager::settings(config);
    let Some(gateway) = settings.and_then(|it| pager::Gateway::new(core.clone(), it, desk)) else {
        return Ok(());
    };
    for (setting, addresses, protocol) in [
        ("pager.snpp", &config.pager.snpp, pager::Protocol::Snpp),
        ("pager.tap", &config.pager.tap, pager::Protocol::Tap),
    ] {
        for address in addresses {
            let listener = bind(*address, setting).await?;
            doors.spawn(pager::run(gateway.clone(), protocol, listener));
        }
    }
    doors.spawn(gateway.run());
    Ok(())
}

/// The secretary, where there is one. An account at its address would not be reached any more.
async fn open_secretary(config: &Config, core: &Arc<Core>, doors: &mut JoinSet<()>) -> Result<()> {
    let Some(secretary) = config.secretary.then(|| Secretary::new(core.clone())).flatten() else {
        return Ok(());
    };
    if core.store.account_by_name(rookery_gateway::secretary::NAME).await?.is_some() {
        anyhow::bail!(
            "`secretary.enabled`: there is an account at the secretary's address. Rename it first."
        );
    }
    doors.spawn(secretary.run());
    Ok(())
}

fn web_settings(config: &Config) -> http::Settings {
    http::Settings {
        base: config.public_url(),
        origins: config.http_origins.clone(),
        proxies: config.http_trusted_proxies.clone(),
    }
}

async fn bind(address: SocketAddr, setting: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("Nothing can listen on {address}. Is another server running there? `{setting}` in the configuration sets another address.")
    })
}

fn certificates(config: &Config) -> Source {
    match (&config.tls_certificate, &config.tls_key) {
        (Some(certificate), Some(key)) => {
            Source::Files { certificate: certificate.clone(), key: key.clone() }
        }
        _ => Source::Local(LocalCertificate::new(&config.data, &config.domain)),
    }
}

/// The operator's program, if there is one.
fn gate(config: &Config) -> Option<Gate> {
    let path = config.hook.clone()?;
    let (patience, fails_open) = (config.hook_patience, config.hook_fails_open);
    let ask = hook::start(hook::Settings { path, patience, fails_open });
    Some(Gate { ask, all: config.hook_about_all })
}

/// What core must know of the configuration; who judges messages (`gate`) and who looks at links is not among it.
pub fn policy(config: &Config) -> Policy {
    let files = files(config);
    Policy {
        domain: config.domain.clone(),
        groups: config.groups_host(),
        pubsub: config.pubsub_host().and_then(|host| Service::new(&host, config.pubsub_create)),
        resumption: config.resumption,
        idle: IDLE,
        stanza_bytes: config.stanza_bytes,
        registration: config.registration,
        second_factor: config.second_factor,
        members_invite: config.members_invite,
        public_url: config.public_url(),
        retention_days: config.retention_days,
        group_retention_days: config.group_retention_days,
        archive_default: config.archive_default,
        iterations: config.scram_iterations,
        pace: config.pace,
        lists: config.lists.clone(),
        gate: None,
        components: config.components.clone(),
        gateways: [mail::hosted, pager::hosted, sms::hosted, secretary::hosted, duty::hosted]
            .into_iter()
            .filter_map(|hosted| hosted(config))
            .collect(),
        services: config.services.clone(),
        contacts: config.contacts.clone(),
        terms: config.terms.clone(),
        outage: config.outage.clone(),
        reach: reach::policy(config, files.is_some()),
        files,
        previewer: None,
    }
}

/// Where files are, and who looks at them.
fn file_settings(config: &Config) -> files::Settings {
    let clamd = match config.files_scan_clamd.as_str() {
        "" => None,
        socket if socket.starts_with('/') => Some(Scanner::ClamdSocket(socket.into())),
        address => Some(Scanner::ClamdAddress(address.to_owned())),
    };
    files::Settings {
        bucket: config.bucket(),
        scanner: config.files_scan_command.clone().map(Scanner::Command).or(clamd),
    }
}

/// What may be uploaded: nothing, where nobody could reach it.
fn files(config: &Config) -> Option<upload::Files> {
    let base = config.public_url().filter(|_| config.files_largest > 0)?;
    Some(upload::Files {
        base,
        largest: config.files_largest,
        quota: config.quota(),
        unnamed_days: config.files_unnamed_days,
    })
}

fn log(config: &Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.log_level).context("`log.level` is not a filter.")?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let lines = lines.with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => lines.with_target(false).init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// The signals that end the server.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> Result<Stop> {
        Ok(Stop { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
