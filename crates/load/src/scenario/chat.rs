//! Pairs that write to each other.

use anyhow::Result;
use rookery_proto::stanza::{Kind, Stanza};
use serde::{Deserialize, Serialize};

use super::{Scenario, Share, stamp_of};
use crate::clock::SECOND;
use crate::message::Text;
use crate::net::Net;
use crate::net::framing::Target;
use crate::options::Options;
use crate::stamp::{Flow, Stamp};
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChatArgs {
    /// How many
    #[arg(long, default_value_t = 200)]
    pub(crate) pairs: usize,
    /// Messages of a pair that are under way: who gets one answers with one
    #[arg(long, default_value_t = 1)]
    pub(crate) window: usize,
    /// Open loop: so many messages in a second, of all pairs, whether or not the last ones have arrived. Only this tells
    /// latencies: a closed loop slows down with the server
    #[arg(long)]
    pub(crate) rate: Option<f64>,
}

/// One side of a pair.
#[derive(Clone, Copy, Default)]
struct Side {
    /// The sequence number of the next message to the other side.
    next: u32,
    /// What came from there.
    flow: Flow,
}

/// The pairs of one worker: sessions 2n and 2n+1.
pub(crate) struct Chat {
    window: usize,
    text: Text,
    sides: Vec<Side>,
    /// Nanoseconds between two messages of an open loop.
    interval: Option<u64>,
    /// When the next one is due.
    due: u64,
    /// Whose turn it is.
    turn: usize,
    running: bool,
}

impl Chat {
    pub(crate) fn new(args: &ChatArgs, options: &Options, share: &Share) -> Chat {
        let sides = share.sessions.len();
        let part = sides as f64 / share.of as f64;
        let interval = args.rate.map(|rate| (SECOND as f64 / (rate * part)) as u64);
        let text = Text::new(options);
        let sides = vec![Side::default(); sides];
        Chat { window: args.window, text, sides, interval, due: 0, turn: 0, running: false }
    }

    /// One message from this session to its peer; `at` is when it was to be sent.
    fn send(&mut self, net: &mut Net, score: &mut Score, session: usize, at: u64) -> Result<()> {
        let side = &mut self.sides[session];
        let identity = net.identity(session);
        let stamp = Stamp { flow: identity.number as u32, seq: side.next, at };
        let (account, number) = (identity.account ^ 1, identity.number ^ 1);
        side.next += 1;
        let message = self.text.message(&net.address(account), "chat", &stamp);
        net.send(session, Target::Session(number), &message)?;
        score.counts.sent += 1;
        score.counts.due += 1;
        Ok(())
    }
}

impl Scenario for Chat {
    fn begin(&mut self, net: &mut Net, score: &mut Score) -> Result<()> {
        self.running = true;
        self.due = net.clock.now();
        if self.interval.is_none() {
            for session in (0..self.sides.len()).step_by(2) {
                for _ in 0..self.window {
                    self.send(net, score, session, self.due)?;
                }
            }
        }
        Ok(())
    }

    fn stanza(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        if stanza.kind() != Kind::Message {
            return Ok(());
        }
        let Some(stamp) = stamp_of(stanza) else { return Ok(()) };
        if stanza.type_().as_deref() == Some("error") {
            score.counts.refused += 1;
            return Ok(());
        }
        let now = net.clock.now();
        score.arrived(self.sides[session].flow.take(stamp.seq), now.saturating_sub(stamp.at));
        if self.running && self.interval.is_none() {
            self.send(net, score, session, now)?;
        }
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, score: &mut Score) -> Result<Option<u64>> {
        let Some(interval) = self.interval.filter(|_| self.running) else { return Ok(None) };
        let now = net.clock.now();
        while self.due <= now {
            let session = self.turn % self.sides.len();
            self.turn += 1;
            // Counted from when it was due: a generator that lags behind must not hide it.
            self.send(net, score, session, self.due)?;
            self.due += interval;
        }
        Ok(Some(self.due))
    }

    fn stop(&mut self) {
        self.running = false;
    }
}
