//! Groups on duty (`rookery-gateway`), as the configuration has them.

use crate::config::Config;
use rookery_core::gateway::Hosted;
use rookery_gateway::duty::reaches;

pub use rookery_gateway::duty::Desk;

/// The host of groups, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    config.duty.then(|| host(&config.domain))
}

/// Groups on duty at a domain.
pub fn host(domain: &str) -> Hosted {
    Hosted { host: rookery_gateway::duty::host(domain), reaches }
}
