//! Where a stanza goes: an address read against this server's domain and accounts.

use crate::component::Component;
use crate::member::Member;
use crate::{Core, Ctx, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::prepared;

use std::sync::Arc;

/// Whom a stanza is for.
#[derive(Clone)]
pub enum Target {
    /// The server itself.
    Server,
    /// An account here, whichever of its addresses was used.
    Account {
        /// The account.
        member: Arc<Member>,
        /// The resource that was named.
        resource: Option<Box<str>>,
    },
    /// An address of this domain that is nobody's.
    Nobody,
    /// The service of groups (XEP-0045).
    Groups,
    /// A group, whether there is one or not.
    Group {
        /// What its address says: its number, or its name.
        local: Box<str>,
        /// The occupant that was named.
        nick: Option<Box<str>>,
    },
    /// The publish-subscribe service (XEP-0060).
    Pubsub,
    /// An address at the host of a component (XEP-0114).
    Component(Arc<Component>),
    /// Another domain. There is no way to it (yet).
    Elsewhere,
}

impl Core {
    /// Reads an address; an error when it is not one (RFC 6120 §8.3.3.8).
    pub async fn target(&self, to: &Jid) -> Result<Target, StanzaError> {
        let resource = to.resource().map(|r| r.as_str().into());
        if to.domain().as_str() == self.policy.groups {
            return Ok(match to.node() {
                Some(local) => Target::Group { local: local.as_str().into(), nick: resource },
                None => Target::Groups,
            });
        }
        if self.policy.pubsub.as_ref().is_some_and(|service| service.address.domain() == to.domain()) {
            return Ok(if to.node().is_some() { Target::Nobody } else { Target::Pubsub });
        }
        let local = to.node().map(|local| local.as_str());
        if let Some(component) = self.components.at(local, to.domain().as_str()) {
            return Ok(Target::Component(component.clone()));
        }
        if to.domain().as_str() != self.policy.domain {
            return Ok(Target::Elsewhere);
        }
        let Some(local) = to.node() else { return Ok(Target::Server) };
        let found = self.directory.find(local.as_str()).await.map_err(store_error)?;
        Ok(found.map_or(Target::Nobody, |member| Target::Account { member, resource }))
    }

    /// The primary address behind `jid` where it is an alias here, else `jid` as it is.
    pub async fn canonical(&self, jid: BareJid) -> Result<BareJid, StanzaError> {
        match self.target(&Jid::from(jid.clone())).await? {
            Target::Account { member, .. } => Ok(member.address.clone()),
            _ => Ok(jid),
        }
    }

    /// Whether an address speaks for this server, one of its accounts or one of its groups, so that only the server may
    /// write it into ids and stamps (invariant 9).
    pub fn is_ours(&self, jid: &str) -> bool {
        // As a client compares: a domain in other letters of the same meaning is this domain (RFC 7622 §3.2).
        let service = self.policy.pubsub.as_ref().map_or("", |service| service.address.domain().as_str());
        let hosts = [&self.policy.domain, &self.policy.groups, service];
        let ours = |domain: &str| hosts.iter().any(|host| domain.eq_ignore_ascii_case(host));
        match Jid::new(jid) {
            Ok(jid) => ours(jid.domain().as_str()),
            Err(_) => {
                let bare = jid.split('/').next().unwrap_or(jid);
                ours(bare.rsplit('@').next().unwrap_or(bare).trim())
            }
        }
    }
}

impl Ctx<'_> {
    /// The address that the stanza names in `to`.
    pub fn named(&self) -> Result<Option<Jid>, StanzaError> {
        self.stanza.to().map(|to| parse(&to)).transpose()
    }

    /// Whether the sender itself blocks the account that the stanza names: an error whether that account is there or not
    /// (XEP-0191 §3.3).
    pub fn blocks_named(&self) -> Result<bool, StanzaError> {
        Ok(self
            .named()?
            .is_some_and(|to| self.member.blocks(&to) || self.member.blocks(&to.to_bare().into())))
    }

    /// Whom a stanza to `named` is for; without `to` it is for the sender's own account (RFC 6120 §10.3).
    pub async fn target_of(&self, named: Option<&Jid>) -> Result<Target, StanzaError> {
        match named {
            None => Ok(Target::Account { member: self.member.clone(), resource: None }),
            Some(to) => self.core.target(to).await,
        }
    }

    /// Whom the stanza is for.
    pub async fn target(&self) -> Result<Target, StanzaError> {
        self.target_of(self.named()?.as_ref()).await
    }
}

/// Reads an address or says that it is none.
pub fn parse(text: &str) -> Result<Jid, StanzaError> {
    prepared::jid(text)
        .map_err(|_| StanzaError::jid_malformed().text(format!("This is not an address: {text}")))
}

/// `address` with the resource that `of` names, if it names one.
pub fn with_resource(address: &BareJid, of: &Jid) -> Jid {
    of.resource().map_or_else(|| address.clone().into(), |resource| address.with_resource(resource).into())
}

/// The full address of one of an account's resources, or its bare address.
pub fn compose(address: &BareJid, resource: Option<&str>) -> String {
    match resource {
        Some(resource) => format!("{address}/{resource}"),
        None => address.to_string(),
    }
}
