//! Pager numbers of accounts, and the devices behind them.

use rookery_proto::Uid;
use rookery_store::{Pager, PagerDevice, StoreError, Timestamp, limits};

use crate::common::*;

fn pager(number: &str, uid: Uid) -> Pager {
    let (carrier, address) = ("city".into(), "5551234".into());
    let device = PagerDevice { carrier, address, numeric: true, two_way: false, length: 20 };
    Pager { number: number.into(), uid, device: Some(device), at: Timestamp(1) }
}

async fn new(f: &Fixture) -> Uid {
    f.store.create_account(account(None)).await.unwrap().uid
}

pub(crate) async fn a_pager_number_is_one_accounts(mut f: Fixture) {
    let (alice, bob) = (new(&f).await, new(&f).await);
    let without = Pager { device: None, ..pager("78", alice) };
    f.store.add_pager(pager("77", alice)).await.unwrap();
    f.store.add_pager(without.clone()).await.unwrap();
    f.store.add_pager(pager("9", bob)).await.unwrap();
    assert!(matches!(f.store.add_pager(pager("77", bob)).await, Err(StoreError::Conflict)));
    assert!(matches!(f.store.add_pager(pager("5", Uid(99_999))).await, Err(StoreError::NotFound)));
    f.reopen().await;
    assert_eq!(f.store.pager("77").await.unwrap(), Some(pager("77", alice)));
    assert_eq!(f.store.pager("7").await.unwrap(), None);
    assert_eq!(f.store.pagers(Some(alice), "").await.unwrap(), [pager("77", alice), without]);
    let numbers: Vec<String> =
        f.store.pagers(None, "77").await.unwrap().into_iter().map(|it| it.number).collect();
    assert_eq!(numbers, ["78", "9"]);
    assert!(f.store.remove_pager("77").await.unwrap() && !f.store.remove_pager("77").await.unwrap());
    f.store.add_pager(pager("77", bob)).await.unwrap();
    f.store.delete_account(bob).await.unwrap();
    assert_eq!(f.store.pager("77").await.unwrap(), None, "it goes with its account");
}

pub(crate) async fn pagers_are_bounded(f: Fixture) {
    let alice = new(&f).await;
    let long = "x".repeat(limits::PAGER_BYTES + 1);
    let mut nameless = pager("1", alice);
    nameless.device.as_mut().unwrap().carrier.clear();
    for bad in [pager("", alice), pager(&long, alice), pager("A", alice), nameless] {
        assert!(matches!(f.store.add_pager(bad).await, Err(StoreError::Invalid(_))));
    }
    for number in 0..limits::PAGERS {
        f.store.add_pager(pager(&number.to_string(), alice)).await.unwrap();
    }
    assert!(matches!(f.store.add_pager(pager("x", alice)).await, Err(StoreError::Limit(_))));
}
