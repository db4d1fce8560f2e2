//! What a component sends to the people here: the same way as among themselves, with the sender outside.

use super::Component;
use crate::address::{self, Target};
use crate::announce::SERVER;
use crate::pipeline::{self, Letter};
use crate::privacy::Strangers;
use crate::xep::{disco, last, time, version};
use crate::{Core, store_error};
use bytes::Bytes;
use rookery_proto::Useq;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Edit, Kind, Stanza};
use rookery_proto::stream::StreamError;
use rookery_proto::xml::Xml;
use rookery_store::{Append, Appended, Direction, Entry, Flags, MessageId, Origin, Pending, Pointer};
use smallvec::smallvec;
use std::sync::Arc;

use crate::answer::Reply;

/// How a message comes in from outside.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Its id names it for good: what comes again under it is the same.
    pub(crate) once: bool,
    /// Nobody asked for it, whoever sends it.
    pub(crate) junk: bool,
}

/// What is left to do for a stanza of a component.
pub enum Outcome {
    /// Nothing.
    Done,
    /// It is being stored; a failure is an error to the component.
    Commit(Pending<Appended>),
}

impl Core {
    /// Handles a stanza of a component. A stream error is the end of its connection; what else is wrong with a stanza is
    /// answered.
    pub async fn from_component(
        &self,
        component: &Component,
        stanza: &Stanza,
    ) -> Result<Outcome, StreamError> {
        if stanza.kind() == Kind::Other {
            // RFC 6120 §4.9.3.24.
            return Err(StreamError::new("unsupported-stanza-type"));
        }
        let from = sender(component, stanza)?;
        if self.denies(&from) {
            let text = "This server takes nothing from you.";
            self.refuse_component(component, stanza, StanzaError::not_allowed().text(text));
            return Ok(Outcome::Done);
        }
        let outcome = match stanza.kind() {
            Kind::Message => self.message_from_outside(stanza, &from).await,
            Kind::Presence => {
                self.presence_from_outside(component, stanza, &from).await.map(|()| Outcome::Done)
            }
            _ => self.iq_from_outside(component, stanza, &from).await.map(|()| Outcome::Done),
        };
        Ok(outcome.unwrap_or_else(|error| {
            self.refuse_component(component, stanza, error);
            Outcome::Done
        }))
    }

    /// Tells a component what is wrong with its stanza.
    pub fn refuse_component(&self, component: &Component, stanza: &Stanza, error: StanzaError) {
        if let Some(reply) = error.reply(stanza, stanza.from().as_deref()) {
            self.meters.refused.increment(1);
            // A component that reads nothing does not read this either.
            component.send(reply).ok();
        }
    }

    /// What was on its way to a component that has gone comes back as errors (RFC 6120 §8.3.3.16).
    pub async fn bounce(&self, stanza: &[u8]) {
        let Ok(stanza) = Stanza::parse(stanza) else { return };
        let error = StanzaError::remote_server_timeout().text("The service went away before it took this.");
        let Some(sender) = stanza.from() else { return };
        let wanted = stanza.kind() != Kind::Presence;
        if let (true, Some(reply)) = (wanted, error.reply(&stanza, Some(&sender)))
            && let Ok(to) = address::parse(&sender)
            && let Ok(Target::Account { member, resource: Some(resource) }) = self.target(&to).await
            && let Some(session) = self.router.session(member.uid, &resource)
        {
            session.push(reply.into());
        }
    }

    /// RFC 6121 §8.5, from outside: into the recipient's log, or to whoever is here.
    async fn message_from_outside(&self, stanza: &Stanza, from: &Jid) -> Result<Outcome, StanzaError> {
        match self.letter_from_outside(stanza, from, Manner::default()).await? {
            Some(append) => self.store.append(append).await.map(Outcome::Commit).map_err(store_error),
            None => Ok(Outcome::Done),
        }
    }

    /// The same as far as the store; `None`: nothing of it is stored.
    pub(crate) async fn letter_from_outside(
        &self,
        stanza: &Stanza,
        from: &Jid,
        manner: Manner,
    ) -> Result<Option<Append>, StanzaError> {
        let kind = pipeline::Kind::of(stanza);
        let to = recipient(stanza)?;
        let (member, resource) = match self.target(&to).await? {
            Target::Account { member, resource } => (member, resource),
            Target::Component(other) => {
                return other.send(stanza.as_bytes().to_vec()).map(|()| None);
            }
            Target::Server if self.list_changed(stanza, from) => return Ok(None),
            Target::Server | Target::Nobody => return pipeline::unreachable(kind).map(|_| None),
            // No occupant comes from outside yet.
            Target::Groups | Target::Group { .. } | Target::Pubsub => {
                return Err(StanzaError::service_unavailable());
            }
            Target::Elsewhere => return Err(StanzaError::remote_server_not_found()),
        };
        if self.push_ended(member.uid, from, stanza).await? {
            return Ok(None);
        }
        if member.blocks(from) {
            return pipeline::unreachable(kind).map(|_| None);
        }
        let peer: BareJid = from.to_bare();
        let reception = self.reception(&member, &peer).await?;
        if reception == Strangers::Refuse {
            return pipeline::unreachable(kind).map(|_| None);
        }
        let Some(letter) = pipeline::route(self, kind, member, resource)? else { return Ok(None) };
        let class = pipeline::classify(stanza, kind);
        let screened = self.screen(from, stanza, class, &letter).await?;
        let aside = manner.junk || screened || reception == Strangers::SetAside;
        if aside && !class.has(Flags::DELIVER) {
            return pipeline::not_kept(stanza, kind).map(|_| None);
        }
        let address = letter.address();
        let set = [("from", from.as_str()), ("to", address.as_str())];
        // Only a gateway of ours says what was a mail.
        let mail = |child: &Child<'_>| manner.once && child.ns() == ns::MAIL;
        let forged = pipeline::forged(self);
        let forged = |child: &Child<'_>| forged(child) && !mail(child);
        let cleaned: Bytes =
            stanza.render(&Edit { set: &set, drop: Some(&forged), ..Edit::default() }).into();
        let Letter { to, resource, .. } = letter;
        let peer_resource = from.resource().map(|resource| resource.as_str().into());
        if !class.has(Flags::DELIVER) {
            let (at, flags) = (self.env.now(), class | Flags::DELIVER);
            let (useq, message, direction) = (Useq(0), MessageId(0), Direction::In);
            let entry =
                Entry { useq, message, peer, peer_resource, direction, resource, at, flags, stanza: cleaned };
            self.router.appended(to.uid, &Arc::new(entry));
            return Ok(None);
        }
        // By it the recipient says what it has read (XEP-0333).
        let origin = stanza.id().map(|id| Origin {
            sender: SERVER,
            peer: to.address.clone(),
            id: id.into(),
            dedup: manner.once,
        });
        let flags = match aside {
            true if manner.junk => Flags::JUNK,
            // The archive is where it waits, whatever else is archived.
            true => Flags::REQUEST | Flags::ARCHIVE,
            false => Flags::DELIVER | pipeline::archived(self, &to, &peer, class).await?,
        };
        let resource = resource.filter(|_| !aside);
        let pointer = Pointer { uid: to.uid, peer, peer_resource, direction: Direction::In, resource, flags };
        let append = Append {
            stanza: cleaned,
            at: self.env.now(),
            flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0),
            pointers: smallvec![pointer],
            origin,
        };
        Ok(Some(append))
    }

    async fn iq_from_outside(
        &self,
        component: &Component,
        stanza: &Stanza,
        from: &Jid,
    ) -> Result<(), StanzaError> {
        let kind = stanza.type_().unwrap_or_default().into_owned();
        let request = matches!(kind.as_str(), "get" | "set");
        if stanza.id().is_none() || !(request || matches!(kind.as_str(), "result" | "error")) {
            return Err(StanzaError::bad_request().text("An IQ has a type and an id."));
        }
        let to = recipient(stanza)?;
        match self.target(&to).await? {
            Target::Component(other) => other.send(stanza.as_bytes().to_vec()),
            Target::Account { member, resource: Some(resource) } => {
                match self.router.session(member.uid, &resource).filter(|_| !member.blocks(from)) {
                    Some(session) => {
                        let set = [("from", from.as_str()), ("to", session.jid.as_str())];
                        session.push(stanza.render(&Edit { set: &set, ..Edit::default() }).into());
                        Ok(())
                    }
                    None if request => Err(StanzaError::service_unavailable()),
                    None => Ok(()),
                }
            }
            Target::Account { resource: None, .. } if !request => {
                self.push_answered(from, stanza).await;
                Ok(())
            }
            Target::Server if !request => {
                self.list_answered(component, stanza, from);
                Ok(())
            }
            _ if !request => Ok(()),
            Target::Server => {
                let mut children = stanza.children();
                let (Some(payload), None) = (children.next(), children.next()) else {
                    return Err(StanzaError::bad_request().text("A request has exactly one child."));
                };
                let answer = self.asked_by_component(kind == "set", &payload)?;
                component.send(result(stanza, answer))
            }
            // What accounts answer, they answer to those who may see them; a component asks resources.
            Target::Account { .. }
            | Target::Nobody
            | Target::Groups
            | Target::Group { .. }
            | Target::Pubsub => Err(StanzaError::service_unavailable()),
            Target::Elsewhere => Err(StanzaError::remote_server_not_found()),
        }
    }

    /// What a component may ask the server itself.
    fn asked_by_component(&self, set: bool, payload: &Child<'_>) -> Result<Reply, StanzaError> {
        match (set, payload.ns(), payload.name()) {
            (false, ns::PING, "ping") => Ok(Reply::Empty),
            (false, ns::DISCO_INFO, "query") => disco::server_info(self, payload),
            (false, ns::DISCO_ITEMS, "query") => disco::server_items(self, payload),
            (false, ns::VERSION, "query") => version::get(),
            (false, ns::TIME, "time") => time::get(self),
            (false, ns::LAST, "query") => last::of_server(self),
            _ => Err(StanzaError::service_unavailable()),
        }
    }
}

/// Who sends it: an address of the component's (XEP-0114 §3).
fn sender(component: &Component, stanza: &Stanza) -> Result<Jid, StreamError> {
    let Some(from) = stanza.from() else { return Err(StreamError::new("improper-addressing")) };
    match Jid::new(&from) {
        Ok(jid) if component.serves(jid.node().map(|it| it.as_str()), jid.domain().as_str()) => Ok(jid),
        _ => Err(StreamError::new("invalid-from")),
    }
}

/// Whom it is for.
pub(super) fn recipient(stanza: &Stanza) -> Result<Jid, StanzaError> {
    match stanza.to() {
        Some(to) => address::parse(&to),
        None => Err(StanzaError::bad_request().text("It is for nobody.")),
    }
}

fn result(request: &Stanza, reply: Reply) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("iq").attr("type", "result").opt("id", request.id());
    x.opt("from", request.to()).opt("to", request.from());
    if let Reply::Payload(payload) = &reply {
        x.raw(payload);
    }
    x.close();
    x.into_vec()
}
