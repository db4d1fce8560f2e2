//! Resumable streams.

use bytes::Bytes;
use rookery_store::{Append, StoreError, StreamId, limits};

use crate::common::*;

const STREAM: StreamId = StreamId([7; 16]);

pub(crate) async fn a_stream_counts(mut f: Fixture) {
    assert_eq!(f.store.stream(STREAM).await.unwrap(), None);
    f.store.open_stream(STREAM, ALICE).await.unwrap();
    assert_eq!(f.store.stream(STREAM).await.unwrap(), Some((ALICE, 0)));
    for handled in [1 << 30, 1 << 31, 3 << 30, u32::MAX, u32::MAX - 7] {
        f.store.set_handled(STREAM, handled).await.unwrap();
    }
    f.reopen().await;
    assert_eq!(f.store.stream(STREAM).await.unwrap(), Some((ALICE, u32::MAX)), "it never goes back");
    f.store.set_handled(STREAM, 0).await.unwrap();
    assert_eq!(f.store.stream(STREAM).await.unwrap(), Some((ALICE, 0)), "it counts modulo 2^32");
    f.store.close_stream(STREAM).await.unwrap();
    f.store.set_handled(STREAM, 5).await.unwrap();
    assert_eq!(f.store.stream(STREAM).await.unwrap(), None);
}

pub(crate) async fn a_write_notes_what_was_handled(f: Fixture) {
    f.store.open_stream(STREAM, ALICE).await.unwrap();
    let mut pending = Vec::new();
    for n in 1..=300 {
        let store = f.store.handling(STREAM, n);
        pending.push(store.append(message(ALICE, BOB, "", 1)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    assert_eq!(f.store.stream(STREAM).await.unwrap(), Some((ALICE, 300)));
    f.store.handling(STREAM, 301).block(ALICE, vec!["spam.example".into()]).await.unwrap();
    assert_eq!(f.store.stream(STREAM).await.unwrap(), Some((ALICE, 301)));
}

pub(crate) async fn a_failed_write_notes_nothing(f: Fixture) {
    f.store.open_stream(STREAM, ALICE).await.unwrap();
    let mut refused: Append = message(ALICE, BOB, "", 1);
    refused.stanza = Bytes::new();
    refused.pointers = (0..=limits::POINTERS).map(|_| refused.pointers[0].clone()).collect();
    let answer = append(&f.store.handling(STREAM, 9), refused).await;
    assert!(matches!(answer, Err(StoreError::Limit(_))));
    assert_eq!(f.store.stream(STREAM).await.unwrap(), Some((ALICE, 0)));
}

pub(crate) async fn dead_streams_do_not_add_up(f: Fixture) {
    let id = |n: usize| StreamId([n as u8; 16]);
    f.store.open_stream(StreamId([255; 16]), BOB).await.unwrap();
    for n in 0..limits::STREAMS + 2 {
        f.store.open_stream(id(n), ALICE).await.unwrap();
    }
    assert_eq!(f.store.stream(id(1)).await.unwrap(), None);
    assert_eq!(f.store.stream(id(2)).await.unwrap(), Some((ALICE, 0)));
    assert_eq!(f.store.stream(id(limits::STREAMS + 1)).await.unwrap(), Some((ALICE, 0)));
    assert_eq!(f.store.stream(StreamId([255; 16])).await.unwrap(), Some((BOB, 0)));
}
