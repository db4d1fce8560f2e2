//! What one message between two accounts costs the processor: one body, two log rows, by the size of the batch.
//!
//! Time is the processor time of all threads of the process, so that neighbours on the machine do not count; the queue,
//! the hand-over between threads and the kernel's part are in it. `memory` is a store on a file system in memory, `disk`
//! one in the temporary directory (`TMPDIR`). Time divided by the batch is time per message.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_store::{Append, Direction, Flags, Options, Origin, Pointer, Store, Timestamp};
use smallvec::smallvec;
use tokio::runtime::Runtime;

/// Accounts that write to each other.
const USERS: u64 = 10_000;

/// Messages that are there already, so that indexes are not toys.
const FILLED: u64 = 200_000;

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

/// A small generator of numbers (xorshift64), the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn message(numbers: &mut Numbers, addresses: &[BareJid]) -> Append {
    let (from, to) = (numbers.next() % USERS, numbers.next() % USERS);
    let (from_jid, to_jid) = (&addresses[from as usize], &addresses[to as usize]);
    let pointer = |uid: u64, peer: &BareJid, direction| Pointer {
        uid: Uid(uid + 1),
        peer: peer.clone(),
        peer_resource: None,
        direction,
        resource: (direction == Direction::Out).then(|| "phone".into()),
        flags: Flags::default(),
    };
    let id = format!("{:016x}{:016x}", numbers.next(), numbers.next());
    let body = "x".repeat(150);
    let stanza = format!(
        "<message from='{from_jid}/phone' to='{to_jid}' type='chat' id='{id}'><body>{body}</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
    );
    Append {
        stanza: Bytes::from(stanza),
        at: Timestamp(1_700_000_000_000),
        flags: Flags::ARCHIVE | Flags::DELIVER | Flags::COPY,
        pointers: smallvec![pointer(from, to_jid, Direction::Out), pointer(to, from_jid, Direction::In)],
        origin: Some(Origin { sender: Uid(from + 1), peer: to_jid.clone(), id: id.into(), dedup: true }),
    }
}

/// Queues all and waits for all: they make one batch.
async fn append(store: &Store, batch: Vec<Append>) {
    let mut pending = Vec::with_capacity(batch.len());
    for append in batch {
        pending.push(store.append(append).await.expect("there is room"));
    }
    for answer in pending {
        black_box(answer.await.expect("it is stored"));
    }
}

fn benches(criterion: &mut Criterion<Processor>) {
    let addresses: Vec<BareJid> = (0..USERS)
        .map(|n| BareJid::new(&format!("{}@example.org", 10_001 + n)).expect("a valid address"))
        .collect();
    let places = [("memory", Path::new("/dev/shm").to_owned()), ("disk", std::env::temp_dir())];
    for (place, path) in places {
        let dir = tempfile::tempdir_in(path).expect("a temporary directory");
        let runtime = Runtime::new().expect("a runtime");
        let open = Store::open(Options::new(dir.path().join("store.db")), Box::new(|_, _| {}));
        let store = runtime.block_on(open).expect("a fresh store opens");
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        for _ in 0..FILLED / 256 {
            let batch = (0..256).map(|_| message(&mut numbers, &addresses)).collect();
            runtime.block_on(append(&store, batch));
        }
        let mut group = criterion.benchmark_group(format!("append/{place}"));
        group.sample_size(20);
        for size in [1_u64, 32, 256] {
            group.throughput(Throughput::Elements(size));
            group.bench_function(format!("batch {size}"), |bencher| {
                bencher.iter_batched(
                    || (0..size).map(|_| message(&mut numbers, &addresses)).collect::<Vec<_>>(),
                    |batch| runtime.block_on(append(&store, batch)),
                    criterion::BatchSize::LargeInput,
                );
            });
        }
        group.finish();
        runtime.block_on(store.close()).expect("it closes");
    }
}

criterion_group! {
    name = append_benches;
    config = Criterion::default().with_measurement(Processor);
    targets = benches
}
criterion_main!(append_benches);
