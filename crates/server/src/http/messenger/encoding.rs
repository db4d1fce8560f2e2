//! Compressed forms (RFC 9110 §12.5.3): which of them a client takes.

use axum::http::{HeaderMap, header};

/// A form that a file is there in, the smallest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    /// RFC 7932
    Brotli,
    /// RFC 1952
    Gzip,
    /// As it is.
    Identity,
}

impl Encoding {
    /// What `Content-Encoding` says; nothing of a file as it is.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Encoding::Brotli => Some("br"),
            Encoding::Gzip => Some("gzip"),
            Encoding::Identity => None,
        }
    }

    /// What tells its tag from those of the other forms.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Encoding::Brotli => "-br",
            Encoding::Gzip => "-gz",
            Encoding::Identity => "",
        }
    }
}

/// What a client takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Accepted {
    brotli: bool,
    gzip: bool,
}

impl Accepted {
    /// Whether it takes this one. Everybody takes a file as it is: who says otherwise gets it all the same, for lack of a
    /// better.
    pub(super) fn has(self, encoding: Encoding) -> bool {
        match encoding {
            Encoding::Brotli => self.brotli,
            Encoding::Gzip => self.gzip,
            Encoding::Identity => true,
        }
    }
}

/// What the headers of a request accept. Of weights only zero counts: we know which form is the smallest.
pub(super) fn accepted(headers: &HeaderMap) -> Accepted {
    let (mut brotli, mut gzip, mut others) = (None, None, false);
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let (name, weight) = item.split_once(';').map_or((item, ""), |(name, weight)| (name, weight.trim()));
        let weight = weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="));
        let wanted = weight.is_none_or(|weight| weight.bytes().any(|digit| matches!(digit, b'1'..=b'9')));
        match name.trim().to_ascii_lowercase().as_str() {
            "br" => brotli = Some(wanted),
            "gzip" | "x-gzip" => gzip = Some(wanted),
            "*" => others = wanted,
            _ => {}
        }
    }
    Accepted { brotli: brotli.unwrap_or(others), gzip: gzip.unwrap_or(others) }
}
