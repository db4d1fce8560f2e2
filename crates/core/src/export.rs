//! Everything that is an account's, for its owner: a document that other servers read (XEP-0227), and pages for people.
//!
//! It is written piece by piece ([`Part`]) and handed to whoever packs it, so that an archive of any length takes little
//! memory. What is written may have been written by strangers: all of it is text, and escaped.

mod account;
mod desk;
mod files;
mod ours;
mod page;
mod service;

pub use desk::{Desk, State};

use crate::accounts::By;
use crate::member::primary_address;
use crate::xep::Xep;
use rookery_proto::Useq;
use rookery_proto::jid::BareJid;
use rookery_store::limits::PAGE;
use rookery_store::{Account, FileHash, Result, Store, StoreError, Timestamp};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::Sender;

/// XEP-0227.
pub const INFO: Xep = Xep {
    number: "XEP-0227",
    name: "Portable Import/Export Format for XMPP-IM Servers",
    version: "1.1",
    server: &[],
    account: &[],
    note: "Export of one account, with pages to read: contacts, requests, what waits, private XML, card, nodes, archive; and \
           uploaded files, settings, devices, registrations for push and read places in words of our own. \
           SCRAM keys only if the operator asks for them. No import yet.",
};

/// Where exports are fetched, under the address that browsers know; the name of one follows.
pub const EXPORT_PATH: &str = "/export/";

/// What is to be exported, and for whom.
#[derive(Clone, Debug)]
pub struct Order {
    /// Whose.
    pub account: Account,
    /// Who asked for it.
    pub by: By,
    /// The domain that accounts live at.
    pub domain: String,
    /// Whether the keys that the password is proven with are in it: who has them can guess at the password. Only ever for
    /// the operator who moves an account to another server.
    pub credentials: bool,
    /// Now.
    pub at: Timestamp,
}

/// A piece of an export.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// From here on it is the file of this name, which may have a folder before it.
    File(String),
    /// More of the file.
    Bytes(Vec<u8>),
    /// A file of this name with the bytes of an upload, which whoever packs the export fetches.
    Upload {
        /// The file's name, after its folder.
        name: String,
        /// Its bytes.
        hash: FileHash,
        /// How many those are.
        size: u64,
    },
}

/// How far an export has come; read while it is written.
#[derive(Debug, Default)]
pub struct Progress {
    /// Messages.
    done: AtomicU64,
    /// Bytes of uploads.
    bytes: AtomicU64,
    total: AtomicU64,
}

/// Bytes of an upload that count as much as a message: they take about as long.
const STEP: u64 = 16 << 10;

impl Progress {
    /// Steps done, and how many there are about to be: two for each message, one for the document and one for the pages; and
    /// uploads by their size.
    pub fn read(&self) -> (u64, u64) {
        let total = self.total.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed) + self.bytes.load(Ordering::Relaxed) / STEP;
        (done.min(total), total)
    }

    /// Bytes of an upload were packed.
    pub fn packed(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn add(&self, entries: usize) {
        self.done.fetch_add(entries as u64, Ordering::Relaxed);
    }
}

/// Writes the export. [`StoreError::Closed`]: nobody takes it any more.
pub async fn write(store: &Store, order: &Order, out: Sender<Part>, progress: &Progress) -> Result<()> {
    let head = store.head(order.account.uid).await?;
    let files = store.file_usage(order.account.uid).await?;
    progress.total.store(2 * (head.head.0 - head.floor.0) + files.bytes / STEP, Ordering::Relaxed);
    let address = primary_address(&order.account, &order.domain);
    let export = Export { store, order, address, out, progress };
    let shelf = export.shelf().await?;
    export.account(&shelf).await?;
    export.service().await?;
    export.files(&shelf).await?;
    export.pages(&shelf).await
}

/// An export that is being written.
struct Export<'a> {
    store: &'a Store,
    order: &'a Order,
    address: BareJid,
    out: Sender<Part>,
    progress: &'a Progress,
}

impl Export<'_> {
    async fn file(&self, name: impl Into<String>) -> Result<()> {
        self.out.send(Part::File(name.into())).await.map_err(|_| StoreError::Closed)
    }

    async fn put(&self, bytes: Vec<u8>) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.out.send(Part::Bytes(bytes)).await.map_err(|_| StoreError::Closed)
    }
}

/// The end of what was read of a log, and whether there is more to read: a short answer may be a full one in bytes.
fn last(entries: &[rookery_store::Entry]) -> Option<Useq> {
    entries.last().map(|entry| entry.useq)
}

/// Entries that are read at a time.
const SLICE: usize = PAGE;

#[cfg(test)]
mod tests;
