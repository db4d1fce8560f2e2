//! An ordinary day of a town, compressed: everything that the other scenarios measure by itself, mixed as people do it.
//!
//! People live in streets of [`STREET`]. Those of a street share a room, see each other's presence where they are next
//! neighbours, and write to those. So many events a second happen, of all people together, in an order that looks accidental
//! and is the same in each run. Of a hundred events ([`DAY`]):
//!
//! | | |
//! | --- | --- |
//! | 58 | one writes to a neighbour, after a chat state that says so |
//! | 12 | one says something to the street |
//! | 10 | one's presence changes |
//! | 8 | a connection breaks, and the stream is resumed (XEP-0198) |
//! | 6 | one reads the last page of the own archive (XEP-0313) |
//! | 6 | a commuter leaves, or comes back and finds what was written meanwhile |
//!
//! Commuters (one in four) are not in the room: what was said there while they were away is not for them.

use std::collections::HashMap;

use anyhow::{Result, ensure};
use rookery_proto::ns;
use rookery_proto::stanza::{Kind, Stanza};
use rookery_proto::xml::Xml;
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
pub(crate) struct TownArgs {
    /// Streets, of 20 people each. Their accounts must be fresh
    #[arg(long, default_value_t = 25)]
    pub(crate) streets: usize,
    /// Events a second, of the whole town
    #[arg(long, default_value_t = 300.0)]
    pub(crate) rate: f64,
    /// Where rooms are
    #[arg(long, default_value = "conference.localhost")]
    pub(crate) rooms: String,
}

/// What happens before the day begins.
pub(crate) const STAGES: [&str; 3] = ["make rooms", "join", "befriend"];

/// XEP-0085.
const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";

/// People of one street.
pub(crate) const STREET: usize = 20;

/// Next neighbours of each, half of them on either side.
const NEIGHBOURS: usize = 4;

/// Every so many-th person is a commuter.
const COMMUTER: usize = 4;

/// Messages of a page of the archive.
const PAGE: u32 = 20;

/// Joins, and requests for presence, of one worker that are under way at a time.
const UNDER_WAY: usize = 16;

/// What can happen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Write,
    Say,
    Change,
    Break,
    Read,
    Commute,
}

/// How often of a hundred times each happens.
const DAY: [(Event, u64); 6] = [
    (Event::Write, 58),
    (Event::Say, 12),
    (Event::Change, 10),
    (Event::Break, 8),
    (Event::Read, 6),
    (Event::Commute, 6),
];

/// Where somebody is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// Online since that time.
    Here(u64),
    /// The connection is to break as soon as the server has taken what was sent.
    Breaking,
    /// To leave, in the same way.
    Leaving,
    /// Not connected.
    Away,
    /// Connecting.
    Returning,
}

/// The people of one worker: whole streets.
pub(crate) struct Town {
    args: TownArgs,
    text: Text,
    /// The number of the worker's first session.
    first: usize,
    people: Vec<Place>,
    /// Sequence numbers of what was written to each neighbour, and said to the street (then the number is one's own).
    next: HashMap<(usize, usize), u32>,
    /// What each has of each other's.
    flows: HashMap<(usize, u32, bool), Flow>,
    /// Nothing before the first begins: nobody has signed in then.
    stage: Option<usize>,
    /// In the stages: who is next, and how much is not answered yet.
    turn: usize,
    waiting: usize,
    interval: u64,
    due: u64,
    dice: u64,
    running: bool,
}

impl Town {
    pub(crate) fn new(args: &TownArgs, options: &Options, share: &Share) -> Town {
        let people = share.sessions.len();
        let rate = args.rate * people as f64 / share.of as f64;
        Town {
            args: args.clone(),
            text: Text::new(options),
            first: share.sessions.start,
            people: vec![Place::Here(0); people],
            next: HashMap::new(),
            flows: HashMap::new(),
            stage: None,
            turn: 0,
            waiting: 0,
            interval: (SECOND as f64 / rate) as u64,
            due: 0,
            dice: share.sessions.start as u64 + 1,
            running: false,
        }
    }

    /// A number below `sides`, as accidental as a load needs it (a linear congruential generator, Knuth's constants).
    fn roll(&mut self, sides: usize) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.dice >> 33) as usize) % sides
    }

    fn room(&self, session: usize) -> String {
        format!("street{}@{}", (self.first + session) / STREET, self.args.rooms)
    }

    fn join(&mut self, net: &mut Net, session: usize) -> Result<()> {
        self.waiting += 1;
        let presence = format!(
            "<presence to='{}/n{session}'><x xmlns='{}'><history maxstanzas='0'/></x></presence>",
            self.room(session),
            ns::MUC
        );
        net.send(session, Target::Server, presence.as_bytes())
    }

    fn befriend(&mut self, net: &mut Net, session: usize) -> Result<()> {
        for neighbour in neighbours(session) {
            self.waiting += 1;
            let to = net.address(self.first + neighbour);
            net.send(session, Target::Server, format!("<presence to='{to}' type='subscribe'/>").as_bytes())?;
        }
        Ok(())
    }

    /// Presence in the stages: what comes of joining and befriending.
    fn presence(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        let from = stanza.from().unwrap_or_default();
        match stanza.type_().as_deref() {
            Some("subscribe") => {
                let answer = format!("<presence to='{from}' type='subscribed'/>");
                return net.send(session, Target::Server, answer.as_bytes());
            }
            Some("subscribed") => self.waiting = self.waiting.saturating_sub(1),
            Some("error") => score.counts.refused += 1,
            None if self.stage < Some(2) && *from == format!("{}/n{session}", self.room(session)) => {
                if self.stage == Some(0) {
                    // XEP-0045 §10.1.2: with all defaults. Others come in when this is answered.
                    let form = format!(
                        "<iq type='set' id='made' to='{}'><query xmlns='{}'>\
                         <x xmlns='jabber:x:data' type='submit'/></query></iq>",
                        self.room(session),
                        ns::MUC_OWNER
                    );
                    return net.send(session, Target::Server, form.as_bytes());
                }
                self.waiting -= 1;
            }
            _ => {}
        }
        Ok(())
    }

    /// Something happens to somebody. Who is on the way just now is left alone.
    fn happen(&mut self, net: &mut Net, score: &mut Score, at: u64) -> Result<()> {
        let session = self.roll(self.people.len());
        let mut throw = self.roll(DAY.iter().map(|(_, share)| *share as usize).sum()) as u64;
        let event = DAY.iter().find(|(_, share)| {
            let it = throw < *share;
            throw = throw.saturating_sub(*share);
            it
        });
        let Some((event, _)) = event else { return Ok(()) };
        match (self.people[session], event) {
            (Place::Here(_), Event::Write) => self.write(net, score, session, at),
            (Place::Here(_), Event::Say) if !commutes(session) => self.say(net, score, session, at),
            (Place::Here(_), Event::Change) => {
                let show = if self.roll(2) == 0 { "<show>away</show>" } else { "" };
                net.send(session, Target::Server, format!("<presence>{show}</presence>").as_bytes())
            }
            (Place::Here(_), Event::Break) => self.interrupt(net, session, Place::Breaking),
            (Place::Here(_), Event::Read) => net.send(session, Target::Server, &last_page()),
            (Place::Here(_), Event::Commute) if commutes(session) => {
                net.send(session, Target::Server, b"<presence type='unavailable'/>")?;
                self.interrupt(net, session, Place::Leaving)
            }
            (Place::Away, Event::Commute) => self.come_back(net, session),
            _ => Ok(()),
        }
    }

    fn write(&mut self, net: &mut Net, score: &mut Score, session: usize, at: u64) -> Result<()> {
        let neighbour = neighbours(session)[self.roll(NEIGHBOURS)];
        let to = net.address(self.first + neighbour);
        let composing =
            format!("<message to='{to}' type='chat'><composing xmlns='{}'/></message>", CHAT_STATES);
        net.send(session, Target::Server, composing.as_bytes())?;
        let stamp = self.stamp(session, neighbour, at);
        net.send(session, Target::Server, &self.text.message(&to, "chat", &stamp))?;
        score.counts.sent += 1;
        score.counts.due += 1;
        Ok(())
    }

    fn say(&mut self, net: &mut Net, score: &mut Score, session: usize, at: u64) -> Result<()> {
        let stamp = self.stamp(session, session, at);
        net.send(session, Target::Server, &self.text.message(&self.room(session), "groupchat", &stamp))?;
        score.counts.sent += 1;
        score.counts.due += (STREET - STREET / COMMUTER) as u64;
        Ok(())
    }

    fn stamp(&mut self, session: usize, to: usize, at: u64) -> Stamp {
        let next = self.next.entry((session, to)).or_default();
        let seq = *next;
        *next += 1;
        Stamp { flow: (self.first + session) as u32, seq, at }
    }

    /// Before a connection ends, the server has to have taken all that was sent: this is answered after that.
    fn interrupt(&mut self, net: &mut Net, session: usize, place: Place) -> Result<()> {
        self.people[session] = place;
        let ping = format!("<iq type='get' id='taken'><ping xmlns='{}'/></iq>", ns::PING);
        net.send(session, Target::Server, ping.as_bytes())
    }

    fn come_back(&mut self, net: &mut Net, session: usize) -> Result<()> {
        // The old connection may not have ended yet; then it is somebody's turn again later.
        if net.is_connected(session) {
            return Ok(());
        }
        self.people[session] = Place::Returning;
        net.connect(session, false)
    }

    fn answered(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        if stanza.type_().as_deref() == Some("error") {
            score.counts.refused += 1;
        }
        match (stanza.id().as_deref(), self.people[session]) {
            (Some("made"), _) => self.waiting -= 1,
            (Some("page"), _) => score.counts.steps += 1,
            (Some("taken"), Place::Breaking) => {
                net.cut(session);
                return self.come_back(net, session);
            }
            (Some("taken"), Place::Leaving) => {
                net.leave(session);
                self.people[session] = Place::Away;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The next ones in the street, which is a ring.
fn neighbours(session: usize) -> [usize; NEIGHBOURS] {
    let (street, house) = (session / STREET * STREET, session % STREET);
    [1, 2, STREET - 1, STREET - 2].map(|step| street + (house + step) % STREET)
}

fn commutes(session: usize) -> bool {
    session % COMMUTER == COMMUTER - 1
}

/// XEP-0313 §4.3.3, XEP-0059 §2.5: an empty `<before/>` asks for the end.
fn last_page() -> Vec<u8> {
    let mut x = Xml::new();
    x.open("iq").attr("type", "set").attr("id", "page").open_ns("query", ns::MAM);
    x.open_ns("set", ns::RSM).text_element("max", &PAGE.to_string()).text_element("before", "");
    x.close().close().close();
    x.into_vec()
}

impl Scenario for Town {
    fn stage(&mut self, net: &mut Net, _: &mut Score, stage: usize) -> Result<()> {
        ensure!(!net.is_relay(), "a town needs a server: the relay has no rooms and no contacts");
        (self.stage, self.turn, self.waiting) = (Some(stage), 0, 0);
        Ok(())
    }

    fn staged(&self, _: &Net) -> bool {
        self.turn == self.people.len() && self.waiting == 0
    }

    fn ready(&mut self, net: &mut Net, _: &mut Score, session: usize) -> Result<()> {
        self.people[session] = Place::Here(net.clock.now());
        Ok(())
    }

    fn begin(&mut self, net: &mut Net, _: &mut Score) -> Result<()> {
        (self.running, self.due) = (true, net.clock.now());
        Ok(())
    }

    fn stanza(&mut self, net: &mut Net, score: &mut Score, session: usize, stanza: &Stanza) -> Result<()> {
        match stanza.kind() {
            Kind::Presence => return self.presence(net, score, session, stanza),
            Kind::Iq => return self.answered(net, score, session, stanza),
            _ => {}
        }
        // What the archive gives was delivered before.
        let Some(stamp) = stamp_of(stanza).filter(|_| stanza.child(ns::MAM, "result").is_none()) else {
            return Ok(());
        };
        let type_ = stanza.type_();
        if type_.as_deref() == Some("error") {
            score.counts.refused += 1;
            return Ok(());
        }
        let said = type_.as_deref() == Some("groupchat");
        let how = self.flows.entry((session, stamp.flow, said)).or_default().take(stamp.seq);
        // How long somebody was away says nothing about the server.
        match self.people[session] {
            Place::Here(since) if since <= stamp.at => {
                score.arrived(how, net.clock.now().saturating_sub(stamp.at));
            }
            _ => score.came(how),
        }
        Ok(())
    }

    fn tick(&mut self, net: &mut Net, score: &mut Score) -> Result<Option<u64>> {
        let Some(stage) = self.stage else { return Ok(None) };
        while self.turn < self.people.len() && self.waiting < UNDER_WAY {
            let session = self.turn;
            self.turn += 1;
            match stage {
                0 if session.is_multiple_of(STREET) => self.join(net, session)?,
                1 if !session.is_multiple_of(STREET) && !commutes(session) => self.join(net, session)?,
                2 => self.befriend(net, session)?,
                _ => {}
            }
        }
        if !self.running {
            // After the day everybody comes home, to see whether everything is there.
            for session in 0..self.people.len() {
                if self.people[session] == Place::Away {
                    self.come_back(net, session)?;
                }
            }
            return Ok(None);
        }
        let now = net.clock.now();
        while self.due <= now {
            self.happen(net, score, self.due)?;
            self.due += self.interval;
        }
        Ok(Some(self.due))
    }

    fn stop(&mut self) {
        self.running = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_hundred_events_and_a_street_is_a_ring() {
        assert_eq!(DAY.iter().map(|(_, share)| share).sum::<u64>(), 100);
        assert_eq!(neighbours(0), [1, 2, 19, 18]);
        assert_eq!(neighbours(39), [20, 21, 38, 37]);
        assert!(!commutes(0) && commutes(3) && commutes(19));
    }
}
