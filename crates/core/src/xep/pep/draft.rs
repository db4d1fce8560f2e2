//! Changes of an account's items: made as one transaction, then told to whom they concern.

use super::config::Config;
use super::{avatar_node, notify};
use crate::Core;
use crate::member::Member;
use rookery_store::{Item, ItemChange, Node, Result, Store};

/// A node with its configuration read.
#[derive(Clone, Debug)]
pub struct Known {
    /// The node as the store has it.
    pub node: Node,
    /// What its configuration says.
    pub config: Config,
}

impl From<Node> for Known {
    fn from(node: Node) -> Known {
        let config = Config::decode(&node.config);
        Known { node, config }
    }
}

impl Known {
    /// A node that is to be made.
    pub fn new(name: &str, config: Config) -> Known {
        let node =
            Node { name: name.to_owned(), kept: config.kept(), config: config.encode(), creator: None };
        Known { node, config }
    }
}

/// Changes that belong together.
#[derive(Default)]
pub struct Draft {
    changes: Vec<ItemChange>,
    events: Vec<(Known, Event)>,
}

/// What is told of a change.
enum Event {
    Published(Item),
    Retracted(String),
}

impl Draft {
    /// Publishes an item, and tells.
    pub fn publish(&mut self, node: Known, item: Item) {
        self.events.push((node.clone(), Event::Published(item.clone())));
        self.changes.push(ItemChange::Publish(node.node, item));
    }

    /// Publishes an item to a node that must be there, and tells.
    pub fn add(&mut self, node: Known, item: Item) {
        self.events.push((node.clone(), Event::Published(item.clone())));
        self.changes.push(ItemChange::Add(node.node, item));
    }

    /// Takes back an item; with `tell`, or where the node's configuration wants it, that is told.
    pub fn retract(&mut self, node: Known, id: &str, tell: bool) {
        if tell || node.config.retracts {
            self.events.push((node.clone(), Event::Retracted(id.to_owned())));
        }
        self.changes.push(ItemChange::Retract { node: node.node.name, id: id.to_owned() });
    }

    /// Changes what nobody is told of.
    pub fn quietly(&mut self, change: ItemChange) {
        self.changes.push(change);
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Commits, then tells. [`rookery_store::StoreError::Conflict`]: a node is not any more as it was known; nothing was
    /// changed.
    pub async fn commit(self, core: &Core, store: &Store, owner: &Member) -> Result<()> {
        store.change_items(owner.uid, self.changes).await?;
        let mut avatar = false;
        for (node, event) in self.events {
            let name = &node.node.name;
            let event = match event {
                Event::Published(item) => notify::published(owner.address.as_str(), &node, &item),
                Event::Retracted(id) => notify::retracted(name, &id),
            };
            avatar |= avatar_node(owner, name);
            core.notify(owner, name, &node.config, &event).await;
        }
        if avatar {
            core.avatar_changed(owner).await;
        }
        Ok(())
    }
}
