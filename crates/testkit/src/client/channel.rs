//! The ways in which a client can reach a server; to the client they are one.

use anyhow::{Result, bail};

use super::bosh::{Bosh, Door};
use super::websocket::WebSocket;
use super::xml::XmlStream;
use super::{Incoming, Transport, escape};

/// What a client talks through.
pub(crate) enum Channel {
    /// One long document (RFC 6120).
    Stream(Box<XmlStream>),
    /// RFC 7395
    WebSocket(Box<WebSocket>),
    /// XEP-0206
    Bosh(Bosh),
}

impl Channel {
    pub(crate) fn stream(transport: impl Transport + 'static) -> Channel {
        Channel::Stream(Box::new(XmlStream::new(Box::new(transport))))
    }

    pub(crate) async fn web_socket(transport: impl Transport + 'static, domain: &str) -> Result<Channel> {
        Ok(Channel::WebSocket(Box::new(WebSocket::shake_hands(Box::new(transport), domain).await?)))
    }

    pub(crate) fn bosh(door: Door) -> Channel {
        Channel::Bosh(Bosh::new(door))
    }

    /// Open a stream, or restart it; who one is may be told (RFC 6120 §4.7.1).
    pub(crate) async fn open(&mut self, domain: &str, from: Option<&str>) -> Result<()> {
        let from = from.map(|from| format!(" from='{}'", escape(from))).unwrap_or_default();
        match self {
            Channel::Stream(stream) => stream.open(domain, &from).await,
            Channel::WebSocket(socket) => socket.open(domain, &from).await,
            Channel::Bosh(bosh) => {
                bosh.open(domain, &from);
                Ok(())
            }
        }
    }

    /// The same with a header of one's own making.
    pub(crate) async fn open_with(&mut self, header: &str) -> Result<()> {
        match self {
            Channel::Stream(stream) => stream.open_with(header).await,
            Channel::WebSocket(socket) => socket.write_raw(header).await,
            Channel::Bosh(_) => bail!("a body has no stream header"),
        }
    }

    /// Write one element.
    pub(crate) async fn write(&mut self, element: &str) -> Result<()> {
        match self {
            Channel::Stream(stream) => stream.write(element).await,
            Channel::WebSocket(socket) => socket.write_raw(&standing_alone(element)).await,
            Channel::Bosh(bosh) => {
                bosh.write(standing_alone(element));
                Ok(())
            }
        }
    }

    /// Write text as it is: for a WebSocket a message of it.
    pub(crate) async fn write_raw(&mut self, text: &str) -> Result<()> {
        match self {
            Channel::Stream(stream) => stream.write(text).await,
            Channel::WebSocket(socket) => socket.write_raw(text).await,
            Channel::Bosh(bosh) => {
                bosh.write(text.to_owned());
                Ok(())
            }
        }
    }

    pub(crate) async fn close(&mut self) -> Result<()> {
        match self {
            Channel::Stream(stream) => stream.close().await,
            Channel::WebSocket(socket) => socket.close().await,
            Channel::Bosh(bosh) => {
                bosh.close();
                Ok(())
            }
        }
    }

    /// The next thing that comes. Safe to cancel.
    pub(crate) async fn read(&mut self) -> Result<Incoming> {
        match self {
            Channel::Stream(stream) => stream.read().await,
            Channel::WebSocket(socket) => socket.read().await,
            Channel::Bosh(bosh) => bosh.read().await,
        }
    }

    /// Give the transport back, to put TLS on it.
    pub(crate) fn into_transport(self) -> Result<Box<dyn Transport>> {
        match self {
            Channel::Stream(stream) => stream.into_transport(),
            Channel::WebSocket(_) | Channel::Bosh(_) => bail!("there is no TLS above HTTP"),
        }
    }
}

/// A stanza as it is written in a dialogue, with its namespace (RFC 7395 §3.3.3).
fn standing_alone(element: &str) -> String {
    let element = element.trim_start();
    let tag = &element[..element.find('>').unwrap_or(element.len())];
    let end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
    if tag.contains(" xmlns=") || !matches!(&tag[..end], "<message" | "<presence" | "<iq") {
        return element.to_owned();
    }
    format!("{} xmlns='jabber:client'{}", &element[..end], &element[end..])
}
