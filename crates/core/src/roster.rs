//! Contacts as presence needs them, and the pushes that keep every device's roster true (RFC 6121 §2).

use crate::{Core, limits, store_error};
use bytes::Bytes;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::subscription::State;
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns};
use rookery_store::{RosterChange, RosterItem};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One contact of one account.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The contact's address.
    pub jid: BareJid,
    /// The account behind it, where it is one of ours.
    pub uid: Option<Uid>,
    /// How the two stand.
    pub state: State,
}

/// The contact lists in use.
pub struct Contacts {
    lists: Cache<Uid, Arc<[Contact]>>,
    changes: AtomicU64,
    filling: Mutex<()>,
}

impl Default for Contacts {
    fn default() -> Contacts {
        Contacts {
            lists: Cache::new(limits::ROSTERS_CACHED),
            changes: AtomicU64::new(0),
            filling: Mutex::new(()),
        }
    }
}

impl Contacts {
    /// Forgets a list after a change of it was committed; what was read before is not kept.
    pub fn changed(&self, uid: Uid) {
        let _filling = self.filling.lock();
        self.changes.fetch_add(1, Ordering::AcqRel);
        self.lists.remove(&uid);
    }
}

impl Core {
    /// The contacts in an account's roster; who only asked is none.
    pub async fn contacts_of(&self, uid: Uid) -> Result<Arc<[Contact]>, StanzaError> {
        let cache = &self.contacts;
        if let Some(list) = cache.lists.get(&uid) {
            return Ok(list);
        }
        let before = cache.changes.load(Ordering::Acquire);
        let mut list = Vec::new();
        for (jid, state) in self.store.contacts(uid).await.map_err(store_error)? {
            let uid = match jid.node() {
                Some(local) if jid.domain().as_str() == self.policy.domain => {
                    self.directory.find(local.as_str()).await.map_err(store_error)?.map(|m| m.uid)
                }
                _ => None,
            };
            list.push(Contact { jid, uid, state });
        }
        let list: Arc<[Contact]> = list.into();
        let _filling = cache.filling.lock();
        if cache.changes.load(Ordering::Acquire) == before {
            cache.lists.insert(uid, list.clone());
        }
        Ok(list)
    }

    /// Tells every interested resource of `uid` that its roster changed (RFC 6121 §2.1.6).
    pub fn push_roster(&self, uid: Uid, change: &RosterChange) {
        self.contacts.changed(uid);
        for session in self.router.sessions(uid) {
            if !session.state().interested {
                continue;
            }
            session.push(roster_push(change, session.jid.as_str(), &self.env.token()));
        }
    }
}

/// A roster push (RFC 6121 §2.1.6).
pub fn roster_push(change: &RosterChange, to: &str, id: &str) -> Bytes {
    let mut x = Xml::new();
    x.open("iq").attr("type", "set").attr("id", id).attr("to", to);
    x.open_ns("query", ns::ROSTER).attr("ver", &change.ver.to_string());
    match &change.item {
        Some(item) => write_item(&mut x, item),
        None => {
            x.open("item").attr("jid", change.jid.as_str()).attr("subscription", "remove").close();
        }
    }
    x.close().close();
    x.into_vec().into()
}

/// `<item/>` as results and pushes show it (RFC 6121 §2.1.2).
pub fn write_item(x: &mut Xml, item: &RosterItem) {
    x.open("item").attr("jid", item.jid.as_str()).opt("name", item.name.as_deref());
    x.attr("subscription", item.state.subscription());
    if item.state.ask() {
        x.attr("ask", "subscribe");
    }
    if item.state.approved() {
        x.attr("approved", "true");
    }
    for group in &item.groups {
        x.text_element("group", group);
    }
    x.close();
}
