//! Notifications: who gets them, and the last items for who comes online (XEP-0163 §4, XEP-0060 §7.1.2, §12.6).

use super::config::SendLast;
use super::draft::Known;
use super::{Config, items};
use crate::env::stamp;
use crate::member::Member;
use crate::session::Session;
use crate::{Core, limits, store_error};
use parking_lot::Mutex;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::subscription::State;
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, ns};
use rookery_store::{Affiliate, Item, LastItem};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

/// Sessions that sent presence to accounts whose contacts they need not be: they too say by `+notify` what they want
/// (XEP-0163 §4.3.2).
#[derive(Default)]
pub struct Followers(Mutex<HashMap<BareJid, Vec<Weak<Session>>>>);

impl Followers {
    /// A session has sent available presence to an account.
    pub fn add(&self, to: &Jid, session: &Arc<Session>) {
        let mut all = self.0.lock();
        let list = all.entry(to.to_bare()).or_default();
        list.retain(|known| known.strong_count() > 0);
        let known = list.iter().any(|known| known.ptr_eq(&Arc::downgrade(session)));
        // Who presses forward when all places are taken is not told; contacts have no need of a place.
        if !known && list.len() < limits::FOLLOWERS {
            list.push(Arc::downgrade(session));
        }
    }

    /// A session is not available to an account any more.
    pub fn remove(&self, to: &Jid, session: &Arc<Session>) {
        let mut all = self.0.lock();
        let bare = to.to_bare();
        if let Some(list) = all.get_mut(&bare) {
            list.retain(|known| known.strong_count() > 0 && !known.ptr_eq(&Arc::downgrade(session)));
            if list.is_empty() {
                all.remove(&bare);
            }
        }
    }

    fn of(&self, to: &BareJid) -> Vec<Arc<Session>> {
        self.0.lock().get(to).map(|list| list.iter().filter_map(Weak::upgrade).collect()).unwrap_or_default()
    }
}

/// `<event/>` around what happened to a node.
pub(super) fn event(write: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("event", ns::PUBSUB_EVENT);
    write(&mut x);
    x.into_vec()
}

/// An item was published (§7.1.2.1, §7.1.2.2).
pub(super) fn published(owner: &str, node: &Known, item: &Item) -> Vec<u8> {
    event(|x| {
        x.open("items").attr("node", &node.node.name);
        items::write_item(x, item, owner, node.config.payloads);
    })
}

/// An item was retracted (§7.2.2.1).
pub(super) fn retracted(node: &str, id: &str) -> Vec<u8> {
    event(|x| {
        x.open("items").attr("node", node).open("retract").attr("id", id);
    })
}

/// Something happened to the node itself: `purge`, `delete` or `configuration` (§8.5.2, §8.4.2, §8.2.5.3).
pub(super) fn changed(what: &str, node: &str) -> Vec<u8> {
    event(|x| {
        x.open(what).attr("node", node);
    })
}

/// A notification as a session gets it (XEP-0163 §4.3.1: a headline from the owner's bare address).
fn message(core: &Core, owner: &BareJid, session: &Session, event: &[u8], late: Option<&Item>) -> Vec<u8> {
    let mut x = Xml::with_capacity(event.len() + 256);
    x.open("message").attr("from", owner.as_str()).attr("to", session.jid.as_str());
    x.attr("type", "headline").attr("id", &core.env.token()).raw(event);
    if let Some(item) = late {
        x.open_ns("delay", ns::DELAY).attr("stamp", &stamp(item.at)).close();
    }
    x.close();
    x.into_vec()
}

/// Whether a session is here and wants to hear of a node.
fn wants(session: &Session, node: &str) -> bool {
    let state = session.state();
    state.available.is_some() && state.caps.as_ref().is_some_and(|caps| caps.wants(node))
}

/// The part of `jid` in a node.
fn part_of(affiliates: &[Affiliate], jid: &BareJid) -> Affiliate {
    let part = affiliates.iter().find(|part| part.jid == *jid);
    part.cloned().unwrap_or_else(|| Affiliate::nobody(jid.clone()))
}

/// Whether one of the two blocks the other.
fn apart(one: &Member, other: &Member) -> bool {
    one.blocks(&other.address.clone().into()) || other.blocks(&one.address.clone().into())
}

impl Core {
    /// Tells everybody who wants to hear of a node, and may, what happened to it. A failure is no failure of what
    /// happened: it is logged.
    pub async fn notify(&self, owner: &Member, node: &str, config: &Config, event: &[u8]) {
        if let Err(error) = self.try_notify(owner, node, config, event).await {
            tracing::warn!(uid = owner.uid.0, ?error, "some notifications were not sent");
        }
    }

    async fn try_notify(
        &self,
        owner: &Member,
        node: &str,
        config: &Config,
        event: &[u8],
    ) -> Result<(), StanzaError> {
        for session in self.listeners(owner, node, config).await? {
            self.push_event(owner, &session, event);
        }
        Ok(())
    }

    /// One notification to one session.
    pub(super) fn push_event(&self, owner: &Member, session: &Session, event: &[u8]) {
        session.push(message(self, &owner.address, session, event, None).into());
    }

    /// The sessions that want to hear of a node and may.
    pub(super) async fn listeners(
        &self,
        owner: &Member,
        node: &str,
        config: &Config,
    ) -> Result<Vec<Arc<Session>>, StanzaError> {
        let affiliates = self.store.affiliates(owner.uid, node).await.map_err(store_error)?;
        let mut readers: HashMap<Uid, bool> = HashMap::from([(owner.uid, true)]);
        let mut listeners = Vec::new();
        for session in self.candidates(owner, node, &affiliates).await? {
            let may = match readers.get(&session.uid) {
                Some(may) => *may,
                None => {
                    let may =
                        self.hears_of(owner, session.uid, config, |jid| part_of(&affiliates, jid)).await?;
                    readers.insert(session.uid, may);
                    may
                }
            };
            // A block may be of one resource alone.
            if may && !owner.blocks(&session.jid) {
                listeners.push(session);
            }
        }
        Ok(listeners)
    }

    /// The sessions that want to hear of a node, each once: the owner's, contacts', those in the room of a group,
    /// those that sent the owner presence, and all of who has subscribed.
    async fn candidates(
        &self,
        owner: &Member,
        node: &str,
        affiliates: &[Affiliate],
    ) -> Result<Vec<Arc<Session>>, StanzaError> {
        let mut all: Vec<Arc<Session>> = Vec::new();
        all.extend(self.router.sessions(owner.uid).into_iter().filter(|s| wants(s, node)));
        for contact in self.contacts_of(owner.uid).await?.iter() {
            if let Some(uid) = contact.uid.filter(|_| contact.state.has(State::FROM)) {
                all.extend(self.router.sessions(uid).into_iter().filter(|s| wants(s, node)));
            }
        }
        all.extend(self.in_room(owner.uid).into_iter().filter(|s| wants(s, node)));
        all.extend(self.followers.of(&owner.address).into_iter().filter(|s| wants(s, node)));
        for subscriber in affiliates.iter().filter(|part| part.is_subscribed() && part.deliver) {
            let Some(local) = subscriber.jid.node() else { continue };
            let member = self.directory.find(local.as_str()).await.map_err(store_error)?;
            if let Some(member) = member.filter(|member| member.address == subscriber.jid) {
                all.extend(self.router.sessions(member.uid).into_iter().filter(|s| s.is_available()));
            }
        }
        all.sort_by(|one, other| one.jid.as_str().cmp(other.jid.as_str()));
        all.dedup_by(|one, other| Arc::ptr_eq(one, other));
        Ok(all)
    }

    /// Whether an account is to hear of a node: it may read it, and neither blocks the other.
    async fn hears_of(
        &self,
        owner: &Member,
        who: Uid,
        config: &Config,
        part: impl FnOnce(&BareJid) -> Affiliate,
    ) -> Result<bool, StanzaError> {
        let Some(theirs) = self.directory.member(who).await.map_err(store_error)? else { return Ok(false) };
        let part = part(&theirs.address);
        Ok(!apart(owner, &theirs) && self.may_read(owner, config, &part).await.is_ok())
    }

    /// Sends a session the last items of these nodes: its own and its contacts' (XEP-0163 §4.3.3). So many that a
    /// connection can take them; a client asks for more itself.
    pub async fn send_last_items(
        &self,
        session: &Arc<Session>,
        nodes: Vec<String>,
    ) -> Result<(), StanzaError> {
        if nodes.is_empty() || !session.is_available() {
            return Ok(());
        }
        let mut uids = vec![session.uid];
        let contacts = self.contacts_of(session.uid).await?;
        uids.extend(contacts.iter().filter(|c| c.state.has(State::TO)).filter_map(|c| c.uid));
        let mut room = limits::LAST_ITEMS;
        for some in uids.chunks(limits::LAST_ITEMS_CHUNK) {
            let last = self.store.last_items(some.to_vec(), nodes.clone(), &session.address).await;
            for last in last.map_err(store_error)? {
                if room == 0 || session.state().backlog() > limits::LAST_ITEMS_BACKLOG {
                    tracing::debug!(uid = session.uid.0, "there are more last items than can wait");
                    return Ok(());
                }
                room -= 1;
                self.send_last_item(session, last).await?;
            }
        }
        Ok(())
    }

    /// Shows `to`, who may now see the presence of `of`, the last items that it wants.
    pub async fn show_last_items(&self, of: &Member, to: &Member) -> Result<(), StanzaError> {
        for session in self.router.sessions(to.uid) {
            // Caps are gone when presence is.
            let Some(caps) = session.state().caps.clone() else { continue };
            let nodes = caps.nodes().map(str::to_owned).collect();
            for last in self.store.last_items(vec![of.uid], nodes, &to.address).await.map_err(store_error)? {
                if session.state().backlog() > limits::LAST_ITEMS_BACKLOG {
                    break;
                }
                self.send_last_item(&session, last).await?;
            }
        }
        Ok(())
    }

    /// Sends a session that has come online the last items of what its account is subscribed to at the service (XEP-0060
    /// §6.1.7, §16.4.4).
    pub async fn send_subscribed_items(&self, session: &Arc<Session>) -> Result<(), StanzaError> {
        let Some(service) = self.service() else { return Ok(()) };
        let last = self.store.last_items_subscribed(service.uid, &session.address, limits::LAST_ITEMS).await;
        for last in last.map_err(store_error)? {
            if session.state().backlog() > limits::LAST_ITEMS_BACKLOG {
                break;
            }
            self.show_last(&service, session, last).await?;
        }
        Ok(())
    }

    async fn send_last_item(&self, session: &Arc<Session>, last: LastItem) -> Result<(), StanzaError> {
        let owner = self.directory.member(last.uid).await.map_err(store_error)?;
        match owner {
            Some(owner) => self.show_last(&owner, session, last).await,
            None => Ok(()),
        }
    }

    /// The last item of a node for a session that has come online, if it may hear of it.
    async fn show_last(
        &self,
        owner: &Member,
        session: &Arc<Session>,
        last: LastItem,
    ) -> Result<(), StanzaError> {
        let node = Known::from(last.node);
        if node.config.last != SendLast::OnSubAndPresence || owner.blocks(&session.jid) {
            return Ok(());
        }
        let own = owner.uid == session.uid;
        if own || self.hears_of(owner, session.uid, &node.config, |_| last.part).await? {
            self.push_last(owner, session, &node, &last.item);
        }
        Ok(())
    }

    /// The last item of a node for one session (XEP-0060 §6.1.7).
    pub(super) fn push_last(&self, owner: &Member, session: &Session, node: &Known, item: &Item) {
        let event = published(owner.address.as_str(), node, item);
        session.push(message(self, &owner.address, session, &event, Some(item)).into());
    }
}
