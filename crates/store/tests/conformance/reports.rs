//! Reports to the administrators, the copies of what they are about, and the list of whom the server denies.

use bytes::Bytes;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Closing, Evidence, Exhibit, Flags, MessageId, NewReport, Outcome, Policy, Reason, Record, Report,
    Sharing, Store, StoreError, SweepCursor, Timestamp, Untold, limits,
};

use crate::common::*;

fn about(reported: &str, useqs: &[u64]) -> NewReport {
    NewReport {
        reported: reported.to_owned(),
        reason: Reason::Spam,
        text: "again and again".to_owned(),
        sharing: Sharing { origin: true, third_party: false },
        occupant: false,
        exhibits: useqs.iter().map(|useq| Exhibit { log: BOB, useq: Useq(*useq) }).collect(),
    }
}

/// Bob blocks and reports.
async fn file(store: &Store, new: NewReport, at: i64) -> Result<(), StoreError> {
    let jids = vec![new.reported.clone()];
    store.block_and_report(BOB, jids, vec![new], Timestamp(at)).await
}

async fn waiting(store: &Store) -> Vec<u64> {
    store.reports(true, None, usize::MAX).await.unwrap().iter().map(|report| report.id).collect()
}

fn closing(at: i64) -> Closing {
    Closing { at: Timestamp(at), by: "1@example.org".to_owned(), outcome: Outcome::ServerDenied }
}

pub(crate) async fn a_report_keeps_what_it_is_about(mut f: Fixture) {
    let alice = address(ALICE).to_string();
    let useq = stored(&f.store, message(ALICE, BOB, "buy", 3)).await[1];
    file(&f.store, about(&alice, &[useq]), 9).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.blocklist(BOB).await.unwrap(), std::slice::from_ref(&alice));
    let (report, evidence) = f.store.report(1).await.unwrap().unwrap();
    let expected = Report {
        id: 1,
        at: Timestamp(9),
        reporter: BOB,
        reported: alice,
        behind: None,
        reason: Reason::Spam,
        text: "again and again".to_owned(),
        sharing: Sharing { origin: true, third_party: false },
        messages: 1,
        closed: None,
    };
    assert_eq!(report, expected);
    let copy = Evidence { message: MessageId(1), at: Timestamp(3), stanza: Bytes::from_static(b"buy") };
    assert_eq!(evidence, [copy]);
    assert_eq!(f.store.report(2).await.unwrap(), None);
}

pub(crate) async fn evidence_outlives_the_message(f: Fixture) {
    let alice = address(ALICE).to_string();
    let useq = stored(&f.store, named(ALICE, BOB, "buy", 3)).await[1];
    file(&f.store, about(&alice, &[useq]), 9).await.unwrap();
    let origin = named(ALICE, BOB, "buy", 3).origin.unwrap();
    assert!(f.store.retract(origin, Bytes::from_static(b"gone")).await.unwrap());
    f.store.drop_pointers(BOB, vec![Useq(useq)]).await.unwrap();
    let (_, evidence) = f.store.report(1).await.unwrap().unwrap();
    assert_eq!(evidence[0].stanza, "buy");
}

pub(crate) async fn what_the_reported_did_not_send_is_left_out(f: Fixture) {
    let alice = address(ALICE).to_string();
    let sent = stored(&f.store, message(BOB, ALICE, "mine", 1)).await[0];
    let other = stored(&f.store, message(Uid(7), BOB, "another's", 2)).await[1];
    let mut spoken = message(ALICE, BOB, "in a group", 3);
    spoken.pointers[1].peer_resource = Some("nick".into());
    let spoken = stored(&f.store, spoken).await[1];
    let copied = async |reported: &str, useqs: &[u64]| {
        file(&f.store, about(reported, useqs), 9).await.unwrap();
        let newest = f.store.reports(true, None, 1).await.unwrap()[0].id;
        let (_, evidence) = f.store.report(newest).await.unwrap().unwrap();
        evidence.iter().map(|copy| String::from_utf8(copy.stanza.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(copied(&alice, &[sent, other, 99, u64::MAX]).await, [""; 0]);
    assert_eq!(copied(&alice, &[spoken]).await, ["in a group"]);
    assert_eq!(copied(&format!("{alice}/nick"), &[spoken]).await, ["in a group"]);
    assert_eq!(copied(&format!("{alice}/other"), &[spoken]).await, [""; 0]);

    // So many messages and bytes, the first whatever its size.
    let mut useqs = Vec::new();
    for n in 0..limits::REPORT_MESSAGES + 2 {
        useqs.push(stored(&f.store, message(ALICE, BOB, &n.to_string(), 4)).await[1]);
    }
    assert_eq!(copied(&alice, &useqs).await.len(), limits::REPORT_MESSAGES);
    let large = "x".repeat(limits::REPORT_BYTES);
    let mut two = Vec::new();
    for _ in 0..2 {
        two.push(stored(&f.store, message(ALICE, BOB, &large, 5)).await[1]);
    }
    assert_eq!(copied(&alice, &two).await.len(), 1);
}

pub(crate) async fn block_lists_are_kept(mut f: Fixture) {
    f.store.keep_block_list("b", Bytes::from_static(b"12")).await.unwrap();
    f.store.keep_block_list("a", Bytes::from_static(b"1")).await.unwrap();
    f.store.keep_block_list("b", Bytes::from_static(b"3")).await.unwrap();
    f.reopen().await;
    let kept = |name: &str, hashes: &'static [u8]| (name.to_owned(), Bytes::from_static(hashes));
    assert_eq!(f.store.block_lists().await.unwrap(), [kept("a", b"1"), kept("b", b"3")]);
    f.store.keep_block_list("a", Bytes::new()).await.unwrap();
    assert_eq!(f.store.block_lists().await.unwrap(), [kept("b", b"3")]);
    let long = vec![0; limits::BLOCK_LIST_BYTES + 1].into();
    assert_eq!(f.store.keep_block_list("b", long).await, Err(StoreError::Limit("block list")));
}

pub(crate) async fn the_account_behind_an_occupant_is_kept(mut f: Fixture) {
    let group = Uid(700_001);
    let said = |from: Uid, body: &str, at| {
        let mut pointer = pointer(group, address(from), rookery_store::Direction::In);
        pointer.peer_resource = Some("nick".into());
        Append { pointers: smallvec::smallvec![pointer], ..message(from, group, body, at) }
    };
    let mut useqs = Vec::new();
    for (from, body) in
        [(ALICE, "one"), (ALICE, "two"), (Uid(7), "of who had the name later"), (ALICE, "three")]
    {
        useqs.push(stored(&f.store, said(from, body, 3)).await[0]);
    }
    let exhibits = useqs.iter().map(|useq| Exhibit { log: group, useq: Useq(*useq) });
    let report = NewReport {
        occupant: true,
        exhibits: exhibits.collect(),
        ..about("tea@groups.example.org/nick", &[])
    };
    let other = NewReport { reported: "tea@groups.example.org/other".to_owned(), ..report.clone() };
    file(&f.store, report.clone(), 9).await.unwrap();
    file(&f.store, other, 9).await.unwrap();
    let later = NewReport { exhibits: report.exhibits[2..].to_vec(), ..report };
    file(&f.store, later, 9).await.unwrap();
    f.reopen().await;
    let found = async |id| {
        let (report, evidence) = f.store.report(id).await.unwrap().unwrap();
        let texts = evidence.iter().map(|copy| String::from_utf8(copy.stanza.to_vec()).unwrap());
        (report.behind, texts.collect::<Vec<_>>())
    };
    let (alice, later) = (address(ALICE).to_string(), address(Uid(7)).to_string());
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(found(1).await, (Some(alice.clone()), texts(&["one", "two", "three"])));
    assert_eq!(found(2).await, (None, texts(&[])), "nobody of this name said it");
    assert_eq!(found(3).await, (Some(later), texts(&["of who had the name later"])));
    assert_eq!(f.store.record(&alice).await.unwrap().reports, 1);
    // Whoever else had the name is not meant.
    assert_eq!(f.store.close_report(1, closing(5), true).await, Ok(1));
    assert_eq!(waiting(&f.store).await, [3, 2]);
}

pub(crate) async fn reports_are_paged_and_closed(mut f: Fixture) {
    for reported in ["a@x", "b@x", "a@x", "a@x"] {
        file(&f.store, about(reported, &[]), 1).await.unwrap();
    }
    assert_eq!(waiting(&f.store).await, [4, 3, 2, 1]);
    let page = f.store.reports(true, Some(4), 2).await.unwrap();
    assert_eq!(page.iter().map(|report| report.id).collect::<Vec<_>>(), [3, 2]);
    let record = Record { reports: 3, waiting: 3, reporters: 1 };
    assert_eq!(f.store.record("a@x").await.unwrap(), record);

    assert_eq!(f.store.close_report(3, closing(5), false).await, Ok(1));
    assert_eq!(f.store.close_report(3, closing(6), false).await, Ok(0), "once");
    assert_eq!(f.store.close_report(9, closing(6), false).await, Err(StoreError::NotFound));
    assert_eq!(f.store.close_report(3, closing(6), true).await, Ok(2), "all about the same");
    f.reopen().await;
    assert_eq!(waiting(&f.store).await, [2]);
    let all = f.store.reports(false, None, usize::MAX).await.unwrap();
    assert_eq!(all.iter().map(|report| report.id).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(all[1].closed, Some(closing(5)));
    assert_eq!(f.store.record("a@x").await.unwrap(), Record { waiting: 0, ..record });
    assert_eq!(f.store.record("nobody@x").await.unwrap(), Record::default());
}

pub(crate) async fn a_block_that_fails_files_nothing(f: Fixture) {
    let many: Vec<String> = (0..=limits::BLOCKS).map(|n| format!("{n}@x")).collect();
    let new = about("1@x", &[]);
    let refused = f.store.block_and_report(BOB, many, vec![new.clone()], Timestamp(1)).await;
    assert_eq!(refused, Err(StoreError::Limit("blocked addresses")));
    assert_eq!(waiting(&f.store).await, [0; 0]);
    let long = NewReport { text: "x".repeat(limits::REPORT_TEXT_BYTES + 1), ..new };
    assert_eq!(file(&f.store, long, 1).await, Err(StoreError::Invalid("text")));
    assert_eq!(f.store.blocklist(BOB).await.unwrap(), [""; 0]);
}

pub(crate) async fn reports_of_one_account_are_bounded(f: Fixture) {
    f.store
        .block_and_report(ALICE, vec!["a@x".to_owned()], vec![about("a@x", &[])], Timestamp(1))
        .await
        .unwrap();
    let many: Vec<NewReport> =
        (0..=limits::REPORTS_OF_ACCOUNT).map(|n| about(&format!("{n}@x"), &[])).collect();
    f.store.block_and_report(BOB, Vec::new(), many, Timestamp(2)).await.unwrap();
    let left = waiting(&f.store).await;
    assert_eq!(left.len(), limits::REPORTS_OF_ACCOUNT + 1);
    assert!(left.contains(&1) && !left.contains(&2), "the oldest of the one who files so many");
}

pub(crate) async fn closed_reports_are_forgotten(f: Fixture) {
    for _ in 0..2 {
        file(&f.store, about("a@x", &[]), 1).await.unwrap();
    }
    f.store.close_report(1, closing(5), false).await.unwrap();
    let sweep = async |now: i64| {
        f.store.sweep(Timestamp(now), Policy::default(), SweepCursor::default()).await.unwrap();
        f.store.reports(false, None, usize::MAX).await.unwrap().len()
    };
    assert_eq!(sweep(4 + limits::REPORT_KEPT_MS).await, 2);
    assert_eq!(sweep(5 + limits::REPORT_KEPT_MS).await, 1);
}

pub(crate) async fn administrators_are_told_once(mut f: Fixture) {
    assert_eq!(f.store.untold_reports().await.unwrap(), None);
    for _ in 0..2 {
        file(&f.store, about("a@x", &[]), 1).await.unwrap();
    }
    assert_eq!(f.store.untold_reports().await.unwrap(), Some(Untold { new: 2, waiting: 2, last: 2 }));
    f.store.told_of_reports(2).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.untold_reports().await.unwrap(), None);
    file(&f.store, about("b@x", &[]), 1).await.unwrap();
    assert_eq!(f.store.untold_reports().await.unwrap(), Some(Untold { new: 1, waiting: 3, last: 3 }));
    f.store.close_report(3, closing(5), false).await.unwrap();
    assert_eq!(f.store.untold_reports().await.unwrap(), None, "somebody has seen it");
}

pub(crate) async fn a_body_is_withdrawn_while_it_is_the_same(f: Fixture) {
    stored(&f.store, message(ALICE, BOB, "buy", 3)).await;
    let stone = Bytes::from_static(b"gone");
    let withdraw = async |body: &'static [u8]| {
        f.store.withdraw(MessageId(1), Bytes::from_static(body), stone.clone()).await.unwrap()
    };
    assert!(!withdraw(b"sell").await);
    assert!(!f.store.withdraw(MessageId(7), Bytes::from_static(b"buy"), stone.clone()).await.unwrap());
    assert!(withdraw(b"buy").await);
    assert!(!withdraw(b"buy").await, "it is another now");
    for uid in [ALICE, BOB] {
        let entries = f.store.events_after(uid, Useq(0), 9).await.unwrap();
        assert!(entries[0].flags.has(Flags::RETRACTED) && entries[0].stanza == "gone");
    }
}

pub(crate) async fn reports_stay_without_their_account(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let own = vec![about("a@x", &[])];
    f.store.block_and_report(uid, Vec::new(), own.clone(), Timestamp(1)).await.unwrap();
    f.store.block_and_report(BOB, Vec::new(), own, Timestamp(1)).await.unwrap();
    f.store.delete_account(uid).await.unwrap();
    assert_eq!(waiting(&f.store).await, [2, 1]);
    assert_eq!(f.store.report(1).await.unwrap().expect("it waits").0.reporter, Uid(0));
}

pub(crate) async fn some_accounts_have_no_limits(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    assert!(!f.store.is_unlimited(uid).await.unwrap());
    assert_eq!(f.store.set_unlimited(ALICE, true).await, Err(StoreError::NotFound));
    f.store.set_unlimited(uid, true).await.unwrap();
    f.store.set_unlimited(uid, true).await.unwrap();
    f.reopen().await;
    assert!(f.store.is_unlimited(uid).await.unwrap());
    f.store.set_unlimited(uid, false).await.unwrap();
    assert!(!f.store.is_unlimited(uid).await.unwrap());
    f.store.set_unlimited(uid, true).await.unwrap();
    f.store.delete_account(uid).await.unwrap();
    assert!(!f.store.is_unlimited(uid).await.unwrap());
}

pub(crate) async fn messages_with_somebody_are_known(f: Fixture) {
    stored(&f.store, message(ALICE, BOB, "hi", 1)).await;
    let with = async |uid, peer| f.store.has_messages_with(uid, peer).await.unwrap();
    assert!(with(ALICE, address(BOB)).await && with(BOB, address(ALICE)).await);
    assert!(!with(ALICE, address(ALICE)).await);
    let mut passing = message(ALICE, Uid(7), "not kept", 2);
    passing.flags = Flags::DELIVER;
    stored(&f.store, passing).await;
    assert!(!with(ALICE, address(Uid(7))).await);
}

pub(crate) async fn the_denied_are_a_set(mut f: Fixture) {
    let list = |jids: &[&str]| jids.iter().map(|&jid| jid.to_owned()).collect::<Vec<_>>();
    assert_eq!(f.store.deny(list(&["spam.example", "a@x"]), Timestamp(1), "me").await, Ok(2));
    assert_eq!(f.store.deny(list(&["spam.example", "b@x"]), Timestamp(2), "you").await, Ok(1));
    assert_eq!(f.store.undeny(list(&["a@x", "c@x"])).await, Ok(1));
    f.reopen().await;
    let denied = f.store.denied().await.unwrap();
    let shown: Vec<_> = denied.iter().map(|one| (one.jid.as_str(), one.at.0, one.by.as_str())).collect();
    assert_eq!(shown, [("b@x", 2, "you"), ("spam.example", 1, "me")]);
    let many = (0..=limits::DENIED).map(|n| format!("{n}@x")).collect();
    assert_eq!(f.store.deny(many, Timestamp(3), "me").await, Err(StoreError::Limit("blocked addresses")));
    assert_eq!(f.store.denied().await.unwrap().len(), 2);
}
