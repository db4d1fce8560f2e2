//! Gateways: hosts beside ours behind which people are reached by other means: mail, later SMS and pagers.
//!
//! A gateway is a component (XEP-0114) inside of this process: presence, subscriptions and requests go to it and come from it as
//! from any. Two things are more than a component has. A message to it is noted in the store with the row of its sender's log
//! ([`rookery_store::Store::outbox`]) and stays there until the gateway has made something of it, so that nothing is lost on the
//! way out. And what it brings is stored by itself, so that it can tell the other side what became of it.

use crate::announce::SERVER;
use crate::component::Component;
use crate::component::inbound::Manner;
use crate::member::Member;
use crate::privacy::Strangers;
use crate::{Core, address, pipeline};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::stanza::Stanza;
use rookery_proto::xml::Xml;
use rookery_store::{Append, Direction, Flags, Origin, Outbound, Pointer, Urgency};
use smallvec::smallvec;
use std::sync::Arc;
use tokio::sync::Notify;

/// A host that a gateway serves.
#[derive(Clone, Debug)]
pub struct Hosted {
    /// The host, prepared; not the server's own domain. Or one address of that, as `secretary@example.org`: then it is this one
    /// alone, and should be no account's.
    pub host: String,
    /// Whether a localpart there is an address that the gateway can reach at all.
    pub reaches: fn(&str) -> bool,
}

/// What a component has that is a gateway.
pub(crate) struct Gateway {
    pub(crate) reaches: fn(&str) -> bool,
    /// Rings when something is in its outbox.
    pub(crate) bell: Arc<Notify>,
}

impl Component {
    /// Whether it is a gateway of this process, and no program that connects.
    pub fn is_gateway(&self) -> bool {
        self.gateway.is_some()
    }

    /// Rings when something is in the gateway's outbox.
    pub fn bell(&self) -> Option<Arc<Notify>> {
        self.gateway.as_ref().map(|gateway| gateway.bell.clone())
    }

    /// Something is in the gateway's outbox, or in a queue of its own.
    pub fn ring(&self) {
        if let Some(gateway) = &self.gateway {
            gateway.bell.notify_one();
        }
    }

    /// Whether a gateway can reach an address of its host; an error to who writes there if not.
    pub(crate) fn check_reach(&self, to: &Jid) -> Result<(), StanzaError> {
        let Some(gateway) = &self.gateway else { return Ok(()) };
        match to.node() {
            Some(local) if (gateway.reaches)(local.as_str()) => Ok(()),
            _ => Err(StanzaError::item_not_found().text("The gateway cannot reach such an address.")),
        }
    }
}

impl Core {
    /// Whether `to` takes messages from `from`, who is behind a gateway. One that does not must look like nobody.
    pub async fn admits(&self, to: &Member, from: &BareJid) -> Result<bool, StanzaError> {
        let sender = Jid::from(from.clone());
        if to.disabled || to.waits || self.denies(&sender) || to.blocks(&sender) {
            return Ok(false);
        }
        Ok(self.reception(to, from).await? != Strangers::Refuse)
    }

    /// A message that a gateway brings, as it is to be stored: its `id` names it for good, so that what is brought again is known
    /// ([`rookery_store::Appended::Duplicate`]); with `junk` it stands apart ([`Flags::JUNK`]). `None`: the
    /// recipient has no use for it.
    pub async fn brought(&self, stanza: &[u8], junk: bool) -> Result<Option<Append>, StanzaError> {
        let stanza = Stanza::parse(stanza).map_err(|_| StanzaError::internal_server_error())?;
        let from = address::parse(&stanza.from().unwrap_or_default())?;
        self.letter_from_outside(&stanza, &from, Manner { once: true, junk }).await
    }

    /// Whether `sender` may write to `to`, who is behind a gateway: what a session's message meets on its way.
    pub async fn may_write(&self, sender: &Member, to: &BareJid) -> Result<(), StanzaError> {
        let named = Jid::from(to.clone());
        if sender.disabled || sender.waits {
            return Err(StanzaError::forbidden().text("Your account waits for an administrator."));
        }
        self.permits(Some(&named))?;
        if sender.blocks(&named) {
            return Err(StanzaError::blocked());
        }
        let target = self.target(&named).await?;
        self.approach(sender, Some(&named), &target).await
    }

    /// What `sender` has sent to `peer` by a program of the gateway's own, as it is to be stored in the sender's log; whoever is
    /// written to is let in from now on. With `once`, what is sent again under the same `id` is known.
    pub async fn sent(
        &self,
        sender: &Member,
        peer: &BareJid,
        stanza: &[u8],
        once: bool,
    ) -> Result<Append, StanzaError> {
        self.pace.message(sender, self.env.now())?;
        let parsed = Stanza::parse(stanza).map_err(|_| StanzaError::internal_server_error())?;
        let class = pipeline::classify(&parsed, pipeline::Kind::of(&parsed));
        self.answers(sender, peer).await?;
        let pointer = Pointer {
            uid: sender.uid,
            peer: peer.clone(),
            peer_resource: None,
            direction: Direction::Out,
            resource: None,
            flags: Flags::DELIVER | pipeline::archived(self, sender, peer, class).await?,
        };
        let origin = parsed.id().map(|id| Origin {
            sender: sender.uid,
            peer: peer.clone(),
            id: id.into(),
            dedup: once,
        });
        let flags = Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0);
        let (stanza, at) = (stanza.to_vec().into(), self.env.now());
        Ok(Append { stanza, at, flags, pointers: smallvec![pointer], origin })
    }

    /// A message could not be brought where it was to go: as an error to it in its sender's log (RFC 6120 §8.3), so that every
    /// device hears of it, also one that comes later. `once`: see [`Core::news`].
    pub fn undelivered(
        &self,
        sender: &Member,
        peer: &BareJid,
        id: &str,
        once: Option<&str>,
        error: &StanzaError,
    ) -> Result<Append, StanzaError> {
        let mut x = Xml::new();
        x.open("message").attr("id", id).attr("to", peer.as_str()).attr("type", "chat").close();
        let sent = Stanza::parse(&x.into_vec()).map_err(|_| StanzaError::internal_server_error())?;
        let reply = error.reply(&sent, Some(sender.address.as_str()));
        let stanza = reply.ok_or_else(StanzaError::internal_server_error)?;
        self.news(sender, peer, stanza, once)
    }

    /// What a gateway has to say of a message that it took, as a message of the correspondent in its sender's log. `once`: names
    /// the news for good; what comes again under that name is known.
    pub fn news(
        &self,
        sender: &Member,
        peer: &BareJid,
        stanza: Vec<u8>,
        once: Option<&str>,
    ) -> Result<Append, StanzaError> {
        let parsed = Stanza::parse(&stanza).map_err(|_| StanzaError::internal_server_error())?;
        let class = pipeline::classify(&parsed, pipeline::Kind::of(&parsed));
        let pointer = Pointer {
            uid: sender.uid,
            peer: peer.clone(),
            peer_resource: None,
            direction: Direction::In,
            resource: None,
            flags: Flags::DELIVER | Flags::ARCHIVE,
        };
        let origin = once.map(|id| Origin {
            sender: SERVER,
            peer: sender.address.clone(),
            id: id.into(),
            dedup: true,
        });
        let flags = Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0);
        Ok(Append { stanza: stanza.into(), at: self.env.now(), flags, pointers: smallvec![pointer], origin })
    }

    /// The same from a service of ours that the account has asked to be told by: it is to be reached about it, whoever its
    /// contacts are, as far as it wants to be about what is so urgent.
    pub fn reminder(
        &self,
        of: &Member,
        service: &BareJid,
        stanza: Vec<u8>,
        urgency: Urgency,
    ) -> Result<Append, StanzaError> {
        let mut append = self.news(of, service, stanza, None)?;
        for pointer in &mut append.pointers {
            pointer.flags = pointer.flags | self.reaches_as_wanted(of, urgency);
        }
        Ok(append)
    }

    /// The `id` of a message that waits for a gateway, and whom it is for.
    pub fn addressed_to(&self, outbound: &Outbound) -> Option<(Stanza, Jid)> {
        let stanza = Stanza::parse(&outbound.stanza).ok()?;
        let to = address::parse(&stanza.to()?).ok()?;
        Some((stanza, to))
    }
}
