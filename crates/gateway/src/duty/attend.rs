//! The desk at work.

use super::page::Arriving;
use super::{Desk, limits};
use crate::pager::answers::{chosen, said};
use rookery_core::env::stamp;
use rookery_core::member::Member;
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::{
    Append, CallAnswer, CaseState, DutyEnd, DutyPage, Outbound, Result, StoreError, Timestamp,
};
use std::sync::Arc;
use std::time::Duration;

impl Desk {
    /// For as long as it is polled.
    pub(super) async fn attend(&self) {
        let Some(bell) = self.component.bell() else { return };
        loop {
            let pause = match self.work().await {
                Ok(next) => next.map(|next| {
                    Duration::from_millis(next.0.saturating_sub(self.core.env.now().0).max(0) as u64)
                }),
                Err(error) => {
                    tracing::warn!(%error, "pages to groups on duty wait");
                    Some(limits::AGAIN)
                }
            };
            tokio::select! {
                () = bell.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    async fn work(&self) -> Result<Option<Timestamp>> {
        while self.post().await? {}
        loop {
            let now = self.core.env.now();
            let due = self.core.store.duty_pages_due(now, limits::BATCH).await?;
            if due.is_empty() {
                return self.core.store.next_duty_page().await;
            }
            for page in due {
                self.go_on(page, now).await?;
            }
        }
    }

    /// Its caller asks for a page: what somebody has acknowledged a moment ago is known before that is answered.
    pub(crate) async fn catch_up(&self, tag: u64) -> Result<()> {
        let Some(page) = self.core.store.duty_page_of_call(tag).await? else { return Ok(()) };
        let Some(uid) = page.acknowledged else { return Ok(()) };
        let who = self.core.directory.member(uid).await?;
        self.acknowledged(page, who.as_deref(), None, "").await
    }

    /// When a page is looked at again whose person was told then.
    pub(super) fn next_look(&self, patience: u32, told: Timestamp, now: Timestamp) -> Timestamp {
        let over = told.0.saturating_add(i64::from(patience) * 1000);
        Timestamp(over.min(now.0 + limits::LOOK.as_millis() as i64).max(now.0 + 1))
    }

    /// A page ends if somebody has acknowledged it, goes to the next person if that took too long, or waits on.
    async fn go_on(&self, page: DutyPage, now: Timestamp) -> Result<()> {
        let store = &self.core.store;
        if let Some(uid) = page.acknowledged {
            let who = self.core.directory.member(uid).await?;
            return self.acknowledged(page, who.as_deref(), None, "").await;
        }
        let Some(duty) = store.duty(&page.page.duty).await? else { return self.nobody(page, now).await };
        if now.0 - page.since.0 < i64::from(duty.patience) * 1000 {
            let next = self.next_look(duty.patience, page.since, now);
            return store.put_off_duty_page(page.id, next).await;
        }
        let told: Vec<_> = page.told.iter().map(|(uid, _)| *uid).collect();
        let Some(next) = self.next_person(&duty, &told, now).await? else {
            return self.nobody(page, now).await;
        };
        match self.told(&next, &page.page.peer, &page.page.body) {
            Ok(append) => {
                let look = self.next_look(duty.patience, now, now);
                tracing::info!(duty = duty.name, page = page.id, "the next person is told");
                store.tell_duty_page(page, append, now, look).await.map(drop)
            }
            Err(error) => {
                tracing::warn!(condition = error.condition, "a page cannot be told");
                self.nobody(page, now).await
            }
        }
    }

    async fn nobody(&self, page: DutyPage, now: Timestamp) -> Result<()> {
        tracing::warn!(duty = page.page.duty, page = page.id, "nobody on duty was reached");
        let answer = CallAnswer { at: now, choice: None, text: "Nobody was reached".to_owned() };
        let tell = self.tell(&page, CaseState::Nobody, "Nobody on duty was reached.").await?;
        self.core.store.end_duty_page(page, DutyEnd::Nobody, None, Some(answer), tell).await.map(drop)
    }

    /// Somebody has a page; with `text`, they said so in the message `outbound`.
    async fn acknowledged(
        &self,
        page: DutyPage,
        who: Option<&Member>,
        outbound: Option<u64>,
        text: &str,
    ) -> Result<()> {
        let name = who.map_or_else(
            || "Somebody".to_owned(),
            |who| who.address.node().map_or_else(|| who.address.to_string(), |it| it.to_string()),
        );
        let call = match page.tag {
            Some(tag) => self.core.store.call(tag).await?,
            None => None,
        };
        let choice = call.and_then(|call| chosen(&call.call.choices, text));
        let said = if text.is_empty() { "Acknowledged" } else { text };
        let answer = CallAnswer { at: self.core.env.now(), choice, text: format!("{name}: {said}") };
        let tell = self.tell(&page, CaseState::Acknowledged, &answer.text).await?;
        let store = &self.core.store;
        store.end_duty_page(page, DutyEnd::Acknowledged, outbound, Some(answer), tell).await.map(drop)
    }

    /// What the account hears that wrote, if one did.
    async fn tell(&self, page: &DutyPage, state: CaseState, text: &str) -> Result<Option<Append>> {
        let Some(caller) = page.page.caller else { return Ok(None) };
        let Some(member) = self.core.directory.member(caller).await? else { return Ok(None) };
        let mut x = Xml::new();
        x.open("message").attr("from", page.page.peer.as_str()).attr("to", member.address.as_str());
        x.attr("type", "chat").attr("id", &self.core.env.token()).text_element("body", text);
        x.open_ns("reach", ns::REACH).open("for").attr("id", &page.page.stanza).close();
        x.open("end").attr("state", state.name()).attr("at", &stamp(self.core.env.now())).close();
        x.close();
        x.close();
        Ok(self.core.news(&member, &page.page.peer, x.into_vec(), None).ok())
    }

    /// Takes what is in the outbox now; false when there is nothing.
    async fn post(&self) -> Result<bool> {
        let store = &self.core.store;
        let waiting = store.outbox(&self.host, limits::BATCH).await?;
        for outbound in &waiting {
            let read = self.core.addressed_to(outbound);
            let text = read.as_ref().and_then(|(stanza, _)| said(stanza));
            let member = self.core.directory.member(outbound.uid).await?;
            let (Some((stanza, to)), Some(text), Some(member)) = (read, text, member) else {
                store.drop_outbound(outbound.id).await?;
                continue;
            };
            let id = stanza.id().unwrap_or_default().into_owned();
            self.hear(outbound, &member, &to.to_bare(), &id, &text).await?;
        }
        Ok(!waiting.is_empty())
    }

    /// Who was told a page answers it; who was not pages.
    async fn hear(
        &self,
        outbound: &Outbound,
        member: &Arc<Member>,
        group: &BareJid,
        id: &str,
        text: &str,
    ) -> Result<()> {
        let name = group.node().map(|name| name.as_str().to_owned()).unwrap_or_default();
        if let Some(page) = self.core.store.told_duty_page(&name, member.uid).await? {
            return self.acknowledged(page, Some(member), Some(outbound.id), text).await;
        }
        let error = match self.core.store.duty(&name).await? {
            None => StanzaError::item_not_found().text("There is no such group."),
            Some(duty) => {
                let caller = Some((outbound.uid, outbound.id));
                let from = member.address.to_string();
                let page = Arriving { from: &from, text, choices: &[], caller, stanza: id, ticket: None };
                match self.take(&duty, &page).await {
                    Ok(true) => return Ok(()),
                    Ok(false) => StanzaError::service_unavailable().text("Nobody is on duty there."),
                    Err(error) => error,
                }
            }
        };
        // It is answered and done with at once.
        match self.core.undelivered(member, group, id, None, &error) {
            Ok(append) => self.core.store.refuse_outbound(outbound.id, append).await?.await.map(drop),
            Err(_) => self.core.store.drop_outbound(outbound.id).await,
        }
    }

    /// A group by the name that is paged.
    pub(crate) async fn find(
        &self,
        name: &str,
    ) -> std::result::Result<Option<rookery_store::Duty>, StanzaError> {
        self.core.store.duty(name).await.map_err(|error: StoreError| store_error(error))
    }
}
