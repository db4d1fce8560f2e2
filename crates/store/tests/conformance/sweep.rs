//! Retention: what goes, and what stays.

use rookery_proto::{Uid, Useq};
use rookery_store::{Flags, Policy, Store, SweepCursor, Swept, Timestamp, limits};

use crate::common::*;

const DAY: i64 = 86_400_000;

/// A whole round; what it removed, and its slices.
async fn round(store: &Store, now: i64, days: Option<u32>) -> (u64, u64, u32) {
    with_policy(store, now, Policy { days, group_days: None }).await
}

async fn with_policy(store: &Store, now: i64, policy: Policy) -> (u64, u64, u32) {
    let (mut entries, mut bodies, mut slices) = (0, 0, 0);
    let mut from = SweepCursor::default();
    loop {
        let swept: Swept = store.sweep(Timestamp(now), policy, from).await.unwrap();
        assert!(swept.entries <= limits::SWEEP as u64);
        entries += swept.entries;
        bodies += swept.bodies;
        slices += 1;
        match swept.next {
            Some(next) => from = next,
            None => return (entries, bodies, slices),
        }
    }
}

pub(crate) async fn old_entries_go_and_raise_the_floor(mut f: Fixture) {
    for day in 0..10 {
        stored(&f.store, message(ALICE, BOB, &day.to_string(), day * DAY)).await;
    }
    assert_eq!(round(&f.store, 9 * DAY, None).await, (0, 0, 5));
    assert_eq!(round(&f.store, 9 * DAY, Some(3)).await.0, 12);
    assert_eq!(log(&f.store, ALICE).await, [6, 7, 8, 9].map(|day: u64| (day + 1, day.to_string())));
    let head = f.store.head(BOB).await.unwrap();
    assert_eq!((head.floor, head.head), (Useq(6), Useq(10)));
    assert_eq!(round(&f.store, 1_000 * DAY, Some(3)).await.0, 8);
    f.reopen().await;
    let head = f.store.head(BOB).await.unwrap();
    assert_eq!((head.floor, head.head), (Useq(10), Useq(10)));
    assert_eq!(stored(&f.store, message(ALICE, BOB, "new", 0)).await, [11, 11]);
}

pub(crate) async fn an_account_may_keep_less(f: Fixture) {
    for day in 0..10 {
        stored(&f.store, message(ALICE, BOB, &day.to_string(), day * DAY)).await;
        stored(&f.store, message(Uid(3), BOB, "", day * DAY)).await;
    }
    f.store.set_retention_days(ALICE, Some(2)).await.unwrap();
    f.store.set_retention_days(Uid(3), Some(1_000)).await.unwrap();
    let (entries, bodies, _) = round(&f.store, 9 * DAY, None).await;
    assert_eq!((entries, bodies), (7, 0));
    assert_eq!(f.store.head(ALICE).await.unwrap().floor, Useq(7));
    assert_eq!(log(&f.store, BOB).await.len(), 20);
    // Longer than the server it cannot.
    let (entries, bodies, _) = round(&f.store, 9 * DAY, Some(5)).await;
    assert_eq!((entries, bodies), (4 + 8, 8));
}

pub(crate) async fn a_group_may_keep_less(mut f: Fixture) {
    let mut groups = Vec::new();
    for (name, days) in [("tea", Some(2)), ("den", None)] {
        let mut new = super::groups::new(Some(name));
        new.config.days = days;
        let group = f.store.create_group(new).await.unwrap();
        assert_eq!(f.store.group(group.uid).await.unwrap().unwrap().config.days, days);
        groups.push(group.uid);
    }
    let (tea, den) = (groups[0], groups[1]);
    for day in 0..10 {
        for group in [tea, den] {
            let mut said = message(ALICE, group, &day.to_string(), day * DAY);
            said.pointers[0] = pointer(group, address(ALICE), rookery_store::Direction::In);
            // A member's own copy.
            said.pointers[1] = pointer(BOB, address(group), rookery_store::Direction::In);
            stored(&f.store, said).await;
        }
    }
    f.reopen().await;
    assert_eq!(round(&f.store, 9 * DAY, None).await.0, 7);
    assert_eq!((log(&f.store, tea).await.len(), log(&f.store, den).await.len()), (3, 10));
    assert_eq!(log(&f.store, BOB).await.len(), 20, "what members have of it is theirs");
    let both = |days, group_days| Policy { days, group_days: Some(group_days) };
    assert_eq!(with_policy(&f.store, 9 * DAY, both(None, 5)).await.0, 4);
    assert_eq!(log(&f.store, den).await.len(), 6);
    // Longer than the server it cannot be.
    assert_eq!(with_policy(&f.store, 9 * DAY, both(Some(4), 9)).await.0, 1 + 2 * 5);
    // It may be set anew, and goes with the group.
    let config = f.store.group(tea).await.unwrap().unwrap().config;
    f.store.configure_group(tea, rookery_store::GroupConfig { days: None, ..config }).await.unwrap();
    assert_eq!(f.store.retention_days(tea).await.unwrap(), None);
    f.store.set_retention_days(den, Some(1)).await.unwrap();
    f.store.destroy_group(den).await.unwrap();
    assert_eq!(f.store.retention_days(den).await.unwrap(), None);
}

pub(crate) async fn a_body_goes_with_its_last_pointer(f: Fixture) {
    stored(&f.store, named(ALICE, BOB, "a", 0)).await;
    stored(&f.store, named(ALICE, BOB, "b", 0)).await;
    f.store.drop_pointers(ALICE, vec![Useq(1)]).await.unwrap();
    assert_eq!(round(&f.store, 9 * DAY, Some(1)).await.1, 2);
    // With the body its name is gone.
    assert_eq!(stored(&f.store, named(ALICE, BOB, "a", 0)).await, [3, 3]);
}

pub(crate) async fn what_passed_is_not_kept(f: Fixture) {
    for n in 1..=4 {
        let mut one = message(ALICE, BOB, &n.to_string(), n);
        if n != 2 {
            one.flags = Flags::DELIVER;
        }
        stored(&f.store, one).await;
    }
    f.store.set_delivered(vec![(BOB, Useq(3))]).await.unwrap();
    let later = limits::PASSING_KEPT_MS + 3;
    assert_eq!(round(&f.store, later, None).await.0, 1, "the third is too young, the fourth not delivered");
    assert_eq!(round(&f.store, later + 9, None).await.0, 1);
    assert_eq!(log(&f.store, BOB).await, [(2, "2".into()), (4, "4".into())]);
    let head = f.store.head(BOB).await.unwrap();
    assert_eq!((head.floor, head.head), (Useq(0), Useq(4)));
    f.store.set_delivered(vec![(BOB, Useq(4))]).await.unwrap();
    f.store.owe(BOB, vec![Useq(4)]).await.unwrap();
    assert_eq!(round(&f.store, later + 9, None).await.0, 0, "somebody is to get it");
    f.store.settle(BOB, vec![Useq(4)]).await.unwrap();
    round(&f.store, later + 9, None).await;
    assert_eq!(stored(&f.store, message(ALICE, BOB, "5", 9)).await, [5, 5]);
}

pub(crate) async fn expired_invitations_go(f: Fixture) {
    f.store.create_invite(invite(1, 10), Timestamp(0), 9).await.unwrap();
    round(&f.store, 9 + limits::INVITE_SHOWN_MS, None).await;
    assert_eq!(f.store.invites(None).await.unwrap(), [invite(1, 10)]);
    round(&f.store, 10 + limits::INVITE_SHOWN_MS, None).await;
    assert_eq!(f.store.invites(None).await.unwrap(), []);
}

pub(crate) async fn a_deleted_log_is_erased(f: Fixture) {
    let made = f.store.create_account(account(None)).await.unwrap();
    for n in 0..3 {
        stored(&f.store, message(ALICE, made.uid, "", n)).await;
    }
    f.store.delete_account(made.uid).await.unwrap();
    assert_eq!(log(&f.store, made.uid).await, []);
    assert_eq!(f.store.head(made.uid).await.unwrap().head, Useq(0));
    assert_eq!(log(&f.store, ALICE).await.len(), 3);
    assert_eq!(round(&f.store, 0, None).await.0, 0, "nothing is left for the sweeper");
}

pub(crate) async fn slices_are_bounded(f: Fixture) {
    let mut pending = Vec::new();
    let count = limits::SWEEP as i64 * 3 / 2;
    for n in 0..count {
        let mut one = message(ALICE, BOB, "", n);
        one.flags = Flags::DELIVER;
        pending.push(f.store.append(one).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    f.store.set_delivered(vec![(ALICE, Useq(u64::MAX))]).await.unwrap();
    f.store.set_retention_days(BOB, Some(1)).await.unwrap();
    let (entries, bodies, slices) = round(&f.store, 9 * DAY, None).await;
    assert_eq!((entries, bodies), (2 * count as u64, count as u64));
    assert!(slices > 4);
    let made = f.store.create_account(account(None)).await.unwrap();
    let mut pending = Vec::new();
    for n in 0..count {
        pending.push(f.store.append(message(BOB, made.uid, "", n)).await.unwrap());
    }
    for answer in pending {
        answer.await.unwrap();
    }
    f.store.delete_account(made.uid).await.unwrap();
    assert_eq!(log(&f.store, made.uid).await, [], "a long log is deleted to its end");
}

pub(crate) async fn an_owner_deletes_what_it_wants_of_its_own(f: Fixture) {
    for n in 1..=6 {
        let peer = if n % 2 == 0 { BOB } else { Uid(3) };
        stored(&f.store, message(ALICE, peer, &n.to_string(), n)).await;
    }
    let mut passing = message(ALICE, BOB, "7", 7);
    passing.flags = Flags::DELIVER;
    stored(&f.store, passing).await;
    let purge =
        async |with, before: Option<i64>| f.store.purge(ALICE, with, before.map(Timestamp)).await.unwrap();
    assert_eq!(purge(Some(address(BOB)), Some(4)).await, 1, "only what is before, and only with that one");
    assert_eq!(purge(Some(address(BOB)), None).await, 2);
    assert_eq!(purge(None, Some(2)).await, 1);
    assert_eq!(purge(None, None).await, 2);
    assert_eq!(purge(None, None).await, 0);
    assert_eq!(log(&f.store, ALICE).await, [(7, "7".into())], "what is in no archive stays");
    assert_eq!(log(&f.store, BOB).await.len(), 4, "others keep theirs");
    assert_eq!(stored(&f.store, message(ALICE, BOB, "8", 9)).await, [8, 5]);
}

pub(crate) async fn a_purge_goes_in_slices(f: Fixture) {
    let one = || message(ALICE, BOB, "x", 0);
    for _ in 0..=limits::SWEEP {
        stored(&f.store, one()).await;
    }
    assert_eq!(f.store.purge(ALICE, None, None).await.unwrap(), limits::SWEEP as u64);
    assert_eq!(f.store.purge(ALICE, None, None).await.unwrap(), 1);
}
