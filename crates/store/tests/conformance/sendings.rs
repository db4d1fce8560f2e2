//! The queue of what is told people by ways beside ours.

use rookery_proto::Uid;
use rookery_store::{
    Caps, CaseId, NewSending, Sending, SendingId, SendingRef, SendingState, Settled, StoreError, Telling,
    Timestamp, Urgency, Way, limits,
};

use crate::common::*;

const CAPS: Caps = Caps { account: 5, server: 7 };
const NOW: Timestamp = Timestamp(1_000);

fn sms(uid: Uid, urgency: Urgency, at: i64) -> NewSending {
    NewSending {
        uid,
        way: Way::Sms,
        address: "+491711234567".into(),
        urgency,
        case: None,
        title: "Romeo".into(),
        text: "Romeo: come".into(),
        code: "4711".into(),
        at: Timestamp(at),
    }
}

async fn queue(f: &Fixture, new: NewSending) -> SendingId {
    f.store.queue_sending(new, CAPS).await.expect("it is queued")
}

/// Nobody is told.
fn quietly() -> Telling {
    Box::new(|_| None)
}

async fn take(f: &Fixture, now: i64) -> Option<Sending> {
    f.store.take_sending(Way::Sms, Timestamp(now)).await.unwrap()
}

async fn state(f: &Fixture, id: SendingId) -> SendingState {
    f.store.sending(SendingRef::Id(id)).await.unwrap().expect("it is there").state
}

pub(crate) async fn a_sending_is_taken_once_and_settled(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    assert_eq!(f.store.next_sending(Way::Sms).await.unwrap(), None);
    let case = Some(CaseId(7));
    let id = queue(&f, NewSending { case, ..sms(uid, Urgency::Normal, 10) }).await;
    f.reopen().await;
    assert_eq!(f.store.next_sending(Way::Sms).await.unwrap(), Some(Timestamp(10)));
    assert_eq!(f.store.next_sending(Way::Mail).await.unwrap(), None, "each way has its own");
    assert_eq!(take(&f, 9).await, None, "not before its time");
    let taken = take(&f, 10).await.expect("it is due");
    let what = NewSending { case, ..sms(uid, Urgency::Normal, 10) };
    assert_eq!((taken.id, &taken.what, taken.attempts), (id, &what, 1));
    assert_eq!(take(&f, 10).await, None, "it is under way");
    let named = Settled::Accepted(Some("m-1".into()));
    let settled =
        f.store.settle_sending(id, named, "", NOW, quietly()).await.unwrap().expect("it was under way");
    assert_eq!((settled.state, settled.changed), (SendingState::Accepted, NOW));
    assert_eq!(
        f.store.settle_sending(id, Settled::Failed, "", NOW, quietly()).await.unwrap(),
        None,
        "only once"
    );
    let found = f.store.sending(SendingRef::Carrier(Way::Sms, "m-1".into())).await.unwrap();
    assert_eq!(found.as_ref(), Some(&settled));
    assert_eq!(f.store.sending(SendingRef::Carrier(Way::Mail, "m-1".into())).await.unwrap(), None);
    assert_eq!(f.store.sendings(uid, case, 9).await.unwrap(), [settled]);
    assert_eq!(f.store.sendings(uid, Some(CaseId(8)), 9).await.unwrap(), []);
}

pub(crate) async fn the_most_urgent_sending_goes_first_and_a_deferred_one_waits(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let normal = queue(&f, sms(uid, Urgency::Normal, 10)).await;
    let urgent = queue(&f, sms(uid, Urgency::Urgent, 20)).await;
    assert_eq!(f.store.sendings_waiting().await.unwrap(), [(Way::Sms, 2)]);
    assert_eq!(take(&f, 30).await.map(|taken| taken.id), Some(urgent));
    let later = Settled::Deferred(Timestamp(500));
    f.store.settle_sending(urgent, later, "no line", Timestamp(40), quietly()).await.unwrap();
    assert_eq!(take(&f, 40).await.map(|taken| taken.id), Some(normal));
    assert_eq!(take(&f, 499).await, None);
    let again = take(&f, 500).await.expect("its time has come");
    assert_eq!((again.id, again.attempts, again.trouble.as_str()), (urgent, 2, "no line"));
}

/// The carrier may have it or not: it is marked so, and not sent again.
pub(crate) async fn what_was_under_way_at_the_end_is_unknown(mut f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let id = queue(&f, sms(uid, Urgency::Urgent, 10)).await;
    take(&f, 10).await.expect("it is due");
    f.reopen().await;
    let found = f.store.sendings_under_way().await.unwrap();
    assert_eq!(found.iter().map(|it| it.id).collect::<Vec<_>>(), [id]);
    f.store.settle_sending(id, Settled::Unknown, "", NOW, quietly()).await.unwrap();
    assert_eq!(f.store.sendings_under_way().await.unwrap(), []);
    assert_eq!(take(&f, i64::MAX).await, None);
    // A receipt tells that it went out.
    let news = f
        .store
        .advance_sending(SendingRef::Id(id), SendingState::Delivered, "", NOW, quietly())
        .await
        .unwrap();
    assert_eq!(news.map(|it| it.state), Some(SendingState::Delivered));
}

pub(crate) async fn news_of_a_sending_only_go_on(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let id = queue(&f, sms(uid, Urgency::Normal, 10)).await;
    take(&f, 10).await.expect("it is due");
    let advance = async |state| {
        f.store
            .advance_sending(SendingRef::Id(id), state, "", NOW, quietly())
            .await
            .unwrap()
            .map(|it| it.state)
    };
    // The receipt is quicker than the answer to the submission, whose name is kept all the same.
    assert_eq!(advance(SendingState::Delivered).await, Some(SendingState::Delivered));
    let named = Settled::Accepted(Some("m-1".into()));
    assert_eq!(f.store.settle_sending(id, named, "", NOW, quietly()).await.unwrap(), None);
    assert_eq!(state(&f, id).await, SendingState::Delivered);
    assert!(f.store.sending(SendingRef::Carrier(Way::Sms, "m-1".into())).await.unwrap().is_some());
    assert_eq!(advance(SendingState::Delivered).await, None, "these are no news");
    assert_eq!(advance(SendingState::Accepted).await, None);
    assert_eq!(advance(SendingState::Acknowledged).await, Some(SendingState::Acknowledged));
    let nobody = SendingRef::Id(SendingId(99));
    assert_eq!(f.store.advance_sending(nobody, SendingState::Read, "", NOW, quietly()).await.unwrap(), None);
}

pub(crate) async fn sendings_are_capped_by_the_day(f: Fixture) {
    let one = f.store.create_account(account(None)).await.unwrap().uid;
    let other = f.store.create_account(account(None)).await.unwrap().uid;
    let day = limits::SENDING_DAY_MS;
    for at in 1..=5 {
        queue(&f, sms(one, Urgency::Normal, at)).await;
    }
    let refused = |new| async { matches!(f.store.queue_sending(new, CAPS).await, Err(StoreError::Limit(_))) };
    assert!(refused(sms(one, Urgency::Urgent, 6)).await, "five to one account");
    queue(&f, sms(other, Urgency::Normal, 7)).await;
    queue(&f, sms(other, Urgency::Normal, 8)).await;
    assert!(refused(sms(other, Urgency::Normal, 9)).await, "seven to all");
    // The first has left the day.
    queue(&f, sms(one, Urgency::Normal, 1 + day)).await;
    assert!(refused(sms(one, Urgency::Normal, 1 + day)).await);
    let long =
        NewSending { text: "x".repeat(limits::SENDING_TEXT_BYTES + 1), ..sms(one, Urgency::Normal, 3 * day) };
    assert!(matches!(f.store.queue_sending(long, CAPS).await, Err(StoreError::Invalid(_))));
    let nobody = f.store.queue_sending(sms(Uid(99), Urgency::Normal, 2 * day + 9), CAPS).await;
    assert_eq!(nobody, Err(StoreError::NotFound));
    f.store.delete_account(one).await.unwrap();
    assert_eq!(f.store.sendings(one, None, 9).await.unwrap(), []);
}

pub(crate) async fn what_waits_for_one_address_is_taken_along(f: Fixture) {
    let uid = f.store.create_account(account(None)).await.unwrap().uid;
    let other = f.store.create_account(account(None)).await.unwrap().uid;
    let about = |uid, case, at| NewSending { case, ..sms(uid, Urgency::Normal, at) };
    let first = queue(&f, about(uid, Some(CaseId(1)), 10)).await;
    let second = queue(&f, about(uid, Some(CaseId(2)), 20)).await;
    queue(&f, about(uid, Some(CaseId(3)), 99)).await;
    queue(&f, about(uid, None, 10)).await;
    queue(&f, NewSending { address: "+49".into(), ..about(uid, Some(CaseId(4)), 10) }).await;
    queue(&f, about(other, Some(CaseId(5)), 10)).await;
    let taken = take(&f, 30).await.expect("it is due");
    assert_eq!(taken.id, first);
    assert_eq!(f.store.take_along(&taken, Timestamp(30), 0).await.unwrap(), []);
    let along = f.store.take_along(&taken, Timestamp(30), 9).await.unwrap();
    let [along] = along.as_slice() else { panic!("{along:?}") };
    assert_eq!((along.id, along.state, along.attempts), (second, SendingState::Sending, 1));
    assert_eq!(f.store.take_along(&taken, Timestamp(30), 9).await.unwrap(), [], "once");
}
