//! Presence (RFC 6121 §4) and the subscriptions it rests on (§3).

use crate::address::{self, Target};
use crate::review;
use crate::session::Available;
use crate::{Ctx, muc};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_proto::subscription::Kind;
use rookery_proto::xml::Xml;

pub(crate) mod broadcast;
mod directed;
pub(crate) mod subscription;

/// Handles a presence stanza of a client.
pub async fn presence(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    if ctx.member.waits && ctx.stanza.to().is_some() {
        Box::pin(review::admit(ctx)).await?;
    }
    let kind = ctx.stanza.type_();
    let named = ctx.named()?;
    ctx.core.permits(named.as_ref())?;
    if let Some(to) = &named
        && let Target::Group { local, nick } = ctx.core.target(to).await?
    {
        return muc::presence(ctx, &local, nick.as_deref()).await;
    }
    match (kind.as_deref(), ctx.stanza.to()) {
        (None, None) => available(ctx).await,
        (Some("unavailable"), None) => {
            let stanza = stamped(ctx, None);
            ctx.core.unavailable(ctx.session, Some(stanza)).await
        }
        (None | Some("unavailable"), Some(to)) => directed::directed(ctx, address::parse(&to)?).await,
        (Some("subscribe"), Some(_)) => subscription::subscription(ctx, Kind::Subscribe).await,
        (Some("subscribed"), Some(_)) => subscription::subscription(ctx, Kind::Subscribed).await,
        (Some("unsubscribe"), Some(_)) => subscription::subscription(ctx, Kind::Unsubscribe).await,
        (Some("unsubscribed"), Some(_)) => subscription::subscription(ctx, Kind::Unsubscribed).await,
        (Some("probe"), Some(to)) => probe(ctx, address::parse(&to)?).await,
        (Some("error"), Some(to)) => hand_on(ctx, address::parse(&to)?).await,
        _ => Err(StanzaError::bad_request().text("There is no presence of this type.")),
    }
}

/// The client's presence with its full address as sender.
fn stamped(ctx: &Ctx<'_>, to: Option<&str>) -> Bytes {
    ctx.sent_on(ctx.session.jid.as_str(), to, None).into()
}

/// Initial presence (RFC 6121 §4.2) or an update of it (§4.4).
async fn available(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    let (core, session) = (ctx.core, ctx.session);
    let stanza = core.with_avatar(session.uid, stamped(ctx, None)).await?;
    let priority = priority(ctx.stanza)?;
    let first = core.make_available(session, Available { priority, stanza: stanza.clone() });
    core.announce(session, &stanza).await?;
    if first {
        if session.is_seen() {
            core.learn_presences(session).await?;
        }
        core.ask_again(session).await?;
        core.send_subscribed_items(session).await?;
        core.show_motd(session, core.is_alone(session)).await?;
    }
    let nodes = core.note_caps(session, ctx.stanza).await?;
    core.send_last_items(session, nodes).await
}

/// RFC 6121 §4.7.2.3: an integer from -128 to 127; 0 where it is not said.
fn priority(stanza: &Stanza) -> Result<i8, StanzaError> {
    let Some(child) = stanza.child(ns::CLIENT, "priority") else { return Ok(0) };
    let text = child.text();
    text.trim()
        .parse()
        .map_err(|_| StanzaError::bad_request().text("A priority is a number from -128 to 127."))
}

/// `<presence type='unavailable'/>` on behalf of who can't say it any more.
pub(crate) fn gone(from: &str) -> Bytes {
    let mut x = Xml::new();
    x.open("presence").attr("from", from).attr("type", "unavailable").close();
    x.into_vec().into()
}

/// A client may probe; it learns what it may see anyway (RFC 6121 §4.3).
async fn probe(ctx: &Ctx<'_>, to: Jid) -> Result<(), StanzaError> {
    let member = match ctx.core.target(&to).await? {
        Target::Account { member, .. } => member,
        Target::Component(component) => return component.send(stamped(ctx, Some(to.as_str()))),
        _ => return Ok(()),
    };
    if ctx.core.sight(member.uid, &ctx.session.jid).await?.presence {
        ctx.core.show_presences(&member, ctx.member, ctx.session);
    }
    Ok(())
}

/// An error goes to the resource it is for, or nowhere.
async fn hand_on(ctx: &Ctx<'_>, to: Jid) -> Result<(), StanzaError> {
    let target = ctx.core.target(&to).await?;
    if let Target::Component(component) = &target {
        return component.send(stamped(ctx, Some(to.as_str())));
    }
    if let Target::Account { member, resource: Some(resource) } = target
        && let Some(session) = ctx.core.router.session(member.uid, &resource)
        && !member.blocks(&ctx.session.jid)
    {
        session.push(stamped(ctx, Some(session.jid.as_str())));
    }
    Ok(())
}
