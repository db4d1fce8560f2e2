//! A client's side of RFC 7395, on a WebSocket that is not the server's own.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use minidom::Element;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::{Incoming, Misbehaviour, Transport, escape};
use crate::ns;

/// RFC 7395 §3.3
const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

pub(crate) struct WebSocket {
    socket: WebSocketStream<Box<dyn Transport>>,
}

impl WebSocket {
    /// RFC 7395 §3.1
    pub(crate) async fn shake_hands(transport: Box<dyn Transport>, domain: &str) -> Result<WebSocket> {
        let mut request = format!("ws://{domain}/xmpp-websocket").into_client_request()?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("xmpp"));
        let (socket, _) =
            tokio_tungstenite::client_async(request, transport).await.context("the WebSocket's handshake")?;
        Ok(WebSocket { socket })
    }

    pub(crate) async fn open(&mut self, domain: &str, from: &str) -> Result<()> {
        self.write_raw(&format!("<open xmlns='{FRAMING}'{from} to='{}' version='1.0'/>", escape(domain)))
            .await
    }

    pub(crate) async fn close(&mut self) -> Result<()> {
        self.write_raw(&format!("<close xmlns='{FRAMING}'/>")).await
    }

    /// One message.
    pub(crate) async fn write_raw(&mut self, text: &str) -> Result<()> {
        self.socket.send(Message::text(text)).await.context("writing")
    }

    /// The next thing that comes. Safe to cancel.
    pub(crate) async fn read(&mut self) -> Result<Incoming> {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                None | Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed)) => {
                    return Ok(Incoming::End);
                }
                Some(Err(Error::Protocol(_) | Error::Io(_))) => return Ok(Incoming::End),
                Some(other) => bail!(Misbehaviour(format!("no text message: {other:?}"))),
            };
            let element: Element = text
                .parse()
                .map_err(|err| Misbehaviour(format!("a message that is no element ({err}): {text}")))?;
            return Ok(match element.name() {
                "open" if element.has_ns(FRAMING) => Incoming::Header(element),
                "close" if element.has_ns(FRAMING) => Incoming::Footer,
                _ if element.has_ns(ns::CLIENT) && !text.contains("xmlns='jabber:client'") => {
                    bail!(Misbehaviour(format!("a stanza without its namespace: {text}")))
                }
                _ => Incoming::Element(element),
            });
        }
    }
}
