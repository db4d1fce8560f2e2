//! One XML stream read from any transport, with a parser that is not the server's own.

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use minidom::Element;
use rxml::{Event, Namespace, Parse, Parser};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Misbehaviour;
use crate::ns;

/// What a client can talk over: a socket, TLS over it, or a pipe in memory.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// What comes from a server, one at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// The stream header, as an element without children.
    Header(Element),
    /// A child of the stream: a stanza, features, an error, an acknowledgement.
    Element(Element),
    /// `</stream:stream>`
    Footer,
    /// The transport has ended.
    End,
}

/// A transport, and the parser that reads the stream on it.
pub(crate) struct XmlStream {
    transport: Box<dyn Transport>,
    buffer: BytesMut,
    tree: Tree,
}

impl XmlStream {
    pub(crate) fn new(transport: Box<dyn Transport>) -> XmlStream {
        XmlStream { transport, buffer: BytesMut::new(), tree: Tree::default() }
    }

    /// Forget the stream that was being read: the next bytes begin a new one (RFC 6120 §4.3.3).
    fn restart(&mut self) {
        self.tree = Tree::default();
    }

    /// Give the transport back, to put TLS on it. Nothing may have been read beyond the last element.
    pub(crate) fn into_transport(self) -> Result<Box<dyn Transport>> {
        if !self.buffer.is_empty() {
            bail!("the server went on talking before TLS began: {:?}", self.buffer);
        }
        Ok(self.transport)
    }

    /// Open a stream, or restart it.
    pub(crate) async fn open(&mut self, domain: &str, from: &str) -> Result<()> {
        let header = format!(
            "<?xml version='1.0'?><stream:stream{from} to='{}' version='1.0' xmlns='{}' xmlns:stream='{}'>",
            escape(domain),
            ns::CLIENT,
            ns::STREAM
        );
        self.open_with(&header).await
    }

    /// The same with a header of one's own making.
    pub(crate) async fn open_with(&mut self, header: &str) -> Result<()> {
        self.restart();
        self.write(header).await
    }

    /// Close the stream.
    pub(crate) async fn close(&mut self) -> Result<()> {
        self.write("</stream:stream>").await
    }

    pub(crate) async fn write(&mut self, text: &str) -> Result<()> {
        self.transport.write_all(text.as_bytes()).await.context("writing")?;
        self.transport.flush().await.context("writing")
    }

    /// The next thing that comes. Safe to cancel: what was read stays.
    pub(crate) async fn read(&mut self) -> Result<Incoming> {
        loop {
            if let Some(incoming) = self.tree.take_from(&mut self.buffer)? {
                return Ok(incoming);
            }
            match self.transport.read_buf(&mut self.buffer).await {
                Ok(0) => return Ok(Incoming::End),
                Ok(_) => {}
                Err(gone) if is_disconnection(&gone) => return Ok(Incoming::End),
                Err(err) => return Err(err).context("reading"),
            }
        }
    }
}

/// A server that was killed resets its connections, and TLS sees the end without a farewell.
fn is_disconnection(err: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(err.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// Builds elements out of the parser's events.
#[derive(Default)]
struct Tree {
    parser: Parser,
    header_seen: bool,
    open: Vec<Element>,
}

impl Tree {
    fn take_from(&mut self, buffer: &mut BytesMut) -> Result<Option<Incoming>> {
        loop {
            let mut rest = &buffer[..];
            let parsed = self.parser.parse(&mut rest, false);
            let used = buffer.len() - rest.len();
            let event = match parsed {
                Ok(event) => event,
                Err(rxml::error::EndOrError::NeedMoreData) => {
                    let _ = buffer.split_to(used);
                    return Ok(None);
                }
                Err(rxml::error::EndOrError::Error(err)) => {
                    let text = String::from_utf8_lossy(buffer);
                    bail!(Misbehaviour(format!("malformed XML ({err}): {text:?}")));
                }
            };
            let _ = buffer.split_to(used);
            let Some(event) = event else { return Ok(Some(Incoming::End)) };
            if let Some(incoming) = self.event(event)? {
                return Ok(Some(incoming));
            }
        }
    }

    fn event(&mut self, event: Event) -> Result<Option<Incoming>> {
        match event {
            Event::XmlDeclaration(..) => {}
            Event::StartElement(_, (ns, name), attrs) => {
                // XEP-0114: what a client's stanzas are in one namespace, a component's are in another.
                let ns =
                    if ns.as_str() == ns::COMPONENT && self.header_seen { ns::CLIENT } else { ns.as_str() };
                let mut element = Element::bare(name.to_string(), ns);
                *element.attrs_mut() = attrs;
                if self.header_seen {
                    self.open.push(element);
                } else {
                    self.header_seen = true;
                    return Ok(Some(Incoming::Header(element)));
                }
            }
            Event::Text(_, text) => match self.open.last_mut() {
                Some(parent) => parent.append_text(text),
                // RFC 6120 §4.6.1: whitespace keeps a connection alive and means nothing.
                None if text.trim().is_empty() => {}
                None => bail!(Misbehaviour(format!("text between stanzas: {text:?}"))),
            },
            Event::EndElement(_) => match (self.open.pop(), self.open.last_mut()) {
                (Some(done), Some(parent)) => {
                    parent.append_child(done);
                }
                (Some(done), None) => return Ok(Some(Incoming::Element(done))),
                (None, _) => return Ok(Some(Incoming::Footer)),
            },
        }
        Ok(None)
    }
}

/// An attribute in the `xml:` namespace (`xml:lang`).
pub fn xml_attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attrs().get(&Namespace::XML, name).map(String::as_str)
}

/// Text as it stands in an element or an attribute.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}
