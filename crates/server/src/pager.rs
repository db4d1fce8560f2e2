//! The paging station (`rookery-gateway`), as the configuration has it.

use crate::config::{self, Config};
use rookery_core::Core;
use rookery_core::gateway::Hosted;
use rookery_gateway::pager::channel::{Carrier, Pagers};
use rookery_gateway::pager::feed::Feed;
use rookery_gateway::pager::{Settings, reaches};
use rookery_gateway::reach::channel::Channel;
use std::sync::Arc;

pub use rookery_gateway::pager::{Gateway, Protocol, run};

/// The gateway's host, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    config.pager_host().map(host)
}

/// A paging station at this host.
pub fn host(host: String) -> Hosted {
    Hosted { host, reaches }
}

/// What the paging station must know; `None`: there is none.
pub fn settings(config: &Config) -> Option<Settings> {
    Some(Settings { domain: config.domain.clone(), host: config.pager_host()? })
}

/// The way to the devices that people have; `None`: there is no carrier.
pub fn channel(config: &Config, core: &Arc<Core>) -> Option<Arc<dyn Channel>> {
    let carriers = &config.pager.carriers;
    if !config.pager.enabled || carriers.is_empty() {
        return None;
    }
    let carrier = |carrier: &config::Carrier| {
        let way = match &carrier.way {
            config::Way::Snpp(endpoint) => Carrier::Snpp(endpoint.clone()),
            config::Way::Tap(endpoint) => Carrier::Tap(endpoint.clone()),
            config::Way::Pocsag(rate, alphabet, outlet) => {
                Carrier::Pocsag(Arc::new(Feed::new(*rate, outlet.clone())), *alphabet)
            }
        };
        (carrier.name.clone(), way)
    };
    Some(Arc::new(Pagers::new(core.clone(), carriers.iter().map(carrier).collect())))
}
