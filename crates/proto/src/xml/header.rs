//! The beginning of a stream: the XML declaration and the start tag of its root.

use std::borrow::Cow;

use super::chars::check_text;
use super::namespaces::{Context, Scope, value_text};
use super::tag::{StartTag, split};
use super::{Limits, ScanError};
use crate::ns;

/// The attributes of a stream's start tag (RFC 6120 §4.7). The scanner has checked its namespaces.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StreamHeader {
    /// The domain the peer wants to speak to.
    pub to: Option<String>,
    /// Who the peer says it is.
    pub from: Option<String>,
    /// The stream's identifier, given by the receiving side.
    pub id: Option<String>,
    /// `1.0`, or `None` for a peer from before RFC 3920.
    pub version: Option<String>,
    /// `xml:lang`: the default language of the stream's stanzas.
    pub lang: Option<String>,
    /// The default namespace; `None` if none is declared.
    pub default_ns: Option<String>,
}

/// Default namespaces whose undecorated elements are stanzas: a client's, a server's, a component's (XEP-0114).
const CONTENT: [&str; 3] = [ns::CLIENT, ns::SERVER, ns::COMPONENT];

/// Parses a stream's start tag, all of it and nothing else. Also returns what its stanzas inherit and its name.
pub(crate) fn parse_header(
    bytes: &[u8],
    limits: &Limits,
) -> Result<(StreamHeader, Context, String), ScanError> {
    check_text(bytes)?;
    let mut tag = StartTag::default();
    tag.parse(bytes, 0, limits)?;
    let mut scope = Scope::default();
    let bare = Context { default: "".into(), content: "".into(), prefixes: Vec::new() };
    scope.open(&tag, 1, bytes, &bare)?;

    let mut header = StreamHeader::default();
    let mut prefixes = Vec::new();
    for attr in &tag.attrs {
        let text = value_text(attr.value, bytes)?.into_owned();
        match attr.name.of(bytes) {
            b"to" => header.to = Some(text),
            b"from" => header.from = Some(text),
            b"id" => header.id = Some(text),
            b"version" => header.version = Some(text),
            b"xml:lang" => header.lang = Some(text),
            b"xmlns" => header.default_ns = Some(text).filter(|ns| !ns.is_empty()),
            _ => {
                if let Some(prefix) = attr.local_of(b"xmlns", bytes) {
                    prefixes.push((String::from_utf8_lossy(prefix).into_owned(), text));
                }
            }
        }
    }

    let (prefix, local) = split(tag.name.of(bytes), tag.prefix);
    let default = header.default_ns.as_deref().unwrap_or("");
    let own = if tag.prefix > 0 { scope.resolve(prefix, bytes, &bare)? } else { Cow::Borrowed(default) };
    if own != ns::STREAM {
        // RFC 6120 §4.9.3.2 and §4.9.3.10.
        let unprefixed = tag.prefix == 0 && CONTENT.contains(&default);
        return Err(if unprefixed { ScanError::BadNamespacePrefix } else { ScanError::InvalidNamespace });
    }
    if local != b"stream" || tag.empty {
        return Err(ScanError::BadFormat);
    }
    // RFC 6120 §4.8.2: the content namespace is the default, or each stanza declares it.
    let content = match CONTENT.into_iter().find(|&known| known == default) {
        Some(known) => known,
        None if default.is_empty() || default == ns::STREAM => ns::CLIENT,
        None => return Err(ScanError::InvalidNamespace),
    };
    let default =
        [ns::CLIENT, ns::SERVER, ns::COMPONENT, ns::STREAM].into_iter().find(|&known| known == default);
    let context = Context { default: default.unwrap_or("").into(), content: content.into(), prefixes };
    let root = String::from_utf8_lossy(tag.name.of(bytes)).into_owned();
    Ok((header, context, root))
}

/// White space in markup (XML 1.0 §2.3 \[3\]).
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

/// Checks an XML declaration, from `<?` to `?>` (XML 1.0 §2.8, RFC 6120 §11.5 and §11.6).
pub(crate) fn check_declaration(bytes: &[u8]) -> Result<(), ScanError> {
    let text = check_text(bytes)?;
    let inside = text.strip_prefix("<?").and_then(|rest| rest.strip_suffix("?>"));
    // Any other target than xml is a processing instruction.
    let target = inside.ok_or(ScanError::NotWellFormed)?.strip_prefix("xml");
    let mut rest = target.filter(|rest| rest.starts_with(SPACES)).ok_or(ScanError::RestrictedXml)?;
    let version = pseudo_attribute(&mut rest, "version")?.ok_or(ScanError::NotWellFormed)?;
    if version != "1.0" {
        return Err(ScanError::UnsupportedEncoding);
    }
    let encoding = pseudo_attribute(&mut rest, "encoding")?;
    if encoding.is_some_and(|name| !name.eq_ignore_ascii_case("utf-8")) {
        return Err(ScanError::UnsupportedEncoding);
    }
    // Nothing to depend on without a document type; rxml takes no other form, and no client sends one.
    let standalone = pseudo_attribute(&mut rest, "standalone")?;
    if standalone.is_some_and(|value| value != "yes" || encoding.is_none()) {
        return Err(ScanError::RestrictedXml);
    }
    if trim(rest).is_empty() { Ok(()) } else { Err(ScanError::NotWellFormed) }
}

/// Takes ` name = 'value'` from the front, if it stands there.
fn pseudo_attribute<'a>(rest: &mut &'a str, name: &str) -> Result<Option<&'a str>, ScanError> {
    let start = trim(rest);
    let Some(after) = start.strip_prefix(name) else { return Ok(None) };
    let spaced = start.len() < rest.len();
    let value = trim(after).strip_prefix('=').map(trim).filter(|_| spaced).ok_or(ScanError::NotWellFormed)?;
    let quote = value.chars().next().filter(|q| matches!(q, '\'' | '"')).ok_or(ScanError::NotWellFormed)?;
    let (value, after) = value[1..].split_once(quote).ok_or(ScanError::NotWellFormed)?;
    *rest = after;
    Ok(Some(value))
}

fn trim(text: &str) -> &str {
    text.trim_start_matches(SPACES)
}
