//! XEP-0092: Software Version.

use super::Xep;
use crate::answer::{Answer, Reply};
use rookery_proto::ns;
use rookery_proto::xml::Xml;

/// XEP-0092.
pub const INFO: Xep = Xep {
    number: "XEP-0092",
    name: "Software Version",
    version: "1.1",
    server: &[ns::VERSION],
    account: &[],
    note: "Name and version; the operating system is nobody's business.",
};

/// The server's name and version.
pub fn get() -> Answer {
    let mut x = Xml::new();
    x.open_ns("query", ns::VERSION).text_element("name", "Rookery");
    x.text_element("version", env!("CARGO_PKG_VERSION")).close();
    Ok(Reply::Payload(x.into_vec()))
}
