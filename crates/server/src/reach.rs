//! Reach me (`rookery-gateway`), as the configuration has it.

use crate::config::Config;
use crate::sms;
use rookery_core::reach::{Offer, Policy};
use rookery_gateway::mail::address;
use rookery_gateway::pager;
use rookery_gateway::sms::phone;
use rookery_store::{Caps, Way};

/// The ways out that are configured, for core: one for each channel that `serve` opens. `files`: files are kept, which mail needs.
pub fn policy(config: &Config, files: bool) -> Policy {
    let caps = Caps { account: config.reach_per_account, server: config.reach_per_server };
    let mail = Offer { way: Way::Mail, canonical: mail_address };
    let has_mail = files && config.mail.enabled && config.mail.smarthost.is_some();
    let pager = Offer { way: Way::Pager, canonical: pager::number };
    let has_pager = config.pager.enabled && !config.pager.carriers.is_empty();
    let sms = Offer { way: Way::Sms, canonical: phone::canonical };
    let offers = [(has_mail, mail), (sms::is_there(config), sms), (has_pager, pager)];
    Policy { ways: offers.into_iter().filter_map(|(here, offer)| here.then_some(offer)).collect(), caps }
}

/// Domains are the same in small and in capital letters (RFC 5321 §2.4).
pub(crate) fn mail_address(typed: &str) -> Option<String> {
    let (local, domain) = address::halves(typed)?;
    Some(format!("{local}@{}", domain.to_lowercase()))
}
