//! XEP-0280: Message Carbons. Switched here; who gets which copy is decided in `session::timeline::form`, and what is
//! eligible in `pipeline::classify`.

use super::Xep;
use crate::Ctx;
use crate::answer::{Answer, Reply};
use rookery_proto::ns;

/// XEP-0280.
pub const INFO: Xep = Xep {
    number: "XEP-0280",
    name: "Message Carbons",
    version: "1.0.1",
    server: &[ns::CARBONS],
    account: &[],
    note: "A view of the timeline: a copy carries the archive's id, also after a resumption.",
};

/// Switches copies on or off for this resource (§4, §5).
pub fn enable(ctx: &Ctx<'_>, on: bool) -> Answer {
    ctx.session.state().timeline.carbons = on;
    ctx.core.journal.snapshot(ctx.session);
    Ok(Reply::Empty)
}
