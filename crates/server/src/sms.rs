//! Short messages (`rookery-gateway`), as the configuration has them.

use crate::config::{Config, Provider};
use crate::http::client;
use rookery_core::Core;
use rookery_core::gateway::Hosted;
use rookery_gateway::mail::route::Dialling;
use rookery_gateway::mail::smtp::Carrier as Stream;
use rookery_gateway::reach::Reach;
use rookery_gateway::sms::smpp::Link;
use rookery_gateway::sms::smpp::link::Dial;
use rookery_gateway::sms::{Carrier, Fresh, Settings, Way, reaches};
use rookery_store::Caps;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

pub use rookery_gateway::sms::Gateway;

/// Whether there is a way to phones.
pub fn is_there(config: &Config) -> bool {
    config.sms.enabled && !config.sms.providers.is_empty()
}

/// The gateway's host, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    config.sms_host().filter(|_| is_there(config)).map(host)
}

/// A way to phones at this host.
pub fn host(host: String) -> Hosted {
    Hosted { host, reaches }
}

/// The way to phones; `None`: there is no provider.
pub fn gateway(config: &Config, core: &Arc<Core>, reach: &Arc<Reach>) -> Option<Arc<Gateway>> {
    let host = config.sms_host().filter(|_| is_there(config))?;
    let fresh = Arc::new(Fresh::default());
    let carrier = |provider: &Provider| {
        let reference = u16::from_be_bytes(core.env.bytes());
        let link = Link::new(&provider.name, provider.smpp.clone(), dial(provider), reference, fresh.clone());
        Carrier {
            name: provider.name.clone(),
            prefixes: provider.prefixes.clone(),
            priority: provider.priority,
            way: Way::Smpp(link),
        }
    };
    let carriers = config.sms.providers.iter().map(carrier).collect();
    let settings = Settings {
        host,
        caps: Caps { account: config.sms.per_account, server: config.sms.per_server },
        numbers: config.sms.numbers.iter().cloned().collect(),
        parts: config.sms.parts,
    };
    Gateway::new(core.clone(), reach.clone(), settings, carriers, fresh)
}

/// Connects to a provider, by TLS if it says so.
fn dial(provider: &Provider) -> Arc<Dial> {
    let (host, port, tls) = (provider.host.clone(), provider.port, provider.tls);
    Arc::new(move || -> Dialling { Box::pin(connect(host.clone(), port, tls)) })
}

async fn connect(host: String, port: u16, tls: bool) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect((host.as_str(), port)).await?;
    stream.set_nodelay(true)?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let stream = TlsConnector::from(client::system_tls()).connect(name, stream).await?;
    Ok(Box::new(stream))
}
