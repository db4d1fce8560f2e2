//! The way of a message, read from top to bottom.
//!
//! `net` has read it, `proto` has found its end. Here it is addressed, checked, cleaned and classed, and handed to
//! the store. After the commit the store rings the doorbell ([`crate::router::Router::appended`]), and the session
//! that sent it counts it as handled. Nothing turns back.

mod outward;

use crate::address::{Target, compose};
use crate::component::{Component, Parcel};
use crate::member::Member;
use crate::muc::{self, Handout};
use crate::privacy::Strangers;
use crate::xep::{inbox, pep};
use crate::{Core, Ctx, flags, render, review, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Appended, ArchiveDefault, Direction, Displayed, Entry, Flags, MessageId, Origin, Pending, Pointer,
};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// What is left to do for a stanza after its preparation, in the order in which stanzas came.
pub enum Step {
    /// Nothing: it was handled, or quietly ignored as the standard says.
    Done,
    /// It counts as handled when this has committed; a failure is an error to the sender.
    Commit(Pending<Appended>, Option<After>),
    /// It is in no log and goes to whoever is here now.
    Deliver(SmallVec<[(Uid, Arc<Entry>); 2]>, Option<After>),
}

/// What goes to those who have no log here, or not this in it, when the rest is done.
pub enum After {
    /// To a component.
    Parcel(Parcel),
    /// To a gateway: it is in its outbox.
    Ring(Arc<Component>),
    /// To an occupant of a room.
    Handout(Handout),
}

impl After {
    /// Off with it; `useqs` are the positions that were given to what was stored.
    pub fn send(self, useqs: &[Useq]) {
        match self {
            After::Parcel(parcel) => parcel.send(),
            After::Ring(gateway) => gateway.ring(),
            After::Handout(handout) => handout.send(useqs),
        }
    }
}

/// The type of a message (RFC 6121 §5.2.2); anything unknown is `normal`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Normal,
    Chat,
    Groupchat,
    Headline,
    Error,
}

/// A message, addressed to an account here.
pub(crate) struct Letter {
    pub(crate) to: Arc<Member>,
    /// The recipient's resource, where the message is for that one alone.
    pub(crate) resource: Option<Box<str>>,
    /// The recipient sets aside what strangers send, and the sender is one.
    pub(crate) aside: bool,
}

impl Letter {
    /// The address that it is delivered to.
    pub(crate) fn address(&self) -> String {
        compose(&self.to.address, self.resource.as_deref())
    }
}

/// Takes a message as far as the store's queue.
pub async fn message(ctx: &Ctx<'_>) -> Result<Step, StanzaError> {
    if ctx.member.waits && ctx.stanza.to().is_some() {
        Box::pin(review::admit(ctx)).await?;
    }
    let kind = Kind::of(ctx.stanza);
    let named = ctx.named()?;
    ctx.core.permits(named.as_ref())?;
    ctx.core.pace.message(ctx.member, ctx.core.env.now())?;
    let target = ctx.target_of(named.as_ref()).await?;
    ctx.core.approach(ctx.member, named.as_ref(), &target).await?;
    let (to, resource) = match target {
        Target::Account { member, resource } => (member, resource),
        Target::Nobody if ctx.blocks_named()? => return Err(StanzaError::blocked()),
        Target::Group { local, nick } => {
            return muc::message::message(ctx, kind, &local, nick.as_deref()).await;
        }
        Target::Pubsub => return pep::approval::answer(ctx, kind).await,
        Target::Server | Target::Groups | Target::Nobody => return unreachable(kind),
        Target::Component(component) => return outward::message(ctx, kind, &component).await,
        Target::Elsewhere => return Err(StanzaError::remote_server_not_found()),
    };
    if blocked(ctx, named.as_ref(), &to)? {
        return unreachable(kind);
    }
    let reception = ctx.core.reception(&to, &ctx.member.address).await?;
    if reception == Strangers::Refuse {
        return unreachable(kind);
    }
    let Some(mut letter) = route(ctx.core, kind, to, resource)? else { return Ok(Step::Done) };
    let class = classify(ctx.stanza, kind);
    let screened = ctx.core.screen(&ctx.session.jid, ctx.stanza, class, &letter).await?;
    letter.aside = screened || reception == Strangers::SetAside;
    if letter.aside && !class.has(Flags::DELIVER) {
        return not_kept(ctx.stanza, kind);
    }
    if let Some(retraction) = ctx.stanza.child(ns::RETRACT, "retract") {
        retract(ctx, &letter, &retraction).await?;
    }
    let stanza = clean(ctx, &letter.address());
    let displayed = inbox::of_marker(ctx, &letter.to.address);
    if class.has(Flags::DELIVER) {
        ctx.core.answers(ctx.member, &letter.to.address).await?;
        return store(ctx, letter, class, stanza, displayed).await;
    }
    if let Some(displayed) = displayed {
        ctx.store.set_displayed(displayed).await.map_err(store_error)?;
    }
    Ok(deliver(ctx, letter, class, stanza))
}

/// Nobody is there, or nobody for this sender: an error, except where the standard wants silence (RFC 6121 §8.5.1). It is
/// the same in all cases, so that it tells nothing of who exists (XEP-0191 §3.2).
pub(crate) fn unreachable(kind: Kind) -> Result<Step, StanzaError> {
    match kind {
        Kind::Headline | Kind::Error => Ok(Step::Done),
        _ => Err(StanzaError::service_unavailable().text(UNREACHABLE)),
    }
}

/// A stranger's message would be set aside, and there is nowhere to keep it; a chat state is not worth an error.
pub(crate) fn not_kept(stanza: &Stanza, kind: Kind) -> Result<Step, StanzaError> {
    if has_content(stanza) { unreachable(kind) } else { Ok(Step::Done) }
}

const UNREACHABLE: &str = "Nobody has this address, or whoever has it takes no messages from you.";

/// Whether the recipient blocks the sender, which must look as if nobody were there; a block of the sender's own is
/// an error to itself (XEP-0191 §3.3).
fn blocked(ctx: &Ctx<'_>, named: Option<&Jid>, to: &Member) -> Result<bool, StanzaError> {
    if let Some(named) = named
        && (ctx.member.blocks(named) || ctx.member.blocks(&to.address))
    {
        return Err(StanzaError::blocked());
    }
    Ok(to.blocks(&ctx.session.jid))
}

/// RFC 6121 §8.5.2 (bare address) and §8.5.3 (full address): whether the message goes on, and for which resource.
pub(crate) fn route(
    core: &Core,
    kind: Kind,
    to: Arc<Member>,
    resource: Option<Box<str>>,
) -> Result<Option<Letter>, StanzaError> {
    let bound = resource.as_ref().is_some_and(|r| core.router.session(to.uid, r).is_some());
    let letter = |resource| Ok(Some(Letter { to: to.clone(), resource, aside: false }));
    match (kind, &resource) {
        // §8.5.3.1: the resource is there and gets whatever it is.
        (_, Some(_)) if bound => letter(resource.clone()),
        // §8.5.2.1.1, §8.5.2.2.1, §8.5.3.2.1: an error or a headline for nobody in particular is dropped.
        (Kind::Error, _) | (Kind::Headline, Some(_)) => Ok(None),
        (Kind::Headline, None) => letter(None),
        (Kind::Groupchat, _) => Err(StanzaError::service_unavailable()),
        // §8.5.3.2.1: a normal message is for that resource or for none; a chat goes on to the others.
        (Kind::Normal, Some(_)) => Err(StanzaError::service_unavailable()),
        (Kind::Normal | Kind::Chat, _) => letter(None),
    }
}

/// What is to become of a message: stored or not, archived or not, copied or not.
pub(crate) fn classify(stanza: &Stanza, kind: Kind) -> Flags {
    let hint = |name| stanza.has_child(ns::HINTS, name);
    let content = has_content(stanza);
    let mut class = Flags::default();
    let copies = kind == Kind::Chat || (kind == Kind::Normal && content);
    if copies && !hint("no-copy") && !stanza.has_child(ns::CARBONS, "private") {
        class = class | Flags::COPY;
    }
    let storable = matches!(kind, Kind::Normal | Kind::Chat);
    if storable && (content || hint("store")) && !hint("no-store") {
        class = class | Flags::DELIVER;
        if !hint("no-permanent-store") {
            class = class | Flags::ARCHIVE;
        }
    }
    if is_encrypted(stanza) {
        class = class | Flags::ENCRYPTED;
    }
    if inbox::is_instant(stanza) {
        class = class | Flags::INSTANT;
    }
    if !content && kind == Kind::Chat {
        class = class | flags::STATE;
    }
    class | if kind == Kind::Chat { Flags::CHAT } else { Flags::NORMAL }
}

/// Whether there is something in it that a person would miss (XEP-0313 §5.1.3): a text, a file, an encrypted
/// payload, a receipt or marker, a reaction, an invitation. Chat states alone are not.
pub(crate) fn has_content(stanza: &Stanza) -> bool {
    stanza.children().any(|child| match child.ns() {
        ns::CLIENT => matches!(child.name(), "body" | "subject"),
        ns::RECEIPTS => child.name() == "received",
        ns::MARKERS => child.name() != "markable",
        ns::OOB
        | ns::REACTIONS
        | ns::RETRACT
        | ns::MUC_USER
        | ns::MUC_DIRECT
        | ns::ATTENTION
        | ns::JINGLE_MESSAGE => true,
        other => is_encryption(other),
    })
}

pub(crate) fn is_encrypted(stanza: &Stanza) -> bool {
    stanza.children().any(|child| is_encryption(child.ns()))
}

/// End-to-end encryption: whoever declares it (XEP-0380), OMEMO old and new, OpenPGP old and new.
fn is_encryption(ns: &str) -> bool {
    matches!(ns, ns::EME | ns::OMEMO | ns::OMEMO_AXOLOTL | ns::OPENPGP | ns::PGP_ENCRYPTED)
}

/// The message as it is kept and delivered: addresses stamped, and nothing in it that only a server may say
/// (invariant 9).
fn clean(ctx: &Ctx<'_>, to: &str) -> Vec<u8> {
    ctx.sent_on(ctx.session.jid.as_str(), Some(to), Some(&forged(ctx.core)))
}

/// Which children only we may say.
pub(crate) fn forged(core: &Core) -> impl Fn(&Child<'_>) -> bool {
    |child| match (child.ns(), child.name()) {
        (ns::SID, "stanza-id") => child.attr("by").is_none_or(|by| core.is_ours(&by)),
        (ns::DELAY, "delay") => child.attr("from").is_some_and(|from| core.is_ours(&from)),
        (ns::REACH, "reach") | (ns::MAIL, _) => true,
        _ => false,
    }
}

/// Into the logs of both sides, as one transaction, with what the sender says to have read.
async fn store(
    ctx: &Ctx<'_>,
    letter: Letter,
    class: Flags,
    stanza: Vec<u8>,
    displayed: Option<Displayed>,
) -> Result<Step, StanzaError> {
    let mine = ctx.member;
    let to_self = letter.to.uid == mine.uid;
    let theirs = match letter.aside {
        // The archive is where it waits, whatever else is archived.
        true => Flags::REQUEST | Flags::ARCHIVE,
        false => {
            let kept = archived(ctx.core, &letter.to, &mine.address, class).await?;
            // What is kept nowhere cannot be seen to be read.
            let class = if kept.has(Flags::ARCHIVE) { class } else { Flags::default() };
            let reaches = ctx.core.reaches(&letter.to, mine, ctx.stanza, class).await?;
            Flags::DELIVER | kept | reaches
        }
    };
    let mut pointers: SmallVec<[Pointer; 2]> = smallvec![Pointer {
        uid: letter.to.uid,
        peer: mine.address.clone(),
        peer_resource: Some(ctx.session.resource().into()),
        direction: Direction::In,
        resource: letter.resource.clone().filter(|_| !letter.aside),
        flags: theirs,
    }];
    let kept = archived(ctx.core, mine, &letter.to.address, class).await?;
    if !to_self && (kept.has(Flags::ARCHIVE) || has_others(ctx)) {
        pointers.push(Pointer {
            uid: mine.uid,
            peer: letter.to.address.clone(),
            peer_resource: letter.resource.clone(),
            direction: Direction::Out,
            resource: Some(ctx.session.resource().into()),
            flags: Flags::DELIVER | kept | ctx.core.ends_cases(mine, class),
        });
    }
    let append = Append {
        stanza: stanza.into(),
        at: ctx.core.env.now(),
        flags: Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0),
        pointers,
        origin: origin(ctx, &letter.to.address),
    };
    #[cfg(feature = "bite")]
    if std::env::var_os("ROOKERY_TEST_ACK_BEFORE_COMMIT").is_some() {
        return Ok(bite(ctx.store.clone(), append));
    }
    append_with(ctx, append, displayed).await.map(|pending| Step::Commit(pending, None))
}

/// Whether the sender has other resources, which may get copies (XEP-0280). What it does not archive is in its log for them
/// alone: who comes later is not shown what was sent before.
fn has_others(ctx: &Ctx<'_>) -> bool {
    ctx.core.router.sessions(ctx.member.uid).iter().any(|session| !Arc::ptr_eq(session, ctx.session))
}

/// Queues an append, with what the sender says to have read.
pub(crate) async fn append_with(
    ctx: &Ctx<'_>,
    append: Append,
    displayed: Option<Displayed>,
) -> Result<Pending<Appended>, StanzaError> {
    match displayed {
        Some(displayed) => ctx.store.append_displayed(append, displayed).await,
        None => ctx.store.append(append).await,
    }
    .map_err(store_error)
}

/// What must never be: acknowledged first and stored a moment later. Only to show that the crash test notices.
#[cfg(feature = "bite")]
fn bite(store: rookery_store::Store, append: Append) -> Step {
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if let Ok(pending) = store.append(append).await {
            pending.await.ok();
        }
    });
    Step::Done
}

/// [`Flags::ARCHIVE`] where `owner` wants messages with `peer` archived (XEP-0313 §7).
pub(crate) async fn archived(
    core: &Core,
    owner: &Member,
    peer: &BareJid,
    class: Flags,
) -> Result<Flags, StanzaError> {
    let prefs = &owner.prefs;
    let wanted = if prefs.never.contains(peer) {
        false
    } else if prefs.always.contains(peer) {
        true
    } else {
        match prefs.default {
            ArchiveDefault::Always => true,
            ArchiveDefault::Never => false,
            ArchiveDefault::Roster => core.contacts_of(owner.uid).await?.iter().any(|c| c.jid == *peer),
        }
    };
    Ok(if wanted { Flags(class.0 & Flags::ARCHIVE.0) } else { Flags::default() })
}

/// The sender's own name of the message: its origin-id, which makes a repetition recognisable, or its id.
pub(crate) fn origin(ctx: &Ctx<'_>, peer: &BareJid) -> Option<Origin> {
    let origin_id =
        ctx.stanza.child(ns::SID, "origin-id").and_then(|c| c.attr("id").map(|id| id.into_owned()));
    let dedup = origin_id.is_some();
    let id = origin_id.or_else(|| ctx.stanza.id().map(|id| id.into_owned()))?;
    Some(Origin { sender: ctx.member.uid, peer: peer.clone(), id: id.into(), dedup })
}

/// A message for those who are here now, and for nobody later: chat states, headlines, errors, what is not to be
/// stored.
fn deliver(ctx: &Ctx<'_>, letter: Letter, class: Flags, stanza: Vec<u8>) -> Step {
    let entry = |peer: &BareJid, peer_resource, direction, resource| {
        Arc::new(Entry {
            useq: Useq(0),
            message: MessageId(0),
            peer: peer.clone(),
            peer_resource,
            direction,
            resource,
            at: ctx.core.env.now(),
            flags: class | Flags::DELIVER,
            stanza: stanza.clone().into(),
        })
    };
    let sender: Option<Box<str>> = Some(ctx.session.resource().into());
    let mine = &ctx.member.address;
    let theirs = entry(mine, sender.clone(), Direction::In, letter.resource.clone());
    let mut out: SmallVec<[(Uid, Arc<Entry>); 2]> = smallvec![(letter.to.uid, theirs)];
    if letter.to.uid != ctx.member.uid && class.has(Flags::COPY) {
        let copy = entry(&letter.to.address, letter.resource, Direction::Out, sender);
        out.push((ctx.member.uid, copy));
    }
    Step::Deliver(out, None)
}

/// XEP-0424: what the sender said under that id is emptied in every log; a tombstone stays.
async fn retract(ctx: &Ctx<'_>, letter: &Letter, retraction: &Child<'_>) -> Result<(), StanzaError> {
    let Some(id) = retraction.attr("id") else {
        return Err(StanzaError::bad_request().text("A retraction names the id of what it retracts."));
    };
    let now = ctx.core.env.now();
    let stone = render::tombstone(ctx.stanza, &ctx.session.jid, &letter.to.address, &id, now);
    let (sender, peer) = (ctx.member.uid, letter.to.address.clone());
    let origin = Origin { sender, peer, id: id.into(), dedup: false };
    ctx.core.store.retract(origin, stone.into()).await.map_err(store_error)?;
    Ok(())
}

impl Kind {
    pub(crate) fn of(stanza: &Stanza) -> Kind {
        match stanza.type_().as_deref() {
            Some("chat") => Kind::Chat,
            Some("groupchat") => Kind::Groupchat,
            Some("headline") => Kind::Headline,
            Some("error") => Kind::Error,
            _ => Kind::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(xml: &str) -> Flags {
        let stanza = Stanza::parse(xml.as_bytes()).expect("well-formed");
        classify(&stanza, Kind::of(&stanza))
    }

    #[test]
    fn what_is_stored() {
        let text = class("<message type='chat'><body>hi</body></message>");
        assert!(text.has(Flags::DELIVER | Flags::ARCHIVE | Flags::COPY) && !text.has(flags::STATE));
        let typing = class(
            "<message type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        );
        assert!(!typing.has(Flags::DELIVER) && typing.has(Flags::COPY | flags::STATE));
        let omemo = class("<message><encrypted xmlns='eu.siacs.conversations.axolotl'/></message>");
        assert!(omemo.has(Flags::DELIVER | Flags::ARCHIVE | Flags::ENCRYPTED));
        for xml in [
            "<message type='headline'><body>news</body></message>",
            "<message type='groupchat'><body>hi</body></message>",
            "<message><body>hi</body><no-store xmlns='urn:xmpp:hints'/></message>",
            "<message type='error'><body>hi</body></message>",
        ] {
            assert!(!class(xml).has(Flags::DELIVER), "{xml}");
        }
        let once = class("<message><body>hi</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>");
        assert!(once.has(Flags::DELIVER) && !once.has(Flags::ARCHIVE));
    }

    #[test]
    fn what_is_not_copied() {
        for xml in [
            "<message type='chat'><body>x</body><private xmlns='urn:xmpp:carbons:2'/></message>",
            "<message type='chat'><body>x</body><no-copy xmlns='urn:xmpp:hints'/></message>",
            "<message><thread>x</thread></message>",
            "<message type='groupchat'><body>x</body></message>",
        ] {
            assert!(!class(xml).has(Flags::COPY), "{xml}");
        }
    }
}
