//! The messages that are sent.

use rookery_proto::xml::Xml;

use crate::options::Options;
use crate::stamp::Stamp;

/// XEP-0334.
const HINTS: &str = "urn:xmpp:hints";

/// What all messages of a run have in common.
pub(crate) struct Text {
    body: String,
    no_store: bool,
}

impl Text {
    pub(crate) fn new(options: &Options) -> Text {
        let body =
            "The quick brown fox jumps over the lazy dog. ".chars().cycle().take(options.body).collect();
        Text { body, no_store: options.no_store }
    }

    /// A message to `to`, of this type.
    pub(crate) fn message(&self, to: &str, kind: &str, stamp: &Stamp) -> Vec<u8> {
        let mut x = Xml::with_capacity(160 + self.body.len());
        x.open("message").attr("to", to).attr("type", kind).attr("id", &stamp.id());
        x.text_element("body", &self.body);
        if self.no_store {
            x.leaf_ns("no-store", HINTS);
        }
        x.close();
        x.into_vec()
    }
}
