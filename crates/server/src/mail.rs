//! The mail system (`rookery-gateway`), as the configuration has it.

use crate::config::Config;
use crate::http::client;
use crate::tls::Tls;
use rookery_core::gateway::Hosted;
use rookery_gateway::mail::smtp::Carrier;
use rookery_gateway::mail::{Dialling, Route, Settings, Smarthost, address};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long the smarthost may take to answer a call: longer than any lost packet.
const CONNECT: Duration = Duration::from_secs(30);

pub use rookery_gateway::mail::smtp::run;

/// The gateway's host, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    config.mail_host().map(|it| host(it, config.mail.smarthost.is_some()))
}

/// A mail gateway at this host; `out`: there is a way out.
pub fn host(host: String, out: bool) -> Hosted {
    Hosted { host, reaches: if out { address::reaches } else { |_| false } }
}

/// The way out, if there is one.
pub fn route(config: &Config) -> Option<Route> {
    let smarthost = config.mail.smarthost.clone()?;
    let dial = |smarthost: &Smarthost| -> Dialling {
        let (host, port) = (smarthost.host.clone(), smarthost.port);
        Box::pin(async move {
            let connecting = TcpStream::connect((host.as_str(), port));
            let stream = tokio::time::timeout(CONNECT, connecting).await;
            let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Carrier>)
        })
    };
    Some(Route { smarthost, tls: client::system_tls(), dial: Arc::new(dial) })
}

/// What the mail system must know; `None`: there is none.
pub fn settings(config: &Config, tls: Option<Arc<Tls>>) -> Option<Settings> {
    Some(Settings {
        domain: config.domain.clone(),
        host: config.mail_host()?,
        hostname: config.mail.hostname.clone().unwrap_or_else(|| config.domain.clone()),
        largest: config.mail.largest,
        tls: tls.map(starttls),
    })
}

/// TLS for connections that begin now.
pub fn starttls(tls: Arc<Tls>) -> rookery_gateway::mail::StartTls {
    Arc::new(move || tls.current().starttls.clone())
}
