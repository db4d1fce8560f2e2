//! The mail system (`rookery-gateway`), as the configuration has it.

use crate::config::Config;
use crate::tls::Tls;
use rookery_core::gateway::Hosted;
use rookery_gateway::mail::Settings;
use std::sync::Arc;

pub use rookery_gateway::mail::smtp::run;

/// The gateway's host, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    config.mail_host().map(host)
}

/// A mail gateway at this host.
pub fn host(host: String) -> Hosted {
    // There is no way out yet.
    Hosted { host, reaches: |_| false }
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
