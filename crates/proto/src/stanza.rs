//! A stanza seen shallowly: its bytes, its attributes, and where its children lie.
//!
//! The bytes are in canonical form: no element has a prefix; the root is in `jabber:client` unless it declares
//! another namespace; what is in another namespace than its parent declares it. So a child's bytes stand for
//! themselves wherever `jabber:client` is the default namespace.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::ns;
use crate::xml::{
    Attr, ChildShape, Context, Limits, ScanError, Shape, Span, StartTag, check_name, element, escape_value,
    unescape_text, unescape_value, walk_checked,
};

/// The three stanzas of RFC 6120 §8, and the rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// `<message/>` in `jabber:client`.
    Message,
    /// `<presence/>` in `jabber:client`.
    Presence,
    /// `<iq/>` in `jabber:client`.
    Iq,
    /// An element of the stream itself, such as `<auth/>`, `<starttls/>` or `<r/>`, or one that nobody knows.
    Other,
}

/// One element directly below the stream's root; see the module.
#[derive(Clone, Debug)]
pub struct Stanza {
    bytes: Vec<u8>,
    kind: Kind,
    shape: Box<Shape>,
}

/// An element directly below a stanza's root, or below another child.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    name: &'a str,
    ns: &'a str,
    xml: &'a [u8],
}

/// Changes to make while a stanza is written; the default makes none.
#[derive(Clone, Copy, Default)]
pub struct Edit<'a> {
    /// Attributes of the root to write, in place of any that are there.
    pub set: &'a [(&'a str, &'a str)],
    /// Attributes of the root to leave out.
    pub unset: &'a [&'a str],
    /// Children to leave out.
    pub drop: Option<&'a dyn Fn(&Child<'_>) -> bool>,
    /// Elements to add at the end of the content; they inherit the root's namespace.
    pub append: &'a [u8],
    /// Write `xmlns='jabber:client'` on the root: needed inside `<forwarded/>` and in a WebSocket frame.
    pub xmlns: bool,
}

impl Stanza {
    /// Takes canonical bytes and what a walk over them has found.
    pub(crate) fn new(bytes: Vec<u8>, shape: Box<Shape>) -> Stanza {
        let kind = match shape.name.of(&bytes) {
            _ if shape.ns != Span::default() => Kind::Other,
            b"message" => Kind::Message,
            b"presence" => Kind::Presence,
            b"iq" => Kind::Iq,
            _ => Kind::Other,
        };
        Stanza { bytes, kind, shape }
    }

    /// Reads one element and nothing else, in the default namespace `jabber:client`: what the store or we ourselves
    /// have written, so the limits are those of [`Limits::stored`].
    pub fn parse(bytes: &[u8]) -> Result<Stanza, ScanError> {
        element(bytes, &Context::CLIENT, &Limits::stored())
    }

    /// Which stanza it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The root's name.
    pub fn name(&self) -> &str {
        text_of(self.shape.name.of(&self.bytes))
    }

    /// The root's namespace, as written: a name that holds `&` or a quote shows its reference.
    pub fn ns(&self) -> &str {
        namespace(self.shape.ns, &self.bytes)
    }

    /// Whether namespace and name of the root are these.
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.shape.name.of(&self.bytes) == name.as_bytes() && self.ns() == ns
    }

    /// The value of an attribute of the root; `xml:lang` is called just so.
    pub fn attr(&self, name: &str) -> Option<Cow<'_, str>> {
        attr(&self.shape.attrs, name, &self.bytes)
    }

    /// The value of an attribute of the root that is in a namespace of its own.
    pub fn attr_ns(&self, ns: &str, name: &str) -> Option<Cow<'_, str>> {
        let prefix = self.shape.attrs.iter().find_map(|attr| {
            let prefix = text_of(attr.name.of(&self.bytes)).strip_prefix("xmlns:")?;
            (attr.value.of(&self.bytes) == ns.as_bytes()).then_some(prefix)
        })?;
        self.attr(&format!("{prefix}:{name}"))
    }

    /// The `id` attribute.
    pub fn id(&self) -> Option<Cow<'_, str>> {
        self.attr("id")
    }

    /// The `to` attribute.
    pub fn to(&self) -> Option<Cow<'_, str>> {
        self.attr("to")
    }

    /// The `from` attribute.
    pub fn from(&self) -> Option<Cow<'_, str>> {
        self.attr("from")
    }

    /// The `type` attribute.
    pub fn type_(&self) -> Option<Cow<'_, str>> {
        self.attr("type")
    }

    /// The elements directly below the root.
    pub fn children(&self) -> impl Iterator<Item = Child<'_>> {
        self.shape.children.iter().map(|child| Child::new(child, &self.bytes, ns::CLIENT))
    }

    /// The first child with this namespace and name.
    pub fn child(&self, ns: &str, name: &str) -> Option<Child<'_>> {
        self.children().find(|child| child.is(ns, name))
    }

    /// Whether there is a child with this namespace and name.
    pub fn has_child(&self, ns: &str, name: &str) -> bool {
        self.child(ns, name).is_some()
    }

    /// The character data directly below the root.
    pub fn text(&self) -> Cow<'_, str> {
        direct_text(&self.bytes, &self.shape)
    }

    /// The whole stanza as a tree: the slow path.
    pub fn element(&self) -> minidom::Element {
        tree(&self.bytes, ns::CLIENT)
    }

    /// The canonical bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The canonical bytes, without a copy.
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let attrs =
            if self.shape.attrs.spilled() { self.shape.attrs.capacity() * size_of::<Attr>() } else { 0 };
        let children = &self.shape.children;
        let children = if children.spilled() { children.capacity() * size_of::<ChildShape>() } else { 0 };
        self.bytes.capacity() + size_of::<Shape>() + attrs + children
    }

    /// Writes the stanza in canonical form with changes.
    pub fn render(&self, edit: &Edit<'_>) -> Vec<u8> {
        let set: usize = edit.set.iter().map(|(name, value)| name.len() + value.len() + " =''".len()).sum();
        let xmlns = if edit.xmlns { XMLNS_CLIENT.len() } else { 0 };
        let slack = "></>".len() + self.name().len();
        let mut out = Vec::with_capacity(self.bytes.len() + set + xmlns + edit.append.len() + slack);

        let name = self.shape.name.of(&self.bytes);
        out.push(b'<');
        out.extend_from_slice(name);
        self.render_attributes(edit, &mut out);
        let head = out.len();
        out.push(b'>');
        self.render_content(edit.drop, &mut out);
        out.extend_from_slice(edit.append);
        if out.len() == head + 1 {
            out.truncate(head);
            out.extend_from_slice(b"/>");
        } else {
            out.extend_from_slice(b"</");
            out.extend_from_slice(name);
            out.push(b'>');
        }
        out
    }

    fn render_attributes(&self, edit: &Edit<'_>, out: &mut Vec<u8>) {
        if self.shape.ns != Span::default() {
            out.extend_from_slice(b" xmlns=");
            out.extend_from_slice(quoted(self.shape.ns).of(&self.bytes));
        } else if edit.xmlns {
            out.extend_from_slice(XMLNS_CLIENT);
        }
        for attr in &self.shape.attrs {
            let name = attr.name.of(&self.bytes);
            let is = |other: &str| other.as_bytes() == name;
            if !edit.unset.iter().any(|other| is(other)) && !edit.set.iter().any(|(other, _)| is(other)) {
                out.push(b' ');
                out.extend_from_slice(name);
                out.push(b'=');
                out.extend_from_slice(quoted(attr.value).of(&self.bytes));
            }
        }
        for (name, value) in edit.set {
            debug_assert!(check_name(name.as_bytes()).is_ok(), "{name:?} is no attribute's name");
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"='");
            escape_value(value, out);
            out.push(b'\'');
        }
    }

    fn render_content(&self, drop: Option<&dyn Fn(&Child<'_>) -> bool>, out: &mut Vec<u8>) {
        let mut from = self.shape.head_end;
        if let Some(drop) = drop {
            for (child, shape) in self.children().zip(&self.shape.children) {
                if drop(&child) {
                    out.extend_from_slice(&self.bytes[from as usize..shape.xml.start as usize]);
                    from = shape.xml.end;
                }
            }
        }
        out.extend_from_slice(&self.bytes[from as usize..self.shape.content_end as usize]);
    }
}

impl<'a> Child<'a> {
    fn new(shape: &ChildShape, bytes: &'a [u8], inherited: &'a str) -> Child<'a> {
        let ns = if shape.ns == Span::default() { inherited } else { text_of(shape.ns.of(bytes)) };
        Child { name: text_of(shape.name.of(bytes)), ns, xml: shape.xml.of(bytes) }
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its namespace, as written.
    pub fn ns(&self) -> &'a str {
        self.ns
    }

    /// Whether its namespace and name are these.
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.name == name && self.ns == ns
    }

    /// The value of one of its attributes.
    pub fn attr(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut tag = StartTag::default();
        tag.parse(self.xml, 0, &Limits::stored()).ok()?;
        attr(&tag.attrs, name, self.xml)
    }

    /// The character data directly inside it.
    pub fn text(&self) -> Cow<'a, str> {
        direct_text(self.xml, &self.shape())
    }

    /// Its bytes. They inherit the namespace of its parent.
    pub fn xml(&self) -> &'a [u8] {
        self.xml
    }

    /// It as a tree.
    pub fn element(&self) -> minidom::Element {
        tree(self.xml, self.ns)
    }

    /// The elements directly inside it, found by another walk over its bytes.
    pub fn children(&self) -> impl Iterator<Item = Child<'a>> + use<'a> {
        let Child { xml, ns, .. } = *self;
        let children: SmallVec<[ChildShape; 4]> = self.shape().children;
        children.into_iter().map(move |child| Child::new(&child, xml, ns))
    }

    /// The first element directly inside it with this namespace and name.
    pub fn child(&self, ns: &str, name: &str) -> Option<Child<'a>> {
        self.children().find(|child| child.is(ns, name))
    }

    fn shape(&self) -> Box<Shape> {
        walk_checked(self.xml)
    }
}

const XMLNS_CLIENT: &[u8] = b" xmlns='jabber:client'";

/// Copies canonical bytes with the elements in `append` at the end of their content. With `xmlns` the root declares
/// `jabber:client`, unless it declares another: needed where that is not the default namespace.
pub fn write_with(canonical: &[u8], xmlns: bool, append: &[u8], out: &mut Vec<u8>) -> Result<(), ScanError> {
    if !canonical.starts_with(b"<") {
        return Err(ScanError::NotWellFormed);
    }
    let mut tag = StartTag::default();
    let head = tag.parse(canonical, 0, &Limits::stored())?;
    let name_end = tag.name.end as usize;
    out.reserve(canonical.len() + append.len() + XMLNS_CLIENT.len() + name_end + "</>".len());
    out.extend_from_slice(&canonical[..name_end]);
    if xmlns && tag.default_ns.is_none() {
        out.extend_from_slice(XMLNS_CLIENT);
    }
    if append.is_empty() {
        out.extend_from_slice(&canonical[name_end..]);
    } else if tag.empty {
        out.extend_from_slice(&canonical[name_end..head - "/>".len()]);
        out.push(b'>');
        out.extend_from_slice(append);
        out.extend_from_slice(b"</");
        out.extend_from_slice(tag.name.of(canonical));
        out.push(b'>');
    } else {
        let end_tag = memchr::memrchr(b'<', canonical).ok_or(ScanError::NotWellFormed)?;
        out.extend_from_slice(&canonical[name_end..end_tag]);
        out.extend_from_slice(append);
        out.extend_from_slice(&canonical[end_tag..]);
    }
    Ok(())
}

fn namespace(span: Span, bytes: &[u8]) -> &str {
    if span == Span::default() { ns::CLIENT } else { text_of(span.of(bytes)) }
}

fn attr<'a>(attrs: &[Attr], name: &str, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    let found = attrs.iter().find(|attr| attr.name.of(bytes) == name.as_bytes())?;
    Some(unescape_value(text_of(found.value.of(bytes))))
}

/// A value with the quotes around it.
fn quoted(value: Span) -> Span {
    Span { start: value.start - 1, end: value.end + 1 }
}

fn direct_text<'a>(bytes: &'a [u8], shape: &Shape) -> Cow<'a, str> {
    let piece = |from: u32, to: u32| unescape_text(text_of(&bytes[from as usize..to as usize]));
    let mut from = shape.head_end;
    let mut text = Cow::Borrowed("");
    for child in &shape.children {
        text += piece(from, child.xml.start);
        from = child.xml.end;
    }
    text += piece(from, shape.content_end);
    text
}

/// `inherited` is a namespace as written.
fn tree(bytes: &[u8], inherited: &str) -> minidom::Element {
    minidom::Element::from_reader_with_prefixes(bytes, unescape_value(inherited).into_owned())
        .expect("the scanner is at least as strict as the tree parser")
}

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the scanner has checked the encoding")
}
