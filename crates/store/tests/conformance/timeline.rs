//! The log: positions, bodies, doorbell, deduplication, retraction.

use bytes::Bytes;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Appended, Direction, Displayed, Entry, Flags, MessageId, Origin, Pointer, Sought, StoreError,
    Timestamp, Upto, limits,
};
use smallvec::smallvec;

use crate::common::*;

pub(crate) async fn positions_are_gapless_and_survive_reopening(mut f: Fixture) {
    for n in 1..=5 {
        assert_eq!(stored(&f.store, message(ALICE, BOB, &n.to_string(), n as i64)).await, [n, n]);
    }
    f.reopen().await;
    assert_eq!(stored(&f.store, message(BOB, ALICE, "6", 6)).await, [6, 6]);
    let expected: Vec<_> = (1..=6).map(|n| (n, n.to_string())).collect();
    assert_eq!(log(&f.store, ALICE).await, expected);
    assert_eq!(log(&f.store, BOB).await, expected);
    assert_eq!(f.store.head(ALICE).await.unwrap().head, Useq(6));
}

pub(crate) async fn both_sides_point_to_one_body(f: Fixture) {
    stored(&f.store, message(ALICE, BOB, "hello", 1)).await;
    let out = f.store.events_after(ALICE, Useq(0), 9).await.unwrap().remove(0);
    let inn = f.store.events_after(BOB, Useq(0), 9).await.unwrap().remove(0);
    assert_eq!(out.message, inn.message);
    assert_eq!((out.direction, inn.direction), (Direction::Out, Direction::In));
    assert_eq!((out.peer, inn.peer), (address(BOB), address(ALICE)));
}

pub(crate) async fn a_message_to_oneself_takes_two_positions(f: Fixture) {
    assert_eq!(stored(&f.store, message(ALICE, ALICE, "note", 1)).await, [1, 2]);
    assert_eq!(stored(&f.store, message(ALICE, BOB, "next", 2)).await, [3, 1]);
}

pub(crate) async fn the_doorbell_rings_in_commit_order(f: Fixture) {
    let mut pending = Vec::new();
    for n in 0..500 {
        let (from, to) = if n % 2 == 0 { (ALICE, BOB) } else { (BOB, ALICE) };
        pending.push(f.store.append(message(from, to, &n.to_string(), n)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    // The last answers precede the last doorbells: closing is the barrier.
    f.store.close().await.unwrap();
    let rung = f.rung.lock();
    for uid in [ALICE, BOB] {
        let useqs: Vec<u64> =
            rung.iter().filter(|(whose, _)| *whose == uid).map(|(_, entry)| entry.useq.0).collect();
        assert_eq!(useqs, (1..=500).collect::<Vec<_>>());
    }
    let bodies: Vec<String> = rung.iter().map(|(_, entry)| body(entry)).collect();
    let expected: Vec<String> = (0..500).flat_map(|n| [n.to_string(), n.to_string()]).collect();
    assert_eq!(bodies, expected);
}

pub(crate) async fn an_origin_id_is_stored_once(f: Fixture) {
    assert_eq!(stored(&f.store, named(ALICE, BOB, "a", 1)).await, [1, 1]);
    assert_eq!(append(&f.store, named(ALICE, BOB, "a", 2)).await.unwrap(), Appended::Duplicate);
    // Of another conversation, or another sender, it is another message.
    assert_eq!(stored(&f.store, named(ALICE, Uid(3), "a", 3)).await, [2, 1]);
    assert_eq!(stored(&f.store, named(BOB, ALICE, "a", 4)).await, [2, 3]);
    // The window is bounded.
    let later = 1 + limits::DEDUP_WINDOW_MS;
    assert_eq!(append(&f.store, named(ALICE, BOB, "a", later - 1)).await.unwrap(), Appended::Duplicate);
    assert_eq!(stored(&f.store, named(ALICE, BOB, "a", later)).await, [4, 3]);
}

pub(crate) async fn an_id_that_is_no_origin_id_may_repeat(f: Fixture) {
    for n in 1..=2 {
        let mut plain = named(ALICE, BOB, "1", n);
        plain.origin.as_mut().unwrap().dedup = false;
        assert_eq!(stored(&f.store, plain).await, [n as u64, n as u64]);
    }
}

pub(crate) async fn time_never_goes_back_along_a_log(f: Fixture) {
    let hour = limits::CLOCK_SKEW_MS;
    for at in [2 * hour, 2 * hour - 1, hour, hour - 1, 1_000] {
        stored(&f.store, message(ALICE, BOB, "", at)).await;
    }
    let entries = f.store.events_after(ALICE, Useq(0), 9).await.unwrap();
    let times: Vec<i64> = entries.iter().map(|entry| entry.at.0).collect();
    // A clock that was wrong by more than an hour is not followed.
    assert_eq!(times, [2 * hour, 2 * hour, 2 * hour, hour - 1, hour - 1]);
}

pub(crate) async fn a_dropped_row_does_not_hold_the_time(f: Fixture) {
    stored(&f.store, message(ALICE, BOB, "1", 1_000)).await;
    stored(&f.store, message(ALICE, BOB, "2", 2_000)).await;
    f.store.drop_pointers(ALICE, vec![Useq(2)]).await.unwrap();
    stored(&f.store, message(ALICE, BOB, "3", 1_500)).await;
    let times = async |uid| {
        let entries = f.store.events_after(uid, Useq(0), 9).await.unwrap();
        entries.iter().map(|entry| entry.at.0).collect::<Vec<_>>()
    };
    // Remembered or read again, the last row of each log decides.
    assert_eq!(times(ALICE).await, [1_000, 1_500]);
    assert_eq!(times(BOB).await, [1_000, 2_000, 2_000]);
}

pub(crate) async fn delivered_never_lowers(f: Fixture) {
    for n in 1..=5 {
        stored(&f.store, message(ALICE, BOB, "", n)).await;
    }
    let delivered = async || f.store.head(BOB).await.unwrap().delivered.0;
    f.store.set_delivered(vec![(BOB, Useq(3))]).await.unwrap();
    f.store.set_delivered(vec![(BOB, Useq(2)), (Uid(99), Useq(1))]).await.unwrap();
    assert_eq!(delivered().await, 3);
    f.store.set_delivered(vec![(BOB, Useq(u64::MAX))]).await.unwrap();
    assert_eq!(delivered().await, 5, "what was not given yet reached nobody");
    assert_eq!(f.store.head(ALICE).await.unwrap().delivered, Useq(0));
    assert_eq!(f.store.head(Uid(99)).await.unwrap().delivered, Useq(0));
}

pub(crate) async fn what_is_owed_is_kept_until_it_is_settled(mut f: Fixture) {
    for (n, resource) in (1..).zip([Some("phone"), None, Some("laptop"), Some("phone"), Some("phone")]) {
        let mut one = message(ALICE, BOB, &n.to_string(), n);
        one.flags = if n == 5 { Flags::ARCHIVE } else { Flags::DELIVER };
        one.pointers[1].resource = resource.map(Into::into);
        stored(&f.store, one).await;
    }
    let addressed = async |f: &Fixture, after, upto| {
        f.store.addressed(BOB, "phone".into(), Useq(after), Useq(upto)).await.unwrap()
    };
    assert_eq!(addressed(&f, 0, 9).await, [Useq(1), Useq(4)], "the fifth is for nobody");
    assert_eq!(addressed(&f, 1, 3).await, []);
    f.store.owe(BOB, vec![Useq(1), Useq(4), Useq(77)]).await.unwrap();
    assert_eq!(addressed(&f, 0, 9).await, []);
    f.reopen().await;
    let owed = async |f: &Fixture, after, limit| {
        let entries = f.store.owed(BOB, Useq(after), limit).await.unwrap();
        assert!(entries.iter().all(|entry| entry.flags.has(Flags::OWED | Flags::DELIVER)));
        entries.iter().map(|entry| entry.useq.0).collect::<Vec<_>>()
    };
    assert_eq!(
        (owed(&f, 0, 9).await, owed(&f, 1, 9).await, owed(&f, 0, 1).await),
        (vec![1, 4], vec![4], vec![1])
    );
    assert_eq!(f.store.owed(ALICE, Useq(0), 9).await.unwrap(), []);
    let count = async |f: &Fixture| f.store.owed_count(BOB).await.unwrap();
    assert_eq!((count(&f).await, f.store.owed_count(ALICE).await.unwrap()), (2, 0));
    f.store.settle(BOB, vec![Useq(1), Useq(2)]).await.unwrap();
    assert_eq!((owed(&f, 0, 9).await, count(&f).await), (vec![4], 1));
    let too_many = vec![Useq(1); limits::OWED + 1];
    assert_eq!(f.store.owe(BOB, too_many).await, Err(StoreError::Limit("entries")));
}

pub(crate) async fn a_dropped_position_is_not_given_again(mut f: Fixture) {
    for n in 1..=3 {
        stored(&f.store, message(ALICE, BOB, &n.to_string(), n)).await;
    }
    assert_eq!(f.store.drop_pointers(ALICE, vec![Useq(2), Useq(3), Useq(3), Useq(9)]).await.unwrap(), 2);
    assert_eq!(log(&f.store, ALICE).await, [(1, "1".into())]);
    assert_eq!(log(&f.store, BOB).await.len(), 3, "the other copy stays");
    f.reopen().await;
    assert_eq!(f.store.head(ALICE).await.unwrap().head, Useq(3));
    assert_eq!(stored(&f.store, message(ALICE, BOB, "4", 4)).await, [4, 4]);
}

pub(crate) async fn a_retraction_empties_the_body_in_all_logs(f: Fixture) {
    stored(&f.store, named(ALICE, BOB, "a", 1)).await;
    stored(&f.store, named(ALICE, BOB, "b", 2)).await;
    let origin = Origin { sender: ALICE, peer: address(BOB), id: "a".into(), dedup: true };
    assert!(f.store.retract(origin, Bytes::from_static(b"gone")).await.unwrap());
    for uid in [ALICE, BOB] {
        assert_eq!(log(&f.store, uid).await, [(1, "gone".into()), (2, "b".into())]);
        let entries = f.store.events_after(uid, Useq(0), 9).await.unwrap();
        let retracted: Vec<bool> = entries.iter().map(|entry| entry.flags.has(Flags::RETRACTED)).collect();
        assert_eq!(retracted, [true, false]);
    }
    assert_eq!(append(&f.store, named(ALICE, BOB, "a", 3)).await.unwrap(), Appended::Duplicate);
}

pub(crate) async fn only_the_sender_retracts(f: Fixture) {
    stored(&f.store, named(ALICE, BOB, "a", 1)).await;
    let others = [(BOB, ALICE, "a"), (BOB, BOB, "a"), (ALICE, Uid(3), "a"), (ALICE, BOB, "b")];
    for (sender, peer, id) in others {
        let origin = Origin { sender, peer: address(peer), id: id.into(), dedup: true };
        assert!(!f.store.retract(origin, Bytes::new()).await.unwrap());
    }
    assert_eq!(log(&f.store, BOB).await, [(1, "a".into())]);
}

pub(crate) async fn events_follow_a_position(f: Fixture) {
    for n in 1..=10 {
        stored(&f.store, message(ALICE, BOB, &n.to_string(), n)).await;
    }
    f.store.drop_pointers(BOB, vec![Useq(6)]).await.unwrap();
    let after = async |useq, limit| -> Vec<u64> {
        let entries = f.store.events_after(BOB, Useq(useq), limit).await.unwrap();
        entries.iter().map(|entry| entry.useq.0).collect()
    };
    assert_eq!(after(4, 3).await, [5, 7, 8]);
    assert_eq!(after(9, 3).await, [10]);
    assert_eq!(after(10, 3).await, [0; 0]);
    assert_eq!(after(u64::MAX, 3).await, [0; 0]);
    assert_eq!(after(0, 0).await, [0; 0]);
}

pub(crate) async fn events_are_bounded_in_bytes(f: Fixture) {
    let large = "x".repeat(limits::PAGE_BYTES / 2 + 1);
    for n in 1..=5 {
        stored(&f.store, message(ALICE, BOB, &large, n)).await;
    }
    assert_eq!(f.store.events_after(BOB, Useq(0), 5).await.unwrap().len(), 2);
}

pub(crate) async fn too_many_pointers_are_refused(f: Fixture) {
    let mut all = message(ALICE, BOB, "", 1);
    all.pointers = (0..limits::POINTERS as u64)
        .map(|n| pointer(Uid(1_000 - n), address(ALICE), Direction::In))
        .collect();
    assert_eq!(stored(&f.store, all.clone()).await, [1; limits::POINTERS]);
    all.pointers.push(pointer(Uid(2_000), address(ALICE), Direction::In));
    assert!(matches!(append(&f.store, all).await, Err(StoreError::Limit(_))));
    assert_eq!(log(&f.store, Uid(1_000)).await.len(), 1);
}

pub(crate) async fn all_fields_survive(f: Fixture) {
    let pointer = Pointer {
        uid: BOB,
        peer: jid("жанна@пример.рф"),
        peer_resource: Some("телефон".into()),
        direction: Direction::In,
        resource: Some("".into()),
        flags: Flags::COPY | Flags::CHAT,
    };
    let what = Append {
        stanza: Bytes::from_static(b"<message>\0\xff</message>"),
        at: Timestamp(-5),
        flags: Flags::ENCRYPTED,
        pointers: smallvec![pointer],
        origin: None,
    };
    stored(&f.store, what).await;
    let expected = Entry {
        useq: Useq(1),
        message: MessageId(1),
        peer: jid("жанна@пример.рф"),
        peer_resource: Some("телефон".into()),
        direction: Direction::In,
        resource: Some("".into()),
        at: Timestamp(0),
        flags: Flags::COPY | Flags::CHAT | Flags::ENCRYPTED,
        stanza: Bytes::from_static(b"<message>\0\xff</message>"),
    };
    assert_eq!(f.store.events_after(BOB, Useq(0), 1).await.unwrap(), std::slice::from_ref(&expected));
    f.store.close().await.unwrap();
    assert_eq!(*f.rung.lock()[0].1, expected, "the doorbell tells the same");
}

pub(crate) async fn nothing_enters_a_deleted_log(f: Fixture) {
    let made = f.store.create_account(account(None)).await.unwrap();
    stored(&f.store, message(ALICE, made.uid, "1", 1)).await;
    f.store.delete_account(made.uid).await.unwrap();
    let refused = append(&f.store, message(ALICE, made.uid, "2", 2)).await;
    assert_eq!(refused, Err(StoreError::NotFound));
    assert_eq!(log(&f.store, made.uid).await, []);
    assert_eq!(log(&f.store, ALICE).await, [(1, "1".into())], "and no other log of the same append");
    assert_eq!(stored(&f.store, message(ALICE, BOB, "3", 3)).await, [2, 1]);
}

pub(crate) async fn a_message_is_traced_through_all_logs(mut f: Fixture) {
    let named = |n: i64, id: &str| {
        let origin = Origin { sender: ALICE, peer: address(BOB), id: id.into(), dedup: false };
        Append { origin: Some(origin), ..message(ALICE, BOB, id, n) }
    };
    stored(&f.store, named(1, "one")).await;
    let useqs = stored(&f.store, named(2, "two")).await;
    let three = message(BOB, ALICE, "three", 3);
    stored(&f.store, Append { flags: three.flags | Flags::INSTANT, ..three }).await;
    // A marker is no message that anybody asks for.
    stored(&f.store, message(ALICE, BOB, "read", 4)).await;
    f.reopen().await;
    let two = Sought::Named { to: address(BOB), id: "two".into() };
    let trace = f.store.trace(ALICE, two).await.unwrap().unwrap();
    assert_eq!((trace.at, trace.bytes, trace.retracted), (Timestamp(2), 3, false));
    let tracks: Vec<_> =
        trace.tracks.iter().map(|track| (track.uid, track.useq.0, track.direction)).collect();
    assert_eq!(tracks, [(ALICE, useqs[0], Direction::Out), (BOB, useqs[1], Direction::In)]);
    assert!(trace.tracks.iter().all(|track| !track.displayed));
    // From the other side by its place.
    let read = Displayed { uid: BOB, peer: address(ALICE), upto: Upto::Entry(Useq(useqs[1])) };
    f.store.set_displayed(read).await.unwrap();
    let again = f.store.trace(BOB, Sought::Entry(Useq(useqs[1]))).await.unwrap().unwrap();
    assert_eq!(again.message, trace.message);
    assert_eq!(again.tracks.iter().map(|track| track.displayed).collect::<Vec<_>>(), [false, true]);
    let newest = f.store.trace(BOB, Sought::Newest(address(ALICE))).await.unwrap().unwrap();
    assert_eq!(newest.at, Timestamp(3));
    assert_eq!(f.store.trace(BOB, Sought::Entry(Useq(99))).await.unwrap(), None);
    let nothing = Sought::Named { to: address(BOB), id: "four".into() };
    assert_eq!(f.store.trace(ALICE, nothing).await.unwrap(), None);
}
