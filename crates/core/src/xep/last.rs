//! XEP-0012: Last Activity, for accounts and the server's uptime.

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::{Core, Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_proto::xml::Xml;

/// XEP-0012.
pub const INFO: Xep = Xep {
    number: "XEP-0012",
    name: "Last Activity",
    version: "2.0",
    server: &[ns::LAST],
    account: &[ns::LAST],
    note: "For contacts that may see presence, if the account lets them; survives restarts.",
};

/// How long ago an account was here (§4); 0 while one of its resources is seen to be available. Who may ask is decided
/// by [`crate::privacy`].
pub async fn of_account(ctx: &Ctx<'_>, member: &Member) -> Answer {
    if ctx.core.router.sessions(member.uid).iter().any(|s| s.is_seen()) {
        return seconds(0, None);
    }
    let last = ctx.core.store.last(member.uid).await.map_err(store_error)?;
    let last = last.ok_or_else(StanzaError::item_not_found)?;
    seconds((ctx.core.env.now().0 - last.at.0) / 1000, last.status.as_deref())
}

/// How long the server has been running (§5).
pub fn of_server(core: &Core) -> Answer {
    seconds((core.env.now().0 - core.started.0) / 1000, None)
}

fn seconds(ago: i64, status: Option<&str>) -> Answer {
    let mut x = Xml::new();
    x.open_ns("query", ns::LAST).attr("seconds", &ago.max(0).to_string());
    x.text(status.unwrap_or_default()).close();
    Ok(Reply::Payload(x.into_vec()))
}
