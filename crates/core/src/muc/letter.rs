//! What a room writes to somebody who need not be in it: into that one's log, as any message.

use super::invitation::Invitation;
use super::room::Room;
use crate::address::{Target, compose};
use crate::member::Member;
use crate::pipeline::{self, Kind, archived};
use crate::privacy::Strangers;
use crate::{Core, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::stanza::Stanza;
use rookery_store::{Append, Direction, Flags, Pointer, Store};
use smallvec::smallvec;
use std::sync::Arc;

/// Passes an invitation on, or the answer to one (§7.8). It is stored when this returns.
///
/// # Errors
/// `item-not-found`: nobody has the address, or whoever has it does not hear from `from`; it tells not which.
pub(super) async fn pass_on(
    core: &Core,
    store: &Store,
    room: &Room,
    from: &BareJid,
    invitation: &Invitation,
) -> Result<(), StanzaError> {
    let nobody = || StanzaError::item_not_found().text(format!("There is no account {}.", invitation.to));
    let Target::Account { member, resource } = core.target(&invitation.to).await? else {
        return Err(nobody());
    };
    let address: Jid = room.place.address.clone().into();
    if member.blocks(&address) || member.blocks(&from.clone().into()) {
        return Err(nobody());
    }
    let reception = core.reception(&member, from).await?;
    if reception == Strangers::Refuse {
        return Err(nobody());
    }
    // RFC 6121 §8.5.3.2.1 would refuse it where the resource has gone; an invitation is for the person.
    let resource = resource.filter(|resource| core.router.session(member.uid, resource).is_some());
    let to = compose(&member.address, resource.as_deref());
    let password = room.state().config.password.clone();
    let stanza = invitation.write(&room.place.address, &to, from, password.as_deref(), &core.env.token());
    let aside = reception == Strangers::SetAside;
    keep(core, store, room, &member, stanza, resource, aside).await
}

/// Writes to an account, whoever may write to it otherwise. It is stored when this returns; an account that is no more is
/// passed over.
pub(super) async fn send(
    core: &Core,
    store: &Store,
    room: &Room,
    to: &BareJid,
    write: impl FnOnce(&str) -> Vec<u8>,
) -> Result<(), StanzaError> {
    let Target::Account { member, .. } = core.target(&to.clone().into()).await? else { return Ok(()) };
    keep(core, store, room, &member, write(to.as_str()), None, false).await
}

/// Into the log of one account.
async fn keep(
    core: &Core,
    store: &Store,
    room: &Room,
    to: &Arc<Member>,
    stanza: Vec<u8>,
    resource: Option<Box<str>>,
    aside: bool,
) -> Result<(), StanzaError> {
    let read = Stanza::parse(&stanza).map_err(|_| StanzaError::internal_server_error())?;
    let class = pipeline::classify(&read, Kind::Normal);
    let flags = match aside {
        true => Flags::REQUEST | Flags::ARCHIVE,
        false => Flags::DELIVER | archived(core, to, &room.place.address, class).await?,
    };
    let append = Append {
        stanza: stanza.into(),
        at: core.env.now(),
        flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0),
        pointers: smallvec![Pointer {
            uid: to.uid,
            peer: room.place.address.clone(),
            peer_resource: None,
            direction: Direction::In,
            resource: resource.filter(|_| !aside),
            flags,
        }],
        origin: None,
    };
    let stored = store.append(append).await.map_err(store_error)?;
    stored.await.map_err(store_error)?;
    Ok(())
}

/// Shows something to the devices of an account that are here, and keeps it nowhere.
pub(super) async fn show(
    core: &Core,
    jid: &BareJid,
    write: impl Fn(&str) -> Vec<u8>,
) -> Result<(), StanzaError> {
    let Target::Account { member, .. } = core.target(&jid.clone().into()).await? else { return Ok(()) };
    for session in core.router.sessions(member.uid) {
        if session.is_available() {
            session.push(write(session.jid.as_str()).into());
        }
    }
    Ok(())
}
