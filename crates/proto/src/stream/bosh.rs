//! The bodies that BOSH wraps elements in (XEP-0124, XEP-0206).

use crate::ns;
use crate::stanza::Stanza;
use crate::xml::{Limits, ScanError, StartTag, StreamHeader, Xml, frame};
use sha1::{Digest, Sha1};

/// The largest request id (XEP-0124 §14.1): what a double holds exactly.
const RID_MAX: u64 = (1 << 53) - 1;

/// What a client posts.
#[derive(Debug)]
pub struct Body {
    /// Its number in the session.
    pub rid: u64,
    /// The session; none asks for a new one.
    pub sid: Option<String>,
    /// The stream header that it stands for where it begins or restarts a stream.
    pub header: StreamHeader,
    /// The longest time in seconds that the client wants to wait for an answer.
    pub wait: Option<u64>,
    /// How many requests the server may keep waiting.
    pub hold: Option<u64>,
    /// How long in seconds the client will be silent (§10).
    pub pause: Option<u64>,
    /// The next of the keys that only the client of this session can know (§15).
    pub key: Option<String>,
    /// The first of a new sequence of keys.
    pub new_key: Option<String>,
    /// The session ends with what is in this body.
    pub terminate: bool,
    /// The stream begins anew (XEP-0206 §5).
    pub restart: bool,
    /// The elements in it.
    pub payload: Vec<Stanza>,
}

impl Body {
    /// Reads a posted document. Each element in it must be within `limits`, and all of it within twice their size.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Body, ScanError> {
        let whole = Limits { stanza_bytes: 2 * limits.stanza_bytes, depth: limits.depth + 1, ..*limits };
        let body = frame(document.trim_ascii(), &whole)?;
        if !body.is(ns::BOSH, "body") {
            return Err(ScanError::BadFormat);
        }
        let text = |name| body.attr(name).map(|value| value.into_owned());
        let number = |name| match body.attr(name) {
            Some(value) => value.parse::<u64>().map(Some).map_err(|_| ScanError::BadFormat),
            None => Ok(None),
        };
        let payload = body.children().map(|child| frame(child.xml(), limits)).collect::<Result<_, _>>()?;
        Ok(Body {
            // §14.2: every request has one.
            rid: number("rid")?.filter(|rid| *rid <= RID_MAX).ok_or(ScanError::BadFormat)?,
            sid: text("sid"),
            header: StreamHeader {
                to: text("to"),
                from: text("from"),
                id: None,
                version: body.attr_ns(ns::XBOSH, "version").map(|version| version.into_owned()),
                lang: text("xml:lang"),
                default_ns: Some(ns::CLIENT.to_owned()),
            },
            wait: number("wait")?,
            hold: number("hold")?,
            pause: number("pause")?,
            key: text("key"),
            new_key: text("newkey"),
            terminate: body.type_().as_deref() == Some("terminate"),
            restart: body.attr_ns(ns::XBOSH, "restart").is_some_and(|yes| yes == "true" || yes == "1"),
            payload,
        })
    }

    /// Whether it brings nothing and asks for nothing but an answer.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty() && !self.restart && !self.terminate && self.pause.is_none()
    }
}

/// The session that the first bytes of a document name, if its start tag is among them.
pub fn session_of(document: &[u8], limits: &Limits) -> Option<String> {
    let mut tag = StartTag::default();
    let document = document.trim_ascii_start();
    if document.first() != Some(&b'<') {
        return None;
    }
    tag.parse(document, 0, limits).ok()?;
    let sid = tag.attrs.iter().find(|attr| attr.name.of(document) == b"sid")?;
    String::from_utf8(sid.value.of(document).to_vec()).ok()
}

/// The key that must be shown before `key` (§15.2): its hash in hexadecimal digits.
pub fn key_before(key: &str) -> String {
    Sha1::digest(key).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An answer: the wrapper with its attributes, and elements that stand alone.
pub fn answer(attributes: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut x = Xml::with_capacity(payload.len() + 256);
    x.open_ns("body", ns::BOSH).attr("xmlns:xmpp", ns::XBOSH).attr("xmlns:stream", ns::STREAM);
    for (name, value) in attributes {
        x.attr(name, value);
    }
    x.raw(payload).close();
    x.into_vec()
}

/// The end of a session, with its condition (§17.2).
pub fn terminate(condition: Option<&str>, payload: &[u8]) -> Vec<u8> {
    let end = ("type", "terminate");
    match condition {
        Some(condition) => answer(&[end, ("condition", condition)], payload),
        None => answer(&[end], payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(document: &str) -> Result<Body, ScanError> {
        Body::parse(document.as_bytes(), &Limits::unauthenticated())
    }

    #[test]
    fn a_body_says_what_it_wants() {
        // XEP-0206 §2, with another prefix than is usual.
        let body = parse(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:x='urn:xmpp:xbosh' rid='1573741820' to='a.test' \
             x:version='1.0' xml:lang='en' wait='60' hold='1' ver='1.6' content='text/xml; charset=utf-8'/>\n",
        );
        let body = body.expect("a body");
        assert_eq!((body.rid, body.wait, body.hold), (1_573_741_820, Some(60), Some(1)));
        assert_eq!(body.header.version.as_deref(), Some("1.0"));
        assert_eq!(body.header.to.as_deref(), Some("a.test"));
        assert!(body.sid.is_none() && body.is_empty());
    }

    #[test]
    fn elements_in_a_body_become_canonical() {
        let body = parse(
            "<body xmlns='http://jabber.org/protocol/httpbind' rid='2' sid='s' xmlns:c='jabber:client'>\
             <message xmlns='jabber:client' to='a@b'><body>hi</body></message><c:presence/>\
             <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth></body>",
        );
        let payload = body.expect("a body").payload;
        let written: Vec<_> =
            payload.iter().map(|stanza| String::from_utf8_lossy(stanza.as_bytes())).collect();
        assert_eq!(
            written,
            [
                "<message to='a@b'><body>hi</body></message>",
                "<presence/>",
                "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AA==</auth>"
            ]
        );
    }

    #[test]
    fn what_is_no_body_is_refused() {
        let body = "<body xmlns='http://jabber.org/protocol/httpbind'";
        for document in [
            "".to_owned(),
            "<body/>".to_owned(),
            format!("{body}/>"),
            format!("{body} rid='-1'/>"),
            format!("{body} rid='9007199254740992'/>"),
            format!("{body} rid='1' wait='soon'/>"),
            format!("{body} rid='1'><message/></body>"),
            format!("{body} rid='1'><message xmlns='jabber:client'></body>"),
            format!("{body} rid='1'/><body/>"),
            format!("<!DOCTYPE body>{body} rid='1'/>"),
        ] {
            assert!(parse(&document).is_err(), "{document}");
        }
    }

    #[test]
    fn keys_are_shown_from_the_last_to_the_first() {
        // FIPS 180 example: SHA-1 of "abc".
        assert_eq!(key_before("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
