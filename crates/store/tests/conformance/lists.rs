//! Blocked addresses and preferences.

use rookery_proto::Uid;
use rookery_store::{
    Announcement, ArchiveDefault, ArchivePrefs, Notice, NoticeKind, StoreError, Timestamp, limits,
};

use crate::common::*;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) async fn blocks_are_a_set(mut f: Fixture) {
    let block = async |list: &[&str]| f.store.block(ALICE, texts(list)).await.unwrap();
    assert_eq!(block(&["b.example", "x@a.example/r", "b.example"]).await, ["b.example", "x@a.example/r"]);
    assert_eq!(block(&["b.example", "c.example"]).await, ["c.example"]);
    f.reopen().await;
    assert_eq!(f.store.blocklist(ALICE).await.unwrap(), ["b.example", "c.example", "x@a.example/r"]);
    assert_eq!(f.store.blocklist(BOB).await.unwrap(), [""; 0]);
    let unblocked = f.store.unblock(ALICE, texts(&["c.example", "d.example"])).await.unwrap();
    assert_eq!(unblocked, ["c.example"]);
    assert_eq!(f.store.unblock_all(ALICE).await.unwrap(), ["b.example", "x@a.example/r"]);
    assert_eq!(f.store.blocklist(ALICE).await.unwrap(), [""; 0]);
}

pub(crate) async fn blocks_are_bounded(f: Fixture) {
    let many = |n: usize| (0..n).map(|n| format!("{n}.example")).collect::<Vec<_>>();
    f.store.block(ALICE, many(limits::BLOCKS)).await.unwrap();
    let refused = f.store.block(ALICE, texts(&["one", "more"])).await;
    assert!(matches!(refused, Err(StoreError::Limit(_))));
    assert_eq!(f.store.blocklist(ALICE).await.unwrap().len(), limits::BLOCKS);
    assert_eq!(f.store.block(ALICE, texts(&["1.example"])).await.unwrap(), [""; 0]);
}

pub(crate) async fn archive_preferences_are_replaced(mut f: Fixture) {
    assert_eq!(f.store.archive_prefs(ALICE).await.unwrap(), None);
    let prefs = ArchivePrefs {
        default: ArchiveDefault::Roster,
        always: vec![jid("a@example.org"), jid("b@example.org")],
        never: vec![jid("c@example.org")],
    };
    f.store.set_archive_prefs(ALICE, prefs.clone()).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.archive_prefs(ALICE).await.unwrap(), Some(prefs.clone()));
    let both = ArchivePrefs { default: ArchiveDefault::Never, never: vec![jid("b@example.org")], ..prefs };
    f.store.set_archive_prefs(ALICE, both.clone()).await.unwrap();
    let expected = ArchivePrefs { always: vec![jid("a@example.org")], ..both.clone() };
    assert_eq!(f.store.archive_prefs(ALICE).await.unwrap(), Some(expected.clone()));
    let many = ArchivePrefs { never: vec![jid("b@example.org"); limits::PREFS + 1], ..both };
    assert!(matches!(f.store.set_archive_prefs(ALICE, many).await, Err(StoreError::Limit(_))));
    assert_eq!(f.store.archive_prefs(ALICE).await.unwrap(), Some(expected.clone()));
    assert_eq!(f.store.archive_prefs(BOB).await.unwrap(), None);
}

pub(crate) async fn retention_is_chosen(f: Fixture) {
    assert_eq!(f.store.retention_days(ALICE).await.unwrap(), None);
    for days in [Some(30), Some(0), None] {
        f.store.set_retention_days(ALICE, days).await.unwrap();
        assert_eq!(f.store.retention_days(ALICE).await.unwrap(), days);
    }
}

pub(crate) async fn notices_are_replaced(mut f: Fixture) {
    let notice = |text: &str, at| Notice { text: text.into(), at: Timestamp(at) };
    assert_eq!(f.store.notice(NoticeKind::Motd).await.unwrap(), None);
    for notice in [notice("one", 1), notice("two", 2)] {
        f.store.set_notice(NoticeKind::Motd, Some(notice.clone())).await.unwrap();
        assert_eq!(f.store.notice(NoticeKind::Motd).await.unwrap(), Some(notice));
    }
    assert_eq!(f.store.notice(NoticeKind::Welcome).await.unwrap(), None);
    f.reopen().await;
    assert_eq!(f.store.notice(NoticeKind::Motd).await.unwrap(), Some(notice("two", 2)));
    f.store.set_notice(NoticeKind::Motd, None).await.unwrap();
    assert_eq!(f.store.notice(NoticeKind::Motd).await.unwrap(), None);
    let long = notice(&"x".repeat(limits::NOTICE_BYTES + 1), 1);
    assert_eq!(f.store.set_notice(NoticeKind::Motd, Some(long)).await, Err(StoreError::Invalid("text")));
}

pub(crate) async fn announcements_go_on_where_they_were(mut f: Fixture) {
    let first = f.store.announce("s".into(), "one".into(), Timestamp(5)).await.unwrap();
    f.store.announce(String::new(), "two".into(), Timestamp(6)).await.unwrap();
    f.store.announced(first.id, Uid(64), 60).await.unwrap();
    f.reopen().await;
    let all = f.store.announcements().await.unwrap();
    assert_eq!(all[0], Announcement { after: Uid(64), sent: 60, ..first.clone() });
    assert_eq!((all[1].text.as_str(), all.len()), ("two", 2));
    f.store.end_announcement(first.id).await.unwrap();
    assert_eq!(f.store.announcements().await.unwrap().len(), 1);
    for _ in 1..limits::ANNOUNCEMENTS {
        f.store.announce(String::new(), "more".into(), Timestamp(7)).await.unwrap();
    }
    let one_more = f.store.announce(String::new(), "more".into(), Timestamp(7)).await;
    assert_eq!(one_more, Err(StoreError::Limit("announcements under way")));
}
