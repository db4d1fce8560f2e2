//! The network secretary (`rookery-gateway`), as the configuration has it.

use crate::config::Config;
use rookery_core::gateway::Hosted;
use rookery_gateway::secretary::{address, reaches};

pub use rookery_gateway::secretary::Secretary;

/// The secretary's address, for core.
pub fn hosted(config: &Config) -> Option<Hosted> {
    config.secretary.then(|| host(&config.domain))
}

/// A secretary at this domain.
pub fn host(domain: &str) -> Hosted {
    Hosted { host: address(domain), reaches }
}
