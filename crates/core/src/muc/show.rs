//! Presence as it is seen in a room (XEP-0045 §7.1).

use super::fan::Notes;
use super::occupant::Occupant;
use super::privilege::Role;
use super::room::Place;
use bytes::Bytes;
use rookery_proto::ns;
use rookery_proto::xml::Xml;

/// What a presence says of an occupant.
#[derive(Clone, Copy)]
pub(super) enum Phase<'a> {
    /// It is here.
    Here,
    /// It has this nick from now on (§7.6).
    Renamed(&'a str),
    /// It is gone.
    Gone,
}

/// The presence of an occupant, without `to`. `sees`: the viewer sees its address (§4.2); `own`: status codes that are for
/// this viewer alone.
pub(super) fn presence(
    place: &Place,
    occupant: &Occupant,
    phase: Phase<'_>,
    notes: &Notes,
    sees: bool,
    own: &[u16],
) -> Bytes {
    let seat = occupant.seat();
    let mut x = Xml::with_capacity(512 + seat.presence.len());
    x.open("presence").attr("from", &place.address_of(&occupant.nick));
    if !matches!(phase, Phase::Here) {
        x.attr("type", "unavailable");
    }
    if !matches!(phase, Phase::Renamed(_)) {
        x.raw(&seat.presence);
    }
    x.open_ns("occupant-id", ns::OCCUPANT_ID).attr("id", &occupant.id).close();
    if let Some(hats) = occupant.hats.as_ref().filter(|_| matches!(phase, Phase::Here)) {
        x.raw(hats);
    }
    x.open_ns("x", ns::MUC_USER);
    item(&mut x, occupant, phase, notes, sees);
    if let Some(end) = &notes.destroyed {
        x.raw(end);
    }
    let renamed = matches!(phase, Phase::Renamed(_)).then_some(super::status::NICK_CHANGED);
    for code in notes.codes.iter().chain(own).chain(&renamed) {
        x.open("status").attr("code", &code.to_string()).close();
    }
    x.close().close();
    x.into_vec().into()
}

/// `<item/>`: who, and what it is in the room.
fn item(x: &mut Xml, occupant: &Occupant, phase: Phase<'_>, notes: &Notes, sees: bool) {
    let role = if matches!(phase, Phase::Gone) { Role::None } else { occupant.role };
    x.open("item").attr("affiliation", occupant.affiliation.name()).attr("role", role.name());
    if sees {
        x.attr("jid", occupant.seat().session.jid.as_str());
    }
    if let Phase::Renamed(nick) = phase {
        x.attr("nick", nick);
    }
    if let Some(actor) = &notes.actor {
        x.open("actor").attr("nick", actor).close();
    }
    if let Some(reason) = &notes.reason {
        x.text_element("reason", reason);
    }
    x.close();
}
