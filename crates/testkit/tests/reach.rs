//! Reach me against a model: random rules, messages, readings, acknowledgements, moods of carriers, kills and time; the real
//! store, the real rules and queue, carriers of the test. What must hold is asked after each step:
//!
//! - nothing goes out about what was read, answered or acknowledged before;
//! - nothing goes out twice by one way to one address, unless the carrier had not taken it;
//! - no rule applies before its time, in quiet hours unless it is urgent, or beyond the caps;
//! - no rule that applies is left out; every case ends; and what the sender was told last is what is so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result};
use proptest::prelude::*;
use rookery_gateway::reach::channel::{SendingRef, State, Way};
use rookery_gateway::reach::limits;
use rookery_proto::jid::BareJid;
use rookery_proto::stanza::Stanza;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Append, Appended, Caps, Case, CaseState, Direction, Displayed, Flags, Hours, NewSending, Plan, Pointer,
    Rule, Sending, Upto, Urgency,
};
use rookery_testkit::carrier::Mood;
use rookery_testkit::clock;
use rookery_testkit::server::{TestOptions, TestServer};
use smallvec::smallvec;

const MINUTE: i64 = 60_000;
const REACH: &str = "https://rookery.im/protocol/reach";

/// What happens.
#[derive(Clone, Debug)]
enum Event {
    Message(Urgency),
    /// All is read up to the one so many before the last.
    Reads(usize),
    Answers,
    /// The latest sending of a way is acknowledged.
    Acknowledges(Way),
    Delivered(Way),
    Fails(Way),
    Carrier(Way, Mood),
    Minutes(u32),
    /// Reach me ends in the middle of what it does, and begins again.
    Killed,
}

fn way() -> impl Strategy<Value = Way> {
    prop::sample::select(Way::ALL.to_vec())
}

fn urgency() -> impl Strategy<Value = Urgency> {
    prop::sample::select(Urgency::ALL.to_vec())
}

fn event() -> impl Strategy<Value = Event> {
    let moods = vec![Mood::Accepts, Mood::Accepts, Mood::Defers, Mood::Refuses, Mood::Hangs, Mood::Breaks];
    prop_oneof![
        4 => urgency().prop_map(Event::Message),
        1 => (0usize..3).prop_map(Event::Reads),
        1 => Just(Event::Answers),
        1 => way().prop_map(Event::Acknowledges),
        1 => way().prop_map(Event::Delivered),
        1 => way().prop_map(Event::Fails),
        2 => (way(), prop::sample::select(moods)).prop_map(|(way, mood)| Event::Carrier(way, mood)),
        6 => (1u32..45).prop_map(Event::Minutes),
        1 => Just(Event::Killed),
    ]
}

fn hours() -> impl Strategy<Value = Option<Hours>> {
    prop::option::weighted(0.3, (0u16..1440, 1u16..1000))
        .prop_map(|hours| hours.map(|(from, long)| Hours { from, to: (from + long) % 1440 }))
}

fn rule() -> impl Strategy<Value = Rule> {
    (way(), prop::bool::ANY, 0u32..40, prop::bool::ANY, urgency(), hours()).prop_map(
        |(way, other, minutes, unread, least, hours)| {
            let address = address(way, other);
            Rule { way, address, after: minutes * 60, unread, least, hours }
        },
    )
}

fn address(way: Way, other: bool) -> String {
    format!("{}{}", way.name(), if other { 2 } else { 1 })
}

fn plan() -> impl Strategy<Value = Plan> {
    let zones = vec!["UTC", "Asia/Shanghai"];
    (prop::collection::vec(rule(), 1..5), hours(), prop::sample::select(zones)).prop_map(
        |(rules, quiet, zone)| Plan { active: true, zone: zone.into(), quiet, rules, ..Plan::default() },
    )
}

/// What the model knows of one message.
struct Said {
    urgency: Urgency,
    at: i64,
    useq: Useq,
    /// It was read, answered, or acknowledged.
    seen: bool,
}

struct World {
    server: TestServer,
    plan: Plan,
    caps: Caps,
    nurse: Uid,
    doctor: Uid,
    said: Vec<Said>,
    /// What carriers were handed, in their order.
    handed: Vec<Sending>,
}

fn jid(name: &str) -> BareJid {
    BareJid::new(&format!("{name}@localhost")).expect("an address")
}

impl World {
    async fn new(plan: Plan, cap: u32) -> Result<World> {
        let settings = [("reach", "mail+sms+pager".to_owned()), ("sendings_per_day", cap.to_string())];
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let server = TestServer::start(TestOptions { settings, ..TestOptions::default() }).await?;
        let doctor = Uid(server.create_account("doctor", "secret").await?);
        let nurse = Uid(server.create_account("nurse", "secret").await?);
        let store = &server.core().store;
        for way in Way::ALL {
            for other in [false, true] {
                let (address, code) = (address(way, other), "1".to_owned());
                let proof = NewSending {
                    uid: nurse,
                    way,
                    address: address.clone(),
                    urgency: Urgency::Normal,
                    case: None,
                    title: String::new(),
                    text: "proof".into(),
                    code: code.clone(),
                    // Long before anything of the test, so that it counts in no cap.
                    at: rookery_store::Timestamp(0),
                };
                store.add_reach_address(proof, Caps { account: 100, server: 100 }).await?;
                let now = rookery_store::Timestamp(0);
                store.prove_reach_address(nurse, way, address, code, now).await?;
            }
        }
        server
            .core()
            .set_reach_plan(nurse, plan.clone())
            .await
            .map_err(|it| anyhow::anyhow!(it.condition))?;
        let caps = Caps { account: cap, server: 1000 };
        let mut world = World { server, plan, caps, nurse, doctor, said: Vec::new(), handed: Vec::new() };
        world.settle().await?;
        world.handed.clear();
        Ok(world)
    }

    fn now(&self) -> i64 {
        self.server.core().env.now().0
    }

    /// Until nothing is left to do at this moment.
    async fn settle(&mut self) -> Result<()> {
        loop {
            clock::settle().await;
            for carrier in &self.server.carriers {
                self.handed.extend(carrier.take().into_iter().filter(|it| it.what.case.is_some()));
            }
            let (store, now) = (&self.server.core().store, self.server.core().env.now());
            let mut idle = store.next_case().await?.is_none_or(|next| next > now);
            for way in Way::ALL {
                idle &= store.next_sending(way).await?.is_none_or(|next| next > now);
            }
            // What hangs is under way until its time is over; anything else is about to be settled.
            for sending in store.sendings_under_way().await? {
                idle &= self.server.carrier(sending.what.way)?.hangs(sending.id);
            }
            if idle {
                break;
            }
        }
        self.check_handed().await
    }

    async fn does(&mut self, event: &Event) -> Result<()> {
        match event {
            Event::Message(urgency) => self.writes(*urgency).await?,
            Event::Reads(before) => {
                let Some(last) = self.said.len().checked_sub(before + 1) else { return Ok(()) };
                let upto = Upto::Entry(self.said[last].useq);
                let displayed = Displayed { uid: self.nurse, peer: jid("doctor"), upto };
                self.server.core().store.set_displayed(displayed).await?;
                self.said[..=last].iter_mut().for_each(|said| said.seen = true);
            }
            Event::Answers => {
                self.append(self.nurse, "answer", Flags::REACH).await?;
                self.said.iter_mut().for_each(|said| said.seen = true);
            }
            Event::Acknowledges(way) => self.news(*way, State::Acknowledged).await?,
            Event::Delivered(way) => self.news(*way, State::Delivered).await?,
            Event::Fails(way) => self.news(*way, State::Failed).await?,
            Event::Carrier(way, mood) => self.server.carrier(*way)?.set_mood(*mood),
            Event::Minutes(minutes) => {
                for _ in 0..*minutes {
                    clock::pass(Duration::from_secs(60)).await;
                    self.settle().await?;
                }
            }
            Event::Killed => self.server.kill_reach().await,
        }
        self.settle().await
    }

    async fn writes(&mut self, urgency: Urgency) -> Result<()> {
        // As the way of a message decides: about what nobody wants to be reached, there is no case.
        if !self.plan.rules.iter().any(|rule| rule.least <= urgency) {
            return Ok(());
        }
        let flags = match urgency {
            Urgency::Normal => Flags::REACH,
            Urgency::Important => Flags::REACH | Flags::IMPORTANT,
            Urgency::Urgent => Flags::REACH | Flags::URGENT,
        };
        let (at, text) = (self.now(), format!("({})", self.said.len()));
        let useq = self.append(self.doctor, &text, flags).await?;
        self.said.push(Said { urgency, at, useq, seen: false });
        Ok(())
    }

    /// One message, and its place in the nurse's log.
    async fn append(&self, from: Uid, text: &str, reach: Flags) -> Result<Useq> {
        let (sender, recipient) = if from == self.doctor { ("doctor", "nurse") } else { ("nurse", "doctor") };
        let of_nurse = |uid| if uid == self.nurse { reach } else { Flags::default() };
        let pointer = |uid, peer: &str, direction| Pointer {
            uid,
            peer: jid(peer),
            peer_resource: None,
            direction,
            resource: None,
            flags: of_nurse(uid),
        };
        let to = if from == self.doctor { self.nurse } else { self.doctor };
        let stanza = format!(
            "<message xmlns='jabber:client' from='{sender}@localhost/x' to='{recipient}@localhost' type='chat' id='{text}'><body>{text}</body></message>"
        );
        let append = Append {
            stanza: stanza.replace(" xmlns='jabber:client'", "").into_bytes().into(),
            at: self.server.core().env.now(),
            flags: Flags::DELIVER | Flags::ARCHIVE | Flags::INSTANT | Flags::CHAT,
            pointers: smallvec![pointer(from, recipient, Direction::Out), pointer(to, sender, Direction::In)],
            origin: None,
        };
        let index = if from == self.nurse { 0 } else { 1 };
        match self.server.core().store.append(append).await?.await? {
            Appended::Stored(useqs) => Ok(useqs[index]),
            Appended::Duplicate => anyhow::bail!("nothing has an origin"),
        }
    }

    async fn news(&mut self, way: Way, state: State) -> Result<()> {
        let Some(latest) = self.handed.iter().rev().find(|it| it.what.way == way).cloned() else {
            return Ok(());
        };
        let store = &self.server.core().store;
        let before = store.sending(SendingRef::Id(latest.id)).await?.context("it is kept")?;
        let reach = self.server.reach.clone().context("there are ways")?;
        reach.news(SendingRef::Id(latest.id), state, "").await?;
        if state == State::Acknowledged && before.state < State::Acknowledged {
            // All of the case that was not read yet is seen.
            let case = latest.what.case.context("it is about a case")?;
            let case = self.server.core().store.case(case).await?.context("it is kept")?;
            if case.state == CaseState::Acknowledged {
                let of_case = |said: &&mut Said| {
                    said.urgency == case.urgency && said.useq >= case.first && said.useq <= case.last
                };
                self.said.iter_mut().filter(of_case).for_each(|said| said.seen = true);
            }
        }
        Ok(())
    }

    /// The messages that a sending names, by what it says.
    fn named(&self, sending: &Sending) -> Vec<usize> {
        (0..self.said.len()).filter(|at| sending.what.text.contains(&format!("({at})"))).collect()
    }

    /// Whether a rule has its turn for what a sending is about, and its time, which `along` does not ask for.
    fn has_turn(&self, sending: &Sending, along: bool) -> bool {
        let oldest = self.named(sending).iter().map(|at| self.said[*at].at).min().unwrap_or_default();
        self.plan.rules.iter().any(|rule| {
            let what = &sending.what;
            let fits = rule.way == what.way && rule.address == what.address && rule.least <= what.urgency;
            let due = along || what.at.0 >= oldest + i64::from(rule.after) * 1000;
            fits && due && rule.hours.is_none_or(|hours| self.within(hours, what.at))
        })
    }

    /// Whether the nurse's clock showed these hours then.
    fn within(&self, hours: Hours, at: rookery_store::Timestamp) -> bool {
        let offset = if self.plan.zone == "UTC" { 0 } else { 8 * 60 };
        let minute = (at.0 / MINUTE + offset).rem_euclid(1440) as u16;
        match hours.from <= hours.to {
            true => (hours.from..hours.to).contains(&minute),
            false => minute >= hours.from || minute < hours.to,
        }
    }

    /// What carriers were handed since it was looked at. What was seen before this step cannot be in it.
    async fn check_handed(&self) -> Result<()> {
        let listed = rookery_store::limits::SENDINGS_LISTED;
        let queued = self.server.core().store.sendings(self.nurse, None, listed).await?;
        for sending in &self.handed {
            let what = &sending.what;
            anyhow::ensure!(!self.named(sending).is_empty(), "it is about nothing: {sending:?}");
            // What is not due yet goes along with a mail that is.
            let drives = |other: &Sending| {
                let mail = &other.what;
                (mail.way, &mail.address, mail.at) == (what.way, &what.address, what.at)
                    && self.has_turn(other, false)
            };
            let along = what.way == Way::Mail && queued.iter().any(drives);
            anyhow::ensure!(self.has_turn(sending, along), "no rule says so: {sending:?}");
            let quiet = self.plan.quiet.is_some_and(|hours| self.within(hours, what.at));
            anyhow::ensure!(!quiet || what.urgency == Urgency::Urgent, "in quiet hours: {sending:?}");
        }
        for (at, sending) in self.handed.iter().enumerate() {
            // Carriers remember only what they may have taken.
            let same = |other: &&Sending| {
                let target =
                    (other.what.way, &other.what.address) == (sending.what.way, &sending.what.address);
                target && other.what.case == sending.what.case
            };
            anyhow::ensure!(!self.handed[..at].iter().any(|it| same(&it)), "twice: {sending:?}");
            let day = |other: &&Sending| {
                other.what.at > sending.what.at || sending.what.at.0 - other.what.at.0 < 86_400_000
            };
            let today =
                self.handed[..=at].iter().filter(|it| it.what.at <= sending.what.at && day(it)).count();
            anyhow::ensure!(today <= self.caps.account as usize, "beyond the caps: {sending:?}");
        }
        Ok(())
    }

    /// What was handed over in this step names something that was not seen before it.
    fn check_unseen(&self, from: usize, seen: &BTreeSet<usize>) -> Result<()> {
        for sending in &self.handed[from..] {
            let fresh = self.named(sending).iter().any(|at| !seen.contains(at));
            anyhow::ensure!(fresh, "all of it was seen: {sending:?}");
        }
        Ok(())
    }

    fn seen(&self) -> BTreeSet<usize> {
        (0..self.said.len()).filter(|at| self.said[*at].seen).collect()
    }

    /// Nobody comes, and time goes by: every case has ended, and no rule was left out.
    async fn check_end(&mut self) -> Result<()> {
        for _ in 0..(limits::CASE_AGE.as_secs() / 1200 + 4) {
            tokio::time::advance(Duration::from_secs(1200)).await;
            self.settle().await?;
        }
        let store = self.server.core().store.clone();
        let cases = store.cases(self.nurse, 100).await?;
        let told = self.told().await?;
        for case in &cases {
            anyhow::ensure!(!case.state.is_live(), "it goes on: {case:?}");
            let sendings = store.sendings(self.nurse, Some(case.id), 100).await?;
            self.check_case(case, &sendings)?;
            for sending in &sendings {
                let last = told.attempts.get(&sending.id.0.to_string()).map(String::as_str);
                let moot = sending.state == State::Cancelled;
                anyhow::ensure!(moot || last == Some(sending.state.name()), "told {last:?}: {sending:?}");
            }
        }
        let nobody = cases.iter().filter(|case| case.state == CaseState::Nobody).count();
        anyhow::ensure!(nobody == told.ends, "{nobody} ended with nobody, {} were told", told.ends);
        for (at, said) in self.said.iter().enumerate() {
            let of = |case: &&Case| {
                case.urgency == said.urgency && said.useq >= case.first && said.useq <= case.last
            };
            anyhow::ensure!(said.seen || cases.iter().any(|case| of(&case)), "message {at} was forgotten");
        }
        Ok(())
    }

    /// Of a case that nobody ended, every rule that applies has had its turn.
    fn check_case(&self, case: &Case, sendings: &[Sending]) -> Result<()> {
        let aged = case.changed.0 - case.since.0 >= limits::CASE_AGE.as_millis() as i64;
        // Rules whose hours never come, and what came to its age, are let be.
        let unhindered = self.plan.quiet.is_none() && self.plan.rules.iter().all(|rule| rule.hours.is_none());
        if !matches!(case.state, CaseState::Nobody | CaseState::Expired) || (aged && !unhindered) {
            return Ok(());
        }
        let wanted: BTreeSet<(Way, &str)> = self
            .plan
            .rules
            .iter()
            .filter(|rule| rule.least <= case.urgency)
            .map(|rule| (rule.way, rule.address.as_str()))
            .collect();
        let done = sendings.iter().map(|it| (it.what.way, it.what.address.as_str())).collect();
        anyhow::ensure!(wanted == done, "{case:?}: {wanted:?} were wanted, {done:?} done");
        Ok(())
    }

    async fn told(&self) -> Result<Told> {
        let mut told = Told::default();
        let mut after = Useq(0);
        loop {
            let page = self.server.core().store.events_after(self.doctor, after, 100).await?;
            let Some(last) = page.last() else { return Ok(told) };
            after = last.useq;
            for entry in &page {
                let stanza = Stanza::parse(&entry.stanza).map_err(|it| anyhow::anyhow!("{it:?}"))?;
                let Some(reach) = stanza.child(REACH, "reach") else { continue };
                if let Some(attempt) = reach.child(REACH, "attempt") {
                    let text = |name| attempt.attr(name).unwrap_or_default().into_owned();
                    told.attempts.insert(text("id"), text("state"));
                }
                told.ends += usize::from(reach.child(REACH, "end").is_some());
            }
        }
    }
}

/// What the sender was told.
#[derive(Default)]
struct Told {
    /// The last state of each sending.
    attempts: BTreeMap<String, String>,
    /// That nobody was reached.
    ends: usize,
}

async fn play(plan: Plan, cap: u32, events: Vec<Event>) -> Result<()> {
    let mut world = World::new(plan, cap).await?;
    for event in &events {
        let (seen, from) = (world.seen(), world.handed.len());
        world.does(event).await.with_context(|| format!("at {event:?}"))?;
        world.check_unseen(from, &seen).with_context(|| format!("at {event:?}"))?;
    }
    world.check_end().await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_twice_too_late_or_not_at_all(
        plan in plan(),
        cap in 2u32..30,
        events in prop::collection::vec(event(), 1..25),
    ) {
        let played = clock::run(play(plan, cap, events)).expect("it does not hang");
        prop_assert!(played.is_ok(), "{:?}", played.err());
    }
}
