//! A mail of somebody here that is kept as its message alone: the same bytes whenever it is asked for, as nothing of a mail that has
//! a UID may change (RFC 9051 §2.3.1.1).

use crate::mail::address;
use data_encoding::BASE64;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::{Direction, Entry, Mail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// Bytes of text in one encoded word (RFC 2047 §2: 75 with all that is around it).
const WORD: usize = 42;

/// Bytes of a line of base64 (RFC 2045 §6.8: 76 at most).
const LINE: usize = 76;

/// Writes it; `own` is its owner's address.
pub(super) fn write(mail: &Mail, entry: &Entry, own: &str) -> Vec<u8> {
    let other = address::outside(&mail.peer).unwrap_or_else(|| mail.peer.to_string());
    let (from, to) = match entry.direction {
        Direction::Out => (own, other.as_str()),
        Direction::In => (other.as_str(), own),
    };
    let at = OffsetDateTime::from_unix_timestamp(entry.at.0.div_euclid(1_000))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let date = at.format(&Rfc2822).unwrap_or_default();
    let mut out = format!("From: <{from}>\r\nTo: <{to}>\r\nDate: {date}\r\nMessage-ID: <{}>\r\n", mail.name);
    if !mail.subject.is_empty() {
        out.push_str(&format!("Subject: {}\r\n", header(&mail.subject)));
    }
    let references: Vec<String> =
        mail.refs.split(' ').filter(|id| !id.is_empty()).map(|id| format!("<{id}>")).collect();
    if let Some(parent) = references.last() {
        out.push_str(&format!("In-Reply-To: {parent}\r\nReferences: {}\r\n", references.join("\r\n ")));
    }
    out.push_str("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    let text = Stanza::parse(&entry.stanza)
        .ok()
        .and_then(|stanza| stanza.child(ns::CLIENT, "body").map(|body| body.text().replace('\n', "\r\n")));
    for line in BASE64.encode(text.unwrap_or_default().as_bytes()).as_bytes().chunks(LINE) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push_str("\r\n");
    }
    out.into_bytes()
}

/// Text as it stands in a header: in encoded words where it is not ASCII (RFC 2047).
fn header(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?utf-8?b?{}?=", BASE64.encode(word.as_bytes())));
        rest = after;
    }
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_proto::jid::BareJid;
    use rookery_proto::{Uid, Useq};
    use rookery_store::{Flags, MessageId, Timestamp};

    #[test]
    fn what_was_said_is_a_mail() {
        let peer = BareJid::new("juliet\\40verona.example@mail.localhost").expect("an address");
        let stanza = "<message xmlns='jabber:client'><body>Wherefore\nart thou? é</body></message>";
        let mail = Mail {
            uid: Uid(1),
            peer: peer.clone(),
            name: "9@x".into(),
            refs: "1@x 2@x".into(),
            thread: "t".into(),
            subject: "Rosé ".repeat(20),
            stanza: String::new(),
            raw: None,
            sent: true,
        };
        let entry = Entry {
            useq: Useq(1),
            message: MessageId(1),
            peer,
            peer_resource: None,
            direction: Direction::Out,
            resource: None,
            at: Timestamp(1_000_000_000_000),
            flags: Flags::default(),
            stanza: stanza.into(),
        };
        let text = write(&mail, &entry, "romeo@localhost");
        let read = mail_parser::MessageParser::default().parse(&text).expect("a mail");
        assert_eq!(read.subject(), Some("Rosé ".repeat(20).as_str()));
        assert_eq!(read.body_text(0).as_deref(), Some("Wherefore\r\nart thou? é"));
        assert_eq!((read.message_id(), read.in_reply_to().as_text()), (Some("9@x"), Some("2@x")));
        let text = String::from_utf8(text).expect("ASCII");
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
        assert!(
            text.starts_with(
                "From: <romeo@localhost>\r\nTo: <juliet@verona.example>\r\nDate: Sun, 09 Sep 2001"
            )
        );
    }
}
