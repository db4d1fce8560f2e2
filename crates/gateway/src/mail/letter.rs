//! Mails that the server writes itself. A letter is said once and written twice: as plain text, and as simple HTML that asks for
//! nothing from anywhere.

use super::route::Route;
use super::smtp::client::{Failure, Outgoing};
use super::{Gateway, address, incoming, limits};
use crate::reach::channel::Handed;
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use rookery_store::Timestamp;
use std::fmt::Write;
use std::sync::Arc;

/// Who writes them, at the server's domain, where nobody reads what is answered.
const WRITER: &str = "no-reply";

/// A letter to one person.
pub struct Letter<'a> {
    /// What it is called: letters, digits and hyphens; the same at each attempt, so that who has it already can tell.
    pub name: &'a str,
    /// To whom.
    pub to: &'a str,
    /// The language that it is in, by its tag (RFC 5646).
    pub language: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub parts: &'a [Part],
    /// Where answers go to; `None`: nobody reads them.
    pub answers: Option<String>,
    /// Where one stops such letters with one click (RFC 8058); `None`: one has asked for it.
    pub stop: Option<String>,
}

/// A part of a letter.
pub enum Part {
    /// Words; lines that are broken stay so.
    Words(String),
    /// What somebody said, each in a line of its own.
    Said(Vec<String>),
    /// A place to go.
    Link {
        /// What one finds there.
        label: String,
        /// Its address.
        url: String,
    },
    /// What is said by the way.
    Aside(String),
}

/// Sends letters.
pub struct Letters {
    gateway: Arc<Gateway>,
    route: Route,
}

impl Letters {
    /// By this way out.
    pub fn new(gateway: Arc<Gateway>, route: Route) -> Letters {
        Letters { gateway, route }
    }

    /// Hands a letter at once to a server that takes it. The queue and the patience are the caller's.
    pub async fn hand(&self, letter: &Letter<'_>) -> Handed {
        let Some((_, domain)) = address::halves(letter.to) else {
            return Handed::refused("This is no address that mail can be sent to.");
        };
        let settings = &self.gateway.settings;
        let Some(data) = write(letter, &settings.domain) else {
            return Handed::refused("No mail can be made of this.");
        };
        let data = [(settings.sign)(&data).into_bytes(), data].concat();
        // Without a reverse path nobody answers by machine (RFC 3834 §4).
        let mail =
            Outgoing { sender: "", recipient: letter.to, envelope: letter.name, receipt: false, data: &data };
        let opening = limits::OPENING_LETTER;
        match self.gateway.hand_on(&self.route, &domain.to_lowercase(), &mail, opening).await {
            Ok(()) => Handed::accepted(letter.name),
            Err(Failure::Unreached(why) | Failure::Later(why)) => Handed::deferred(why),
            Err(Failure::Never(why)) => Handed::refused(why),
            Err(Failure::Unknown(why)) => Handed::unknown(why),
        }
    }
}

fn write(letter: &Letter<'_>, domain: &str) -> Option<Vec<u8>> {
    let Timestamp(at) = letter.at;
    let mut mail = MessageBuilder::new()
        .from((domain.to_owned(), format!("{WRITER}@{domain}")))
        .to(letter.to)
        .subject(incoming::one_line(letter.subject))
        .date(at.div_euclid(1000))
        .message_id(format!("{}@{domain}", letter.name))
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .text_body(plain(letter.parts).replace('\n', "\r\n"))
        .html_body(html(letter).replace('\n', "\r\n"));
    if let Some(answers) = &letter.answers {
        mail = mail.reply_to((domain.to_owned(), answers.clone()));
    }
    if let Some(stop) = &letter.stop {
        // RFC 8058 §3.1.
        mail = mail.header("List-Unsubscribe", Raw::new(format!("<{stop}>")));
        mail = mail.header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
    }
    mail.write_to_vec().ok()
}

/// Lines as they are written, whatever ended them where they came from.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn plain(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        if !text.is_empty() {
            text.push('\n');
        }
        match part {
            Part::Words(words) | Part::Aside(words) => text.push_str(&lines(words)),
            Part::Said(said) => {
                let said: Vec<String> = said.iter().map(|one| format!("- {}", lines(one))).collect();
                text.push_str(&said.join("\n"));
            }
            Part::Link { label, url } => text.push_str(&format!("{label}:\n{url}")),
        }
        text.push('\n');
    }
    text
}

/// Looks like the messenger, in styles of its own elements: mail programs throw others away.
fn html(letter: &Letter<'_>) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-family:sans-serif;line-height:1.5;max-width:36em\">\n",
        escaped(letter.language),
        escaped(letter.subject)
    );
    for part in letter.parts {
        // Writing into a string does not fail.
        let _ = match part {
            Part::Words(words) => writeln!(page, "<p>{}</p>", broken(words)),
            Part::Aside(words) => {
                writeln!(page, "<p style=\"color:#5b6875;font-size:85%\">{}</p>", broken(words))
            }
            Part::Said(said) => {
                let rows: String = said.iter().map(|one| format!("<li>{}</li>\n", broken(one))).collect();
                writeln!(page, "<ul>\n{rows}</ul>")
            }
            Part::Link { label, url } => writeln!(
                page,
                "<p><a href=\"{}\" style=\"display:inline-block;padding:.6em 1.2em;border-radius:.6em;\
                 background:#14599b;color:#fff;text-decoration:none\">{}</a></p>",
                escaped(url),
                escaped(label)
            ),
        };
    }
    page + "</body></html>\n"
}

fn broken(text: &str) -> String {
    escaped(&lines(text)).replace('\n', "<br>\n")
}

/// Text as it stands in HTML, in attributes too.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::MessageParser;

    #[test]
    fn a_letter_is_said_once_and_written_twice() {
        let parts = [
            Part::Words("From romeo:\r\nhello".into()),
            Part::Said(vec!["<script>alert(1)</script>".into(), "come & see".into()]),
            Part::Link { label: "Open".into(), url: "https://here.org/#/a?b=\"c\"&d".into() },
            Part::Aside("Goodbye".into()),
        ];
        let letter = Letter {
            name: "notice-7",
            to: "juliet@verona.example",
            language: "en",
            subject: "Two messages\r\nBcc: x@y",
            at: Timestamp(0),
            parts: &parts,
            answers: Some("reply+1-abc@here.org".into()),
            stop: Some("https://here.org/account/stop/1-abc".into()),
        };
        let mail = write(&letter, "here.org").expect("a mail");
        let head = String::from_utf8_lossy(&mail).into_owned();
        for line in [
            "From: \"here.org\" <no-reply@here.org>\r\n",
            "To: <juliet@verona.example>\r\n",
            "Subject: Two messages Bcc: x@y\r\n",
            "Message-ID: <notice-7@here.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Reply-To: \"here.org\" <reply+1-abc@here.org>\r\n",
            "List-Unsubscribe: <https://here.org/account/stop/1-abc>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
        ] {
            assert!(head.contains(line), "{line:?} in {head}");
        }
        let read = MessageParser::default().parse(&mail).expect("it is a mail");
        let text = read.body_text(0).expect("text").replace("\r\n", "\n");
        assert!(text.starts_with("From romeo:\nhello\n\n- <script>"), "{text}");
        assert!(text.contains("Open:\nhttps://here.org/#/a?b=\"c\"&d\n"), "{text}");
        let html = read.body_html(0).expect("HTML");
        assert!(html.contains("<li>&lt;script&gt;alert(1)&lt;/script&gt;</li>"), "{html}");
        assert!(html.contains("href=\"https://here.org/#/a?b=&quot;c&quot;&amp;d\""), "{html}");
    }
}
