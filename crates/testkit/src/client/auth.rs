//! From a bare connection to an authenticated stream: header, TLS, SASL, registration.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use minidom::Element;
use rookery_proto::sasl::client::{self as sasl, Binding};
use rookery_proto::sasl::{ChannelBindings, Mechanism};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Client, Incoming, Transport, escape};
use crate::ns;

/// The client's share of the randomness in SCRAM. A test need not surprise anybody.
pub(super) const NONCE: &str = "the-same-each-time";

impl Client {
    /// Open a stream, or restart it, and return the server's header.
    pub async fn open(&mut self) -> Result<Element> {
        self.stream.open(&self.domain, None).await?;
        self.header().await
    }

    /// Open a stream as a component and prove to know the secret (XEP-0114 §3).
    pub async fn handshake(&mut self, secret: &str) -> Result<()> {
        let host = self.host.clone().context("this is no component")?;
        let header = format!(
            "<stream:stream to='{}' xmlns='{}' xmlns:stream='{}'>",
            escape(&host),
            ns::COMPONENT,
            ns::STREAM
        );
        let header = self.open_with(&header).await?;
        let id = header.attr("id").context("the server's header has no id")?;
        let proof = data_encoding::HEXLOWER.encode(&Sha1::digest(format!("{id}{secret}")));
        self.stream.write(&format!("<handshake>{proof}</handshake>")).await?;
        self.expect("<handshake/>", |element| element.is("handshake", ns::CLIENT)).await?;
        self.jid = Some(host);
        Ok(())
    }

    /// Open a stream with a header of one's own making.
    pub async fn open_with(&mut self, header: &str) -> Result<Element> {
        self.stream.open_with(header).await?;
        self.header().await
    }

    pub(super) async fn header(&mut self) -> Result<Element> {
        match self.stream.read().await? {
            Incoming::Header(header) => Ok(header),
            other => bail!("expected a stream header, got {other:?}"),
        }
    }

    /// Open a stream, or restart it, and return the features it offers.
    pub async fn open_for_features(&mut self) -> Result<Element> {
        self.open().await?;
        self.features().await
    }

    /// Put TLS under the stream (RFC 6120 §5.4.2), to be opened anew afterwards; also what it can be bound to.
    pub async fn starttls(mut self, config: Arc<ClientConfig>) -> Result<(Client, ChannelBindings)> {
        self.stream.write(&format!("<starttls xmlns='{}'/>", ns::TLS)).await?;
        self.expect("<proceed/>", |element| element.is("proceed", ns::TLS)).await?;
        let tls = tls_handshake(self.stream.into_transport()?, &self.domain, config).await?;
        let bindings = channel_bindings(&tls)?;
        Ok((Client::new(tls, &self.domain), bindings))
    }

    /// SASL PLAIN (RFC 4616) and the stream after it; returns its features.
    pub async fn authenticate(&mut self, user: &str, password: &str) -> Result<Element> {
        self.authenticate_with(Mechanism::Plain, user, password, Binding::Unsupported).await
    }

    /// SASL with any mechanism and the stream after it; returns its features. With SCRAM the server has to prove that
    /// it knows the account, too.
    pub async fn authenticate_with(
        &mut self,
        mechanism: Mechanism,
        user: &str,
        password: &str,
        binding: Binding,
    ) -> Result<Element> {
        let mut exchange = sasl::Client::new(mechanism, user, password, None, NONCE, binding)?;
        if let Some(offer) = &self.offer {
            offer.show(&mut exchange, false);
        }
        let initial = BASE64.encode(exchange.initial());
        let name = mechanism.name();
        self.stream.write(&format!("<auth xmlns='{}' mechanism='{name}'>{initial}</auth>", ns::SASL)).await?;
        loop {
            let answer = self.recv().await?;
            let data = BASE64.decode(answer.text()).ok().filter(|data| !data.is_empty());
            match answer.name() {
                "success" if answer.has_ns(ns::SASL) => {
                    exchange.finish(data.as_deref())?;
                    return self.open_for_features().await;
                }
                "challenge" if answer.has_ns(ns::SASL) => {
                    let response = BASE64.encode(exchange.respond(data.as_deref().unwrap_or_default())?);
                    self.stream
                        .write(&format!("<response xmlns='{}'>{response}</response>", ns::SASL))
                        .await?;
                }
                _ => bail!("expected <success/>, got {}", String::from(&answer)),
            }
        }
    }

    /// Register an account in-band (XEP-0077 §3.1) on an open stream that is not authenticated.
    pub async fn register(&mut self, user: &str, password: &str) -> Result<()> {
        let (user, password) = (escape(user), escape(password));
        let query = format!(
            "<query xmlns='{}'><username>{user}</username><password>{password}</password></query>",
            ns::REGISTER
        );
        self.iq("set", None, &query).await.context("registering").map(drop)
    }

    /// Cancel the account (XEP-0077 §3.2). The server may end the stream instead of answering.
    pub async fn unregister(&mut self) -> Result<()> {
        self.send_raw(&format!(
            "<iq type='set' id='kit-remove'><query xmlns='{}'><remove/></query></iq>",
            ns::REGISTER
        ))
        .await?;
        loop {
            match self.next().await? {
                Incoming::Element(iq) if iq.attr("id") == Some("kit-remove") => return Ok(()),
                Incoming::Element(_) => {}
                Incoming::Header(_) | Incoming::Footer | Incoming::End => return Ok(()),
            }
        }
    }

    /// Everything up to a bound resource, on a connection that may authenticate as it is.
    pub async fn sign_in(&mut self, user: &str, password: &str, resource: &str) -> Result<String> {
        self.open_for_features().await?;
        self.authenticate(user, password).await?;
        self.bind(Some(resource)).await
    }
}

/// TLS as a client, over a connection that is to talk TLS from its first byte (XEP-0368) or after STARTTLS.
pub async fn tls_handshake<T: Transport>(
    transport: T,
    domain: &str,
    config: Arc<ClientConfig>,
) -> Result<TlsStream<T>> {
    let name = ServerName::try_from(domain.to_owned()).context("not a host name")?;
    TlsConnector::from(config).connect(name, transport).await.context("TLS handshake")
}

/// What a secured connection can be bound to (RFC 9266, RFC 5929 §4; the local certificate is signed with SHA-256).
pub fn channel_bindings<T>(tls: &TlsStream<T>) -> Result<ChannelBindings> {
    let connection = tls.get_ref().1;
    let exporter = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None)?;
    let leaf = connection.peer_certificates().and_then(|chain| chain.first()).context("no certificate")?;
    Ok(ChannelBindings { exporter: Some(exporter), server_end_point: Some(Sha256::digest(leaf).to_vec()) })
}
