//! Elements that travel one by one, without a document around them: in the messages of a WebSocket (RFC 7395) and in
//! the bodies of BOSH (XEP-0206).

use crate::ns;
use crate::stanza::Stanza;
use crate::xml::{StreamHeader, Xml};

/// The server's answer to `<open/>` (RFC 7395 §3.4), which stands for the stream header.
pub fn open(from: &str, to: Option<&str>, id: &str, lang: Option<&str>) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("open", ns::FRAMING).attr("from", from).opt("to", to).attr("id", id).attr("version", "1.0");
    x.attr("xml:lang", lang.unwrap_or("en")).close();
    x.into_vec()
}

/// The end of a stream (RFC 7395 §3.6).
pub const CLOSE: &[u8] = b"<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

/// What a client's `<open/>` says, as the stream header that it stands for.
pub fn header(open: &Stanza) -> StreamHeader {
    let text = |name| open.attr(name).map(|value| value.into_owned());
    StreamHeader {
        to: text("to"),
        from: text("from"),
        id: text("id"),
        version: text("version"),
        lang: text("xml:lang"),
        // §3.3.3: each stanza names its namespace itself, and it can only be this one.
        default_ns: Some(ns::CLIENT.to_owned()),
    }
}

/// The name of the element that `bytes` begin with, and what its start tag must declare to stand alone: it was written
/// as the child of a client's stream, where `jabber:client` and the prefix `stream` are known.
pub fn declaration(bytes: &[u8]) -> (&[u8], &'static [u8]) {
    let tag = bytes.get(1..).unwrap_or_default();
    let end = tag.iter().position(|byte| b" />".contains(byte)).unwrap_or(tag.len());
    let name = &tag[..end];
    let missing: &[u8] = match name {
        b"message" | b"presence" | b"iq" => b" xmlns='jabber:client'",
        _ if name.starts_with(b"stream:") => b" xmlns:stream='http://etherx.jabber.org/streams'",
        _ => b"",
    };
    (name, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::StreamError;

    #[test]
    fn what_is_missing_is_what_the_stream_would_have_declared() {
        let errors = StreamError::new("conflict").write();
        for (bytes, name, missing) in [
            (&b"<message/>"[..], "message", " xmlns='jabber:client'"),
            (b"<iq type='result'/>", "iq", " xmlns='jabber:client'"),
            (b"<presence><show>away</show></presence>", "presence", " xmlns='jabber:client'"),
            (b"<r xmlns='urn:xmpp:sm:3'/>", "r", ""),
            (&errors, "stream:error", " xmlns:stream='http://etherx.jabber.org/streams'"),
        ] {
            assert_eq!(declaration(bytes), (name.as_bytes(), missing.as_bytes()));
        }
    }
}
