//! Invitations that a room passes on, and what it shows to somebody who need not be in it.

use super::invitation::Invitation;
use super::room::Room;
use crate::address::{Target, compose};
use crate::privacy::Strangers;
use crate::{Core, letter};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_store::Store;

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
    letter::keep(core, store, &room.place.address, &member, stanza, resource, aside).await
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
