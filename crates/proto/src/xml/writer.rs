//! Writes XML that cannot be ill-formed.

use smallvec::SmallVec;

use super::chars::check_name;
use super::escape::{escape_text, escape_value};
use super::tag::Span;
use crate::ns;

/// Builds XML into one buffer. Text and values are escaped, open elements are closed at the end, an attribute that is
/// there already is left as it is, and a name that is none is written as `_`. Only [`raw`](Xml::raw) trusts its
/// caller.
///
/// ```
/// use rookery_proto::xml::Xml;
/// let mut x = Xml::new();
/// x.open("iq").attr("type", "result").opt("id", Some("7")).leaf_ns("ping", "urn:xmpp:ping").close();
/// assert_eq!(x.into_vec(), b"<iq type='result' id='7'><ping xmlns='urn:xmpp:ping'/></iq>");
/// ```
#[derive(Debug, Default)]
pub struct Xml {
    out: Vec<u8>,
    /// Names of the open elements, as ranges of `out`.
    open: SmallVec<[Span; 8]>,
    /// Names of the attributes of the start tag that is still open, as ranges of `out`.
    attrs: SmallVec<[Span; 8]>,
    /// Whether the last start tag still lacks its `>`.
    in_tag: bool,
}

impl Xml {
    /// An empty buffer.
    pub fn new() -> Xml {
        Xml::default()
    }

    /// An empty buffer with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Xml {
        Xml { out: Vec::with_capacity(bytes), ..Xml::default() }
    }

    /// Opens an element in the namespace of its parent.
    pub fn open(&mut self, name: &str) -> &mut Xml {
        self.end_tag();
        self.out.push(b'<');
        let name = self.name(valid(name));
        self.open.push(name);
        self.attrs.clear();
        self.in_tag = true;
        self
    }

    /// Opens an element in a namespace of its own, which its children inherit.
    pub fn open_ns(&mut self, name: &str, ns: &str) -> &mut Xml {
        self.open(name).attr("xmlns", ns)
    }

    /// Adds an attribute to the element just opened; ignored once that has content.
    pub fn attr(&mut self, name: &str, value: &str) -> &mut Xml {
        let name = valid(name);
        let known = |span: &Span| span.of(&self.out) == name.as_bytes();
        if !self.in_tag || self.attrs.iter().any(known) {
            return self;
        }
        self.out.push(b' ');
        let written = self.name(name);
        self.attrs.push(written);
        self.out.extend_from_slice(b"='");
        escape_value(value, &mut self.out);
        self.out.push(b'\'');
        self
    }

    /// Adds an attribute if there is a value.
    pub fn opt(&mut self, name: &str, value: Option<impl AsRef<str>>) -> &mut Xml {
        match value {
            Some(value) => self.attr(name, value.as_ref()),
            None => self,
        }
    }

    /// Adds character data.
    pub fn text(&mut self, text: &str) -> &mut Xml {
        if !text.is_empty() {
            self.end_tag();
            escape_text(text, &mut self.out);
        }
        self
    }

    /// Closes the element opened last; `/>` if nothing is inside.
    pub fn close(&mut self) -> &mut Xml {
        let Some(name) = self.open.pop() else { return self };
        if self.in_tag {
            self.in_tag = false;
            self.out.extend_from_slice(b"/>");
        } else {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_within(name.start as usize..name.end as usize);
            self.out.push(b'>');
        }
        self
    }

    /// An element without content.
    pub fn leaf(&mut self, name: &str) -> &mut Xml {
        self.open(name).close()
    }

    /// An element without content in a namespace of its own.
    pub fn leaf_ns(&mut self, name: &str, ns: &str) -> &mut Xml {
        self.open_ns(name, ns).close()
    }

    /// An element with nothing but text.
    pub fn text_element(&mut self, name: &str, text: &str) -> &mut Xml {
        self.open(name).text(text).close()
    }

    /// Adds bytes that are known to be well-formed content, such as a stanza's child.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Xml {
        if !bytes.is_empty() {
            self.end_tag();
            self.out.extend_from_slice(bytes);
        }
        self
    }

    /// Adds a tree. Its root declares its namespace unless that is `jabber:client` and nothing is open.
    pub fn element(&mut self, element: &minidom::Element) -> &mut Xml {
        let parent = if self.open.is_empty() { ns::CLIENT } else { "" };
        self.tree(element, parent)
    }

    fn tree(&mut self, element: &minidom::Element, parent: &str) -> &mut Xml {
        let own = element.ns();
        self.open(element.name());
        if own != parent {
            self.attr("xmlns", &own);
        }
        let mut declared: Vec<String> = Vec::new();
        for ((namespace, name), value) in element.attrs() {
            let uri = namespace.as_str();
            if uri.is_empty() {
                self.attr(name, value);
            } else if uri == ns::XML {
                self.attr(&format!("xml:{name}"), value);
            } else {
                let index = declared.iter().position(|known| known == uri).unwrap_or_else(|| {
                    self.attr(&format!("xmlns:ns{}", declared.len()), uri);
                    declared.push(uri.to_owned());
                    declared.len() - 1
                });
                self.attr(&format!("ns{index}:{name}"), value);
            }
        }
        for node in element.nodes() {
            match (node.as_element(), node.as_text()) {
                (Some(child), _) => drop(self.tree(child, &own)),
                (_, Some(text)) => drop(self.text(text)),
                _ => {}
            }
        }
        self.close()
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Closes what is open and returns the bytes.
    pub fn into_vec(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.close();
        }
        self.out
    }

    /// The start tags written so far, left open: what begins a stream (RFC 6120 §4.2).
    pub fn into_start_tag(mut self) -> Vec<u8> {
        self.end_tag();
        self.out
    }

    fn end_tag(&mut self) {
        if self.in_tag {
            self.in_tag = false;
            self.out.push(b'>');
        }
    }

    fn name(&mut self, name: &str) -> Span {
        let start = self.out.len();
        self.out.extend_from_slice(name.as_bytes());
        Span::new(start, self.out.len())
    }
}

fn valid(name: &str) -> &str {
    if check_name(name.as_bytes()).is_ok() { name } else { "_" }
}
