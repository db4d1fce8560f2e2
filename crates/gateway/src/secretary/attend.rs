//! The secretary at work: answers what was written, and tells what is due.

use super::sentences::{is_late, reminds, zone};
use super::{Secretary, calendar, limits};
use rookery_core::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::Jid;
use rookery_store::{Reminder, Result, Timestamp};
use std::time::Duration;

impl Secretary {
    /// For as long as it is polled.
    pub(super) async fn attend(&self) {
        let Some(bell) = self.component.bell() else { return };
        loop {
            let pause = match self.work().await {
                Ok(next) => next.map(|next| {
                    Duration::from_millis(next.0.saturating_sub(self.core.env.now().0).max(0) as u64)
                }),
                Err(error) => {
                    tracing::warn!(%error, "reminders wait");
                    Some(limits::AGAIN)
                }
            };
            tokio::select! {
                () = bell.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
        }
    }

    /// Does what there is to do; when the next reminder is due.
    async fn work(&self) -> Result<Option<Timestamp>> {
        while self.post().await? {}
        loop {
            let now = self.core.env.now();
            let due = self.core.store.reminders_due(now, limits::BATCH).await?;
            if due.is_empty() {
                return self.core.store.next_reminder().await;
            }
            for reminder in due {
                self.remind(reminder, now).await?;
            }
        }
    }

    /// Tells a reminder, and when it is due again, in one transaction. Of what was missed more than once it is told once.
    async fn remind(&self, reminder: Reminder, now: Timestamp) -> Result<bool> {
        let what = &reminder.what;
        let next = what.repeat.and_then(|repeat| calendar::next(repeat, &zone(&what.zone), now));
        let late = is_late(what.next, now);
        let append = match self.telling(&reminder, late).await {
            Ok(append) => append,
            Err(error) => {
                // It cannot be said, and nothing will change that; all others are not to wait for it.
                tracing::warn!(
                    uid = reminder.uid.0,
                    condition = error.condition,
                    "a reminder cannot be told"
                );
                None
            }
        };
        self.core.store.remind(reminder, next, append).await
    }

    /// `None`: whoever blocks the secretary, or may not sign in, wants nothing of it.
    async fn telling(
        &self,
        reminder: &Reminder,
        late: bool,
    ) -> std::result::Result<Option<rookery_store::Append>, StanzaError> {
        let member = self.core.directory.member(reminder.uid).await.map_err(store_error)?;
        let Some(member) = member else { return Ok(None) };
        if member.disabled || member.blocks(&Jid::from(self.address.clone())) {
            return Ok(None);
        }
        let urgency = reminder.what.urgency;
        let stanza = self.message(&member.address, &reminds(&reminder.what, late), urgency);
        self.core.reminder(&member, &self.address, stanza, urgency).map(Some)
    }
}
