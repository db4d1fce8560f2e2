//! `[sms]`

use rookery_gateway::sms::phone;
use rookery_gateway::sms::smpp::{self, Joining};
use rookery_gateway::sms::text::Alphabet;
use toml::de::DeValue;
use url::Url;

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
    /// A name or an address.
    pub host: String,
    /// A port.
    pub port: u16,
    /// Whether TLS comes first.
    pub tls: bool,
    /// What is said to it.
    pub smpp: smpp::Settings,
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
            about: "Providers that take messages to phones and bring them, by SMPP 3.4. Each is a table [[sms.provider]] at the end of \
                the file, with name and url (\"smpp://system_id:password@smpp.example:2775\", or smpps:// for TLS), and perhaps \
                sender (what phones see: a number, or up to 11 letters), prefixes ([\"+49\"]: numbers that it is for; of several \
                providers the one with the longest goes first), priority (10; the least goes first), joining (\"header\", \"sar\" or \
                \"payload\": how long messages are told), alphabet (\"gsm\" or \"latin1\": what its alphabet 0 is), system_type \
                and window (10).",
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

const KEYS: [&str; 9] =
    ["name", "url", "sender", "prefixes", "priority", "joining", "alphabet", "system_type", "window"];

/// `[[sms.provider]]`
fn providers(value: &DeValue<'_>) -> Read<Vec<Provider>> {
    let providers = tables(value, &KEYS, provider)?;
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
    let (host, port, tls, login) =
        by_url(&table.required("url")?).map_err(|what| format!("`url`: {what}"))?;
    let joining = [("header", Joining::Header), ("sar", Joining::Sar), ("payload", Joining::Payload)];
    let alphabets = [("gsm", Alphabet::Gsm), ("latin1", Alphabet::Latin1)];
    let smpp = smpp::Settings {
        system_id: short("url", login.0, 15)?,
        password: short("url", login.1, 8)?,
        system_type: short("system_type", table.text("system_type")?.unwrap_or_default(), 12)?,
        sender: sender(table.text("sender")?.unwrap_or_default())?,
        joining: table.get("joining", |value| value::choice(value, &joining))?.unwrap_or(Joining::Header),
        default_alphabet: table
            .get("alphabet", |value| value::choice(value, &alphabets))?
            .unwrap_or(Alphabet::Gsm),
        window: table.get("window", |value| value::number(value, 1..=100))?.unwrap_or(10),
    };
    Ok(Provider {
        name,
        prefixes: table.get("prefixes", value::prefixes)?.unwrap_or_default(),
        priority: table.get("priority", |value| value::number(value, 0..=1000))?.unwrap_or(10),
        host,
        port,
        tls,
        smpp,
    })
}

/// What has room in a field of SMPP, which has plain letters only.
fn short(key: &str, text: String, most: usize) -> Read<String> {
    let fits = text.len() <= most && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    fits.then_some(text).ok_or_else(|| format!("`{key}`: SMPP has room for {most} plain letters there."))
}

/// A sender: a number with its country, a short number, or letters.
fn sender(text: String) -> Read<String> {
    let number = phone::canonical(&text);
    let short_number = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    match number {
        Some(number) => Ok(number),
        None if text.is_empty() || short_number => Ok(text),
        None => short("sender", text, 11),
    }
}

/// Where a provider is, whether by TLS, and who we are to it.
fn by_url(text: &str) -> Read<(String, u16, bool, (String, String))> {
    let wrong = || format!("{text:?} is not of the form \"smpp://system_id:password@smpp.example:2775\".");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let (tls, port) = match url.scheme() {
        "smpp" => (false, 2775),
        "smpps" => (true, 3550),
        _ => return Err(wrong()),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let plain = |text: &str| value::unescaped(text).ok_or_else(wrong);
    let login = (plain(url.username())?, plain(url.password().unwrap_or_default())?);
    if login.0.is_empty() || !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(wrong());
    }
    Ok((host, url.port().unwrap_or(port), tls, login))
}
