//! What a message costs the processor on its whole way: read, scanned, prepared, committed, routed, written.
//!
//! Time is the processor time of all threads of this process divided by the deliveries, so that neighbours on the machine
//! and the disk's pauses do not count; the kernel's part, and that of the pipes and of the clients, are in it. `floor` is
//! the same dialogue without a server between: take it off. The store is in the temporary directory (`TMPDIR`).

use std::fs;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use rookery_testkit::measure::{Site, Wire};
use tokio::io::DuplexStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

// As the program has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Conversations at the same time.
const PAIRS: usize = 200;

/// Contacts that see a presence.
const CONTACTS: usize = 20;

/// What ends each delivery of a message.
const MESSAGE: &[u8] = b"</message>";

/// Measures processor time.
struct Processor;

impl Measurement for Processor {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        // The first field of each thread's `schedstat` is its time on a processor in nanoseconds.
        let tasks = fs::read_dir("/proc/self/task").expect("Linux");
        let texts = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
        let times = texts.filter_map(|text| text.split(' ').next()?.parse::<u64>().ok());
        Duration::from_nanos(times.sum())
    }

    fn end(&self, start: Duration) -> Duration {
        self.start().saturating_sub(start)
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

/// Two clients that write to each other: each answers so many messages with as many.
struct Pair {
    sides: [Wire<DuplexStream>; 2],
    batches: [Vec<u8>; 2],
    window: usize,
}

impl Pair {
    async fn turn(&mut self) {
        let [one, other] = &mut self.sides;
        one.send(&self.batches[0]).await.expect("the server reads");
        other.read(MESSAGE, self.window).await.expect("it arrives");
        other.send(&self.batches[1]).await.expect("the server reads");
        one.read(MESSAGE, self.window).await.expect("it arrives");
    }
}

/// A chat message as clients write it, some 300 bytes.
fn message(to: &str) -> String {
    let body = "The quick brown fox jumps over the lazy dog. ".repeat(2);
    format!(
        "<message to='{to}' type='chat' id='0f5ab1c5-51f6-4dd0-8b95-2f0e6ac4dc11'><body>{body}</body>\
         <active xmlns='http://jabber.org/protocol/chatstates'/>\
         <request xmlns='urn:xmpp:receipts'/></message>"
    )
}

async fn pairs(site: &Site, window: usize) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for n in 0..PAIRS {
        let (one, other) = (2 * n, 2 * n + 1);
        let mut sides = [
            site.sign_in(one, "desk").await.expect("it signs in"),
            site.sign_in(other, "desk").await.expect("it signs in"),
        ];
        for side in &mut sides {
            side.ask("<presence><priority>0</priority></presence>", "</presence>")
                .await
                .expect("it is available");
        }
        let batch = |to: usize| message(&format!("{}/desk", site.address(to))).repeat(window).into_bytes();
        pairs.push(Pair { sides, batches: [batch(other), batch(one)], window });
    }
    pairs
}

/// The clients with a pipe between them, and no server.
fn floor(window: usize) -> Vec<Pair> {
    let pair = |_| {
        let (one, other) = tokio::io::duplex(64 * 1024);
        let batch = message("10001@localhost/desk").repeat(window).into_bytes();
        Pair { sides: [Wire::new(one), Wire::new(other)], batches: [batch.clone(), batch], window }
    };
    (0..PAIRS).map(pair).collect()
}

/// All pairs talk, until there were so many deliveries at least; gives how many there were.
async fn talk(pairs: &mut Vec<Pair>, deliveries: u64) -> u64 {
    let turn = (2 * pairs[0].window) as u64;
    let turns = deliveries.div_ceil(turn * pairs.len() as u64);
    let mut all = JoinSet::new();
    for mut pair in pairs.drain(..) {
        all.spawn(async move {
            for _ in 0..turns {
                pair.turn().await;
            }
            pair
        });
    }
    *pairs = all.join_all().await;
    turns * turn * pairs.len() as u64
}

type Group<'a> = BenchmarkGroup<'a, Processor>;

/// Measures `run`, which makes at least as many deliveries as it is told to and says how many it made.
fn per_delivery(group: &mut Group<'_>, name: &str, mut run: impl FnMut(u64) -> u64) {
    group.throughput(Throughput::Elements(1));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|wanted| {
            let start = Processor.start();
            let made = run(wanted);
            Processor.end(start).mul_f64(wanted as f64 / made as f64)
        });
    });
}

fn chat(group: &mut Group<'_>, runtime: &Runtime) {
    for window in [1, 32] {
        let site = runtime.block_on(Site::with_accounts(2 * PAIRS)).expect("a server");
        let mut served = runtime.block_on(pairs(&site, window));
        per_delivery(group, &format!("chat, window {window}"), |n| runtime.block_on(talk(&mut served, n)));
        drop(served);
        runtime.block_on(site.close()).expect("it closes");
        let mut bare = floor(window);
        per_delivery(group, &format!("floor, window {window}"), |n| runtime.block_on(talk(&mut bare, n)));
    }
}

/// One sends to one resource of an account; the others of the account get copies (XEP-0280).
fn carbons(group: &mut Group<'_>, runtime: &Runtime) {
    for resources in [1, 10] {
        let (site, mut from, mut all) = runtime.block_on(async {
            let site = Site::with_accounts(2).await.expect("a server");
            let from = site.sign_in(0, "desk").await.expect("it signs in");
            let mut all = Vec::new();
            for n in 0..resources {
                let mut wire = site.sign_in(1, &format!("r{n}")).await.expect("it signs in");
                let enable = "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>";
                wire.ask(enable, "id='c'").await.expect("it gets copies");
                wire.ask("<presence><priority>0</priority></presence>", "</presence>")
                    .await
                    .expect("it is available");
                all.push(wire);
            }
            for wire in &mut all {
                wire.ping().await.expect("it has seen the others");
            }
            (site, from, all)
        });
        // A copy ends with two of them, and is over with the last.
        let copy: &[u8] = b"</message></forwarded></received></message>";
        let message = message(&format!("{}/r0", site.address(1))).into_bytes();
        per_delivery(group, &format!("carbons, {resources} resources"), |wanted| {
            runtime.block_on(async {
                let times = wanted.div_ceil(resources as u64);
                for _ in 0..times {
                    from.send(&message).await.expect("the server reads");
                    for (n, wire) in all.iter_mut().enumerate() {
                        wire.read(if n == 0 { MESSAGE } else { copy }, 1).await.expect("it arrives");
                    }
                }
                times * resources as u64
            })
        });
        drop((from, all));
        runtime.block_on(site.close()).expect("it closes");
    }
}

/// One changes its presence; all its contacts see it (RFC 6121 §4.4.2).
fn presence(group: &mut Group<'_>, runtime: &Runtime) {
    let (site, mut from, mut contacts) = runtime.block_on(async {
        let site = Site::with_accounts(CONTACTS + 1).await.expect("a server");
        let friends: Vec<_> = (1..=CONTACTS).map(|n| (0, n)).collect();
        site.befriend(&friends).await.expect("they are friends");
        let mut all = Vec::new();
        for n in 0..=CONTACTS {
            let mut wire = site.sign_in(n, "desk").await.expect("it signs in");
            wire.send(b"<presence/>").await.expect("the server reads");
            wire.ping().await.expect("it is available");
            all.push(wire);
        }
        for wire in &mut all {
            wire.ping().await.expect("it has seen the others");
        }
        let from = all.remove(0);
        (site, from, all)
    });
    let presence = b"<presence><show>away</show><status>At lunch</status></presence>";
    per_delivery(group, &format!("presence, {CONTACTS} contacts"), |wanted| {
        runtime.block_on(async {
            let times = wanted.div_ceil(CONTACTS as u64);
            for _ in 0..times {
                from.send(presence).await.expect("the server reads");
                from.read(b"</presence>", 1).await.expect("it comes back");
                for contact in &mut contacts {
                    contact.read(b"</presence>", 1).await.expect("it arrives");
                }
            }
            times * CONTACTS as u64
        })
    });
    drop((from, contacts));
    runtime.block_on(site.close()).expect("it closes");
}

fn benches(criterion: &mut Criterion<Processor>) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("end_to_end");
    group.sample_size(20);
    chat(&mut group, &runtime);
    carbons(&mut group, &runtime);
    presence(&mut group, &runtime);
    group.finish();
}

criterion_group! {
    name = end_to_end;
    config = Criterion::default().with_measurement(Processor);
    targets = benches
}
criterion_main!(end_to_end);
