//! A group keeps nodes as an account does (XEP-0060, XEP-0163): its vCard with its picture (XEP-0054, XEP-0486), and notices.
//! Its admins are to the nodes what an owner is, its members and occupants what contacts are.

use super::asker::Asker;
use super::privilege::Affiliation;
use super::room::Room;
use super::{owner, status};
use crate::Core;
use crate::member::Member;
use crate::session::Session;
use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::xml::Xml;
use rookery_store::is_group;
use std::sync::Arc;

/// XEP-0486.
pub const AVATAR: crate::xep::Xep = crate::xep::Xep {
    number: "XEP-0486",
    name: "MUC Avatars",
    version: "0.1.0",
    server: &[],
    account: &[],
    note: "Set by owners and admins as a vCard or as a node of the room; one picture. The room's own presence shows its hash too.",
};

impl Core {
    /// A room as the owner of its nodes.
    pub(super) fn as_member(&self, room: &Room) -> Arc<Member> {
        let place = &room.place;
        Arc::new(Member::of_nodes(place.uid, place.address.clone(), place.epoch))
    }

    async fn group_room(&self, group: Uid) -> Result<Option<Arc<Room>>, StanzaError> {
        if is_group(group) { self.room(&group.to_string()).await } else { Ok(None) }
    }

    /// Whether `who` does with the nodes of `owner` what an owner does: the account itself, or an admin of the group.
    pub(crate) async fn keeps_nodes(&self, owner: Uid, who: &Member) -> Result<bool, StanzaError> {
        let Some(room) = self.group_room(owner).await? else { return Ok(owner == who.uid) };
        let state = room.state();
        Ok(state.affiliation(&who.address) >= Affiliation::Admin)
    }

    /// Whether somebody is to a group what a contact is to an account: a member, or in the room. `None`: it is no group.
    pub(crate) async fn belongs(&self, group: Uid, who: &BareJid) -> Result<Option<bool>, StanzaError> {
        if !is_group(group) {
            return Ok(None);
        }
        let Some(room) = self.group_room(group).await? else { return Ok(Some(false)) };
        let asker = Asker::among(&room.state(), who);
        Ok(Some(asker.nick.is_some() || asker.standing.affiliation >= Affiliation::Member))
    }

    /// The sessions that are in the room of a group; none of an account.
    pub(crate) fn in_room(&self, group: Uid) -> Vec<Arc<Session>> {
        let Some(room) = self.router.rooms.get(group) else { return Vec::new() };
        let state = room.state();
        state.occupants().flat_map(|occupant| &occupant.seats).map(|seat| seat.session.clone()).collect()
    }

    /// A group has another picture, or none any more: the room tells its occupants (XEP-0486 §3.2).
    pub(crate) async fn group_avatar_changed(&self, group: Uid) -> Result<(), StanzaError> {
        let Some(room) = self.group_room(group).await? else { return Ok(()) };
        let hash = self.announced_avatar(group).await?;
        let presence = photo(&room.place.address, hash.as_deref());
        *room.place.avatar.lock() = hash;
        room.tell(presence).await;
        owner::announce(self, &room, &[status::CONFIG_CHANGED]).await;
        Ok(())
    }
}

/// What the room says of its picture by a presence of its own, as clients know it from accounts (XEP-0153, XEP-0486 §5.2).
pub(super) fn photo(room: &BareJid, hash: Option<&str>) -> Bytes {
    let mut x = Xml::new();
    x.open("presence").attr("from", room.as_str()).open_ns("x", ns::VCARD_UPDATE);
    x.text_element("photo", hash.unwrap_or_default()).close().close();
    x.into_vec().into()
}
