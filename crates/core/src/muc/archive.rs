//! The archive of a room (XEP-0313, XEP-0045 §7.2.13 by other means): its log, read as an account's archive is.

use super::config::RoomConfig;
use super::history;
use super::privilege::Affiliation;
use super::room::{Place, Room};
use crate::answer::{Answer, Reply};
use crate::env::stamp;
use crate::render::archive_id;
use crate::xep::mam::{self, Archive, With};
use crate::{Ctx, flags};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::stanza::{Child, write_with};
use rookery_proto::xml::{ScanError, Xml};
use rookery_store::Entry;

/// What may be asked for (XEP-0313 §4.1.5).
pub(super) fn form(ctx: &Ctx<'_>, room: &Room) -> Answer {
    may_read(ctx, room)?;
    mam::form(ctx)
}

/// A page of the archive (XEP-0313 §4).
pub(super) async fn query(ctx: &Ctx<'_>, room: &Room, payload: &Child<'_>) -> Answer {
    let affiliation = may_read(ctx, room)?;
    let rules = affiliation >= Affiliation::Admin;
    let to = ctx.session.jid.as_str();
    let result = |entry: &Entry, id: Option<&str>| result(&room.place, entry, to, id, rules);
    let place = &room.place;
    let with = With::Room { address: &place.address, by_address: rules };
    let archive = Archive { uid: place.uid, epoch: place.epoch, with, result: &result };
    mam::page(ctx, &archive, payload).await
}

/// The archive's ends (XEP-0313 §5).
pub(super) async fn metadata(ctx: &Ctx<'_>, room: &Room) -> Answer {
    may_read(ctx, room)?;
    mam::ends(ctx.core, room.place.uid, room.place.epoch).await.map(Reply::Payload)
}

/// Whether who asks may read what was said. How that one stands to the room.
pub(crate) fn may_read(ctx: &Ctx<'_>, room: &Room) -> Result<Affiliation, StanzaError> {
    let state = room.state();
    let affiliation = state.affiliation(&ctx.member.address);
    let inside = state.occupant_of(ctx.session).is_some();
    if is_open_to(&state.config, affiliation, inside) {
        Ok(affiliation)
    } else {
        Err(StanzaError::forbidden().text("Only who may enter the room reads its archive."))
    }
}

/// Whether what was said in a room may be read by somebody of this affiliation: by whoever may enter, as the same is shown to
/// who does; where a password is asked for, by those who have given it, as who is `inside` has, and by members.
pub(super) fn is_open_to(config: &RoomConfig, affiliation: Affiliation, inside: bool) -> bool {
    let knows = config.password.is_none() || affiliation >= Affiliation::Member || inside;
    let open = !config.locked || affiliation == Affiliation::Owner;
    affiliation.may_enter(config.members_only) && knows && open
}

/// One result (XEP-0313 §4.2): the message as it was said, and who said it where all could see that then, or where who asks
/// rules the room.
fn result(
    place: &Place,
    entry: &Entry,
    to: &str,
    query: Option<&str>,
    rules: bool,
) -> Result<Vec<u8>, ScanError> {
    let mut x = Xml::new();
    x.open("message").attr("from", place.address.as_str()).attr("to", to);
    result_into(&mut x, place, entry, query, rules)?;
    x.close();
    Ok(x.into_vec())
}

/// `<result/>` of an entry.
pub(crate) fn result_into(
    x: &mut Xml,
    place: &Place,
    entry: &Entry,
    query: Option<&str>,
    rules: bool,
) -> Result<(), ScanError> {
    let mut extra = history::stanza_id(place, entry);
    if rules || entry.flags.has(flags::OPEN) {
        extra.open_ns("x", ns::MUC_USER).open("item").attr("jid", entry.peer.as_str()).close().close();
    }
    let mut inner = Vec::with_capacity(entry.stanza.len() + 256);
    write_with(&entry.stanza, true, &extra.into_vec(), &mut inner)?;
    x.open_ns("result", ns::MAM).opt("queryid", query).attr("id", &archive_id(entry.useq, place.epoch));
    x.open_ns("forwarded", ns::FORWARD);
    x.open_ns("delay", ns::DELAY).attr("stamp", &stamp(entry.at)).close();
    x.raw(&inner);
    x.close().close();
    Ok(())
}
