//! The full-text search: what is found, in which order, and what becomes of a broken index.

use bytes::Bytes;
use rookery_proto::{Uid, Useq};
use rookery_store::{Append, Flags, Origin, PageQuery, Store, Window, limits};

use crate::common::*;

const CAROL: Uid = Uid(3);

fn said(from: Uid, to: Uid, text: &str, at: i64) -> Append {
    let stanza = format!("<message><body>{text}</body></message>").into();
    Append { stanza, ..message(from, to, "", at) }
}

/// The positions that are found in a log.
async fn found(store: &Store, uid: Uid, text: &str) -> Vec<u64> {
    let query = PageQuery { text: Some(text.into()), max: 256, ..PageQuery::default() };
    let page = store.page(uid, query).await.expect("it is searched").expect("no ids are named");
    page.entries.iter().map(|entry| entry.useq.0).collect()
}

pub(crate) async fn words_of_all_scripts_are_found(f: Fixture) {
    let texts = [
        "The quick brown fox",
        "我在东京大学学习日本語",
        "今日は天気がいいですね",
        "서울에서 한국어를 배워요",
        "party 🎉 tonight 👍🏽",
        "مرحبا بالعالم",
        "שלום עולם",
        "Crème brûlée",
        "สวัสดีครับ",
    ];
    for (n, text) in (1..).zip(texts) {
        stored(&f.store, said(ALICE, BOB, text, n)).await;
    }
    let all: Vec<u64> = (1..=texts.len() as u64).collect();
    for (typed, expected) in [
        ("QUICK", &[1][..]),
        ("bro qui", &[1]),
        ("东京", &[2]),
        ("京东", &[]),
        ("大学 日本", &[2]),
        ("天気", &[3]),
        ("です", &[3]),
        ("서울", &[4]),
        ("국어", &[4]),
        ("🎉", &[5]),
        ("👍", &[5]),
        ("بالعالم", &[6]),
        ("עולם", &[7]),
        ("creme BRULEE", &[8]),
        ("สวัส", &[9]),
        ("body", &[]),
        ("\"brown quick\"", &[]),
        ("", &[]),
    ] {
        assert_eq!(found(&f.store, BOB, typed).await, expected, "{typed}");
        assert_eq!(found(&f.store, ALICE, typed).await, expected, "{typed}");
    }
    // The ends of the page are those of all that is found, and the rest of the form counts too.
    let query =
        PageQuery { text: Some("t*".into()), with: Some(address(CAROL)), max: 9, ..PageQuery::default() };
    assert_eq!(f.store.page(BOB, query).await.unwrap().unwrap().count, Some(0));
    let query = PageQuery { max: 99, ..PageQuery::default() };
    let whole = f.store.page(BOB, query).await.unwrap().unwrap();
    assert_eq!(whole.entries.iter().map(|entry| entry.useq.0).collect::<Vec<_>>(), all);
}

pub(crate) async fn only_the_owner_finds_it(f: Fixture) {
    stored(&f.store, said(ALICE, BOB, "a secret", 1)).await;
    stored(&f.store, said(ALICE, CAROL, "another secret", 2)).await;
    assert_eq!(found(&f.store, ALICE, "secret").await, [1, 2]);
    assert_eq!(found(&f.store, BOB, "secret").await, [1]);
    assert_eq!(found(&f.store, CAROL, "secret").await, [1]);
    assert_eq!(found(&f.store, Uid(9), "secret").await, []);
    f.store.drop_pointers(BOB, vec![Useq(1)]).await.unwrap();
    assert_eq!(found(&f.store, BOB, "secret").await, []);
    assert_eq!(found(&f.store, ALICE, "secret").await, [1, 2]);
}

pub(crate) async fn what_is_not_there_is_not_found(f: Fixture) {
    let origin = Origin { sender: ALICE, peer: address(BOB), id: "1".into(), dedup: false };
    stored(&f.store, Append { origin: Some(origin.clone()), ..said(ALICE, BOB, "regrettable", 1) }).await;
    assert_eq!(found(&f.store, BOB, "regrettable").await, [1]);
    f.store.retract(origin, Bytes::from_static(b"<message><body>gone</body></message>")).await.unwrap();
    assert_eq!(found(&f.store, BOB, "regrettable").await, []);
    assert_eq!(found(&f.store, BOB, "gone").await, [], "nor what stands in its place");
    for flags in [Flags::DELIVER, Flags::ARCHIVE | Flags::ENCRYPTED] {
        stored(&f.store, Append { flags, ..said(ALICE, BOB, "hidden", 2) }).await;
    }
    assert_eq!(found(&f.store, BOB, "hidden").await, []);
}

pub(crate) async fn a_number_is_not_given_again(mut f: Fixture) {
    stored(&f.store, said(ALICE, BOB, "first", 1)).await;
    assert_eq!(found(&f.store, BOB, "first").await, [1]);
    for uid in [ALICE, BOB] {
        f.store.drop_pointers(uid, vec![Useq(1)]).await.unwrap();
    }
    f.reopen().await;
    stored(&f.store, said(ALICE, BOB, "second", 2)).await;
    assert_eq!(found(&f.store, BOB, "second").await, [2]);
    assert_eq!(found(&f.store, BOB, "first").await, []);
    let entry = f.store.events_after(BOB, Useq(0), 1).await.unwrap().remove(0);
    assert_eq!(entry.message.0, 2);
}

pub(crate) async fn much_is_found_page_by_page(f: Fixture) {
    let all = limits::SEARCH_SCAN as u64 + 300;
    let mut pending = Vec::new();
    for n in 1..=all {
        pending.push(f.store.append(said(ALICE, BOB, "the same", n as i64)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    while f.store.index().await.unwrap().more {}
    let page = async |window| {
        let query = PageQuery { text: Some("same".into()), window, max: 200, ..PageQuery::default() };
        let page = f.store.page(BOB, query).await.unwrap().unwrap();
        assert_eq!((page.count, page.first_index), (None, None), "so much is not counted");
        let useqs: Vec<u64> = page.entries.iter().map(|entry| entry.useq.0).collect();
        (useqs, page.complete)
    };
    let mut seen = Vec::new();
    let mut window = Window::First;
    loop {
        let (useqs, complete) = page(window).await;
        window = Window::After(Useq(*useqs.last().unwrap()));
        seen.extend(useqs);
        if complete {
            break;
        }
    }
    assert_eq!(seen, (1..=all).collect::<Vec<_>>());
    let mut seen = Vec::new();
    let mut window = Window::Last;
    loop {
        let (useqs, complete) = page(window).await;
        window = Window::Before(Useq(useqs[0]));
        seen.splice(0..0, useqs);
        if complete {
            break;
        }
    }
    assert_eq!(seen, (1..=all).collect::<Vec<_>>());
    assert_eq!(page(Window::Index(7)).await.0[0], 8);
}

pub(crate) async fn a_long_search_is_refused(f: Fixture) {
    let query = |text: String| PageQuery { text: Some(text.into()), max: 1, ..PageQuery::default() };
    for text in ["字".repeat(limits::TYPED_WORDS + 1), "x".repeat(limits::TYPED_BYTES + 1)] {
        let answer = f.store.page(BOB, query(text)).await;
        assert_eq!(answer, Err(rookery_store::StoreError::Limit("words in one search")));
    }
    let end = "字".repeat(limits::TEXT_INDEXED) + " the end";
    stored(&f.store, said(ALICE, BOB, &end, 1)).await;
    assert_eq!(found(&f.store, BOB, "字字字").await, [1]);
    assert_eq!(found(&f.store, BOB, "end").await, [], "only so much of a text is indexed");
}

pub(crate) async fn a_broken_index_is_made_again(mut f: Fixture) {
    for n in 1..=3 {
        stored(&f.store, said(ALICE, BOB, &format!("word{n} all"), n)).await;
    }
    assert_eq!(found(&f.store, BOB, "all").await, [1, 2, 3]);
    let file = f.options.path.with_extension("search.db");
    // Thrown away, while it is used and while it is not.
    f.store.drop_index().await.unwrap();
    assert!(!file.exists());
    assert_eq!(found(&f.store, BOB, "all").await, [1, 2, 3]);
    // No database at all; one of another kind; one that is cut.
    let strange: [&dyn Fn(); 3] = [
        &|| std::fs::write(&file, "no database, but long enough to look at ".repeat(200)).unwrap(),
        &|| {
            std::fs::remove_file(&file).unwrap();
            let conn = rusqlite::Connection::open(&file).unwrap();
            conn.execute_batch("CREATE TABLE text (a); PRAGMA user_version = 1").unwrap();
        },
        &|| {
            let half = std::fs::metadata(&file).unwrap().len() / 2;
            std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(half).unwrap();
        },
    ];
    for damage in strange {
        f.store.close().await.unwrap();
        damage();
        f.reopen_closed().await;
        let mut all = Vec::new();
        // The search that meets the damage may fail; the next does not.
        for _ in 0..3 {
            let query = PageQuery { text: Some("all".into()), max: 9, ..PageQuery::default() };
            if let Ok(page) = f.store.page(BOB, query).await {
                all = page.unwrap().entries;
            }
        }
        assert_eq!(all.len(), 3);
    }
}

pub(crate) async fn an_index_of_another_store_is_not_used(mut f: Fixture) {
    for n in 1..=3 {
        stored(&f.store, said(ALICE, BOB, "before", n)).await;
    }
    assert_eq!(found(&f.store, BOB, "before").await.len(), 3);
    f.store.close().await.unwrap();
    // As when an older backup takes the store's place.
    for suffix in ["", "-wal", "-shm"] {
        let mut path = f.options.path.clone().into_os_string();
        path.push(suffix);
        std::fs::remove_file(path).ok();
    }
    f.reopen_closed().await;
    for n in 1..=4 {
        stored(&f.store, said(ALICE, BOB, "after", 10 + n)).await;
    }
    assert_eq!(found(&f.store, BOB, "before").await, []);
    assert_eq!(found(&f.store, BOB, "after").await, [1, 2, 3, 4]);
}

pub(crate) async fn the_index_tells_how_far_it_is(f: Fixture) {
    let all = limits::INDEX_BATCH as u64 + 10;
    let mut pending = Vec::new();
    for n in 1..=all {
        pending.push(f.store.append(said(ALICE, BOB, "x", n as i64)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    let first = f.store.index().await.unwrap();
    assert_eq!((first.done, first.total, first.more), (limits::INDEX_BATCH as u64, all, true));
    assert_eq!(f.store.index_lag(), 10);
    let second = f.store.index().await.unwrap();
    assert_eq!((second.done, second.more), (all, false));
    assert_eq!(f.store.index_lag(), 0);
}
