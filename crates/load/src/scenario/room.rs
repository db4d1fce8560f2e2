//! A room in which a few speak and all listen (XEP-0045).

use std::collections::HashMap;

use anyhow::Result;
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use serde::{Deserialize, Serialize};

use super::{Scenario, Share, stamp_of};
use crate::message::Text;
use crate::net::Net;
use crate::net::framing::Target;
use crate::options::Options;
use crate::stamp::{Flow, Stamp};
use crate::stats::Score;

#[derive(clap::Args, Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoomArgs {
    /// How many are in the room
    #[arg(long, default_value_t = 1000)]
    pub(crate) occupants: usize,
    /// How many of them speak; each says the next thing when the last has come back
    #[arg(long, default_value_t = 10)]
    pub(crate) speakers: usize,
    /// The room's address; it is made if it is not there
    #[arg(long, default_value = "load@conference.localhost")]
    pub(crate) room: String,
    /// Joins under way at a time, of each worker
    #[arg(long, default_value_t = 4)]
    pub(crate) joining: usize,
}

/// The stages before anybody speaks.
pub(crate) const STAGES: [&str; 3] = ["make the room", "fill it", "join"];

/// Of those who join, one in so many is measured: the last ones, who come into a room that is nearly full.
const MEASURED: usize = 10;

/// The occupants of one worker.
pub(crate) struct Room {
    args: RoomArgs,
    text: Text,
    /// The number of the worker's first session, and how many the worker has.
    first: usize,
    sessions: usize,
    /// The next session that has to join, and the one before which this stage ends.
    next: usize,
    upto: usize,
    /// When those that are under way began.
    joining: HashMap<usize, u64>,
    /// The room is being made.
    making: bool,
    /// The next sequence number of each speaker of this worker, by session.
    speakers: HashMap<usize, u32>,
    /// Of each session, one for each speaker.
    flows: Vec<Flow>,
    running: bool,
}

impl Room {
    pub(crate) fn new(args: &RoomArgs, options: &Options, share: &Share) -> Room {
        let sessions = share.sessions.len();
        let speakers = share.sessions.clone().enumerate();
        let speakers =
            speakers.filter(|(_, number)| *number < args.speakers).map(|(session, _)| (session, 0));
        Room {
            args: args.clone(),
            text: Text::new(options),
            first: share.sessions.start,
            sessions,
            next: 0,
            upto: 0,
            joining: HashMap::new(),
            making: false,
            speakers: speakers.collect(),
            flows: vec![Flow::default(); sessions * args.speakers],
            running: false,
        }
    }

    fn join(&mut self, net: &mut Net, session: usize) -> Result<()> {
        self.joining.insert(session, net.clock.now());
        let nick = self.nick(session);
        let presence = format!(
            "<presence to='{}/{nick}'><x xmlns='{}'><history maxstanzas='0'/></x></presence>",
            self.args.room,
            ns::MUC
        );
        net.send(session, Target::Server, presence.as_bytes())
    }

    fn nick(&self, session: usize) -> String {
        format!("n{}", self.first + session)
    }

    /// Presence of an occupant: the own one ends a join (XEP-0045 §7.2.2).
    fn presence(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        let from = stanza.from().unwrap_or_default();
        let mine = from.strip_prefix(self.args.room.as_str()).and_then(|rest| rest.strip_prefix('/'));
        if mine != Some(&self.nick(session)) {
            return Ok(());
        }
        let Some(begun) = self.joining.remove(&session) else { return Ok(()) };
        if stanza.type_().is_some() {
            score.counts.refused += 1;
            return Ok(());
        }
        score.counts.steps += 1;
        score.latency.record(net.clock.now().saturating_sub(begun));
        let status = |code: &str| {
            let x = stanza.child(ns::MUC_USER, "x");
            x.is_some_and(|x| x.children().any(|status| status.attr("code").as_deref() == Some(code)))
        };
        if status("201") {
            // XEP-0045 §10.1.2: with all defaults.
            let form = format!(
                "<iq type='set' id='made' to='{}'><query xmlns='{}'><x xmlns='jabber:x:data' type='submit'/></query></iq>",
                self.args.room,
                ns::MUC_OWNER
            );
            return net.send(session, Target::Server, form.as_bytes());
        }
        self.making = false;
        Ok(())
    }

    fn say(&mut self, net: &mut Net, score: &mut Score, session: usize) -> Result<()> {
        let Some(seq) = self.speakers.get_mut(&session) else { return Ok(()) };
        let stamp = Stamp { flow: (self.first + session) as u32, seq: *seq, at: net.clock.now() };
        *seq += 1;
        let message = self.text.message(&self.args.room, "groupchat", &stamp);
        net.send(session, Target::All, &message)?;
        score.counts.sent += 1;
        score.counts.due += self.args.occupants as u64;
        Ok(())
    }
}

impl Scenario for Room {
    fn stage(&mut self, net: &mut Net, _: &mut Score, stage: usize) -> Result<()> {
        if net.is_relay() {
            return Ok(());
        }
        self.upto = match stage {
            0 => usize::from(self.first == 0),
            1 => self.sessions - self.sessions / MEASURED,
            _ => self.sessions,
        };
        self.making = stage == 0 && self.upto == 1;
        Ok(())
    }

    fn staged(&self, _: &Net) -> bool {
        self.next >= self.upto && self.joining.is_empty() && !self.making
    }

    fn begin(&mut self, net: &mut Net, score: &mut Score) -> Result<()> {
        self.running = true;
        let speakers: Vec<_> = self.speakers.keys().copied().collect();
        speakers.into_iter().try_for_each(|session| self.say(net, score, session))
    }

    fn stanza(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        match stanza.kind() {
            Kind::Presence => return self.presence(net, score, session, stanza),
            Kind::Iq if stanza.id().as_deref() == Some("made") => self.making = false,
            _ => {}
        }
        let Some(stamp) = stamp_of(stanza) else { return Ok(()) };
        if stanza.type_().as_deref() == Some("error") {
            score.counts.refused += 1;
            return Ok(());
        }
        let Some(flow) = self.flows.get_mut(session * self.args.speakers + stamp.flow as usize) else {
            return Ok(());
        };
        score.arrived(flow.take(stamp.seq), net.clock.now().saturating_sub(stamp.at));
        if self.running && stamp.flow as usize == self.first + session {
            self.say(net, score, session)?;
        }
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, _: &mut Score) -> Result<Option<u64>> {
        while self.joining.len() < self.args.joining.max(1) && self.next < self.upto {
            let session = self.next;
            self.next += 1;
            self.join(net, session)?;
        }
        Ok(None)
    }

    fn stop(&mut self) {
        self.running = false;
    }
}
