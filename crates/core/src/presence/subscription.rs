//! Subscriptions (RFC 6121 §3): both sides' rosters change in one transaction; then everybody concerned is told.

use crate::accounts::invite_hash;
use crate::address::{self, Target};
use crate::member::Member;
use crate::privacy::{Adding, Strangers};
use crate::{Core, Ctx, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::subscription::Kind;
use rookery_proto::xml::Xml;
use rookery_store::{Party, Removal};
use std::sync::Arc;

/// `subscribe`, `subscribed`, `unsubscribe`, `unsubscribed`.
pub(super) async fn subscription(ctx: &Ctx<'_>, kind: Kind) -> Result<(), StanzaError> {
    let core = ctx.core;
    let to = address::parse(&ctx.stanza.to().unwrap_or_default())?;
    let (jid, theirs) = match core.target(&to).await? {
        Target::Account { member, .. } => (member.address.clone(), Some(member)),
        // RFC 6121 §3.1.2: an address that nobody has still enters the roster as asked for.
        Target::Nobody | Target::Component(_) => (to.to_bare(), None),
        Target::Elsewhere => return Err(StanzaError::remote_server_not_found()),
        Target::Server | Target::Groups | Target::Group { .. } | Target::Pubsub => {
            return Err(StanzaError::service_unavailable());
        }
    };
    if jid == ctx.member.address {
        return Ok(()); // One always sees oneself.
    }
    if ctx.member.blocks(&jid) {
        return Err(StanzaError::blocked());
    }
    if kind == Kind::Subscribe {
        core.pace.subscription(ctx.member, core.env.now())?;
    }
    if kind == Kind::Subscribe
        && let Some(theirs) = &theirs
        && let Some(token) = token(ctx)
        && take_up(ctx, theirs, &token).await?
    {
        return Ok(());
    }
    let theirs = match theirs {
        Some(member) if kind == Kind::Subscribe && refuses(core, &member, &ctx.member.address).await? => None,
        other => other,
    };
    let stanza: Bytes = ctx.sent_on(ctx.member.address.as_str(), Some(jid.as_str()), None).into();
    let actor = Party { uid: Some(ctx.member.uid), jid: ctx.member.address.clone() };
    let contact = Party { jid: jid.clone(), uid: theirs.as_ref().map(|m| m.uid) };
    let before = match &theirs {
        Some(theirs) => Watching::of(core, ctx.member, theirs).await?,
        None => Watching::default(),
    };
    let request = (kind == Kind::Subscribe).then(|| stanza.clone());
    let outcome = ctx.store.subscription(actor, contact, kind, request).await.map_err(store_error)?;
    core.contacts.changed(ctx.member.uid);
    if let Some(change) = &outcome.actor_change {
        core.push_roster(ctx.member.uid, change);
    }
    if matches!(kind, Kind::Subscribe | Kind::Subscribed) {
        core.befriended(ctx.member, &jid).await?;
    }
    let Some(theirs) = theirs else { return hand_out(ctx, &jid, kind, outcome.route, stanza) };
    core.contacts.changed(theirs.uid);
    if outcome.deliver && !theirs.blocks(&ctx.session.jid) {
        deliver(core, &theirs, kind, stanza);
    }
    if let Some(change) = &outcome.contact_change {
        core.push_roster(theirs.uid, change);
    }
    if let Some(reply) = outcome.reply {
        // The server answers for a contact that has answered before (RFC 6121 §3.1.3, §3.4.2).
        core.tell_subscription(&theirs, ctx.member, reply);
    }
    exchange_presence(core, ctx.member, &theirs, before).await
}

/// The token that a request has with it (XEP-0379 §3.4).
fn token(ctx: &Ctx<'_>) -> Option<String> {
    let preauth = ctx.stanza.child(ns::PREAUTH, "preauth")?;
    preauth.attr("token").map(|token| token.into_owned())
}

/// XEP-0379 §3.5, §3.6: a request with a token of `theirs` makes contacts of both at once. The server answers for who made
/// the invitation, and who sends its token has agreed with that. False: it is a request like any other, also with a token
/// that the server does not know, for that may be of a client's making (§4.1).
pub(crate) async fn take_up(ctx: &Ctx<'_>, theirs: &Arc<Member>, token: &str) -> Result<bool, StanzaError> {
    let (core, mine) = (ctx.core, ctx.member);
    if theirs.privacy.settings.adding == Adding::Nobody || theirs.blocks(&ctx.session.jid) {
        return Ok(false);
    }
    let before = Watching::of(core, mine, theirs).await?;
    let party = |member: &Member| Party { uid: Some(member.uid), jid: member.address.clone() };
    let taken = ctx.store.take_up(invite_hash(token), core.env.now(), party(mine), party(theirs)).await;
    let Some((invite, friends)) = taken.map_err(store_error)? else { return Ok(false) };
    for (uid, change) in [(mine.uid, &friends.taker_change), (theirs.uid, &friends.inviter_change)] {
        core.contacts.changed(uid);
        if let Some(change) = change {
            core.push_roster(uid, change);
        }
    }
    core.tell_subscription(theirs, mine, Kind::Subscribed);
    core.befriended(mine, &theirs.address).await?;
    core.befriended(theirs, &mine.address).await?;
    exchange_presence(core, mine, theirs, before).await?;
    if let Some(group) = &invite.offer.group {
        core.enter_group(group, invite.created_by, &mine.address).await;
    }
    Ok(true)
}

/// A subscription stanza for a contact at a component goes to it, and presence follows (RFC 6121 §3.1.5, §3.2.2).
fn hand_out(ctx: &Ctx<'_>, to: &BareJid, kind: Kind, route: bool, stanza: Bytes) -> Result<(), StanzaError> {
    let local = to.node().map(|local| local.as_str());
    let Some(component) = ctx.core.components.at(local, to.domain().as_str()).filter(|_| route) else {
        return Ok(());
    };
    component.send(stanza)?;
    match kind {
        Kind::Subscribed => ctx.core.show_outside(ctx.member, to, true),
        Kind::Unsubscribed => ctx.core.show_outside(ctx.member, to, false),
        Kind::Subscribe | Kind::Unsubscribe => {}
    }
    Ok(())
}

/// Whether a request does not reach `to`, who blocks the sender (XEP-0191 §3.2), takes nothing from strangers or is not to
/// be added by them. The
/// sender's own side is kept and nothing is answered, as if nobody had the address. Whatever *ends* something still
/// ends it on both sides.
pub(crate) async fn refuses(core: &Core, to: &Member, from: &BareJid) -> Result<bool, StanzaError> {
    if to.blocks(&Jid::from(from.clone())) || core.reception(to, from).await? == Strangers::Refuse {
        return Ok(true);
    }
    let open = to.privacy.settings.adding == Adding::Everybody;
    Ok(!open && !core.contacts_of(to.uid).await?.iter().any(|contact| contact.jid == *from))
}

/// The stanza itself to the contact's resources: a request to those that are available, an answer also to those that
/// only have asked for the roster (RFC 6121 §3.1.3, §3.1.6).
pub(crate) fn deliver(core: &Core, to: &Member, kind: Kind, stanza: Bytes) {
    for session in core.router.sessions(to.uid) {
        let state = session.state();
        let meant = state.available.is_some() || (kind != Kind::Subscribe && state.interested);
        drop(state);
        if meant {
            session.push(stanza.clone());
        }
    }
}

/// Who of two watches the other.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Watching {
    /// The contact watches the user.
    theirs: bool,
    /// The user watches the contact.
    mine: bool,
}

impl Watching {
    async fn of(core: &Core, mine: &Member, theirs: &Member) -> Result<Watching, StanzaError> {
        Ok(Watching {
            theirs: core.may_see(mine.uid, &theirs.address.clone().into()).await?,
            mine: core.may_see(theirs.uid, &mine.address.clone().into()).await?,
        })
    }
}

/// A subscription that came into being shows presence at once, one that ended takes it back
/// (RFC 6121 §3.1.5, §3.2.2, §3.3.2).
async fn exchange_presence(
    core: &Core,
    mine: &Arc<Member>,
    theirs: &Arc<Member>,
    before: Watching,
) -> Result<(), StanzaError> {
    let now = Watching::of(core, mine, theirs).await?;
    if now.theirs != before.theirs {
        core.present(mine, theirs, now.theirs);
        if now.theirs {
            core.show_last_items(mine, theirs).await?;
        }
    }
    if now.mine != before.mine {
        core.present(theirs, mine, now.mine);
        if now.mine {
            core.show_last_items(theirs, mine).await?;
        }
    }
    Ok(())
}

impl Core {
    /// A subscription stanza that the server writes on behalf of `from`, unless one of the two blocks the other.
    fn tell_subscription(&self, from: &Member, to: &Member, kind: Kind) {
        if from.blocks(&Jid::from(to.address.clone())) || to.blocks(&Jid::from(from.address.clone())) {
            return;
        }
        let mut x = Xml::new();
        x.open("presence").attr("from", from.address.as_str()).attr("to", to.address.as_str());
        x.attr("type", kind.name()).close();
        deliver(self, to, kind, x.into_vec().into());
    }

    /// `mine` has removed `theirs` from its roster, or is itself removed: the contact is told what ended, and sees it go
    /// (RFC 6121 §2.5.2). A contact that blocks, or is blocked, learns it from its roster alone.
    pub(crate) fn parted(&self, mine: &Member, theirs: &Member, removal: &Removal) {
        self.contacts.changed(theirs.uid);
        for (told, kind) in
            [(removal.unsubscribe, Kind::Unsubscribe), (removal.unsubscribed, Kind::Unsubscribed)]
        {
            if told {
                self.tell_subscription(mine, theirs, kind);
            }
        }
        if let Some(change) = &removal.contact_change {
            self.push_roster(theirs.uid, change);
        }
        if removal.unsubscribed {
            self.present(mine, theirs, false);
        }
    }
}
