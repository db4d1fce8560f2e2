//! A message to an address at a component (XEP-0114): the sender's side is kept and copied as ever; it goes out when that
//! is stored. What a gateway is to hand on is stored for it, too.

use super::{After, Kind, Step, append_with, archived, classify, clean, origin};
use crate::component::Component;
use crate::xep::inbox;
use crate::{Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::{Uid, Useq};
use rookery_store::{Append, Direction, Entry, Flags, MessageId, Pointer};
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

/// Takes a message as far as the store's queue, and a place in the component's: if there is none, nothing is stored.
pub(super) async fn message(
    ctx: &Ctx<'_>,
    kind: Kind,
    component: &Arc<Component>,
) -> Result<Step, StanzaError> {
    let Some(to) = ctx.named()? else { return Ok(Step::Done) };
    if ctx.member.blocks(&to) {
        return Err(StanzaError::blocked());
    }
    component.check_reach(&to)?;
    let class = classify(ctx.stanza, kind);
    let stanza = clean(ctx, to.as_str());
    // A gateway has an outbox in the store instead of a queue. What is not stored is nothing that it could hand on.
    let after = match component.is_gateway() {
        true => None,
        false => Some(After::Parcel(component.parcel(stanza.clone().into())?)),
    };
    let peer = to.to_bare();
    let peer_resource = to.resource().map(|resource| resource.as_str().into());
    let resource: Option<Box<str>> = Some(ctx.session.resource().into());
    let (direction, at) = (Direction::Out, ctx.core.env.now());
    let displayed = inbox::of_marker(ctx, &peer);
    if class.has(Flags::DELIVER) {
        ctx.core.answers(ctx.member, &peer).await?;
        let kept = archived(ctx.core, ctx.member, &peer, class).await?;
        let flags = Flags::DELIVER | kept | ctx.core.ends_cases(ctx.member, class);
        let origin = origin(ctx, &peer);
        let pointer = Pointer { uid: ctx.member.uid, peer, peer_resource, direction, resource, flags };
        let flags = Flags(class.0 & !(Flags::ARCHIVE | Flags::DELIVER).0);
        let append = Append { stanza: stanza.into(), at, flags, pointers: smallvec![pointer], origin };
        if component.is_gateway() {
            let stored = ctx.store.append_outbound(append, displayed, &component.allowed.host).await;
            return Ok(Step::Commit(stored.map_err(store_error)?, Some(After::Ring(component.clone()))));
        }
        return Ok(Step::Commit(append_with(ctx, append, displayed).await?, after));
    }
    if let Some(displayed) = displayed {
        ctx.store.set_displayed(displayed).await.map_err(store_error)?;
    }
    let mut copies: SmallVec<[(Uid, Arc<Entry>); 2]> = SmallVec::new();
    if class.has(Flags::COPY) {
        let (useq, message, flags) = (Useq(0), MessageId(0), class | Flags::DELIVER);
        let stanza = stanza.into();
        let entry = Entry { useq, message, peer, peer_resource, direction, resource, at, flags, stanza };
        copies.push((ctx.member.uid, Arc::new(entry)));
    }
    Ok(Step::Deliver(copies, after))
}
