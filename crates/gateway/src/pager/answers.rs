//! What people write to a caller answers a page of the caller's that asked for it; a caller that asked nothing hears nothing,
//! and whoever wrote is told so.

use super::{Gateway, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::{Call, CallAnswer, Choice, Outbound, StoreError};

impl Gateway {
    /// Takes what waits in the outbox, for as long as it is polled.
    pub(super) async fn answer(&self) {
        let Some(bell) = self.component.bell() else { return };
        loop {
            match self.post().await {
                Ok(true) => {}
                Ok(false) => bell.notified().await,
                Err(error) => {
                    tracing::warn!(%error, "answers to pages wait");
                    tokio::time::sleep(limits::AGAIN).await;
                }
            }
        }
    }

    /// Takes what is in the outbox now; false when there is nothing.
    pub(super) async fn post(&self) -> Result<bool, StoreError> {
        // One at a time: each message is one answer.
        let _turn = self.posting.lock().await;
        let store = &self.core.store;
        let waiting = store.outbox(&self.settings.host, limits::OUTBOX).await?;
        for outbound in &waiting {
            let Some((stanza, to)) = self.core.addressed_to(outbound) else {
                store.drop_outbound(outbound.id).await?;
                continue;
            };
            // Receipts, markers and reactions are for those who can hear them.
            let Some(text) = said(&stanza) else {
                store.drop_outbound(outbound.id).await?;
                continue;
            };
            let peer = to.to_bare();
            match self.asked_for(outbound, &peer, &stanza).await? {
                Some(call) => {
                    let choice = chosen(&call.call.choices, &text);
                    let answer = CallAnswer { at: outbound.at, choice, text };
                    store.answer_call(call.call.tag, outbound.id, answer).await?;
                }
                None => self.refuse(outbound, &peer, &stanza).await?,
            }
        }
        Ok(!waiting.is_empty())
    }

    /// The page that a message answers: the one that it names (XEP-0461), or the latest.
    async fn asked_for(
        &self,
        outbound: &Outbound,
        peer: &BareJid,
        stanza: &Stanza,
    ) -> Result<Option<Call>, StoreError> {
        let named =
            stanza.child(ns::REPLY, "reply").and_then(|reply| reply.attr("id").map(|id| id.to_string()));
        self.core.store.waiting_call(outbound.uid, peer.clone(), named).await
    }

    /// Its sender is told, and it is out of the outbox, in one transaction.
    async fn refuse(&self, outbound: &Outbound, peer: &BareJid, stanza: &Stanza) -> Result<(), StoreError> {
        let store = &self.core.store;
        let Some(member) = self.core.directory.member(outbound.uid).await? else {
            return store.drop_outbound(outbound.id).await;
        };
        let text = "Nobody waits for an answer there: the page was a one-way page, or it is answered.";
        let error = StanzaError::not_acceptable().text(text);
        let id = stanza.id().unwrap_or_default();
        match self.core.undelivered(&member, peer, &id, None, &error) {
            Ok(append) => store.refuse_outbound(outbound.id, append).await?.await.map(drop),
            Err(_) => store.drop_outbound(outbound.id).await,
        }
    }
}

/// What a person says in a message, without what is quoted for those who know no replies (XEP-0461 §3.1).
pub(crate) fn said(stanza: &Stanza) -> Option<String> {
    let body = stanza.child(ns::CLIENT, "body")?.text().to_string();
    let quoted = stanza.children().find(|child| {
        child.ns() == ns::FALLBACK
            && child.name() == "fallback"
            && child.attr("for").as_deref() == Some(ns::REPLY)
    });
    let range = quoted.and_then(|fallback| {
        let part = fallback.child(ns::FALLBACK, "body")?;
        let at = |name| part.attr(name)?.parse::<usize>().ok();
        Some((at("start")?, at("end")?))
    });
    let text: String = match range {
        Some((start, end)) => {
            body.chars().enumerate().filter(|(at, _)| *at < start || *at >= end).map(|(_, c)| c).collect()
        }
        None => body,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The answer to choose from that a text is: its code, its words, or both as they stand in the message.
pub(crate) fn chosen(choices: &[Choice], text: &str) -> Option<String> {
    let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
    let is = |choice: &&Choice| {
        let both = format!("{}: {}", choice.code, choice.text);
        [choice.code.as_str(), choice.text.as_str(), both.as_str()].into_iter().any(|form| same(form, text))
    };
    choices.iter().find(is).map(|choice| choice.code.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(xml: &str) -> Stanza {
        Stanza::parse(xml.as_bytes()).unwrap()
    }

    #[test]
    fn quotations_are_no_answers() {
        let with = |body: &str, more: &str| stanza(&format!("<message><body>{body}</body>{more}</message>"));
        assert_eq!(said(&with(" Yes ", "")).as_deref(), Some("Yes"));
        let fallback = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='8'/></fallback>";
        assert_eq!(said(&with("&gt; Come\n\nYes", fallback)).as_deref(), Some("Yes"));
        assert_eq!(said(&with("&gt; Come\n\n?", fallback)).as_deref(), Some("?"));
        assert_eq!(said(&stanza("<message><received xmlns='urn:xmpp:receipts' id='1'/></message>")), None);
    }

    #[test]
    fn a_choice_may_be_said_in_three_ways() {
        let choices = [
            Choice { code: "1".into(), text: "Coming".into() },
            Choice { code: "2".into(), text: "No".into() },
        ];
        for (text, code) in
            [("1", Some("1")), ("coming", Some("1")), ("2: No", Some("2")), ("11", None), ("", None)]
        {
            assert_eq!(chosen(&choices, text).as_deref(), code, "{text}");
        }
    }
}
