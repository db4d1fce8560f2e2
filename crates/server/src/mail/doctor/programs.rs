//! What mail programs meet at the ports where they read and send: a greeting, in TLS with a certificate that they believe.

use super::{Finding, LINE, bad, good};
use crate::config::Config;
use crate::http::client;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long a connection may take to its greeting.
const PATIENCE: Duration = Duration::from_secs(10);

/// A port for mail programs, and what was heard there: a greeting, or why there was none.
pub(super) struct Port {
    pub(super) number: u16,
    /// It begins with TLS.
    pub(super) tls: bool,
    /// How a greeting there begins.
    pub(super) begin: &'static str,
    pub(super) heard: Result<String, String>,
}

/// Looks at all that the configuration opens.
pub(super) async fn look(config: &Config, hostname: &str) -> Vec<Port> {
    let mail = &config.mail;
    let kinds: [(&[SocketAddr], bool, &str); 4] = [
        (&mail.submission_tls, true, "220 "),
        (&mail.submission, false, "220 "),
        (&mail.imap_tls, true, "* OK "),
        (&mail.imap, false, "* OK "),
    ];
    let mut ports: Vec<Port> = Vec::new();
    for (addresses, tls, begin) in kinds {
        for number in addresses.iter().map(SocketAddr::port) {
            if ports.iter().all(|port| port.number != number) {
                let heard = tokio::time::timeout(PATIENCE, greeting(hostname, number, tls)).await;
                let heard = heard.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
                ports.push(Port { number, tls, begin, heard: heard.map_err(|error| error.to_string()) });
            }
        }
    }
    ports
}

async fn greeting(hostname: &str, port: u16, tls: bool) -> io::Result<String> {
    let stream = TcpStream::connect((hostname, port)).await?;
    if !tls {
        return line(stream).await;
    }
    let name = ServerName::try_from(hostname.to_owned()).map_err(io::Error::other)?;
    line(TlsConnector::from(client::system_tls()).connect(name, stream).await?).await
}

async fn line(stream: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(stream.take(LINE)).read_line(&mut line).await?;
    Ok(line.trim().to_owned())
}

/// What is to be said of them.
pub(super) fn findings<'a>(ports: &'a [Port], hostname: &'a str) -> impl Iterator<Item = Finding> + 'a {
    ports.iter().map(move |port| {
        let Port { number, tls, begin, heard } = port;
        match heard {
            Ok(line) if line.starts_with(begin) => good(match tls {
                true => format!("Mail programs get into TLS at port {number} of {hostname}, seen from here."),
                false => {
                    format!("Mail programs are answered at port {number} of {hostname}, seen from here.")
                }
            }),
            Ok(line) => bad(format!("At port {number} of {hostname} somebody else answers: {line}"), ""),
            Err(why) => {
                bad(format!("Mail programs do not get in at port {number} of {hostname}: {why}."), "")
            }
        }
    })
}
