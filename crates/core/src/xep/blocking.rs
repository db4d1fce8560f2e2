//! XEP-0191: Blocking Command. What a block means for messages, presence and IQ stands where those are handled.

use super::{Xep, reporting};
use crate::address::Target;
use crate::answer::{Answer, Reply};
use crate::{Ctx, address, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;

/// XEP-0191.
pub const INFO: Xep = Xep {
    number: "XEP-0191",
    name: "Blocking Command",
    version: "1.3.1",
    server: &[ns::BLOCKING],
    account: &[],
    note: "Whole; a block of either address of an account or a group holds for both. Who blocks a group leaves it.",
};

/// The block list (§3.1); the resource gets pushes from now on.
pub async fn get(ctx: &Ctx<'_>) -> Answer {
    ctx.session.state().wants_blocks = true;
    ctx.core.journal.snapshot(ctx.session);
    let list = ctx.store.blocklist(ctx.member.uid).await.map_err(store_error)?;
    Ok(Reply::Payload(items("blocklist", &list)))
}

/// Blocks addresses (§3.2): stored first, with the reports about them, then in force, then told.
pub async fn block(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let (mut jids, mut reports) = (Vec::new(), Vec::new());
    for item in items_of(payload) {
        let jid = named(ctx, &item).await?;
        reports.extend(reporting::read(ctx, &item, &jid).await?);
        jids.push(jid.to_string());
    }
    if jids.is_empty() {
        return Err(StanzaError::bad_request().text("A block names at least one address."));
    }
    let reported = !reports.is_empty();
    let (uid, now) = (ctx.member.uid, ctx.core.env.now());
    ctx.store.block_and_report(uid, jids.clone(), reports, now).await.map_err(store_error)?;
    changed(ctx).await?;
    push(ctx, "block", &jids);
    if reported {
        ctx.core.reported.notify_one();
    }
    Ok(Reply::Empty)
}

/// Unblocks addresses, or all (§3.3, §3.4).
pub async fn unblock(ctx: &Ctx<'_>, payload: &Child<'_>) -> Answer {
    let mut jids = Vec::new();
    for item in items_of(payload) {
        jids.push(named(ctx, &item).await?.to_string());
    }
    let uid = ctx.member.uid;
    let removed = match jids.is_empty() {
        true => ctx.store.unblock_all(uid).await,
        false => ctx.store.unblock(uid, jids.clone()).await,
    };
    removed.map_err(store_error)?;
    changed(ctx).await?;
    push(ctx, "unblock", &jids);
    Ok(Reply::Empty)
}

fn items_of<'a>(payload: &Child<'a>) -> impl Iterator<Item = Child<'a>> {
    payload.children().filter(|child| child.name() == "item")
}

/// The address that an item names; an alias stands for the primary address of the account or the group.
async fn named(ctx: &Ctx<'_>, item: &Child<'_>) -> Result<Jid, StanzaError> {
    let jid = item.attr("jid").ok_or_else(|| StanzaError::bad_request().text("An item has no address."))?;
    let jid = address::parse(&jid)?;
    let bare = match ctx.core.target(&jid).await? {
        Target::Group { local, .. } => {
            let room = ctx.core.room(&local).await?;
            room.map_or_else(|| jid.to_bare(), |room| room.place.address.clone())
        }
        _ => ctx.resolved(jid.to_bare()).await?,
    };
    Ok(address::with_resource(&bare, &jid))
}

/// The new list is in force: the blocked see the user go, and those who are not any more see it come (§3.2, §3.3).
async fn changed(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    ctx.core.directory.changed(ctx.member.uid);
    let Some(now) = ctx.core.directory.member(ctx.member.uid).await.map_err(store_error)? else {
        return Ok(());
    };
    ctx.core.leave_blocked(&now).await;
    ctx.core.sight_changed(ctx.member, &now).await
}

/// Tells the account's resources that asked for the list (§3.2).
fn push(ctx: &Ctx<'_>, name: &str, jids: &[String]) {
    for session in ctx.core.router.sessions(ctx.member.uid) {
        if !session.state().wants_blocks {
            continue;
        }
        let mut x = Xml::new();
        x.open("iq").attr("type", "set").attr("id", &ctx.core.env.token()).attr("to", session.jid.as_str());
        x.raw(&items(name, jids)).close();
        session.push(x.into_vec().into());
    }
}

fn items(name: &str, jids: &[String]) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns(name, ns::BLOCKING);
    for jid in jids {
        x.open("item").attr("jid", jid).close();
    }
    x.close();
    x.into_vec()
}
