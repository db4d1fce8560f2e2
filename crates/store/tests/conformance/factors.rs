//! Second factors.

use rookery_store::{Factor, Timestamp};

use crate::common::*;

pub(crate) async fn a_code_is_used_once(mut f: Fixture) {
    let factor = Factor { seed: [7; 16], since: Timestamp(3), step: 10 };
    assert_eq!(f.store.factor(ALICE).await.unwrap(), None);
    assert!(!f.store.use_factor(ALICE, 11).await.unwrap());
    assert!(f.store.set_factor(ALICE, factor).await.unwrap());
    let other = Factor { seed: [8; 16], ..factor };
    assert!(!f.store.set_factor(ALICE, other).await.unwrap(), "who has one keeps it");
    assert!(!f.store.use_factor(ALICE, 10).await.unwrap());
    assert!(f.store.use_factor(ALICE, 12).await.unwrap());
    assert!(!f.store.use_factor(ALICE, 11).await.unwrap());
    f.reopen().await;
    assert_eq!(f.store.factor(ALICE).await.unwrap(), Some(Factor { step: 12, ..factor }));
    assert_eq!(f.store.factor(BOB).await.unwrap(), None);
    assert!(f.store.remove_factor(ALICE).await.unwrap());
    assert!(!f.store.remove_factor(ALICE).await.unwrap());
}
