//! What people write to phones is a sending of which they hear as of a message: that it was delivered, or that it failed.

use super::Reach;
use super::channel::State;
use super::engine::nobody;
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::{Append, Letter, Sending, SendingId, Telling};

impl Reach {
    /// Tells who wrote what a sending carries, if it carries what somebody wrote.
    pub(super) async fn telling_of_letter(&self, sending: SendingId) -> Result<Telling, StanzaError> {
        let Some(letter) = self.core.store.letter(sending).await.map_err(store_error)? else {
            return Ok(nobody());
        };
        let member = self.core.directory.member(letter.uid).await.map_err(store_error)?;
        let (Some(member), Ok(peer)) = (member, BareJid::new(&letter.peer)) else { return Ok(nobody()) };
        let core = self.core.clone();
        Ok(Box::new(move |sending: &Sending| -> Option<Append> {
            match sending.state {
                State::Failed | State::Unknown => {
                    let condition = match sending.state {
                        State::Unknown => StanzaError::remote_server_timeout(),
                        _ => StanzaError::service_unavailable(),
                    };
                    let error = condition.text(why(sending));
                    core.undelivered(&member, &peer, &letter.stanza, None, &error).ok()
                }
                State::Delivered if letter.receipt => {
                    let receipt = receipt(&letter, member.address.as_str(), &core.env.token());
                    core.news(&member, &peer, receipt, None).ok()
                }
                _ => None,
            }
        }))
    }
}

/// Why a message did not arrive, or may not have.
fn why(sending: &Sending) -> &str {
    match sending.state {
        State::Unknown => "It may have been sent: the carrier did not answer.",
        _ if sending.trouble.is_empty() => "The carrier could not deliver it.",
        _ => &sending.trouble,
    }
}

/// XEP-0184 §5.1, in the name of the phone.
fn receipt(letter: &Letter, to: &str, id: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", &letter.peer).attr("to", to).attr("type", "chat").attr("id", id);
    x.open_ns("received", ns::RECEIPTS).attr("id", &letter.stanza).close().close();
    x.into_vec()
}
