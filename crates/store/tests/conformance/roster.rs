//! The roster and its subscriptions.

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::subscription::{Kind, State};
use rookery_store::{Party, Removal, RosterChange, Store, StoreError, SubscriptionOutcome, limits};

use crate::common::*;

fn party(uid: Uid) -> Party {
    Party { jid: address(uid), uid: Some(uid) }
}

fn remote() -> Party {
    Party { jid: jid("juliet@capulet.example"), uid: None }
}

async fn send(store: &Store, from: &Party, to: &Party, kind: Kind) -> SubscriptionOutcome {
    let request = (kind == Kind::Subscribe).then(|| Bytes::from(format!("request of {}", from.jid)));
    store.subscription(from.clone(), to.clone(), kind, request).await.unwrap()
}

async fn set(store: &Store, uid: Uid, contact: &str) -> RosterChange {
    store.roster_set(uid, &jid(contact), None, Vec::new()).await.unwrap()
}

/// The states of both sides, whether shown or not.
async fn states(store: &Store) -> (State, State) {
    let state = async |uid, contact: Uid| {
        let item = store.roster_item(uid, &address(contact)).await.unwrap();
        item.map_or(State::NONE, |item| item.state)
    };
    (state(ALICE, BOB).await, state(BOB, ALICE).await)
}

async fn shown(store: &Store, uid: Uid) -> Vec<String> {
    store.roster(uid).await.unwrap().items.iter().map(|item| item.jid.to_string()).collect()
}

fn state_of(change: &Option<RosterChange>) -> Option<State> {
    change.as_ref().and_then(|change| change.item.as_ref()).map(|item| item.state)
}

pub(crate) async fn items_are_set_and_removed(mut f: Fixture) {
    assert_eq!(f.store.roster(ALICE).await.unwrap(), Default::default());
    let groups = vec!["Friends".to_owned(), "Work".to_owned()];
    let change = f.store.roster_set(ALICE, &address(BOB), Some("Bob".into()), groups.clone()).await.unwrap();
    let item = change.item.clone().unwrap();
    assert_eq!((change.ver, &item.name, &item.groups), (1, &Some("Bob".to_owned()), &groups));
    assert_eq!(item.state, State::NONE);
    set(&f.store, ALICE, "a@example.org").await;
    f.reopen().await;
    let roster = f.store.roster(ALICE).await.unwrap();
    assert_eq!((roster.ver, &roster.items[0]), (2, &item));
    assert_eq!(f.store.roster_item(ALICE, &address(BOB)).await.unwrap(), Some(item));
    assert_eq!(f.store.roster(BOB).await.unwrap().items, []);

    let removal = f.store.roster_remove(party(ALICE), party(BOB)).await.unwrap();
    let change = RosterChange { ver: 3, jid: address(BOB), item: None };
    assert_eq!(removal, Removal { actor_change: Some(change), ..Removal::default() });
    assert_eq!(shown(&f.store, ALICE).await, ["a@example.org"]);
    assert_eq!(f.store.roster_item(ALICE, &address(BOB)).await.unwrap(), None);
    let again = f.store.roster_remove(party(ALICE), party(BOB)).await.unwrap();
    assert_eq!(again, Removal::default());
}

pub(crate) async fn versions_tell_what_changed(f: Fixture) {
    let since = async |ver| {
        let changes = f.store.roster_since(ALICE, ver).await.unwrap()?;
        Some(changes.iter().map(|c| (c.ver, c.jid.to_string(), c.item.is_some())).collect::<Vec<_>>())
    };
    assert_eq!(since(0).await, Some(vec![]));
    assert_eq!(since(1).await, None, "a version from the future");
    set(&f.store, ALICE, "a@x").await;
    set(&f.store, ALICE, "2@example.org").await;
    set(&f.store, ALICE, "a@x").await;
    f.store.roster_remove(party(ALICE), party(BOB)).await.unwrap();
    let removed = (4, "2@example.org".to_owned(), false);
    assert_eq!(since(0).await, Some(vec![(3, "a@x".to_owned(), true), removed.clone()]));
    assert_eq!(since(3).await, Some(vec![removed]));
    assert_eq!(since(4).await, Some(vec![]));
    assert_eq!(since(5).await, None);
    set(&f.store, ALICE, "2@example.org").await;
    assert_eq!(since(4).await, Some(vec![(5, "2@example.org".to_owned(), true)]));
}

pub(crate) async fn old_versions_are_forgotten(f: Fixture) {
    let contact = |n: usize| Party { jid: jid(&format!("{n}@x")), uid: None };
    for n in 0..=limits::ROSTER_REMOVED {
        set(&f.store, ALICE, &format!("{n}@x")).await;
        f.store.roster_remove(party(ALICE), contact(n)).await.unwrap();
    }
    assert_eq!(f.store.roster_since(ALICE, 0).await.unwrap(), None);
    assert_eq!(f.store.roster_since(ALICE, 1).await.unwrap(), None);
    let known = f.store.roster_since(ALICE, 2).await.unwrap().unwrap();
    assert_eq!(known.len(), limits::ROSTER_REMOVED);
}

pub(crate) async fn a_request_is_not_shown(f: Fixture) {
    let outcome = send(&f.store, &party(ALICE), &party(BOB), Kind::Subscribe).await;
    assert_eq!(state_of(&outcome.actor_change), Some(State::PENDING_OUT));
    assert_eq!((outcome.contact_change, outcome.route, outcome.deliver), (None, true, true));
    assert_eq!(shown(&f.store, BOB).await, [""; 0]);
    assert_eq!(f.store.roster(BOB).await.unwrap().ver, 0);
    assert_eq!(states(&f.store).await, (State::PENDING_OUT, State::PENDING_IN));
    // Who was asked may give the asker a name before the answer.
    set(&f.store, BOB, &address(ALICE).to_string()).await;
    assert_eq!(shown(&f.store, BOB).await, [address(ALICE).to_string()]);
    assert_eq!(states(&f.store).await.1, State::PENDING_IN);
    // Taken back, it leaves the named item.
    let outcome = send(&f.store, &party(ALICE), &party(BOB), Kind::Unsubscribe).await;
    assert_eq!((state_of(&outcome.actor_change), outcome.contact_change), (Some(State::NONE), None));
    assert_eq!(shown(&f.store, BOB).await, [address(ALICE).to_string()]);
    // And an unnamed asker leaves nothing.
    send(&f.store, &party(Uid(3)), &party(BOB), Kind::Subscribe).await;
    send(&f.store, &party(Uid(3)), &party(BOB), Kind::Unsubscribe).await;
    assert_eq!(f.store.roster_item(BOB, &address(Uid(3))).await.unwrap(), None);
}

pub(crate) async fn a_subscription_moves_both_sides(f: Fixture) {
    let (alice, bob) = (party(ALICE), party(BOB));
    send(&f.store, &alice, &bob, Kind::Subscribe).await;
    let outcome = send(&f.store, &bob, &alice, Kind::Subscribed).await;
    assert_eq!(state_of(&outcome.actor_change), Some(State::FROM));
    assert_eq!(state_of(&outcome.contact_change), Some(State::TO));
    assert!(outcome.route && outcome.deliver && outcome.reply.is_none());
    assert_eq!(f.store.contacts(ALICE).await.unwrap(), [(address(BOB), State::TO)]);
    assert_eq!(f.store.contacts(BOB).await.unwrap(), [(address(ALICE), State::FROM)]);

    send(&f.store, &bob, &alice, Kind::Subscribe).await;
    send(&f.store, &alice, &bob, Kind::Subscribed).await;
    let both = State::TO.with(State::FROM);
    assert_eq!(states(&f.store).await, (both, both));

    let outcome = send(&f.store, &alice, &bob, Kind::Unsubscribed).await;
    assert_eq!(state_of(&outcome.contact_change), Some(State::FROM));
    assert_eq!(states(&f.store).await, (State::TO, State::FROM));
    // Unasked for, it changes nothing and is not shown.
    let outcome = send(&f.store, &bob, &party(Uid(3)), Kind::Unsubscribed).await;
    assert_eq!((outcome.actor_change, outcome.contact_change, outcome.deliver), (None, None, false));
}

pub(crate) async fn an_approval_answers_at_once(f: Fixture) {
    let outcome = send(&f.store, &party(BOB), &party(ALICE), Kind::Subscribed).await;
    assert_eq!(state_of(&outcome.actor_change), Some(State::APPROVED));
    assert_eq!((outcome.route, outcome.contact_change), (false, None));
    let outcome = send(&f.store, &party(ALICE), &party(BOB), Kind::Subscribe).await;
    assert_eq!(outcome.reply, Some(Kind::Subscribed));
    assert!(!outcome.deliver);
    assert_eq!(state_of(&outcome.actor_change), Some(State::TO));
    assert_eq!(state_of(&outcome.contact_change), Some(State::FROM));
    assert_eq!(states(&f.store).await, (State::TO, State::FROM));
    // Asked again, the answer tells the actor nothing new.
    let outcome = send(&f.store, &party(ALICE), &party(BOB), Kind::Subscribe).await;
    assert_eq!((outcome.reply, outcome.actor_change, outcome.contact_change), (None, None, None));
}

pub(crate) async fn removal_ends_both_sides(f: Fixture) {
    let (alice, bob) = (party(ALICE), party(BOB));
    for (from, to) in [(&alice, &bob), (&bob, &alice)] {
        send(&f.store, from, to, Kind::Subscribe).await;
        send(&f.store, to, from, Kind::Subscribed).await;
    }
    let removal = f.store.roster_remove(alice.clone(), bob.clone()).await.unwrap();
    assert!(removal.unsubscribe && removal.unsubscribed);
    assert_eq!(removal.actor_change.unwrap().item, None);
    assert_eq!(state_of(&removal.contact_change), Some(State::NONE));
    assert_eq!(states(&f.store).await, (State::NONE, State::NONE));
    assert_eq!(shown(&f.store, BOB).await, [address(ALICE).to_string()]);
    assert_eq!(f.store.contacts(BOB).await.unwrap(), [(address(ALICE), State::NONE)]);

    send(&f.store, &alice, &remote(), Kind::Subscribe).await;
    let removal = f.store.roster_remove(alice, remote()).await.unwrap();
    assert_eq!((removal.unsubscribe, removal.unsubscribed, removal.contact_change), (true, false, None));
    assert_eq!(
        f.store.roster_remove(remote(), bob).await,
        Err(StoreError::Invalid("actor")),
        "whose item it is must be here"
    );
}

pub(crate) async fn a_remote_actor_has_one_side(f: Fixture) {
    let outcome = send(&f.store, &remote(), &party(BOB), Kind::Subscribe).await;
    assert!(outcome.route && outcome.deliver);
    assert_eq!((outcome.actor_change, outcome.contact_change), (None, None));
    let outcome = send(&f.store, &party(BOB), &remote(), Kind::Subscribed).await;
    assert!(outcome.route && !outcome.deliver);
    assert_eq!(state_of(&outcome.actor_change), Some(State::FROM));
    let outcome = send(&f.store, &remote(), &party(BOB), Kind::Subscribe).await;
    assert_eq!((outcome.reply, outcome.deliver), (Some(Kind::Subscribed), false));
    let oneself = f.store.subscription(party(BOB), party(BOB), Kind::Subscribe, None).await;
    assert_eq!(oneself, Err(StoreError::Invalid("contact")));
}

pub(crate) async fn requests_wait_for_their_answer(mut f: Fixture) {
    send(&f.store, &party(ALICE), &party(BOB), Kind::Subscribe).await;
    send(&f.store, &party(ALICE), &party(BOB), Kind::Subscribe).await;
    send(&f.store, &remote(), &party(BOB), Kind::Subscribe).await;
    f.reopen().await;
    let requests = async || {
        let requests = f.store.pending_requests(BOB).await.unwrap();
        requests.iter().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(requests().await, ["request of 1@example.org", "request of juliet@capulet.example"]);
    send(&f.store, &party(BOB), &party(ALICE), Kind::Subscribed).await;
    send(&f.store, &remote(), &party(BOB), Kind::Unsubscribe).await;
    assert_eq!(requests().await, [""; 0]);
}

pub(crate) async fn groups_are_checked(f: Fixture) {
    let set = async |name: Option<String>, groups: Vec<String>| {
        f.store.roster_set(ALICE, &address(BOB), name, groups).await
    };
    let long = "x".repeat(limits::ROSTER_NAME_BYTES + 1);
    assert_eq!(set(Some(long.clone()), vec![]).await, Err(StoreError::Invalid("name")));
    for group in ["", "a\u{1f}b", &long] {
        assert_eq!(set(None, vec![group.to_owned()]).await, Err(StoreError::Invalid("group")));
    }
    let many = vec!["g".to_owned(); limits::ROSTER_GROUPS + 1];
    assert_eq!(set(None, many).await, Err(StoreError::Limit("groups")));
    assert_eq!(f.store.roster(ALICE).await.unwrap().ver, 0);
}

pub(crate) async fn rosters_are_bounded(f: Fixture) {
    let mut sets = Vec::new();
    for n in 0..limits::ROSTER_ITEMS {
        let store = f.store.clone();
        sets.push(tokio::spawn(async move { set(&store, ALICE, &format!("{n}@x")).await }));
    }
    for done in sets {
        done.await.unwrap();
    }
    let refused = f.store.roster_set(ALICE, &jid("more@x"), None, Vec::new()).await;
    assert_eq!(refused, Err(StoreError::Limit("roster items")));
    let refused = f.store.subscription(party(ALICE), party(BOB), Kind::Subscribe, None).await;
    assert_eq!(refused, Err(StoreError::Limit("roster items")));
    assert_eq!(f.store.roster_item(BOB, &address(ALICE)).await.unwrap(), None, "neither side moved");
    set(&f.store, ALICE, "1@x").await;
}

pub(crate) async fn requests_are_bounded(f: Fixture) {
    for n in 0..limits::ROSTER_REQUESTS as u64 {
        let stranger = Party { jid: jid(&format!("{n}@spam.example")), uid: None };
        send(&f.store, &stranger, &party(BOB), Kind::Subscribe).await;
    }
    let refused = f.store.subscription(party(ALICE), party(BOB), Kind::Subscribe, None).await;
    assert_eq!(refused, Err(StoreError::Limit("subscription requests")));
    assert_eq!(states(&f.store).await, (State::NONE, State::NONE));
    let large = Some(Bytes::from(vec![b'x'; limits::REQUEST_BYTES + 1]));
    let refused = f.store.subscription(party(BOB), party(ALICE), Kind::Subscribe, large).await;
    assert_eq!(refused, Err(StoreError::Invalid("subscription request")));
}

pub(crate) async fn a_request_outlives_the_item(f: Fixture) {
    set(&f.store, BOB, &address(ALICE).to_string()).await;
    send(&f.store, &party(ALICE), &party(BOB), Kind::Subscribe).await;
    f.store.roster_remove(party(BOB), party(ALICE)).await.unwrap();
    assert_eq!(shown(&f.store, BOB).await, [""; 0]);
    assert_eq!(f.store.pending_requests(BOB).await.unwrap().len(), 1);
    assert_eq!(states(&f.store).await, (State::PENDING_OUT, State::PENDING_IN));
    // Also when the removed item is forgotten.
    for n in 0..=limits::ROSTER_REMOVED {
        set(&f.store, BOB, &format!("{n}@x")).await;
        let contact = Party { jid: jid(&format!("{n}@x")), uid: None };
        f.store.roster_remove(party(BOB), contact).await.unwrap();
    }
    assert_eq!(f.store.pending_requests(BOB).await.unwrap().len(), 1);
    let outcome = send(&f.store, &party(BOB), &party(ALICE), Kind::Subscribed).await;
    assert_eq!(state_of(&outcome.actor_change), Some(State::FROM));
}
