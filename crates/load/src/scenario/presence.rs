//! People who see each other's presence: changes of it, and signing in among many contacts.

use std::collections::HashMap;

use anyhow::Result;
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use serde::{Deserialize, Serialize};

use super::{Scenario, Share};
use crate::net::Net;
use crate::net::framing::Target;
use crate::stamp::{Flow, Stamp};
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PresenceArgs {
    /// How many people there are, in a ring
    #[arg(long, default_value_t = 500)]
    pub(crate) people: usize,
    /// Contacts of each: the nearest, half of them on either side. They must not be contacts before
    #[arg(long, default_value_t = 20)]
    pub(crate) contacts: usize,
    /// People who change their presence, each again when the last change has come back
    #[arg(long, default_value_t = 20)]
    pub(crate) changing: usize,
    /// Sign-ins under way at a time, of each worker
    #[arg(long, default_value_t = 8)]
    pub(crate) returning: usize,
}

/// Become contacts, leave, sign in again; then presence changes.
pub(crate) const STAGES: [&str; 3] = ["befriend", "leave", "sign in again"];

/// Requests of one worker that are under way at a time.
const ASKING: usize = 256;

/// The people of one worker.
pub(crate) struct Presence {
    args: PresenceArgs,
    first: usize,
    sessions: usize,
    /// Nothing before the first begins: nobody has signed in then.
    stage: Option<usize>,
    next: usize,
    under_way: usize,
    /// Approvals that have come, of all sessions.
    approved: usize,
    came_back: usize,
    /// Sequence numbers of those who change.
    changing: HashMap<usize, u32>,
    /// What each session has of each contact.
    flows: HashMap<(usize, u32), Flow>,
    running: bool,
}

impl Presence {
    pub(crate) fn new(args: &PresenceArgs, share: &Share) -> Presence {
        let changing = share.sessions.clone().enumerate().filter(|(_, number)| *number < args.changing);
        Presence {
            args: args.clone(),
            first: share.sessions.start,
            sessions: share.sessions.len(),
            stage: None,
            next: 0,
            under_way: 0,
            approved: 0,
            came_back: 0,
            changing: changing.map(|(session, _)| (session, 0)).collect(),
            flows: HashMap::new(),
            running: false,
        }
    }

    /// Asks the contacts on one side; they ask back.
    fn ask(&mut self, net: &mut Net, session: usize) -> Result<()> {
        for step in 1..=self.args.contacts / 2 {
            let account = (self.first + session + step) % self.args.people;
            subscription(net, session, &net.address(account), "subscribe")?;
        }
        Ok(())
    }

    /// RFC 6121 §3.1: an answer to what another asks, and the same question back if it was the other who began.
    fn asked(&mut self, net: &mut Net, session: usize, from: &str) -> Result<()> {
        subscription(net, session, from, "subscribed")?;
        let number = self.first + session;
        let began = (1..=self.args.contacts / 2)
            .any(|step| net.address((number + self.args.people - step) % self.args.people) == from);
        if began { subscription(net, session, from, "subscribe") } else { Ok(()) }
    }

    fn change(&mut self, net: &mut Net, score: &mut Score, session: usize) -> Result<()> {
        let Some(seq) = self.changing.get_mut(&session) else { return Ok(()) };
        let stamp = Stamp { flow: (self.first + session) as u32, seq: *seq, at: net.clock.now() };
        *seq += 1;
        let presence = format!("<presence><show>away</show><status>{}</status></presence>", stamp.id());
        net.send(session, Target::Server, presence.as_bytes())?;
        score.counts.sent += 1;
        score.counts.due += (self.args.contacts / 2 * 2) as u64;
        Ok(())
    }
}

fn subscription(net: &mut Net, session: usize, to: &str, kind: &str) -> Result<()> {
    net.send(session, Target::Server, format!("<presence to='{to}' type='{kind}'/>").as_bytes())
}

impl Scenario for Presence {
    fn stage(&mut self, net: &mut Net, _: &mut Score, stage: usize) -> Result<()> {
        (self.stage, self.next, self.under_way) = (Some(stage), 0, 0);
        if stage == 1 {
            (0..self.sessions).for_each(|session| net.leave(session));
        }
        Ok(())
    }

    fn staged(&self, net: &Net) -> bool {
        match self.stage {
            Some(0) => self.approved >= self.sessions * (self.args.contacts / 2 * 2),
            Some(1) => net.connected() == 0,
            _ => self.came_back == self.sessions,
        }
    }

    fn ready(&mut self, _: &mut Net, score: &mut Score, _: usize) -> Result<()> {
        self.under_way -= 1;
        self.came_back += 1;
        score.counts.steps += 1;
        Ok(())
    }

    fn begin(&mut self, net: &mut Net, score: &mut Score) -> Result<()> {
        self.running = true;
        let changing: Vec<_> = self.changing.keys().copied().collect();
        changing.into_iter().try_for_each(|session| self.change(net, score, session))
    }

    fn stanza(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        if stanza.kind() != Kind::Presence {
            return Ok(());
        }
        let from = stanza.from().unwrap_or_default();
        match stanza.type_().as_deref() {
            None => {}
            Some("subscribe") => return self.asked(net, session, &from),
            Some("subscribed") => {
                self.approved += 1;
                score.counts.steps += 1;
                return Ok(());
            }
            Some(_) => return Ok(()),
        }
        let stamp = stanza.child(ns::CLIENT, "status").and_then(|status| Stamp::parse(&status.text()));
        let Some(stamp) = stamp else { return Ok(()) };
        // One's own comes back to oneself (RFC 6121 §4.4.2).
        if stamp.flow as usize == self.first + session {
            return if self.running { self.change(net, score, session) } else { Ok(()) };
        }
        let flow = self.flows.entry((session, stamp.flow)).or_default();
        score.arrived(flow.take(stamp.seq), net.clock.now().saturating_sub(stamp.at));
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, _: &mut Score) -> Result<Option<u64>> {
        let each = self.args.contacts / 2;
        if self.stage == Some(0) {
            // Each question brings one approval to who asked, and one to who was asked.
            while self.next < self.sessions && 2 * self.next * each < self.approved + ASKING {
                let session = self.next;
                self.next += 1;
                self.ask(net, session)?;
            }
        }
        while self.stage == Some(2)
            && self.under_way < self.args.returning.max(1)
            && self.next < self.sessions
        {
            let session = self.next;
            self.next += 1;
            self.under_way += 1;
            net.connect(session, false)?;
        }
        Ok(None)
    }

    fn stop(&mut self) {
        self.running = false;
    }
}
