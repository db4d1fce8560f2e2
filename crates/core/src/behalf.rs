//! In the name of an account, where none of its sessions asks: what its owner says and wants to know on a phone.

use crate::address::Target;
use crate::member::Member;
use crate::pipeline::{Kind, Letter, archived, classify};
use crate::privacy::Strangers;
use crate::reach::Answer;
use crate::{Core, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::stanza::Stanza;
use rookery_proto::subscription::State;
use rookery_proto::xml::Xml;
use rookery_store::{Append, Direction, Flags, Origin, PinDigest, Pointer};
use smallvec::smallvec;
use std::sync::Arc;

/// Contacts of whom it is looked up whether they are online: what one reads on a phone is far less.
const CONTACTS: usize = 500;

impl Core {
    /// Writes a message in the name of an account, and meets what a session's message meets; stored when this returns. What was
    /// written under the same `id` is not written again.
    pub async fn write_for(&self, message: Answer<'_>) -> Result<(), StanzaError> {
        let Answer { member, peer, text, id } = message;
        self.may_write(member, peer).await?;
        self.pace.message(member, self.env.now())?;
        match self.target(&Jid::from(peer.clone())).await? {
            Target::Account { member: to, .. } => {
                let stanza = written(member.address.as_str(), to.address.as_str(), id, text);
                self.write_inside(member, to, &stanza, id).await
            }
            Target::Component(component) if component.is_gateway() => {
                component.check_reach(&Jid::from(peer.clone()))?;
                let stanza = written(member.address.as_str(), peer.as_str(), id, text);
                let append = self.sent_behalf(member, peer, stanza, id).await?;
                let host = &component.allowed.host;
                let stored = self.store.append_outbound(append, None, host).await.map_err(store_error)?;
                stored.await.map_err(store_error)?;
                component.ring();
                Ok(())
            }
            Target::Elsewhere => Err(StanzaError::remote_server_not_found()),
            _ => Err(StanzaError::item_not_found()),
        }
    }

    async fn write_inside(
        &self,
        from: &Member,
        to: Arc<Member>,
        stanza: &[u8],
        id: &str,
    ) -> Result<(), StanzaError> {
        let sender = Jid::from(from.address.clone());
        let nobody = || StanzaError::service_unavailable();
        if to.disabled || to.blocks(&sender) {
            return Err(nobody());
        }
        let reception = self.reception(&to, &from.address).await?;
        if reception == Strangers::Refuse {
            return Err(nobody());
        }
        let read = Stanza::parse(stanza).map_err(|_| StanzaError::internal_server_error())?;
        let class = classify(&read, Kind::Chat);
        let mut letter = Letter { to, resource: None, aside: false };
        letter.aside = self.screen(&sender, &read, class, &letter).await? || reception == Strangers::SetAside;
        let to = &letter.to;
        let theirs = match letter.aside {
            true => Flags::REQUEST | Flags::ARCHIVE,
            false => {
                let kept = archived(self, to, &from.address, class).await?;
                // What is kept nowhere cannot be seen to be read.
                let class = if kept.has(Flags::ARCHIVE) { class } else { Flags::default() };
                Flags::DELIVER | kept | self.reaches(to, from, &read, class).await?
            }
        };
        let mut append = self.sent_behalf(from, &to.address, stanza.to_vec(), id).await?;
        if to.uid != from.uid {
            append.pointers.push(pointer(to.uid, &from.address, Direction::In, theirs));
        }
        self.store.append(append).await.map_err(store_error)?.await.map_err(store_error)?;
        Ok(())
    }

    /// The sender's side; whoever is written to is let in from now on.
    async fn sent_behalf(
        &self,
        from: &Member,
        peer: &BareJid,
        stanza: Vec<u8>,
        id: &str,
    ) -> Result<Append, StanzaError> {
        self.answers(from, peer).await?;
        let read = Stanza::parse(&stanza).map_err(|_| StanzaError::internal_server_error())?;
        let class = classify(&read, Kind::Chat);
        let mine = Flags::DELIVER | archived(self, from, peer, class).await? | self.ends_cases(from, class);
        Ok(Append {
            stanza: stanza.into(),
            at: self.env.now(),
            flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0),
            pointers: smallvec![pointer(from.uid, peer, Direction::Out, mine)],
            origin: Some(Origin { sender: from.uid, peer: peer.clone(), id: id.into(), dedup: true }),
        })
    }

    /// The contacts of an account that are online, as far as it may see that.
    pub async fn online_contacts(&self, member: &Member) -> Result<Vec<BareJid>, StanzaError> {
        let contacts = self.contacts_of(member.uid).await?;
        let me = Jid::from(member.address.clone());
        let mut online = Vec::new();
        for contact in contacts.iter().filter(|it| it.state.has(State::TO)).take(CONTACTS) {
            let Some(uid) = contact.uid else { continue };
            let here = self.router.sessions(uid).iter().any(|session| session.is_seen());
            if here && self.sight(uid, &me).await?.watches {
                online.push(contact.jid.clone());
            }
        }
        Ok(online)
    }

    /// The digest of the PIN by which an account is used on phones: without the server's secret nobody can try PINs on it.
    pub fn phone_pin(&self, uid: Uid, pin: &str) -> PinDigest {
        self.secret.derive("phone pin", &[&uid.0.to_be_bytes(), pin.as_bytes()])
    }
}

fn pointer(uid: Uid, peer: &BareJid, direction: Direction, flags: Flags) -> Pointer {
    Pointer { uid, peer: peer.clone(), peer_resource: None, direction, resource: None, flags }
}

fn written(from: &str, to: &str, id: &str, text: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", from).attr("to", to).attr("type", "chat").attr("id", id);
    x.text_element("body", text).close();
    x.into_vec()
}
