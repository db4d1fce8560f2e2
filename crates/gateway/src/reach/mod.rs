//! Reach me: people who are not here are told what waits for them, by ways that they have chosen, until they have seen it or
//! nobody is left to tell.
//!
//! Read along in this order: [`channel`] is what a way out has to do; `rules` says, purely, what is to be done about a case;
//! `engine` does it, and `worker` hands over what the store's queue of sendings has; `answers` is what comes back.

mod answers;
pub mod channel;
mod compose;
mod engine;
mod letters;
pub mod limits;
mod meters;
mod rules;
mod worker;

pub use answers::Answered;

use crate::guard::Tally;
use channel::{Channel, State};
use meters::Meters;
use rookery_core::Core;
use rookery_proto::Uid;
use rookery_store::{CaseId, Result, SendingId, SendingRef, Settled, Way};
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// Reach me, of one server.
pub struct Reach {
    core: Arc<Core>,
    /// Ring when something of the way is in the queue.
    bells: [Notify; Way::ALL.len()],
    meters: Meters,
    /// Wrong codes that came for accounts.
    guesses: Tally<Uid>,
}

impl Reach {
    /// Nothing is sent before [`Reach::run`].
    pub fn new(core: Arc<Core>) -> Arc<Reach> {
        Arc::new(Reach {
            core,
            bells: Default::default(),
            meters: Meters::new(),
            guesses: Tally::new(limits::GUESSES, limits::GUESSING),
        })
    }

    /// Follows the rules, and sends what waits through these channels, for as long as it is polled.
    pub async fn run(self: Arc<Reach>, channels: Vec<Arc<dyn Channel>>) {
        self.recover().await;
        let mut workers = JoinSet::new();
        for channel in channels {
            workers.spawn(worker::run(self.clone(), channel));
        }
        engine::run(&self).await;
    }

    /// A carrier says what became of a sending. What it said before, and what is less than that, is no news.
    pub async fn news(&self, which: SendingRef, state: State, why: &str) -> Result<()> {
        let store = &self.core.store;
        let Some(known) = store.sending(which).await? else { return Ok(()) };
        let telling = self.telling(known.id, known.what.case).await;
        let which = SendingRef::Id(known.id);
        let news = store.advance_sending(which, state, why, self.core.env.now(), telling).await?;
        if let Some(sending) = news {
            tracing::info!(
                way = sending.what.way.name(),
                sending = sending.id.0,
                state = state.name(),
                "news"
            );
            self.core.reaching.notify_one();
        }
        Ok(())
    }

    /// What was being handed over when the server ended may have been sent: it is marked so, and not sent again.
    async fn recover(&self) {
        loop {
            match self.core.store.sendings_under_way().await {
                Ok(sendings) if sendings.is_empty() => return,
                Ok(sendings) => {
                    for sending in sendings {
                        let (way, id) = (sending.what.way.name(), sending.id);
                        tracing::warn!(way, sending = id.0, "the server ended while this was handed over");
                        let why = "The server ended while this was handed over.";
                        self.settle(id, sending.what.case, Settled::Unknown, why).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "sendings of the last run cannot be read");
                    tokio::time::sleep(limits::STORE_PAUSE).await;
                }
            }
        }
    }

    /// How handing over ended goes into the store, however long that takes: it must not be handed over again.
    async fn settle(&self, id: SendingId, case: Option<CaseId>, settled: Settled, why: &str) {
        loop {
            let (now, telling) = (self.core.env.now(), self.telling(id, case).await);
            match self.core.store.settle_sending(id, settled.clone(), why, now, telling).await {
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(sending = id.0, %error, "what became of a sending cannot be stored yet");
                    tokio::time::sleep(limits::STORE_PAUSE).await;
                }
            }
        }
        self.core.reaching.notify_one();
    }

    /// Rings when something of the way is in the queue.
    fn bell(&self, way: Way) -> &Notify {
        &self.bells[way as usize]
    }
}
