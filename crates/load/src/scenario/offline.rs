//! Messages for people who are away, and their coming back (RFC 6121 §8.5.2.2.1).

use anyhow::Result;
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use serde::{Deserialize, Serialize};

use super::{Scenario, Share, stamp_of};
use crate::message::Text;
use crate::net::Net;
use crate::net::framing::Target;
use crate::options::Options;
use crate::stamp::{Arrival, Flow, Stamp};
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OfflineArgs {
    /// People who are away, each with one who writes
    #[arg(long, default_value_t = 100)]
    pub(crate) pairs: usize,
    /// Messages for each; a server may keep only so many
    #[arg(long, default_value_t = 50)]
    pub(crate) messages: u32,
    /// Sign-ins under way at a time, of each worker
    #[arg(long, default_value_t = 8)]
    pub(crate) returning: usize,
}

/// Those who are written to leave; the others write; those come back and get it all.
pub(crate) const STAGES: [&str; 3] = ["leave", "store", "fetch"];

/// The pairs of one worker: session 2n writes, 2n+1 is away.
pub(crate) struct Offline {
    args: OfflineArgs,
    text: Text,
    flows: Vec<Flow>,
    stage: usize,
    /// The next pair whose turn it is, how many have begun, and how many are done.
    next: usize,
    under_way: usize,
    pairs: usize,
    /// Messages that have come, in all.
    came: usize,
}

impl Offline {
    pub(crate) fn new(args: &OfflineArgs, options: &Options, share: &Share) -> Offline {
        let pairs = share.sessions.len() / 2;
        let flows = vec![Flow::default(); pairs];
        let text = Text::new(options);
        Offline { args: args.clone(), text, flows, stage: 0, next: 0, under_way: 0, pairs, came: 0 }
    }

    /// Everything for one, and a ping: its answer says that the server has taken what came before.
    fn write(&mut self, net: &mut Net, score: &mut Score, pair: usize) -> Result<()> {
        let writer = 2 * pair;
        let (account, number) = (net.identity(writer).account, net.identity(writer).number);
        let to = net.address(account + 1);
        for seq in 0..self.args.messages {
            let stamp = Stamp { flow: number as u32, seq, at: net.clock.now() };
            let message = self.text.message(&to, "chat", &stamp);
            net.send(writer, Target::Server, &message)?;
        }
        score.counts.sent += u64::from(self.args.messages);
        score.counts.due += u64::from(self.args.messages);
        let ping = format!("<iq type='get' id='taken'><ping xmlns='{}'/></iq>", ns::PING);
        net.send(writer, Target::Server, ping.as_bytes())
    }
}

impl Scenario for Offline {
    fn stage(&mut self, net: &mut Net, _: &mut Score, stage: usize) -> Result<()> {
        (self.stage, self.next, self.under_way) = (stage, 0, 0);
        if stage == 0 {
            (0..self.pairs).for_each(|pair| net.leave(2 * pair + 1));
        }
        Ok(())
    }

    fn staged(&self, net: &Net) -> bool {
        match self.stage {
            0 => net.connected() <= self.pairs,
            1 => self.next == self.pairs && self.under_way == 0,
            _ => self.came >= self.pairs * self.args.messages as usize,
        }
    }

    fn begin(&mut self, _: &mut Net, _: &mut Score) -> Result<()> {
        Ok(())
    }

    fn ready(&mut self, _: &mut Net, _: &mut Score, _: usize) -> Result<()> {
        self.under_way -= 1;
        Ok(())
    }

    fn stanza(&mut self, _: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        if stanza.kind() == Kind::Iq && stanza.id().as_deref() == Some("taken") {
            self.under_way -= 1;
            score.counts.steps += u64::from(self.args.messages);
            return Ok(());
        }
        let Some(stamp) = stamp_of(stanza).filter(|_| stanza.kind() == Kind::Message) else { return Ok(()) };
        if stanza.type_().as_deref() == Some("error") {
            score.counts.refused += 1;
            return Ok(());
        }
        let how = self.flows[session / 2].take(stamp.seq);
        // Its age says how long the receiver was away, nothing about the server.
        score.arrived(how, 0);
        if how != Arrival::Again {
            self.came += 1;
            score.counts.steps += 1;
        }
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, score: &mut Score) -> Result<Option<u64>> {
        while self.stage > 0 && self.under_way < self.args.returning.max(1) && self.next < self.pairs {
            let pair = self.next;
            self.next += 1;
            self.under_way += 1;
            match self.stage {
                1 => self.write(net, score, pair)?,
                _ => net.connect(2 * pair + 1, false)?,
            }
        }
        Ok(None)
    }
}
