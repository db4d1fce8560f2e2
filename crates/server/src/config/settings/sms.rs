//! `[sms]`

mod by_http;
mod by_smpp;

pub use by_smpp::Smpp;

use rookery_gateway::sms::phone;
use toml::de::DeValue;

use super::super::tables::{Table, tables};
use super::super::value::Read;
use super::super::{Config, value};
use super::{Section, Setting, host, put};

/// What the operator decided about short messages.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sms {
    /// Whether there are any.
    pub enabled: bool,
    /// The host of phones; `None`: `sms.` before the domain.
    pub host: Option<String>,
    /// What one account may write to phones in a day; 0: nobody may.
    pub per_account: u32,
    /// And all.
    pub per_server: u32,
    /// Our numbers, and whose they are.
    pub numbers: Vec<(String, String)>,
    /// Parts of a message that tells what waits.
    pub parts: usize,
    /// Who takes messages to phones, and brings them.
    pub providers: Vec<Provider>,
}

/// A provider, `[[sms.provider]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
    /// What it is called in figures and in the log.
    pub name: String,
    /// Beginnings of the numbers that it is for.
    pub prefixes: Vec<String>,
    /// The least goes first.
    pub priority: u16,
    /// How it is spoken with.
    pub by: By,
}

/// How a provider is spoken with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// By SMPP.
    Smpp(Smpp),
    /// By HTTP.
    Http(Box<rookery_gateway::sms::http::Settings>),
}

impl Config {
    /// The host that phones have, where there are short messages.
    pub fn sms_host(&self) -> Option<String> {
        let host = || self.sms.host.clone().unwrap_or_else(|| format!("sms.{}", self.domain));
        self.sms.enabled.then(host)
    }
}

pub(super) const SECTION: Section = Section {
    name: "sms",
    about: "Short messages to and from phones: docs/sms.md. Off until it is enabled.",
    settings: &[
        Setting {
            key: "sms.enabled",
            default: "false",
            about: "Whether people are reached by SMS, and may answer.",
            set: |config, value| put(&mut config.sms.enabled, value::boolean(value)),
        },
        Setting {
            key: "sms.host",
            default: "\"\"",
            about: "The host that phones have in the messenger, as in +491711234567@sms.example.net. When it is empty, that is \
                \"sms.\" before the domain.",
            set: |config, value| put(&mut config.sms.host, host(value)),
        },
        Setting {
            key: "sms.parts",
            default: "2",
            about: "Of how many parts a message may be that tells somebody what waits, each of which costs as a message of its own: \
                153 letters, or 67 characters of other scripts. What has no room is cut.",
            set: |config, value| put(&mut config.sms.parts, value::number(value, 1..=10)),
        },
        Setting {
            key: "sms.per_account",
            default: "0",
            about: "How many messages one account may write to phones in a day, from any client, as to \
                +491711234567@sms.example.net. 0: nobody may. People are reached by SMS all the same: reach.per_account says how \
                often.",
            set: |config, value| put(&mut config.sms.per_account, value::number(value, 0..=10_000)),
        },
        Setting {
            key: "sms.per_server",
            default: "200",
            about: "The same, of all accounts together.",
            set: |config, value| put(&mut config.sms.per_server, value::number(value, 0..=1_000_000)),
        },
        Setting {
            key: "sms.number",
            default: "[]",
            about: "Numbers of ours that belong to one account: what comes to them is for it. Each is a table [[sms.number]] at the end \
                of the file, with number and account. What comes to other numbers is for whoever wrote to the phone last.",
            set: |config, value| put(&mut config.sms.numbers, numbers(value)),
        },
        Setting {
            key: "sms.provider",
            default: "[]",
            about: "Providers that take messages to phones and bring them, by SMPP 3.4 or HTTP. Each is a table [[sms.provider]] at the \
                end of the file, with name and url (\"smpp://system_id:password@smpp.example:2775\", smpps:// for TLS, or an address of \
                https:// or http://), and perhaps sender (what phones see: a number, or up to 11 letters), prefixes ([\"+49\"]: \
                numbers that it is for; of several providers the one with the longest goes first), priority (10; the least goes first) \
                and window (10: what is under way at a time). For SMPP: joining (\"header\", \"sar\" or \"payload\": how long \
                messages are told), alphabet (\"gsm\" or \"latin1\": what its alphabet 0 is) and system_type. For HTTP: method, \
                headers, body, format, answer_id, answer_error, and hook_… for what it posts to us: docs/sms.md.",
            set: |config, value| put(&mut config.sms.providers, providers(value)),
        },
    ],
};

/// `[[sms.number]]`
fn numbers(value: &DeValue<'_>) -> Read<Vec<(String, String)>> {
    tables(value, &["number", "account"], |table| {
        let number = table.required("number")?;
        Ok((phone::canonical(&number).unwrap_or(number), table.required("account")?))
    })
}

/// What every provider may have.
const KEYS: [&str; 6] = ["name", "url", "sender", "prefixes", "priority", "window"];

/// `[[sms.provider]]`
fn providers(value: &DeValue<'_>) -> Read<Vec<Provider>> {
    let keys = [&KEYS[..], &by_smpp::KEYS, &by_http::KEYS].concat();
    let providers = tables(value, &keys, provider)?;
    let mut names: Vec<_> = providers.iter().map(|provider| provider.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("two providers are called \"{}\".", pair[0])),
        None => Ok(providers),
    }
}

fn provider(table: &Table<'_>) -> Read<Provider> {
    let name = table.required("name")?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') || name.len() > 32 {
        return Err("`name`: this is up to 32 letters and digits.".to_owned());
    }
    let url = table.required("url")?;
    let sender = sender(table.text("sender")?.unwrap_or_default())?;
    let window = table.get("window", |value| value::number(value, 1..=100))?.unwrap_or(10);
    let by = if url.starts_with("http://") || url.starts_with("https://") {
        table.has_none_of(&by_smpp::KEYS, "SMPP")?;
        By::Http(Box::new(by_http::read(table, &url, sender, window)?))
    } else {
        table.has_none_of(&by_http::KEYS, "HTTP")?;
        By::Smpp(by_smpp::read(table, &url, sender, window)?)
    };
    let prefixes = table.get("prefixes", value::prefixes)?.unwrap_or_default();
    let priority = table.get("priority", |value| value::number(value, 0..=1000))?.unwrap_or(10);
    Ok(Provider { name, prefixes, priority, by })
}

/// A sender: a number with its country, a short number, or letters.
fn sender(text: String) -> Read<String> {
    let number = phone::canonical(&text);
    let short_number = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    match number {
        Some(number) => Ok(number),
        None if text.is_empty() || short_number => Ok(text),
        None => by_smpp::short("sender", text, 11),
    }
}
