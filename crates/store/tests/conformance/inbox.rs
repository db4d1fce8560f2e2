//! The inbox: conversations, what is unread in them, and how far they were read.

use bytes::Bytes;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Displayed, Flags, GroupAffiliate, GroupAffiliation, Inbox, InboxGroup, InboxQuery, Item,
    ItemChange, Node, Origin, Store, StoreError, Timestamp, Upto, Window, limits,
};

use crate::common::*;

const CAROL: Uid = Uid(3);

/// An instant message.
fn text(from: Uid, to: Uid, body: &str, at: i64) -> Append {
    let message = message(from, to, body, at);
    Append { flags: message.flags | Flags::INSTANT, ..message }
}

fn read(uid: Uid, peer: Uid, upto: Upto) -> Displayed {
    Displayed { uid, peer: address(peer), upto }
}

async fn whole(store: &Store, uid: Uid) -> Inbox {
    with_groups(store, uid, Vec::new()).await
}

async fn with_groups(store: &Store, uid: Uid, groups: Vec<InboxGroup>) -> Inbox {
    let (own, window) = (address(uid), Window::First);
    let query = InboxQuery { own, unread_only: false, messages: true, groups, window, max: 99 };
    store.inbox(uid, query).await.expect("the inbox is read")
}

/// The inbox as (peer, unread, latest message).
async fn shown(store: &Store, uid: Uid) -> Vec<(String, u64, String)> {
    rows(whole(store, uid).await)
}

fn rows(inbox: Inbox) -> Vec<(String, u64, String)> {
    let message = |message: Option<rookery_store::Entry>| message.map_or(String::new(), |entry| body(&entry));
    inbox.conversations.into_iter().map(|c| (c.peer.to_string(), c.unread, message(c.message))).collect()
}

/// An expected row of [`shown`].
fn row(peer: Uid, unread: u64, message: &str) -> (String, u64, String) {
    (address(peer).to_string(), unread, message.to_owned())
}

pub(crate) async fn unread_is_what_came_after_the_last_reading(mut f: Fixture) {
    for n in 1..=3 {
        stored(&f.store, text(ALICE, BOB, &format!("a{n}"), n)).await;
    }
    stored(&f.store, text(CAROL, BOB, "c1", 4)).await;
    assert_eq!(shown(&f.store, BOB).await, [row(CAROL, 1, "c1"), row(ALICE, 3, "a3")]);
    assert_eq!(shown(&f.store, ALICE).await, [row(BOB, 0, "a3")]);
    f.store.set_displayed(read(BOB, ALICE, Upto::Entry(Useq(2)))).await.unwrap();
    assert_eq!(shown(&f.store, BOB).await, [row(CAROL, 1, "c1"), row(ALICE, 1, "a3")]);
    // Who answers has read.
    stored(&f.store, text(BOB, CAROL, "b1", 5)).await;
    stored(&f.store, text(CAROL, BOB, "c2", 6)).await;
    f.reopen().await;
    assert_eq!(shown(&f.store, BOB).await, [row(CAROL, 1, "c2"), row(ALICE, 1, "a3")]);
    let inbox = whole(&f.store, BOB).await;
    assert_eq!((inbox.total, inbox.unread, inbox.all_unread, inbox.count), (2, 2, 2, 2));
    // A note to oneself is not unread.
    stored(&f.store, text(BOB, BOB, "note", 7)).await;
    assert_eq!(shown(&f.store, BOB).await[0], row(BOB, 0, "note"));
}

pub(crate) async fn what_is_not_instant_is_not_counted(f: Fixture) {
    let origin = |id: &str| Origin { sender: ALICE, peer: address(BOB), id: id.into(), dedup: false };
    stored(&f.store, text(ALICE, BOB, "1", 1)).await;
    stored(&f.store, Append { origin: Some(origin("2")), ..text(ALICE, BOB, "2", 2) }).await;
    stored(&f.store, message(ALICE, BOB, "a receipt", 3)).await;
    // A receipt of one's own says nothing of what was read.
    stored(&f.store, message(BOB, ALICE, "a receipt too", 4)).await;
    let inbox = whole(&f.store, BOB).await;
    assert_eq!((inbox.conversations[0].last, inbox.conversations[0].active.useq), (Useq(4), Useq(2)));
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 2, "2")]);
    f.store.retract(origin("2"), Bytes::from_static(b"gone")).await.unwrap();
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 1, "1")]);
    // What is not archived is nowhere.
    stored(&f.store, Append { flags: Flags::DELIVER | Flags::INSTANT, ..text(CAROL, BOB, "", 5) }).await;
    assert_eq!(shown(&f.store, BOB).await.len(), 1);
}

pub(crate) async fn what_was_set_aside_is_not_shown_until_it_is_let_in(f: Fixture) {
    let mut one = text(ALICE, BOB, "hello", 1);
    one.flags = Flags::INSTANT;
    one.pointers[1].flags = Flags::REQUEST | Flags::ARCHIVE;
    stored(&f.store, one).await;
    assert_eq!(shown(&f.store, BOB).await, []);
    assert_eq!(whole(&f.store, BOB).await.all_unread, 0);
    f.store.release(BOB, address(ALICE)).await.unwrap();
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 1, "hello")]);
}

pub(crate) async fn groups_are_conversations(f: Fixture) {
    let (group, room) = (Uid(700_001), address(Uid(700_001)));
    let said = |from: Uid, body: &str, at| {
        let mut what = text(from, BOB, body, at);
        what.flags = Flags::ARCHIVE | Flags::INSTANT;
        what.pointers[0] = pointer(group, room.clone(), rookery_store::Direction::In);
        what.pointers[1].peer = room.clone();
        what.pointers[1].flags = Flags::GROUP;
        what
    };
    stored(&f.store, text(CAROL, BOB, "not there", 1)).await;
    for n in 1..=3 {
        assert_eq!(stored(&f.store, said(ALICE, &format!("g{n}"), n)).await, [n as u64, n as u64 + 1]);
    }
    assert_eq!(shown(&f.store, BOB).await, [row(group, 3, "g3"), row(CAROL, 1, "not there")]);
    // The room's own id of a message names it (XEP-0490 §3).
    f.store.set_displayed(read(BOB, group, Upto::Shared(group, Useq(2)))).await.unwrap();
    f.store.set_displayed(read(BOB, CAROL, Upto::Shared(group, Useq(2)))).await.unwrap();
    assert_eq!(shown(&f.store, BOB).await, [row(group, 1, "g3"), row(CAROL, 1, "not there")]);
}

/// Something that is said in a group and stands in its own log.
fn said(group: Uid, from: Uid, body: &str, at: i64) -> Append {
    let pointers = smallvec::smallvec![pointer(group, address(from), rookery_store::Direction::In)];
    Append { flags: Flags::ARCHIVE | Flags::INSTANT, pointers, ..message(from, group, body, at) }
}

pub(crate) async fn larger_groups_are_read_in_their_own_logs(f: Fixture) {
    let group = f.store.create_group(super::groups::new(Some("tea"))).await.unwrap().uid;
    let asked = |private| vec![InboxGroup { uid: group, address: address(group), private }];
    let shown = async |private| rows(with_groups(&f.store, BOB, asked(private)).await);
    stored(&f.store, text(CAROL, BOB, "hello", 2)).await;
    assert_eq!(shown(false).await, [row(CAROL, 1, "hello")], "nothing was said in the group");
    for n in 1..=3 {
        stored(&f.store, said(group, ALICE, &format!("g{n}"), n)).await;
    }
    assert_eq!(shown(false).await, [row(group, 3, "g3"), row(CAROL, 1, "hello")]);
    let inbox = with_groups(&f.store, BOB, asked(false)).await;
    assert_eq!((inbox.total, inbox.unread, inbox.all_unread), (2, 2, 4));
    assert_eq!((inbox.conversations[0].active.log, inbox.conversations[0].last), (group, Useq(3)));
    // A small private one is read in the account's own log.
    assert_eq!(shown(true).await, [row(CAROL, 1, "hello")]);
    let affiliates = (0..=limits::SMALL_GROUP as u64).map(|n| GroupAffiliate {
        jid: address(Uid(20_000 + n)),
        affiliation: GroupAffiliation::Member,
        nick: None,
        reason: None,
    });
    f.store.affiliate(group, affiliates.collect()).await.unwrap();
    assert_eq!(shown(true).await, [row(group, 3, "g3"), row(CAROL, 1, "hello")]);
    // What is noted when one begins with a group does not go over what was read.
    f.store.set_displayed(read(BOB, group, Upto::Shared(group, Useq(2)))).await.unwrap();
    f.store.set_displayed(read(BOB, group, Upto::Shared(group, Useq(9)))).await.unwrap();
    f.store.set_displayed(read(BOB, group, Upto::Begun(group))).await.unwrap();
    assert_eq!(shown(false).await[0], row(group, 1, "g3"));
    f.store.set_displayed(read(CAROL, group, Upto::Begun(group))).await.unwrap();
    assert_eq!(with_groups(&f.store, CAROL, asked(false)).await.all_unread, 0);
    // Who answers has read.
    stored(&f.store, said(group, BOB, "b1", 4)).await;
    stored(&f.store, said(group, ALICE, "g5", 5)).await;
    assert_eq!(shown(false).await[0], row(group, 1, "g5"));
    // A private message of somebody there is of the same conversation.
    let mut whisper = text(ALICE, BOB, "psst", 6);
    whisper.pointers[1].peer = address(group);
    stored(&f.store, whisper).await;
    assert_eq!(shown(false).await, [row(group, 2, "psst"), row(CAROL, 1, "hello")]);
    let named = vec!["tea".to_owned(), "none".to_owned(), group.to_string()];
    let named = f.store.groups_named(named, &address(Uid(20_000))).await.unwrap();
    let how: Vec<_> = named.iter().map(|(found, how)| (found.uid, *how)).collect();
    assert_eq!(how, [(group, GroupAffiliation::Member); 2]);
    f.store.destroy_group(group).await.unwrap();
    let named = vec!["tea".to_owned(), group.to_string()];
    assert_eq!(f.store.groups_named(named, &address(BOB)).await.unwrap(), []);
}

pub(crate) async fn reading_never_goes_back(f: Fixture) {
    for n in 1..=4 {
        stored(
            &f.store,
            Append { flags: Flags::ARCHIVE | Flags::INSTANT, ..named(ALICE, BOB, &n.to_string(), n) },
        )
        .await;
    }
    let unread = async || shown(&f.store, BOB).await[0].1;
    let by_name = |id: &str| read(BOB, ALICE, Upto::Named { to: address(BOB), id: id.into() });
    f.store.set_displayed(by_name("3")).await.unwrap();
    assert_eq!(unread().await, 1);
    f.store.set_displayed(by_name("1")).await.unwrap();
    f.store.set_displayed(read(BOB, ALICE, Upto::Entry(Useq(2)))).await.unwrap();
    assert_eq!(unread().await, 1);
    // The answer may go; what was answered was read all the same.
    let answer = stored(&f.store, text(BOB, ALICE, "yes", 5)).await[0];
    assert_eq!(unread().await, 0);
    f.store.drop_pointers(BOB, vec![Useq(answer)]).await.unwrap();
    assert_eq!(unread().await, 0);
}

pub(crate) async fn reading_is_kept_with_what_says_it(f: Fixture) {
    stored(&f.store, text(ALICE, BOB, "1", 1)).await;
    let node =
        Node { name: "urn:xmpp:mds:displayed:0".into(), kept: 9, config: String::new(), creator: None };
    let publish = |id: &str, upto| {
        let item = Item {
            id: id.into(),
            at: Timestamp(2),
            publisher: address(BOB).to_string(),
            payload: Bytes::from_static(b"<a/>"),
        };
        vec![ItemChange::Publish(node.clone(), item), ItemChange::Displayed(read(BOB, ALICE, upto))]
    };
    // An item that cannot be stored says nothing.
    let refused = f.store.change_items(BOB, publish("", Upto::Entry(Useq(1)))).await;
    assert_eq!(refused, Err(StoreError::Invalid("id of the item")));
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 1, "1")]);
    let made = f.store.change_items(BOB, publish("a", Upto::Entry(Useq(1)))).await;
    assert_eq!(made, Ok(vec![true, true]));
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 0, "1")]);
    // So with a marker, which is a message.
    stored(&f.store, text(ALICE, BOB, "2", 3)).await;
    let marker = message(BOB, ALICE, "displayed", 4);
    f.store.append_displayed(marker, read(BOB, ALICE, Upto::Entry(Useq(2)))).await.unwrap().await.unwrap();
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 0, "2")]);
}

pub(crate) async fn what_is_not_there_was_not_read(f: Fixture) {
    stored(&f.store, named(ALICE, BOB, "1", 1)).await;
    stored(&f.store, text(ALICE, BOB, "2", 2)).await;
    let named = |to, id: &str| Upto::Named { to: address(to), id: id.into() };
    for (peer, upto) in [
        (ALICE, Upto::Entry(Useq(9))),
        (ALICE, Upto::Entry(Useq(u64::MAX))),
        // Of another conversation.
        (CAROL, Upto::Entry(Useq(2))),
        (ALICE, named(BOB, "9")),
        (ALICE, named(CAROL, "1")),
        (CAROL, named(BOB, "1")),
        (ALICE, Upto::Shared(CAROL, Useq(1))),
    ] {
        f.store.set_displayed(read(BOB, peer, upto)).await.unwrap();
    }
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, 1, "2")]);
}

pub(crate) async fn counts_of_unread_stop_at_the_limit(f: Fixture) {
    let mut pending = Vec::new();
    for n in 0..=limits::UNREAD as i64 {
        pending.push(f.store.append(text(ALICE, BOB, "x", n)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    assert_eq!(shown(&f.store, BOB).await, [row(ALICE, limits::UNREAD, "x")]);
}

pub(crate) async fn one_who_is_flooded_sees_every_conversation(f: Fixture) {
    // More receipts than are looked at, before and after what is instant.
    let mut pending = Vec::new();
    for n in 0..2 * limits::INBOX_SCAN as i64 {
        let what = if n == 5 { text(ALICE, BOB, "x", n) } else { message(ALICE, BOB, "a receipt", n) };
        pending.push(f.store.append(what).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    stored(&f.store, text(CAROL, BOB, "hello", 9_999)).await;
    assert_eq!(shown(&f.store, BOB).await, [row(CAROL, 1, "hello"), row(ALICE, 0, "")]);
}

pub(crate) async fn readings_are_bounded(f: Fixture) {
    // A message of each of more peers than are remembered, all read, the first again at last.
    let peers = limits::CONVERSATIONS as u64 + 1;
    let mut pending = Vec::new();
    for n in 1..=peers {
        pending.push(f.store.append(text(Uid(100 + n), BOB, "x", n as i64)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    let mut reads = Vec::new();
    for n in 1..=peers {
        reads.push(ItemChange::Displayed(read(BOB, Uid(100 + n), Upto::Entry(Useq(n)))));
    }
    f.store.change_items(BOB, reads).await.unwrap();
    let inbox = whole(&f.store, BOB).await;
    assert_eq!(inbox.total, limits::CONVERSATIONS as u64);
    assert!(inbox.unread <= 1, "the one that was read longest ago: {}", inbox.unread);
}

pub(crate) async fn readings_go_with_the_account(f: Fixture) {
    let uid = f.store.create_account(account(Some("romeo"))).await.unwrap().uid;
    stored(&f.store, text(ALICE, uid, "x", 1)).await;
    f.store.set_displayed(read(uid, ALICE, Upto::Entry(Useq(1)))).await.unwrap();
    f.store.delete_account(uid).await.unwrap();
    assert_eq!(shown(&f.store, uid).await, []);
}
