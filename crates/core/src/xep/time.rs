//! XEP-0202: Entity Time.

use super::Xep;
use crate::Core;
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use rookery_proto::ns;
use rookery_proto::xml::Xml;

/// XEP-0202.
pub const INFO: Xep = Xep {
    number: "XEP-0202",
    name: "Entity Time",
    version: "2.0",
    server: &[ns::TIME],
    account: &[],
    note: "The server's time, in UTC.",
};

/// The server's time.
pub fn get(core: &Core) -> Answer {
    let mut x = Xml::new();
    x.open_ns("time", ns::TIME).text_element("tzo", "+00:00");
    x.text_element("utc", &stamp(core.env.now())).close();
    Ok(Reply::Payload(x.into_vec()))
}
