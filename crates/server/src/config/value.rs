//! Reading one value: each function says in its error what would have been right.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::settings::{Front, Out};
use crate::http::visitor::Network;
use axum::http::Uri;
use rookery_core::listed::Source;
use rookery_gateway::mail::{Protection, Smarthost};
use rookery_proto::jid::DomainPart;
use toml::de::DeValue;

/// A value, or the sentence about what it should have been.
pub(super) type Read<T> = Result<T, String>;

pub(super) fn text<'a>(value: &'a DeValue<'_>) -> Read<&'a str> {
    value.as_str().ok_or_else(|| "this must be a text in quotation marks.".to_owned())
}

pub(super) fn boolean(value: &DeValue<'_>) -> Read<bool> {
    value.as_bool().ok_or_else(|| "this must be true or false.".to_owned())
}

pub(super) fn number<T: TryFrom<u64>>(value: &DeValue<'_>, range: RangeInclusive<u64>) -> Read<T> {
    let wrong = || format!("this must be a whole number from {} to {}.", range.start(), range.end());
    let integer = value.as_integer().ok_or_else(wrong)?;
    let number = u64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| wrong())?;
    Some(number).filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok()).ok_or_else(wrong)
}

/// One of several words.
pub(super) fn choice<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Read<T> {
    let word = value.as_str().unwrap_or_default();
    choices.iter().find(|(name, _)| *name == word).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        format!("this must be one of {}.", names.join(", "))
    })
}

pub(super) fn list<T>(value: &DeValue<'_>, what: &str, each: impl Fn(&str) -> Read<T>) -> Read<Vec<T>> {
    let items = value.as_array().ok_or_else(|| format!("this must be a list of {what}."))?;
    items.iter().map(|item| each(text(item.get_ref())?)).collect()
}

pub(super) fn addresses(value: &DeValue<'_>) -> Read<Vec<SocketAddr>> {
    list(value, "addresses with ports, such as [\"[::]:5222\"]", |text| {
        text.parse().map_err(|_| format!("{text:?} is no address with a port, such as \"192.0.2.1:5222\"."))
    })
}

pub(super) fn networks(value: &DeValue<'_>) -> Read<Vec<Network>> {
    list(value, "addresses or networks, such as [\"127.0.0.1\", \"10.0.0.0/8\"]", |text| {
        text.parse().map_err(|()| format!("{text:?} is no address or network, such as \"10.0.0.0/8\"."))
    })
}

/// Beginnings of phone numbers.
pub(super) fn prefixes(value: &DeValue<'_>) -> Read<Vec<String>> {
    list(value, "beginnings of numbers, such as [\"+49\"]", |text| {
        let digits =
            text.strip_prefix('+').filter(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()));
        digits.map(|_| text.to_owned()).ok_or_else(|| format!("{text:?} is no beginning such as \"+49\"."))
    })
}

/// Origins as browsers tell them (RFC 6454 §6.2), or `*`.
pub(super) fn origins(value: &DeValue<'_>) -> Read<Vec<String>> {
    list(value, "origins, such as [\"https://web.example.com\"]", |text| match text {
        "*" => Ok(text.to_owned()),
        _ => origin(text),
    })
}

/// An origin, or none for the empty text.
pub(super) fn base_url(value: &DeValue<'_>) -> Read<Option<String>> {
    match text(value)? {
        "" => Ok(None),
        url => origin(url).map(Some),
    }
}

fn origin(text: &str) -> Read<String> {
    let parsed = text.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("https" | "http")));
    let whole = parsed.filter(|uri| uri.path() == "/" && uri.query().is_none() && !text.ends_with('/'));
    match whole.as_ref().and_then(Uri::authority) {
        Some(authority) if !authority.as_str().contains('@') => Ok(text.to_ascii_lowercase()),
        _ => Err(format!("{text:?} is not of the form \"https://example.org\", without a path.")),
    }
}

/// Addresses of any kind: a scheme, a colon, and something behind it.
pub(super) fn uris(value: &DeValue<'_>) -> Read<Vec<String>> {
    list(value, "addresses, such as [\"mailto:admin@example.org\"]", address)
}

/// One such address, or none for the empty text.
pub(super) fn uri(value: &DeValue<'_>) -> Read<Option<String>> {
    match text(value)? {
        "" => Ok(None),
        uri => address(uri).map(Some),
    }
}

fn address(text: &str) -> Read<String> {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let fits = text.split_once(':').is_some_and(|(first, rest)| scheme(first) && !rest.is_empty());
    let plain = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    Some(text.to_owned())
        .filter(|_| fits && plain)
        .ok_or_else(|| format!("{text:?} is no address such as \"mailto:admin@example.org\"."))
}

/// `"10050"` or `"10050-10099"`.
pub(super) fn number_ranges(value: &DeValue<'_>) -> Read<Vec<RangeInclusive<u64>>> {
    list(value, "ranges of numbers, such as [\"10050-10099\"]", |text| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let read = |text: &str| text.trim().parse::<u64>().ok();
        let range = read(first).zip(read(last)).filter(|(first, last)| first <= last);
        range
            .map(|(first, last)| first..=last)
            .ok_or_else(|| format!("{text:?} is no range such as \"10050-10099\"."))
    })
}

/// Files, none of them nameless.
pub(super) fn files(value: &DeValue<'_>) -> Read<Vec<PathBuf>> {
    list(value, "files, such as [\"/etc/rookery/banned\"]", |text| match text.is_empty() {
        true => Err("a file has a name.".to_owned()),
        false => Ok(PathBuf::from(text)),
    })
}

/// Block lists: a service, a slash, and a node's name.
pub(super) fn lists(value: &DeValue<'_>) -> Read<Vec<Source>> {
    list(value, "lists, such as [\"rtbl.example.org/bans\"]", |text| match text.split_once('/') {
        Some((service, node)) if !node.is_empty() => {
            Ok(Source { service: domain(service)?, node: node.to_owned() })
        }
        _ => Err(format!("a list is \"service/node\", not {text:?}.")),
    })
}

/// A file, or none for the empty text.
pub(super) fn file(value: &DeValue<'_>) -> Read<Option<PathBuf>> {
    Ok(Some(text(value)?).filter(|path| !path.is_empty()).map(PathBuf::from))
}

/// A domain in its prepared form.
/// An address with a port, or the path of a socket; empty: none.
pub(super) fn front(value: &DeValue<'_>) -> Read<Option<Front>> {
    match text(value)? {
        "" => Ok(None),
        path if path.starts_with('/') => Ok(Some(Front::Socket(path.into()))),
        address => address.parse().map(|address| Some(Front::Address(address))).map_err(|_| {
            format!(
                "{address:?} is no address with a port, such as \"127.0.0.1:24\", and no path of a socket."
            )
        }),
    }
}

pub(super) fn domain(text: &str) -> Read<String> {
    DomainPart::new(text)
        .map(|domain| domain.as_str().to_owned())
        .map_err(|_| format!("{text:?} is no domain, such as \"example.org\"."))
}

/// A smarthost or `direct`, or none for the empty text.
pub(super) fn smarthost(value: &DeValue<'_>) -> Read<Option<Out>> {
    let given = text(value)?;
    match given {
        "" => return Ok(None),
        "direct" => return Ok(Some(Out::Direct)),
        _ => {}
    }
    let wrong = || "this is of the form \"smtps://name:password@smtp.example.net\".".to_owned();
    let url = url::Url::parse(given).map_err(|_| wrong())?;
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        (name, Some(password)) => {
            Some((unescaped(name).ok_or_else(wrong)?, unescaped(password).ok_or_else(wrong)?))
        }
        _ => return Err(wrong()),
    };
    let (protection, port) = match (url.scheme(), &login) {
        ("smtps", _) => (Protection::Direct, 465),
        ("smtp", Some(_)) => (Protection::Required, 587),
        ("smtp", None) => (Protection::Offered, 587),
        _ => return Err(wrong()),
    };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong());
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = url.port().unwrap_or(port);
    Ok(Some(Out::Smarthost(Smarthost { host, port, protection, login })))
}

/// RFC 3986 §2.1.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}
