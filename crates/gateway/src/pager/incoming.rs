//! A page that has come: into the timelines of those whom it is for, before it is acknowledged.

use super::page::{Page, State, Ticket};
use super::{Gateway, address, stanza};
use crate::duty::Arriving;
use data_encoding::BASE32_NOPAD;
use rookery_core::member::Member;
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::{Call, Duty, NewCall, StoreError, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// How a page came.
pub(super) struct Arrival<'a> {
    /// The protocol, as callers are called that do not say who they are.
    pub(super) via: &'static str,
    /// Names the page among all others; unpredictable. Who sends it again because an answer was lost gives the same.
    pub(super) name: &'a str,
}

/// What became of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It is stored; a two-way page can be asked for.
    Stored(Option<Ticket>),
    /// Nobody takes it.
    Refused,
    /// Not at the moment.
    Later,
}

/// Whom a page is for.
#[derive(Clone)]
pub(super) enum Paged {
    /// An account.
    Account(Arc<Member>),
    /// Whoever of a group is on duty.
    Duty(Arc<Duty>),
}

/// Why one of those whom it is for does not have it.
enum Failed {
    Refused,
    Later,
}

impl Gateway {
    /// Whose pager this is, if they take pages of this caller: an account's number or name, or its pager number.
    pub(super) async fn find(&self, pager: &str, from: &BareJid) -> Result<Option<Paged>, StanzaError> {
        // As addresses are prepared (RFC 7622 §3.3): in small letters.
        let Ok(prepared) = BareJid::new(&format!("{pager}@{}", self.settings.domain)) else {
            return Ok(None);
        };
        let Some(local) = prepared.node() else { return Ok(None) };
        let member = match self.core.directory.find(local.as_str()).await.map_err(store_error)? {
            Some(member) => Some(member),
            None => self.carries(local.as_str()).await.map_err(store_error)?,
        };
        match member {
            Some(member) if self.core.admits(&member, from).await? => Ok(Some(Paged::Account(member))),
            Some(_) => Ok(None),
            None => match &self.desk {
                Some(desk) => Ok(desk.find(local.as_str()).await?.map(|duty| Paged::Duty(Arc::new(duty)))),
                None => Ok(None),
            },
        }
    }

    /// Who has this pager number.
    async fn carries(&self, number: &str) -> Result<Option<Arc<Member>>, StoreError> {
        match self.core.store.pager(number).await? {
            Some(pager) => self.core.directory.member(pager.uid).await,
            None => Ok(None),
        }
    }

    /// Whom a page is from, inside.
    pub(super) fn caller(&self, caller: &str, via: &str) -> Option<BareJid> {
        address::inside(caller, via, &self.settings.host)
    }

    /// Stores a page for all whom it is for; each in a transaction of its own: who gets it again, because another's failed,
    /// is not given it twice.
    pub(super) async fn receive(&self, to: &[Paged], page: &Page, arrival: &Arrival<'_>) -> Taken {
        let Some(from) = self.caller(&page.caller, arrival.via) else { return Taken::Refused };
        let ticket = page.two_way.as_ref().map(|_| ticket(arrival.name));
        let (mut stored, mut later) = (0, false);
        for paged in to {
            let handed = match paged {
                Paged::Account(member) => self.hand_in(member, &from, page, arrival, ticket).await,
                Paged::Duty(duty) => self.hand_to_duty(duty, page, arrival, ticket).await,
            };
            match handed {
                Ok(()) => stored += 1,
                Err(Failed::Refused) => {}
                Err(Failed::Later) => later = true,
            }
        }
        tracing::info!(via = arrival.via, pagers = to.len(), stored, "a page came");
        match (later, stored) {
            (true, _) => Taken::Later,
            (false, 0) => Taken::Refused,
            (false, _) => Taken::Stored(ticket),
        }
    }

    async fn hand_to_duty(
        &self,
        duty: &Duty,
        page: &Page,
        arrival: &Arrival<'_>,
        ticket: Option<Ticket>,
    ) -> Result<(), Failed> {
        let desk = self.desk.as_ref().ok_or(Failed::Refused)?;
        let text = match page.subject.as_str() {
            "" => page.text.clone(),
            subject => format!("{subject}: {}", page.text),
        };
        let choices = page.two_way.as_ref().map(|it| it.choices.as_slice()).unwrap_or_default();
        let (stanza, ticket) = (id(arrival.name), ticket.map(|it| (it.tag, it.pass)));
        let from = page.caller.as_str();
        let page = Arriving { from, text: &text, choices, caller: None, stanza: &stanza, ticket };
        match desk.take(duty, &page).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failed::Refused),
            Err(error) => {
                tracing::warn!(condition = error.condition, "a page to a group on duty cannot be stored");
                Err(Failed::Later)
            }
        }
    }

    async fn hand_in(
        &self,
        member: &Member,
        from: &BareJid,
        page: &Page,
        arrival: &Arrival<'_>,
        ticket: Option<Ticket>,
    ) -> Result<(), Failed> {
        if !self.core.admits(member, from).await.map_err(|_| Failed::Later)? {
            return Err(Failed::Refused);
        }
        let id = id(arrival.name);
        let stanza = stanza::write(page, arrival.via, from.as_str(), member.address.as_str(), &id);
        let append = match self.core.brought(&stanza, false).await {
            Ok(Some(append)) => append,
            Ok(None) => return Err(Failed::Refused),
            Err(error) if matches!(error.condition, "policy-violation" | "service-unavailable") => {
                return Err(Failed::Refused);
            }
            Err(_) => return Err(Failed::Later),
        };
        let failed = |error: StoreError| {
            tracing::warn!(%error, "a page cannot be stored");
            Failed::Later
        };
        let store = &self.core.store;
        let appended = match ticket {
            None => store.append(append).await.map_err(failed)?.await,
            Some(Ticket { tag, pass }) => {
                let two_way = page.two_way.clone().unwrap_or_default();
                let (uid, peer, at) = (member.uid, from.clone(), append.at);
                let (stanza, choices) = (id, two_way.choices);
                let call = NewCall { tag, pass, uid, peer, stanza, at, choices, reply: two_way.reply };
                store.append_call(append, call).await.map_err(failed)?.await
            }
        };
        // Also what is there already.
        appended.map(drop).map_err(failed)
    }

    /// The page of a ticket, if it is the right one.
    pub(super) async fn call(&self, ticket: Ticket) -> Result<Option<Call>, StoreError> {
        // What was answered before it was asked for is told.
        self.post().await?;
        if let Some(desk) = &self.desk {
            desk.catch_up(ticket.tag).await?;
        }
        let call = self.core.store.call(ticket.tag).await?;
        Ok(call.filter(|known| known.call.pass == ticket.pass))
    }

    /// What became of a page, and since when it is known.
    pub(super) fn state(&self, call: &Call) -> (State, Timestamp) {
        match &call.answer {
            Some(answer) => {
                let (choice, text) = (answer.choice.clone(), answer.text.clone());
                (State::Answered { choice, text }, answer.at)
            }
            None if call.read => (State::Read, call.call.at),
            None if self.is_delivered(call) => (State::Delivered, call.call.at),
            None => (State::Queued, call.call.at),
        }
    }

    fn is_delivered(&self, call: &Call) -> bool {
        call.delivered || call.useq <= self.core.router.delivered(call.call.uid)
    }

    /// Takes a page back, if no device has it yet.
    pub(super) async fn withdraw(&self, call: &Call) -> Result<bool, StoreError> {
        if self.is_delivered(call) || call.read || call.answer.is_some() {
            return Ok(false);
        }
        self.core.store.withdraw_call(call.call.tag).await?;
        Ok(true)
    }
}

fn digest(name: &str, what: &str) -> [u8; 32] {
    Sha256::new().chain_update(what).chain_update([0]).chain_update(name).finalize().into()
}

/// The `id` of the message.
fn id(name: &str) -> String {
    format!("page-{}", &BASE32_NOPAD.encode(&digest(name, "id")).to_lowercase()[..26])
}

/// What the caller asks by: as short as people can type it. Whoever was paged cannot tell it from the `id`.
fn ticket(name: &str) -> Ticket {
    let number = |what: &str, below: u64| {
        let [a, b, c, d, e, f, g, h, ..] = digest(name, what);
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) % below
    };
    Ticket { tag: number("tag", 1_000_000_000_000), pass: number("pass", 1_000_000_000) }
}
