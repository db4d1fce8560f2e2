//! What a mail says, as far as a messenger shows it. Nothing of it is believed to be well made.

use super::report::{self, Report};
use super::{fields, limits};
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders, PartType};

/// A mail as it is read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    /// The author's address (RFC 5322 §3.6.2); empty: there is none.
    pub(super) from: String,
    /// The author's name; empty: there is none.
    pub(super) name: String,
    /// Empty: there is none.
    pub(super) subject: String,
    /// What can be read of it without anything else, with LF between its lines.
    pub(super) text: String,
    /// There is more to see than the text: it is written in HTML, or was cut.
    pub(super) more: bool,
    /// Its Message-ID, without angle brackets; empty: there is none.
    pub(super) id: String,
    /// What it answers and refers to, the oldest first.
    pub(super) references: Vec<String>,
    /// Files in it.
    pub(super) attachments: Vec<Attachment>,
    /// `Received` fields.
    pub(super) hops: usize,
    /// Those of them that name this host.
    pub(super) own_hops: usize,
    /// What it says of another mail, if it is a report.
    pub(super) report: Option<Report>,
}

/// A file in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attachment {
    pub(super) name: String,
    pub(super) media_type: String,
    /// Part of what is shown.
    pub(super) inline: bool,
    pub(super) data: Vec<u8>,
}

/// Reads a mail. `hostname` is what this server calls itself in `Received`.
pub(super) fn read(data: &[u8], hostname: &str) -> Letter {
    let Some(message) = MessageParser::default().parse(data) else { return Letter::default() };
    let author = message.from().and_then(|from| from.first()).or_else(|| message.sender()?.first());
    let attachments = attachments(&message);
    let text = texts(&message, &attachments);
    let cut = text.len() > limits::TEXT;
    let html = message.html_bodies().any(|part| matches!(part.body, PartType::Html(_)));
    let by = format!("by {} ", hostname.to_ascii_lowercase());
    let received = || message.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case("Received"));
    Letter {
        from: author.and_then(|author| author.address()).unwrap_or_default().trim().to_owned(),
        name: line(author.and_then(|author| author.name()).unwrap_or_default()),
        subject: line(message.subject().unwrap_or_default()),
        text: shorten(text),
        more: html || cut,
        id: id(message.message_id().unwrap_or_default()),
        references: references(&message),
        attachments,
        hops: received().count(),
        report: report::read(&message),
        own_hops: received().filter(|(_, value)| value.to_ascii_lowercase().contains(&by)).count(),
    }
}

/// All that is text, in its order; of what is in HTML alone, the words. Where parts are not where their container says, the content as
/// it stands: better that than a mail of which nothing is seen.
fn texts(message: &Message<'_>, files: &[Attachment]) -> String {
    let text = parts(message);
    let container = message.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("multipart"));
    if !container || !text.is_empty() || !files.is_empty() {
        return text;
    }
    let content = fields::split(message.raw_message()).1;
    clean(&String::from_utf8_lossy(&content[..content.len().min(limits::TEXT + 1)])).trim().to_owned()
}

/// The parts that are text.
fn parts(message: &Message<'_>) -> String {
    let mut all = String::new();
    for at in 0..message.text_body_count() {
        let Some(text) = message.body_text(at) else { continue };
        let text = clean(&text);
        let text = text.trim();
        if !all.is_empty() && !text.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(text);
        if all.len() > limits::TEXT {
            break;
        }
    }
    all
}

fn shorten(mut text: String) -> String {
    if text.len() > limits::TEXT {
        text.truncate(text.floor_char_boundary(limits::TEXT));
        text.push_str("\n…");
    }
    text
}

/// Text as XML can have it (XML 1.0 §2.2), with LF between lines.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\t' | '\n' => out.push(c),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A text of one line, and no longer than a line is.
fn line(text: &str) -> String {
    let words = clean(text);
    let mut line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    line.truncate(line.floor_char_boundary(rookery_store::limits::MAIL_NAME_BYTES));
    line
}

/// A Message-ID, if it can be one: it stands in a header again when it is answered.
pub(super) fn id(text: &str) -> String {
    let text = text.trim().trim_start_matches('<').trim_end_matches('>');
    let fits = text.len() <= 250
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace() && c != '<' && c != '>');
    if fits { text.to_owned() } else { String::new() }
}

/// RFC 5322 §3.6.4: References, and In-Reply-To where it names something else.
fn references(message: &Message<'_>) -> Vec<String> {
    let mut ids = Vec::new();
    for value in [message.references(), message.in_reply_to()] {
        let texts: Vec<&str> = match value {
            HeaderValue::Text(text) => vec![text],
            HeaderValue::TextList(list) => list.iter().map(|text| text.as_ref()).collect(),
            _ => continue,
        };
        let new = texts.into_iter().map(id).filter(|id| !id.is_empty());
        for id in new {
            if !ids.contains(&id) {
                ids.push(id);
            }
            if ids.len() > limits::REFERENCES {
                // The first begins the thread, the last are nearest.
                ids.remove(1);
            }
        }
    }
    ids
}

fn attachments(message: &Message<'_>) -> Vec<Attachment> {
    let parts = message.attachments().take(limits::ATTACHMENTS).enumerate();
    let attachment = |(at, part): (usize, &mail_parser::MessagePart<'_>)| {
        let (data, usual) = match &part.body {
            PartType::Message(inner) => (inner.raw_message().to_vec(), "message/rfc822"),
            PartType::Text(text) => (text.as_bytes().to_vec(), "text/plain"),
            PartType::Html(html) => (html.as_bytes().to_vec(), "text/html"),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                (bytes.to_vec(), "application/octet-stream")
            }
            PartType::Multipart(_) => return None,
        };
        if data.is_empty() {
            return None;
        }
        let said = part.content_type().map(|kind| match kind.subtype() {
            Some(subtype) => format!("{}/{subtype}", kind.ctype()),
            None => kind.ctype().to_owned(),
        });
        let media_type = said.filter(|kind| is_media_type(kind)).unwrap_or_else(|| usual.to_owned());
        let inline = part.content_id().is_some()
            && part.content_disposition().is_none_or(|disposition| disposition.is_inline());
        let name = file_name(part.attachment_name().unwrap_or_default(), &media_type, at + 1);
        Some(Attachment { name, media_type: media_type.to_ascii_lowercase(), inline, data })
    };
    parts.filter_map(attachment).collect()
}

/// RFC 6838 §4.2.
fn is_media_type(kind: &str) -> bool {
    let name = |name: &str| {
        (1..=60).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    kind.split_once('/').is_some_and(|(kind, subtype)| name(kind) && name(subtype))
}

/// The name of a file, without folders; one is made where there is none.
fn file_name(said: &str, media_type: &str, number: usize) -> String {
    let name = line(said);
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let mut name: String = name.chars().filter(|c| !c.is_control() && *c != '\u{fffd}').collect();
    name.truncate(name.floor_char_boundary(rookery_store::limits::FILE_NAME_BYTES));
    if name.chars().all(|c| c == '.') {
        let ending = match media_type {
            "message/rfc822" => ".eml",
            "text/plain" => ".txt",
            "text/html" => ".html",
            "image/jpeg" => ".jpg",
            "image/png" => ".png",
            "image/gif" => ".gif",
            "application/pdf" => ".pdf",
            _ => "",
        };
        return format!("attachment-{number}{ending}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(text: &str) -> Letter {
        read(text.replace('\n', "\r\n").as_bytes(), "here.example")
    }

    #[test]
    fn a_plain_mail_is_read() {
        let letter = letter(
            "Received: from a by here.example with ESMTP\nReceived: from b\n\tby there.example\nFrom: \"Romeo M.\" <romeo@example.org>\n\
             Subject: =?utf-8?q?J=C3=BCliet?=\nMessage-ID: <2@x>\nReferences: <0@x> <1@x>\nIn-Reply-To: <1@x>\n\nWhat light\nis that?\n",
        );
        assert_eq!((letter.from.as_str(), letter.name.as_str()), ("romeo@example.org", "Romeo M."));
        assert_eq!((letter.subject.as_str(), letter.text.as_str()), ("Jüliet", "What light\nis that?"));
        assert_eq!((letter.id.as_str(), letter.references), ("2@x", vec!["0@x".into(), "1@x".into()]));
        assert_eq!((letter.hops, letter.own_hops, letter.more), (2, 1, false));
    }

    #[test]
    fn parts_become_text_and_files() {
        let letter = letter(
            "From: a@b.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\
             Content-Type: multipart/alternative; boundary=y\n\n--y\nContent-Type: text/plain\n\nplain\n--y\n\
             Content-Type: text/html\n\n<p>rich</p>\n--y--\n--x\nContent-Type: application/pdf; name=\"../../etc/pass wd.pdf\"\n\
             Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n--x--\n",
        );
        assert_eq!((letter.text.as_str(), letter.more), ("plain", true));
        let file = &letter.attachments[0];
        assert_eq!((file.name.as_str(), file.media_type.as_str()), ("pass wd.pdf", "application/pdf"));
        assert_eq!((file.data.as_slice(), file.inline), (b"hello".as_slice(), false));
    }

    #[test]
    fn html_alone_becomes_words() {
        let letter = letter(
            "From: a@b.org\nContent-Type: text/html\n\n<style>p{}</style><p>Good &amp; <b>bold</b></p><script>x()</script>\n",
        );
        assert!(letter.text.contains("Good & bold") && letter.more, "{:?}", letter.text);
        assert!(!letter.text.contains("p{}") && !letter.text.contains("x()"), "{:?}", letter.text);
    }

    #[test]
    fn nothing_is_lost_of_a_container_without_parts() {
        for content in ["Wherefore\n", "--x--\nWherefore\n", "--y\n\nWherefore\n"] {
            let letter =
                letter(&format!("From: a@b.org\nContent-Type: multipart/mixed; boundary=x\n\n{content}"));
            // Either it stands in the text, or in a file.
            let in_file = |file: &Attachment| String::from_utf8_lossy(&file.data).contains("Wherefore");
            let seen = letter.text.contains("Wherefore") || letter.attachments.iter().any(in_file);
            assert!(seen, "{content:?}: {letter:?}");
        }
    }

    /// Kinds of broken mail that there are: none of them is lost or stops anything.
    #[test]
    fn what_is_badly_made_is_read_as_far_as_it_goes() {
        let deep = (0..200).fold(String::from("From: a@b.org\n"), |mail, at| {
            format!("{mail}Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n")
        });
        let wrapped = "From: a@b.org\nContent-Type: message/rfc822\n\n".repeat(100);
        for text in [
            "",
            "\n",
            "x",
            ":",
            "From:\n\n",
            "From: <\n\nx",
            "From: a@b.org",
            "From: =?x?q?=FF?= <a@b.org>\n\nx",
            "From: a@b.org\nContent-Type: multipart/mixed\n\nno boundary\n",
            "From: a@b.org\nContent-Type: multipart/mixed; boundary=\"\"\n\n--\nx\n----\n",
            "From: a@b.org\nContent-Type: multipart/mixed; boundary=x\n\n--x\n",
            "From: a@b.org\nContent-Type: text/plain; charset=nowhere\nContent-Transfer-Encoding: base64\n\n====\n",
            "From: a@b.org\nContent-Transfer-Encoding: quoted-printable\n\n=\n=4\n=GG\n",
            "From: a@b.org\nContent-Type: text/plain; name*0*=utf-8''%FF; name*9=x\n\nx\n",
            "From: a@b.org, , <>, x:;\nSubject: \0\x01\u{fffe}\nMessage-ID: <<<>>> <a b>\nReferences: x y <z\n\n\0\x0b\n",
            &deep,
            &wrapped,
        ] {
            let letter = letter(text);
            let allowed = |c: char| c >= ' ' || c == '\n' || c == '\t';
            assert!(letter.text.chars().all(allowed), "{text:?}");
            assert!(
                letter.subject.chars().all(allowed) && letter.references.iter().all(|id| !id.contains(' '))
            );
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let letter = letter(&format!(
            "From: a@b.org\nContent-Type: text/plain; charset=utf-8\n\n{}",
            "é".repeat(limits::TEXT)
        ));
        assert!(letter.text.len() <= limits::TEXT + 5 && letter.text.ends_with('…') && letter.more);
    }

    #[test]
    fn references_keep_their_ends() {
        let all: String = (0..100).map(|at| format!(" <{at}@x>")).collect();
        let letter = letter(&format!("From: a@b.org\nReferences:{all}\n\n"));
        assert_eq!(letter.references.len(), limits::REFERENCES);
        assert_eq!((letter.references[0].as_str(), letter.references[1].as_str()), ("0@x", "81@x"));
    }
}
