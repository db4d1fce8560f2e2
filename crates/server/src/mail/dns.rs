//! The DNS, as far as mail asks it.

use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use rookery_gateway::mail::route::{Asked, Exchange, Exchanges, Unknown};
use std::net::IpAddr;
use std::sync::Arc;

/// Records of one kind that one name has: nobody has so many.
const RECORDS: usize = 32;

/// Asks as the system is configured to.
#[derive(Clone)]
pub(super) struct Dns(TokioResolver);

/// How [`Dns`] finds mail servers, for the gateway.
pub(super) fn exchanges() -> anyhow::Result<Arc<Exchanges>> {
    let dns = Dns::new()?;
    Ok(Arc::new(move |domain: &str| -> Asked {
        let (dns, domain) = (dns.clone(), domain.to_owned());
        Box::pin(async move { dns.exchanges(&domain).await })
    }))
}

/// A name as it is, and not below the operator's own domain.
fn absolute(name: &str) -> Option<Name> {
    let ascii = idna::domain_to_ascii(name).ok()?;
    Name::from_ascii(format!("{ascii}.")).ok()
}

impl Dns {
    pub(super) fn new() -> anyhow::Result<Dns> {
        Ok(Dns(TokioResolver::builder_tokio()?.build()?))
    }

    /// The mail servers of a domain (RFC 5321 §5.1).
    pub(super) async fn exchanges(&self, domain: &str) -> Result<Vec<Exchange>, Unknown> {
        let name = absolute(domain).ok_or(Unknown::Domain)?;
        let found = match self.0.mx_lookup(name).await {
            Ok(found) => found,
            Err(error) if error.is_nx_domain() => return Err(Unknown::Domain),
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(Unknown::Yet(error.to_string())),
        };
        let exchange = |data: &RData| match data {
            RData::MX(mx) => {
                let host = mx.exchange.to_ascii().trim_end_matches('.').to_owned();
                Some(Exchange { preference: mx.preference, host })
            }
            _ => None,
        };
        Ok(found.answers().iter().filter_map(|record| exchange(&record.data)).take(RECORDS).collect())
    }

    /// The addresses of a host; none also where nobody can say.
    pub(super) async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let Some(name) = absolute(host) else { return Vec::new() };
        match self.0.lookup_ip(name).await {
            Ok(found) => found.iter().take(RECORDS).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The names of an address (PTR), without the dot at the end.
    pub(super) async fn names(&self, address: IpAddr) -> Vec<String> {
        let Ok(found) = self.0.reverse_lookup(Name::from(address)).await else { return Vec::new() };
        let name = |data: &RData| match data {
            RData::PTR(name) => Some(name.to_ascii().trim_end_matches('.').to_owned()),
            _ => None,
        };
        found.answers().iter().filter_map(|record| name(&record.data)).take(RECORDS).collect()
    }

    /// The texts of a name (TXT), each with its strings put together.
    pub(super) async fn texts(&self, name: &str) -> Vec<String> {
        let Some(name) = absolute(name) else { return Vec::new() };
        let Ok(found) = self.0.txt_lookup(name).await else { return Vec::new() };
        let text = |data: &RData| match data {
            RData::TXT(txt) => {
                Some(txt.txt_data.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect())
            }
            _ => None,
        };
        found.answers().iter().filter_map(|record| text(&record.data)).take(RECORDS).collect()
    }
}
