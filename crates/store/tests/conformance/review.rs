//! Accounts that wait for approval.

use rookery_proto::Uid;
use rookery_store::{Shown, Store};

use crate::common::*;

async fn sign_up(store: &Store, invite: Option<Shown>, waits: bool) -> Uid {
    let new = rookery_store::NewAccount { invite, ..account(None) };
    store.sign_up(new, Vec::new(), "example.org".to_owned(), waits).await.unwrap().account.uid
}

pub(crate) async fn an_account_waits_until_it_is_approved(mut f: Fixture) {
    let (one, two) = (sign_up(&f.store, None, true).await, sign_up(&f.store, None, true).await);
    let other = sign_up(&f.store, None, false).await;
    f.reopen().await;
    let waiting = async |after: Option<Uid>, limit| -> Vec<Uid> {
        let accounts = f.store.waiting(after, limit).await.unwrap();
        accounts.into_iter().map(|account| account.uid).collect()
    };
    assert_eq!(waiting(None, 9).await, [one, two]);
    assert_eq!(waiting(None, 1).await, [one]);
    assert_eq!(waiting(Some(one), 9).await, [two]);
    assert!(f.store.waits(one).await.unwrap() && !f.store.waits(other).await.unwrap());
    assert!(f.store.approve(one).await.unwrap());
    assert!(!f.store.approve(one).await.unwrap() && !f.store.approve(other).await.unwrap());
    f.store.delete_account(two).await.unwrap();
    assert_eq!(waiting(None, 9).await, []);
}
