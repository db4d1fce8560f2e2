//! One writes, and all devices of the other get it (XEP-0280).

use anyhow::Result;
use rookery_proto::stanza::{Kind, Stanza};
use serde::{Deserialize, Serialize};

use super::{Scenario, Share, stamp_of};
use crate::message::Text;
use crate::net::framing::Target;
use crate::net::{Identity, Net};
use crate::options::Options;
use crate::stamp::{Flow, Stamp};
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CarbonsArgs {
    /// People who are written to, each by one other
    #[arg(long, default_value_t = 50)]
    pub(crate) people: usize,
    /// Devices of each
    #[arg(long, default_value_t = 4)]
    pub(crate) devices: usize,
}

impl CarbonsArgs {
    /// Sessions that belong together: one writes, the others are the devices.
    pub(crate) fn group(&self) -> usize {
        self.devices + 1
    }

    pub(crate) fn identity(&self, number: usize) -> Identity {
        let (group, member) = (number / self.group(), number % self.group());
        let account = 2 * group + usize::from(member > 0);
        Identity { account, resource: format!("load{member}"), number }
    }
}

/// The groups of one worker. The next message of a group is sent when all devices have the last.
pub(crate) struct Carbons {
    group: usize,
    text: Text,
    flows: Vec<Flow>,
    /// For each group: the next sequence number, and devices that do not have the last message yet.
    next: Vec<(u32, usize)>,
    running: bool,
}

impl Carbons {
    pub(crate) fn new(args: &CarbonsArgs, options: &Options, share: &Share) -> Carbons {
        let sessions = share.sessions.len();
        let next = vec![(0, 0); sessions / args.group()];
        let flows = vec![Flow::default(); sessions];
        Carbons { group: args.group(), text: Text::new(options), flows, next, running: false }
    }

    fn send(&mut self, net: &mut Net, score: &mut Score, group: usize) -> Result<()> {
        let writer = group * self.group;
        let (seq, missing) = &mut self.next[group];
        let identity = net.identity(writer);
        let (account, number) = (identity.account + 1, identity.number);
        let stamp = Stamp { flow: number as u32, seq: *seq, at: net.clock.now() };
        *seq += 1;
        *missing = self.group - 1;
        let message = self.text.message(&net.address(account), "chat", &stamp);
        // A server sends one copy to each device; the relay knows nothing of accounts.
        let devices = if net.is_relay() { 1..self.group } else { 1..2 };
        for device in devices {
            net.send(writer, Target::Session(number + device), &message)?;
        }
        score.counts.sent += 1;
        score.counts.due += (self.group - 1) as u64;
        Ok(())
    }
}

impl Scenario for Carbons {
    fn begin(&mut self, net: &mut Net, score: &mut Score) -> Result<()> {
        self.running = true;
        (0..self.next.len()).try_for_each(|group| self.send(net, score, group))
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
        let after = net.clock.now().saturating_sub(stamp.at);
        score.arrived(self.flows[session].take(stamp.seq), after);
        let group = session / self.group;
        let missing = &mut self.next[group].1;
        *missing = missing.saturating_sub(1);
        if *missing == 0 && self.running {
            self.send(net, score, group)?;
        }
        Ok(())
    }

    fn stop(&mut self) {
        self.running = false;
    }
}
