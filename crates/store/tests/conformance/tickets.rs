//! What counts once.

use rookery_store::{TicketHash, Timestamp};

use crate::common::*;

pub(crate) async fn a_ticket_is_used_once(mut f: Fixture) {
    let (one, other) = (TicketHash([1; 32]), TicketHash([2; 32]));
    let (now, expires) = (Timestamp(10), Timestamp(20));
    assert!(!f.store.is_ticket_used(one).await.unwrap());
    assert!(f.store.use_ticket(one, expires, now).await.unwrap());
    f.reopen().await;
    assert!(f.store.is_ticket_used(one).await.unwrap());
    assert!(!f.store.use_ticket(one, expires, now).await.unwrap());
    assert!(f.store.use_ticket(other, expires, now).await.unwrap(), "another is another");
    let late = TicketHash([3; 32]);
    assert!(!f.store.use_ticket(late, expires, expires).await.unwrap(), "its time is over");
}
