//! XEP-0377: Blocking Command Reports: why somebody is blocked, for the administrators.

use super::Xep;
use crate::{Ctx, render};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_store::{Exhibit, NewReport, Reason, Sharing, limits};

/// XEP-0377.
pub const INFO: Xep = Xep {
    server: &[ns::REPORTING],
    ..Xep::of(
        "XEP-0377",
        "Blocking Command Reports",
        "0.4.1",
        "Into a queue for the administrators, with copies of the messages; nothing is passed on to others.",
    )
};

/// The report in an item of a block (§6); `blocked` is whom it is about.
pub fn read(ctx: &Ctx<'_>, item: &Child<'_>, blocked: &Jid) -> Result<Option<NewReport>, StanzaError> {
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
    Ok(Some(NewReport {
        reported: person(ctx, blocked),
        reason,
        text,
        sharing: Sharing { origin: has("report-origin"), third_party: has("third-party") },
        exhibits: report.children().filter_map(|child| exhibit(ctx, &child)).collect(),
    }))
}

/// Who is behind an address: an account with all its resources; elsewhere perhaps one resource (an occupant of a group).
fn person(ctx: &Ctx<'_>, blocked: &Jid) -> String {
    let ours = blocked.domain().as_str() == ctx.core.policy.domain;
    if ours { blocked.to_bare().to_string() } else { blocked.to_string() }
}

/// A message in the reporter's archive. Who wrote the id (`by`) is the account itself; clients were seen to name who is
/// reported there, as the standard's example does.
fn exhibit(ctx: &Ctx<'_>, child: &Child<'_>) -> Option<Exhibit> {
    let id = child.is(ns::SID, "stanza-id").then(|| child.attr("id")).flatten()?;
    let useq = render::parse_archive_id(&id, ctx.member.epoch)?;
    Some(Exhibit { log: ctx.member.uid, useq })
}
