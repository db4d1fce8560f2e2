//! Lists of people that many servers do not want: hashes of their addresses, from the publish-subscribe nodes of services
//! that collect them (real-time block lists), and from the operator's files.
//!
//! A node's items have as ids the SHA-256 of a bare address or a domain, in hexadecimal. It is read when its service
//! connects, and followed from then on; what is known of it stays in force while the service is away, and over a restart: the
//! store keeps it, some seconds behind. Who is listed is
//! refused as a stranger ([`Core::reception`]); groups may ask too ([`Core::banned_by_lists`]).

use crate::Core;
use crate::component::Component;
use crate::limits;
use bytes::Bytes;
use parking_lot::RwLock;
use rookery_proto::jid::{BareJid, Jid};
use rookery_proto::ns;
use rookery_proto::stanza::{Child, Stanza};
use rookery_proto::xml::Xml;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// A list at a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The address of the service: a host that can be reached (today: a component's).
    pub service: String,
    /// The node's name, such as `muc_bans_sha256`.
    pub node: String,
}

/// What stands for an address in a list.
pub type Hash = [u8; 32];

/// The hash of an address or a domain.
pub fn hash(jid: &str) -> Hash {
    Sha256::digest(jid).into()
}

/// Reads a hash as it is written in a list.
pub fn parse(text: &str) -> Option<Hash> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?.try_into().ok()
}

/// All lists.
pub struct Listed {
    nodes: Vec<(Source, RwLock<List>)>,
    files: RwLock<HashSet<Hash>>,
    /// Whether there is anybody in any of them.
    any: AtomicBool,
    /// Rung when what is known of a node has changed.
    pub changed: Notify,
}

/// What is known of a node.
#[derive(Default)]
struct List {
    hashes: HashSet<Hash>,
    /// What was read so far of the node as it is now, page by page; it takes the place of `hashes` when all of it is there.
    reading: Option<HashSet<Hash>>,
    /// The store does not know yet what is known.
    unkept: bool,
}

impl List {
    fn add(&mut self, hash: Hash) {
        for set in self.reading.iter_mut().chain([&mut self.hashes]) {
            if set.len() < limits::LISTED {
                set.insert(hash);
            }
        }
    }

    fn remove(&mut self, hash: &Hash) {
        self.hashes.remove(hash);
        if let Some(reading) = &mut self.reading {
            reading.remove(hash);
        }
    }
}

impl Listed {
    /// Nothing is known yet of these.
    pub fn new(sources: &[Source]) -> Listed {
        Listed {
            nodes: sources.iter().map(|source| (source.clone(), RwLock::default())).collect(),
            files: RwLock::default(),
            any: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// What stands in the operator's files now.
    pub fn set_files(&self, hashes: HashSet<Hash>) {
        *self.files.write() = hashes;
        self.count();
    }

    fn count(&self) {
        let any = !self.files.read().is_empty()
            || self.nodes.iter().any(|(_, list)| !list.read().hashes.is_empty());
        self.any.store(any, Ordering::Release);
    }

    fn has(&self, hash: &Hash) -> bool {
        self.files.read().contains(hash)
            || self.nodes.iter().any(|(_, list)| list.read().hashes.contains(hash))
    }

    /// The list that a service speaks of.
    fn of(&self, service: &Jid, node: &str) -> Option<(usize, &RwLock<List>)> {
        let (at, (_, list)) = self
            .nodes
            .iter()
            .enumerate()
            .find(|(_, (source, _))| source.service == service.as_str() && source.node == node)?;
        Some((at, list))
    }
}

/// How a request about a list is called.
fn request(what: &str, at: usize) -> String {
    format!("list-{what}-{at}")
}

impl Core {
    /// Whether an address, or its domain, is in one of the lists.
    pub fn banned_by_lists(&self, jid: &BareJid) -> bool {
        let listed = &self.listed;
        listed.any.load(Ordering::Acquire)
            && (listed.has(&hash(jid.as_str())) || listed.has(&hash(jid.domain().as_str())))
    }

    /// A service has connected: its lists are asked for, and what changes in them from now on (XEP-0060 §6.1, §6.5).
    pub(crate) fn ask_lists(&self, component: &Component) {
        let domain = &self.policy.domain;
        for (at, (source, list)) in self.listed.nodes.iter().enumerate() {
            if source.service != component.allowed.host {
                continue;
            }
            list.write().reading = None;
            let mut x = Xml::new();
            x.open("iq").attr("type", "set").attr("id", &request("subscribe", at));
            x.attr("from", domain).attr("to", &source.service).open_ns("pubsub", ns::PUBSUB);
            x.open("subscribe").attr("node", &source.node).attr("jid", domain).close().close().close();
            component.send(x.into_vec()).ok();
            self.ask_page(component, at, None);
        }
    }

    /// Asks for a page of a list (XEP-0060 §6.5.4): the first, or the one after an item.
    fn ask_page(&self, component: &Component, at: usize, after: Option<&str>) {
        let Some((source, _)) = self.listed.nodes.get(at) else { return };
        let mut x = Xml::new();
        x.open("iq").attr("type", "get").attr("id", &request("items", at));
        x.attr("from", &self.policy.domain).attr("to", &source.service).open_ns("pubsub", ns::PUBSUB);
        x.open("items").attr("node", &source.node).close();
        x.open_ns("set", ns::RSM).text_element("max", &limits::LIST_PAGE.to_string());
        if let Some(after) = after {
            x.text_element("after", after);
        }
        x.close().close().close();
        // A service that takes nothing is asked again when it comes back.
        component.send(x.into_vec()).ok();
    }

    /// An answer of a service about one of its lists; others are none of ours.
    pub(crate) fn list_answered(&self, component: &Component, stanza: &Stanza, from: &Jid) {
        let id = stanza.id().unwrap_or_default();
        let asked = |at: &usize| *id == request("items", *at) || *id == request("subscribe", *at);
        let Some(at) = (0..self.listed.nodes.len()).find(asked) else { return };
        let (source, list) = &self.listed.nodes[at];
        if source.service != from.as_str() {
            return;
        }
        if stanza.type_().as_deref() == Some("error") {
            tracing::warn!(service = source.service, node = source.node, "a block list cannot be read");
            return;
        }
        let Some(pubsub) = stanza.child(ns::PUBSUB, "pubsub") else { return };
        let Some(items) = pubsub.child(ns::PUBSUB, "items") else { return };
        let ids: Vec<_> = named(&items, "item").collect();
        let more = more(&pubsub).filter(|_| !ids.is_empty());
        {
            let mut list = list.write();
            let reading = list.reading.get_or_insert_default();
            let before = reading.len();
            reading.extend(ids.iter().filter_map(|id| parse(id)));
            // A service that gives the same page again and again is not asked for ever.
            let goes_on = more.is_some() && reading.len() > before && reading.len() < limits::LISTED;
            if !goes_on {
                list.hashes = list.reading.take().unwrap_or_default();
                list.unkept = true;
                let addresses = list.hashes.len();
                tracing::info!(
                    service = source.service,
                    node = source.node,
                    addresses,
                    "a block list was read"
                );
            } else if let Some(after) = &more {
                self.ask_page(component, at, Some(after));
            }
        }
        self.listed.count();
        self.listed.changed.notify_one();
    }

    /// An event of a service about one of its lists (XEP-0060 §7.1.2.1, §7.2.2.1, §8.4, §8.5); false if it is none.
    pub(crate) fn list_changed(&self, stanza: &Stanza, from: &Jid) -> bool {
        let Some(event) = stanza.child(ns::PUBSUB_EVENT, "event") else { return false };
        for change in event.children() {
            let node = change.attr("node").unwrap_or_default();
            let Some((_, list)) = self.listed.of(from, &node) else { continue };
            let mut list = list.write();
            match change.name() {
                "items" => {
                    named(&change, "item").filter_map(|id| parse(&id)).for_each(|hash| list.add(hash));
                    named(&change, "retract").filter_map(|id| parse(&id)).for_each(|hash| list.remove(&hash));
                }
                "purge" | "delete" => *list = List::default(),
                _ => continue,
            }
            list.unkept = true;
        }
        self.listed.count();
        self.listed.changed.notify_one();
        true
    }

    /// Takes from the store what was known of the lists when the server ended. What it keeps of a list that is not followed
    /// any more is forgotten.
    pub async fn recall_lists(&self) -> rookery_store::Result<()> {
        for (name, kept) in self.store.block_lists().await? {
            let Some((_, list)) = self.listed.nodes.iter().find(|(source, _)| source.name() == name) else {
                self.store.keep_block_list(&name, Bytes::new()).await?;
                continue;
            };
            list.write().hashes = kept.as_chunks().0.iter().copied().take(limits::LISTED).collect();
        }
        self.listed.count();
        Ok(())
    }

    /// Keeps what has become known of the lists since it was kept last.
    pub async fn keep_lists(&self) -> rookery_store::Result<()> {
        for (source, list) in &self.listed.nodes {
            let hashes: Option<Vec<u8>> = {
                let mut list = list.write();
                let unkept = std::mem::take(&mut list.unkept);
                unkept.then(|| list.hashes.iter().flatten().copied().collect())
            };
            let Some(hashes) = hashes else { continue };
            if let Err(error) = self.store.keep_block_list(&source.name(), hashes.into()).await {
                list.write().unkept = true;
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Source {
    /// What the store knows it by.
    fn name(&self) -> String {
        format!("{}/{}", self.service, self.node)
    }
}

/// The ids of the children of this name.
fn named<'a>(parent: &Child<'a>, name: &'static str) -> impl Iterator<Item = String> + use<'a> {
    let children = parent.children().filter(move |child| child.name() == name);
    children.filter_map(|child| child.attr("id").map(|id| id.into_owned()))
}

/// The last item of a page that is not the last page (XEP-0059 §2.2).
fn more(pubsub: &Child<'_>) -> Option<String> {
    let set = pubsub.child(ns::RSM, "set")?;
    Some(set.child(ns::RSM, "last")?.text().into_owned()).filter(|last| !last.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_read_as_they_are_written() {
        let text = "6fd8abafe45d2e49c68d9ff1b36b32a36fec6b6ee8e2b1ba1ce6e6cd5dc2f5ca";
        assert!(parse(text).is_some() && parse(&text.to_uppercase()) == parse(&format!(" {text}\n")));
        for bad in ["", "abc", &text[1..], &format!("{text}00"), "spam.example"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_change_counts_while_a_list_is_read() {
        let (one, two) = (hash("one"), hash("two"));
        let set = || HashSet::from([two]);
        let mut list = List { hashes: set(), reading: Some(set()), unkept: false };
        list.add(one);
        list.remove(&two);
        assert_eq!(list.hashes, HashSet::from([one]));
        assert_eq!(list.reading, Some(HashSet::from([one])));
    }
}
