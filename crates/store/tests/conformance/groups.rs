//! Groups, and who stands how to them.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Appended, Direction, GroupAffiliate, GroupAffiliation, GroupConfig, GroupSubject, Hat, Hats, Item,
    ItemChange, ItemWindow, NewGroup, Node, Policy, StoreError, SweepCursor, Timestamp, limits,
};
use smallvec::smallvec;

use crate::common::*;

fn config(text: &str) -> GroupConfig {
    GroupConfig { text: text.into(), lasting: true, listed: false, days: None }
}

fn affiliate(who: &str, affiliation: GroupAffiliation) -> GroupAffiliate {
    GroupAffiliate { jid: jid(who), affiliation, nick: None, reason: None }
}

pub(crate) fn new(name: Option<&str>) -> NewGroup {
    NewGroup {
        uid: None,
        name: name.map(Into::into),
        config: config("{}"),
        affiliates: vec![affiliate("alice@example.org", GroupAffiliation::Owner)],
        created: Timestamp(5),
        created_by: Some(jid("alice@example.org")),
        epoch: 9,
    }
}

pub(crate) async fn groups_have_numbers_and_perhaps_names(mut f: Fixture) {
    let first = f.store.create_group(new(None)).await.unwrap();
    assert_eq!((first.uid, &first.name), (Uid(700_001), &None));
    let kept = f.store.reserve_group().await.unwrap();
    let named = f.store.create_group(new(Some("tea"))).await.unwrap();
    assert_eq!((kept, named.uid), (Uid(700_002), Uid(700_003)));
    f.reopen().await;
    assert_eq!(f.store.group(named.uid).await.unwrap(), Some(named.clone()));
    assert_eq!(f.store.group_by_name("tea").await.unwrap(), Some(named));
    assert_eq!(f.store.group(kept).await.unwrap(), None);
    let with = |uid, name: Option<&str>| NewGroup { uid: Some(uid), ..new(name) };
    assert_eq!(f.store.create_group(new(Some("tea"))).await, Err(StoreError::Conflict));
    assert_eq!(f.store.create_group(new(Some("123"))).await, Err(StoreError::Invalid("name")));
    assert_eq!(f.store.create_group(with(kept, None)).await.unwrap().uid, kept);
    for taken in [kept, Uid(700_004), Uid(10_001), Uid(700_000)] {
        assert_eq!(f.store.create_group(with(taken, None)).await, Err(StoreError::Conflict), "{taken}");
    }
    assert_eq!(f.store.group_count().await, Ok(3));
}

pub(crate) async fn nobody_takes_all_groups(f: Fixture) {
    for _ in 0..limits::GROUPS_MADE {
        f.store.create_group(new(None)).await.unwrap();
    }
    assert_eq!(f.store.create_group(new(None)).await, Err(StoreError::Limit("groups of yours")));
    f.store.create_group(NewGroup { created_by: None, ..new(None) }).await.unwrap();
    f.store.destroy_group(Uid(700_001)).await.unwrap();
    f.store.create_group(new(None)).await.unwrap();
}

pub(crate) async fn a_group_is_configured_and_found(f: Fixture) {
    let uid = f.store.create_group(new(None)).await.unwrap().uid;
    let hidden = f.store.create_group(new(Some("den"))).await.unwrap().uid;
    let listed = GroupConfig { text: "{\"a\":1}".into(), lasting: false, listed: true, days: Some(7) };
    f.store.configure_group(uid, listed.clone()).await.unwrap();
    assert_eq!(f.store.group(uid).await.unwrap().map(|group| group.config), Some(listed.clone()));
    assert_eq!(f.store.configure_group(Uid(700_009), listed).await, Err(StoreError::NotFound));
    let uids = |groups: Vec<rookery_store::Group>| groups.iter().map(|group| group.uid).collect::<Vec<_>>();
    assert_eq!(uids(f.store.listed_groups(None, 10).await.unwrap()), [uid]);
    assert_eq!(uids(f.store.listed_groups(Some(uid), 10).await.unwrap()), []);
    assert_eq!(uids(f.store.groups(None, 10).await.unwrap()), [uid, hidden]);
    assert_eq!(uids(f.store.groups(None, 1).await.unwrap()), [uid]);
    assert_eq!(f.store.passing_groups(Uid(0), 10).await.unwrap(), [uid]);
    assert_eq!(f.store.passing_groups(uid, 10).await.unwrap(), []);
    let long = config(&"x".repeat(limits::GROUP_CONFIG_BYTES + 1));
    assert!(matches!(f.store.configure_group(uid, long).await, Err(StoreError::Invalid(_))));
}

pub(crate) async fn affiliations_change_together_or_not(f: Fixture) {
    use GroupAffiliation::{Admin, Member, None, Outcast, Owner};
    let uid = f.store.create_group(new(Option::None)).await.unwrap().uid;
    let of = async || f.store.group_affiliates(uid).await.unwrap();
    let bob = GroupAffiliate {
        nick: Some("bob".into()),
        reason: Some("why".into()),
        ..affiliate("bob@example.org", Outcast)
    };
    let alice = affiliate("alice@example.org", Owner);
    f.store.affiliate(uid, vec![bob.clone(), affiliate("carol@example.org", Admin)]).await.unwrap();
    assert_eq!(of().await, [alice.clone(), bob.clone(), affiliate("carol@example.org", Admin)]);
    let change = vec![affiliate("carol@example.org", Member), affiliate("alice@example.org", Admin)];
    assert_eq!(f.store.affiliate(uid, change).await, Err(StoreError::Conflict), "the last owner stays");
    let stolen = GroupAffiliate { nick: Some("bob".into()), ..affiliate("carol@example.org", Member) };
    assert_eq!(f.store.affiliate(uid, vec![stolen.clone()]).await, Err(StoreError::Conflict));
    assert_eq!(of().await, [alice.clone(), bob.clone(), affiliate("carol@example.org", Admin)]);
    let bare = affiliate("bob@example.org", None);
    f.store.affiliate(uid, vec![stolen.clone(), bare]).await.unwrap();
    assert_eq!(of().await, [alice.clone(), stolen.clone()], "the nickname was free by then");
    let heir = affiliate("carol@example.org", Owner);
    f.store.affiliate(uid, vec![affiliate("alice@example.org", None), heir.clone()]).await.unwrap();
    assert_eq!(of().await, [heir]);
    let long = GroupAffiliate { reason: Some("x".repeat(limits::TEXT_BYTES + 1)), ..alice.clone() };
    assert!(matches!(f.store.affiliate(uid, vec![long]).await, Err(StoreError::Invalid(_))));
    assert_eq!(f.store.affiliate(Uid(700_009), vec![alice]).await, Err(StoreError::NotFound));
}

pub(crate) async fn somebody_is_forgotten_everywhere(f: Fixture) {
    let one = f.store.create_group(new(None)).await.unwrap();
    let two = f.store.create_group(new(Some("tea"))).await.unwrap();
    let alice = jid("alice@example.org");
    let owner = affiliate("alice@example.org", GroupAffiliation::Owner);
    let of = f.store.groups_of(&alice).await.unwrap();
    assert_eq!(of, [(one.clone(), owner.clone()), (two.clone(), owner)]);
    // What it has asked for elsewhere goes too, and nobody else's.
    let requests = Node { name: "requests".into(), kept: 9, config: String::new(), creator: None };
    for who in ["alice@example.org", "bob@example.org"] {
        let (id, publisher) = (who.to_owned(), who.to_owned());
        let asks = Item { id, at: Timestamp(7), publisher, payload: "<x/>".into() };
        f.store.change_items(two.uid, vec![ItemChange::Publish(requests.clone(), asks)]).await.unwrap();
    }
    assert_eq!(f.store.forget_group_affiliate(&alice, "requests").await.unwrap(), [one.uid, two.uid]);
    let left = f.store.items(two.uid, "requests", ItemWindow::First, 9).await.unwrap().unwrap().items;
    assert_eq!(left.iter().map(|item| item.id.as_str()).collect::<Vec<_>>(), ["bob@example.org"]);
    assert_eq!(f.store.groups_of(&alice).await.unwrap(), []);
    assert_eq!(f.store.group_affiliates(one.uid).await.unwrap(), []);
    // What has no owner any more takes one from the operator.
    f.store.affiliate(one.uid, vec![affiliate("bob@example.org", GroupAffiliation::Member)]).await.unwrap();
}

pub(crate) async fn hats_are_made_and_worn(mut f: Fixture) {
    let group = f.store.create_group(new(Some("tea"))).await.unwrap().uid;
    let hat = |uri: &str, title: &str| Hat { uri: uri.into(), title: title.into(), hue: None };
    f.store.set_hat(group, hat("urn:b", "Host")).await.unwrap();
    f.store.set_hat(group, hat("urn:a", "Guest")).await.unwrap();
    let host = Hat { hue: Some("120.5".into()), ..hat("urn:b", "The host") };
    f.store.set_hat(group, host.clone()).await.unwrap();
    let (bob, carol) = (jid("bob@example.org"), jid("carol@example.org"));
    let wear =
        async |uri: &str, who: &BareJid, wears| f.store.wear_hat(group, uri.into(), who.clone(), wears).await;
    assert_eq!(wear("urn:b", &bob, true).await, Ok(true));
    assert_eq!(wear("urn:b", &bob, true).await, Ok(false), "once");
    assert_eq!(wear("urn:a", &bob, true).await, Ok(true));
    assert_eq!(wear("urn:a", &carol, true).await, Ok(true));
    assert_eq!(wear("urn:c", &carol, true).await, Err(StoreError::NotFound));
    assert_eq!(wear("urn:b", &carol, false).await, Ok(false));
    assert_eq!(f.store.set_hat(Uid(9), hat("urn:a", "x")).await, Err(StoreError::NotFound));
    f.reopen().await;
    let worn = |pairs: &[(&BareJid, &str)]| {
        pairs.iter().map(|(who, uri)| ((*who).clone(), (*uri).to_owned())).collect::<Vec<_>>()
    };
    let all = worn(&[(&bob, "urn:a"), (&bob, "urn:b"), (&carol, "urn:a")]);
    let hats = |known, worn| Hats { known, worn };
    assert_eq!(f.store.hats(group).await.unwrap(), hats(vec![hat("urn:a", "Guest"), host.clone()], all));
    // A hat that is no more is worn by nobody, and who is gone wears none.
    assert_eq!(f.store.remove_hat(group, "urn:a".into()).await, Ok(true));
    assert_eq!(f.store.remove_hat(group, "urn:a".into()).await, Ok(false));
    assert_eq!(f.store.hats(group).await.unwrap(), hats(vec![host.clone()], worn(&[(&bob, "urn:b")])));
    assert_eq!(f.store.forget_group_affiliate(&bob, "").await.unwrap(), [group]);
    assert_eq!(f.store.hats(group).await.unwrap(), hats(vec![host], vec![]));
    for n in 1..limits::HATS {
        f.store.set_hat(group, hat(&format!("urn:x{n}"), "x")).await.unwrap();
    }
    assert_eq!(f.store.set_hat(group, hat("urn:y", "y")).await, Err(StoreError::Limit("hats")));
    f.store.destroy_group(group).await.unwrap();
    assert_eq!(f.store.hats(group).await.unwrap(), Hats::default());
}

pub(crate) async fn a_subject_is_set_with_its_message(f: Fixture) {
    let uid = f.store.create_group(new(None)).await.unwrap().uid;
    let subject = |text: &str| GroupSubject { text: text.into(), by: "Alice".into(), at: Timestamp(8) };
    let says = |id: &str| {
        let mut append = message(ALICE, BOB, "<message/>", 8);
        append.pointers = smallvec![pointer(uid, jid("alice@example.org"), Direction::In)];
        append.origin =
            Some(rookery_store::Origin { sender: ALICE, peer: address(uid), id: id.into(), dedup: true });
        append
    };
    let set = async |text, id| {
        f.store.set_group_subject(uid, subject(text), says(id)).await.unwrap().await.unwrap()
    };
    assert_eq!(set("tea", "1").await, Appended::Stored(smallvec![Useq(1)]));
    assert_eq!(set("milk", "2").await, Appended::Stored(smallvec![Useq(2)]));
    assert_eq!(set("tea", "1").await, Appended::Duplicate);
    assert_eq!(f.store.group(uid).await.unwrap().and_then(|group| group.subject), Some(subject("milk")));
    assert_eq!(f.store.head(uid).await.unwrap().head, Useq(2));
}

pub(crate) async fn an_ended_group_is_gone_for_good(f: Fixture) {
    let uid = f.store.create_group(new(Some("tea"))).await.unwrap().uid;
    let says = || {
        let mut append = message(ALICE, BOB, "<message/>", 8);
        append.pointers = smallvec![pointer(uid, jid("alice@example.org"), Direction::In)];
        append
    };
    f.store.append(says()).await.unwrap().await.unwrap();
    f.store.destroy_group(uid).await.unwrap();
    assert_eq!(f.store.destroy_group(uid).await, Err(StoreError::NotFound));
    assert_eq!(f.store.group(uid).await.unwrap(), None);
    assert_eq!(f.store.append(says()).await.unwrap().await, Err(StoreError::NotFound));
    f.store.erase_group(uid).await.unwrap();
    assert_eq!(f.store.events_after(uid, Useq(0), 10).await.unwrap(), []);
    assert_eq!(f.store.append(says()).await.unwrap().await, Err(StoreError::NotFound));
    let again = NewGroup { uid: Some(uid), ..new(None) };
    assert_eq!(f.store.create_group(again).await, Err(StoreError::Conflict), "a number is given once");
    assert_ne!(f.store.create_group(new(Some("tea"))).await.unwrap().uid, uid);
    f.store.sweep(Timestamp(10), Policy::default(), SweepCursor::default()).await.unwrap();
}
