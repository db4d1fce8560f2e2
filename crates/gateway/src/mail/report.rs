//! Reports of what became of a mail (RFC 3464), as other servers send them. Whose mail it was is for `news.rs` to find out.

use super::limits;
use super::reading::{clean, id};
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

/// A report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// What the envelope was called (§2.2.1); empty: nothing.
    pub(super) envelope: String,
    /// The Message-ID of the mail that it is about, if that is in it; empty: it is not.
    pub(super) original: String,
    /// What became of it, for each recipient.
    pub(super) outcomes: Vec<Outcome>,
}

/// What became of a mail for one recipient (§2.3).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) action: Action,
    /// The enhanced code (RFC 3463); empty: there is none.
    pub(super) status: String,
    /// Whom it was for: as its sender said, and as the last server has it.
    pub(super) recipients: [String; 2],
    /// What the server said that refused it, in one line; empty: nothing.
    pub(super) said: String,
}

/// §2.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Failed,
    Delayed,
    Delivered,
    /// Relayed or expanded: it went on to where nobody reports.
    Passed,
}

/// The report in a mail, if it is one: `multipart/report; report-type=delivery-status` (§2).
pub(super) fn read(message: &Message<'_>) -> Option<Report> {
    let kind = message.content_type()?;
    let report = kind.ctype().eq_ignore_ascii_case("multipart")
        && kind.subtype().is_some_and(|subtype| subtype.eq_ignore_ascii_case("report"))
        && kind.attribute("report-type").is_some_and(|kind| kind.eq_ignore_ascii_case("delivery-status"));
    if !report {
        return None;
    }
    let status = message.parts.iter().find(|part| {
        // RFC 6533 §4 is the same with other letters in it.
        is(part, "message", &["delivery-status", "global-delivery-status"])
    })?;
    let status = clean(&String::from_utf8_lossy(status.contents()));
    let mut groups = groups(&status).into_iter();
    let about = groups.next()?;
    Some(Report {
        envelope: field(&about, "original-envelope-id").to_owned(),
        original: message.parts.iter().find_map(original).unwrap_or_default(),
        outcomes: groups.filter_map(|group| outcome(&group)).take(limits::RECIPIENTS).collect(),
    })
}

fn is(part: &MessagePart<'_>, main: &str, subtypes: &[&str]) -> bool {
    part.content_type().is_some_and(|kind| {
        let subtype = kind.subtype().unwrap_or_default();
        kind.ctype().eq_ignore_ascii_case(main) && subtypes.iter().any(|it| it.eq_ignore_ascii_case(subtype))
    })
}

/// The Message-ID of the mail that comes back, or of its headers (RFC 6522 §3).
fn original(part: &MessagePart<'_>) -> Option<String> {
    let name = match &part.body {
        PartType::Message(inner) => inner.message_id().map(id),
        _ if is(part, "text", &["rfc822-headers"]) || is(part, "message", &["global-headers"]) => {
            let headers = MessageParser::default().parse_headers(part.contents())?;
            headers.message_id().map(id)
        }
        _ => None,
    };
    name.filter(|name| !name.is_empty())
}

type Group = Vec<(String, String)>;

/// Groups of fields with empty lines between them (§2.1); what goes on in the next line is one field.
fn groups(text: &str) -> Vec<Group> {
    let mut groups: Vec<Group> = vec![Vec::new()];
    for line in text.lines() {
        let group = groups.last_mut().expect("there is one from the beginning");
        if line.trim().is_empty() {
            if !group.is_empty() {
                groups.push(Vec::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        if groups.len() > limits::RECIPIENTS + 1 {
            break;
        }
    }
    groups
}

fn field<'a>(group: &'a Group, name: &str) -> &'a str {
    group.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
}

fn outcome(group: &Group) -> Option<Outcome> {
    let action = match field(group, "action").split_whitespace().next()?.to_ascii_lowercase().as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" | "expanded" => Action::Passed,
        _ => return None,
    };
    // §2.1.2: the type of what is said stands before it.
    let typed = |name| field(group, name).split_once(';').map_or("", |(_, value)| value.trim());
    let mut said = typed("diagnostic-code").split_whitespace().collect::<Vec<_>>().join(" ");
    said.truncate(said.floor_char_boundary(limits::SAID));
    let recipients = ["original-recipient", "final-recipient"].map(|name| typed(name).to_lowercase());
    let status = field(group, "status").split_whitespace().next().unwrap_or_default().to_owned();
    Some(Outcome { action, status, recipients, said })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(text: &str) -> Option<Report> {
        let text = text.replace('\n', "\r\n");
        read(&MessageParser::default().parse(text.as_bytes())?)
    }

    /// As Postfix writes it, with what it leaves out put in.
    const FAILED: &str = "From: MAILER-DAEMON@relay.example\nTo: romeo@here.org\nMIME-Version: 1.0\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\
        Content-Type: text/plain; charset=us-ascii\n\nI'm sorry.\n\n--b\nContent-Description: Delivery report\n\
        Content-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\nOriginal-Envelope-Id: e1\n\n\
        Final-Recipient: rfc822; Juliet@Verona.Example\nOriginal-Recipient: rfc822;juliet@verona.example\n\
        Action: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.verona.example\n\
        Diagnostic-Code: smtp; 550 5.1.1 <juliet@verona.example>:\n    nobody\n\n--b\n\
        Content-Type: message/rfc822\n\nFrom: romeo@here.org\nMessage-ID: <9@here.org>\nSubject: x\n\nHello\n\n--b--\n";

    #[test]
    fn a_report_is_read() {
        let report = report(FAILED).expect("a report");
        assert_eq!((report.envelope.as_str(), report.original.as_str()), ("e1", "9@here.org"));
        let [outcome] = report.outcomes.as_slice() else { panic!("{report:?}") };
        assert_eq!((outcome.action, outcome.status.as_str()), (Action::Failed, "5.1.1"));
        assert_eq!(outcome.recipients, ["juliet@verona.example", "juliet@verona.example"]);
        assert_eq!(outcome.said, "550 5.1.1 <juliet@verona.example>: nobody");
    }

    #[test]
    fn headers_alone_name_the_mail() {
        let text = FAILED.replace("message/rfc822\n\nFrom", "text/rfc822-headers\n\nFrom");
        assert_eq!(report(&text).expect("a report").original, "9@here.org");
    }

    #[test]
    fn what_is_none_is_none() {
        for text in [
            FAILED.replace("report-type=delivery-status", "report-type=disposition-notification"),
            FAILED.replace("multipart/report", "multipart/mixed"),
            FAILED.replace("message/delivery-status", "text/plain"),
        ] {
            assert_eq!(report(&text), None, "{text}");
        }
        let odd = FAILED.replace("Action: failed", "Action: lost");
        assert_eq!(report(&odd).expect("a report").outcomes, []);
        let many = FAILED.replace("Action: failed\n", &"Action: failed\n\nAction: delayed\n\n".repeat(500));
        assert!(report(&many).expect("a report").outcomes.len() <= limits::RECIPIENTS);
    }
}
