//! One complete tag: from `<` to `>`.

use smallvec::SmallVec;

use super::chars::{NameByte, check_name, is_space, name_byte};
use super::{Excess, Limits, ScanError, escape};

/// A range of bytes, counted from the start of the element that is being scanned. Stanzas stay far below 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }
}

/// An attribute as written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Attr {
    /// The qualified name.
    pub(crate) name: Span,
    /// Length of the name's prefix; 0 without one.
    pub(crate) prefix: u32,
    /// What stands between the quotes.
    pub(crate) value: Span,
}

impl Attr {
    /// The local name if `prefix` is the name's prefix.
    pub(crate) fn local_of<'a>(&self, prefix: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (own, local) = split(self.name.of(bytes), self.prefix);
        (own == prefix).then_some(local)
    }
}

/// A qualified name cut into its prefix (empty without one) and its local name.
pub(crate) fn split(name: &[u8], prefix: u32) -> (&[u8], &[u8]) {
    match prefix as usize {
        0 => (b"", name),
        len => (&name[..len], &name[len + 1..]),
    }
}

/// Attributes of one element; eight are enough for nearly all, without an allocation.
pub(crate) type Attrs = SmallVec<[Attr; 8]>;

/// A start tag or an empty-element tag.
#[derive(Default, Debug)]
pub(crate) struct StartTag {
    pub(crate) name: Span,
    /// Length of the name's prefix; 0 without one.
    pub(crate) prefix: u32,
    pub(crate) attrs: Attrs,
    /// The value of `xmlns`, if it is there.
    pub(crate) default_ns: Option<Span>,
    /// Whether the element's name or an attribute's has a prefix.
    pub(crate) prefixed: bool,
    /// Whether it ends in `/>`.
    pub(crate) empty: bool,
}

impl StartTag {
    /// Parses the tag that starts at `bytes[from]`, a `<`, and returns where it ends. Checks all that can be
    /// seen without knowing the namespaces in scope; a tag without end is not well-formed.
    pub(crate) fn parse(&mut self, bytes: &[u8], from: usize, limits: &Limits) -> Result<usize, ScanError> {
        *self = StartTag::default();
        let mut at = from + 1;
        (self.name, self.prefix) = parse_name(bytes, &mut at, limits)?;
        self.prefixed = self.prefix > 0;
        loop {
            let spaced = skip_space(bytes, &mut at);
            match bytes.get(at..) {
                Some([b'>', ..]) => return Ok(at + 1),
                Some([b'/', b'>', ..]) => {
                    self.empty = true;
                    return Ok(at + 2);
                }
                _ if !spaced => return Err(ScanError::NotWellFormed),
                _ => {}
            }
            if self.attrs.len() == limits.attributes {
                return Err(ScanError::Policy(Excess::Attributes));
            }
            let attr = parse_attr(bytes, &mut at, limits)?;
            let name = attr.name.of(bytes);
            // XML 1.0 §3.1: unique attributes. Few enough to compare each with each.
            if self.attrs.iter().any(|a| a.name.of(bytes) == name) {
                return Err(ScanError::NotWellFormed);
            }
            if name == b"xmlns" {
                self.default_ns = Some(attr.value);
            }
            self.prefixed |= attr.prefix > 0;
            self.attrs.push(attr);
        }
    }
}

fn parse_name(bytes: &[u8], at: &mut usize, limits: &Limits) -> Result<(Span, u32), ScanError> {
    let rest = &bytes[*at..];
    let mut plain = matches!(rest.first(), Some(&b) if name_byte(b) == NameByte::Start);
    let mut len = 0;
    while let Some(&b) = rest.get(len) {
        match name_byte(b) {
            NameByte::No => break,
            NameByte::Unclear => plain = false,
            NameByte::Start | NameByte::Rest => {}
        }
        len += 1;
    }
    if len > limits.name_bytes {
        return Err(ScanError::Policy(Excess::Name));
    }
    let prefix = if plain { 0 } else { check_name(&rest[..len])? };
    let name = Span::new(*at, *at + len);
    *at += len;
    Ok((name, prefix as u32))
}

fn parse_attr(bytes: &[u8], at: &mut usize, limits: &Limits) -> Result<Attr, ScanError> {
    let (name, prefix) = parse_name(bytes, at, limits)?;
    skip_space(bytes, at);
    if bytes.get(*at) != Some(&b'=') {
        return Err(ScanError::NotWellFormed);
    }
    *at += 1;
    skip_space(bytes, at);
    let Some(&quote @ (b'\'' | b'"')) = bytes.get(*at) else { return Err(ScanError::NotWellFormed) };
    let start = *at + 1;
    let len = memchr::memchr(quote, &bytes[start..]).ok_or(ScanError::NotWellFormed)?;
    if len > limits.value_bytes {
        return Err(ScanError::Policy(Excess::Value));
    }
    let value = Span::new(start, start + len);
    escape::check_value(value.of(bytes))?;
    *at = start + len + 1;
    Ok(Attr { name, prefix, value })
}

fn skip_space(bytes: &[u8], at: &mut usize) -> bool {
    let start = *at;
    while bytes.get(*at).is_some_and(|&b| is_space(b)) {
        *at += 1;
    }
    *at > start
}
