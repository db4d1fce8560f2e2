//! Namespaces: what the stream's start tag declared, and what is in scope inside an element.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::ScanError;
use super::escape::unescape_value;
use super::tag::{Attr, Span, StartTag, split};
use crate::ns;

/// What the stream's start tag hands down to every stanza.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Context {
    /// The default namespace, empty if there is none.
    pub(crate) default: Cow<'static, str>,
    /// The namespace whose elements are handed out as `jabber:client`.
    pub(crate) content: Cow<'static, str>,
    /// Declared prefixes and their namespaces.
    pub(crate) prefixes: Vec<(String, String)>,
}

impl Context {
    /// What canonical bytes are read in: `jabber:client` by default, nothing else declared.
    pub(crate) const CLIENT: Context = Context {
        default: Cow::Borrowed(ns::CLIENT),
        content: Cow::Borrowed(ns::CLIENT),
        prefixes: Vec::new(),
    };

    /// What a WebSocket frame is read in: nothing is declared (RFC 7395 §3.3).
    pub(crate) const FRAME: Context =
        Context { default: Cow::Borrowed(""), content: Cow::Borrowed(ns::CLIENT), prefixes: Vec::new() };
}

/// A prefix declared inside the element that is being scanned.
#[derive(Clone, Copy, Debug)]
struct Binding {
    depth: u32,
    prefix: Span,
    /// The attribute's value as written.
    uri: Span,
}

/// The prefixes in scope. Default namespaces are not tracked: the shallow stanza needs two levels of them only.
#[derive(Default, Debug)]
pub(crate) struct Scope {
    bindings: SmallVec<[Binding; 2]>,
}

impl Scope {
    /// Forgets what an element at this depth declared.
    pub(crate) fn close(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|b| b.depth as usize >= depth) {
            self.bindings.pop();
        }
    }

    /// The namespace bound to a prefix.
    pub(crate) fn resolve<'a>(
        &self,
        prefix: &[u8],
        bytes: &'a [u8],
        context: &'a Context,
    ) -> Result<Cow<'a, str>, ScanError> {
        if prefix == b"xml" {
            return Ok(Cow::Borrowed(ns::XML));
        }
        if let Some(found) = self.bindings.iter().rev().find(|b| b.prefix.of(bytes) == prefix) {
            return value_text(found.uri, bytes);
        }
        let declared = context.prefixes.iter().find(|(name, _)| name.as_bytes() == prefix);
        // Namespaces in XML §5: prefix declared.
        declared.map(|(_, uri)| Cow::Borrowed(uri.as_str())).ok_or(ScanError::NotWellFormed)
    }

    /// Takes the declarations of a start tag at `depth` and checks the tag against Namespaces in XML. Tells
    /// whether the tag is plain: no prefix but `xml` is declared or used, and no reference stands in a namespace.
    pub(crate) fn open(
        &mut self,
        tag: &StartTag,
        depth: usize,
        bytes: &[u8],
        context: &Context,
    ) -> Result<bool, ScanError> {
        let mut plain = true;
        if let Some(value) = tag.default_ns {
            // Without early exit, so that it becomes vector code.
            plain = value.of(bytes).iter().fold(true, |plain, &b| plain & (b >= b' ') & (b != b'&'));
            let reserved = match plain {
                true => is_reserved(value.of(bytes)),
                false => is_reserved(value_text(value, bytes)?.as_bytes()),
            };
            if reserved {
                return Err(ScanError::NotWellFormed);
            }
        }
        if !tag.prefixed {
            return Ok(plain);
        }
        plain &= tag.prefix == 0;
        for attr in tag.attrs.iter().filter(|attr| attr.prefix > 0) {
            if let Some(prefix) = attr.local_of(b"xmlns", bytes) {
                plain = false;
                check_declaration(prefix, &value_text(attr.value, bytes)?)?;
                let prefix = Span::new(attr.name.start as usize + "xmlns:".len(), attr.name.end as usize);
                self.bindings.push(Binding { depth: depth as u32, prefix, uri: attr.value });
            } else {
                plain &= attr.local_of(b"xml", bytes).is_some();
            }
        }
        if !plain {
            self.check_prefixed(tag, bytes, context)?;
        }
        Ok(plain)
    }

    /// Namespaces in XML §5 and §6.3: prefixes are declared, attributes are unique after expansion.
    fn check_prefixed(&self, tag: &StartTag, bytes: &[u8], context: &Context) -> Result<(), ScanError> {
        let (prefix, _) = split(tag.name.of(bytes), tag.prefix);
        // No element is in the namespace of xml:lang, and the tree parser behind us does not take one.
        if prefix == b"xml" || prefix == b"xmlns" {
            return Err(ScanError::NotWellFormed);
        }
        if tag.prefix > 0 {
            self.resolve(prefix, bytes, context)?;
        }
        let prefixed = |a: &&Attr| a.prefix > 0 && a.local_of(b"xmlns", bytes).is_none();
        let mut seen: SmallVec<[(Cow<'_, str>, &[u8]); 4]> = SmallVec::new();
        for attr in tag.attrs.iter().filter(prefixed) {
            let (prefix, local) = split(attr.name.of(bytes), attr.prefix);
            let expanded = (self.resolve(prefix, bytes, context)?, local);
            if seen.contains(&expanded) {
                return Err(ScanError::NotWellFormed);
            }
            seen.push(expanded);
        }
        Ok(())
    }
}

/// Namespaces in XML §3: reserved prefixes and namespace names, no undeclaring.
fn check_declaration(prefix: &[u8], uri: &str) -> Result<(), ScanError> {
    let allowed = match prefix {
        b"xml" => uri == ns::XML,
        b"xmlns" => false,
        _ => !uri.is_empty() && !is_reserved(uri.as_bytes()),
    };
    if allowed { Ok(()) } else { Err(ScanError::NotWellFormed) }
}

/// Whether a namespace may be bound to its own prefix only.
fn is_reserved(uri: &[u8]) -> bool {
    uri == ns::XML.as_bytes() || uri == ns::XMLNS.as_bytes()
}

/// The text of an attribute's value that was checked but for its encoding.
pub(crate) fn value_text(value: Span, bytes: &[u8]) -> Result<Cow<'_, str>, ScanError> {
    std::str::from_utf8(value.of(bytes)).map(unescape_value).map_err(|_| ScanError::InvalidUtf8)
}
