//! Carriers in a dialogue: what they are handed, and what comes back by them.

use anyhow::{Context, Result, bail};
use rookery_gateway::reach::channel::{State, Way};

use super::run::Play;
use super::template::{fill, matches};
use crate::carrier::{Mood, news as state};
use crate::clock;
use rookery_store::{SendingRef, SendingState};

pub(super) fn way(name: &str) -> Result<Way> {
    Way::from_name(name).with_context(|| format!("there is no way {name}"))
}

pub(super) fn mood(name: &str) -> Result<Mood> {
    Mood::from_name(name).with_context(|| format!("no carrier {name}"))
}

pub(super) fn news(name: &str) -> Result<State> {
    state(name).with_context(|| format!("there is no such news: {name}"))
}

impl Play {
    /// What the carrier is handed next is this: the address, a colon, and the text. What it says to that, if it says anything,
    /// is stored when this returns.
    pub(super) async fn carrier_is_handed(&mut self, way: Way, template: &str) -> Result<()> {
        let server = self.target.ours()?;
        let carrier = server.carrier(way)?;
        let sending = carrier.next().await;
        let store = &server.core().store;
        let which = || SendingRef::Id(sending.id);
        while !carrier.hangs(sending.id)
            && store.sending(which()).await?.is_some_and(|it| it.state == SendingState::Sending)
        {
            clock::settle().await;
        }
        let actual = format!("{}: {}", sending.what.address, sending.what.text);
        if !matches(template.trim_end(), &actual, &mut self.variables) {
            bail!("it was handed {actual:?}");
        }
        Ok(())
    }

    pub(super) async fn carrier_says(&mut self, way: Way, state: State) -> Result<()> {
        let server = self.target.ours()?;
        let latest = server.carrier(way)?.latest()?;
        let reach = server.reach.as_ref().context("nobody is reached here")?;
        Ok(reach.news(latest, state, "").await?)
    }

    /// Somebody sends something back.
    pub(super) async fn answers_by(&mut self, address: &str, way: Way, text: &str) -> Result<()> {
        let text = fill(text.trim_end(), &self.variables)?;
        let server = self.target.ours()?;
        let (reach, id) =
            (server.reach.clone().context("nobody is reached here")?, server.core().env.token());
        match reach.answered_from(way, address, &text, &id).await {
            Ok(_) => Ok(()),
            Err(error) => bail!("it was not taken: {}", error.condition),
        }
    }
}
