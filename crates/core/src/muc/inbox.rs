//! The groups in an account's inbox (XEP-0430) beside the small ones, whose messages are in its own log: those that it is a member
//! of, is in, or has bookmarked (XEP-0402), and may read.

use super::archive::is_open_to;
use super::room::Place;
use super::rooms::config_of;
use crate::xep::bookmarks;
use crate::{Ctx, address, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_store::limits::INBOX_GROUPS;
use rookery_store::{Displayed, Group, GroupAffiliation, InboxGroup, Upto};
use std::collections::{HashMap, HashSet};

/// The groups, by their numbers; of more than [`INBOX_GROUPS`] those first that it is in, then its bookmarks.
pub(crate) async fn groups(ctx: &Ctx<'_>) -> Result<HashMap<Uid, (InboxGroup, Place)>, StanzaError> {
    let (core, own) = (ctx.core, &ctx.member.address);
    let sessions = core.router.sessions(ctx.member.uid);
    let rooms = sessions.iter().flat_map(|session| session.state().rooms());
    let inside: HashSet<Uid> = rooms.map(|room| room.place.uid).collect();
    let mut locals: Vec<String> = inside.iter().map(Uid::to_string).collect();
    locals.extend(bookmarks::rooms(ctx).await?.iter().filter_map(|id| local(ctx, id)));
    let mut named = core.store.groups_named(locals, own).await.map_err(store_error)?;
    let member_of = core.store.groups_of(own).await.map_err(store_error)?;
    named.extend(member_of.into_iter().map(|(group, how)| (group, how.affiliation)));
    let mut groups = HashMap::new();
    for (group, how) in named {
        if groups.len() == INBOX_GROUPS {
            break;
        }
        if let Some(known) = readable(ctx, &group, how, &inside) {
            groups.entry(group.uid).or_insert(known);
        }
    }
    Ok(groups)
}

/// A group that the account may read.
fn readable(
    ctx: &Ctx<'_>,
    group: &Group,
    how: GroupAffiliation,
    inside: &HashSet<Uid>,
) -> Option<(InboxGroup, Place)> {
    let config = config_of(group);
    let place = ctx.core.place_of(group);
    let (uid, address, private) = (group.uid, place.address.clone(), config.is_private());
    let blocked = ctx.member.blocks(&address.clone().into());
    let open = !blocked && is_open_to(&config, how.into(), inside.contains(&uid));
    open.then_some((InboxGroup { uid, address, private }, place))
}

/// What stands in the address of a group that a bookmark is for; nothing for a room elsewhere.
fn local(ctx: &Ctx<'_>, id: &str) -> Option<String> {
    let jid = address::parse(id).ok().filter(|jid| jid.domain().as_str() == ctx.core.policy.groups)?;
    jid.node().filter(|_| jid.resource().is_none()).map(|local| local.to_string())
}

/// Who bookmarks a group begins to read it: what was said before is no news.
pub(crate) async fn of_bookmark(ctx: &Ctx<'_>, id: &str) -> Result<Option<Displayed>, StanzaError> {
    let Some(local) = local(ctx, id) else { return Ok(None) };
    let found = ctx.core.store.groups_named(vec![local], &ctx.member.address).await.map_err(store_error)?;
    let displayed = |(group, _): &(Group, GroupAffiliation)| Displayed {
        uid: ctx.member.uid,
        peer: ctx.core.group_address(group),
        upto: Upto::Begun(group.uid),
    };
    Ok(found.first().map(displayed))
}
