//! The mail server that mail goes out to, in memory: a test speaks for it.

use anyhow::{Context, Result, ensure};
use parking_lot::Mutex;
use rookery_gateway::mail::route::{Asked, Dialling};
use rookery_gateway::mail::smtp::Carrier;
use rookery_gateway::mail::{Protection, Route, Smarthost as Host};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::sync::mpsc;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Bytes that wait in a pipe, as they would in a socket's buffer.
const PIPE: usize = 64 * 1024;

/// Connections that come to it.
pub struct Smarthost {
    calls: mpsc::UnboundedSender<DuplexStream>,
    called: Mutex<mpsc::UnboundedReceiver<DuplexStream>>,
}

impl Default for Smarthost {
    fn default() -> Smarthost {
        let (calls, called) = mpsc::unbounded_channel();
        Smarthost { calls, called: Mutex::new(called) }
    }
}

impl Smarthost {
    /// The way to it. Nobody's certificate is trusted.
    pub fn route(&self) -> Route {
        let calls = self.calls.clone();
        let dial = move |_: &str, _: u16| -> Dialling {
            let (ours, theirs) = tokio::io::duplex(PIPE);
            let called = calls.send(theirs).map_err(|_| io::ErrorKind::ConnectionRefused.into());
            Box::pin(async move { called.map(|()| Box::new(ours) as Box<dyn Carrier>) })
        };
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let smarthost =
            Host { host: "smtp.example".into(), port: 587, protection: Protection::Offered, login: None };
        let exchanges = |_: &str| -> Asked { Box::pin(async { Ok(Vec::new()) }) };
        Route {
            smarthost: Some(smarthost),
            exchanges: Arc::new(exchanges),
            tls: Arc::new(tls),
            dial: Arc::new(dial),
        }
    }

    /// Takes the next mail, whatever it is: to whom it goes, and what it says.
    pub async fn take(&self) -> Result<(String, String)> {
        let mut line = BufReader::new(self.called().await.context("nobody calls")?);
        line.write_all(b"220 smtp.example\r\n").await?;
        let (mut recipient, mut mail) = (String::new(), String::new());
        loop {
            let mut said = String::new();
            ensure!(line.read_line(&mut said).await? > 0, "the line broke before there was a mail");
            let verb = said.trim_end().to_ascii_uppercase();
            if let Some(rest) = verb.strip_prefix("RCPT TO:<") {
                recipient = rest.split('>').next().unwrap_or_default().to_ascii_lowercase();
            }
            if verb == "DATA" {
                line.write_all(b"354 go on\r\n").await?;
                while !mail.ends_with("\r\n.\r\n") {
                    ensure!(line.read_line(&mut mail).await? > 0, "the line broke within the mail");
                }
                line.write_all(b"250 taken\r\n").await?;
                return Ok((recipient, mail));
            }
            line.write_all(b"250 smtp.example\r\n").await?;
        }
    }

    /// The next connection.
    pub async fn called(&self) -> Option<DuplexStream> {
        std::future::poll_fn(|cx| self.called.lock().poll_recv(cx)).await
    }

    /// Whether nobody has called meanwhile.
    pub fn is_quiet(&self) -> bool {
        self.called.lock().is_empty()
    }
}
