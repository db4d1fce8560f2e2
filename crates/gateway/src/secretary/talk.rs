//! What people write to the secretary: each message is one errand, done and answered in one transaction.

use super::request::{Language, Request, When, Wish, read};
use super::{Secretary, calendar, limits, sentences, written};
use crate::pager::answers::said;
use rookery_core::member::Member;
use rookery_proto::Uid;
use rookery_store::{
    Append, Errand, NewReminder, Outbound, Reminder, Repeat, Reply, Result, StoreError, Timestamp, Urgency,
};
use std::sync::Arc;

impl Secretary {
    /// Takes what is in the outbox now; false when there is nothing.
    pub(super) async fn post(&self) -> Result<bool> {
        let store = &self.core.store;
        let waiting = store.outbox(self.address.as_str(), limits::BATCH).await?;
        for outbound in &waiting {
            // Receipts, markers and reactions are for those who can hear them.
            let text = self.core.addressed_to(outbound).and_then(|(stanza, _)| said(&stanza));
            let member = self.core.directory.member(outbound.uid).await?;
            match (text, member) {
                (Some(text), Some(member)) => self.hear(outbound, &member, &text).await?,
                _ => store.drop_outbound(outbound.id).await?,
            }
        }
        Ok(!waiting.is_empty())
    }

    async fn hear(&self, outbound: &Outbound, member: &Arc<Member>, text: &str) -> Result<()> {
        let (language, request) = read(text);
        let zone = self.zone_of(member.uid).await?;
        let answer = match request {
            Err(why) => sentences::unclear(why, language),
            Ok(Request::Help) => sentences::help(language),
            Ok(Request::List) => sentences::list(&self.core.store.reminders(member.uid).await?, language),
            Ok(Request::Zone(None)) => sentences::zone_is(zone.as_deref(), language),
            Ok(Request::Zone(Some(name))) => match jiff::tz::TimeZone::get(&name) {
                Ok(known) => {
                    let name = known.iana_name().unwrap_or(&name).to_owned();
                    let said = sentences::zone_is(Some(&name), language);
                    let reply = move |_: &[Reminder]| said;
                    return self.run_errand(outbound, member, language, Errand::Zone(name), reply).await;
                }
                Err(_) => sentences::no_such_zone(language),
            },
            Ok(Request::Cancel(number)) => {
                let reply = move |gone: &[Reminder]| sentences::cancelled(gone, language);
                return self.run_errand(outbound, member, language, Errand::Forget(number), reply).await;
            }
            Ok(Request::Remind(wish)) => {
                // “In 20 minutes” is from when it was said.
                match reminder(wish, zone.as_deref(), language, outbound.at) {
                    Some(new) => {
                        let known = zone.is_some();
                        let reply = move |kept: &[Reminder]| {
                            kept.first().map(|it| sentences::kept(it, known, language)).unwrap_or_default()
                        };
                        return self.run_errand(outbound, member, language, Errand::Keep(new), reply).await;
                    }
                    None => sentences::past(language),
                }
            }
        };
        self.answer(outbound.id, member, &answer).await
    }

    async fn run_errand(
        &self,
        outbound: &Outbound,
        member: &Arc<Member>,
        language: Language,
        errand: Errand,
        reply: impl FnOnce(&[Reminder]) -> String + Send + 'static,
    ) -> Result<()> {
        let done = self.errand(member.uid, Some(outbound.id), errand, self.reply(member, reply)).await;
        match done {
            Ok(_) => Ok(()),
            Err(StoreError::Limit(_)) => self.answer(outbound.id, member, &sentences::full(language)).await,
            // An account that is gone by now hears nothing any more.
            Err(StoreError::NotFound) => self.core.store.drop_outbound(outbound.id).await,
            Err(error) => Err(error),
        }
    }

    /// Does what an account asks for.
    pub(super) async fn errand(
        &self,
        uid: Uid,
        outbound: Option<u64>,
        errand: Errand,
        reply: Reply,
    ) -> Result<Vec<Reminder>> {
        self.core.store.do_errand(uid, outbound, errand, reply).await
    }

    fn reply(
        &self,
        member: &Arc<Member>,
        said: impl FnOnce(&[Reminder]) -> String + Send + 'static,
    ) -> Reply {
        let (core, address, member) = (self.core.clone(), self.address.clone(), member.clone());
        let id = self.core.env.token();
        Box::new(move |done: &[Reminder]| -> Option<Append> {
            let stanza = written(&address, &member.address, &id, &said(done), Urgency::Normal);
            core.news(&member, &address, stanza, None).ok()
        })
    }

    /// Answers, and is done with what was written, in one transaction.
    async fn answer(&self, outbound: u64, member: &Member, text: &str) -> Result<()> {
        let stanza = self.message(&member.address, text, Urgency::Normal);
        match self.core.news(member, &self.address, stanza, None) {
            Ok(append) => self.core.store.refuse_outbound(outbound, append).await?.await.map(drop),
            Err(_) => self.core.store.drop_outbound(outbound).await,
        }
    }
}

/// What is stored of a wish that was said then; `None`: its time is past.
pub(super) fn reminder(
    wish: Wish,
    zone: Option<&str>,
    language: Language,
    said: Timestamp,
) -> Option<NewReminder> {
    let name = zone.unwrap_or("UTC");
    let next = calendar::first(wish.when, &sentences::zone(name), said)?;
    let repeat = match wish.when {
        When::Every(days, minute) => Some(Repeat { days, minute }),
        When::After(_) | When::Once(..) => None,
    };
    let (zone, language) = (name.to_owned(), language.tag().to_owned());
    Some(NewReminder { text: wish.text, urgency: wish.urgency, repeat, zone, language, next })
}
