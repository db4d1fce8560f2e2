//! Presence to somebody in particular (RFC 6121 §4.6): outside the roster's rules and those of invisibility, as it is
//! the client's own word.

use super::broadcast::addressed;
use super::stamped;
use crate::address::{self, Target};
use crate::privacy::Strangers;
use crate::session::Session;
use crate::{Core, Ctx, limits, store_error};
use bytes::Bytes;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use std::sync::Arc;

/// Sent to whoever is meant, and remembered while available, so that the end is told too.
pub(super) async fn directed(ctx: &Ctx<'_>, to: Jid) -> Result<(), StanzaError> {
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
    ctx.core.direct(ctx.session, &to, &stanza).await?;
    match target {
        Target::Elsewhere if !leaving => Err(StanzaError::remote_server_not_found()),
        Target::Component(component) if !leaving && !component.is_connected() => {
            Err(StanzaError::service_unavailable().text("The service is not there at the moment."))
        }
        // To the server itself, to nobody, or to one who blocks: silence tells nothing (RFC 6121 §8.5.1).
        _ => Ok(()),
    }
}

impl Core {
    /// Presence to one address, except where a block is between the two.
    pub(crate) async fn direct(
        &self,
        session: &Arc<Session>,
        to: &Jid,
        stanza: &Bytes,
    ) -> Result<(), StanzaError> {
        let (member, resource) = match self.target(to).await? {
            Target::Account { member, resource } => (member, resource),
            Target::Component(component) if !self.denies(to) => {
                component.send(addressed(stanza, to.as_str())).ok();
                return Ok(());
            }
            _ => return Ok(()),
        };
        if member.blocks(&session.jid) {
            return Ok(());
        }
        let from = &session.address;
        if member.address != *from && self.reception(&member, from).await? == Strangers::Refuse {
            return Ok(());
        }
        // A session may outlive its account for a moment, to say goodbye.
        let mine = self.directory.member(session.uid).await.map_err(store_error)?;
        for other in self.router.sessions(member.uid) {
            let meant = resource.as_deref().is_none_or(|r| r == other.resource());
            let blocked = mine.as_ref().is_some_and(|mine| mine.blocks(&other.jid));
            if meant && !blocked && (resource.is_some() || other.is_available()) {
                other.state().queue_presence(session.jid.as_str(), addressed(stanza, to.as_str()));
            }
        }
        Ok(())
    }
}
