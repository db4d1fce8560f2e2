//! What people write to phones: from the outbox into the queue of sendings, which carries it; and what its sender hears of it.

use super::{Gateway, address, limits};
use crate::mail::outgoing::is_encrypted;
use crate::reach::channel::{Urgency, Way};
use crate::sms::text::Parts;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::{Letter, NewSending, Outbound, StoreError};

impl Gateway {
    /// Takes what waits in the outbox, for as long as it is polled.
    pub(super) async fn write(&self) {
        let Some(bell) = self.component.bell() else { return };
        loop {
            match self.post().await {
                Ok(true) => self.core.reaching.notify_one(),
                Ok(false) => bell.notified().await,
                Err(error) => {
                    tracing::warn!(%error, "messages to phones wait");
                    tokio::time::sleep(limits::AGAIN).await;
                }
            }
        }
    }

    /// Takes what is in the outbox now; false when there is nothing.
    async fn post(&self) -> Result<bool, StoreError> {
        let store = &self.core.store;
        let waiting = store.outbox(&self.settings.host, limits::OUTBOX).await?;
        for outbound in &waiting {
            let Some((stanza, to)) = self.core.addressed_to(outbound) else {
                store.drop_outbound(outbound.id).await?;
                continue;
            };
            // Receipts, markers and reactions are for those who can hear them.
            let Some(text) = crate::pager::answers::said(&stanza) else {
                store.drop_outbound(outbound.id).await?;
                continue;
            };
            let peer = to.to_bare();
            let Some(error) = self.queue(outbound, &peer, &stanza, text).await? else { continue };
            self.refuse(outbound, &peer, &stanza, &error).await?;
        }
        Ok(!waiting.is_empty())
    }

    /// Into the queue with one message; or what its sender is told instead.
    async fn queue(
        &self,
        outbound: &Outbound,
        peer: &BareJid,
        stanza: &Stanza,
        text: String,
    ) -> Result<Option<StanzaError>, StoreError> {
        let Some(phone) = address::outside(peer) else { return Ok(Some(StanzaError::item_not_found())) };
        if is_encrypted(stanza) {
            let text = "What is encrypted for a messenger cannot be read on a phone.";
            return Ok(Some(StanzaError::not_acceptable().text(text)));
        }
        if text.len() > rookery_store::limits::SENDING_TEXT_BYTES
            || Parts::of(&text).parts.len() > limits::PARTS
        {
            let text = "This is too long for text messages.";
            return Ok(Some(StanzaError::not_acceptable().text(text)));
        }
        if self.settings.caps.account == 0 {
            let text = "Nobody may write to phones from here.";
            return Ok(Some(StanzaError::forbidden().text(text)));
        }
        let letter = Letter {
            uid: outbound.uid,
            peer: peer.to_string(),
            stanza: stanza.id().unwrap_or_default().into_owned(),
            receipt: stanza.has_child(ns::RECEIPTS, "request"),
        };
        let sending = NewSending {
            uid: outbound.uid,
            way: Way::Sms,
            address: phone,
            urgency: Urgency::Normal,
            case: None,
            title: String::new(),
            text,
            code: String::new(),
            at: self.core.env.now(),
        };
        match self.core.store.queue_letter(outbound.id, letter, sending, self.settings.caps).await {
            Ok(_) => Ok(None),
            Err(StoreError::Conflict) => {
                let text =
                    "This phone wants no messages from here (STOP). Its owner can change that with START.";
                Ok(Some(StanzaError::forbidden().text(text)))
            }
            Err(StoreError::Limit(_)) => {
                let text = "No more messages to phones can be sent today.";
                Ok(Some(StanzaError::resource_constraint().text(text)))
            }
            // An account that is gone by now says nothing any more.
            Err(StoreError::NotFound) => Ok(Some(StanzaError::item_not_found())),
            Err(error) => Err(error),
        }
    }

    /// Its sender is told, in the transaction that takes it out of the outbox: once, whatever comes between.
    async fn refuse(
        &self,
        outbound: &Outbound,
        peer: &BareJid,
        stanza: &Stanza,
        error: &StanzaError,
    ) -> Result<(), StoreError> {
        let (core, store) = (&self.core, &self.core.store);
        let id = stanza.id().unwrap_or_default();
        let member = core.directory.member(outbound.uid).await?;
        match member.and_then(|member| core.undelivered(&member, peer, &id, None, error).ok()) {
            Some(append) => store.refuse_outbound(outbound.id, append).await?.await.map(drop),
            None => store.drop_outbound(outbound.id).await,
        }
    }
}
