//! Presence (RFC 6121 §4) and the subscriptions it rests on (§3).

use crate::address::{self, Target};
use crate::member::Member;
use crate::session::{Available, Session};
use crate::{Core, Ctx, limits, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::stanza::{Edit, Stanza};
use rookery_proto::subscription::{Kind, State};
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns};
use rookery_store::{Last, Party};
use std::sync::Arc;

/// Handles a presence stanza of a client.
pub async fn presence(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    let kind = ctx.stanza.type_();
    match (kind.as_deref(), ctx.stanza.to()) {
        (None, None) => available(ctx).await,
        (Some("unavailable"), None) => {
            let stanza = stamped(ctx, None);
            ctx.core.unavailable(ctx.session, Some(stanza)).await
        }
        (None | Some("unavailable"), Some(to)) => directed(ctx, address::parse(&to)?).await,
        (Some("subscribe"), Some(_)) => subscription(ctx, Kind::Subscribe).await,
        (Some("subscribed"), Some(_)) => subscription(ctx, Kind::Subscribed).await,
        (Some("unsubscribe"), Some(_)) => subscription(ctx, Kind::Unsubscribe).await,
        (Some("unsubscribed"), Some(_)) => subscription(ctx, Kind::Unsubscribed).await,
        (Some("probe"), Some(to)) => probe(ctx, address::parse(&to)?).await,
        (Some("error"), Some(to)) => hand_on(ctx, address::parse(&to)?).await,
        _ => Err(StanzaError::bad_request().text("There is no presence of this type.")),
    }
}

/// The client's presence with its full address as sender.
fn stamped(ctx: &Ctx<'_>, to: Option<&str>) -> Bytes {
    let from = ("from", ctx.session.jid.as_str());
    let edit = |set, unset| Edit { set, unset, ..Edit::default() };
    match to {
        Some(to) => ctx.stanza.render(&edit(&[from, ("to", to)], &[])).into(),
        None => ctx.stanza.render(&edit(&[from], &["to"])).into(),
    }
}

/// Initial presence (RFC 6121 §4.2) or an update of it (§4.4).
async fn available(ctx: &Ctx<'_>) -> Result<(), StanzaError> {
    let (core, session) = (ctx.core, ctx.session);
    let stanza = core.with_avatar(session.uid, stamped(ctx, None)).await?;
    let priority = priority(ctx.stanza)?;
    let first = core.make_available(session, Available { priority, stanza: stanza.clone() });
    core.broadcast(session, &stanza).await?;
    if first {
        core.learn_presences(session).await?;
        core.ask_again(session).await?;
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

impl Core {
    /// Sends presence of a session to everybody who may see it: contacts with a subscription, and the account's own
    /// resources (RFC 6121 §4.2.2, §4.4.2).
    pub async fn broadcast(&self, session: &Arc<Session>, stanza: &Bytes) -> Result<(), StanzaError> {
        let Some(member) = self.directory.member(session.uid).await.map_err(store_error)? else {
            return Ok(());
        };
        for contact in self.contacts_of(session.uid).await?.iter() {
            if contact.state.has(State::FROM) {
                self.send_presence(&member, session, contact.uid, &contact.jid, stanza).await?;
            }
        }
        for other in self.router.sessions(session.uid) {
            hand_presence(&other, session.jid.as_str(), stanza, member.address.as_str());
        }
        Ok(())
    }

    /// Presence of a session to all resources of one contact, unless one of the two blocks the other.
    async fn send_presence(
        &self,
        member: &Member,
        session: &Session,
        contact: Option<Uid>,
        jid: &BareJid,
        stanza: &Bytes,
    ) -> Result<(), StanzaError> {
        let Some(uid) = contact else { return Ok(()) };
        let sessions = self.router.sessions(uid);
        if sessions.is_empty() || member.blocks(jid) {
            return Ok(());
        }
        let Some(theirs) = self.directory.member(uid).await.map_err(store_error)? else { return Ok(()) };
        if theirs.blocks(&session.jid) {
            return Ok(());
        }
        for other in sessions {
            hand_presence(&other, session.jid.as_str(), stanza, jid.as_str());
        }
        Ok(())
    }

    /// Tells a session that has become available who of its contacts, and which of the account's other resources,
    /// are available (RFC 6121 §4.2.3, §4.3: the probes; here they never leave the house).
    pub async fn learn_presences(&self, session: &Arc<Session>) -> Result<(), StanzaError> {
        let Some(member) = self.directory.member(session.uid).await.map_err(store_error)? else {
            return Ok(());
        };
        for contact in self.contacts_of(session.uid).await?.iter() {
            if contact.state.has(State::TO)
                && let Some(uid) = contact.uid
            {
                self.show_presences(&member, session, uid).await?;
            }
        }
        for own in self.router.sessions(session.uid) {
            if !Arc::ptr_eq(&own, session) {
                show(&own, session, &member);
            }
        }
        Ok(())
    }

    /// Shows a session all available resources of one account.
    async fn show_presences(&self, me: &Member, session: &Session, uid: Uid) -> Result<(), StanzaError> {
        let theirs = self.router.sessions(uid);
        if theirs.is_empty() {
            return Ok(());
        }
        let Some(member) = self.directory.member(uid).await.map_err(store_error)? else { return Ok(()) };
        if member.blocks(&session.jid) || me.blocks(&member.address) {
            return Ok(());
        }
        theirs.iter().for_each(|other| show(other, session, me));
        Ok(())
    }

    /// Delivers subscription requests that wait for an answer (RFC 6121 §3.1.3).
    async fn ask_again(&self, session: &Session) -> Result<(), StanzaError> {
        for request in self.store.pending_requests(session.uid).await.map_err(store_error)? {
            session.push(request);
        }
        Ok(())
    }

    /// A session goes unavailable: by its client's word, or because it is gone (RFC 6121 §4.5).
    pub async fn unavailable(&self, session: &Arc<Session>, said: Option<Bytes>) -> Result<(), StanzaError> {
        let (was, directed) = {
            let mut state = session.state();
            state.timeline.quiet();
            (state.caps, state.asked_caps) = (None, None);
            (state.available.take().is_some(), std::mem::take(&mut state.directed))
        };
        self.journal.snapshot(session);
        let stanza = said.unwrap_or_else(|| gone(session.jid.as_str()));
        if was {
            self.broadcast(session, &stanza).await?;
            hand_presence(session, session.jid.as_str(), &stanza, session.jid.to_bare().as_str());
        }
        for to in directed {
            self.followers.remove(&to, session);
            self.direct(session, &to, &stanza).await?;
        }
        if was && !self.router.sessions(session.uid).iter().any(|s| s.is_available()) {
            let status = Stanza::parse(&stanza).ok().and_then(|s| status(&s));
            let last = Last { at: self.env.now(), status };
            self.store.set_last(session.uid, last).await.map_err(store_error)?;
        }
        Ok(())
    }

    /// Presence to one address, outside the roster's rules (RFC 6121 §4.6).
    async fn direct(&self, session: &Arc<Session>, to: &Jid, stanza: &Bytes) -> Result<bool, StanzaError> {
        let Target::Account { member, resource } = self.target(to).await? else { return Ok(false) };
        if member.blocks(&session.jid) {
            return Ok(false);
        }
        for other in self.router.sessions(member.uid) {
            let meant = resource.as_deref().is_none_or(|r| r == other.resource());
            if meant && (resource.is_some() || other.is_available()) {
                other.state().queue_presence(session.jid.as_str(), addressed(stanza, to.as_str()));
            }
        }
        Ok(true)
    }
}

/// The `<status/>` of a presence.
fn status(stanza: &Stanza) -> Option<String> {
    let text = stanza.child(ns::CLIENT, "status")?.text().into_owned();
    (!text.is_empty()).then_some(text)
}

/// Presence of one available session to another (`to` is the receiver's account).
fn show(of: &Session, to: &Session, member: &Member) {
    let Some(stanza) = of.state().available.as_ref().map(|a| a.stanza.clone()) else { return };
    let stanza = addressed(&stanza, member.address.as_str());
    to.state().queue_presence(of.jid.as_str(), stanza);
}

/// Hands a presence to a session that is available.
fn hand_presence(to: &Session, from: &str, stanza: &Bytes, address: &str) {
    let mut state = to.state();
    if state.available.is_some() {
        state.queue_presence(from, addressed(stanza, address));
    }
}

/// A broadcast presence with the `to` of one receiver: it begins with `<presence` and has no `to` of its own.
fn addressed(stanza: &Bytes, to: &str) -> Bytes {
    const START: &[u8] = b"<presence";
    debug_assert!(stanza.starts_with(START));
    let mut x = Xml::new();
    x.open("presence").attr("to", to);
    let mut out = x.into_start_tag();
    out.pop();
    out.extend_from_slice(&stanza[START.len()..]);
    out.into()
}

/// `<presence type='unavailable'/>` on behalf of who can't say it any more.
fn gone(from: &str) -> Bytes {
    let mut x = Xml::new();
    x.open("presence").attr("from", from).attr("type", "unavailable").close();
    x.into_vec().into()
}

/// Presence to somebody in particular (RFC 6121 §4.6): remembered while available, so that the end is told too.
async fn directed(ctx: &Ctx<'_>, to: Jid) -> Result<(), StanzaError> {
    let leaving = ctx.stanza.type_().is_some();
    let target = ctx.core.target(&to).await?;
    let to = match &target {
        Target::Account { member, .. } => address::with_resource(&member.address, &to),
        _ => to,
    };
    if ctx.member.blocks(&to) {
        return Err(StanzaError::blocked());
    }
    {
        let mut state = ctx.session.state();
        state.directed.retain(|jid| *jid != to);
        if !leaving {
            if state.directed.len() >= limits::DIRECTED {
                return Err(StanzaError::policy_violation().text("Too many addresses were sent presence."));
            }
            state.directed.push(to.clone());
        }
    }
    ctx.core.journal.snapshot(ctx.session);
    let mut stanza = stamped(ctx, None);
    if leaving {
        ctx.core.followers.remove(&to, ctx.session);
    } else {
        ctx.core.followers.add(&to, ctx.session);
        stanza = ctx.core.with_avatar(ctx.session.uid, stanza).await?;
    }
    let known = ctx.core.direct(ctx.session, &to, &stanza).await?;
    if known || leaving {
        return Ok(());
    }
    match target {
        Target::Elsewhere => Err(StanzaError::remote_server_not_found()),
        // To the server itself, to nobody, or to one who blocks: silence tells nothing (RFC 6121 §8.5.1).
        _ => Ok(()),
    }
}

/// A client may probe; it learns what its subscription lets it see anyway (RFC 6121 §4.3).
async fn probe(ctx: &Ctx<'_>, to: Jid) -> Result<(), StanzaError> {
    let Target::Account { member, .. } = ctx.core.target(&to).await? else { return Ok(()) };
    if member.uid == ctx.member.uid || ctx.core.may_see(member.uid, &ctx.session.jid.clone().into()).await? {
        ctx.core.show_presences(ctx.member, ctx.session, member.uid).await?;
    }
    Ok(())
}

/// An error goes to the resource it is for, or nowhere.
async fn hand_on(ctx: &Ctx<'_>, to: Jid) -> Result<(), StanzaError> {
    if let Target::Account { member, resource: Some(resource) } = ctx.core.target(&to).await?
        && let Some(session) = ctx.core.router.session(member.uid, &resource)
        && !member.blocks(&ctx.session.jid)
    {
        session.push(stamped(ctx, Some(session.jid.as_str())));
    }
    Ok(())
}

/// `subscribe`, `subscribed`, `unsubscribe`, `unsubscribed` (RFC 6121 §3): both sides' rosters change in one
/// transaction; then everybody concerned is told.
async fn subscription(ctx: &Ctx<'_>, kind: Kind) -> Result<(), StanzaError> {
    let core = ctx.core;
    let to = address::parse(&ctx.stanza.to().unwrap_or_default())?;
    let (jid, theirs) = match core.target(&to).await? {
        Target::Account { member, .. } => (member.address.clone(), Some(member)),
        // RFC 6121 §3.1.2: an address that nobody has still enters the roster as asked for.
        Target::Nobody => (to.to_bare(), None),
        Target::Elsewhere => return Err(StanzaError::remote_server_not_found()),
        Target::Server => return Err(StanzaError::service_unavailable()),
    };
    if jid == ctx.member.address {
        return Ok(()); // One always sees oneself.
    }
    if ctx.member.blocks(&jid) {
        return Err(StanzaError::blocked());
    }
    // One who blocks the sender is like one who is not there, but the sender's own side is kept (XEP-0191 §3.3).
    let me: Jid = ctx.member.address.clone().into();
    let theirs = theirs.filter(|member| !member.blocks(&me));
    let set = [("from", ctx.member.address.as_str()), ("to", jid.as_str())];
    let stanza: Bytes = ctx.stanza.render(&Edit { set: &set, ..Edit::default() }).into();
    let actor = Party { uid: Some(ctx.member.uid), jid: ctx.member.address.clone() };
    let contact = Party { jid: jid.clone(), uid: theirs.as_ref().map(|m| m.uid) };
    let before = match &theirs {
        Some(theirs) => Sight {
            theirs: core.may_see(ctx.member.uid, &theirs.address.clone().into()).await?,
            mine: core.may_see(theirs.uid, &me).await?,
        },
        None => Sight::default(),
    };
    let request = (kind == Kind::Subscribe).then(|| stanza.clone());
    let outcome = ctx.store.subscription(actor, contact, kind, request).await.map_err(store_error)?;
    if let Some(change) = &outcome.actor_change {
        core.push_roster(ctx.member.uid, change);
    }
    let Some(theirs) = theirs else { return Ok(()) };
    core.contacts.changed(ctx.member.uid);
    core.contacts.changed(theirs.uid);
    if outcome.deliver {
        deliver_subscription(core, &theirs, kind, stanza);
    }
    if let Some(change) = &outcome.contact_change {
        core.push_roster(theirs.uid, change);
    }
    if let Some(reply) = outcome.reply {
        // The server answers for a contact that has answered before (RFC 6121 §3.1.3, §3.4.2).
        core.tell_subscription(&theirs, ctx.member, reply);
    }
    exchange_presence(ctx, &theirs, before).await
}

/// The stanza itself to the contact's resources: a request to those that are available, an answer also to those that
/// only have asked for the roster (RFC 6121 §3.1.3, §3.1.6).
fn deliver_subscription(core: &Core, to: &Member, kind: Kind, stanza: Bytes) {
    for session in core.router.sessions(to.uid) {
        let state = session.state();
        let meant = state.available.is_some() || (kind != Kind::Subscribe && state.interested);
        drop(state);
        if meant {
            session.push(stanza.clone());
        }
    }
}

/// Who sees whom.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Sight {
    /// The contact sees the user.
    theirs: bool,
    /// The user sees the contact.
    mine: bool,
}

/// A subscription that came into being shows presence at once, one that ended takes it back
/// (RFC 6121 §3.1.5, §3.2.2, §3.3.2).
async fn exchange_presence(ctx: &Ctx<'_>, theirs: &Arc<Member>, before: Sight) -> Result<(), StanzaError> {
    let (core, mine) = (ctx.core, ctx.member);
    let now = core.may_see(mine.uid, &theirs.address.clone().into()).await?;
    if now != before.theirs {
        core.present(mine, theirs, now);
        if now {
            core.show_last_items(mine, theirs).await?;
        }
    }
    let now = core.may_see(theirs.uid, &mine.address.clone().into()).await?;
    if now != before.mine {
        core.present(theirs, mine, now);
        if now {
            core.show_last_items(theirs, mine).await?;
        }
    }
    Ok(())
}

impl Core {
    /// A subscription stanza that the server writes on behalf of `from`.
    pub fn tell_subscription(&self, from: &Member, to: &Member, kind: Kind) {
        let mut x = Xml::new();
        x.open("presence").attr("from", from.address.as_str()).attr("to", to.address.as_str());
        x.attr("type", kind.name()).close();
        deliver_subscription(self, to, kind, x.into_vec().into());
    }

    /// Every available resource of `of` shows itself to `to`, unless one of the two blocks the other, or disappears.
    pub fn present(&self, of: &Member, to: &Member, here: bool) {
        if here && (of.blocks(&to.address.clone().into()) || to.blocks(&of.address.clone().into())) {
            return;
        }
        for session in self.router.sessions(of.uid) {
            let Some(shown) = session.state().available.as_ref().map(|a| a.stanza.clone()) else { continue };
            let stanza = if here { shown } else { gone(session.jid.as_str()) };
            for other in self.router.sessions(to.uid) {
                hand_presence(&other, session.jid.as_str(), &stanza, to.address.as_str());
            }
        }
    }
}
