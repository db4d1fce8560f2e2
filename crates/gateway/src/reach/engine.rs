//! Looks at cases when their time has come, and does what the rules say. Each step is one transaction, which happens only if the
//! case still is what was looked at: whoever has read meanwhile is not told.

use super::rules::{self, Facts, Step};
use super::{Reach, compose, limits};
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_store::{
    Case, CaseId, CaseState, CaseStep, Entry, Flags, Result, SendingId, StoreError, Telling, Timestamp, Way,
};
use std::time::Duration;

/// Runs for as long as it is polled.
pub(super) async fn run(reach: &Reach) {
    loop {
        let pause = match reach.attend().await {
            Ok(next) => next.map(|next| reach.until(next)),
            Err(error) => {
                tracing::warn!(%error, "people who are to be reached cannot be looked up");
                Some(limits::STORE_PAUSE)
            }
        };
        tokio::select! {
            () = reach.core.reaching.notified() => {}
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
        // Somebody else may have put something into the queue: a code, a test.
        Way::ALL.into_iter().for_each(|way| reach.bell(way).notify_one());
    }
}

impl Reach {
    /// Does what is due; when the next case is.
    pub async fn attend(&self) -> Result<Option<Timestamp>> {
        loop {
            let now = self.core.env.now();
            let due = self.core.store.cases_due(now, limits::CASES).await?;
            if due.is_empty() {
                return self.core.store.next_case().await;
            }
            for case in due {
                if let Err(error) = self.look_at(&case, now).await {
                    tracing::warn!(case = case.id.0, condition = error.condition, "a case is put off");
                    self.put_off(case, now).await?;
                }
            }
        }
    }

    /// What went wrong with one case must not keep others.
    async fn put_off(&self, case: Case, now: Timestamp) -> Result<bool> {
        let next = Timestamp(now.0 + limits::LOOK_AGAIN.as_millis() as i64);
        self.core.store.step_case(case, CaseStep::Wait, next, now).await
    }

    /// Does what is to be done. With a mail goes what other conversations have for the same mailbox, in the same transaction: so
    /// that it is one mail.
    async fn look_at(&self, case: &Case, now: Timestamp) -> std::result::Result<(), StanzaError> {
        let store = &self.core.store;
        let (step, next) = self.decide(case, now, None).await?;
        let sends = matches!(step, CaseStep::Send(..));
        let mailbox = mailbox(&step).map(str::to_owned);
        let mut steps = vec![(case.clone(), step, next)];
        if let Some(mailbox) = &mailbox {
            let others = store.open_cases(case.uid, limits::TOGETHER).await.map_err(store_error)?;
            for other in others.into_iter().filter(|other| other.id != case.id) {
                let (step, next) = self.decide(&other, now, Some(mailbox)).await?;
                if self::mailbox(&step) == Some(mailbox) {
                    steps.push((other, step, next));
                }
            }
        }
        let done = store.step_cases(steps, now).await.map_err(store_error)?;
        if sends && done.contains(&true) {
            Way::ALL.into_iter().for_each(|way| self.bell(way).notify_one());
        }
        Ok(())
    }

    /// What is to be done about a case, and when it is looked at again.
    async fn decide(
        &self,
        case: &Case,
        now: Timestamp,
        mail: Option<&str>,
    ) -> std::result::Result<(CaseStep, Timestamp), StanzaError> {
        let store = &self.core.store;
        let plan = store.reach_plan(case.uid).await.map_err(store_error)?.unwrap_or_default();
        let listed = rookery_store::limits::SENDINGS_LISTED;
        let sendings = store.sendings(case.uid, Some(case.id), listed).await.map_err(store_error)?;
        let here = self.core.is_here(case.uid) && !plan.away;
        let ways: Vec<Way> = self.core.policy.reach.ways.iter().map(|offer| offer.way).collect();
        let facts = Facts { plan: &plan, case, sendings: &sendings, here, ways: &ways, mail };
        Ok(match rules::step(&facts, now) {
            Step::Wait(until) => (CaseStep::Wait, until),
            Step::Told(until) => (CaseStep::Told, until),
            Step::End(state) => (self.end(case, state).await?, now),
            Step::Send(at) => match (self.messages(case).await?, plan.rules.get(at)) {
                ((entries, count), Some(rule)) if !entries.is_empty() => {
                    let about = (entries.as_slice(), count);
                    let sending = compose::sending(&self.core, case, &plan, rule, about).await;
                    let telling = self.telling_of(case, &entries).await?;
                    let sending = sending.map_err(store_error)?;
                    (CaseStep::Send(sending, self.core.policy.reach.caps, telling), now)
                }
                // All of it was taken back, or removed by its reader.
                _ => (CaseStep::End(CaseState::Expired, None), now),
            },
        })
    }

    /// What a case is about, without what was taken back.
    async fn messages(&self, case: &Case) -> std::result::Result<(Vec<Entry>, u64), StanzaError> {
        let (mut entries, count) = self.core.store.case_messages(case.id).await.map_err(store_error)?;
        let before = entries.len();
        entries.retain(|entry| !entry.flags.has(Flags::RETRACTED));
        let taken_back = (before - entries.len()) as u64;
        Ok((entries, count - taken_back.min(count)))
    }

    /// The end of a case; its sender is told that nobody was reached.
    async fn end(&self, case: &Case, state: CaseState) -> std::result::Result<CaseStep, StanzaError> {
        let mut telling = None;
        if state == CaseState::Nobody {
            let (entries, _) = self.messages(case).await?;
            telling = self.core.informant(case, &entries).await?.map(|informant| informant.end(state));
        }
        Ok(CaseStep::End(state, telling))
    }

    async fn telling_of(&self, case: &Case, entries: &[Entry]) -> std::result::Result<Telling, StanzaError> {
        let informant = self.core.informant(case, entries).await?;
        Ok(informant.map_or_else(nobody, |informant| informant.of_sending()))
    }

    /// Who is to be told what becomes of a sending. What cannot be told is not told; it is no reason not to note it.
    pub(super) async fn telling(&self, sending: SendingId, case: Option<CaseId>) -> Telling {
        let told = async {
            let Some(id) = case else { return self.telling_of_letter(sending).await };
            let found = self.core.store.case(id).await.map_err(store_error)?;
            let case = found.ok_or_else(|| store_error(StoreError::NotFound))?;
            let (entries, _) = self.messages(&case).await?;
            self.telling_of(&case, &entries).await
        };
        told.await.unwrap_or_else(|error: StanzaError| {
            tracing::warn!(condition = error.condition, "what became of a sending is not told");
            nobody()
        })
    }

    /// How long it is until then.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        Duration::from_millis((at.0 - self.core.env.now().0).max(0) as u64)
    }
}

/// The mailbox that a step sends to.
fn mailbox(step: &CaseStep) -> Option<&str> {
    match step {
        CaseStep::Send(sending, ..) if sending.way == Way::Mail => Some(&sending.address),
        _ => None,
    }
}

/// Nobody is told.
pub(super) fn nobody() -> Telling {
    Box::new(|_| None)
}
