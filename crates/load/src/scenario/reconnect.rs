//! Everybody loses the connection at once, as when a network or the server fails, and comes back.

use anyhow::Result;
use rookery_proto::stanza::Stanza;
use serde::{Deserialize, Serialize};

use super::{Scenario, Share};
use crate::clock::SECOND;
use crate::net::Net;
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReconnectArgs {
    /// How many
    #[arg(long, default_value_t = 1000)]
    pub(crate) sessions: usize,
    /// Those who come back have lost their streams, too: they bind, ask for the roster and become available
    #[arg(long)]
    pub(crate) afresh: bool,
    /// Sign-ins under way at a time, of each worker
    #[arg(long, default_value_t = 8)]
    pub(crate) returning: usize,
}

/// All connections end; all sessions resume (XEP-0198 §5), or sign in afresh.
pub(crate) const STAGES: [&str; 2] = ["cut", "come back"];

/// What a server gets to see that connections are gone.
const GONE: u64 = 2 * SECOND;

/// The sessions of one worker.
pub(crate) struct Reconnect {
    args: ReconnectArgs,
    sessions: usize,
    stage: usize,
    begun: u64,
    next: usize,
    under_way: usize,
}

impl Reconnect {
    pub(crate) fn new(args: &ReconnectArgs, share: &Share) -> Reconnect {
        let sessions = share.sessions.len();
        Reconnect { args: args.clone(), sessions, stage: 0, begun: 0, next: 0, under_way: 0 }
    }
}

impl Scenario for Reconnect {
    fn stage(&mut self, net: &mut Net, _: &mut Score, stage: usize) -> Result<()> {
        (self.stage, self.begun) = (stage, net.clock.now());
        if stage == 0 {
            for session in 0..self.sessions {
                if self.args.afresh { net.leave(session) } else { net.cut(session) }
            }
        }
        Ok(())
    }

    fn staged(&self, net: &Net) -> bool {
        match self.stage {
            0 => net.connected() == 0 && net.clock.now() >= self.begun + GONE,
            _ => self.next == self.sessions && self.under_way == 0,
        }
    }

    fn begin(&mut self, _: &mut Net, _: &mut Score) -> Result<()> {
        Ok(())
    }

    fn ready(&mut self, net: &mut Net, score: &mut Score, session: usize) -> Result<()> {
        self.under_way -= 1;
        score.counts.steps += 1;
        let since = net.since(session).unwrap_or_default();
        score.latency.record(net.clock.now().saturating_sub(since));
        Ok(())
    }

    fn stanza(&mut self, _: &mut Net, _: &mut Score, _: usize, _: &Stanza) -> Result<()> {
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, _: &mut Score) -> Result<Option<u64>> {
        while self.stage == 1 && self.under_way < self.args.returning.max(1) && self.next < self.sessions {
            net.connect(self.next, false)?;
            self.next += 1;
            self.under_way += 1;
        }
        Ok(None)
    }
}
