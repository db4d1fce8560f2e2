//! What can be wrong with a stream, and the stream-error condition for it.

use std::fmt;

/// Why a stream was refused. Every one is fatal: the scanner repeats it until [`restart`](super::Scanner::restart).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ScanError {
    /// Violates XML or Namespaces in XML: tags, attributes, names, characters, an undeclared prefix.
    NotWellFormed,
    /// Well-formed, but nothing a stream may carry there, such as text between stanzas.
    BadFormat,
    /// A comment, processing instruction, document type or entity (RFC 6120 §11.1).
    RestrictedXml,
    /// The stream's root carries no prefix where it needs one (RFC 6120 §4.9.3.2).
    BadNamespacePrefix,
    /// The stream's namespace, its content namespace or a reserved namespace name is wrong (RFC 6120 §4.9.3.10).
    InvalidNamespace,
    /// The XML declaration names another encoding or version than UTF-8 and 1.0.
    UnsupportedEncoding,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A limit of ours was passed.
    Policy(Excess),
}

/// Which of the [`Limits`](super::Limits) was passed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Excess {
    /// The stanza, or its self-contained form, is larger than `stanza_bytes`.
    Stanza,
    /// The XML declaration or the stream's start tag is larger than `header_bytes`.
    Header,
    /// Elements are nested deeper than `depth`.
    Depth,
    /// An element has more attributes than `attributes`.
    Attributes,
    /// A name is longer than `name_bytes`.
    Name,
    /// An attribute's value is longer than `value_bytes`.
    Value,
}

impl ScanError {
    /// The condition of the stream error to send (RFC 6120 §4.9.3).
    pub fn condition(&self) -> &'static str {
        match self {
            ScanError::NotWellFormed => "not-well-formed",
            ScanError::BadFormat => "bad-format",
            ScanError::RestrictedXml => "restricted-xml",
            ScanError::BadNamespacePrefix => "bad-namespace-prefix",
            ScanError::InvalidNamespace => "invalid-namespace",
            // RFC 6120 §4.9.3.22: also for violating the rules of UTF-8.
            ScanError::UnsupportedEncoding | ScanError::InvalidUtf8 => "unsupported-encoding",
            ScanError::Policy(_) => "policy-violation",
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScanError::InvalidUtf8 => f.write_str("invalid UTF-8"),
            ScanError::Policy(excess) => {
                write!(f, "policy-violation: {}", format!("{excess:?}").to_ascii_lowercase())
            }
            other => f.write_str(other.condition()),
        }
    }
}

impl std::error::Error for ScanError {}
