//! Carriers of a test: they take what reach me sends as they were told to, and remember it.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use rookery_gateway::reach::channel::{Channel, Handed, Handing, Sending, SendingId, SendingRef, State, Way};
use tokio::sync::Notify;

/// How a carrier takes what it is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It accepts.
    Accepts,
    /// It is not ready.
    Defers,
    /// It refuses.
    Refuses,
    /// It takes all and says nothing.
    Hangs,
    /// The connection ends when all is said.
    Breaks,
}

impl Mood {
    /// What a dialogue calls it.
    pub fn from_name(name: &str) -> Option<Mood> {
        Some(match name {
            "accepts" => Mood::Accepts,
            "defers" => Mood::Defers,
            "refuses" => Mood::Refuses,
            "hangs" => Mood::Hangs,
            "breaks" => Mood::Breaks,
            _ => return None,
        })
    }
}

/// The carrier of one way.
pub struct Carrier {
    way: Way,
    state: Mutex<Waiting>,
    rings: Notify,
}

struct Waiting {
    mood: Mood,
    /// What nobody has looked at yet.
    handed: VecDeque<Sending>,
    latest: Option<Sending>,
    hangs: Vec<SendingId>,
}

impl Carrier {
    /// One that accepts.
    pub fn new(way: Way) -> Arc<Carrier> {
        let state = Waiting { mood: Mood::Accepts, handed: VecDeque::new(), latest: None, hangs: Vec::new() };
        Arc::new(Carrier { way, state: Mutex::new(state), rings: Notify::new() })
    }

    /// From now on it is so.
    pub fn set_mood(&self, mood: Mood) {
        self.state.lock().mood = mood;
    }

    /// Whether it took this one and says nothing.
    pub fn hangs(&self, sending: SendingId) -> bool {
        self.state.lock().hangs.contains(&sending)
    }

    /// All that it was handed since somebody looked.
    pub fn take(&self) -> Vec<Sending> {
        self.state.lock().handed.drain(..).collect()
    }

    /// What it is handed next, or was.
    pub async fn next(&self) -> Sending {
        loop {
            let rings = self.rings.notified();
            if let Some(sending) = self.state.lock().handed.pop_front() {
                return sending;
            }
            rings.await;
        }
    }

    /// An error if it was handed something that nobody has looked at.
    pub fn expect_nothing(&self) -> Result<()> {
        match self.state.lock().handed.front() {
            Some(sending) => bail!("{} was handed {:?}", self.way.name(), sending.what.text),
            None => Ok(()),
        }
    }

    /// The latest that it was handed, as it calls it.
    pub fn latest(&self) -> Result<SendingRef> {
        let latest = self.state.lock().latest.clone();
        let latest = latest.with_context(|| format!("{} was handed nothing yet", self.way.name()))?;
        Ok(SendingRef::Carrier(self.way, name(&latest)))
    }
}

/// What a carrier calls a sending.
fn name(sending: &Sending) -> String {
    format!("carried-{}", sending.id.0)
}

impl Channel for Carrier {
    fn way(&self) -> Way {
        self.way
    }

    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a> {
        let mood = {
            let mut state = self.state.lock();
            if state.mood != Mood::Defers && state.mood != Mood::Refuses {
                state.handed.push_back(sending.clone());
                state.latest = Some(sending.clone());
            }
            if state.mood == Mood::Hangs {
                state.hangs.push(sending.id);
            }
            state.mood
        };
        self.rings.notify_one();
        Box::pin(async move {
            match mood {
                Mood::Accepts => Handed::accepted(name(sending)),
                Mood::Defers => Handed::deferred("The line is busy."),
                Mood::Refuses => Handed::refused("Nobody has this number."),
                Mood::Hangs => std::future::pending().await,
                Mood::Breaks => Handed::unknown("The line was cut."),
            }
        })
    }
}

/// What a dialogue lets a carrier say later.
pub fn news(name: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.name() == name)
}
