//! A mail as a message.

use super::reading::{Attachment, Letter};
use data_encoding::BASE64;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use sha2::{Digest, Sha256};

/// XEP-0447.
const SFS: &str = "urn:xmpp:sfs:0";
/// XEP-0103.
const URL_DATA: &str = "http://jabber.org/protocol/url-data";

/// An attachment that has an address.
pub(super) struct Filed<'a> {
    pub(super) file: &'a Attachment,
    pub(super) url: String,
}

/// Everything that a message is made of.
pub(super) struct Parts<'a> {
    pub(super) letter: &'a Letter,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) id: &'a str,
    pub(super) thread: &'a str,
    /// The Message-ID.
    pub(super) name: &'a str,
    /// Where the whole mail is.
    pub(super) raw: &'a str,
    pub(super) size: usize,
    /// It is not from whom it says, or nobody can tell.
    pub(super) junk: bool,
    pub(super) files: &'a [Filed<'a>],
}

/// Writes it. Who knows nothing of mail sees a chat with a subject; who knows nothing of XEP-0447 sees the addresses of the files
/// below the text.
pub(super) fn write(parts: &Parts<'_>) -> Vec<u8> {
    let Parts { letter, files, .. } = parts;
    let mut x = Xml::new();
    x.open("message").attr("from", parts.from).attr("to", parts.to).attr("type", "chat").attr("id", parts.id);
    if !letter.subject.is_empty() {
        x.text_element("subject", &letter.subject);
    }
    let (body, links) = body(letter, files);
    x.text_element("body", &body);
    x.text_element("thread", parts.thread);
    if !letter.name.is_empty() {
        x.open_ns("nick", ns::NICK).text(&letter.name).close();
    }
    if let Some((start, end)) = links {
        // XEP-0428 §3; counted in code points (XEP-0426).
        x.open_ns("fallback", ns::FALLBACK).attr("for", SFS);
        x.open("body").attr("start", &start.to_string()).attr("end", &end.to_string()).close();
        x.close();
    }
    for (at, filed) in files.iter().enumerate() {
        share(&mut x, at + 1, filed);
    }
    if let [filed] = files
        && body == filed.url
    {
        x.open_ns("x", ns::OOB).text_element("url", &filed.url).close();
    }
    x.open_ns("mail", ns::MAIL).attr("id", parts.name).attr("url", parts.raw);
    x.attr("size", &parts.size.to_string()).opt("more", letter.more.then_some("true"));
    x.opt("junk", parts.junk.then_some("true")).close();
    x.close();
    x.into_vec()
}

/// The body, and where in it the addresses of files are.
fn body(letter: &Letter, files: &[Filed<'_>]) -> (String, Option<(usize, usize)>) {
    let mut body = letter.text.clone();
    if body.is_empty() && files.is_empty() {
        // A message without a body is none.
        body = if letter.subject.is_empty() { "…".to_owned() } else { letter.subject.clone() };
    }
    if files.is_empty() {
        return (body, None);
    }
    let start = body.chars().count();
    for filed in files {
        if !body.is_empty() {
            body.push('\n');
        }
        body.push_str(&filed.url);
    }
    let end = body.chars().count();
    (body, Some((start, end)))
}

/// XEP-0447 §3, XEP-0446 §3.
fn share(x: &mut Xml, number: usize, filed: &Filed<'_>) {
    let Filed { file, url } = filed;
    let disposition = if file.inline { "inline" } else { "attachment" };
    x.open_ns("file-sharing", SFS).attr("disposition", disposition).attr("id", &number.to_string());
    x.open_ns("file", ns::FILE_METADATA);
    x.text_element("name", &file.name).text_element("media-type", &file.media_type);
    x.text_element("size", &file.data.len().to_string());
    x.open_ns("hash", ns::HASHES)
        .attr("algo", "sha-256")
        .text(&BASE64.encode(&Sha256::digest(&file.data)))
        .close();
    x.close();
    x.open("sources").open_ns("url-data", URL_DATA).attr("target", url).close().close();
    x.close();
}
