//! Reach me: people who are not here are told what waits for them, by ways that they have chosen, until they have seen it or
//! nobody is left to tell.
//!
//! [`channel`] is what a way out has to do; `worker` hands over what the store's queue of sendings has.

pub mod channel;
pub mod limits;
mod meters;
mod worker;

use channel::{Channel, State};
use meters::Meters;
use rookery_core::Core;
use rookery_store::{Result, Sending, SendingId, SendingRef, Settled, Timestamp, Way};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Reach me, of one server.
pub struct Reach {
    core: Arc<Core>,
    /// Ring when something of the way is in the queue.
    bells: [Notify; Way::ALL.len()],
    meters: Meters,
}

impl Reach {
    /// Nothing is sent before [`Reach::run`].
    pub fn new(core: Arc<Core>) -> Arc<Reach> {
        Arc::new(Reach { core, bells: Default::default(), meters: Meters::new() })
    }

    /// Sends what waits through these channels, for as long as it is polled.
    pub async fn run(self: Arc<Reach>, channels: Vec<Arc<dyn Channel>>) {
        self.recover().await;
        let mut workers = JoinSet::new();
        for channel in channels {
            workers.spawn(worker::run(self.clone(), channel));
        }
        while let Some(ended) = workers.join_next().await {
            // They end by a defect only.
            tracing::error!(?ended, "a way out is not served any more");
        }
    }

    /// A carrier says what became of a sending. What it said before, and what is less than that, is no news.
    pub async fn news(&self, which: SendingRef, state: State, why: &str) -> Result<()> {
        let sending = self.core.store.advance_sending(which, state, why, self.core.env.now()).await?;
        if let Some(sending) = sending {
            tracing::info!(
                way = sending.what.way.name(),
                sending = sending.id.0,
                state = state.name(),
                "news"
            );
        }
        Ok(())
    }

    /// Somebody has answered a sending by its own way: so a person has seen it.
    pub async fn answered(&self, which: SendingRef, _text: &str) -> Result<()> {
        self.news(which, State::Acknowledged, "").await
    }

    /// What was being handed over when the server ended may have been sent.
    async fn recover(&self) {
        loop {
            match self.core.store.recover_sendings(self.core.env.now()).await {
                Ok(sendings) if sendings.is_empty() => return,
                Ok(sendings) => self.recovered(&sendings),
                Err(error) => {
                    tracing::warn!(%error, "sendings of the last run cannot be read");
                    tokio::time::sleep(limits::STORE_PAUSE).await;
                }
            }
        }
    }

    fn recovered(&self, sendings: &[Sending]) {
        for sending in sendings {
            let (way, id) = (sending.what.way.name(), sending.id.0);
            tracing::warn!(
                way,
                sending = id,
                "the server ended while this was handed over: it is not known whether it was sent"
            );
        }
    }

    /// How handing over ended goes into the store, however long that takes: it must not be handed over again.
    async fn settle(&self, id: SendingId, settled: Settled, why: &str) {
        loop {
            let now = self.core.env.now();
            match self.core.store.settle_sending(id, settled.clone(), why, now).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(sending = id.0, %error, "what became of a sending cannot be stored yet");
                    tokio::time::sleep(limits::STORE_PAUSE).await;
                }
            }
        }
    }

    /// Rings when something of the way is in the queue.
    fn bell(&self, way: Way) -> &Notify {
        &self.bells[way as usize]
    }

    /// How long it is until then.
    fn until(&self, at: Timestamp) -> Duration {
        Duration::from_millis((at.0 - self.core.env.now().0).max(0) as u64)
    }
}
