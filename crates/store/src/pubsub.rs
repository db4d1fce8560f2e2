//! Publish-subscribe nodes of accounts and of the service (XEP-0060, XEP-0163): the nodes, their items, and who else has a
//! part in them.
//!
//! What a node's configuration says is core's matter: the store keeps it as text, and knows only how many items to keep.

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::inbox::Displayed;
use crate::sqlite::{Connection, affiliates, pubsub};
use crate::store::Store;
use crate::{Result, Timestamp};

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its name, unique within the account.
    pub name: String,
    /// How many items it keeps, the latest; 0: it only notifies.
    pub kept: usize,
    /// Its configuration, as core writes it.
    pub config: String,
    /// Who made it, where that is not the account whose nodes these are: a node of the service takes of its creator's room,
    /// and goes with its creator.
    pub creator: Option<Uid>,
}

/// A published item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Its id, unique within the node.
    pub id: String,
    /// When it was published.
    pub at: Timestamp,
    /// Who published it: a bare address.
    pub publisher: String,
    /// The payload, one element in canonical form that declares its namespace; empty: it has none.
    pub payload: Bytes,
}

/// One step of a change of items; see [`Store::change_items`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ItemChange {
    /// Publishes an item: the latest of its node from now on, in place of one with the same id. A node that is not there is
    /// made as described.
    Publish(Node, Item),
    /// The same, in a node that must be there as described: who is not its owner makes none.
    Add(Node, Item),
    /// Takes back the item with this id, if it is there.
    Retract {
        /// The node's name.
        node: String,
        /// The item's id.
        id: String,
    },
    /// What the change says of the owner's reading (XEP-0490).
    Displayed(Displayed),
}

/// The part of a node's items that is wanted (XEP-0059).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum ItemWindow {
    /// The oldest.
    First,
    /// The latest.
    #[default]
    Last,
    /// Those after the item with this id.
    After(String),
    /// Those before the item with this id.
    Before(String),
    /// Those from this position on, counted from 0.
    Index(u64),
}

/// Some items of a node, in the order of their publication.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ItemPage {
    /// The items, oldest first.
    pub items: Vec<Item>,
    /// The position of the first of them among all.
    pub first_index: u64,
    /// How many items the node has.
    pub count: u64,
}

/// What somebody else is to a node (XEP-0060 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Affiliation {
    /// Nothing in particular.
    #[default]
    None,
    /// May read.
    Member,
    /// May read and publish.
    Publisher,
    /// May nothing.
    Outcast,
    /// May do everything, beside whose nodes they are.
    Owner,
    /// May publish, and not read.
    PublishOnly,
}

/// Whether somebody is to hear of a node (XEP-0060 §4.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Subscription {
    /// No.
    #[default]
    None,
    /// Who has asked to, and waits for an owner to decide.
    Pending,
    /// Yes.
    Subscribed,
}

/// Somebody's part in a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Affiliate {
    /// Who.
    pub jid: BareJid,
    /// What it may do.
    pub affiliation: Affiliation,
    /// Whether it has subscribed.
    pub subscription: Subscription,
    /// Whether a subscriber is sent notifications; one that is not keeps its place.
    pub deliver: bool,
}

impl Affiliate {
    /// Somebody without a part.
    pub fn nobody(jid: BareJid) -> Affiliate {
        Affiliate { jid, affiliation: Affiliation::None, subscription: Subscription::None, deliver: true }
    }

    /// Whether it is subscribed, and does not only wait to be.
    pub fn is_subscribed(&self) -> bool {
        self.subscription == Subscription::Subscribed
    }
}

/// A change of somebody's part in a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AffiliateChange {
    /// Who.
    pub jid: BareJid,
    /// What it may do from now on; `None`: as before.
    pub affiliation: Option<Affiliation>,
    /// Whether it is subscribed from now on; `None`: as before.
    pub subscription: Option<Subscription>,
    /// Whether it is sent notifications; `None`: as before, or yes for who is subscribed only now.
    pub deliver: Option<bool>,
}

impl AffiliateChange {
    /// What somebody may do from now on.
    pub fn affiliation(jid: BareJid, affiliation: Affiliation) -> AffiliateChange {
        AffiliateChange { jid, affiliation: Some(affiliation), subscription: None, deliver: None }
    }

    /// Whether somebody is subscribed from now on.
    pub fn subscription(jid: BareJid, subscription: Subscription) -> AffiliateChange {
        AffiliateChange { jid, affiliation: None, subscription: Some(subscription), deliver: None }
    }
}

/// The latest item of one account's node, as somebody who may want to see it stands to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastItem {
    /// The account.
    pub uid: Uid,
    /// The node.
    pub node: Node,
    /// The item.
    pub item: Item,
    /// The reader's part in the node.
    pub part: Affiliate,
}

/// A node in a list of many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its place: nodes that were made later have higher ones.
    pub number: u64,
    /// The node.
    pub node: Node,
    /// The reader's part in it.
    pub part: Affiliate,
}

impl Store {
    /// The account's nodes, sorted by name.
    pub async fn nodes(&self, uid: Uid) -> Result<Vec<Node>> {
        self.read(move |conn| pubsub::nodes(conn, uid)).await
    }

    /// Up to `max` of the account's nodes after the place `after`, in the order in which they were made, and what `reader` is
    /// to each.
    pub async fn nodes_after(
        &self,
        uid: Uid,
        after: u64,
        max: usize,
        reader: &BareJid,
    ) -> Result<Vec<Listed>> {
        let reader = reader.clone();
        self.read(move |conn| pubsub::nodes_after(conn, uid, after, max, &reader)).await
    }

    /// The nodes among those of `uid` that `creator` has made, sorted by name.
    pub async fn nodes_of_creator(&self, uid: Uid, creator: Uid) -> Result<Vec<Node>> {
        self.read(move |conn| pubsub::nodes_of_creator(conn, uid, creator)).await
    }

    /// One node; `None` if it is not there.
    pub async fn node(&self, uid: Uid, name: &str) -> Result<Option<Node>> {
        let name = name.to_owned();
        self.look_up(move |conn| pubsub::node(conn, uid, &name)).await
    }

    /// Makes a node, of which `owner` is an owner beside the account. [`StoreError::Conflict`](crate::StoreError::Conflict):
    /// it is there already.
    pub async fn create_node(&self, uid: Uid, node: Node, owner: Option<BareJid>) -> Result<()> {
        self.write(move |tx| pubsub::create(tx, uid, &node, owner.as_ref())).await
    }

    /// Gives a node that is as it is `known` another configuration, and removes items beyond what it keeps from now on.
    /// [`StoreError::Conflict`](crate::StoreError::Conflict): it is configured otherwise.
    pub async fn configure_node(&self, uid: Uid, known: Node, node: Node) -> Result<()> {
        self.write(move |tx| pubsub::configure(tx, uid, &known, &node)).await
    }

    /// Removes a node and all that belongs to it.
    pub async fn delete_node(&self, uid: Uid, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.write(move |tx| pubsub::delete(tx, uid, &name)).await
    }

    /// Removes all items of a node.
    pub async fn purge_node(&self, uid: Uid, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.write(move |tx| pubsub::purge(tx, uid, &name)).await
    }

    /// Publishes and retracts, as one transaction. The answer says of each step whether it made its node, whether the item
    /// was there to be retracted, or whether something new was read. [`StoreError::Conflict`](crate::StoreError::Conflict): a node is configured otherwise
    /// than described.
    pub async fn change_items(&self, uid: Uid, changes: Vec<ItemChange>) -> Result<Vec<bool>> {
        self.write(move |tx| pubsub::change(tx, uid, &changes)).await
    }

    /// Up to `max` items of a window, fewer if they are large; `None` if there is no such node, or not the item that the
    /// window begins at.
    pub async fn items(
        &self,
        uid: Uid,
        node: &str,
        window: ItemWindow,
        max: usize,
    ) -> Result<Option<ItemPage>> {
        let node = node.to_owned();
        let query = move |conn: &Connection| pubsub::items(conn, uid, &node, &window, max);
        if max == 1 { self.look_up(query).await } else { self.read(query).await }
    }

    /// Those items of a node that have these ids, in the order of the ids, fewer if they are large.
    pub async fn items_by_id(&self, uid: Uid, node: &str, ids: Vec<String>) -> Result<Vec<Item>> {
        let node = node.to_owned();
        self.read(move |conn| pubsub::items_by_id(conn, uid, &node, &ids)).await
    }

    /// The latest items of those of the accounts' nodes that are named, and what `reader` is to each. It ends early if they
    /// are large.
    pub async fn last_items(
        &self,
        uids: Vec<Uid>,
        names: Vec<String>,
        reader: &BareJid,
    ) -> Result<Vec<LastItem>> {
        let reader = reader.clone();
        self.read(move |conn| pubsub::last_items(conn, &uids, &names, &reader)).await
    }

    /// The latest items of those nodes of `uid` that `reader` is subscribed to, beginning with the node that was made last;
    /// up to `max` of them, fewer if they are large.
    pub async fn last_items_subscribed(
        &self,
        uid: Uid,
        reader: &BareJid,
        max: usize,
    ) -> Result<Vec<LastItem>> {
        let reader = reader.clone();
        self.read(move |conn| pubsub::last_items_subscribed(conn, uid, &reader, max)).await
    }

    /// Everybody who has a part in a node, sorted by address.
    pub async fn affiliates(&self, uid: Uid, node: &str) -> Result<Vec<Affiliate>> {
        let node = node.to_owned();
        self.read(move |conn| affiliates::all(conn, uid, &node)).await
    }

    /// The part that `jid` has in one node of the account.
    pub async fn node_affiliate(&self, uid: Uid, node: &str, jid: &BareJid) -> Result<Affiliate> {
        let (node, jid) = (node.to_owned(), jid.clone());
        self.look_up(move |conn| affiliates::one(conn, uid, &node, &jid)).await
    }

    /// The part that `jid` has in nodes of the account, with their names: where it has subscribed first.
    pub async fn affiliations(&self, uid: Uid, jid: &BareJid) -> Result<Vec<(String, Affiliate)>> {
        let jid = jid.clone();
        self.read(move |conn| affiliates::of(conn, uid, &jid)).await
    }

    /// Changes what others are to a node.
    pub async fn change_affiliates(&self, uid: Uid, node: &str, changes: Vec<AffiliateChange>) -> Result<()> {
        let node = node.to_owned();
        self.write(move |tx| affiliates::change(tx, uid, &node, &changes)).await
    }

    /// Forgets the part that `jid` has in anybody's nodes: whoever takes the address next must not inherit it.
    pub async fn forget_affiliate(&self, jid: &BareJid) -> Result<()> {
        let jid = jid.clone();
        self.write(move |tx| affiliates::forget(tx, &jid)).await
    }
}
