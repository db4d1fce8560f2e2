//! The mail system (`rookery-gateway`), as the configuration has it.

mod dns;
pub mod doctor;
pub mod keys;
mod rspamd;

use crate::config::{Config, Front, Out};
use crate::http::client::{self, Client, Reach};
use crate::tls::Tls;
use anyhow::Context;
use rookery_core::gateway::Hosted;
use rookery_gateway::mail::filter::Ask;
use rookery_gateway::mail::judge::Judge;
use rookery_gateway::mail::route::Dialling;
use rookery_gateway::mail::smtp::{Carrier, Door, anyone};
use rookery_gateway::mail::{Route, Settings, Sign, address, imap};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// How long another mail server may take to answer a call: longer than any lost packet.
const CONNECT: Duration = Duration::from_secs(30);

/// Addresses of one host that are tried.
const ADDRESSES: usize = 4;

pub use rookery_gateway::mail::smtp::{run, run_front, run_submission};

/// The gateway's host, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    let mail = &config.mail;
    // People here write mail to each other also where it goes no further.
    let out = mail.smarthost.is_some() || !(mail.submission.is_empty() && mail.submission_tls.is_empty());
    config.mail_host().map(|it| host(it, out))
}

/// A mail gateway at this host; `out`: there is a way out.
pub fn host(host: String, out: bool) -> Hosted {
    Hosted { host, reaches: if out { address::reaches } else { |_| false } }
}

/// The way out, if there is one.
pub fn route(config: &Config) -> anyhow::Result<Option<Route>> {
    let (smarthost, reach, tls) = match &config.mail.smarthost {
        None => return Ok(None),
        Some(Out::Smarthost(host)) => (Some(host.clone()), Reach::Anywhere, client::system_tls()),
        // What a domain's records say must not lead to the inside of the network.
        Some(Out::Direct) => {
            let besides = config.http_internal_networks.clone();
            (None, Reach::Public { besides }, anyone::config())
        }
    };
    let exchanges = dns::exchanges().context("The system's DNS configuration cannot be read")?;
    let reach = Arc::new(reach);
    let dial =
        move |host: &str, port: u16| -> Dialling { Box::pin(connect(host.to_owned(), port, reach.clone())) };
    Ok(Some(Route { smarthost, exchanges, tls, dial: Arc::new(dial) }))
}

/// To the first address of a host that answers; which address is allowed is asked before it is connected to.
async fn connect(host: String, port: u16, reach: Arc<Reach>) -> io::Result<Box<dyn Carrier>> {
    let connecting = async {
        let mut last = io::Error::other("it has no address that may be connected to");
        let found = tokio::net::lookup_host((host.as_str(), port)).await?;
        for address in found.filter(|address| reach.has(address.ip())).take(ADDRESSES) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    };
    let stream = tokio::time::timeout(CONNECT, connecting).await;
    let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
    stream.set_nodelay(true)?;
    Ok(Box::new(stream) as Box<dyn Carrier>)
}

/// What the mail system must know; `None`: there is none.
pub fn settings(config: &Config, tls: Option<Arc<Tls>>) -> anyhow::Result<Option<Settings>> {
    let Some(host) = config.mail_host() else { return Ok(None) };
    let judge = config.mail.verify.then(Judge::new).transpose().map_err(anyhow::Error::msg);
    let judge = judge.context("The system's DNS configuration cannot be read")?;
    Ok(Some(Settings {
        domain: config.domain.clone(),
        host,
        hostname: config.mail.hostname.clone().unwrap_or_else(|| config.domain.clone()),
        largest: config.mail.largest,
        tls: tls.map(starttls),
        out: config.mail.smarthost.is_some(),
        sign: signer(config),
        judge: judge.map(Arc::new),
        filter: filter(config)?,
        unfiltered: config.mail.unfiltered,
        greylist: config.mail.greylist,
    }))
}

/// The filter, if there is one. It is the operator's own, wherever it is.
fn filter(config: &Config) -> anyhow::Result<Option<Arc<Ask>>> {
    let base = config.mail.rspamd.as_deref();
    let ask = base.map(|base| rspamd::ask(Client::new(Reach::Anywhere), base)).transpose();
    ask.map_err(anyhow::Error::msg).context("mail.rspamd is no address")
}

/// Where the operator's front server comes in, if it does. A socket that nobody listens at any more is taken away first.
pub async fn front(config: &Config) -> anyhow::Result<Option<Door>> {
    let Some(front) = &config.mail.lmtp else { return Ok(None) };
    let door = async {
        match front {
            Front::Address(address) => TcpListener::bind(address).await.map(Door::Address),
            Front::Socket(path) => {
                let stale = path.exists() && UnixStream::connect(path).await.is_err();
                if stale {
                    std::fs::remove_file(path)?;
                }
                UnixListener::bind(path).map(Door::Socket)
            }
        }
    };
    let door = door.await.with_context(|| format!("mail.lmtp: {front} cannot be opened"))?;
    Ok(Some(door))
}

/// Signs with the keys of the data directory.
fn signer(config: &Config) -> Arc<Sign> {
    let ring = keys::Ring::new(keys::folder(&config.data), config.domain.clone());
    Arc::new(move |mail| ring.sign(mail))
}

/// What mail programs read by IMAP; `None`: there is no mail.
pub fn programs(config: &Config, tls: Option<Arc<Tls>>) -> Option<imap::Settings> {
    config.mail.enabled.then(|| imap::Settings {
        domain: config.domain.clone(),
        hostname: config.mail.hostname.clone().unwrap_or_else(|| config.domain.clone()),
        largest: config.mail.largest,
        tls: tls.map(starttls),
    })
}

/// TLS for connections that begin now.
pub fn starttls(tls: Arc<Tls>) -> rookery_gateway::mail::StartTls {
    Arc::new(move || tls.current().starttls.clone())
}
