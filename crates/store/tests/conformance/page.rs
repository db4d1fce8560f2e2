//! Pages of the archive.

use rookery_proto::{Uid, Useq};
use rookery_store::{
    ArchiveBounds, ArchiveSize, Flags, Page, PageQuery, Store, StoreError, Timestamp, Window, limits,
};

use crate::common::*;

/// Twenty messages: odd positions with Bob, even ones with account 3; the time is ten times the position.
async fn filled(f: &Fixture) {
    for n in 1..=20 {
        let peer = if n % 2 == 1 { BOB } else { Uid(3) };
        let mut one = message(ALICE, peer, &n.to_string(), n * 10);
        one.pointers[0].peer_resource = Some(if n <= 10 { "old" } else { "new" }.into());
        stored(&f.store, one).await;
    }
}

async fn page(store: &Store, query: PageQuery) -> Page {
    store.page(ALICE, query).await.unwrap().expect("all its ids exist")
}

fn positions(page: &Page) -> Vec<u64> {
    page.entries.iter().map(|entry| entry.useq.0).collect()
}

fn window(window: Window, max: usize) -> PageQuery {
    PageQuery { window, max, ..PageQuery::default() }
}

pub(crate) async fn pages_forward_and_backward(f: Fixture) {
    filled(&f).await;
    let cases: [(Window, usize, std::ops::RangeInclusive<u64>, bool); 8] = [
        (Window::First, 5, 1..=5, false),
        (Window::After(Useq(5)), 5, 6..=10, false),
        (Window::After(Useq(15)), 5, 16..=20, true),
        (Window::Last, 5, 16..=20, false),
        (Window::Before(Useq(16)), 5, 11..=15, false),
        (Window::Before(Useq(6)), 5, 1..=5, true),
        (Window::First, 20, 1..=20, true),
        (Window::Last, 100, 1..=20, true),
    ];
    for (at, max, expected, complete) in cases {
        let page = page(&f.store, window(at, max)).await;
        assert_eq!(positions(&page), expected.clone().collect::<Vec<_>>(), "{at:?}");
        assert_eq!(page.complete, complete, "{at:?}");
        assert_eq!((page.first_index, page.count), (Some(expected.start() - 1), Some(20)), "{at:?}");
    }
}

pub(crate) async fn an_unknown_id_is_not_found(f: Fixture) {
    filled(&f).await;
    f.store.drop_pointers(ALICE, vec![Useq(4)]).await.unwrap();
    for id in [Useq(0), Useq(4), Useq(21), Useq(u64::MAX)] {
        for query in [
            window(Window::After(id), 5),
            window(Window::Before(id), 5),
            PageQuery { after_id: Some(id), max: 5, ..PageQuery::default() },
            PageQuery { before_id: Some(id), max: 5, ..PageQuery::default() },
            PageQuery { ids: vec![Useq(1), id], max: 5, ..PageQuery::default() },
        ] {
            assert_eq!(f.store.page(ALICE, query).await.unwrap(), None, "{id}");
        }
    }
}

pub(crate) async fn only_archived_entries_are_shown(f: Fixture) {
    for n in 1..=6 {
        let mut one = message(ALICE, BOB, &n.to_string(), n);
        if n % 3 == 0 {
            one.flags = Flags::DELIVER;
        }
        stored(&f.store, one).await;
    }
    let all = page(&f.store, window(Window::First, 10)).await;
    assert_eq!(positions(&all), [1, 2, 4, 5]);
    assert_eq!(all.count, Some(4));
    let with = PageQuery { with: Some(address(BOB)), max: 10, ..PageQuery::default() };
    assert_eq!(positions(&page(&f.store, with).await), [1, 2, 4, 5]);
    assert_eq!(f.store.page(ALICE, window(Window::After(Useq(3)), 5)).await.unwrap(), None);
    assert_eq!(log(&f.store, ALICE).await.len(), 6);
}

pub(crate) async fn what_was_said_in_groups_is_there_when_asked_for(f: Fixture) {
    for n in 1..=4 {
        let mut said = message(ALICE, BOB, &n.to_string(), n);
        if n % 2 == 0 {
            said.flags = Flags::ARCHIVE | Flags::GROUP;
        }
        stored(&f.store, said).await;
    }
    let with = || Some(address(BOB));
    let all = PageQuery { with: with(), groups: true, max: 5, ..PageQuery::default() };
    assert_eq!(positions(&page(&f.store, all).await), [1, 2, 3, 4]);
    let some = page(&f.store, PageQuery { with: with(), max: 5, ..PageQuery::default() }).await;
    assert_eq!((positions(&some), some.count), (vec![1, 3], Some(2)));
    let named = PageQuery { ids: vec![Useq(2), Useq(3)], max: 5, ..PageQuery::default() };
    assert_eq!(positions(&page(&f.store, named).await), [3]);
}

pub(crate) async fn conversations_and_resources_are_filtered(f: Fixture) {
    filled(&f).await;
    let with = PageQuery { with: Some(address(BOB)), max: 4, ..PageQuery::default() };
    let first = page(&f.store, with.clone()).await;
    assert_eq!(positions(&first), [1, 3, 5, 7]);
    assert_eq!((first.complete, first.first_index, first.count), (false, Some(0), Some(10)));
    let next = page(&f.store, PageQuery { window: Window::After(Useq(7)), ..with.clone() }).await;
    assert_eq!((positions(&next), next.first_index), (vec![9, 11, 13, 15], Some(4)));
    let full = PageQuery { with_resource: Some("new".into()), window: Window::Last, ..with.clone() };
    let last = page(&f.store, full).await;
    assert_eq!(positions(&last), [13, 15, 17, 19]);
    assert_eq!((last.complete, last.first_index, last.count), (false, Some(1), Some(5)));
    let nobody = PageQuery { with: Some(jid("nobody@example.org")), ..with };
    let none = page(&f.store, nobody).await;
    assert_eq!(
        (positions(&none), none.complete, none.first_index, none.count),
        (vec![], true, None, Some(0))
    );
    let half = PageQuery { with_resource: Some("new".into()), max: 4, ..PageQuery::default() };
    assert_eq!(f.store.page(ALICE, half).await, Err(StoreError::Invalid("with")));
}

pub(crate) async fn times_are_inclusive(f: Fixture) {
    filled(&f).await;
    let between = async |start: Option<i64>, end: Option<i64>| {
        let query = PageQuery {
            start: start.map(Timestamp),
            end: end.map(Timestamp),
            max: 100,
            ..PageQuery::default()
        };
        positions(&page(&f.store, query).await)
    };
    assert_eq!(between(Some(50), Some(70)).await, [5, 6, 7]);
    assert_eq!(between(Some(51), Some(69)).await, [6]);
    assert_eq!(between(Some(51), Some(59)).await, [0; 0]);
    assert_eq!(between(Some(191), None).await, [20]);
    assert_eq!(between(Some(201), None).await, [0; 0]);
    assert_eq!(between(None, Some(9)).await, [0; 0]);
    assert_eq!(between(None, Some(10)).await, [1]);
    assert_eq!(between(Some(i64::MIN), Some(i64::MAX)).await.len(), 20);
    assert_eq!(between(Some(70), Some(50)).await, [0; 0]);
}

pub(crate) async fn ids_are_filtered_and_paged(f: Fixture) {
    filled(&f).await;
    let ids: Vec<Useq> = [9, 1, 4, 9, 7, 20].map(Useq).to_vec();
    let query = PageQuery { ids, max: 2, ..PageQuery::default() };
    let first = page(&f.store, query.clone()).await;
    assert_eq!((positions(&first), first.complete), (vec![1, 4], false));
    assert_eq!((first.first_index, first.count), (Some(0), Some(5)));
    let last = page(&f.store, PageQuery { window: Window::Before(Useq(20)), ..query.clone() }).await;
    assert_eq!((positions(&last), last.complete, last.first_index), (vec![7, 9], false, Some(2)));
    let end = page(&f.store, PageQuery { window: Window::After(Useq(9)), ..query.clone() }).await;
    assert_eq!((positions(&end), end.complete, end.first_index), (vec![20], true, Some(4)));
    let with = PageQuery { with: Some(address(BOB)), after_id: Some(Useq(1)), max: 9, ..query.clone() };
    assert_eq!(positions(&page(&f.store, with).await), [7, 9]);
    let indexed = PageQuery { window: Window::Index(4), ..query.clone() };
    assert_eq!(positions(&page(&f.store, indexed).await), [20]);
    let beyond = PageQuery { window: Window::Index(u64::MAX), ..query };
    assert_eq!(positions(&page(&f.store, beyond).await), [0; 0]);
    let many = PageQuery { ids: vec![Useq(1); limits::PAGE + 1], max: 2, ..PageQuery::default() };
    assert_eq!(f.store.page(ALICE, many).await, Err(StoreError::Limit("ids")));
}

pub(crate) async fn an_index_begins_the_page(f: Fixture) {
    filled(&f).await;
    let query = PageQuery { with: Some(address(BOB)), max: 3, ..PageQuery::default() };
    let middle = page(&f.store, PageQuery { window: Window::Index(2), ..query.clone() }).await;
    assert_eq!((positions(&middle), middle.first_index), (vec![5, 7, 9], Some(2)));
    let beyond = page(&f.store, PageQuery { window: Window::Index(10), ..query }).await;
    assert_eq!((positions(&beyond), beyond.complete, beyond.count), (vec![], true, Some(10)));
}

pub(crate) async fn counts_stop_at_the_limit(f: Fixture) {
    let mut pending = Vec::new();
    for n in 0..limits::COUNT as i64 + 1 {
        pending.push(f.store.append(message(ALICE, BOB, "", n)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    let all = page(&f.store, window(Window::Last, 1)).await;
    assert_eq!((all.count, all.first_index), (None, None));
    f.store.drop_pointers(ALICE, vec![Useq(1)]).await.unwrap();
    let all = page(&f.store, window(Window::Last, 1)).await;
    assert_eq!((all.count, all.first_index), (Some(limits::COUNT), Some(limits::COUNT - 1)));
}

pub(crate) async fn bounds_are_the_ends(f: Fixture) {
    assert_eq!(f.store.archive_bounds(ALICE).await.unwrap(), None);
    filled(&f).await;
    f.store.drop_pointers(ALICE, vec![Useq(1), Useq(20)]).await.unwrap();
    let mut passing = message(ALICE, BOB, "", 500);
    passing.flags = Flags::DELIVER;
    stored(&f.store, passing).await;
    let bounds = ArchiveBounds { first: (Useq(2), Timestamp(20)), last: (Useq(19), Timestamp(190)) };
    assert_eq!(f.store.archive_bounds(ALICE).await.unwrap(), Some(bounds));
}

pub(crate) async fn pages_are_bounded_in_bytes(f: Fixture) {
    let large = "x".repeat(limits::PAGE_BYTES / 2 + 1);
    for n in 1..=5 {
        stored(&f.store, message(ALICE, BOB, &large, n)).await;
    }
    let first = page(&f.store, window(Window::First, 5)).await;
    assert_eq!((positions(&first), first.complete), (vec![1, 2], false));
    let last = page(&f.store, window(Window::Last, 5)).await;
    assert_eq!((positions(&last), last.complete), (vec![4, 5], false));
    let ids = PageQuery { ids: (1..=3).map(Useq).collect(), max: 5, ..PageQuery::default() };
    let named = page(&f.store, ids).await;
    assert_eq!((positions(&named), named.complete), (vec![1, 2], false));
}

pub(crate) async fn an_empty_window_tells_the_count(f: Fixture) {
    let empty = page(&f.store, window(Window::First, 0)).await;
    assert_eq!((empty.entries.len(), empty.complete, empty.count), (0, true, Some(0)));
    filled(&f).await;
    let count = page(&f.store, window(Window::First, 0)).await;
    assert_eq!((count.entries.len(), count.complete, count.count), (0, false, Some(20)));
}

pub(crate) async fn the_size_is_counted_in_slices(f: Fixture) {
    assert_eq!(f.store.archive_size(ALICE, Useq(0)).await.unwrap(), ArchiveSize::default());
    for _ in 0..limits::SIZE_SLICE {
        stored(&f.store, message(ALICE, BOB, "four", 0)).await;
    }
    let mut passing = message(ALICE, BOB, "not counted", 0);
    passing.flags = Flags::DELIVER;
    stored(&f.store, passing).await;
    let first = f.store.archive_size(ALICE, Useq(0)).await.unwrap();
    let all = limits::SIZE_SLICE as u64;
    assert_eq!(first, ArchiveSize { entries: all, bytes: 4 * all, next: Some(Useq(all)) });
    assert_eq!(f.store.archive_size(ALICE, Useq(all)).await.unwrap(), ArchiveSize::default());
}

pub(crate) async fn conversations_are_walked(f: Fixture) {
    filled(&f).await;
    let mut passing = message(ALICE, Uid(4), "not archived", 300);
    passing.flags = Flags::DELIVER;
    stored(&f.store, passing).await;
    let all = f.store.peers(ALICE, None, 10).await.unwrap();
    assert_eq!(all, [address(BOB), address(Uid(3))]);
    assert_eq!(f.store.peers(ALICE, None, 1).await.unwrap(), all[..1]);
    assert_eq!(f.store.peers(ALICE, Some(all[0].clone()), 10).await.unwrap(), all[1..]);
    assert!(f.store.peers(Uid(9), None, 10).await.unwrap().is_empty());
    let bodies = async |peer: &_, after, limit| {
        let entries = f.store.events_with(ALICE, peer, Useq(after), limit).await.unwrap();
        entries.iter().map(|entry| entry.useq.0).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&all[0], 0, 3).await, [1, 3, 5]);
    assert_eq!(bodies(&all[0], 15, 9).await, [17, 19]);
    assert_eq!(bodies(&address(Uid(4)), 0, 9).await, [0; 0]);
}
