//! Providers of short messages that speak SMPP.

use rookery_gateway::sms::smpp::{self, Joining};
use rookery_gateway::sms::text::Alphabet;
use url::Url;

use super::super::super::tables::Table;
use super::super::super::value::{self, Read};

/// What only these may have.
pub(super) const KEYS: [&str; 3] = ["joining", "alphabet", "system_type"];

/// A provider that speaks SMPP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smpp {
    /// A name or an address.
    pub host: String,
    /// A port.
    pub port: u16,
    /// Whether TLS comes first.
    pub tls: bool,
    /// What is said to it.
    pub settings: smpp::Settings,
}

pub(super) fn read(table: &Table<'_>, url: &str, sender: String, window: usize) -> Read<Smpp> {
    let (host, port, tls, login) = by_url(url).map_err(|what| format!("`url`: {what}"))?;
    let joining = [("header", Joining::Header), ("sar", Joining::Sar), ("payload", Joining::Payload)];
    let alphabets = [("gsm", Alphabet::Gsm), ("latin1", Alphabet::Latin1)];
    let settings = smpp::Settings {
        system_id: short("url", login.0, 15)?,
        password: short("url", login.1, 8)?,
        system_type: short("system_type", table.text("system_type")?.unwrap_or_default(), 12)?,
        sender,
        joining: table.get("joining", |value| value::choice(value, &joining))?.unwrap_or(Joining::Header),
        default_alphabet: table
            .get("alphabet", |value| value::choice(value, &alphabets))?
            .unwrap_or(Alphabet::Gsm),
        window,
    };
    Ok(Smpp { host, port, tls, settings })
}

/// What has room in a field of SMPP, which has plain letters only.
pub(super) fn short(key: &str, text: String, most: usize) -> Read<String> {
    let fits = text.len() <= most && text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    fits.then_some(text)
        .ok_or_else(|| format!("`{key}`: phones and SMPP have room for {most} plain letters there."))
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
