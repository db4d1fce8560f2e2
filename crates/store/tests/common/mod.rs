//! A fresh store, what its doorbell rang, and short ways to say what a test appends.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Appended, Credentials, Direction, Entry, Flags, Invite, InviteHash, NewAccount, Offer, Options,
    Origin, Pointer, Primary, Result, Store, Timestamp,
};
use smallvec::smallvec;
use tempfile::TempDir;

/// What the doorbell rang, in its order.
pub(crate) type Rung = Arc<Mutex<Vec<(Uid, Arc<Entry>)>>>;

/// A store of its own for one test.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) rung: Rung,
    pub(crate) options: Options,
    _dir: TempDir,
}

/// A fresh SQLite store.
pub(crate) async fn sqlite() -> Fixture {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut options = Options::new(dir.path().join("store.db"));
    options.reserved = vec![10_003..=10_004, 10_006..=10_006];
    let rung = Rung::default();
    let store = open(&options, &rung).await.expect("a fresh store opens");
    Fixture { store, rung, options, _dir: dir }
}

pub(crate) async fn open(options: &Options, rung: &Rung) -> Result<Store> {
    let rung = Arc::clone(rung);
    Store::open(options.clone(), Box::new(move |uid, entry| rung.lock().push((uid, entry)))).await
}

impl Fixture {
    /// Closes the store and opens it again.
    pub(crate) async fn reopen(&mut self) {
        self.store.close().await.expect("it closes");
        self.reopen_closed().await;
    }

    /// Opens the store again after it was closed.
    pub(crate) async fn reopen_closed(&mut self) {
        self.store = open(&self.options, &self.rung).await.expect("it opens again");
    }
}

pub(crate) const ALICE: Uid = Uid(1);
pub(crate) const BOB: Uid = Uid(2);

pub(crate) fn jid(text: &str) -> BareJid {
    BareJid::new(text).expect("a valid address")
}

/// The address of a number.
pub(crate) fn address(uid: Uid) -> BareJid {
    jid(&format!("{uid}@example.org"))
}

pub(crate) fn pointer(uid: Uid, peer: BareJid, direction: Direction) -> Pointer {
    Pointer { uid, peer, peer_resource: None, direction, resource: None, flags: Flags::default() }
}

/// An archived message from one account to another.
pub(crate) fn message(from: Uid, to: Uid, body: &str, at: i64) -> Append {
    Append {
        stanza: Bytes::copy_from_slice(body.as_bytes()),
        at: Timestamp(at),
        flags: Flags::ARCHIVE | Flags::DELIVER,
        pointers: smallvec![
            pointer(from, address(to), Direction::Out),
            pointer(to, address(from), Direction::In)
        ],
        origin: None,
    }
}

/// The same with the sender's name for it.
pub(crate) fn named(from: Uid, to: Uid, id: &str, at: i64) -> Append {
    let origin = Origin { sender: from, peer: address(to), id: id.into(), dedup: true };
    Append { origin: Some(origin), ..message(from, to, id, at) }
}

/// Appends and waits for the commit.
pub(crate) async fn append(store: &Store, append: Append) -> Result<Appended> {
    store.append(append).await?.await
}

/// The positions that an append was given.
pub(crate) async fn stored(store: &Store, what: Append) -> Vec<u64> {
    match append(store, what).await.expect("it is stored") {
        Appended::Stored(useqs) => useqs.iter().map(|useq| useq.0).collect(),
        Appended::Duplicate => panic!("it was taken for a duplicate"),
    }
}

/// The whole log as (position, body).
pub(crate) async fn log(store: &Store, uid: Uid) -> Vec<(u64, String)> {
    let mut log = Vec::new();
    loop {
        let after = log.last().map_or(0, |(useq, _)| *useq);
        let entries = store.events_after(uid, Useq(after), 256).await.expect("the log is read");
        if entries.is_empty() {
            return log;
        }
        log.extend(entries.iter().map(|entry| (entry.useq.0, body(entry))));
    }
}

pub(crate) fn body(entry: &Entry) -> String {
    String::from_utf8(entry.stanza.to_vec()).expect("the tests' bodies are text")
}

pub(crate) fn account(name: Option<&str>) -> NewAccount {
    NewAccount {
        name: name.map(str::to_owned),
        primary: if name.is_some() { Primary::Name } else { Primary::Number },
        nick: None,
        credentials: Credentials(b"keys".to_vec()),
        created: Timestamp(1_000),
        epoch: 7,
        invite: None,
    }
}

/// An invitation of the operator's to make an account once.
pub(crate) fn invite(hash: u8, expires: i64) -> Invite {
    Invite {
        hash: InviteHash([hash; 32]),
        expires: Timestamp(expires),
        uses: 1,
        created_by: None,
        offer: Offer { account: true, ..Offer::default() },
    }
}
