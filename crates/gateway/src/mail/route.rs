//! Where mail goes: to the smarthost, or to the servers of the recipient's domain.

use super::limits;
use super::smtp::Carrier;
use super::smtp::client::{Failure, Protection, Smarthost};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use tokio_rustls::rustls::ClientConfig;

/// A connection that is being made.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<Box<dyn Carrier>>> + Send>>;

/// Makes a connection to a host and port.
pub type Dial = dyn Fn(&str, u16) -> Dialling + Send + Sync;

/// A look-up under way.
pub type Asked = Pin<Box<dyn Future<Output = Result<Vec<Exchange>, Unknown>> + Send>>;

/// Asks the DNS for the mail servers of a domain (MX, RFC 5321 §5.1).
pub type Exchanges = dyn Fn(&str) -> Asked + Send + Sync;

/// A mail server of a domain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Exchange {
    /// The lowest is to be tried first.
    pub preference: u16,
    /// Its name, without the dot at the end.
    pub host: String,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unknown {
    /// The domain does not exist.
    Domain,
    /// Nobody can say at the moment; with the reason.
    Yet(String),
}

/// The way out.
#[derive(Clone)]
pub struct Route {
    /// Where everything goes; `None`: to each domain's own servers.
    pub smarthost: Option<Smarthost>,
    /// Finds these.
    pub exchanges: Arc<Exchanges>,
    /// TLS with whom mail is handed to: the smarthost, or servers whose certificates prove nothing.
    pub tls: Arc<ClientConfig>,
    /// Makes a connection.
    pub dial: Arc<Dial>,
}

impl Route {
    /// The hosts to try for this domain, in their order; none of them is `own`.
    pub(super) async fn hosts(&self, domain: &str, own: &str) -> Result<Vec<Smarthost>, Failure> {
        if let Some(smarthost) = &self.smarthost {
            return Ok(vec![smarthost.clone()]);
        }
        let mut exchanges = (self.exchanges)(domain).await.map_err(|unknown| match unknown {
            Unknown::Domain => Failure::Never(format!("550 5.1.2 There is no domain {domain}")),
            Unknown::Yet(why) => Failure::Unreached(format!("{domain} cannot be looked up: {why}")),
        })?;
        if exchanges.is_empty() {
            // §5.1: the domain is its own mail server.
            exchanges.push(Exchange { preference: 0, host: domain.to_owned() });
        }
        exchanges.sort();
        // RFC 7505 §3: a dot takes no mail.
        exchanges.retain(|exchange| !exchange.host.is_empty());
        if exchanges.is_empty() {
            return Err(Failure::Never(format!("556 5.1.10 {domain} takes no mail")));
        }
        // RFC 5321 §5.1: who is in the list itself goes to better ones only, and nowhere if it is the best.
        let ours = exchanges.iter().position(|exchange| exchange.host.eq_ignore_ascii_case(own));
        exchanges.truncate(ours.unwrap_or(limits::HOSTS).min(limits::HOSTS));
        if exchanges.is_empty() {
            return Err(Failure::Never(format!("554 5.4.6 {domain} leads back to this server")));
        }
        Ok(exchanges.into_iter().map(|exchange| exchange.host).map(server).collect())
    }
}

/// The mail server of somebody else: TLS where it has any.
fn server(host: String) -> Smarthost {
    Smarthost { host, port: 25, protection: Protection::Offered, login: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_rustls::rustls::{RootCertStore, crypto::ring};

    async fn hosts(answer: Result<&[(u16, &str)], Unknown>) -> Result<Vec<String>, Failure> {
        let answer = answer.map(|found| {
            found
                .iter()
                .map(|(preference, host)| Exchange { preference: *preference, host: (*host).to_owned() })
                .collect::<Vec<_>>()
        });
        let exchanges = move |_: &str| -> Asked {
            let answer = answer.clone();
            Box::pin(async move { answer })
        };
        let dial = |_: &str, _: u16| -> Dialling { Box::pin(async { Err(io::ErrorKind::NotFound.into()) }) };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let route = Route {
            smarthost: None,
            exchanges: Arc::new(exchanges),
            tls: Arc::new(tls),
            dial: Arc::new(dial),
        };
        let hosts = route.hosts("verona.example", "mx.here.org").await?;
        Ok(hosts.into_iter().map(|it| it.host).collect())
    }

    #[tokio::test]
    async fn servers_are_tried_in_their_order() {
        let found = hosts(Ok(&[(20, "b"), (10, "a"), (30, "mx.here.org"), (40, "c")])).await;
        assert_eq!(found, Ok(vec!["a".into(), "b".into()]), "not behind ourselves");
        assert_eq!(hosts(Ok(&[])).await, Ok(vec!["verona.example".into()]));
        let many: Vec<_> = (0..50).map(|number| (number, "x")).collect();
        assert_eq!(hosts(Ok(&many)).await.map(|hosts| hosts.len()), Ok(limits::HOSTS));
    }

    #[tokio::test]
    async fn who_takes_no_mail_gets_none() {
        for (answer, code) in [
            (Ok([(0, "")].as_slice()), "5.1.10"),
            (Ok([(5, "MX.here.org"), (6, "a")].as_slice()), "5.4.6"),
            (Err(Unknown::Domain), "5.1.2"),
        ] {
            let Err(Failure::Never(why)) = hosts(answer).await else { panic!("{code}") };
            assert!(why.contains(code), "{why}");
        }
        assert!(matches!(hosts(Err(Unknown::Yet("x".into()))).await, Err(Failure::Unreached(_))));
    }
}
