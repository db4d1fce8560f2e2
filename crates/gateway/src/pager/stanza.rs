//! A page as a message.

use super::page::Page;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::Urgency;

/// What a page says beyond a message: docs/extensions.md.
pub const PAGE: &str = "https://rookery.im/protocol/page";

/// docs/extensions.md.
const URGENCY: &str = "https://rookery.im/protocol/urgency";

/// Writes it. Who knows nothing of urgency sees a mark before the text; who knows nothing of pages, the answers below it.
pub(super) fn write(page: &Page, via: &str, from: &str, to: &str, id: &str) -> Vec<u8> {
    let mark = match page.urgency {
        Urgency::Normal => "",
        Urgency::Important => "❗ ",
        Urgency::Urgent => "‼️ ",
    };
    let choices = page.two_way.as_ref().map(|it| it.choices.as_slice()).unwrap_or_default();
    let mut body = format!("{mark}{}", page.text);
    let end = body.chars().count();
    for choice in choices {
        body += &format!("\n{}: {}", choice.code, choice.text);
    }
    let mut x = Xml::new();
    x.open("message").attr("from", from).attr("to", to).attr("type", "chat").attr("id", id);
    if !page.subject.is_empty() {
        x.text_element("subject", &page.subject);
    }
    x.text_element("body", &body);
    if !page.caller.is_empty() {
        x.open_ns("nick", ns::NICK).text(&page.caller).close();
    }
    if !mark.is_empty() {
        fallback(&mut x, URGENCY, 0, mark.chars().count());
        x.open_ns("urgency", URGENCY).attr("level", page.urgency.name()).close();
    }
    if !choices.is_empty() {
        fallback(&mut x, PAGE, end, body.chars().count());
    }
    x.open_ns("page", PAGE)
        .attr("via", via)
        .opt("reply", page.two_way.as_ref().filter(|it| it.reply).map(|_| "true"));
    for choice in choices {
        x.open("choice").attr("code", &choice.code).text(&choice.text).close();
    }
    x.close();
    x.close();
    x.into_vec()
}

/// XEP-0428 §3; counted in code points (XEP-0426).
fn fallback(x: &mut Xml, of: &str, start: usize, end: usize) {
    x.open_ns("fallback", ns::FALLBACK).attr("for", of);
    x.open("body").attr("start", &start.to_string()).attr("end", &end.to_string()).close();
    x.close();
}
