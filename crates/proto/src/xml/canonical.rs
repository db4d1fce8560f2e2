//! Rewrites an unusual element so that it stands for itself.
//!
//! Canonical form: no element has a prefix; an element declares its namespace if it differs from its parent's,
//! the root if it is not `jabber:client`; attributes with a namespace declare a prefix on their own element;
//! there is no CDATA.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::escape::unescape_text;
use super::namespaces::{Context, Scope, value_text};
use super::tag::{StartTag, split};
use super::{Excess, Limits, ScanError, Xml};
use crate::ns;

/// Rewrites an element that was walked in `context` and whose encoding was checked. It can grow where a prefix
/// stood for a long namespace, so the limit on a stanza's size holds for the result too.
pub(crate) fn canonical(bytes: &[u8], context: &Context, limits: &Limits) -> Result<Vec<u8>, ScanError> {
    let mut rewrite = Rewrite { bytes, context, scope: Scope::default(), open: Vec::new(), out: Xml::new() };
    let mut at = 0;
    while at < bytes.len() {
        at = rewrite.token(at, limits)?;
        if rewrite.out.len() > limits.stanza_bytes {
            return Err(ScanError::Policy(Excess::Stanza));
        }
    }
    Ok(rewrite.out.into_vec())
}

/// Namespaces of an open element.
struct Level<'a> {
    /// The default namespace that its children inherit, as written.
    default: Cow<'a, str>,
    /// The namespace it was written with.
    own: Cow<'a, str>,
}

struct Rewrite<'a> {
    bytes: &'a [u8],
    context: &'a Context,
    scope: Scope,
    open: Vec<Level<'a>>,
    out: Xml,
}

impl<'a> Rewrite<'a> {
    /// Rewrites the token at `at` and returns where the next one starts.
    fn token(&mut self, at: usize, limits: &Limits) -> Result<usize, ScanError> {
        let rest = &self.bytes[at..];
        if rest.starts_with(b"</") {
            self.scope.close(self.open.len());
            self.open.pop();
            self.out.close();
            return Ok(at + memchr(b'>', rest).ok_or(ScanError::NotWellFormed)? + 1);
        }
        if let Some(data) = rest.strip_prefix(b"<![CDATA[") {
            let len = memmem::find(data, b"]]>").ok_or(ScanError::NotWellFormed)?;
            // XML 1.0 §2.11: line ends are normalised here too; nothing else is special.
            let text = text(&data[..len])?.replace("\r\n", "\n").replace('\r', "\n");
            self.out.text(&text);
            return Ok(at + b"<![CDATA[".len() + len + b"]]>".len());
        }
        if rest.starts_with(b"<") {
            let mut tag = StartTag::default();
            let end = tag.parse(self.bytes, at, limits)?;
            self.start(&tag)?;
            return Ok(end);
        }
        let len = memchr(b'<', rest).unwrap_or(rest.len());
        self.out.text(&unescape_text(text(&rest[..len])?));
        Ok(at + len)
    }

    fn start(&mut self, tag: &StartTag) -> Result<(), ScanError> {
        let (bytes, context) = (self.bytes, self.context);
        let depth = self.open.len() + 1;
        self.scope.open(tag, depth, bytes, context)?;
        let default = match tag.default_ns {
            Some(value) => value_text(value, bytes)?,
            None => self.open.last().map_or(Cow::Borrowed(&*context.default), |level| level.default.clone()),
        };
        let (prefix, local) = split(tag.name.of(bytes), tag.prefix);
        let own = if tag.prefix > 0 { self.scope.resolve(prefix, bytes, context)? } else { default.clone() };
        let own = if own == context.content { Cow::Borrowed(ns::CLIENT) } else { own };

        let parent = self.open.last().map_or(ns::CLIENT, |level| &level.own);
        self.out.open(text(local)?);
        if own != parent {
            self.out.attr("xmlns", &own);
        }
        self.attributes(tag)?;
        if tag.empty {
            self.scope.close(depth);
            self.out.close();
        } else {
            self.open.push(Level { default, own });
        }
        Ok(())
    }

    fn attributes(&mut self, tag: &StartTag) -> Result<(), ScanError> {
        let bytes = self.bytes;
        let mut declared: Vec<Cow<'_, str>> = Vec::new();
        for attr in &tag.attrs {
            let (prefix, local) = split(attr.name.of(bytes), attr.prefix);
            if Some(attr.value) == tag.default_ns || prefix == b"xmlns" {
                continue;
            }
            let value = value_text(attr.value, bytes)?;
            if prefix.is_empty() || prefix == b"xml" {
                self.out.attr(text(attr.name.of(bytes))?, &value);
                continue;
            }
            let uri = self.scope.resolve(prefix, bytes, self.context)?;
            let index = declared.iter().position(|known| *known == uri).unwrap_or_else(|| {
                self.out.attr(&format!("xmlns:ns{}", declared.len()), &uri);
                declared.push(uri);
                declared.len() - 1
            });
            self.out.attr(&format!("ns{index}:{}", text(local)?), &value);
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<&str, ScanError> {
    std::str::from_utf8(bytes).map_err(|_| ScanError::InvalidUtf8)
}
