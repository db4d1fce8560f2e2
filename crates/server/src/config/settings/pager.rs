//! `[pager]`

use std::net::SocketAddr;
use std::path::PathBuf;

use rookery_gateway::pager::channel::Endpoint;
use rookery_gateway::pager::feed::Outlet;
use rookery_gateway::pager::pocsag::{Alphabet, Rate};
use toml::de::DeValue;
use url::Url;

use super::super::tables::tables;
use super::super::value::Read;
use super::super::{Config, value};
use super::{Section, Setting, host, put};

/// What the operator decided about paging.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pager {
    /// Whether there is any.
    pub enabled: bool,
    /// Where pages come in by SNPP.
    pub snpp: Vec<SocketAddr>,
    /// Where pages come in by TAP.
    pub tap: Vec<SocketAddr>,
    /// The host of callers; `None`: `pager.` before the domain.
    pub host: Option<String>,
    /// Carriers of the devices that people have.
    pub carriers: Vec<Carrier>,
}

/// A carrier, `[[pager.carrier]]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Carrier {
    /// What devices call it.
    pub name: String,
    /// How it is reached.
    pub way: Way,
}

/// How a carrier is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    /// By SNPP.
    Snpp(Endpoint),
    /// By TAP over TCP.
    Tap(Endpoint),
    /// By a transmitter of our own.
    Pocsag(Rate, Alphabet, Outlet),
}

impl Config {
    /// The host that callers have, where there is paging.
    pub fn pager_host(&self) -> Option<String> {
        let host = || self.pager.host.clone().unwrap_or_else(|| format!("pager.{}", self.domain));
        self.pager.enabled.then(host)
    }
}

pub(super) const SECTION: Section = Section {
    name: "pager",
    about: "A paging station: docs/pager.md. Off until it is enabled.",
    settings: &[
        Setting {
            key: "pager.enabled",
            default: "false",
            about: "Whether pages to people's numbers and names are taken, and come into their conversations.",
            set: |config, value| put(&mut config.pager.enabled, value::boolean(value)),
        },
        Setting {
            key: "pager.snpp",
            default: "[\"127.0.0.1:444\"]",
            about: "Where other systems bring pages by SNPP (RFC 1861). Whoever reaches these addresses may page everybody here: \
                leave them inside of your network.",
            set: |config, value| put(&mut config.pager.snpp, value::addresses(value)),
        },
        Setting {
            key: "pager.tap",
            default: "[]",
            about: "Where other systems bring pages by TAP (IXO) over TCP, as through a modem server. The same goes for these.",
            set: |config, value| put(&mut config.pager.tap, value::addresses(value)),
        },
        Setting {
            key: "pager.host",
            default: "\"\"",
            about: "The host that callers have in the messenger, as in ward\\203@pager.example.net. When it is empty, that is \
                \"pager.\" before the domain.",
            set: |config, value| put(&mut config.pager.host, host(value)),
        },
        Setting {
            key: "pager.carrier",
            default: "[]",
            about: "Carriers that take pages to the devices of people. Each is a table [[pager.carrier]] at the end of the file, with \
                name, and either url (\"snpp://name:password@carrier.example:444\", \"tap://modems.example:3001\") or, for a \
                POCSAG transmitter, one of folder (for files of sound), program (samples on its standard input) and tcp \
                (\"host:port\"), perhaps with rate (1200) and german (false).",
            set: |config, value| put(&mut config.pager.carriers, carriers(value)),
        },
    ],
};

/// `[[pager.carrier]]`
fn carriers(value: &DeValue<'_>) -> Read<Vec<Carrier>> {
    tables(value, &["name", "url", "folder", "program", "tcp", "rate", "german"], |table| {
        let name = table.required("name")?;
        let outlet = match (table.text("folder")?, table.text("program")?, table.text("tcp")?) {
            (None, None, None) => None,
            (Some(folder), None, None) => Some(Outlet::Folder(PathBuf::from(folder))),
            (None, Some(program), None) => Some(Outlet::Program(PathBuf::from(program))),
            (None, None, Some(tcp)) => {
                let parts =
                    tcp.rsplit_once(':').and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)));
                let (host, port) = parts.ok_or_else(|| format!("`tcp`: \"{tcp}\" is no host:port."))?;
                Some(Outlet::Tcp(host, port))
            }
            _ => return Err("a transmitter has one of `folder`, `program` and `tcp`.".to_owned()),
        };
        let rate = table.get("rate", |value| {
            Rate::new(value::number(value, 0..=9600)?).ok_or_else(|| "this is 512, 1200 or 2400.".to_owned())
        })?;
        let german = table.get("german", value::boolean)?.unwrap_or_default();
        let alphabet = if german { Alphabet::German } else { Alphabet::International };
        let way = match (outlet, table.text("url")?) {
            (Some(outlet), None) => Way::Pocsag(rate.unwrap_or(Rate::Bps1200), alphabet, outlet),
            (None, Some(url)) => by_url(&url).map_err(|what| format!("`url`: {what}"))?,
            _ => return Err("a carrier has `url`, or is a transmitter.".to_owned()),
        };
        Ok(Carrier { name, way })
    })
}

/// A carrier's address.
pub fn by_url(text: &str) -> Result<Way, String> {
    let wrong = || format!("{text:?} is no address such as \"snpp://carrier.example:444\".");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let plain = |text: &str| value::unescaped(text).ok_or_else(wrong);
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        (name, password) => Some((plain(name)?, plain(password.unwrap_or_default())?)),
    };
    match (url.scheme(), url.port()) {
        ("snpp", port) => Ok(Way::Snpp(Endpoint { host, port: port.unwrap_or(444), login })),
        ("tap", Some(port)) => Ok(Way::Tap(Endpoint { host, port, login })),
        ("tap", None) => Err("TAP has no usual port: one is missing.".to_owned()),
        _ => Err(wrong()),
    }
}
