//! Short messages (`rookery-gateway`), as the configuration has them.

pub mod ask;

use crate::config::{By, Config, Provider, Smpp};
use crate::http::client::{self, Client, Reach};
use rookery_core::Core;
use rookery_core::gateway::Hosted;
use rookery_gateway::mail::route::Dialling;
use rookery_gateway::mail::smtp::Carrier as Stream;
use rookery_gateway::reach::Reach as ReachMe;
use rookery_gateway::sms::http::Post;
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
pub fn gateway(config: &Config, core: &Arc<Core>, reach: &Arc<ReachMe>) -> Option<Arc<Gateway>> {
    let host = config.sms_host().filter(|_| is_there(config))?;
    let fresh = Arc::new(Fresh::default());
    // What the operator named may be inside.
    let client = Client::new(Reach::Anywhere);
    let carrier = |provider: &Provider| {
        let name = &provider.name;
        let way = match &provider.by {
            By::Smpp(smpp) => {
                let reference = u16::from_be_bytes(core.env.bytes());
                Way::Smpp(Link::new(name, smpp.settings.clone(), dial(smpp), reference, fresh.clone()))
            }
            By::Http(http) => {
                Way::Http(Post::new(name, (**http).clone(), ask::through(client.clone()), fresh.clone()))
            }
        };
        let (prefixes, priority) = (provider.prefixes.clone(), provider.priority);
        Carrier { name: name.clone(), prefixes, priority, way }
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
fn dial(provider: &Smpp) -> Arc<Dial> {
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
