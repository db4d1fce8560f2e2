//! Hands the sendings of one way to its channel, the most urgent first.

use super::channel::{Channel, Handed};
use super::{Reach, limits};
use rookery_store::{CaseId, Sending, SendingId, Settled, Timestamp, Way};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinSet};
use tokio::time::{sleep, timeout};

/// Those that are being handed over.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<()>,
    ids: HashMap<Id, Vec<(SendingId, Option<CaseId>)>>,
}

/// Runs for as long as it is polled. What is under way when it ends is found again by [`Reach::recover`].
pub(super) async fn run(reach: Arc<Reach>, channel: Arc<dyn Channel>) {
    let way = channel.way();
    let mut under_way = UnderWay::default();
    loop {
        let next = match fill(&reach, &channel, &mut under_way).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(way = way.name(), %error, "what waits to be sent cannot be read");
                sleep(limits::STORE_PAUSE).await;
                continue;
            }
        };
        // Where all places are taken, only one that becomes free matters.
        let full = under_way.tasks.len() >= limits::AT_ONCE;
        let wait = next.filter(|_| !full).map(|next| reach.until(next));
        tokio::select! {
            () = reach.bell(way).notified(), if !full => {}
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            Some(ended) = under_way.tasks.join_next_with_id() => under_way.ended(&reach, ended).await,
        }
    }
}

/// Begins what is due, as far as there are places; when the next one is due.
async fn fill(
    reach: &Arc<Reach>,
    channel: &Arc<dyn Channel>,
    under_way: &mut UnderWay,
) -> rookery_store::Result<Option<Timestamp>> {
    let (store, way) = (&reach.core.store, channel.way());
    loop {
        let (now, next) = (reach.core.env.now(), store.next_sending(way).await?);
        if next.is_none_or(|next| next > now) || under_way.tasks.len() >= limits::AT_ONCE {
            return Ok(next);
        }
        let Some(sending) = store.take_sending(way, now).await? else { continue };
        let mut sendings = vec![sending];
        if channel.digests().is_some() && sendings[0].what.case.is_some() {
            let room = limits::TOGETHER - 1;
            match store.take_along(&sendings[0], now, room).await {
                Ok(others) => sendings.extend(others),
                // They come by themselves; the first must not wait for that.
                Err(error) => tracing::warn!(%error, "what could be told together is told alone"),
            }
        }
        let ids = sendings.iter().map(|it| (it.id, it.what.case)).collect();
        let task = under_way.tasks.spawn(hand_over(reach.clone(), channel.clone(), sendings));
        under_way.ids.insert(task.id(), ids);
    }
}

impl UnderWay {
    /// One task has ended; what a defect of a channel left behind may have been sent.
    async fn ended(&mut self, reach: &Reach, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = ended.as_ref().map_or_else(|error| error.id(), |(id, ())| *id);
        let sendings = self.ids.remove(&id).unwrap_or_default();
        let Err(error) = ended else { return };
        for (sending, case) in sendings {
            tracing::error!(%error, sending = sending.0, "a channel failed by a defect");
            reach.settle(sending, case, Settled::Unknown, "The channel failed.").await;
        }
    }
}

/// Hands over one sending, or several that are told at once.
async fn hand_over(reach: Arc<Reach>, channel: Arc<dyn Channel>, sendings: Vec<Sending>) {
    let too_long = |_| Handed::unknown("The carrier did not answer in time.");
    let handing = match (channel.digests(), sendings.as_slice()) {
        (Some(digests), [_, _, ..]) => digests.hand_over_all(&sendings),
        (_, [sending, ..]) => channel.hand_over(sending),
        (_, []) => return,
    };
    let handed = timeout(limits::HAND_OVER, handing).await.unwrap_or_else(too_long);
    for sending in &sendings {
        ended(&reach, channel.way(), sending, handed.clone()).await;
    }
}

async fn ended(reach: &Reach, way: Way, sending: &Sending, handed: Handed) {
    let (settled, why) = settled(handed, sending, reach.core.env.now());
    let (name, id, attempts) = (way.name(), sending.id.0, sending.attempts);
    match &settled {
        Settled::Accepted(_) => tracing::info!(way = name, sending = id, attempts, "handed to the carrier"),
        _ => tracing::warn!(way = name, sending = id, attempts, outcome = ?settled, %why, "not handed over"),
    }
    reach.meters.count(way, &settled);
    reach.settle(sending.id, sending.what.case, settled, &why).await;
}

/// What becomes of a sending after this end of its handing over.
fn settled(handed: Handed, sending: &Sending, now: Timestamp) -> (Settled, String) {
    match handed {
        Handed::Accepted { carrier_ref } => (Settled::Accepted(carrier_ref), String::new()),
        Handed::Refused { why } => (Settled::Failed, why),
        Handed::Unknown { why } => (Settled::Unknown, why),
        Handed::Deferred { why } => {
            let next = after(now, limits::pause(sending.attempts));
            let given_up = next > after(sending.what.at, limits::patience(sending.what.urgency));
            (if given_up { Settled::Failed } else { Settled::Deferred(next) }, why)
        }
    }
}

fn after(at: Timestamp, time: Duration) -> Timestamp {
    Timestamp(at.0.saturating_add(time.as_millis() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rookery_proto::Uid;
    use rookery_store::{NewSending, SendingState, Urgency};

    fn sending(attempts: u32, urgency: Urgency) -> Sending {
        let what = NewSending {
            uid: Uid(1),
            way: Way::Sms,
            address: "+49".into(),
            urgency,
            case: None,
            title: String::new(),
            text: String::new(),
            code: String::new(),
            at: Timestamp(0),
        };
        Sending {
            id: SendingId(1),
            what,
            state: SendingState::Sending,
            changed: Timestamp(0),
            next: Timestamp(0),
            attempts,
            trouble: String::new(),
            carrier: None,
        }
    }

    #[test]
    fn a_carrier_that_is_not_ready_is_tried_again_for_a_while() {
        let end = |attempts, urgency, now| {
            settled(Handed::deferred("busy"), &sending(attempts, urgency), Timestamp(now)).0
        };
        assert_eq!(end(1, Urgency::Urgent, 0), Settled::Deferred(Timestamp(30_000)));
        assert_eq!(end(2, Urgency::Urgent, 30_000), Settled::Deferred(Timestamp(90_000)));
        assert_eq!(end(40, Urgency::Urgent, 100_000), Settled::Deferred(Timestamp(1_000_000)));
        assert_eq!(end(9, Urgency::Urgent, 3_000_000), Settled::Failed);
        assert_eq!(end(9, Urgency::Normal, 3_000_000), Settled::Deferred(Timestamp(3_900_000)));
        let unknown = settled(Handed::unknown("cut"), &sending(1, Urgency::Normal), Timestamp(0)).0;
        assert_eq!(unknown, Settled::Unknown, "what may have been sent is not sent again");
    }
}
