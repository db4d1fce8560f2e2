//! Who may see and do what with a node (XEP-0060 §4.5, XEP-0163 §6).

use super::config::{Access, Config, PublishModel};
use super::draft::Known;
use super::{HIDDEN, error};
use crate::member::Member;
use crate::{Core, Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::{Affiliate, Affiliation};
use std::sync::Arc;

/// A request to the nodes of one account.
pub struct Visit<'a> {
    /// The request.
    pub ctx: &'a Ctx<'a>,
    /// Whose nodes they are.
    pub owner: &'a Arc<Member>,
    /// Whether it is the owner who asks, or somebody who acts for it.
    pub own: bool,
    /// Whether who asks may see the owner's presence.
    pub known: bool,
}

impl<'a> Visit<'a> {
    /// A visit of the request's sender to `owner`.
    pub async fn new(ctx: &'a Ctx<'a>, owner: &'a Arc<Member>) -> Result<Visit<'a>, StanzaError> {
        let own = ctx.core.keeps_nodes(owner.uid, ctx.member).await?;
        let known = own || ctx.core.may_see(owner.uid, &ctx.session.jid.clone().into()).await?;
        Ok(Visit { ctx, owner, own, known })
    }

    /// The error as the visitor may see it: a stranger learns no more than of an account that does not exist.
    pub fn refusal(&self, error: StanzaError) -> StanzaError {
        // What is wrong with the server tells nothing of the account.
        let telling = !matches!(error.condition, "internal-server-error" | "resource-constraint");
        if telling && !self.known { StanzaError::service_unavailable() } else { error }
    }

    /// The visitor's part in a node.
    pub async fn part(&self, node: &str) -> Result<Affiliate, StanzaError> {
        let me = &self.ctx.member.address;
        let parts = self.ctx.core.store.affiliations(self.owner.uid, me).await.map_err(store_error)?;
        let part = parts.into_iter().find(|(name, _)| name == node).map(|(_, part)| part);
        Ok(part.unwrap_or(Affiliate { jid: me.clone(), affiliation: Affiliation::None, subscribed: false }))
    }

    /// A node that is there and that the visitor may read, with the visitor's part in it.
    pub async fn readable(&self, name: &str) -> Result<(Known, Affiliate), StanzaError> {
        let node = self.node(name).await?.ok_or_else(StanzaError::item_not_found)?;
        let part = self.part(name).await?;
        if !self.own {
            let core = self.ctx.core;
            core.may_read(self.owner, &node.config, &self.ctx.member.address, part.affiliation).await?;
        }
        // What was open to a stranger is no secret any more.
        Ok((node, part))
    }

    /// A node, if it is there; none that is the server's own.
    pub async fn node(&self, name: &str) -> Result<Option<Known>, StanzaError> {
        if name.starts_with(HIDDEN) {
            return Ok(None);
        }
        self.ctx.core.known_node(self.owner, name).await
    }

    /// Whether the visitor may publish to a node that it may read.
    pub fn may_publish(&self, config: &Config, part: &Affiliate) -> bool {
        self.own
            || part.affiliation == Affiliation::Publisher
            || match config.publishers {
                PublishModel::Publishers => false,
                PublishModel::Subscribers => part.subscribed,
                PublishModel::Open => true,
            }
    }
}

impl Core {
    /// A node of an account, if it is there.
    pub async fn known_node(&self, owner: &Member, name: &str) -> Result<Option<Known>, StanzaError> {
        let node = self.store.node(owner.uid, name).await.map_err(store_error)?;
        Ok(node.map(Known::from))
    }

    /// Whether `who`, who is not the owner, may read a node (§4.5); the error says why not (§6.5.9).
    pub async fn may_read(
        &self,
        owner: &Member,
        config: &Config,
        who: &BareJid,
        affiliation: Affiliation,
    ) -> Result<(), StanzaError> {
        match affiliation {
            Affiliation::Outcast => return Err(StanzaError::forbidden()),
            Affiliation::Member | Affiliation::Publisher => return Ok(()),
            Affiliation::None => {}
        }
        match config.access {
            Access::Open => Ok(()),
            Access::Whitelist => Err(error::closed_node()),
            Access::Presence | Access::Roster if !self.may_see(owner.uid, &who.clone().into()).await? => {
                Err(error::presence_required())
            }
            Access::Presence => Ok(()),
            Access::Roster => {
                let item = self.store.roster_item(owner.uid, who).await.map_err(store_error)?;
                let groups = item.map(|item| item.groups).unwrap_or_default();
                let listed = groups.iter().any(|group| config.groups.contains(group));
                if listed { Ok(()) } else { Err(error::not_in_group()) }
            }
        }
    }
}
