//! The roster (RFC 6121 §2) and its subscriptions (§3).

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_proto::subscription::{Kind, State};

use crate::Result;
use crate::sqlite::{roster, subscriptions};
use crate::store::Store;

/// A contact in a roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RosterItem {
    /// The contact.
    pub jid: BareJid,
    /// The name that the user gave.
    pub name: Option<String>,
    /// The groups that the user gave, in that order.
    pub groups: Vec<String>,
    /// The subscription as the user sees it.
    pub state: State,
}

/// The items that are to be shown, with the version they stand for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// The version (RFC 6121 §2.6); 0 for a roster that never had an item.
    pub ver: u64,
    /// The items, sorted by address.
    pub items: Vec<RosterItem>,
}

/// What a roster push says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RosterChange {
    /// The version that the change made.
    pub ver: u64,
    /// The contact.
    pub jid: BareJid,
    /// The item as it is now; `None`: it was removed.
    pub item: Option<RosterItem>,
}

/// One side of a subscription.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Party {
    /// Its primary address.
    pub jid: BareJid,
    /// The account behind it; `None` if it is not here, and then only the other side is kept.
    pub uid: Option<Uid>,
}

/// What removing an item brought about (RFC 6121 §2.5.2).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Removal {
    /// The actor's change; `None` if there was no item.
    pub actor_change: Option<RosterChange>,
    /// The local contact's change.
    pub contact_change: Option<RosterChange>,
    /// Whether `unsubscribe` goes to the contact (a local one: to its resources).
    pub unsubscribe: bool,
    /// Whether `unsubscribed` goes to the contact (a local one: to its resources).
    pub unsubscribed: bool,
}

/// What a subscription stanza brought about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SubscriptionOutcome {
    /// The push to the actor's resources.
    pub actor_change: Option<RosterChange>,
    /// The push to the local contact's resources.
    pub contact_change: Option<RosterChange>,
    /// Whether the stanza goes to the contact's server.
    pub route: bool,
    /// Whether the local contact's resources get the stanza.
    pub deliver: bool,
    /// What the local contact's server answers in its name: to the resources of a local actor, whose item has changed
    /// along with it, or to a remote one.
    pub reply: Option<Kind>,
}

impl Store {
    /// The roster as it is shown: without contacts who only asked.
    pub async fn roster(&self, uid: Uid) -> Result<Roster> {
        self.look_up(move |conn| roster::get(conn, uid)).await
    }

    /// What changed since version `ver`, oldest first; `None` if that is not known any more and all is to be sent.
    pub async fn roster_since(&self, uid: Uid, ver: u64) -> Result<Option<Vec<RosterChange>>> {
        self.look_up(move |conn| roster::since(conn, uid, ver)).await
    }

    /// One contact, shown or not.
    pub async fn roster_item(&self, uid: Uid, jid: &BareJid) -> Result<Option<RosterItem>> {
        let jid = jid.clone();
        self.look_up(move |conn| roster::item(conn, uid, &jid)).await
    }

    /// Adds a contact or changes its name and groups (RFC 6121 §2.3, §2.4).
    pub async fn roster_set(
        &self,
        uid: Uid,
        jid: &BareJid,
        name: Option<String>,
        groups: Vec<String>,
    ) -> Result<RosterChange> {
        let jid = jid.clone();
        self.write(move |tx| roster::set(tx, uid, &jid, name, groups)).await
    }

    /// Removes a contact and ends the subscriptions both ways (RFC 6121 §2.5), as one transaction.
    pub async fn roster_remove(&self, actor: Party, contact: Party) -> Result<Removal> {
        self.write(move |tx| subscriptions::remove(tx, &actor, &contact)).await
    }

    /// Who is in the roster, whom to send presence and whom to probe: every contact with its subscription, without those
    /// who only asked.
    pub async fn contacts(&self, uid: Uid) -> Result<Vec<(BareJid, State)>> {
        self.look_up(move |conn| roster::contacts(conn, uid)).await
    }

    /// What a subscription stanza of `kind` does on both sides (RFC 6121 §3), as one transaction. Of an actor that is not
    /// here only the contact's side is kept. `request` is the stanza, kept while a `subscribe` waits for its answer.
    pub async fn subscription(
        &self,
        actor: Party,
        contact: Party,
        kind: Kind,
        request: Option<Bytes>,
    ) -> Result<SubscriptionOutcome> {
        self.write(move |tx| subscriptions::subscription(tx, &actor, &contact, kind, request)).await
    }

    /// The subscription requests that wait for the user's answer (RFC 6121 §3.1.3).
    pub async fn pending_requests(&self, uid: Uid) -> Result<Vec<Bytes>> {
        self.look_up(move |conn| roster::requests(conn, uid)).await
    }
}
