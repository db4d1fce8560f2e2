//! XEP-0377: Blocking Command Reports: why somebody is blocked, for the administrators.

use super::Xep;
use crate::address::Target;
use crate::muc::{self, Room};
use crate::{Ctx, render};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_store::{Exhibit, NewReport, Reason, Sharing, limits};
use std::sync::Arc;

/// XEP-0377.
pub const INFO: Xep = Xep {
    server: &[ns::REPORTING],
    ..Xep::of(
        "XEP-0377",
        "Blocking Command Reports",
        "0.4.1",
        "Into a queue for the administrators, with copies of the messages, also of groups, and the account behind an occupant; nothing is passed on to others.",
    )
};

/// The report in an item of a block (§6); `blocked` is whom it is about.
pub async fn read(ctx: &Ctx<'_>, item: &Child<'_>, blocked: &Jid) -> Result<Option<NewReport>, StanzaError> {
    let Some(report) = item.child(ns::REPORTING, "report") else { return Ok(None) };
    let reason = match report.attr("reason").as_deref() {
        Some("urn:xmpp:reporting:spam") => Reason::Spam,
        // General abuse is what no other reason says (§9.4), and so what we do not know.
        Some(reason) if !reason.is_empty() => Reason::Abuse,
        _ => return Err(StanzaError::bad_request().text("A report has a reason.")),
    };
    let said = report.child(ns::REPORTING, "text").map(|text| text.text().trim().to_owned());
    let mut text = said.unwrap_or_default();
    text.truncate(text.floor_char_boundary(limits::REPORT_TEXT_BYTES));
    let has = |name| report.child(ns::REPORTING, name).is_some();
    let group = group(ctx, blocked).await?;
    let exhibits = report.children().filter_map(|child| exhibit(ctx, group.as_deref(), &child));
    Ok(Some(NewReport {
        reported: person(ctx, blocked),
        reason,
        text,
        sharing: Sharing { origin: has("report-origin"), third_party: has("third-party") },
        occupant: group.is_some() && blocked.resource().is_some(),
        exhibits: exhibits.collect(),
    }))
}

/// Who is behind an address: an account with all its resources; elsewhere perhaps one resource (an occupant of a group).
fn person(ctx: &Ctx<'_>, blocked: &Jid) -> String {
    let ours = blocked.domain().as_str() == ctx.core.policy.domain;
    if ours { blocked.to_bare().to_string() } else { blocked.to_string() }
}

/// The group that is reported, or that an occupant of is, if the reporter may read what was said there.
async fn group(ctx: &Ctx<'_>, blocked: &Jid) -> Result<Option<Arc<Room>>, StanzaError> {
    let Target::Group { local, .. } = ctx.core.target(blocked).await? else { return Ok(None) };
    let room = ctx.core.room(&local).await?;
    Ok(room.filter(|room| muc::archive::may_read(ctx, room).is_ok()))
}

/// A message in the reporter's archive, or in that of the group. Who wrote the id (`by`) is the account itself or the group;
/// clients were seen to name who is reported there, as the standard's example does.
fn exhibit(ctx: &Ctx<'_>, group: Option<&Room>, child: &Child<'_>) -> Option<Exhibit> {
    let id = child.is(ns::SID, "stanza-id").then(|| child.attr("id")).flatten()?;
    if let Some(place) = group.map(|group| &group.place)
        && let Some(useq) = render::parse_archive_id(&id, place.epoch)
    {
        return Some(Exhibit { log: place.uid, useq });
    }
    let useq = render::parse_archive_id(&id, ctx.member.epoch)?;
    Some(Exhibit { log: ctx.member.uid, useq })
}
