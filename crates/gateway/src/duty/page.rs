//! A page as it is told: an urgent message of the group, which says who calls.

use super::{Desk, rota};
use bytes::Bytes;
use rookery_core::member::Member;
use rookery_core::store_error;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::{Edit, Stanza};
use rookery_proto::xml::Xml;
use rookery_store::{Append, Appended, Choice, Duty, NewCall, NewDutyPage, StoreError, Timestamp, Urgency};
use std::sync::Arc;

/// A page on its way to a group.
pub(crate) struct Arriving<'a> {
    /// Who calls, as people read it; empty: nobody says.
    pub(crate) from: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
    /// Answers to choose from.
    pub(crate) choices: &'a [Choice],
    /// The account that wrote, and its message in the outbox.
    pub(crate) caller: Option<(Uid, u64)>,
    /// The `id` of what the caller wrote.
    pub(crate) stanza: &'a str,
    /// By what it is asked for.
    pub(crate) ticket: Option<(u64, u64)>,
}

impl Desk {
    /// Somebody of a group who can be told, and was not.
    pub(super) async fn next_person(
        &self,
        duty: &Duty,
        told: &[Uid],
        at: Timestamp,
    ) -> Result<Option<Arc<Member>>, StoreError> {
        for uid in rota::chain(duty, at).into_iter().filter(|uid| !told.contains(uid)) {
            let member = self.core.directory.member(uid).await?;
            let peer = self.address(&duty.name).map(Jid::from);
            let takes = |member: &Arc<Member>| {
                !member.disabled && peer.as_ref().is_none_or(|peer| !member.blocks(peer))
            };
            if let Some(member) = member.filter(takes) {
                return Ok(Some(member));
            }
        }
        Ok(None)
    }

    /// A page is told to whoever is on duty. False: nobody is. What was told before is not told again.
    pub(crate) async fn take(&self, duty: &Duty, page: &Arriving<'_>) -> Result<bool, StanzaError> {
        let now = self.core.env.now();
        let Some(peer) = self.address(&duty.name) else { return Ok(false) };
        let Some(first) = self.next_person(duty, &[], now).await.map_err(store_error)? else {
            return Ok(false);
        };
        let body: Bytes = written(&peer, page).into();
        let append = self.told(&first, &peer, &body)?;
        let call = page.ticket.map(|(tag, pass)| NewCall {
            tag,
            pass,
            uid: first.uid,
            peer: peer.clone(),
            stanza: page.stanza.to_owned(),
            at: now,
            choices: page.choices.to_vec(),
            reply: true,
        });
        let (caller, outbound) = page.caller.unzip();
        let next = self.next_look(duty.patience, now, now);
        let (duty, stanza) = (duty.name.clone(), page.stanza.to_owned());
        let new = NewDutyPage { duty, peer, caller, stanza, body, at: now, next };
        let opened = self.core.store.open_duty_page(outbound, new, append, call).await;
        self.component.ring();
        opened
            .map(|appended| matches!(appended, Appended::Stored(_) | Appended::Duplicate))
            .map_err(store_error)
    }

    /// The message of a page to one person. It reaches who is not here as urgent, whoever their contacts are.
    pub(super) fn told(&self, to: &Member, peer: &BareJid, body: &[u8]) -> Result<Append, StanzaError> {
        let stanza = Stanza::parse(body).map_err(|_| StanzaError::internal_server_error())?;
        let set = [("to", to.address.as_str())];
        let stanza = stanza.render(&Edit { set: &set, ..Edit::default() });
        self.core.reminder(to, peer, stanza, Urgency::Urgent)
    }
}

/// The message, without whom it is for.
fn written(peer: &BareJid, page: &Arriving<'_>) -> Vec<u8> {
    let mut body = match page.from {
        "" => format!("‼️ {}", page.text),
        from => format!("‼️ {from}: {}", page.text),
    };
    for choice in page.choices {
        body += &format!("\n{}: {}", choice.code, choice.text);
    }
    let mut x = Xml::new();
    x.open("message").attr("from", peer.as_str()).attr("type", "chat").attr("id", page.stanza);
    x.text_element("body", &body);
    x.open_ns("urgency", ns::URGENCY).attr("level", Urgency::Urgent.name()).close();
    x.close();
    x.into_vec()
}
