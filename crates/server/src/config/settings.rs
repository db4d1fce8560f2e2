//! All that can be set: a file for each table.

mod archive;
mod contact;
mod duty;
mod files;
mod groups;
mod http;
mod limits;
mod listen;
mod log;
mod mail;
mod moderation;
mod pager;
mod previews;
mod pubsub;
mod reach;
mod registration;
mod secretary;
mod security;
mod sms;
mod tls;
mod top;

pub use mail::{Front, Mail, Out};
pub use pager::{Carrier, Pager, Way, by_url};
pub use sms::{By, Provider, Smpp, Sms};

use std::time::Duration;

use rookery_core::Registration;
use rookery_core::xep::pep::Creators;
use rookery_store::ArchiveDefault;
use toml::de::DeValue;

use super::value::{self, Read};
use super::{Config, LogFormat};

/// One setting.
pub struct Setting {
    /// The dotted key.
    pub key: &'static str,
    /// The default as it stands in the file.
    pub default: &'static str,
    /// What it means, in whole sentences; lines are wrapped where it is printed.
    pub about: &'static str,
    /// Reads the value into the configuration.
    pub set: fn(&mut Config, &DeValue<'_>) -> Read<()>,
}

/// A table of the file.
pub struct Section {
    /// Its name; empty for what stands before the first.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// What can be set in it, in the order of the file.
    pub settings: &'static [Setting],
}

/// The tables, in the order of the file.
pub const SECTIONS: &[Section] = &[
    top::SECTION,
    listen::SECTION,
    tls::SECTION,
    security::SECTION,
    http::SECTION,
    registration::SECTION,
    archive::SECTION,
    groups::SECTION,
    pubsub::SECTION,
    files::SECTION,
    mail::SECTION,
    reach::SECTION,
    pager::SECTION,
    sms::SECTION,
    secretary::SECTION,
    duty::SECTION,
    previews::SECTION,
    limits::SECTION,
    moderation::SECTION,
    contact::SECTION,
    log::SECTION,
];

/// Every setting, in the order of the file.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

const YEARS_100: u64 = 36_500;

/// More megabytes or gigabytes than any disk has, and few enough to be counted in bytes.
const MEGABYTES: u64 = 1_000_000_000;

impl Config {
    /// The state before the defaults are read into it.
    pub(super) fn blank() -> Config {
        Config {
            domain: String::new(),
            data: Default::default(),
            listen_c2s: Vec::new(),
            listen_c2s_tls: Vec::new(),
            listen_http: Vec::new(),
            listen_https: Vec::new(),
            listen_components: Vec::new(),
            listen_status: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            allow_plain_connections: false,
            http_public_url: None,
            http_origins: Vec::new(),
            http_trusted_proxies: Vec::new(),
            http_internal_networks: Vec::new(),
            scram_iterations: 0,
            registration: Registration::Closed,
            members_invite: false,
            second_factor: false,
            registrations_per_hour: 0,
            reserved_numbers: Vec::new(),
            archive_default: ArchiveDefault::Always,
            retention_days: None,
            group_retention_days: None,
            files_largest: 0,
            files_quota: None,
            files_total: None,
            files_unnamed_days: None,
            files_scan_command: None,
            files_scan_clamd: String::new(),
            files_s3: Default::default(),
            mail: Mail::default(),
            reach_per_account: 0,
            reach_per_server: 0,
            pager: Pager::default(),
            sms: Sms::default(),
            secretary: false,
            duty: false,
            previews: false,
            resumption: Duration::ZERO,
            groups_host: None,
            pubsub_enabled: false,
            pubsub_host: None,
            pubsub_create: Creators::Nobody,
            stanza_bytes: 0,
            connections: 0,
            connections_per_address: 0,
            pace: rookery_core::pace::Limits::OFF,
            lists: Vec::new(),
            list_files: Vec::new(),
            hook: None,
            hook_about_all: false,
            hook_patience: Duration::ZERO,
            hook_fails_open: false,
            components: Vec::new(),
            services: Vec::new(),
            contacts: Vec::new(),
            terms: None,
            outage: Vec::new(),
            log_level: String::new(),
            log_format: LogFormat::Text,
        }
    }
}

fn put<T>(field: &mut T, value: Read<T>) -> Read<()> {
    *field = value?;
    Ok(())
}

/// A host; an empty one is none.
fn host(value: &DeValue<'_>) -> Read<Option<String>> {
    Some(value::text(value)?).filter(|host| !host.is_empty()).map(value::domain).transpose()
}
