//! Presence to all who see it: broadcasts, what a newcomer is shown, and what a change of blocks or rules shows or
//! hides.

use super::gone;
use crate::member::Member;
use crate::privacy::unblocked;
use crate::session::Session;
use crate::{Core, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::stanza::Stanza;
use rookery_proto::subscription::State;
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns};
use rookery_store::Last;
use std::sync::Arc;

impl Core {
    /// Sends presence of a session, unless it is invisible, to everybody who may see it and to its own client
    /// (RFC 6121 §4.2.2, §4.4.2).
    pub async fn announce(&self, session: &Arc<Session>, stanza: &Bytes) -> Result<(), StanzaError> {
        if !session.is_seen() {
            return Ok(());
        }
        self.broadcast(session, stanza).await?;
        hand(session, session.jid.as_str(), stanza, session.address.as_str());
        Ok(())
    }

    /// Sends presence of a session to everybody else who may see it: contacts with a subscription, and the account's other
    /// resources (RFC 6121 §4.2.2, §4.4.2).
    pub async fn broadcast(&self, session: &Arc<Session>, stanza: &Bytes) -> Result<(), StanzaError> {
        let Some(member) = self.directory.member(session.uid).await.map_err(store_error)? else {
            return Ok(());
        };
        for contact in self.contacts_of(session.uid).await?.iter() {
            if !contact.state.has(State::FROM) || !member.shows_itself(&contact.jid, true) {
                continue;
            }
            match contact.uid {
                Some(uid) => self.send_presence(&member, session, uid, stanza).await?,
                None if member.blocks(&contact.jid.clone().into()) => {}
                None => self.present_outside(&contact.jid, stanza),
            }
        }
        for other in self.router.sessions(session.uid) {
            if !Arc::ptr_eq(&other, session) {
                hand(&other, session.jid.as_str(), stanza, member.address.as_str());
            }
        }
        Ok(())
    }

    /// Presence of a session to all resources of one contact, except where a block is between them.
    async fn send_presence(
        &self,
        member: &Member,
        session: &Session,
        contact: Uid,
        stanza: &Bytes,
    ) -> Result<(), StanzaError> {
        let sessions = self.router.sessions(contact);
        if sessions.is_empty() {
            return Ok(());
        }
        let Some(theirs) = self.directory.member(contact).await.map_err(store_error)? else { return Ok(()) };
        for other in sessions.iter().filter(|other| unblocked(member, session, &theirs, other)) {
            hand(other, session.jid.as_str(), stanza, theirs.address.as_str());
        }
        Ok(())
    }

    /// Tells a session who of its contacts, and which of the account's other resources, are available
    /// (RFC 6121 §4.2.3, §4.3: the probes; only those to components leave the house).
    pub async fn learn_presences(&self, session: &Arc<Session>) -> Result<(), StanzaError> {
        let Some(member) = self.directory.member(session.uid).await.map_err(store_error)? else {
            return Ok(());
        };
        for contact in self.contacts_of(session.uid).await?.iter() {
            if !contact.state.has(State::TO) {
                continue;
            }
            let Some(uid) = contact.uid else {
                self.probe_outside(&member, session, contact);
                continue;
            };
            if self.router.sessions(uid).is_empty() {
                continue;
            }
            let Some(theirs) = self.directory.member(uid).await.map_err(store_error)? else { continue };
            if theirs.shows_itself(&member.address, true) {
                self.show_presences(&theirs, &member, session);
            }
        }
        for own in self.router.sessions(session.uid) {
            if !Arc::ptr_eq(&own, session) {
                show(&own, session, &member);
            }
        }
        Ok(())
    }

    /// Shows `session`, of `member`, all available resources of `theirs`, who lets it see them.
    pub(super) fn show_presences(&self, theirs: &Member, member: &Member, session: &Session) {
        for other in self.router.sessions(theirs.uid) {
            if unblocked(theirs, &other, member, session) {
                show(&other, session, member);
            }
        }
    }

    /// Whether no other resource of the account is available.
    pub(crate) fn is_alone(&self, session: &Arc<Session>) -> bool {
        !self.router.sessions(session.uid).iter().any(|s| !Arc::ptr_eq(s, session) && s.is_available())
    }

    /// Delivers subscription requests that wait for an answer (RFC 6121 §3.1.3).
    pub(crate) async fn ask_again(&self, session: &Session) -> Result<(), StanzaError> {
        for request in self.store.pending_requests(session.uid).await.map_err(store_error)? {
            session.push(request);
        }
        Ok(())
    }

    /// A session goes unavailable: by its client's word, or because it is gone (RFC 6121 §4.5).
    pub async fn unavailable(&self, session: &Arc<Session>, said: Option<Bytes>) -> Result<(), StanzaError> {
        let (was, directed) = {
            let mut state = session.state();
            state.timeline.quiet();
            let seen = state.seen().is_some();
            state.available = None;
            (state.caps, state.asked_caps) = (None, None);
            (seen, std::mem::take(&mut state.directed))
        };
        self.journal.snapshot(session);
        let stanza = said.unwrap_or_else(|| gone(session.jid.as_str()));
        if was {
            // Its own client sees it too (RFC 6121 §4.5.2).
            let address = session.address.as_str();
            session.state().queue_presence(session.jid.as_str(), addressed(&stanza, address));
            self.broadcast(session, &stanza).await?;
        }
        self.leave_rooms(session, &stanza).await;
        for to in directed {
            self.followers.remove(&to, session);
            self.direct(session, &to, &stanza).await?;
        }
        if was { self.last_seen(session.uid, &stanza).await } else { Ok(()) }
    }

    /// One of the account's resources was seen to go: if it was the last, that is when the account was here last
    /// (XEP-0012 §4), with what it said then.
    pub(crate) async fn last_seen(&self, uid: Uid, stanza: &[u8]) -> Result<(), StanzaError> {
        if self.router.sessions(uid).iter().any(|session| session.is_seen()) {
            return Ok(());
        }
        let status = Stanza::parse(stanza).ok().and_then(|stanza| status(&stanza));
        self.store.set_last(uid, Last { at: self.env.now(), status }).await.map_err(store_error)
    }

    /// Every available resource of `of` shows itself to `to`, or disappears, as far as neither blocks nor rules are
    /// between them.
    pub fn present(&self, of: &Member, to: &Member, here: bool) {
        if !of.shows_itself(&to.address, true) {
            return;
        }
        for session in self.router.sessions(of.uid) {
            for other in self.router.sessions(to.uid) {
                if unblocked(of, &session, to, &other) {
                    appear(&session, &other, to, here);
                }
            }
        }
    }

    /// The blocks or the rules of an account have changed: contacts from whom it is hidden now see it go and those to
    /// whom it is shown see it come, resource by resource, and the same the other way (XEP-0191 §3.2, §3.3).
    pub async fn sight_changed(&self, before: &Member, after: &Member) -> Result<(), StanzaError> {
        let mine = self.router.sessions(after.uid);
        if mine.is_empty() {
            return Ok(());
        }
        for contact in self.contacts_of(after.uid).await?.iter() {
            let Some(uid) = contact.uid else {
                self.sight_changed_outside(before, after, contact);
                continue;
            };
            let theirs = self.router.sessions(uid);
            if theirs.is_empty() {
                continue;
            }
            let Some(member) = self.directory.member(uid).await.map_err(store_error)? else { continue };
            let (mut shown, mut learns) = (false, false);
            for (session, other) in mine.iter().flat_map(|mine| theirs.iter().map(move |other| (mine, other)))
            {
                let open = |me: &Member| unblocked(me, session, &member, other);
                let seen = |me: &Member| me.shows_itself(&member.address, true) && open(me);
                if contact.state.has(State::FROM) && seen(before) != seen(after) {
                    shown |= seen(after);
                    appear(session, other, &member, seen(after));
                }
                let sees = |me: &Member| member.shows_itself(&me.address, true) && open(me);
                if contact.state.has(State::TO) && sees(before) != sees(after) {
                    learns |= sees(after);
                    appear(other, session, after, sees(after));
                }
            }
            // What comes with presence (XEP-0163 §4.3.3).
            if shown {
                self.show_last_items(after, &member).await?;
            }
            if learns {
                self.show_last_items(&member, after).await?;
            }
        }
        Ok(())
    }
}

/// The `<status/>` of a presence.
fn status(stanza: &Stanza) -> Option<String> {
    let text = stanza.child(ns::CLIENT, "status")?.text().into_owned();
    (!text.is_empty()).then_some(text)
}

/// The available session `of` shows itself to `to`, a session of `member`, or disappears.
fn appear(of: &Session, to: &Session, member: &Member, here: bool) {
    let Some(shown) = of.state().seen().map(|available| available.stanza.clone()) else { return };
    let stanza = if here { shown } else { gone(of.jid.as_str()) };
    hand(to, of.jid.as_str(), &stanza, member.address.as_str());
}

/// Presence of one session, if it is seen, to another of `member` that has asked for it.
fn show(of: &Session, to: &Session, member: &Member) {
    let Some(stanza) = of.state().seen().map(|available| available.stanza.clone()) else { return };
    let stanza = addressed(&stanza, member.address.as_str());
    to.state().queue_presence(of.jid.as_str(), stanza);
}

/// Hands a presence to a session that is available.
fn hand(to: &Session, from: &str, stanza: &Bytes, address: &str) {
    let mut state = to.state();
    if state.available.is_some() {
        state.queue_presence(from, addressed(stanza, address));
    }
}

/// A stanza for many, in canonical form and without a `to`, with the `to` of one receiver.
pub(crate) fn addressed(stanza: &Bytes, to: &str) -> Bytes {
    let start = if stanza.starts_with(b"<presence") { "presence" } else { "message" };
    debug_assert!(stanza[1..].starts_with(start.as_bytes()));
    let mut x = Xml::with_capacity(stanza.len() + to.len() + 8);
    x.open(start).attr("to", to);
    let mut out = x.into_start_tag();
    out.pop();
    out.extend_from_slice(&stanza[1 + start.len()..]);
    out.into()
}
