//! A letter that told of a message is answered: the answer goes into the conversation.
//!
//! Letters name an address with a ticket in it ([`rookery_core::ticket`]). Whoever writes to it must have the letter, and write from
//! the mailbox that it went to; nothing that a program writes by itself is taken. What is not taken is refused while the
//! other server is still there.

use super::Gateway;
use super::incoming::{Incoming, Refusal};
use super::{limits, reading};
use crate::reach::Answered;
use data_encoding::HEXLOWER;
use mail_parser::MessageParser;
use rookery_core::ticket::Errand;
use rookery_proto::error::StanzaError;
use rookery_store::{Sending, SendingRef, TicketHash, Timestamp};
use sha2::{Digest, Sha256};

mod quoted;

/// The name before the plus; nobody's account has it ([`rookery_proto::name::RESERVED`]).
const NAME: &str = "reply";

/// The address to answer with this ticket.
pub(super) fn address(ticket: &str, domain: &str) -> String {
    format!("{NAME}+{ticket}@{domain}")
}

/// The ticket in such an address.
pub(super) fn ticket<'a>(address: &'a str, domain: &str) -> Option<&'a str> {
    let (local, host) = address.rsplit_once('@')?;
    let (name, ticket) = local.split_once('+')?;
    (name.eq_ignore_ascii_case(NAME) && host.eq_ignore_ascii_case(domain)).then_some(ticket)
}

const LATER: Refusal = Refusal::Later("4.3.0 This does not work at the moment");

fn never(why: &str) -> Refusal {
    Refusal::Never(why.into())
}

impl Gateway {
    /// The letter that is answered with this ticket, by a mail with this reverse path. Programs that answer have none (RFC 3834
    /// §4), and nobody waits for their answers.
    pub(super) async fn answered(&self, ticket: &str, from: &str) -> Result<Option<Sending>, StanzaError> {
        if from.is_empty() {
            return Ok(None);
        }
        let sending = self.core.sending_of(Errand::Answer, ticket).await;
        sending.map_err(rookery_core::store_error)
    }

    /// Puts an answer into the conversation; how it is called in the log.
    pub(super) async fn take_answer(
        &self,
        envelope: &Incoming,
        sending: &Sending,
        data: Vec<u8>,
    ) -> Result<String, Refusal> {
        let id = format!("answer-{}", sending.id.0);
        let (_, junk) = self.judged(envelope, &id, &data).await?;
        if junk {
            return Err(never("5.7.1 This mail does not show that it is from whom it says"));
        }
        let digest = TicketHash(Sha256::digest(&data).into());
        let hostname = self.settings.hostname.clone();
        let reading = tokio::task::spawn_blocking(move || {
            (is_written_by_a_program(&data), reading::read(&data, &hostname))
        });
        let (program, letter) = reading.await.map_err(|_| LATER)?;
        if program {
            return Err(never("5.7.1 Answers that programs write are not taken here"));
        }
        if !letter.from.eq_ignore_ascii_case(&sending.what.address) {
            return Err(never("5.7.1 Answer from the address that the mail went to"));
        }
        let text = self.without_tickets(sending, quoted::without(&letter.text)).await?;
        if text.is_empty() {
            return Err(never("5.6.0 There is no text in this answer"));
        }
        // A server that did not hear `250` sends the mail again: it is known for some time, and has the same name in the log.
        let store = &self.core.store;
        if store.is_ticket_used(digest).await.map_err(|_| LATER)? {
            return Ok(id);
        }
        let name = format!("{id}-{}", HEXLOWER.encode(&digest.0[..16]));
        match self.reach.answered(SendingRef::Id(sending.id), &text, &name).await {
            Ok(Answered::Said) => {
                tracing::info!(id, peer = %envelope.peer, "a conversation was answered by mail");
                let now = self.core.env.now();
                let expires = Timestamp(now.0 + limits::ANSWER_KNOWN_MS);
                if let Err(error) = store.use_ticket(digest, expires, now).await {
                    tracing::warn!(id, %error, "an answer that comes again will be taken again");
                }
                Ok(id)
            }
            Ok(_) => Err(never("5.7.1 This conversation takes no answer any more")),
            Err(error) if error.condition == "policy-violation" => {
                Err(never("5.7.1 This server does not take this answer"))
            }
            Err(_) => Err(LATER),
        }
    }
}

impl Gateway {
    /// An answer without what is left of the letter that it answers, however a program quotes that: what the letter's tickets are good
    /// for is not the other side's.
    async fn without_tickets(&self, sending: &Sending, mut text: String) -> Result<String, Refusal> {
        for errand in [Errand::Enter, Errand::Stop, Errand::Answer] {
            let ticket = self.core.ticket(errand, sending).await.map_err(|_| LATER)?;
            // A line may have been broken at the hyphen.
            let mac = ticket.rsplit('-').next().unwrap_or(&ticket);
            if let Some(at) = text.to_ascii_lowercase().find(mac) {
                text.truncate(text[..at].rfind('\n').unwrap_or(0));
            }
        }
        text.truncate(text.trim_end().len());
        Ok(text)
    }
}

/// RFC 3834 §2, and what older programs say.
fn is_written_by_a_program(data: &[u8]) -> bool {
    let Some(mail) = MessageParser::default().parse_headers(data) else { return false };
    let says = |name: &str, yes: fn(&str) -> bool| {
        mail.header_raw(name).is_some_and(|value| yes(&value.trim().to_ascii_lowercase()))
    };
    says("Auto-Submitted", |value| !value.starts_with("no"))
        || says("Precedence", |value| matches!(value, "bulk" | "junk" | "list" | "auto_reply"))
        || says("X-Autoreply", |_| true)
        || says("X-Autorespond", |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_ticket() {
        let of = |address: &str| ticket(address, "here.org").map(str::to_owned);
        assert_eq!(of(&address("7-abc", "here.org")).as_deref(), Some("7-abc"));
        assert_eq!(of("REPLY+7-ABC@Here.org").as_deref(), Some("7-ABC"), "some servers do not keep the case");
        for other in ["alice+7-abc@here.org", "reply@here.org", "reply+7-abc@there.org", "reply+7-abc"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn programs_are_known_by_what_they_say() {
        for (head, program) in [
            ("Auto-Submitted: auto-replied (vacation)", true),
            ("Auto-Submitted: no", false),
            ("Precedence: bulk", true),
            ("X-Autoreply: yes", true),
            ("Subject: Auto-Submitted: auto-replied", false),
        ] {
            assert_eq!(is_written_by_a_program(format!("{head}\r\n\r\nhi").as_bytes()), program, "{head}");
        }
    }
}
