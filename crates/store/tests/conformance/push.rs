//! Registrations for push.

use rookery_proto::{Uid, Useq};
use rookery_store::{
    AddressKind, Credentials, DeviceId, Proof, PushContent, PushFilter, PushId, PushTarget, Registrant, Seen,
    SignIn, StoreError, Timestamp, limits,
};

use crate::common::*;

const NOW: Timestamp = Timestamp(5);
const PHONE: DeviceId = DeviceId([1; 10]);

fn by(resource: &str) -> Registrant {
    Registrant { resource: resource.into(), device: None }
}

fn node(node: &str) -> PushTarget {
    PushTarget::AppServer { jid: "push.example".into(), node: node.into(), options: Vec::new() }
}

fn endpoint(endpoint: &str) -> PushTarget {
    PushTarget::Web { endpoint: endpoint.into(), key: [4; 65], auth: [7; 16] }
}

async fn alice(f: &Fixture) -> Uid {
    f.store.create_account(account(Some("alice"))).await.unwrap().uid
}

async fn targets(f: &Fixture, uid: Uid) -> Vec<PushTarget> {
    f.store.pushes(uid).await.unwrap().0.into_iter().map(|push| push.target).collect()
}

pub(crate) async fn registrations_are_kept_by_what_they_lead_to(mut f: Fixture) {
    let uid = alice(&f).await;
    let first = f.store.set_push(uid, by("a"), node("one"), NOW).await.unwrap();
    f.store.set_push(uid, by("b"), endpoint("https://one.example/x"), NOW).await.unwrap();
    f.store.set_push(uid, by("b"), node(""), NOW).await.unwrap();
    let options = PushTarget::AppServer {
        jid: "push.example".into(),
        node: "one".into(),
        options: b"<x xmlns='jabber:x:data'/>".to_vec(),
    };
    assert_eq!(f.store.set_push(uid, by("c"), options.clone(), NOW).await.unwrap(), first, "the same one");
    f.store.set_push_content(uid, PushContent::Full).await.unwrap();
    f.reopen().await;
    let (pushes, content) = f.store.pushes(uid).await.unwrap();
    assert_eq!((pushes[0].by.clone(), content), (by("c"), PushContent::Full));
    assert_eq!(targets(&f, uid).await, [options, endpoint("https://one.example/x"), node("")]);
    assert_eq!(f.store.push_accounts().await.unwrap(), [uid]);
    assert_eq!(f.store.pushes(BOB).await.unwrap(), (Vec::new(), PushContent::Nothing));

    let at = |node: Option<&str>| PushFilter::AppServer {
        jid: "push.example".into(),
        node: node.map(str::to_owned),
    };
    let remove = async |filter| f.store.remove_pushes(uid, filter).await.unwrap();
    assert_eq!(remove(at(Some("other"))).await, []);
    assert_eq!(remove(at(Some("one"))).await, [first]);
    assert_eq!(remove(at(None)).await.len(), 1);
    assert_eq!(remove(PushFilter::Endpoint("https://two.example/x".into())).await, []);
    assert_eq!(remove(PushFilter::Endpoint("https://one.example/x".into())).await.len(), 1);
    let again = f.store.set_push(uid, by("a"), node("one"), NOW).await.unwrap();
    assert_eq!(remove(PushFilter::Id(again)).await, [again]);
    assert_eq!(f.store.push_accounts().await.unwrap(), []);
}

pub(crate) async fn registrations_are_bounded(f: Fixture) {
    let uid = alice(&f).await;
    for n in 0..limits::PUSHES {
        f.store.set_push(uid, by("a"), node(&n.to_string()), NOW).await.unwrap();
    }
    let more = f.store.set_push(uid, by("a"), node("more"), NOW).await;
    assert_eq!(more, Err(StoreError::Limit("push registrations")));
    f.store.set_push(uid, by("b"), node("3"), NOW).await.unwrap();
    let long = endpoint(&"x".repeat(limits::PUSH_BYTES));
    f.store
        .remove_pushes(uid, PushFilter::AppServer { jid: "push.example".into(), node: None })
        .await
        .unwrap();
    assert_eq!(
        f.store.set_push(uid, by("a"), long, NOW).await,
        Err(StoreError::Invalid("push registration"))
    );
    assert_eq!(f.store.set_push(Uid(5), by("a"), node("x"), NOW).await, Err(StoreError::NotFound));
}

pub(crate) async fn registrations_go_with_their_device_and_account(f: Fixture) {
    let uid = alice(&f).await;
    let seen = Seen {
        id: PHONE,
        software: None,
        name: None,
        at: Timestamp(1),
        address: AddressKind::V4,
        public: false,
    };
    let proof = Proof::Password(Credentials(b"keys".to_vec()));
    f.store.sign_in(uid, SignIn { proof, seen: Some(seen), issue: None }).await.unwrap();
    let device = Registrant { resource: "a".into(), device: Some(PHONE) };
    f.store.set_push(uid, device, node("phone"), NOW).await.unwrap();
    f.store.set_push(uid, by("b"), node("desk"), NOW).await.unwrap();
    f.store.remove_device(uid, PHONE).await.unwrap();
    assert_eq!(targets(&f, uid).await, [node("desk")]);
    f.store.set_push_content(uid, PushContent::Sender).await.unwrap();
    f.store.delete_account(uid).await.unwrap();
    assert_eq!(f.store.pushes(uid).await.unwrap(), (Vec::new(), PushContent::Nothing));
}

pub(crate) async fn what_was_not_told_is_found(mut f: Fixture) {
    let uid = alice(&f).await;
    let bob = f.store.create_account(account(Some("bob"))).await.unwrap().uid;
    let said = async |text: &str, at| stored(&f.store, message(bob, uid, text, at)).await[1];
    said("before", 1_000).await;
    let first = f.store.set_push(uid, by("a"), node("one"), NOW).await.unwrap();
    assert_eq!(f.store.pushes(uid).await.unwrap().0[0].told, Useq(1), "a new one is told what comes");
    let (second, third) = (Useq(said("hi", 2_000).await), Useq(said("hi", 3_000).await));
    f.store.set_told(vec![(first, second)]).await.unwrap();
    f.store.set_told(vec![(first, Useq(1)), (PushId(99), third)]).await.unwrap();
    f.store.set_push(uid, by("b"), node("one"), NOW).await.unwrap();
    f.reopen().await;
    let untold = async |after, since| f.store.untold(after, Timestamp(since)).await.unwrap();
    assert_eq!(untold(Uid(0), 0).await, [(uid, second)], "it never goes back, and a change is no new one");
    assert_eq!(untold(uid, 0).await, []);
    f.store.set_push(uid, by("b"), node("two"), NOW).await.unwrap();
    assert_eq!(untold(Uid(0), 0).await, [(uid, second)], "the first of them counts");
    assert_eq!(untold(Uid(0), 4_000).await, [(uid, third)], "what is too old is left out");
}
