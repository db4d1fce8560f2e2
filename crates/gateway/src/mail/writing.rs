//! A message to a correspondent as a mail (RFC 5322).

use super::incoming::{one_line, thread_of};
use super::limits;
use mail_builder::MessageBuilder;
use mail_builder::headers::message_id::MessageId;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::{Mail, Timestamp};

/// Characters of a subject that is made of the text.
const SUBJECT: usize = 60;

/// Who writes, to whom, and when.
pub(super) struct Letterhead<'a> {
    pub(super) uid: Uid,
    /// The writer's address, and name if there is one.
    pub(super) from: &'a str,
    pub(super) name: Option<&'a str>,
    /// The correspondent inside, and the address of mail.
    pub(super) peer: &'a BareJid,
    pub(super) to: &'a str,
    /// The Message-ID that it gets.
    pub(super) id: String,
    pub(super) at: Timestamp,
    /// The mail that it answers, if there is one.
    pub(super) parent: Option<Mail>,
}

/// What a person says in a message: the text without languages; none where there is nothing to be read.
pub(super) fn text(stanza: &Stanza) -> Option<String> {
    let text = stanza.child(ns::CLIENT, "body")?.text();
    Some(text.trim_end().to_owned()).filter(|text| !text.trim().is_empty())
}

/// Writes the mail; with what is remembered of it. `None` if it cannot be written.
pub(super) fn write(head: Letterhead<'_>, stanza: &Stanza, text: String) -> Option<(Vec<u8>, Mail)> {
    let said = stanza.child(ns::CLIENT, "subject").map(|subject| one_line(&subject.text()));
    let subject =
        said.filter(|subject| !subject.is_empty()).unwrap_or_else(|| subject(head.parent.as_ref(), &text));
    let references = references(head.parent.as_ref());
    let mut mail = MessageBuilder::new()
        .to(head.to)
        .subject(subject.as_str())
        .date(head.at.0.div_euclid(1000))
        .message_id(head.id.as_str())
        .text_body(text.replace('\n', "\r\n"));
    mail = match head.name.map(one_line).filter(|name| !name.is_empty()) {
        Some(name) => mail.from((name, head.from.to_owned())),
        None => mail.from(head.from),
    };
    if let Some(parent) = &head.parent {
        // RFC 5322 §3.6.4.
        mail = mail.in_reply_to(parent.name.as_str());
        mail = mail.references(MessageId::new_list(references.iter().map(String::as_str)));
    }
    let data = mail.write_to_vec().ok()?;
    let thread = head.parent.map_or_else(|| thread_of(&head.id), |parent| parent.thread);
    let refs = references.join(" ");
    let stanza = stanza.id().unwrap_or_default().into_owned();
    let kept = Mail {
        uid: head.uid,
        peer: head.peer.clone(),
        name: head.id,
        refs,
        thread,
        subject,
        stanza,
        raw: None,
        sent: true,
    };
    Some((data, kept))
}

/// What a mail is called that has no name of its own: as what it answers, or by its first words.
fn subject(parent: Option<&Mail>, text: &str) -> String {
    match parent.map(|parent| parent.subject.as_str()).filter(|subject| !subject.is_empty()) {
        // RFC 5322 §3.6.5: "Re: " once.
        Some(subject) if subject.get(..3).is_some_and(|re| re.eq_ignore_ascii_case("re:")) => {
            subject.to_owned()
        }
        Some(subject) => one_line(&format!("Re: {subject}")),
        None => {
            let line = one_line(text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default());
            match line.char_indices().nth(SUBJECT) {
                Some((end, _)) => format!("{}…", line[..end].trim_end()),
                None => line,
            }
        }
    }
}

/// What the answer to a mail refers to: all that this did, and it.
fn references(parent: Option<&Mail>) -> Vec<String> {
    let Some(parent) = parent else { return Vec::new() };
    let mut all: Vec<String> =
        parent.refs.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
    if !all.contains(&parent.name) {
        all.push(parent.name.clone());
    }
    while all.len() > limits::REFERENCES {
        // The first begins the thread, the last are nearest.
        all.remove(1);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(subject: &str) -> Mail {
        Mail {
            uid: Uid(1),
            peer: BareJid::new("a@b").expect("an address"),
            name: "2@x".into(),
            refs: "0@x 1@x".into(),
            thread: "t".into(),
            subject: subject.into(),
            stanza: String::new(),
            raw: None,
            sent: false,
        }
    }

    fn written(parent: Option<Mail>, message: &str) -> (String, Mail) {
        let peer = BareJid::new("a@b").expect("an address");
        let stanza = Stanza::parse(message.as_bytes()).expect("a stanza");
        let text = text(&stanza).expect("a text");
        let (uid, from, name, to, id, at) = (
            Uid(1),
            "10001@here.org",
            Some("Röméo\r\nBcc: x@y"),
            "a@b.org",
            "9@here.org".into(),
            Timestamp(0),
        );
        let (data, mail) =
            write(Letterhead { uid, from, name, peer: &peer, to, id, at, parent }, &stanza, text)
                .expect("a mail");
        (String::from_utf8(data).expect("text"), mail)
    }

    #[test]
    fn an_answer_refers_to_what_it_answers() {
        let (text, mail) = written(
            Some(parent("Roses")),
            "<message xmlns='jabber:client' id='m1'><body>Red\n.\nones</body></message>",
        );
        for line in [
            "To: <a@b.org>\r\n",
            "Subject: Re: Roses\r\n",
            "Message-ID: <9@here.org>\r\n",
            "In-Reply-To: <2@x>\r\n",
            "References: <0@x> <1@x> <2@x>\r\n",
            "Date: Thu, ",
            "MIME-Version: 1.0\r\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert!(!text.contains("\nBcc:"), "{text}");
        assert_eq!(
            (mail.thread.as_str(), mail.refs.as_str(), mail.stanza.as_str()),
            ("t", "0@x 1@x 2@x", "m1")
        );
    }

    #[test]
    fn subjects_are_found() {
        let first = |text: &str| subject(None, text);
        assert_eq!(first("\n Hello  there\nyou"), "Hello there");
        assert_eq!(first(&"é".repeat(99)).chars().count(), SUBJECT + 1);
        assert_eq!(subject(Some(&parent("RE: Roses")), "x"), "RE: Roses");
        let (text, _) = written(
            Some(parent("a")),
            "<message xmlns='jabber:client'><subject>Own\n one</subject><body>x</body></message>",
        );
        assert!(text.contains("Subject: Own one\r\n"), "{text}");
    }
}
