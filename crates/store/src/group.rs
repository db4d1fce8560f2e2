//! Groups (XEP-0045): the rooms and who stands how to them. Who is in a room at the moment is core's matter; what was said
//! in it is the log under its number.
//!
//! What a room is set to is core's matter too: the store keeps it as text, and knows only what it must itself act on.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::sqlite::{Kind, groups, sweep};
use crate::store::{Pending, Store};
use crate::timeline::{Append, Appended, Swept};
use crate::{Result, Timestamp};

/// A group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The number; never used again, also after the group's end.
    pub uid: Uid,
    /// The prepared name in its address; `None`: its number stands there.
    pub name: Option<String>,
    /// What it is set to.
    pub config: GroupConfig,
    /// What it is about, if that was ever said.
    pub subject: Option<GroupSubject>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it; `None`: the operator.
    pub created_by: Option<BareJid>,
    /// A random number that makes the ids of its archive unlike those of any other.
    pub epoch: u32,
}

/// What a group is set to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// As core writes it.
    pub text: String,
    /// Whether it stays when nobody is in it; see [`Store::passing_groups`].
    pub lasting: bool,
    /// Whether everybody may find it; see [`Store::listed_groups`].
    pub listed: bool,
    /// Days after which what was said goes from its log; `None`: as the [`crate::Policy`] says. Longer than that it cannot be.
    pub days: Option<u32>,
}

/// What a group is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupSubject {
    /// The text; empty: it was taken back.
    pub text: String,
    /// The nickname of who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A group to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewGroup {
    /// A number that was kept for it ([`Store::reserve_group`]); `None`: the next one.
    pub uid: Option<Uid>,
    /// See [`Group::name`]; not a number.
    pub name: Option<String>,
    /// See [`Group::config`].
    pub config: GroupConfig,
    /// Who stands to it from the beginning.
    pub affiliates: Vec<GroupAffiliate>,
    /// Now.
    pub created: Timestamp,
    /// See [`Group::created_by`].
    pub created_by: Option<BareJid>,
    /// See [`Group::epoch`].
    pub epoch: u32,
}

/// A lasting relation to a group (XEP-0045 §5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum GroupAffiliation {
    /// Banned.
    Outcast,
    /// None.
    #[default]
    None,
    /// A member.
    Member,
    /// Decides about members and moderators.
    Admin,
    /// Decides about everything.
    Owner,
}

/// How somebody stands to a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupAffiliate {
    /// Who.
    pub jid: BareJid,
    /// The relation. With [`GroupAffiliation::None`] and no nickname it is not kept.
    pub affiliation: GroupAffiliation,
    /// The nickname that nobody else may have there.
    pub nick: Option<String>,
    /// Why, in words.
    pub reason: Option<String>,
}

impl Store {
    /// Keeps the next number for a group that is made later; it is given to no other.
    /// [`StoreError::Limit`](crate::StoreError::Limit): all are given.
    pub async fn reserve_group(&self) -> Result<Uid> {
        self.write(|tx| groups::next_number(tx)).await
    }

    /// Makes a group. [`StoreError::Conflict`](crate::StoreError::Conflict): the name is taken, or the number was not kept
    /// for it. [`StoreError::Limit`](crate::StoreError::Limit): who makes it has made too many that still are.
    pub async fn create_group(&self, new: NewGroup) -> Result<Group> {
        self.write(move |tx| groups::create(tx, new)).await
    }

    /// The group of a number.
    pub async fn group(&self, uid: Uid) -> Result<Option<Group>> {
        self.read(move |conn| groups::get(conn, uid)).await
    }

    /// The group of a prepared name.
    pub async fn group_by_name(&self, name: &str) -> Result<Option<Group>> {
        let name = name.to_owned();
        self.read(move |conn| groups::by_name(conn, &name)).await
    }

    /// Everybody who stands to the group, sorted by address.
    pub async fn group_affiliates(&self, uid: Uid) -> Result<Vec<GroupAffiliate>> {
        self.read(move |conn| groups::affiliates(conn, uid)).await
    }

    /// Sets a group anew.
    pub async fn configure_group(&self, uid: Uid, config: GroupConfig) -> Result<()> {
        self.write(move |tx| groups::configure(tx, uid, &config)).await
    }

    /// Puts these in place of how the same addresses stood to the group, all or none.
    /// [`StoreError::Conflict`](crate::StoreError::Conflict): its last owner would go, or a nickname is another's.
    pub async fn affiliate(&self, uid: Uid, changes: Vec<GroupAffiliate>) -> Result<()> {
        self.write(move |tx| groups::affiliate(tx, uid, &changes)).await
    }

    /// Says what a group is about, and appends the message that says so, as one transaction. Resolves as
    /// [`Store::append`] does; a repeated message changes nothing.
    pub async fn set_group_subject(
        &self,
        uid: Uid,
        subject: GroupSubject,
        append: Append,
    ) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Guarded, move |tx| groups::set_subject(tx, uid, &subject, append)).await
    }

    /// Groups that everybody may find, in the order of their numbers, after `after`, at most `limit`.
    pub async fn listed_groups(&self, after: Option<Uid>, limit: usize) -> Result<Vec<Group>> {
        self.read(move |conn| groups::list(conn, after, true, limit)).await
    }

    /// Groups in the order of their numbers, after `after`, at most `limit`.
    pub async fn groups(&self, after: Option<Uid>, limit: usize) -> Result<Vec<Group>> {
        self.read(move |conn| groups::list(conn, after, false, limit)).await
    }

    /// The groups that somebody stands to, in the order of their numbers, and how; at most
    /// [`limits::GROUPS_OF`](crate::limits::GROUPS_OF).
    pub async fn groups_of(&self, jid: &BareJid) -> Result<Vec<(Group, GroupAffiliate)>> {
        let jid = jid.clone();
        self.read(move |conn| groups::of(conn, &jid)).await
    }

    /// Groups by what stands in their addresses (numbers and prepared names), and how somebody stands to each; at most
    /// [`limits::INBOX_GROUPS`](crate::limits::INBOX_GROUPS) are looked for.
    pub async fn groups_named(
        &self,
        locals: Vec<String>,
        who: &BareJid,
    ) -> Result<Vec<(Group, GroupAffiliation)>> {
        let who = who.clone();
        self.read(move |conn| groups::named(conn, &locals, &who)).await
    }

    /// The numbers of the groups that go with their last occupant, at most `limit` after `after`.
    pub async fn passing_groups(&self, after: Uid, limit: usize) -> Result<Vec<Uid>> {
        self.read(move |conn| groups::passing(conn, after, limit)).await
    }

    /// How many groups there are.
    pub async fn group_count(&self) -> Result<u64> {
        self.read(groups::count).await
    }

    /// Ends a group: it is gone for good when this returns. What was said in it is left to [`Store::erase_group`]; what its
    /// members have of that in their own logs stays theirs.
    pub async fn destroy_group(&self, uid: Uid) -> Result<()> {
        self.write(move |tx| groups::destroy(tx, uid)).await
    }

    /// Removes what was said in a group that has ended, in slices. If interrupted, [`Store::sweep`] goes on with it.
    pub async fn erase_group(&self, uid: Uid) -> Result<()> {
        while self.write(move |tx| sweep::erase(tx, uid, &mut Swept::default())).await? {}
        Ok(())
    }

    /// Forgets how `jid` stands to any group, and what it has asked for in the groups' nodes called `requests`: whoever takes
    /// the address next must not inherit it. The groups concerned; the last owner of one leaves it to the operator.
    pub async fn forget_group_affiliate(&self, jid: &BareJid, requests: &str) -> Result<Vec<Uid>> {
        let (jid, requests) = (jid.clone(), requests.to_owned());
        self.write(move |tx| groups::forget(tx, &jid, &requests)).await
    }
}
