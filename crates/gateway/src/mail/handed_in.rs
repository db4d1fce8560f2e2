//! A mail that a program hands in to be sent, made fit for the way (RFC 6409 §8): what it lacks is added, and what nobody else is to see
//! is taken away.

use super::fields::{self, Field};
use super::incoming::date;
use super::reading::{self, Letter};
use mail_parser::{HeaderName, HeaderValue, MessageParser};
use rookery_store::Timestamp;

/// What is known of the way that it came.
pub(super) struct Way<'a> {
    /// What the server calls itself.
    pub(super) hostname: &'a str,
    /// RFC 3848.
    pub(super) protocol: &'a str,
    /// Names it, if it has a name of its own and so is the same when it comes again.
    pub(super) id: &'a str,
    /// Names it otherwise: the same words may be meant twice.
    pub(super) fresh: &'a str,
    pub(super) at: Timestamp,
}

/// A mail that was handed in.
pub(super) struct HandedIn {
    /// Names it here.
    pub(super) id: String,
    pub(super) letter: Letter,
    /// Everybody that it says to be from (RFC 5322 §3.6.2); `None`: it does not say so in one way.
    pub(super) authors: Option<Vec<String>>,
    /// Whom it says to be for, in its order.
    pub(super) to: Vec<String>,
    /// It came with a name of its own, so that it is known when it comes again.
    pub(super) named: bool,
    /// The mail as its sender keeps it.
    pub(super) kept: Vec<u8>,
    /// The mail as it goes out.
    pub(super) sent: Vec<u8>,
}

/// Reads it, and mends it.
pub(super) fn read(data: &[u8], way: &Way<'_>) -> HandedIn {
    let mut letter = reading::read(data, way.hostname);
    let (authors, to) = people(data);
    let (fields, rest) = fields::split(data);
    let has = |name: &str| fields.iter().any(|field| field.is(name));
    // Where readers do not agree on where the header ends they do not agree on who wrote it.
    let well_made = fields.iter().all(Field::is_one) && fields.iter().filter(|it| it.is("From")).count() == 1;
    let authors = authors.filter(|_| well_made);
    let named = !letter.id.is_empty();
    if !named {
        letter.id = format!("{}@{}", way.fresh, way.hostname);
    }
    let id = if named { way.id } else { way.fresh };
    // Where somebody writes from is nobody's business: the log has the address.
    let mut head =
        format!("Received: by {} with {} id {id};\r\n\t{}\r\n", way.hostname, way.protocol, date(way.at));
    // RFC 6409 §8.2, §8.3.
    if !has("Date") {
        head.push_str(&format!("Date: {}\r\n", date(way.at)));
    }
    if !named {
        head.push_str(&format!("Message-ID: <{}>\r\n", letter.id));
    }
    let without = |names: &[&str]| {
        let kept = fields.iter().filter(|field| !names.iter().any(|name| field.is(name)));
        let kept = kept.map(|field| field.whole).collect::<Vec<_>>().concat();
        [head.as_bytes(), &kept, rest].concat()
    };
    // A Message-ID that is none would stand beside the new one; the return path is for whoever delivers (RFC 5321 §4.4).
    let broken: &[&str] = if named { &["Return-Path"] } else { &["Return-Path", "Message-ID"] };
    // RFC 5322 §3.6.3: who gets a copy blindly is nobody else's business.
    let secret: Vec<&str> = broken.iter().copied().chain(["Bcc", "Resent-Bcc"]).collect();
    HandedIn { id: id.to_owned(), authors, to, named, kept: without(broken), sent: without(&secret), letter }
}

/// From whom it says to be, and for whom.
fn people(data: &[u8]) -> (Option<Vec<String>>, Vec<String>) {
    let Some(message) = MessageParser::default().parse(data) else { return (None, Vec::new()) };
    let (mut authors, mut to, mut from) = (Vec::new(), Vec::new(), 0);
    for header in message.headers() {
        let addresses = || match &header.value {
            HeaderValue::Address(address) => {
                address.iter().map(|it| it.address().unwrap_or_default().to_owned()).collect()
            }
            _ => Vec::new(),
        };
        match header.name {
            HeaderName::From => {
                from += 1;
                authors.extend(addresses());
            }
            HeaderName::Sender => authors.extend(addresses()),
            HeaderName::To => to.extend(addresses()),
            _ => {}
        }
    }
    // RFC 5322 §3.6: exactly one, or everybody reads another.
    ((from == 1 && !authors.is_empty()).then_some(authors), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_in(text: &str) -> (HandedIn, String, String) {
        let way = Way {
            hostname: "mx.here.org",
            protocol: "ESMTPSA",
            id: "mail-0",
            fresh: "mail-1",
            at: Timestamp(0),
        };
        let mail = read(text.replace('\n', "\r\n").as_bytes(), &way);
        let text = |data: &[u8]| String::from_utf8(data.to_vec()).expect("text");
        let (kept, sent) = (text(&mail.kept), text(&mail.sent));
        (mail, kept, sent)
    }

    #[test]
    fn what_is_missing_is_added() {
        let (mail, kept, sent) = handed_in("From: romeo@here.org\nTo: Juliet <j@v.org>, a@b.org\n\nHi\n");
        for line in [
            "Received: by mx.here.org with ESMTPSA id mail-1;\r\n\tThu, 01 Jan 1970 00:00:00 +0000\r\n",
            "\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "\r\nMessage-ID: <mail-1@mx.here.org>\r\n",
            "\r\n\r\nHi\r\n",
        ] {
            assert!(kept.contains(line) && sent.contains(line), "{line:?} in {sent}");
        }
        assert_eq!((mail.letter.id.as_str(), mail.named), ("mail-1@mx.here.org", false));
        assert_eq!(mail.to, ["j@v.org", "a@b.org"]);
        let (mail, _, sent) =
            handed_in("From: a@b\nDate: Fri, 2 Jan 1970 00:00:00 +0000\nMessage-ID: <1@x>\n\n");
        assert!(mail.named && sent.matches("Message-ID").count() == 1 && sent.matches("Date").count() == 1);
    }

    #[test]
    fn nobody_sees_who_gets_it_blindly() {
        let (_, kept, sent) =
            handed_in("Return-Path: <x>\nFrom: a@b\nBCC: c@d,\n e@f\nSubject: Bcc\n\nBcc: text\n");
        assert!(kept.contains("c@d") && !sent.contains("c@d") && !sent.contains("e@f"), "{sent}");
        assert!(sent.contains("Subject: Bcc\r\n") && sent.ends_with("\r\n\r\nBcc: text\r\n"), "{sent}");
        assert!(!kept.contains("Return-Path"), "{kept}");
    }

    #[test]
    fn authors_are_all_that_are_named() {
        let authors = |text: &str| handed_in(text).0.authors;
        let some = |list: &[&str]| Some(list.iter().map(|it| it.to_string()).collect::<Vec<_>>());
        assert_eq!(authors("From: a@b, C <c@d>\nSender: e@f\n\n"), some(&["a@b", "c@d", "e@f"]));
        assert_eq!(authors("From: all: a@b, c@d;\n\n"), some(&["a@b", "c@d"]));
        assert_eq!(authors("From: a@b <c@d>\n\n"), some(&["c@d"]));
        let two = "From: a@b\nnonsense\n \nFrom: c@d\n\n";
        for text in [two, "", "\n\nFrom: a@b\n", "From: a@b\nFrom: c@d\n\n", "From:\n\n", "Sender: a@b\n\n"] {
            assert_eq!(authors(text), None, "{text:?}");
        }
        // What cannot be read is nobody's address.
        assert!(authors("From: nobody\n\n").is_none_or(|all| all.iter().all(|it| !it.contains('@'))));
    }
}
