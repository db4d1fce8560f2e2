//! `rookery doctor mail`: what the DNS and the network say of this mail server, and what is to be done about it.

mod programs;

use super::dns::Dns;
use super::keys;
use crate::config::{Config, Out};
use anyhow::{Context, Result};
use rookery_gateway::mail::route::{Exchange, Unknown};
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;

/// How long our own server may take to greet.
const GREETING: Duration = Duration::from_secs(10);

/// Bytes of a greeting (RFC 5321 §4.5.3.1.5).
const LINE: u64 = 512;

/// What was found out.
struct Facts {
    domain: String,
    hostname: String,
    /// Mail goes to its recipients' servers from here.
    direct: bool,
    exchanges: Result<Vec<Exchange>, Unknown>,
    /// Of the hostname, each with the names that it has.
    addresses: Vec<(IpAddr, Vec<String>)>,
    /// TXT records of the domain, and of `_dmarc` below it.
    texts: Vec<String>,
    dmarc: Vec<String>,
    /// Keys that sign: the line of the zone, the record, and what the DNS has in its place.
    keys: Vec<(String, String, Vec<String>)>,
    /// What is heard at port 25 of the hostname.
    greeting: Option<String>,
    /// Where mail programs read and send.
    ports: Vec<programs::Port>,
}

/// Something that was looked at.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is as it should be.
    pub good: bool,
    /// A sentence.
    pub text: String,
    /// The line of a zone file that mends it; empty: none does.
    pub line: String,
}

fn good(text: impl Into<String>) -> Finding {
    Finding { good: true, text: text.into(), line: String::new() }
}

fn bad(text: impl Into<String>, line: impl Into<String>) -> Finding {
    Finding { good: false, text: text.into(), line: line.into() }
}

/// Looks at everything.
pub async fn examine(config: &Config) -> Result<Vec<Finding>> {
    let dns = Dns::new().context("The system's DNS configuration cannot be read")?;
    let domain = config.domain.clone();
    let hostname = config.mail.hostname.clone().unwrap_or_else(|| domain.clone());
    let mut addresses = Vec::new();
    for address in dns.addresses(&hostname).await {
        addresses.push((address, dns.names(address).await));
    }
    let found = keys::read(&keys::folder(&config.data), &domain)?;
    let mut keys = Vec::new();
    for at in keys::signing(&found, keys::today()) {
        let key = &found[at];
        let texts = dns.texts(&format!("{}._domainkey.{domain}", key.selector)).await;
        keys.push((key.line(&domain), key.record().to_owned(), texts));
    }
    let facts = Facts {
        direct: config.mail.smarthost == Some(Out::Direct),
        exchanges: dns.exchanges(&domain).await,
        texts: dns.texts(&domain).await,
        dmarc: dns.texts(&format!("_dmarc.{domain}")).await,
        greeting: greeting(&hostname).await,
        ports: programs::look(config, &hostname).await,
        addresses,
        keys,
        domain,
        hostname,
    };
    Ok(findings(&facts))
}

async fn greeting(hostname: &str) -> Option<String> {
    let heard = async {
        let stream = TcpStream::connect((hostname, 25)).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream.take(LINE)).read_line(&mut line).await.ok()?;
        Some(line.trim().to_owned())
    };
    tokio::time::timeout(GREETING, heard).await.ok().flatten()
}

fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = vec![exchanges(facts)];
    all.extend(addresses(facts));
    all.push(greeted(facts));
    all.extend(programs::findings(&facts.ports, &facts.hostname));
    all.push(spf(facts));
    all.extend(keys_published(facts));
    all.push(dmarc(facts));
    all
}

fn exchanges(facts: &Facts) -> Finding {
    let Facts { domain, hostname, .. } = facts;
    let line = format!("{domain}. IN MX 10 {hostname}.");
    match &facts.exchanges {
        Err(Unknown::Domain) => bad(format!("The domain {domain} does not exist in the DNS."), line),
        Err(Unknown::Yet(why)) => {
            bad(format!("The mail servers of {domain} cannot be looked up: {why}."), "")
        }
        Ok(found) if found.iter().any(|it| it.host.eq_ignore_ascii_case(hostname)) => {
            good(format!("Mail for {domain} comes to {hostname} (MX)."))
        }
        Ok(found) if found.is_empty() => bad(format!("{domain} has no MX record."), line),
        Ok(found) => bad(format!("Mail for {domain} goes to {}, and not here.", found[0].host), line),
    }
}

fn addresses(facts: &Facts) -> Vec<Finding> {
    let Facts { hostname, addresses, direct, .. } = facts;
    if addresses.is_empty() {
        return vec![bad(
            format!("{hostname} has no address."),
            format!("{hostname}. IN A 192.0.2.1 ; yours"),
        )];
    }
    let one = |(address, names): &(IpAddr, Vec<String>)| {
        if names.iter().any(|name| name.eq_ignore_ascii_case(hostname)) {
            return good(format!("{address} is called {hostname} (PTR)."));
        }
        let called = names.first().map_or("has no name".to_owned(), |name| format!("is called {name}"));
        let text = format!("{address} {called} (PTR). Who gives you the address can name it {hostname}.");
        // With a smarthost it is that one's address which others look at.
        Finding { good: !direct, text, line: String::new() }
    };
    addresses.iter().map(one).collect()
}

fn greeted(facts: &Facts) -> Finding {
    let hostname = &facts.hostname;
    match &facts.greeting {
        Some(line) if line.starts_with("220 ") && line.contains(hostname.as_str()) => {
            good(format!("{hostname} answers at port 25, seen from here."))
        }
        Some(line) => bad(format!("At port 25 of {hostname} somebody else answers: {line}"), ""),
        None => bad(
            format!(
                "Nobody answers at port 25 of {hostname}. Is the server running, and the port let through?"
            ),
            "",
        ),
    }
}

fn spf(facts: &Facts) -> Finding {
    let Facts { domain, .. } = facts;
    let line = format!("{domain}. IN TXT \"v=spf1 mx -all\"");
    match facts.texts.iter().filter(|text| text.starts_with("v=spf1")).count() {
        0 => bad(format!("{domain} does not say which servers send its mail (SPF)."), line),
        1 => good(format!("{domain} says which servers send its mail (SPF).")),
        _ => bad(format!("{domain} has several SPF records, so none counts. Leave one."), ""),
    }
}

fn keys_published(facts: &Facts) -> Vec<Finding> {
    if facts.keys.is_empty() {
        return vec![bad("Mail is not signed: there are no keys. `rookery mail dkim` makes them.", "")];
    }
    let one = |(line, record, found): &(String, String, Vec<String>)| {
        let name = line.split(". ").next().unwrap_or_default();
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        match found.iter().any(|text| bare(text) == bare(record)) {
            true => good(format!("The key at {name} is published (DKIM).")),
            false if found.is_empty() => bad(format!("The key at {name} is not published (DKIM)."), line),
            false => bad(format!("At {name} stands another key than the one that signs (DKIM)."), line),
        }
    };
    facts.keys.iter().map(one).collect()
}

fn dmarc(facts: &Facts) -> Finding {
    let domain = &facts.domain;
    match facts.dmarc.iter().any(|text| text.starts_with("v=DMARC1")) {
        true => good(format!("{domain} says what is to become of forged mail (DMARC).")),
        false => bad(
            format!("{domain} does not say what is to become of forged mail (DMARC)."),
            format!("_dmarc.{domain}. IN TXT \"v=DMARC1; p=quarantine\""),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(heard: Result<String, String>) -> programs::Port {
        programs::Port { number: 993, tls: true, begin: "* OK ", heard }
    }

    fn facts() -> Facts {
        Facts {
            domain: "x.org".into(),
            hostname: "mx.x.org".into(),
            direct: true,
            exchanges: Ok(vec![Exchange { preference: 10, host: "MX.x.org".into() }]),
            addresses: vec![("192.0.2.1".parse().unwrap(), vec!["mx.x.org".into()])],
            texts: vec!["v=spf1 mx -all".into(), "other".into()],
            dmarc: vec!["v=DMARC1; p=none".into()],
            keys: vec![(
                "s._domainkey.x.org. IN TXT ( .. )".into(),
                "v=DKIM1; p=a".into(),
                vec!["v=DKIM1;p=a".into()],
            )],
            greeting: Some("220 mx.x.org ESMTP Rookery".into()),
            ports: vec![port(Ok("* OK [CAPABILITY IMAP4rev2] mx.x.org".into()))],
        }
    }

    #[test]
    fn what_is_well_is_said_to_be() {
        let all = findings(&facts());
        assert!(all.len() == 7 && all.iter().all(|finding| finding.good), "{all:#?}");
    }

    #[test]
    fn what_is_missing_is_told_with_its_line() {
        let nothing = Facts {
            exchanges: Ok(Vec::new()),
            addresses: Vec::new(),
            texts: Vec::new(),
            dmarc: Vec::new(),
            keys: vec![("s._domainkey.x.org. IN TXT ( .. )".into(), "v=DKIM1; p=a".into(), Vec::new())],
            greeting: None,
            ports: vec![port(Err("the certificate has expired".into())), port(Ok("220 another".into()))],
            ..facts()
        };
        let all = findings(&nothing);
        assert!(all.iter().all(|finding| !finding.good), "{all:#?}");
        for line in [
            "x.org. IN MX 10 mx.x.org.",
            "x.org. IN TXT \"v=spf1 mx -all\"",
            "_dmarc.x.org. IN TXT \"v=DMARC1; p=quarantine\"",
            "s._domainkey.x.org. IN TXT ( .. )",
        ] {
            assert!(all.iter().any(|finding| finding.line == line), "{line}: {all:#?}");
        }
    }
}
