//! What people answer by the ways by which they were reached.

use super::channel::{State, Way};
use super::{Reach, limits};
use rookery_core::reach::Answer;
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_store::{CaseId, Sending, SendingRef};

/// What an answer was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answered {
    /// Nothing waits for it: it may be a command, or for nobody.
    Nothing,
    /// It acknowledges a sending.
    Acknowledged,
    /// It acknowledges a sending, and was handed on to who had written.
    Said,
}

/// Words that acknowledge and say nothing else, beside the sending's own code.
const YES: [&str; 6] = ["1", "ok", "yes", "ack", "好", "收到"];

impl Reach {
    /// Somebody has answered a sending by its own way: so a person has seen it. What says more than that is handed on to who had
    /// written.
    pub async fn answered(&self, which: SendingRef, text: &str) -> Result<Answered, StanzaError> {
        let sending = self.core.store.sending(which).await.map_err(store_error)?;
        match sending {
            Some(sending) => self.answers(&sending, text).await,
            None => Ok(Answered::Nothing),
        }
    }

    /// The same, where the way knows only from which address it comes (which it must know for certain): by the code of a
    /// sending, whichever way that went, or to the latest that went to this address.
    pub async fn answered_from(&self, way: Way, address: &str, text: &str) -> Result<Answered, StanzaError> {
        for uid in self.core.store.reached_at(way, address).await.map_err(store_error)? {
            let sendings =
                self.core.store.sendings(uid, None, limits::ANSWERABLE).await.map_err(store_error)?;
            let coded = sendings.iter().find(|it| words(text).any(|word| word == it.what.code));
            let latest = || {
                let here = |it: &&Sending| it.what.way == way && it.what.address == address;
                sendings.iter().find(|it| here(it) && it.what.case.is_some())
            };
            if let Some(sending) = coded.or_else(latest) {
                return self.answers(sending, text).await;
            }
        }
        Ok(Answered::Nothing)
    }

    async fn answers(&self, sending: &Sending, text: &str) -> Result<Answered, StanzaError> {
        let Some(case) = sending.what.case else { return Ok(Answered::Nothing) };
        self.news(SendingRef::Id(sending.id), State::Acknowledged, "").await.map_err(store_error)?;
        let says_more =
            words(text).any(|word| word != sending.what.code && !YES.contains(&word.to_lowercase().as_str()));
        if !says_more {
            return Ok(Answered::Acknowledged);
        }
        self.hand_on(case, sending, text.trim()).await
    }

    async fn hand_on(&self, case: CaseId, sending: &Sending, text: &str) -> Result<Answered, StanzaError> {
        let case = self.core.store.case(case).await.map_err(store_error)?;
        let member = self.core.directory.member(sending.what.uid).await.map_err(store_error)?;
        let (Some(case), Some(member)) = (case, member) else { return Ok(Answered::Acknowledged) };
        let said = self.core.answer_for(Answer { member: &member, peer: &case.peer, text }).await?;
        Ok(if said.is_some() { Answered::Said } else { Answered::Acknowledged })
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| !word.is_empty())
}
