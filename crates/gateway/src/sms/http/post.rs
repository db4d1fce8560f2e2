//! Sends messages to one provider: so many requests at a time, and none for a while after it was too much.

use super::answer::{Verdict, judge};
use super::template::Filling;
use super::{Ask, NoAnswer, Settings};
use crate::reach::channel::Handed;
use crate::sms::text::Parts;
use crate::sms::{Fresh, limits};
use metrics::{counter, gauge};
use parking_lot::Mutex;
use rookery_store::SendingId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// A provider by HTTP.
pub struct Post {
    name: String,
    settings: Settings,
    ask: Arc<Ask>,
    turns: Semaphore,
    throttle: Mutex<Throttle>,
    up: AtomicBool,
    fresh: Arc<Fresh>,
}

/// What the provider has had too much of.
struct Throttle {
    /// Nothing is sent before this.
    until: Option<Instant>,
    /// How long the next pause is, if the provider does not say.
    pause: Duration,
}

impl Post {
    /// A provider that is asked by `ask`.
    pub fn new(name: &str, settings: Settings, ask: Arc<Ask>, fresh: Arc<Fresh>) -> Arc<Post> {
        let turns = Semaphore::new(settings.window);
        let throttle = Mutex::new(Throttle { until: None, pause: limits::THROTTLE });
        let up = AtomicBool::new(true);
        Arc::new(Post { name: name.to_owned(), settings, ask, turns, throttle, up, fresh })
    }

    /// How it brings something.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether it answered when it was asked last, or was not asked yet.
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Hands over a text, in one request: how many parts it has is the provider's matter.
    pub async fn send(&self, to: &str, text: &Parts, sending: SendingId) -> Handed {
        let late = || Handed::deferred("The carrier has too much to do.");
        if self.is_quiet() {
            return late();
        }
        let Ok(Ok(_turn)) = timeout(limits::TURN, self.turns.acquire()).await else { return late() };
        // What was asked meanwhile may have been too much.
        if self.is_quiet() {
            return late();
        }
        let said = text.whole();
        let message = Filling { to, text: &said, sender: &self.settings.sender, id: sending.0 };
        let (verdict, up) = match (self.ask)(self.settings.template.request(&message)).await {
            Ok(answered) => (judge(&self.settings.reads, &answered), true),
            Err(NoAnswer::Unsent(why)) => {
                (Verdict::Later(format!("The carrier cannot be reached: {why}.")), false)
            }
            Err(NoAnswer::Lost(why)) => {
                (Verdict::Unknown(format!("The carrier did not answer: {why}.")), false)
            }
        };
        self.note(up, &verdict, text.parts.len());
        match verdict {
            Verdict::Accepted(Some(id)) => {
                self.fresh.note(&self.name, &id, sending);
                Handed::accepted(Fresh::name(&self.name, &id))
            }
            Verdict::Accepted(None) => Handed::Accepted { carrier_ref: None },
            Verdict::Throttled(_) => late(),
            Verdict::Later(why) => Handed::Deferred { why },
            Verdict::Refused(why) => Handed::Refused { why },
            Verdict::Unknown(why) => Handed::Unknown { why },
        }
    }

    fn is_quiet(&self) -> bool {
        self.throttle.lock().until.is_some_and(|until| until > Instant::now())
    }

    fn note(&self, up: bool, verdict: &Verdict, parts: usize) {
        self.up.store(up, Ordering::Relaxed);
        gauge!("rookery_sms_carrier_up", "carrier" => self.name.clone()).set(if up { 1.0 } else { 0.0 });
        let outcome = match verdict {
            Verdict::Accepted(_) => "accepted",
            Verdict::Throttled(_) => "throttled",
            Verdict::Later(_) => "deferred",
            Verdict::Refused(_) => "refused",
            Verdict::Unknown(_) => "unknown",
        };
        counter!("rookery_sms_parts_total", "carrier" => self.name.clone(), "outcome" => outcome)
            .increment(parts as u64);
        if !matches!(verdict, Verdict::Accepted(_)) {
            tracing::warn!(carrier = self.name, ?verdict, "a provider does not take a message");
        }
        let mut throttle = self.throttle.lock();
        match verdict {
            Verdict::Throttled(said) => {
                let pause = said.unwrap_or(throttle.pause).min(limits::LONGEST_THROTTLE);
                throttle.until = Some(Instant::now() + pause);
                throttle.pause = (throttle.pause * 2).min(limits::LONGEST_THROTTLE);
            }
            Verdict::Accepted(_) => throttle.pause = limits::THROTTLE,
            _ => {}
        }
    }
}
