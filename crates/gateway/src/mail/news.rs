//! What becomes of mails that people have sent, told in the conversation: as an error of their message, as a line that it is late, as a
//! receipt. It comes from our own queue, or from other servers' reports.

use super::report::{Action, Outcome, Report};
use super::{Gateway, address};
use rookery_core::member::Member;
use rookery_proto::error::{ErrorType, StanzaError};
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::{Append, Mail, StoreError};

/// A message that became a mail.
pub(super) struct Sent<'a> {
    pub(super) sender: &'a Member,
    pub(super) peer: &'a BareJid,
    /// The `id` of the message.
    pub(super) stanza: &'a str,
    /// Names the news for good, where others bring it; what they bring again is known.
    pub(super) once: Option<&'a str>,
}

/// What a mail server means, by its enhanced code (RFC 3463 §3), with its words behind it.
pub(super) fn explain(status: &str, said: &str) -> StanzaError {
    let mut parts = status.split('.').skip(1);
    let (error, text) = match (parts.next().unwrap_or(""), parts.next().unwrap_or("")) {
        ("1", "2" | "10") | ("4", "4") => {
            (StanzaError::remote_server_not_found(), "No mail goes to this domain.")
        }
        ("1", "7" | "8") => {
            (StanzaError::not_allowed(), "The other mail server does not take mail from your address.")
        }
        ("1", _) => (StanzaError::item_not_found(), "Nobody has this address."),
        ("2", "2") => (StanzaError::resource_constraint().kind(ErrorType::Cancel), "The mailbox is full."),
        ("2", "3") | ("3", "4") => {
            (StanzaError::not_acceptable(), "The mail is too large for the other side.")
        }
        ("2", _) => (StanzaError::item_not_found(), "The mailbox takes no mail."),
        ("4", _) => (StanzaError::remote_server_timeout(), "The mail could not be brought there in time."),
        ("6", _) => (StanzaError::not_acceptable(), "The other mail server cannot handle such a mail."),
        ("7", _) => (StanzaError::not_allowed(), "The other mail server does not let this mail in."),
        _ => (StanzaError::service_unavailable(), "The mail was refused."),
    };
    match said.trim() {
        "" if status.is_empty() => error.text(text),
        "" => error.text(format!("{text} ({status})")),
        said => error.text(format!("{text} ({said})")),
    }
}

/// The enhanced code in a reply (RFC 2034 §4); empty: there is none.
pub(super) fn status(reply: &str) -> &str {
    let is_code = |word: &&str| {
        let mut parts = word.split('.');
        let digits = |part: Option<&str>| {
            part.is_some_and(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
        };
        digits(parts.next()) && digits(parts.next()) && digits(parts.next()) && parts.next().is_none()
    };
    reply.split_whitespace().nth(1).filter(is_code).unwrap_or_default()
}

impl Gateway {
    /// It has failed: an error to the message.
    pub(super) fn failed(&self, sent: &Sent<'_>, error: &StanzaError) -> Result<Append, StanzaError> {
        self.core.undelivered(sent.sender, sent.peer, sent.stanza, sent.once, error)
    }

    /// It is late: a line in the conversation that every client shows, and in it for programs which message it is about.
    pub(super) fn late(&self, sent: &Sent<'_>, said: &str) -> Result<Append, StanzaError> {
        let mut text =
            String::from("Your mail has not arrived yet. It is tried again and again, for five days.");
        if !said.is_empty() {
            text.push_str(&format!(" So far: {said}"));
        }
        let mut x = self.open(sent);
        x.text_element("body", &text);
        x.open_ns("delivery", ns::MAIL).attr("id", sent.stanza).attr("state", "delayed").close();
        x.close();
        self.core.news(sent.sender, sent.peer, x.into_vec(), sent.once)
    }

    /// It was delivered (XEP-0184 §5.3): not read, and not only handed on.
    fn delivered(&self, sent: &Sent<'_>) -> Result<Append, StanzaError> {
        let mut x = self.open(sent);
        x.open_ns("received", ns::RECEIPTS).attr("id", sent.stanza).close();
        x.close();
        self.core.news(sent.sender, sent.peer, x.into_vec(), sent.once)
    }

    fn open(&self, sent: &Sent<'_>) -> Xml {
        let mut x = Xml::new();
        x.open("message").attr("from", sent.peer.as_str()).attr("to", sent.sender.address.as_str());
        x.attr("type", "chat").attr("id", &format!("mail-{}", self.core.env.token()));
        x
    }

    /// Another server's report, if it is of a mail that this account has sent to somebody it is about; false if it is not.
    ///
    /// Anybody can write such a report. What makes it believed is the name of the mail, which is random and was told to nobody but
    /// the one recipient that each of our mails has.
    pub(super) async fn reported(
        &self,
        sender: &Member,
        report: &Report,
        once: &str,
    ) -> Result<bool, StoreError> {
        let envelope = format!("{}@{}", report.envelope, self.settings.domain);
        let mut mail = None;
        for name in [envelope.as_str(), &report.original] {
            if mail.is_none() && !name.is_empty() {
                let found = self.core.store.mail_named(sender.uid, name).await?;
                mail = found.filter(|mail| mail.raw.is_none());
            }
        }
        let Some(mail) = mail else { return Ok(false) };
        let Some(outcome) = report.outcomes.iter().find(|outcome| self.is_about(outcome, &mail)) else {
            return Ok(false);
        };
        let sent = Sent { sender, peer: &mail.peer, stanza: &mail.stanza, once: Some(once) };
        let append = match outcome.action {
            Action::Failed => self.failed(&sent, &explain(&outcome.status, &outcome.said)),
            Action::Delayed => self.late(&sent, &outcome.said),
            Action::Delivered => self.delivered(&sent),
            // Where nobody reports: that is no news to a person.
            Action::Passed => return Ok(true),
        };
        tracing::info!(id = once, action = ?outcome.action, status = outcome.status, "a mail server has reported");
        let append = append.map_err(|_| StoreError::Internal)?;
        self.core.store.append(append).await?.await?;
        Ok(true)
    }

    fn is_about(&self, outcome: &Outcome, mail: &Mail) -> bool {
        let peer = |address: &String| address::inside(address, &self.settings.host);
        outcome.recipients.iter().filter_map(peer).any(|peer| peer == mail.peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_plain_words() {
        for (reply, condition, begin) in [
            ("550 5.1.1 gone away", "item-not-found", "Nobody has this address. (550"),
            ("552 5.2.2 full", "resource-constraint", "The mailbox is full."),
            ("550 5.7.1 policy", "not-allowed", "The other mail server does not let"),
            ("550 5.1.10 null MX", "remote-server-not-found", "No mail goes"),
            ("554 rejected", "service-unavailable", "The mail was refused. (554 rejected)"),
        ] {
            let error = explain(status(reply), reply);
            assert_eq!(error.condition, condition, "{reply}");
            assert!(error.text.as_deref().is_some_and(|text| text.starts_with(begin)), "{error:?}");
        }
        assert_eq!(explain("5.1.1", "").text.as_deref(), Some("Nobody has this address. (5.1.1)"));
        assert_eq!((status("550 5.1 x"), status("550 5.1.1.1 x"), status("550")), ("", "", ""));
    }
}
