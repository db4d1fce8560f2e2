//! Stream management (XEP-0198): counters that wrap at 2^32, and its elements.

use crate::ns;
use crate::xml::Xml;

/// How many stanzas lie from count `from` to count `to` on counters that wrap (XEP-0198 §4: modulo 2^32).
pub fn distance(from: u32, to: u32) -> u32 {
    to.wrapping_sub(from)
}

/// `<enabled/>`: `resume` carries the stream's id and the window in seconds.
pub fn enabled(resume: Option<(&str, u64)>) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("enabled", ns::SM);
    if let Some((id, max)) = resume {
        x.attr("id", id).attr("resume", "true").attr("max", &max.to_string());
    }
    x.close();
    x.into_vec()
}

/// `<resumed/>`: the stream `previd` lives on; `h` is what the server has handled.
pub fn resumed(previd: &str, h: u32) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("resumed", ns::SM).attr("previd", previd).attr("h", &h.to_string()).close();
    x.into_vec()
}

/// `<failed/>` with its condition, and with `h` where the server still knows what it had handled (XEP-0198 §5).
pub fn failed(condition: &str, h: Option<u32>) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("failed", ns::SM);
    if let Some(h) = h {
        x.attr("h", &h.to_string());
    }
    x.leaf_ns(condition, ns::STANZAS).close();
    x.into_vec()
}

/// `<a/>`: the server has handled `h` stanzas.
pub fn ack(h: u32) -> Vec<u8> {
    format!("<a xmlns='{}' h='{h}'/>", ns::SM).into_bytes()
}

/// `<r/>`: the server asks for an acknowledgement.
pub const REQUEST: &[u8] = b"<r xmlns='urn:xmpp:sm:3'/>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_wrap() {
        assert_eq!(distance(u32::MAX, 1), 2);
        assert_eq!(distance(5, 5), 0);
    }
}
