//! What people answer by the ways by which they were reached.
//!
//! Where an answer comes from can be forged on some ways, as the sender of a short message can. So it counts if it has the code of a
//! sending, at which few may guess; or if it answers what really went to that address a short while ago, as whoever forges it would have
//! to know.

use super::channel::{State, Way};
use super::{Reach, limits};
use rookery_core::reach::Answer;
use rookery_core::store_error;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_store::{CaseId, Sending, SendingRef, Timestamp};

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
    /// written. `id` names the answer: under the same it is not handed on again.
    pub async fn answered(&self, which: SendingRef, text: &str, id: &str) -> Result<Answered, StanzaError> {
        let sending = self.core.store.sending(which).await.map_err(store_error)?;
        match sending {
            Some(sending) => self.answers(&sending, text, id).await,
            None => Ok(Answered::Nothing),
        }
    }

    /// The same, where the way knows only from which address it claims to come: by the code of a sending, whichever way that went, or to
    /// the latest that went to this address within [`limits::ANSWER_WITHOUT_CODE`]. Several accounts may have one phone: the code of
    /// any of them goes before what is latest.
    pub async fn answered_from(
        &self,
        way: Way,
        address: &str,
        text: &str,
        id: &str,
    ) -> Result<Answered, StanzaError> {
        let now = self.core.env.now();
        let mut lists = Vec::new();
        for uid in self.core.store.reached_at(way, address).await.map_err(store_error)? {
            let sendings = self.core.store.sendings(uid, None, limits::ANSWERABLE).await;
            lists.push((uid, sendings.map_err(store_error)?));
        }
        let here = |it: &&Sending| it.what.way == way && it.what.address == address;
        let recent = lists.iter().flat_map(|(_, sendings)| sendings).filter(here);
        let recent = recent.filter(|it| is_answerable(it) && is_recent(it, now));
        let latest = || recent.max_by_key(|it| (it.what.at, it.id));
        match self.coded(&lists, text, now).or_else(latest) {
            Some(sending) => self.answers(sending, text, id).await,
            None => Ok(Answered::Nothing),
        }
    }

    /// The sending of which there is the code in a text: at its beginning or its end, so that one text is one guess or two.
    fn coded<'a>(&self, lists: &'a [(Uid, Vec<Sending>)], text: &str, now: Timestamp) -> Option<&'a Sending> {
        let codes = words(text).take(1).chain(words(text).last()).filter(|word| is_code(word));
        let codes: Vec<&str> = codes.collect();
        if codes.is_empty() {
            return None;
        }
        let open = lists.iter().filter(|(uid, _)| !self.guesses.is_over(*uid, now));
        let of = |it: &&Sending| codes.contains(&it.what.code.as_str()) && is_answerable(it);
        let found = open.clone().flat_map(|(_, sendings)| sendings).find(of);
        if found.is_none() {
            open.for_each(|(uid, _)| self.guesses.count(*uid, now));
        }
        found
    }

    async fn answers(&self, sending: &Sending, text: &str, id: &str) -> Result<Answered, StanzaError> {
        let Some(case) = sending.what.case else { return Ok(Answered::Nothing) };
        self.news(SendingRef::Id(sending.id), State::Acknowledged, "").await.map_err(store_error)?;
        // A mail is an answer by itself, so what stands in it was meant to be said.
        let says = |word: &str| {
            word != sending.what.code
                && (sending.what.way == Way::Mail || !YES.contains(&word.to_lowercase().as_str()))
        };
        if !words(text).any(says) {
            return Ok(Answered::Acknowledged);
        }
        self.hand_on(case, sending, text.trim(), id).await
    }

    async fn hand_on(
        &self,
        case: CaseId,
        sending: &Sending,
        text: &str,
        id: &str,
    ) -> Result<Answered, StanzaError> {
        let case = self.core.store.case(case).await.map_err(store_error)?;
        let member = self.core.directory.member(sending.what.uid).await.map_err(store_error)?;
        let (Some(case), Some(member)) = (case, member) else { return Ok(Answered::Acknowledged) };
        let said = self.core.answer_for(Answer { member: &member, peer: &case.peer, text, id }).await?;
        Ok(if said { Answered::Said } else { Answered::Acknowledged })
    }
}

/// Words, without the brackets that people copy with a code.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| word.trim_matches(['[', ']'])).filter(|word| !word.is_empty())
}

fn is_code(word: &str) -> bool {
    word.len() == limits::CODE_DIGITS as usize && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it may have reached somebody, and was about something.
fn is_answerable(sending: &Sending) -> bool {
    let gone = !matches!(sending.state, State::Queued | State::Failed | State::Cancelled);
    gone && sending.what.case.is_some()
}

fn is_recent(sending: &Sending, now: Timestamp) -> bool {
    now.0 - sending.changed.0 < limits::ANSWER_WITHOUT_CODE.as_millis() as i64
}
