//! Carries out commands about groups: in the running server, whose occupants see what changes, or on the store alone.

use rookery_core::accounts::AccountError;
use rookery_core::muc::config::RoomConfig;
use rookery_core::muc::privilege::Affiliation;
use rookery_core::muc::{config_of, stored};
use rookery_proto::Uid;
use rookery_proto::prepared;
use rookery_store::{Group, GroupAffiliate, GroupAffiliation, NewGroup, StoreError};

use super::{Admin, GroupRow, Response};

impl Admin {
    /// Makes a group that lasts.
    pub(super) async fn create_group(
        &self,
        name: Option<String>,
        owner: Option<String>,
        private: bool,
    ) -> Result<Response, AccountError> {
        let name = match name {
            Some(name) => Some(prepared::node(&name).map_err(|_| StoreError::Invalid("name"))?),
            None => None,
        };
        let mut affiliates = Vec::new();
        if let Some(owner) = owner {
            affiliates.push(self.affiliate(&owner, Affiliation::Owner).await?);
        }
        let config = RoomConfig {
            persistent: true,
            members_only: private,
            public: !private,
            name: name.clone().unwrap_or_default(),
            ..RoomConfig::default()
        };
        let new = NewGroup {
            uid: None,
            name,
            config: stored(&config),
            affiliates,
            created: self.env.now(),
            created_by: None,
            epoch: u32::from_be_bytes(self.env.bytes()),
        };
        let group = self.store.create_group(new).await?;
        self.group_row(&group).await.map(Response::Group)
    }

    /// Groups in the order of their numbers.
    pub(super) async fn list_groups(&self, after: Option<u64>) -> Result<Response, AccountError> {
        let mut groups = Vec::new();
        for group in self.store.groups(after.map(Uid), rookery_store::limits::PAGE).await? {
            groups.push(self.group_row(&group).await?);
        }
        Ok(Response::Groups { groups })
    }

    /// What is known of one.
    pub(super) async fn show_group(&self, group: &str) -> Result<Response, AccountError> {
        let group = self.group(group).await?;
        self.group_row(&group).await.map(Response::Group)
    }

    /// Ends one for good.
    pub(super) async fn destroy_group(&self, group: &str) -> Result<Response, AccountError> {
        let group = self.group(group).await?;
        let row = self.group_row(&group).await?;
        match &self.running {
            Some(core) => core.end_group(group.uid, None).await?,
            None => {
                self.store.destroy_group(group.uid).await?;
                self.store.erase_group(group.uid).await?;
            }
        }
        Ok(Response::Group(row))
    }

    /// Makes somebody something to a group.
    pub(super) async fn affiliate_group(
        &self,
        group: &str,
        account: &str,
        affiliation: &str,
    ) -> Result<Response, AccountError> {
        let group = self.group(group).await?;
        let to = Affiliation::from_name(affiliation).ok_or(StoreError::Invalid("affiliation"))?;
        let who = self.affiliate(account, to).await?;
        match &self.running {
            Some(core) => core.affiliate_in_group(group.uid, &who.jid, to).await?,
            None => self.store.affiliate(group.uid, vec![who]).await?,
        }
        self.group_row(&group).await.map(Response::Group)
    }

    async fn affiliate(&self, account: &str, to: Affiliation) -> Result<GroupAffiliate, AccountError> {
        let account = self.accounts.find(account).await?;
        let jid = self.accounts.address(&account);
        Ok(GroupAffiliate { jid, affiliation: to.into(), nick: None, reason: None })
    }

    /// The group of a number, a name or an address.
    async fn group(&self, text: &str) -> Result<Group, AccountError> {
        let local = text.split_once('@').map_or(text, |(local, _)| local);
        let group = match Uid::from_local(local) {
            Some(uid) => self.store.group(uid).await?,
            None => match prepared::node(local) {
                Ok(name) => self.store.group_by_name(&name).await?,
                Err(_) => None,
            },
        };
        group.ok_or(AccountError::Store(StoreError::NotFound))
    }

    async fn group_row(&self, group: &Group) -> Result<GroupRow, AccountError> {
        let config = config_of(group);
        let people = self.store.group_affiliates(group.uid).await?;
        let owners = people.iter().filter(|who| who.affiliation == GroupAffiliation::Owner);
        let is = |is: bool, word: &'static str| is.then_some(word);
        let kind = [
            is(config.locked, "locked"),
            is(!config.persistent, "temporary"),
            is(config.members_only, "members only"),
            is(!config.public, "hidden"),
            is(config.moderated, "moderated"),
            is(config.password.is_some(), "password"),
        ];
        let present = self.running.as_ref().and_then(|core| core.router.rooms.get(group.uid));
        Ok(GroupRow {
            number: group.uid.0,
            local: group.name.clone().unwrap_or_else(|| group.uid.to_string()),
            title: config.name,
            kind: kind.into_iter().flatten().collect::<Vec<_>>().join(", "),
            owners: owners.map(|who| who.jid.to_string()).collect(),
            people: people.len() as u64,
            occupants: present.map_or(0, |room| room.state().occupants().len() as u64),
            created: group.created.0,
        })
    }
}
