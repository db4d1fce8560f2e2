//! The DNS, as far as mail asks it.

use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use rookery_gateway::mail::route::{Asked, Exchange, Exchanges, Unknown};
use std::sync::Arc;

/// Mail servers of one domain that are looked at: nobody has so many.
const EXCHANGES: usize = 32;

/// Asks as the system is configured to.
pub(super) fn exchanges() -> anyhow::Result<Arc<Exchanges>> {
    let resolver = TokioResolver::builder_tokio()?.build()?;
    Ok(Arc::new(move |domain: &str| -> Asked {
        let (resolver, domain) = (resolver.clone(), domain.to_owned());
        Box::pin(async move { ask(&resolver, &domain).await })
    }))
}

async fn ask(resolver: &TokioResolver, domain: &str) -> Result<Vec<Exchange>, Unknown> {
    // Domains are asked for as they are, and not beside the operator's own.
    let ascii = idna::domain_to_ascii(domain).map_err(|_| Unknown::Domain)?;
    let name = Name::from_ascii(format!("{ascii}.")).map_err(|_| Unknown::Domain)?;
    let found = match resolver.mx_lookup(name).await {
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
    Ok(found.answers().iter().filter_map(|record| exchange(&record.data)).take(EXCHANGES).collect())
}
