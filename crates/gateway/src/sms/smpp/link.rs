//! A connection to a carrier that is kept up: made again when it ends, with pauses that grow.

use super::pdu::submits;
use super::session::{self, Answer, Order};
use super::{Settings, wire};
use crate::mail::route::Dialling;
use crate::reach::channel::Handed;
use crate::sms::text::Parts;
use crate::sms::{Fresh, limits};
use metrics::{counter, gauge};
use rookery_store::SendingId;
use rusmpp_core::pdus::owned::SubmitSm;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

pub use session::{Take, Taken, Taking};
pub use wire::{Heard, Reader};

/// Makes a connection to the carrier.
pub type Dial = dyn Fn() -> Dialling + Send + Sync;

/// Takes what a carrier brings by its next connection.
pub type Takes = Arc<dyn Fn() -> Take + Send + Sync>;

/// A carrier by SMPP.
pub struct Link {
    name: String,
    settings: Settings,
    dial: Arc<Dial>,
    orders: mpsc::Sender<Order>,
    /// The other end, of whoever keeps the connection up.
    turn: Mutex<mpsc::Receiver<Order>>,
    /// Whether it is signed in.
    up: AtomicBool,
    /// Names the next message that has parts.
    reference: AtomicU16,
    fresh: Arc<Fresh>,
}

impl Link {
    /// Not connected before [`Link::run`]. `reference` should be any: phones keep parts for a while.
    pub fn new(
        name: &str,
        settings: Settings,
        dial: Arc<Dial>,
        reference: u16,
        fresh: Arc<Fresh>,
    ) -> Arc<Link> {
        let (orders, turn) = mpsc::channel(limits::ORDERS);
        let name = name.to_owned();
        let (turn, up, reference) = (Mutex::new(turn), AtomicBool::new(false), AtomicU16::new(reference));
        Arc::new(Link { name, settings, dial, orders, turn, up, reference, fresh })
    }

    /// Keeps the connection up for as long as it is polled, and gives what each connection brings to one of
    /// `takes`.
    pub async fn run(self: Arc<Link>, takes: Takes) {
        let mut orders = self.turn.lock().await;
        let mut pause = limits::PAUSE;
        loop {
            let (carrier, begun) = (self.name.as_str(), Instant::now());
            let error = match self.open(takes()).await {
                Ok(session) => {
                    tracing::info!(carrier, "connected");
                    self.is_up(true);
                    session.run(&mut orders).await
                }
                Err(error) => error,
            };
            self.is_up(false);
            while let Ok(order) = orders.try_recv() {
                order.reply.send(Answer::Later("The carrier cannot be reached.".to_owned())).ok();
            }
            // A connection that has held was no attempt in vain.
            if begun.elapsed() > limits::LONGEST_PAUSE {
                pause = limits::PAUSE;
            }
            tracing::warn!(carrier, %error, again_in = ?pause, "a carrier of short messages is not connected");
            sleep(pause).await;
            pause = (pause * 2).min(limits::LONGEST_PAUSE);
        }
    }

    async fn open(
        &self,
        take: Take,
    ) -> io::Result<session::Session<'_, Box<dyn crate::mail::smtp::Carrier>>> {
        let dialled = timeout(limits::BIND, (self.dial)()).await;
        let stream = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        session::open(stream, &self.settings, &self.name, &self.fresh, take).await
    }

    fn is_up(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
        gauge!("rookery_sms_carrier_up", "carrier" => self.name.clone()).set(if up { 1.0 } else { 0.0 });
    }

    /// Hands over a text. Of several parts each waits for the one before, so that none is said in vain.
    pub async fn send(&self, to: &str, text: &Parts, sending: SendingId) -> Handed {
        if !self.up.load(Ordering::Relaxed) {
            return Handed::deferred("The carrier is not connected.");
        }
        let reference = self.reference.fetch_add(1, Ordering::Relaxed);
        let Some(submits) = submits(&self.settings, to, text, reference) else {
            return Handed::refused("This cannot be written in a short message.");
        };
        let until = Instant::now() + limits::TURN;
        let mut accepted = String::new();
        for (at, submit) in submits.into_iter().enumerate() {
            let answer = self.submit(submit, sending, until).await;
            self.count(&answer);
            let handed = match answer {
                Answer::Accepted(id) => {
                    accepted = id;
                    continue;
                }
                Answer::Unknown => Handed::unknown("The connection to the carrier ended before it answered."),
                // What is left of it cannot be sent alone.
                _ if at > 0 => Handed::unknown("The carrier has taken only a part of it."),
                Answer::Throttled => Handed::deferred("The carrier has too much to do."),
                Answer::Later(why) => Handed::Deferred { why },
                Answer::Refused(why) => Handed::Refused { why },
            };
            return handed;
        }
        match accepted.is_empty() {
            true => Handed::Accepted { carrier_ref: None },
            false => Handed::accepted(Fresh::name(&self.name, &accepted)),
        }
    }

    /// One message; again, when the carrier says that it is too much, for as long as there is time.
    async fn submit(&self, submit: SubmitSm, sending: SendingId, until: Instant) -> Answer {
        loop {
            let (reply, answer) = oneshot::channel();
            let order = Order { submit: submit.clone(), sending, until, reply };
            let late = || Answer::Later("The carrier has too much to do.".to_owned());
            match tokio::time::timeout_at(until, self.orders.send(order)).await {
                Ok(Ok(())) => {}
                _ => return late(),
            }
            match answer.await {
                Ok(Answer::Throttled) if Instant::now() < until => continue,
                Ok(answer) => return answer,
                // The server is ending.
                Err(_) => return Answer::Unknown,
            }
        }
    }

    fn count(&self, answer: &Answer) {
        let outcome = match answer {
            Answer::Accepted(_) => "accepted",
            Answer::Throttled => "throttled",
            Answer::Later(_) => "deferred",
            Answer::Refused(_) => "refused",
            Answer::Unknown => "unknown",
        };
        counter!("rookery_sms_parts_total", "carrier" => self.name.clone(), "outcome" => outcome)
            .increment(1);
    }
}
