//! What one chat message costs: found and checked in the stream, and written again with another `from`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rookery_proto::stanza::{Edit, Stanza, write_with};
use rookery_proto::xml::{Item, Limits, Scanner, frame};

const HEADER: &[u8] =
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.org'>";

/// 319 bytes, as a client of today sends it.
const MESSAGE: &[u8] =
    b"<message to='10002@example.org' type='chat' id='c3a2c6a6-7d0f-4e6a-9b25-1f0a6a54c7b1'>\
<body>Shall we meet at six? I am here from half past five on</body>\
<origin-id xmlns='urn:xmpp:sid:0' id='c3a2c6a6-7d0f-4e6a-9b25-1f0a6a54c7b1'/>\
<request xmlns='urn:xmpp:receipts'/><markable xmlns='urn:xmpp:chat-markers:0'/></message>";

fn opened() -> Scanner {
    let mut scanner = Scanner::new(Limits::authenticated());
    scanner.feed(&mut &*HEADER).expect("a good header");
    scanner
}

fn next(scanner: &mut Scanner, mut bytes: &[u8]) -> Stanza {
    match scanner.feed(&mut bytes) {
        Ok(Some(Item::Stanza(stanza))) => stanza,
        other => panic!("{other:?}"),
    }
}

fn scanner(c: &mut Criterion) {
    assert_eq!(MESSAGE.len(), 319);
    let mut group = c.benchmark_group("message of 319 bytes");
    group.throughput(Throughput::Bytes(MESSAGE.len() as u64));
    let mut scanner = opened();
    let from = Edit { set: &[("from", "10001@example.org/phone")], ..Edit::default() };

    group.bench_function("scan", |b| b.iter(|| next(&mut scanner, black_box(MESSAGE))));
    group.bench_function("scan and render with from", |b| {
        b.iter(|| next(&mut scanner, black_box(MESSAGE)).render(&from));
    });
    group.bench_function("scan in two portions", |b| {
        b.iter(|| {
            assert!(matches!(scanner.feed(&mut black_box(&MESSAGE[..200])), Ok(None)));
            next(&mut scanner, black_box(&MESSAGE[200..]))
        });
    });
    let framed = Stanza::parse(MESSAGE).expect("good").render(&Edit { xmlns: true, ..Edit::default() });
    let limits = Limits::authenticated();
    group.bench_function("scan a frame", |b| b.iter(|| frame(black_box(&framed), &limits)));
    group.bench_function("forward stored bytes", |b| {
        b.iter(|| {
            let mut out = Vec::new();
            write_with(black_box(MESSAGE), true, b"", &mut out).map(|()| out)
        });
    });
    group.finish();
}

criterion_group!(benches, scanner);
criterion_main!(benches);
