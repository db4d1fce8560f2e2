//! The configuration: what the operator can decide. One list, [`SECTIONS`], is the parser, the defaults, the commented
//! example and the page in the manual.

mod print;
mod settings;
mod tables;
mod value;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::S3Settings;
use crate::http::visitor::Network;
use rookery_core::Registration;
use rookery_core::component::Allowed;
use rookery_core::xep::extdisco::Service;
use rookery_core::xep::pep::Creators;
use rookery_store::ArchiveDefault;
use rookery_store::FileQuota;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use print::{example, reference};
pub use settings::{
    By, Carrier, Front, Mail, Out, Pager, Provider, SECTIONS, Section, Setting, Smpp, Sms, Way, by_url,
};

/// The file that is read where none is named, if it is there.
pub const DEFAULT_FILE: &str = "rookery.toml";

/// What the operator decided. Each field is described by its [`Setting`].
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// The domain that accounts live at, prepared.
    pub domain: String,
    /// The data directory.
    pub data: PathBuf,
    /// Where clients connect and then ask for TLS.
    pub listen_c2s: Vec<SocketAddr>,
    /// Where clients connect with TLS.
    pub listen_c2s_tls: Vec<SocketAddr>,
    /// Where browsers connect without TLS: this machine, or a proxy.
    pub listen_http: Vec<SocketAddr>,
    /// Where browsers connect with TLS.
    pub listen_https: Vec<SocketAddr>,
    /// Where components connect.
    pub listen_components: Vec<SocketAddr>,
    /// Where metrics and health are read.
    pub listen_status: Vec<SocketAddr>,
    /// The operator's certificate; both or none.
    pub tls_certificate: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
    /// Whether clients may sign in without TLS.
    pub allow_plain_connections: bool,
    /// The address under which the outside reaches HTTP.
    pub http_public_url: Option<String>,
    /// Origins of pages that may connect, besides our own.
    pub http_origins: Vec<String>,
    /// Proxies that are believed.
    pub http_trusted_proxies: Vec<Network>,
    /// What people may have the server ask by HTTP though it is not public.
    pub http_internal_networks: Vec<Network>,
    /// PBKDF2 rounds of new passwords.
    pub scram_iterations: u32,
    /// Who may sign up.
    pub registration: Registration,
    /// Whether members may invite people who have no account.
    pub members_invite: bool,
    /// Whether administrators need a second factor.
    pub second_factor: bool,
    /// Accounts that one address may sign up in an hour.
    pub registrations_per_hour: u32,
    /// Numbers that are not given out.
    pub reserved_numbers: Vec<RangeInclusive<u64>>,
    /// What is archived of who has not decided.
    pub archive_default: ArchiveDefault,
    /// Days that messages are kept; `None`: forever.
    pub retention_days: Option<u32>,
    /// The same for what is said in groups, if that is fewer.
    pub group_retention_days: Option<u32>,
    /// The largest file that may be uploaded, bytes; 0: none may.
    pub files_largest: u64,
    /// Bytes of one account's files; `None`: no limit.
    pub files_quota: Option<u64>,
    /// Bytes of all files; `None`: no limit.
    pub files_total: Option<u64>,
    /// Days after which a file goes that no message is seen to name; `None`: it stays.
    pub files_unnamed_days: Option<u32>,
    /// A program that looks at files.
    pub files_scan_command: Option<PathBuf>,
    /// Where `clamd` listens: a socket, or `host:port`; empty: nowhere.
    pub files_scan_clamd: String,
    /// A bucket for files; without a name there is none.
    pub files_s3: S3Settings,
    /// Mail.
    pub mail: Mail,
    /// Sendings in a day to reach one account.
    pub reach_per_account: u32,
    /// And to reach all.
    pub reach_per_server: u32,
    /// Paging.
    pub pager: Pager,
    /// Short messages.
    pub sms: Sms,
    /// Whether there are groups on duty.
    pub duty: bool,
    /// Whether there is a secretary.
    pub secretary: bool,
    /// Whether links are looked at.
    pub previews: bool,
    /// How long a session waits for its client to come back.
    pub resumption: Duration,
    /// The host that groups live at; `None`: `groups.` before the domain.
    pub groups_host: Option<String>,
    /// Whether there is a publish-subscribe service.
    pub pubsub_enabled: bool,
    /// Its host; `None`: `pubsub.` before the domain.
    pub pubsub_host: Option<String>,
    /// Who may make nodes there.
    pub pubsub_create: Creators,
    /// The largest stanza in bytes.
    pub stanza_bytes: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections of one address at a time.
    pub connections_per_address: usize,
    /// Block lists at services.
    pub lists: Vec<rookery_core::listed::Source>,
    /// Block lists in files.
    pub list_files: Vec<PathBuf>,
    /// The socket of the operator's program that is asked about messages.
    pub hook: Option<PathBuf>,
    /// Whether it is asked about all messages.
    pub hook_about_all: bool,
    /// How long it may take.
    pub hook_patience: Duration,
    /// Whether a message goes through when it does not answer.
    pub hook_fails_open: bool,
    /// How fast one account may go.
    pub pace: rookery_core::pace::Limits,
    /// External components (XEP-0114).
    pub components: Vec<Allowed>,
    /// External services (XEP-0215).
    pub services: Vec<Service>,
    /// Whom to turn to (XEP-0157): the form's field, and addresses.
    pub contacts: Vec<(&'static str, Vec<String>)>,
    /// Where the terms are that people use the server under (XEP-0504).
    pub terms: Option<String>,
    /// Where to read what is wrong when the server is not there (XEP-0455).
    pub outage: Vec<String>,
    /// What is logged, as `tracing` filters it.
    pub log_level: String,
    /// How it is written.
    pub log_format: LogFormat,
}

impl Config {
    /// How much room files have.
    pub fn quota(&self) -> FileQuota {
        FileQuota { account: self.files_quota, total: self.files_total }
    }

    /// Where files are kept, if not in the data directory.
    pub fn bucket(&self) -> Option<S3Settings> {
        Some(self.files_s3.clone()).filter(|bucket| !bucket.bucket.is_empty())
    }

    /// The address under which browsers reach the server, as `https://example.org`: a proxy's, or our own door's with TLS.
    pub fn public_url(&self) -> Option<String> {
        let own = self.listen_https.first().map(|address| match address.port() {
            443 => format!("https://{}", self.domain),
            port => format!("https://{}:{port}", self.domain),
        });
        self.http_public_url.clone().or(own)
    }
}

/// How the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What the command line decides over the file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    /// `--config`
    pub file: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--domain`
    pub domain: Option<String>,
}

/// Why there is no configuration: sentences for the operator.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "The configuration {path} cannot be read: {cause}. `rookery config` prints an example to begin with."
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The file says something that it cannot say.
    #[error("{path}, line {line}: {what}")]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// A sentence.
        what: String,
    },
    /// The command line says something that it cannot say.
    #[error("--{flag}: {what}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// A sentence.
        what: String,
    },
    /// Two settings do not fit together.
    #[error("{0}")]
    Together(String),
}

/// The defaults: each setting reads its own.
impl Default for Config {
    fn default() -> Config {
        let mut config = Config::blank();
        for setting in settings::all() {
            let value = DeValue::parse(setting.default).expect("defaults are TOML; a test reads them all");
            (setting.set)(&mut config, value.get_ref()).expect("defaults are valid; a test reads them all");
        }
        config
    }
}

impl Config {
    /// Reads the file that `overrides` names, or [`DEFAULT_FILE`] if there is one, and lets the command line decide
    /// over it.
    pub fn load(overrides: &Overrides) -> Result<Config, ConfigError> {
        let mut config = match &overrides.file {
            Some(path) => Config::read(path)?,
            None if Path::new(DEFAULT_FILE).exists() => Config::read(Path::new(DEFAULT_FILE))?,
            None => Config::default(),
        };
        if let Some(domain) = &overrides.domain {
            config.domain =
                value::domain(domain).map_err(|what| ConfigError::Flag { flag: "domain", what })?;
        }
        if let Some(data) = &overrides.data {
            config.data.clone_from(data);
        }
        config.check()?;
        Ok(config)
    }

    fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Read { path: path.to_owned(), cause: cause.to_string() })?;
        Config::parse(&text, path)
    }

    /// Reads the text of a file; `path` is named in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let fail = |at: usize, what: String| ConfigError::Line {
            path: path.to_owned(),
            line: line_of(text, at),
            what,
        };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            fail(at, format!("this is not TOML: {}.", error.message().trim_end_matches('.')))
        })?;
        let mut config = Config::default();
        let mut problem = None;
        visit(table.get_ref(), "", &mut |key, at, value| {
            let outcome = match find(key) {
                Some(setting) => (setting.set)(&mut config, value).map_err(|what| format!("`{key}`: {what}")),
                None => Err(unknown(key)),
            };
            if let Err(what) = outcome {
                problem.get_or_insert(fail(at, what));
            }
        });
        problem.map_or(Ok(config), Err)
    }

    /// The host that groups live at.
    pub fn groups_host(&self) -> String {
        self.groups_host.clone().unwrap_or_else(|| format!("groups.{}", self.domain))
    }

    /// The host of the publish-subscribe service, if there is one.
    pub fn pubsub_host(&self) -> Option<String> {
        let host = || self.pubsub_host.clone().unwrap_or_else(|| format!("pubsub.{}", self.domain));
        self.pubsub_enabled.then(host)
    }

    /// What no setting can see alone.
    fn check(&self) -> Result<(), ConfigError> {
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Together(
                "`tls.certificate` and `tls.key` belong together: set both, or none to use a local certificate.".to_owned(),
            ));
        }
        if self.listen_c2s.is_empty() && self.listen_c2s_tls.is_empty() {
            return Err(ConfigError::Together(
                "`listen.c2s` and `listen.c2s_tls` are both empty: nobody could connect.".to_owned(),
            ));
        }
        if self.files_scan_command.is_some() && !self.files_scan_clamd.is_empty() {
            return Err(ConfigError::Together(
                "`files.scan_command` and `files.scan_clamd` are both set: one of them looks at files."
                    .to_owned(),
            ));
        }
        if self.files_s3.url.is_empty() != self.files_s3.bucket.is_empty() {
            return Err(ConfigError::Together(
                "`files.s3_url` and `files.s3_bucket` belong together: set both, or none to keep files on the disk.".to_owned(),
            ));
        }
        if self.mail.enabled && (self.files_largest == 0 || self.public_url().is_none()) {
            return Err(ConfigError::Together(
                "`mail.enabled` needs files: `files.largest_mb` above 0, and `http.public_url` or `listen.https`.".to_owned(),
            ));
        }
        self.check_hosts()
    }

    /// The hosts beside the domain, with what names them.
    fn hosts(&self) -> Vec<(&'static str, String)> {
        let own = [
            ("`groups.host`", Some(self.groups_host())),
            ("`pubsub.host`", self.pubsub_host()),
            ("`mail.host`", self.mail_host()),
            ("`pager.host`", self.pager_host()),
            ("`sms.host`", self.sms_host()),
            ("`duty.enabled`", self.duty.then(|| rookery_gateway::duty::host(&self.domain))),
        ];
        let own = own.into_iter().filter_map(|(what, host)| Some((what, host?)));
        let others =
            self.components.iter().map(|component| ("a `[[component]]`", component.host.as_str().to_owned()));
        others.chain(own).collect()
    }

    /// Each host leads to one service.
    fn check_hosts(&self) -> Result<(), ConfigError> {
        let mut taken = vec![("the domain", self.domain.clone())];
        for (what, host) in self.hosts() {
            if let Some((other, _)) = taken.iter().find(|(_, taken)| *taken == host) {
                return Err(ConfigError::Together(format!(
                    "Two services are at {host}: {other} and {what}. Each needs a host of its own."
                )));
            }
            taken.push((what, host));
        }
        Ok(())
    }
}

/// Calls `each` with the dotted key, the place and the value of everything that is not a section.
fn visit(table: &DeTable<'_>, prefix: &str, each: &mut impl FnMut(&str, usize, &DeValue<'_>)) {
    let mut entries: Vec<(_, &Spanned<DeValue<'_>>)> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let dotted =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) if is_section(&dotted) => visit(inner, &dotted, each),
            other => each(&dotted, key.span().start, other),
        }
    }
}

fn is_section(name: &str) -> bool {
    SECTIONS.iter().any(|section| section.name == name)
}

fn find(key: &str) -> Option<&'static Setting> {
    settings::all().find(|setting| setting.key == key)
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The sentence about a key that there is not, with the one that was probably meant.
fn unknown(key: &str) -> String {
    /// Below this likeness (Jaro-Winkler, 0 to 1) a suggestion would only confuse.
    const LIKE: f64 = 0.8;
    // The last part alone first: the key may be right and in the wrong section.
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness =
        |known: &str| (strsim::jaro_winkler(&last(key), &last(known)), strsim::jaro_winkler(key, known));
    let names = settings::all().map(|setting| setting.key).chain(SECTIONS.iter().map(|section| section.name));
    let best = names.max_by(|a, b| {
        let ((a, a_whole), (b, b_whole)) = (likeness(a), likeness(b));
        a.total_cmp(&b).then(a_whole.total_cmp(&b_whole))
    });
    match best.filter(|name| likeness(name).0 > LIKE) {
        Some(name) => format!("there is no setting `{key}`. Did you mean `{name}`?"),
        None => format!("there is no setting `{key}`. `rookery config` prints all there are."),
    }
}

#[cfg(test)]
mod tests;
