//! Who may see and do what with a node (XEP-0060 §4.5, XEP-0163 §6).

use super::config::{Access, Config, PublishModel};
use super::draft::Known;
use super::service::{Creators, SERVICE, Service};
use super::{HIDDEN, error};
use crate::member::Member;
use crate::{Core, Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::Answers;
use rookery_proto::jid::BareJid;
use rookery_store::{Affiliate, Affiliation};
use std::sync::Arc;

/// A request to the nodes of one account, of a group, or of the service.
pub struct Visit<'a> {
    /// The request.
    pub ctx: &'a Ctx<'a>,
    /// Whose nodes they are.
    pub owner: &'a Arc<Member>,
    /// Whether it is the owner who asks, or somebody who acts for it: an admin of the group, an administrator at the service.
    pub own: bool,
    /// Whether who asks may see the owner's presence. The service has nothing to hide.
    pub known: bool,
    /// The service, if these are its nodes: each has owners of its own.
    pub service: Option<&'a Service>,
}

impl<'a> Visit<'a> {
    /// A visit of the request's sender to `owner`.
    pub async fn new(ctx: &'a Ctx<'a>, owner: &'a Arc<Member>) -> Result<Visit<'a>, StanzaError> {
        if owner.uid == SERVICE {
            let service = ctx.core.policy.pubsub.as_ref();
            return Ok(Visit { ctx, owner, own: ctx.member.admin, known: true, service });
        }
        let own = ctx.core.keeps_nodes(owner.uid, ctx.member).await?;
        let known = own || ctx.core.may_see(owner.uid, &ctx.session.jid.clone().into()).await?;
        Ok(Visit { ctx, owner, own, known, service: None })
    }

    /// The error as the visitor may see it: a stranger learns no more than of an account that does not exist.
    pub fn refusal(&self, error: StanzaError) -> StanzaError {
        // What is wrong with the server tells nothing of the account.
        let telling = !matches!(error.condition, "internal-server-error" | "resource-constraint");
        if telling && !self.known { StanzaError::service_unavailable() } else { error }
    }

    /// Whether the visitor may make nodes (§8.1).
    pub fn may_create(&self) -> bool {
        match self.service.map(|service| service.create) {
            None => self.own,
            Some(Creators::Members) => true,
            Some(Creators::Administrators) => self.own,
            Some(Creators::Nobody) => false,
        }
    }

    /// What a node is made with.
    pub fn fresh(&self, name: &str, answers: &Answers) -> Result<Config, StanzaError> {
        let config = match self.service {
            Some(_) => Config::at_service(answers.text("pubsub#type").unwrap_or_default()),
            None => Config::of(name),
        };
        self.configured(config, answers)
    }

    /// A configuration with the fields of a form. Presence and rosters are of people, and nobody approves subscribers of
    /// personal nodes by hand: who may see the presence may subscribe.
    pub fn configured(&self, config: Config, answers: &Answers) -> Result<Config, StanzaError> {
        let config = config.with(answers)?;
        match (config.access, self.service.is_some()) {
            (Access::Presence, true) => Err(error::unsupported("access-presence")),
            (Access::Roster, true) => Err(error::unsupported("access-roster")),
            (Access::Authorize, false) => Err(error::unsupported("access-authorize")),
            _ => Ok(config),
        }
    }

    /// The visitor's part in a node.
    pub async fn part(&self, node: &str) -> Result<Affiliate, StanzaError> {
        let me = &self.ctx.member.address;
        self.ctx.core.store.node_affiliate(self.owner.uid, node, me).await.map_err(store_error)
    }

    /// Whether the visitor does with a node what an owner does.
    pub fn owns(&self, part: &Affiliate) -> bool {
        self.own || part.affiliation == Affiliation::Owner
    }

    /// A node that is there, with the visitor's part in it.
    pub async fn found(&self, name: &str) -> Result<(Known, Affiliate), StanzaError> {
        let node = self.node(name).await?.ok_or_else(StanzaError::item_not_found)?;
        let part = self.part(name).await?;
        Ok((node, part))
    }

    /// A node that is there and that the visitor may read, with the visitor's part in it.
    pub async fn readable(&self, name: &str) -> Result<(Known, Affiliate), StanzaError> {
        let (node, part) = self.found(name).await?;
        self.may_read(&node, &part).await?;
        // What was open to a stranger is no secret any more.
        Ok((node, part))
    }

    /// A node that is there and that the visitor is an owner of.
    pub async fn owned(&self, name: &str) -> Result<Known, StanzaError> {
        let (node, part) = self.found(name).await?;
        if self.owns(&part) { Ok(node) } else { Err(StanzaError::forbidden()) }
    }

    /// Whether the visitor may read a node; the error says why not.
    pub async fn may_read(&self, node: &Known, part: &Affiliate) -> Result<(), StanzaError> {
        match self.own {
            true => Ok(()),
            false => self.ctx.core.may_read(self.owner, &node.config, part).await,
        }
    }

    /// Whether the visitor may know what there is: also who must ask to be subscribed does.
    pub async fn may_know(&self, node: &Known, part: &Affiliate) -> Result<(), StanzaError> {
        let asks = node.config.access == Access::Authorize && part.affiliation != Affiliation::Outcast;
        if asks { Ok(()) } else { self.may_read(node, part).await }
    }

    /// A node, if it is there; none that is the server's own.
    pub async fn node(&self, name: &str) -> Result<Option<Known>, StanzaError> {
        if name.starts_with(HIDDEN) {
            return Ok(None);
        }
        self.ctx.core.known_node(self.owner, name).await
    }

    /// Whether the visitor may publish to a node (§7.1.3.1); the error says why not.
    pub async fn may_publish(&self, node: &Known, part: &Affiliate) -> Result<(), StanzaError> {
        if part.affiliation == Affiliation::PublishOnly {
            return Ok(());
        }
        self.may_read(node, part).await?;
        let may = self.owns(part)
            || part.affiliation == Affiliation::Publisher
            || match node.config.publishers {
                PublishModel::Publishers => false,
                PublishModel::Subscribers => part.is_subscribed(),
                PublishModel::Open => true,
            };
        if may { Ok(()) } else { Err(StanzaError::forbidden()) }
    }

    /// Who is an owner of a node for ever: the account or group, or who made it at the service.
    pub async fn keeper(&self, node: &Known) -> Result<BareJid, StanzaError> {
        match node.node.creator {
            Some(creator) => Ok(self.ctx.core.member_of(creator).await?.address.clone()),
            None => Ok(self.owner.address.clone()),
        }
    }
}

impl Core {
    /// A node of an account, if it is there.
    pub async fn known_node(&self, owner: &Member, name: &str) -> Result<Option<Known>, StanzaError> {
        let node = self.store.node(owner.uid, name).await.map_err(store_error)?;
        Ok(node.map(Known::from))
    }

    /// Whether somebody with this part, who is not whose nodes they are, may read a node (§4.5); the error says why not
    /// (§6.5.9).
    pub async fn may_read(
        &self,
        owner: &Member,
        config: &Config,
        part: &Affiliate,
    ) -> Result<(), StanzaError> {
        match part.affiliation {
            Affiliation::Outcast | Affiliation::PublishOnly => return Err(StanzaError::forbidden()),
            Affiliation::Owner | Affiliation::Member | Affiliation::Publisher => return Ok(()),
            Affiliation::None => {}
        }
        match config.access {
            Access::Open => Ok(()),
            Access::Whitelist => Err(error::closed_node()),
            Access::Authorize if part.is_subscribed() => Ok(()),
            Access::Authorize => Err(error::subscription_required()),
            Access::Presence | Access::Roster
                if !self.may_see(owner.uid, &part.jid.clone().into()).await? =>
            {
                Err(error::presence_required())
            }
            Access::Presence => Ok(()),
            Access::Roster => {
                let item = self.store.roster_item(owner.uid, &part.jid).await.map_err(store_error)?;
                let groups = item.map(|item| item.groups).unwrap_or_default();
                let listed = groups.iter().any(|group| config.groups.contains(group));
                if listed { Ok(()) } else { Err(error::not_in_group()) }
            }
        }
    }
}
