//! XEP-0199: XMPP Ping. The answer is an empty result, given where IQ are dispatched; the server itself asks clients
//! that have been silent for long.

use super::Xep;
use rookery_proto::ns;
use rookery_proto::xml::Xml;

/// XEP-0199.
pub const INFO: Xep = Xep {
    number: "XEP-0199",
    name: "XMPP Ping",
    version: "2.0.1",
    server: &[ns::PING],
    account: &[ns::PING],
    note: "Answers, and asks clients that have been silent for five minutes.",
};

/// A ping from the server to one of its clients.
pub fn ask(domain: &str, to: &str, id: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("iq").attr("type", "get").attr("from", domain).attr("to", to).attr("id", id);
    x.leaf_ns("ping", ns::PING).close();
    x.into_vec()
}
