//! A report to who has sent a mail by a mail program, which reads no conversation (RFC 3464).

use super::incoming::date;
use super::report::Action;
use super::{fields, limits};
use rookery_store::{NewQueued, Timestamp};

/// What a report is made of.
pub(super) struct Returned<'a> {
    /// The mail that it is about.
    pub(super) mail: &'a NewQueued,
    /// [`Action::Failed`] or [`Action::Delayed`].
    pub(super) action: Action,
    /// The enhanced code (RFC 3463); empty: nobody has said one.
    pub(super) status: &'a str,
    /// What the other server said, or why it is not reached; empty: nothing.
    pub(super) said: &'a str,
    /// The same for people.
    pub(super) words: &'a str,
    /// People's domain, what this server calls itself, and a word that is nowhere in the mail.
    pub(super) domain: &'a str,
    pub(super) hostname: &'a str,
    pub(super) token: &'a str,
    pub(super) at: Timestamp,
}

/// Writes it. The mail's header comes with it, and none of its content (RFC 6522 §3).
pub(super) fn write(returned: &Returned<'_>) -> Vec<u8> {
    let Returned { mail, action, domain, hostname, token, at, .. } = returned;
    let (recipient, boundary) = (&mail.recipient, format!("report-{token}"));
    let (title, named, fallback) = match action {
        Action::Delayed => ("is late", "delayed", "4.0.0"),
        _ => ("could not be delivered", "failed", "5.0.0"),
    };
    // RFC 6533 §3, §4: where an address is not ASCII, kinds of their own say so.
    let (status_kind, header_kind, address_kind) = match recipient.is_ascii() {
        true => ("message/delivery-status", "text/rfc822-headers", "rfc822"),
        false => ("message/global-delivery-status", "message/global-headers", "utf-8"),
    };
    let status = if returned.status.is_empty() { fallback } else { returned.status };
    let mut text = format!(
        "From: Mail <postmaster@{domain}>\r\nTo: <{}>\r\nSubject: Your mail {title}\r\nDate: {}\r\n\
         Message-ID: <report-{token}@{hostname}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Your mail to {recipient} {title}.\r\n\r\n{}\r\n",
        mail.sender,
        date(*at),
        returned.words,
    );
    text.push_str(&format!(
        "--{boundary}\r\nContent-Type: {status_kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Reporting-MTA: dns; {hostname}\r\nArrival-Date: {}\r\n\r\n\
         Final-Recipient: {address_kind}; {recipient}\r\nAction: {named}\r\nStatus: {status}\r\n",
        date(mail.at)
    ));
    if !returned.said.is_empty() {
        text.push_str(&format!("Diagnostic-Code: smtp; {}\r\n", super::incoming::one_line(returned.said)));
    }
    text.push_str(&format!(
        "--{boundary}\r\nContent-Type: {header_kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ));
    let header = fields::split(&mail.data).0.into_iter().map(|field| field.whole);
    let mut report = text.into_bytes();
    let room = report.len() + limits::RETURNED;
    header
        .take_while(|field| {
            let fits = report.len() + field.len() <= room;
            if fits {
                report.extend_from_slice(field);
            }
            fits
        })
        .for_each(drop);
    report.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    report
}

#[cfg(test)]
mod tests {
    use super::super::report;
    use super::*;
    use mail_parser::MessageParser;
    use rookery_proto::Uid;

    #[test]
    fn a_report_is_one_that_we_would_read() {
        for recipient in ["juliet@verona.example", "jülia@verona.example"] {
            let data = format!("Message-ID: <1@x>\r\nTo: {recipient}\r\nSubject: é\r\n\r\nThe content\r\n");
            let mail = NewQueued {
                uid: Uid(1),
                peer: String::new(),
                stanza: String::new(),
                sender: "romeo@here.org".into(),
                recipient: recipient.into(),
                domain: "verona.example".into(),
                at: Timestamp(0),
                envelope: "e".into(),
                receipt: false,
                program: true,
                data: data.into(),
            };
            let (status, said) = ("5.1.1", "550 5.1.1 nobody\r\nhere");
            let (words, domain, hostname, token) =
                ("Nobody has this address.", "here.org", "mx.here.org", "t");
            let action = Action::Failed;
            let written = write(&Returned {
                mail: &mail,
                action,
                status,
                said,
                words,
                domain,
                hostname,
                token,
                at: Timestamp(0),
            });
            let parsed = MessageParser::default().parse(&written).expect("a mail");
            let read = report::read(&parsed).expect("a report");
            assert_eq!(read.original, "1@x");
            let outcome = &read.outcomes[0];
            assert_eq!((outcome.action, outcome.status.as_str()), (Action::Failed, "5.1.1"));
            assert!(outcome.recipients.iter().any(|one| one == recipient), "{outcome:?}");
            assert!(
                outcome.said.contains("nobody here")
                    && parsed.body_text(0).is_some_and(|it| it.contains(words))
            );
            assert!(!String::from_utf8_lossy(&written).contains("The content"));
        }
    }
}
