//! Very many: sessions in one process without sockets, and accounts with an archive on disk. `cargo xtask bench scale` has the
//! numbers that are wanted; without arguments they are small, so that a run of all benches is not long.
//!
//! Sessions are bound as a client binds them, have a connection over a pipe in memory, and are available; what a real one
//! costs beyond that is its socket. The archive is written by SQL with the indexes away, which is how one fills a database in
//! minutes; opening, pages and searches are those of the server.

#![allow(clippy::disallowed_methods, reason = "a bench measures on the wall")]

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rookery::net::connection::Connection;
use rookery::net::framing::Framing;
use rookery::net::transport::{Conn, Transport};
use rookery_core::resume::Begin;
use rookery_core::session::Available;
use rookery_proto::jid::BareJid;
use rookery_proto::xml::Limits;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Credentials, Doorbell, Flags, NewAccount, Options, PageQuery, Primary, Store, Timestamp, Window,
};
use rookery_testkit::measure::{Site, Wire};
use rusqlite::{Connection as Database, params};
use tokio::io::DuplexStream;
use tokio::runtime::Runtime;

// As the program has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Sessions among which routing is measured first.
const FEW: usize = 2_000;

/// Of all sessions, those that talk.
const TALKERS: usize = 1_000;

/// Messages that each of them sends.
const TURNS: usize = 50;

/// What a client's stream begins with.
const HEADER: &[u8] = b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' \
                        xmlns:stream='http://etherx.jabber.org/streams'>";

/// Bytes that wait in a pipe.
const PIPE: usize = 1_024;

/// Messages in one transaction of the bulk.
const BULK: u64 = 100_000;

/// Pages and searches that are timed.
const LOOKS: usize = 200;

/// Of a hundred messages, those of the one account that has by far the most.
const BUSIEST: u64 = 1;

fn main() -> Result<()> {
    let number = |name: &str, default: u64| -> Result<u64> {
        let given =
            std::env::args().find_map(|arg| arg.strip_prefix(&format!("--{name}=")).map(str::to_owned));
        given.map_or(Ok(default), |text| text.parse().with_context(|| format!("--{name} is a number")))
    };
    let runtime = Runtime::new()?;
    runtime.block_on(sessions(number("sessions", 5_000)? as usize))?;
    runtime.block_on(archive(number("accounts", 10_000)?, number("messages", 100_000)?))
}

/// A small generator of numbers (xorshift64), the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bytes that this process holds (proc_pid_statm(5)).
fn memory() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = text.split(' ').nth(1).context("its second field")?.parse()?;
    Ok(pages * 4_096)
}

/// Processor time of all threads.
fn processor() -> Result<Duration> {
    let tasks = fs::read_dir("/proc/self/task")?;
    let texts = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
    let times = texts.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
    Ok(Duration::from_nanos(times.sum()))
}

// ---- sessions

async fn sessions(count: usize) -> Result<()> {
    let site = Site::with_accounts(count).await?;
    let mut clients = Vec::with_capacity(count);
    bind(&site, &mut clients, FEW.min(count)).await?;
    let few = routing(&site, &mut clients).await?;
    let (before, had) = (memory()?, clients.len());
    bind(&site, &mut clients, count).await?;
    let more = (clients.len() - had).max(1) as u64;
    let each = memory()?.saturating_sub(before) / more;
    let many = routing(&site, &mut clients).await?;
    println!("{count} sessions: {each} bytes for each, {:.2} GB in all", memory()? as f64 / 1e9);
    println!("routing, for one delivery: {few:.2} µs among {had}, {many:.2} µs among {count}");
    drop(clients);
    site.close().await
}

/// Binds further accounts, until there are so many sessions.
async fn bind(site: &Site, clients: &mut Vec<Wire<DuplexStream>>, upto: usize) -> Result<()> {
    let core = &site.server().core;
    for index in clients.len()..upto {
        let uid: u64 = site.user(index).parse()?;
        let member = core.directory.member(Uid(uid)).await?.context("it was made")?;
        let session = core
            .bind(&member, "desk", Begin::default())
            .await
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let stanza = format!("<presence from='{}'/>", session.jid.as_str()).into_bytes().into();
        core.make_available(&session, Available { priority: 0, stanza });
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let mut framing = Framing::stream(Limits::authenticated());
        framing.feed(&mut &HEADER[..]).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let conn = Conn::new(Transport::Plain(theirs), framing);
        let mut connection = Connection::new(conn, core.clone(), session, VecDeque::new());
        tokio::spawn(async move { connection.run().await });
        clients.push(Wire::new(ours));
    }
    Ok(())
}

/// Microseconds of processor time for one chat state, which is stored nowhere, from one session to another.
async fn routing(site: &Site, clients: &mut [Wire<DuplexStream>]) -> Result<f64> {
    let mut numbers = Numbers(SEED);
    let talkers: Vec<usize> = (0..TALKERS).map(|_| numbers.below(clients.len() as u64) as usize).collect();
    let mut took = Duration::ZERO;
    for turn in 0..=TURNS {
        let begun = processor()?;
        for pair in talkers.windows(2).filter(|pair| pair[0] != pair[1]) {
            let to = site.address(pair[1]);
            let state = format!(
                "<message to='{to}' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>"
            );
            clients[pair[0]].send(state.as_bytes()).await?;
            clients[pair[1]].read(b"</message>", 1).await?;
        }
        // The first turn fills the caches.
        if turn > 0 {
            took += processor()?.saturating_sub(begun);
        }
    }
    Ok(took.as_secs_f64() * 1e6 / (TURNS * (talkers.len() - 1)) as f64)
}

// ---- archive

async fn archive(accounts: u64, messages: u64) -> Result<()> {
    let folder = tempfile::Builder::new().prefix("rookery-scale-").tempdir()?;
    let path = folder.path().join("rookery.db");
    let begun = Instant::now();
    let uids = make_accounts(&path, accounts).await?;
    let lengths = fill(&path, &uids, messages)?;
    let size = fs::metadata(&path)?.len() as f64 / 1e9;
    println!("{accounts} accounts, {messages} messages, {size:.1} GB; written in {:.0?}", begun.elapsed());

    let begun = Instant::now();
    let store = open(&path).await?;
    println!("start: {:.0?}", begun.elapsed());

    let begun = Instant::now();
    while store.index().await?.more {}
    println!("the index of words: made in {:.0?}", begun.elapsed());

    let mut numbers = Numbers(SEED);
    let several = |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..uids.len()).filter(|&n| wanted(n)).take(LOOKS).collect()
    };
    let busiest = vec![0; LOOKS];
    let usual = several(&|n| n > 0 && lengths[n] > 0);
    for (name, whose) in [("an account", &usual), ("the busiest account", &busiest)] {
        for (what, text) in [("a page of 50", None), ("a search for a word", Some("lantern"))] {
            let mut times = Vec::new();
            for &n in whose {
                let end = numbers.below(u64::from(lengths[n]).max(1)) + 1;
                let window = if text.is_none() { Window::Before(Useq(end)) } else { Window::Last };
                let query = PageQuery { window, max: 50, text: text.map(Into::into), ..PageQuery::default() };
                let begun = Instant::now();
                let page = store.page(uids[n], query).await?;
                times.push(begun.elapsed());
                ensure!(page.is_some() || text.is_none(), "a search has a page");
            }
            times.sort();
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
            println!("{what} of {name}: {:.2?} in the middle, {:.2?} at 99 %", at(0.5), at(0.99));
        }
    }
    store.close().await?;
    Ok(folder.close()?)
}

async fn open(path: &Path) -> Result<Store> {
    let deaf: Doorbell = Box::new(|_, _| {});
    Ok(Store::open(Options::new(path), deaf).await?)
}

async fn make_accounts(path: &Path, count: u64) -> Result<Vec<Uid>> {
    let store = open(path).await?;
    let new = NewAccount {
        name: None,
        primary: Primary::Number,
        nick: None,
        credentials: Credentials(vec![7; 200]),
        created: Timestamp(1_700_000_000_000),
        epoch: 1,
        invite: None,
    };
    let mut uids = Vec::with_capacity(count as usize);
    while (uids.len() as u64) < count {
        let part = (count - uids.len() as u64).min(BULK) as usize;
        for made in store.import_accounts(vec![new.clone(); part]).await? {
            uids.push(made?.uid);
        }
    }
    store.close().await?;
    Ok(uids)
}

/// Writes messages between neighbours; gives the length of each account's log.
fn fill(path: &Path, uids: &[Uid], messages: u64) -> Result<Vec<u32>> {
    let db = Database::open(path)?;
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    let indexes: Vec<(String, String)> = db
        .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('log', 'message') AND sql NOT NULL")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (name, _) in &indexes {
        db.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let addresses: Vec<BareJid> =
        uids.iter().map(|uid| BareJid::new(&format!("{uid}@localhost"))).collect::<Result<_, _>>()?;
    let flags = Flags::DELIVER | Flags::ARCHIVE | Flags::COPY | Flags::CHAT | Flags::INSTANT;
    let mut lengths = vec![0_u32; uids.len()];
    let mut numbers = Numbers(SEED);
    let words = [
        "harbour", "lantern", "meadow", "copper", "thimble", "orchard", "gravel", "saddle", "willow", "ember",
    ];
    let mut id = 0;
    while id < messages {
        db.execute_batch("BEGIN")?;
        let mut message = db.prepare_cached(
            "INSERT INTO message (id, at, flags, refs, sender, origin, stanza) VALUES (?1, ?2, 0, 2, ?3, ?4, ?5)",
        )?;
        let mut log = db.prepare_cached(
            "INSERT INTO log (uid, useq, message, at, flags, direction, peer, peer_resource, resource)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'desk', NULL)",
        )?;
        for _ in 0..BULK.min(messages - id) {
            id += 1;
            let at = 1_700_000_000_000 + id as i64;
            let accounts = uids.len() as u64;
            let one = if numbers.below(100) < BUSIEST { 0 } else { numbers.below(accounts) };
            let other = (one + 1 + numbers.below(10)) % accounts;
            let (one, other) = (one as usize, other as usize);
            // One of ten words is common, the others name one message in ten thousand.
            let text: Vec<String> = (0..8)
                .map(|_| format!("{}{}", words[numbers.below(10) as usize], numbers.below(1_000)))
                .collect();
            let stanza = format!(
                "<message from='{}/desk' to='{}' type='chat' id='{:016x}'><body>{} {}</body></message>",
                addresses[one],
                addresses[other],
                numbers.next(),
                words[numbers.below(10) as usize],
                text.join(" ")
            );
            message.execute(params![
                id as i64,
                at,
                uids[one].0 as i64,
                numbers.next() as i64,
                stanza.as_bytes()
            ])?;
            for (owner, peer, out) in [(one, other, true), (other, one, false)] {
                lengths[owner] += 1;
                let peer = addresses[peer].as_str();
                log.execute(params![
                    uids[owner].0 as i64,
                    lengths[owner],
                    id as i64,
                    at,
                    flags.0,
                    out,
                    peer
                ])?;
            }
        }
        drop((message, log));
        db.execute_batch("COMMIT")?;
    }
    for (_, sql) in &indexes {
        db.execute_batch(sql)?;
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(lengths)
}
