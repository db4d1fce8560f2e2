//! `account.xml`: the account as other servers read it (XEP-0227), in the order of its schema.

use super::files::Shelf;
use super::{Export, SLICE, last};
use crate::render::{archive_id, delay_into};
use crate::roster::write_item;
use crate::xep::pep::{self, Known};
use crate::xep::{private, vcard};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rookery_proto::ns;
use rookery_proto::sasl::{Credentials, Hash};
use rookery_proto::stanza;
use rookery_proto::xml::Xml;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    ArchiveDefault, Direction, Entry, Flags, ItemPage, ItemWindow, Node, Result, StoreError,
};

/// The file's name.
pub(super) const FILE: &str = "account.xml";

impl Export<'_> {
    /// Writes the document.
    pub(super) async fn account(&self, shelf: &Shelf) -> Result<()> {
        self.file(FILE).await?;
        let mut x = Xml::new();
        x.raw(b"<?xml version='1.0' encoding='UTF-8'?>\n").open_ns("server-data", ns::PIE);
        // §4.2: the name is the part of the address before the @.
        x.open("host").attr("jid", &self.order.domain);
        x.open("user").attr("name", self.address.node().map_or("", |node| node.as_str()));
        self.put(x.into_start_tag()).await?;
        self.waiting().await?;
        if self.order.credentials {
            self.credentials().await?;
        }
        self.contacts().await?;
        self.settings(shelf).await?;
        self.nodes().await?;
        self.archive().await?;
        self.put(b"\n</user></host></server-data>\n".to_vec()).await
    }

    /// What no device has taken yet (§4.5).
    async fn waiting(&self) -> Result<()> {
        let (uid, delivered) =
            (self.order.account.uid, self.store.head(self.order.account.uid).await?.delivered);
        self.put(b"\n<offline-messages>".to_vec()).await?;
        let mut after = Useq(0);
        loop {
            let entries = self.store.owed(uid, after, SLICE).await?;
            let Some(end) = last(&entries) else { break };
            self.wait(entries.iter().filter(|entry| entry.useq <= delivered)).await?;
            after = end;
        }
        after = delivered;
        loop {
            let entries = self.store.events_after(uid, after, SLICE).await?;
            let Some(end) = last(&entries) else { break };
            let waits = |entry: &&Entry| entry.direction == Direction::In && entry.flags.has(Flags::DELIVER);
            self.wait(entries.iter().filter(waits)).await?;
            after = end;
        }
        self.put(b"</offline-messages>".to_vec()).await
    }

    async fn wait(&self, entries: impl Iterator<Item = &Entry>) -> Result<()> {
        let mut out = Vec::new();
        for entry in entries {
            let mut extra = Xml::new();
            delay_into(&mut extra, Some(&self.order.domain), entry.at);
            message(entry, &extra.into_vec(), &mut out);
        }
        self.put(out).await
    }

    /// The keys that prove the password (§4.3).
    async fn credentials(&self) -> Result<()> {
        let kept = self.store.credentials(self.order.account.uid).await?.ok_or(StoreError::NotFound)?;
        let credentials = Credentials::from_bytes(&kept.0).ok_or(StoreError::Corrupt)?;
        let mut x = Xml::new();
        for (hash, mechanism) in
            [(Hash::Sha1, "SCRAM-SHA-1"), (Hash::Sha256, "SCRAM-SHA-256"), (Hash::Sha512, "SCRAM-SHA-512")]
        {
            let keys = credentials.keys(hash);
            x.raw(b"\n").open_ns("scram-credentials", ns::PIE_SCRAM).attr("mechanism", mechanism);
            x.text_element("iter-count", &keys.iterations.to_string());
            x.text_element("salt", &BASE64_STANDARD.encode(&keys.salt));
            x.text_element("server-key", &BASE64_STANDARD.encode(&keys.server_key));
            x.text_element("stored-key", &BASE64_STANDARD.encode(&keys.stored_key)).close();
        }
        self.put(x.into_vec()).await
    }

    /// The roster (§4.4), and who asks to be let in (§4.9).
    async fn contacts(&self) -> Result<()> {
        let uid = self.order.account.uid;
        let mut x = Xml::new();
        x.raw(b"\n").open_ns("query", ns::ROSTER);
        self.store.roster(uid).await?.items.iter().for_each(|item| write_item(&mut x, item));
        let mut out = x.into_vec();
        for request in self.store.pending_requests(uid).await? {
            out.push(b'\n');
            whole(&request, b"", &mut out);
        }
        self.put(out).await
    }

    /// Private XML (§4.6), the card (§4.7), and what else the owner has decided.
    async fn settings(&self, shelf: &Shelf) -> Result<()> {
        let uid = self.order.account.uid;
        self.put(b"\n<query xmlns='jabber:iq:private'>".to_vec()).await?;
        self.items(uid, &private::node(), |item, x| {
            x.raw(&item.payload);
        })
        .await?;
        self.put(b"</query>\n".to_vec()).await?;
        self.items(uid, &vcard::node(), |item, x| {
            x.raw(&item.payload);
        })
        .await?;

        let mut x = Xml::new();
        x.raw(b"\n").open_ns("blocklist", ns::BLOCKING);
        for jid in self.store.blocklist(uid).await? {
            x.open("item").attr("jid", &jid).close();
        }
        x.close();
        if let Some(prefs) = self.store.archive_prefs(uid).await? {
            let default = match prefs.default {
                ArchiveDefault::Always => "always",
                ArchiveDefault::Never => "never",
                ArchiveDefault::Roster => "roster",
            };
            x.raw(b"\n").open_ns("prefs", ns::MAM).attr("default", default);
            for (name, jids) in [("always", &prefs.always), ("never", &prefs.never)] {
                x.open(name);
                jids.iter().for_each(|jid| {
                    x.text_element("jid", jid.as_str());
                });
                x.close();
            }
            x.close();
        }
        x.raw(b"\n");
        self.ours(&mut x, shelf).await?;
        self.put(x.into_vec()).await
    }

    /// The account's own nodes (§4.10).
    async fn nodes(&self) -> Result<()> {
        let uid = self.order.account.uid;
        let mut nodes = self.store.nodes(uid).await?;
        nodes.retain(|node| !pep::is_hidden(&node.name));
        self.all_of(uid, &nodes).await
    }

    /// Nodes among those of `uid` with what is in them: configuration first, then items.
    pub(super) async fn all_of(&self, uid: Uid, nodes: &[Node]) -> Result<()> {
        let service = uid != self.order.account.uid;
        // At the service the owners are among those who have a part, and each item says whose it is.
        let owner = (!service).then_some(&self.address);
        self.put(format!("\n<pubsub xmlns='{}'>", ns::PUBSUB_OWNER).into_bytes()).await?;
        for node in nodes {
            let known = Known::from(node.clone());
            let mut x = Xml::new();
            x.open("configure").attr("node", &node.name);
            pep::write_configuration(&mut x, &known.config, service);
            x.close();
            let parts = self.store.affiliates(uid, &node.name).await?;
            pep::write_affiliations(&mut x, &node.name, owner, &parts);
            self.put(x.into_vec()).await?;
        }
        self.put(format!("</pubsub>\n<pubsub xmlns='{}'>", ns::PUBSUB).into_bytes()).await?;
        for node in nodes {
            let mut x = Xml::new();
            x.open("items").attr("node", &node.name);
            self.put(x.into_start_tag()).await?;
            let owner = owner.map_or("", |owner| owner.as_str());
            self.items(uid, node, |item, x| pep::write_item(x, item, owner, true)).await?;
            self.put(b"</items>".to_vec()).await?;
        }
        self.put(b"</pubsub>".to_vec()).await
    }

    /// All items of one node, page by page.
    async fn items(
        &self,
        uid: Uid,
        node: &Node,
        write: impl Fn(&rookery_store::Item, &mut Xml),
    ) -> Result<()> {
        let mut index = 0;
        loop {
            let window = ItemWindow::Index(index);
            let page = self.store.items(uid, &node.name, window, SLICE).await?;
            let ItemPage { items, .. } = page.unwrap_or_default();
            if items.is_empty() {
                return Ok(());
            }
            index += items.len() as u64;
            let mut x = Xml::new();
            items.iter().for_each(|item| write(item, &mut x));
            self.put(x.into_vec()).await?;
        }
    }

    /// The archive, oldest first (§4.11).
    async fn archive(&self) -> Result<()> {
        let account = &self.order.account;
        self.put(format!("\n<archive xmlns='{}'>", ns::PIE_MAM).into_bytes()).await?;
        let mut after = Useq(0);
        loop {
            let entries = self.store.events_after(account.uid, after, SLICE).await?;
            let Some(end) = last(&entries) else { break };
            let mut x = Xml::new();
            for entry in entries.iter().filter(|entry| entry.flags.has(Flags::ARCHIVE)) {
                let mut inner = Vec::new();
                message(entry, b"", &mut inner);
                x.raw(b"\n").open_ns("result", ns::MAM).attr("id", &archive_id(entry.useq, account.epoch));
                x.open_ns("forwarded", ns::FORWARD);
                delay_into(&mut x, None, entry.at);
                x.raw(&inner).close().close();
            }
            self.put(x.into_vec()).await?;
            self.progress.add(entries.len());
            after = end;
        }
        self.put(b"\n</archive>".to_vec()).await
    }
}

/// A message with its namespace; nothing for one that is empty.
fn message(entry: &Entry, extra: &[u8], out: &mut Vec<u8>) {
    if !entry.stanza.is_empty() {
        whole(&entry.stanza, extra, out);
    }
}

fn whole(stanza: &[u8], extra: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    if let Err(error) = stanza::write_with(stanza, true, extra, out) {
        tracing::error!(?error, "a stored stanza cannot be read, and is not exported");
        out.truncate(start);
    }
}
