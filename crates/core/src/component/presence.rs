//! Presence and subscriptions between the people here and the addresses of components (RFC 6121 §3, §4): each side keeps
//! its own half, and what changes is told to the other.

use super::Component;
use super::inbound::recipient;
use crate::address::{self, Target};
use crate::member::Member;
use crate::presence::broadcast::addressed;
use crate::presence::gone;
use crate::presence::subscription::{deliver, refuses};
use crate::roster::Contact;
use crate::session::Session;
use crate::{Core, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::stanza::{Edit, Stanza};
use rookery_proto::subscription::{Kind, State};
use rookery_proto::xml::Xml;
use rookery_store::Party;
use std::sync::Arc;

impl Core {
    /// Sends a broadcast presence to a contact at a component, if its host is one. What a component misses it learns when
    /// it connects again.
    pub fn present_outside(&self, to: &BareJid, stanza: &Bytes) {
        if let Some(component) = self.outside(to) {
            component.send(addressed(stanza, to.as_str())).ok();
        }
    }

    /// Asks a contact at a component for its presence (RFC 6121 §4.3), unless it is blocked. The resource is not for who
    /// may not see it.
    pub fn probe_outside(&self, member: &Member, session: &Session, contact: &Contact) {
        if member.blocks(&contact.jid.clone().into()) {
            return;
        }
        let subscribed = contact.state.has(State::FROM);
        let shown = subscribed && session.is_seen() && member.shows_itself(&contact.jid, subscribed);
        let from = if shown { session.jid.as_str() } else { member.address.as_str() };
        self.tell_outside(from, &contact.jid, "probe");
    }

    /// A presence of this type in the name of an account (RFC 6121 §3).
    pub fn tell_outside(&self, from: &str, to: &BareJid, kind: &str) {
        if let Some(component) = self.outside(to) {
            component.send(without_content(from, to.as_str(), kind)).ok();
        }
    }

    /// The component that a contact is at, unless the server has nothing to do with that contact.
    fn outside(&self, contact: &BareJid) -> Option<&Arc<Component>> {
        let local = contact.node().map(|local| local.as_str());
        self.components.at(local, contact.domain().as_str()).filter(|_| !self.denies_contact(contact))
    }

    /// Shows all available resources of an account to a contact at a component, or takes them back, unless it is hidden
    /// from that one.
    pub fn show_outside(&self, member: &Member, to: &BareJid, here: bool) {
        if member.shows_itself(to, true) {
            self.appear_outside(member, to, here);
        }
    }

    /// The blocks or the rules of an account have changed: a contact at a component sees it come or go.
    pub fn sight_changed_outside(&self, before: &Member, after: &Member, contact: &Contact) {
        let to = &contact.jid;
        let seen = |me: &Member| me.shows_itself(to, true) && !me.blocks(&to.clone().into());
        if contact.state.has(State::FROM) && seen(before) != seen(after) {
            self.appear_outside(after, to, seen(after));
        }
    }

    fn appear_outside(&self, member: &Member, to: &BareJid, here: bool) {
        for session in self.router.sessions(member.uid) {
            let Some(shown) = session.state().seen().map(|a| a.stanza.clone()) else { continue };
            let stanza = if here { shown } else { gone(session.jid.as_str()) };
            self.present_outside(to, &stanza);
        }
    }

    /// The account of a contact at a component goes: its subscriptions end (RFC 6121 §2.5.2).
    pub fn farewell_outside(&self, member: &Member, contact: &BareJid, state: State) {
        for kind in state.farewell() {
            self.tell_outside(member.address.as_str(), contact, kind.name());
        }
        if state.has(State::FROM) {
            self.show_outside(member, contact, false);
        }
    }

    /// A component has connected: it is shown who is available among those that its addresses may see, and asked for
    /// those that the people here want to see.
    pub async fn greet_component(&self, component: &Component) {
        self.ask_lists(component);
        for session in self.router.all() {
            if !component.is_connected() {
                return;
            }
            if let Err(error) = self.greet_for(component, &session).await {
                tracing::warn!(
                    uid = session.uid.0,
                    ?error,
                    "a component was not told of an account's contacts"
                );
            }
        }
    }

    async fn greet_for(&self, component: &Component, session: &Arc<Session>) -> Result<(), StanzaError> {
        let here = |contact: &BareJid| contact.domain().as_str() == component.allowed.host;
        self.greet_outside(session, &here).await
    }

    /// Shows a session to those contacts outside that are meant, and asks for their presence, as far as they may see each other.
    async fn greet_outside(
        &self,
        session: &Arc<Session>,
        meant: &(dyn Fn(&BareJid) -> bool + Sync),
    ) -> Result<(), StanzaError> {
        if !session.is_available() {
            return Ok(());
        }
        let shown = session.state().seen().map(|a| a.stanza.clone());
        let Some(member) = self.directory.member(session.uid).await.map_err(store_error)? else {
            return Ok(());
        };
        for contact in self.contacts_of(session.uid).await?.iter() {
            if contact.uid.is_some() || !meant(&contact.jid) || member.blocks(&contact.jid.clone().into()) {
                continue;
            }
            if let Some(shown) = &shown
                && contact.state.has(State::FROM)
                && member.shows_itself(&contact.jid, true)
            {
                self.present_outside(&contact.jid, shown);
            }
            if contact.state.has(State::TO) {
                self.probe_outside(&member, session, contact);
            }
        }
        Ok(())
    }

    /// The server is to have nothing to do any more with those who are meant: they see everybody here go, and are seen to go.
    pub(crate) async fn part_from(&self, meant: &(dyn Fn(&BareJid) -> bool + Sync)) {
        for session in self.router.all() {
            if let Err(error) = self.part(&session, meant).await {
                tracing::warn!(uid = session.uid.0, ?error, "presence could not be taken back");
            }
        }
    }

    async fn part(
        &self,
        session: &Arc<Session>,
        meant: &(dyn Fn(&BareJid) -> bool + Sync),
    ) -> Result<(), StanzaError> {
        let gone = gone(session.jid.as_str());
        let directed: Vec<Jid> = {
            let mut state = session.state();
            state.directed.extract_if(.., |to| meant(&to.to_bare())).collect()
        };
        for to in directed {
            self.followers.remove(&to, session);
            self.direct(session, &to, &gone).await?;
        }
        if !session.is_available() {
            return Ok(());
        }
        let Some(member) = self.directory.member(session.uid).await.map_err(store_error)? else {
            return Ok(());
        };
        for contact in self.contacts_of(session.uid).await?.iter() {
            let to = &contact.jid;
            if contact.uid.is_some() || !meant(to) || member.blocks(&to.clone().into()) {
                continue;
            }
            if contact.state.has(State::FROM) && session.is_seen() && member.shows_itself(to, true) {
                self.present_outside(to, &gone);
            }
            if contact.state.has(State::TO) {
                // Which of its resources were shown nobody here has noted.
                let unseen = without_content(to.as_str(), member.address.as_str(), "unavailable");
                session.state().queue_presence(to.as_str(), unseen.into());
            }
        }
        Ok(())
    }

    /// The server has to do again with those who are meant.
    pub(crate) async fn meet_again(&self, meant: &(dyn Fn(&BareJid) -> bool + Sync)) {
        for session in self.router.all() {
            if let Err(error) = self.greet_outside(&session, meant).await {
                tracing::warn!(uid = session.uid.0, ?error, "presence could not be shown again");
            }
        }
    }

    /// A presence stanza of a component.
    pub(super) async fn presence_from_outside(
        &self,
        component: &Component,
        stanza: &Stanza,
        from: &Jid,
    ) -> Result<(), StanzaError> {
        let to = recipient(stanza)?;
        if let Target::Component(other) = self.target(&to).await? {
            return other.send(stanza.as_bytes().to_vec());
        }
        let kind = stanza.type_();
        match kind.as_deref() {
            None | Some("unavailable" | "error") => self.hand_presence_in(stanza, from, &to).await,
            Some("probe") => self.probed(component, from, &to).await,
            Some(name) => match Kind::from_name(name) {
                Some(kind) => self.subscription_from_outside(component, stanza, kind, from, &to).await,
                None => Err(StanzaError::bad_request().text("There is no presence of this type.")),
            },
        }
    }

    /// RFC 6121 §8.5: to the resource that is named, or to those that are available; to nobody quietly.
    async fn hand_presence_in(&self, stanza: &Stanza, from: &Jid, to: &Jid) -> Result<(), StanzaError> {
        let Target::Account { member, resource } = self.target(to).await? else { return Ok(()) };
        if member.blocks(from) {
            return Ok(());
        }
        let to = address::compose(&member.address, resource.as_deref());
        let set = [("from", from.as_str()), ("to", to.as_str())];
        let stanza: Bytes = stanza.render(&Edit { set: &set, ..Edit::default() }).into();
        for session in self.router.sessions(member.uid) {
            let meant = match resource.as_deref() {
                Some(resource) => session.resource() == resource,
                None => session.is_available(),
            };
            if meant {
                session.state().queue_presence(from.as_str(), stanza.clone());
            }
        }
        Ok(())
    }

    /// RFC 6121 §4.3.2: who may see is shown; who may not, and who asks for nobody, is told so in the same words.
    async fn probed(&self, component: &Component, from: &Jid, to: &Jid) -> Result<(), StanzaError> {
        let member = match self.target(to).await? {
            Target::Account { member, .. } if !member.blocks(from) => Some(member),
            _ => None,
        };
        let contact = from.to_bare();
        let subscribed = match &member {
            Some(member) => {
                let contacts = self.contacts_of(member.uid).await?;
                contacts.iter().any(|c| c.jid == contact && c.state.has(State::FROM))
            }
            None => false,
        };
        let Some(member) = member.filter(|_| subscribed) else {
            return component.send(without_content(to.to_bare().as_str(), from.as_str(), "unsubscribed"));
        };
        // Who is hidden from a subscriber is to it as if away.
        let mut any = false;
        if member.shows_itself(&contact, true) {
            for session in self.router.sessions(member.uid) {
                let Some(shown) = session.state().seen().map(|a| a.stanza.clone()) else { continue };
                component.send(addressed(&shown, from.as_str()))?;
                any = true;
            }
        }
        if any {
            return Ok(());
        }
        component.send(without_content(member.address.as_str(), from.as_str(), "unavailable"))
    }

    /// A subscription stanza from outside changes the user's half (RFC 6121 §3.1.3, §3.1.6, §3.2.3, §3.3.3).
    async fn subscription_from_outside(
        &self,
        component: &Component,
        stanza: &Stanza,
        kind: Kind,
        from: &Jid,
        to: &Jid,
    ) -> Result<(), StanzaError> {
        let Target::Account { member, .. } = self.target(to).await? else { return Ok(()) };
        if member.blocks(from) {
            return Ok(());
        }
        let contact = from.to_bare();
        if kind == Kind::Subscribe && refuses(self, &member, &contact).await? {
            return Ok(());
        }
        let sees = self.may_see(member.uid, from).await?;
        let set = [("from", contact.as_str()), ("to", member.address.as_str())];
        let stanza: Bytes = stanza.render(&Edit { set: &set, ..Edit::default() }).into();
        let actor = Party { uid: None, jid: contact.clone() };
        let user = Party { uid: Some(member.uid), jid: member.address.clone() };
        let request = (kind == Kind::Subscribe).then(|| stanza.clone());
        let outcome = self.store.subscription(actor, user, kind, request).await.map_err(store_error)?;
        self.contacts.changed(member.uid);
        if outcome.deliver {
            deliver(self, &member, kind, stanza);
        }
        if let Some(change) = &outcome.contact_change {
            self.push_roster(member.uid, change);
        }
        if let Some(reply) = outcome.reply {
            component.send(without_content(member.address.as_str(), contact.as_str(), reply.name()))?;
        }
        let now = self.may_see(member.uid, from).await?;
        if now != sees || (now && kind == Kind::Subscribe) {
            self.show_outside(&member, &contact, now);
        }
        Ok(())
    }
}

/// `<presence/>` with nothing inside.
fn without_content(from: &str, to: &str, kind: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("presence").attr("from", from).attr("to", to).attr("type", kind).close();
    x.into_vec()
}
