//! What a note in the restart journal costs before a push goes out.

use criterion::{Criterion, criterion_group, criterion_main};
use rookery_proto::Useq;
use rookery_store::StreamId;
use rookery_store::journal::{Journal, Sent};

/// Streams that are noted in turn.
const STREAMS: u64 = 10_000;

fn benches(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (journal, _) = Journal::open(dir.path()).expect("a fresh journal opens");
    let id = |n: u64| StreamId((u128::from(n) << 64 | u128::from(n)).to_le_bytes());
    for n in 0..STREAMS {
        journal.snapshot(id(n), Useq(0), &[0; 300]);
    }
    let mut count = 0_u64;
    criterion.bench_function("journal/a push and its acknowledgement", |bencher| {
        bencher.iter(|| {
            count += 1;
            let (stream, number) = (id(count % STREAMS), (count / STREAMS) as u32 + 1);
            journal.sent(stream, number, Useq(count), &[Sent::Log(Useq(count))]);
            journal.acked(stream, number);
        });
    });
}

criterion_group!(journal_benches, benches);
criterion_main!(journal_benches);
