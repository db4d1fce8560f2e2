//! The stream around the stanzas (RFC 6120 §4): headers, features, errors, stream management.

pub mod bosh;
pub mod features;
pub mod framing;
pub mod sm;

use crate::ns;
use crate::xml::Xml;

/// The server's answer to a stream header (RFC 6120 §4.7): `to` is who the client says it is, `id` is unique and
/// unpredictable.
pub fn open(from: &str, to: Option<&str>, id: &str, lang: Option<&str>) -> Vec<u8> {
    let mut x = Xml::new();
    x.raw(b"<?xml version='1.0'?>").open("stream:stream");
    x.attr("xmlns", ns::CLIENT).attr("xmlns:stream", ns::STREAM);
    x.attr("from", from)
        .opt("to", to)
        .attr("id", id)
        .attr("version", "1.0")
        .attr("xml:lang", lang.unwrap_or("en"));
    x.into_start_tag()
}

/// The server's answer to the header of a component's stream (XEP-0114 §3): the secret is hashed with `id`.
pub fn open_component(host: &str, id: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.raw(b"<?xml version='1.0'?>").open("stream:stream");
    x.attr("xmlns", ns::COMPONENT).attr("xmlns:stream", ns::STREAM).attr("from", host).attr("id", id);
    x.into_start_tag()
}

/// The end of a stream (RFC 6120 §4.4).
pub const CLOSE: &[u8] = b"</stream:stream>";

/// A stream error: the stream ends after it (RFC 6120 §4.9).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamError {
    /// The defined condition's element name (RFC 6120 §4.9.3).
    pub condition: &'static str,
    /// A plain English sentence, or nothing.
    pub text: Option<&'static str>,
    /// What clients can act upon or say in their own words.
    pub detail: Option<Detail>,
}

/// What stands beside the condition (RFC 6120 §4.9.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// The client acknowledged more than it was sent: what it claims, and what was sent (XEP-0198 §4).
    TooHigh(u32, u32),
    /// The session was signed out.
    SignedOut(Why),
}

/// Why a session was signed out: an element of [`ns::ENDED`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The account is disabled or deleted.
    Account,
    /// An administrator has ended it.
    Administrator,
    /// The account has a new password.
    Password,
    /// The hours that it was allowed are over.
    Time,
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Why::Account => "account",
            Why::Administrator => "administrator",
            Why::Password => "password",
            Why::Time => "time",
        }
    }
}

impl StreamError {
    /// An error with its condition alone.
    pub const fn new(condition: &'static str) -> StreamError {
        StreamError { condition, text: None, detail: None }
    }

    /// An error with a sentence for people.
    pub const fn with(condition: &'static str, text: &'static str) -> StreamError {
        StreamError { condition, text: Some(text), detail: None }
    }

    /// The session is not authorised any more.
    pub const fn signed_out(why: Why, text: &'static str) -> StreamError {
        StreamError { detail: Some(Detail::SignedOut(why)), ..StreamError::with("not-authorized", text) }
    }

    /// The client acknowledged `h` stanzas and was sent `sent` (XEP-0198 §4).
    pub const fn handled_count_too_high(h: u32, sent: u32) -> StreamError {
        StreamError { detail: Some(Detail::TooHigh(h, sent)), ..StreamError::new("undefined-condition") }
    }

    /// `<stream:error/>` as it goes over the wire; the closing tag follows it.
    pub fn write(&self) -> Vec<u8> {
        let mut x = Xml::new();
        x.open("stream:error").leaf_ns(self.condition, ns::STREAMS);
        if let Some(text) = self.text {
            x.open_ns("text", ns::STREAMS).attr("xml:lang", "en").text(text).close();
        }
        match self.detail {
            Some(Detail::TooHigh(h, sent)) => {
                x.open_ns("handled-count-too-high", ns::SM);
                x.attr("h", &h.to_string()).attr("send-count", &sent.to_string()).close();
            }
            Some(Detail::SignedOut(why)) => drop(x.leaf_ns(why.name(), ns::ENDED)),
            None => {}
        }
        x.close();
        x.into_vec()
    }
}
