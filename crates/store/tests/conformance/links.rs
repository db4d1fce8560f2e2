//! One-time links.

use rookery_store::{Credentials, LinkHash, LinkPurpose, PushTarget, Registrant, StoreError, Timestamp};

use crate::common::*;

const HASH: LinkHash = LinkHash([1; 32]);
const OTHER: LinkHash = LinkHash([2; 32]);

pub(crate) async fn a_link_makes_one_administrator(mut f: Fixture) {
    let (now, later) = (Timestamp(10), Timestamp(20));
    f.store.create_link(HASH, LinkPurpose::Administrator, later).await.unwrap();
    f.reopen().await;
    assert_eq!(f.store.link(HASH, now).await.unwrap(), Some(LinkPurpose::Administrator));
    assert_eq!(f.store.link(HASH, later).await.unwrap(), None, "it has expired");
    let made = |hash, name| f.store.use_administrator_link(hash, now, account(name));
    assert_eq!(made(OTHER, None).await.unwrap_err(), StoreError::NotFound);
    f.store.create_account(account(Some("romeo"))).await.unwrap();
    // What is refused uses nothing up.
    assert_eq!(made(HASH, Some("romeo")).await.unwrap_err(), StoreError::Conflict);
    let first = made(HASH, Some("juliet")).await.unwrap();
    assert_eq!(f.store.admins().await.unwrap(), [first.uid]);
    assert_eq!(made(HASH, Some("nurse")).await.unwrap_err(), StoreError::NotFound);
    assert_eq!(f.store.link(HASH, now).await.unwrap(), None);
}

pub(crate) async fn a_link_sets_a_password_once(f: Fixture) {
    let (now, later) = (Timestamp(10), Timestamp(20));
    let romeo = f.store.create_account(account(Some("romeo"))).await.unwrap().uid;
    let juliet = f.store.create_account(account(Some("juliet"))).await.unwrap().uid;
    f.store.create_link(OTHER, LinkPurpose::Recovery(romeo), later).await.unwrap();
    f.store.create_link(HASH, LinkPurpose::Recovery(romeo), later).await.unwrap();
    assert_eq!(f.store.link(OTHER, now).await.unwrap(), None, "the newest counts");
    f.store.create_link(OTHER, LinkPurpose::Recovery(juliet), later).await.unwrap();
    let set = |hash, at| f.store.use_recovery_link(hash, at, Credentials(b"new keys".to_vec()), None);
    assert_eq!(set(HASH, later).await.unwrap_err(), StoreError::NotFound, "it has expired");
    assert_eq!(
        f.store.use_administrator_link(HASH, now, account(None)).await.unwrap_err(),
        StoreError::NotFound,
        "it is for something else"
    );
    let target =
        PushTarget::AppServer { jid: "push.example".into(), node: "one".into(), options: Vec::new() };
    let by = Registrant { resource: "phone".into(), device: None };
    let told = f.store.set_push(romeo, by, target, now).await.unwrap();
    assert_eq!(
        set(HASH, now).await.unwrap(),
        (romeo, vec![told]),
        "nobody stays signed in, and nobody is told"
    );
    assert_eq!(f.store.push_accounts().await.unwrap(), []);
    assert_eq!(set(HASH, now).await.unwrap_err(), StoreError::NotFound);
    f.store.create_link(HASH, LinkPurpose::Recovery(romeo), later).await.unwrap();
    f.store.set_credentials(romeo, Credentials(b"remembered".to_vec()), Vec::new()).await.unwrap();
    assert_eq!(f.store.link(HASH, now).await.unwrap(), None, "who has a password again needs none");
    f.store.set_disabled(juliet, true).await.unwrap();
    assert_eq!(set(OTHER, now).await.unwrap_err(), StoreError::NotFound);
    f.store.set_disabled(juliet, false).await.unwrap();
    f.store.delete_account(juliet).await.unwrap();
    assert_eq!(set(OTHER, now).await.unwrap_err(), StoreError::NotFound);
    let nobody = f.store.create_link(OTHER, LinkPurpose::Recovery(juliet), later).await;
    assert_eq!(nobody.unwrap_err(), StoreError::NotFound);
}
