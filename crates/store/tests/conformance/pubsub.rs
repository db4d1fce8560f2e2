//! Publish-subscribe nodes, and capabilities.

use rookery_proto::Uid;
use rookery_store::{
    Affiliate, AffiliateChange, Affiliation, Item, ItemChange, ItemPage, ItemWindow, Node, StoreError,
    Subscription, Timestamp, limits,
};

use crate::common::*;

fn node(name: &str, kept: usize) -> Node {
    Node { name: name.into(), kept, config: "{}".into(), creator: None }
}

fn item(id: &str, payload: &str) -> Item {
    Item {
        id: id.into(),
        at: Timestamp(7),
        publisher: "alice@example.org".into(),
        payload: payload.as_bytes().to_vec().into(),
    }
}

fn publish(node: &Node, id: &str, payload: &str) -> ItemChange {
    ItemChange::Publish(node.clone(), item(id, payload))
}

fn retract(node: &str, id: &str) -> ItemChange {
    ItemChange::Retract { node: node.into(), id: id.into() }
}

fn ids(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

async fn all(f: &Fixture, node: &str) -> Vec<String> {
    let page = f.store.items(ALICE, node, ItemWindow::First, 100).await.unwrap().unwrap_or_default();
    page.items.into_iter().map(|item| item.id).collect()
}

pub(crate) async fn items_are_published_and_kept(mut f: Fixture) {
    let two = node("two", 2);
    let change = async |changes| f.store.change_items(ALICE, changes).await.unwrap();
    assert_eq!(change(vec![publish(&two, "a", "1")]).await, [true], "the node was made");
    assert_eq!(change(vec![publish(&two, "b", "2"), publish(&two, "a", "3")]).await, [false, false]);
    assert_eq!(all(&f, "two").await, ["b", "a"], "published again is published last");
    let change = async |changes| f.store.change_items(ALICE, changes).await.unwrap();
    change(vec![publish(&two, "c", "4")]).await;
    assert_eq!(
        change(vec![retract("two", "b"), retract("two", "c"), retract("no", "c")]).await,
        [false, true, false]
    );
    f.reopen().await;
    let found = f.store.items_by_id(ALICE, "two", vec!["x".into(), "a".into()]).await.unwrap();
    assert_eq!(found, [item("a", "3")]);
    assert_eq!(f.store.nodes(ALICE).await.unwrap(), std::slice::from_ref(&two));
    assert_eq!(f.store.node(BOB, "two").await.unwrap(), None);
    let none = node("none", 0);
    assert_eq!(f.store.change_items(ALICE, vec![publish(&none, "a", "1")]).await.unwrap(), [true]);
    assert!(all(&f, "none").await.is_empty());
}

pub(crate) async fn changes_happen_together_or_not(f: Fixture) {
    let (one, other) = (node("one", 5), node("other", 5));
    f.store.create_node(ALICE, Node { config: "else".into(), ..other.clone() }, None).await.unwrap();
    let changes = vec![publish(&one, "a", "1"), publish(&other, "a", "1")];
    assert_eq!(f.store.change_items(ALICE, changes).await, Err(StoreError::Conflict));
    assert_eq!(f.store.node(ALICE, "one").await.unwrap(), None);
    assert_eq!(f.store.create_node(ALICE, other.clone(), None).await, Err(StoreError::Conflict));
}

pub(crate) async fn nodes_are_configured_purged_and_deleted(f: Fixture) {
    let many = node("many", 9);
    for id in ["a", "b", "c"] {
        f.store.change_items(ALICE, vec![publish(&many, id, "1")]).await.unwrap();
    }
    let fewer = Node { kept: 2, config: "new".into(), ..many.clone() };
    f.store.configure_node(ALICE, many.clone(), fewer.clone()).await.unwrap();
    let stale = f.store.configure_node(ALICE, many.clone(), node("many", 1)).await;
    assert_eq!(stale, Err(StoreError::Conflict), "somebody else has configured it meanwhile");
    assert_eq!(f.store.node(ALICE, "many").await.unwrap(), Some(fewer));
    assert_eq!(all(&f, "many").await, ["b", "c"]);
    f.store.purge_node(ALICE, "many").await.unwrap();
    assert!(all(&f, "many").await.is_empty());
    f.store.delete_node(ALICE, "many").await.unwrap();
    assert_eq!(f.store.node(ALICE, "many").await.unwrap(), None);
    assert_eq!(f.store.delete_node(ALICE, "many").await, Err(StoreError::NotFound));
    assert_eq!(f.store.purge_node(ALICE, "many").await, Err(StoreError::NotFound));
    assert_eq!(f.store.configure_node(ALICE, many.clone(), many.clone()).await, Err(StoreError::NotFound));
    let add = |node: &Node| vec![ItemChange::Add(node.clone(), item("a", "1"))];
    assert_eq!(
        f.store.change_items(ALICE, add(&many)).await,
        Err(StoreError::NotFound),
        "it does not come back"
    );
    f.store.create_node(ALICE, many.clone(), None).await.unwrap();
    assert_eq!(f.store.change_items(ALICE, add(&many)).await, Ok(vec![false]));
    let other = Node { config: "else".into(), ..many.clone() };
    assert_eq!(f.store.change_items(ALICE, add(&other)).await, Err(StoreError::Conflict));
    assert_eq!(all(&f, "many").await, ["a"]);
}

pub(crate) async fn items_are_paged(f: Fixture) {
    let many = node("many", 9);
    let odd = "' OR '1'='1";
    for id in ["a", odd, "c", "d"] {
        f.store.change_items(ALICE, vec![publish(&many, id, "1")]).await.unwrap();
    }
    let page = async |window, max| f.store.items(ALICE, "many", window, max).await.unwrap();
    for (window, max, expected, first_index) in [
        (ItemWindow::First, 2, vec!["a", odd], 0),
        (ItemWindow::Last, 2, vec!["c", "d"], 2),
        (ItemWindow::After(odd.into()), 1, vec!["c"], 2),
        (ItemWindow::Before("d".into()), 2, vec![odd, "c"], 1),
        (ItemWindow::Index(3), 9, vec!["d"], 3),
        (ItemWindow::Index(4), 9, vec![], 0),
        (ItemWindow::After("d".into()), 9, vec![], 0),
        (ItemWindow::First, 0, vec![], 0),
    ] {
        let ItemPage { items, first_index: index, count } = page(window.clone(), max).await.unwrap();
        assert_eq!((ids(&items), index, count), (expected, first_index, 4), "{window:?}");
    }
    for window in [ItemWindow::After("x".into()), ItemWindow::Before("a' OR 'a'='a".into())] {
        assert_eq!(page(window, 9).await, None);
    }
    assert_eq!(f.store.items(ALICE, "no", ItemWindow::First, 9).await.unwrap(), None);
    let last = f
        .store
        .last_items(vec![BOB, ALICE], vec!["many".into(), "no".into()], &jid("b@a.example"))
        .await
        .unwrap();
    assert_eq!(last.iter().map(|last| (last.uid, last.item.id.as_str())).collect::<Vec<_>>(), [(ALICE, "d")]);
}

pub(crate) async fn pubsub_is_bounded(f: Fixture) {
    let large = "x".repeat(limits::ITEM_BYTES);
    let refused = |answer: Result<Vec<bool>, StoreError>| matches!(answer, Err(StoreError::Limit(_)));
    let many = node("many", limits::NODE_ITEMS);
    assert!(refused(f.store.change_items(ALICE, vec![publish(&many, "a", &(large.clone() + "x"))]).await));
    let fit = limits::ITEMS_BYTES / (limits::ITEM_BYTES + 2);
    for n in 0..fit {
        f.store.change_items(ALICE, vec![publish(&many, &format!("{n:02}"), &large)]).await.unwrap();
    }
    assert!(refused(f.store.change_items(ALICE, vec![publish(&node("n", 1), "x", &large)]).await));
    assert_eq!(f.store.node(ALICE, "n").await.unwrap(), None, "nothing of it was done");
    f.store.change_items(ALICE, vec![publish(&many, "00", &large)]).await.unwrap();
    f.store.change_items(ALICE, vec![retract("many", "01"), publish(&many, "xx", &large)]).await.unwrap();
    let page = f.store.items(ALICE, "many", ItemWindow::First, 100).await.unwrap().unwrap();
    assert_eq!(page.items.len(), limits::PAGE_BYTES / limits::ITEM_BYTES, "a page is bounded in bytes");
    for n in 1..limits::NODES {
        f.store.create_node(ALICE, node(&format!("n{n}"), 1), None).await.unwrap();
    }
    assert!(matches!(f.store.create_node(ALICE, node("more", 1), None).await, Err(StoreError::Limit(_))));
    f.store.create_node(BOB, node("more", 1), None).await.unwrap();
    for bad in [String::new(), "n".repeat(limits::NODE_NAME_BYTES + 1)] {
        assert!(matches!(f.store.create_node(BOB, node(&bad, 1), None).await, Err(StoreError::Invalid(_))));
    }
}

pub(crate) async fn affiliates_have_parts(f: Fixture) {
    let x = node("x", 1);
    f.store.create_node(ALICE, x, None).await.unwrap();
    let change = async |jid: &str, affiliation, subscription| {
        let jid = crate::common::jid(jid);
        let change = AffiliateChange { jid, affiliation, subscription, deliver: None };
        f.store.change_affiliates(ALICE, "x", vec![change]).await.unwrap();
    };
    let (none, subscribed) = (Subscription::None, Subscription::Subscribed);
    change("b@a.example", None, Some(subscribed)).await;
    change("b@a.example", Some(Affiliation::Member), None).await;
    change("c@a.example", Some(Affiliation::Outcast), None).await;
    change("d@a.example", None, Some(none)).await;
    let part = |who, affiliation, subscription| Affiliate {
        affiliation,
        subscription,
        ..Affiliate::nobody(jid(who))
    };
    let b = part("b@a.example", Affiliation::Member, subscribed);
    let c = part("c@a.example", Affiliation::Outcast, none);
    assert_eq!(f.store.affiliates(ALICE, "x").await.unwrap(), [b.clone(), c.clone()]);
    let of_b = f.store.affiliations(ALICE, &b.jid).await.unwrap();
    assert_eq!(of_b, [("x".to_owned(), b.clone())]);
    assert!(f.store.affiliations(BOB, &b.jid).await.unwrap().is_empty());
    assert_eq!(f.store.node_affiliate(ALICE, "x", &b.jid).await.unwrap(), b);
    assert_eq!(f.store.node_affiliate(ALICE, "y", &b.jid).await.unwrap(), Affiliate::nobody(b.jid.clone()));
    change("b@a.example", Some(Affiliation::None), Some(none)).await;
    assert_eq!(f.store.affiliates(ALICE, "x").await.unwrap(), std::slice::from_ref(&c));
    f.store.forget_affiliate(&c.jid).await.unwrap();
    assert!(f.store.affiliates(ALICE, "x").await.unwrap().is_empty());
}

pub(crate) async fn nodes_go_with_the_account(f: Fixture) {
    let account = f.store.create_account(account(Some("anna"))).await.unwrap();
    let x = node("x", 1);
    f.store.change_items(account.uid, vec![publish(&x, "a", "1")]).await.unwrap();
    f.store.delete_account(account.uid).await.unwrap();
    assert!(f.store.nodes(account.uid).await.unwrap().is_empty());
    assert_eq!(f.store.items(account.uid, "x", ItemWindow::First, 9).await.unwrap(), None);
    // A session that is about to end makes no new ones.
    assert_eq!(
        f.store.change_items(account.uid, vec![publish(&x, "a", "1")]).await,
        Err(StoreError::NotFound)
    );
}

const SERVICE: Uid = Uid(0);

/// A node of the service.
fn made_by(creator: Uid, name: &str) -> Node {
    Node { creator: Some(creator), ..node(name, 9) }
}

pub(crate) async fn nodes_of_the_service_have_creators(f: Fixture) {
    let anna = f.store.create_account(account(Some("anna"))).await.unwrap().uid;
    let bert = f.store.create_account(account(Some("bert"))).await.unwrap().uid;
    let (a, b) = (jid("anna@a.example"), jid("bert@a.example"));
    let (news, more) = (made_by(anna, "news"), made_by(bert, "more"));
    f.store.create_node(SERVICE, news.clone(), Some(a.clone())).await.unwrap();
    f.store.create_node(SERVICE, more.clone(), Some(b.clone())).await.unwrap();
    assert_eq!(f.store.create_node(SERVICE, made_by(bert, "news"), None).await, Err(StoreError::Conflict));
    assert_eq!(f.store.node_affiliate(SERVICE, "news", &a).await.unwrap().affiliation, Affiliation::Owner);
    let listed = f.store.nodes_after(SERVICE, 0, 9, &b).await.unwrap();
    let names: Vec<_> = listed.iter().map(|l| (&*l.node.name, l.part.affiliation)).collect();
    assert_eq!(names, [("news", Affiliation::None), ("more", Affiliation::Owner)]);
    let rest = f.store.nodes_after(SERVICE, listed[0].number, 9, &b).await.unwrap();
    assert_eq!(rest, listed[1..]);
    assert_eq!(f.store.nodes_of_creator(SERVICE, anna).await.unwrap(), std::slice::from_ref(&news));
    assert!(f.store.nodes(anna).await.unwrap().is_empty(), "they are not the account's own");
    let add = |node: &Node| vec![ItemChange::Add(node.clone(), item("1", "x"))];
    f.store.change_items(SERVICE, add(&news)).await.unwrap();
    f.store.change_items(SERVICE, add(&more)).await.unwrap();

    f.store.delete_account(anna).await.unwrap();
    assert_eq!(f.store.node(SERVICE, "news").await.unwrap(), None);
    assert_eq!(f.store.items_by_id(SERVICE, "more", vec!["1".into()]).await.unwrap().len(), 1);
    assert_eq!(f.store.create_node(SERVICE, news, Some(a)).await, Err(StoreError::NotFound), "it is gone");
}

pub(crate) async fn each_creator_has_room_of_its_own(f: Fixture) {
    for n in 0..limits::NODES {
        f.store.create_node(SERVICE, made_by(ALICE, &format!("n{n}")), None).await.unwrap();
    }
    let more = |creator| f.store.create_node(SERVICE, made_by(creator, "more"), None);
    assert!(matches!(more(ALICE).await, Err(StoreError::Limit(_))));
    more(BOB).await.unwrap();
    f.store.create_node(ALICE, node("own", 9), None).await.unwrap();
    let large = "x".repeat(limits::ITEM_BYTES);
    let add = |node: Node, id: usize| {
        let change = ItemChange::Add(node, item(&format!("{id:02}"), &large));
        f.store.change_items(SERVICE, vec![change])
    };
    // As many as fit, and one more: in several nodes, as it is the creator's room that ends.
    for n in 0..limits::ITEMS_BYTES / (limits::ITEM_BYTES + 2) {
        add(made_by(ALICE, &format!("n{}", n / 9)), n).await.unwrap();
    }
    assert!(matches!(add(made_by(ALICE, "n500"), 0).await, Err(StoreError::Limit(_))));
    add(made_by(BOB, "more"), 0).await.unwrap();
    f.store.change_items(ALICE, vec![publish(&node("own", 9), "a", &large)]).await.unwrap();
}

pub(crate) async fn subscribers_have_last_items(f: Fixture) {
    let b = jid("b@a.example");
    for name in ["one", "two", "three", "four"] {
        f.store.create_node(SERVICE, made_by(ALICE, name), None).await.unwrap();
        f.store
            .change_items(SERVICE, vec![ItemChange::Add(made_by(ALICE, name), item("1", "x"))])
            .await
            .unwrap();
    }
    f.store
        .change_items(SERVICE, vec![ItemChange::Add(made_by(ALICE, "one"), item("2", "x"))])
        .await
        .unwrap();
    let change = async |node: &str, subscription, deliver| {
        let change = AffiliateChange { deliver, ..AffiliateChange::subscription(b.clone(), subscription) };
        f.store.change_affiliates(SERVICE, node, vec![change]).await.unwrap();
    };
    let last = async |max| {
        let last = f.store.last_items_subscribed(SERVICE, &b, max).await.unwrap();
        last.into_iter().map(|last| (last.node.name, last.item.id)).collect::<Vec<_>>()
    };
    change("one", Subscription::Subscribed, None).await;
    change("two", Subscription::Pending, None).await;
    change("three", Subscription::Subscribed, Some(false)).await;
    change("four", Subscription::Subscribed, None).await;
    let (one, three, four) =
        (("one".into(), "2".into()), ("three".into(), "1".into()), ("four".into(), "1".into()));
    assert_eq!(last(9).await, [four.clone(), one.clone()]);
    assert_eq!(last(1).await, std::slice::from_ref(&four));
    // Who comes back begins anew.
    change("three", Subscription::None, None).await;
    change("three", Subscription::Subscribed, None).await;
    assert_eq!(last(9).await, [four, three, one]);
    let of_b = f.store.affiliations(SERVICE, &b).await.unwrap();
    assert_eq!(
        of_b.iter().map(|(node, _)| node.as_str()).collect::<Vec<_>>(),
        ["four", "one", "three", "two"]
    );
}

pub(crate) async fn subscriptions_are_bounded(f: Fixture) {
    let subscribe = async |n: usize| {
        let (name, b) = (format!("n{n}"), jid("b@a.example"));
        // Two creators, as one alone has no room for so many.
        let creator = if n.is_multiple_of(2) { ALICE } else { BOB };
        f.store.create_node(SERVICE, made_by(creator, &name), None).await.unwrap();
        let change = AffiliateChange::subscription(b, Subscription::Subscribed);
        f.store.change_affiliates(SERVICE, &name, vec![change]).await
    };
    for n in 0..limits::PARTS {
        subscribe(n).await.unwrap();
    }
    assert!(matches!(subscribe(limits::PARTS).await, Err(StoreError::Limit(_))));
}

pub(crate) async fn verified_capabilities_are_kept(mut f: Fixture) {
    let values = vec!["urn:a".to_owned(), "urn:b".to_owned()];
    f.store.add_caps("sha-1 x", values.clone(), Timestamp(1)).await.unwrap();
    f.store.add_caps("sha-1 none", Vec::new(), Timestamp(1)).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.caps("sha-1 x").await.unwrap(), Some(values));
    assert_eq!(f.store.caps("sha-1 none").await.unwrap(), Some(Vec::new()));
    assert_eq!(f.store.caps("sha-1 y").await.unwrap(), None);
    let large = f.store.add_caps("l", vec!["x".repeat(limits::CAPS_BYTES)], Timestamp(1)).await;
    assert!(matches!(large, Err(StoreError::Limit(_))));
}
