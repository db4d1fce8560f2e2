//! The timeline against a model in memory that knows nothing of positions in files: whatever is done, both say the same.

mod common;

use std::collections::BTreeMap;

use bytes::Bytes;
use common::*;
use proptest::prelude::*;
use rookery_proto::{Uid, Useq};
use rookery_store::{
    Appended, ArchiveBounds, Direction, Displayed, Flags, Head, InboxQuery, Origin, PageQuery, Policy, Store,
    SweepCursor, Timestamp, Upto, Window, limits,
};

const DAY: i64 = 86_400_000;
const USERS: u64 = 3;

/// One thing that is done to the store.
#[derive(Clone, Debug)]
enum Step {
    Append {
        from: u64,
        to: u64,
        name: Option<u8>,
        dedup: bool,
        archive: bool,
        aside: bool,
        instant: bool,
        resource: Option<u8>,
        wait: i64,
    },
    Displayed {
        uid: u64,
        peer: u64,
        upto: Place,
    },
    Inbox {
        uid: u64,
        unread_only: bool,
        window: Window,
        max: usize,
    },
    Release {
        uid: u64,
        peer: u64,
    },
    Dismiss {
        uid: u64,
        peer: u64,
    },
    Drop {
        uid: u64,
        useqs: Vec<u64>,
    },
    Retract {
        from: u64,
        to: u64,
        name: u8,
    },
    Delivered {
        uid: u64,
        useq: u64,
    },
    Owe {
        uid: u64,
        useq: u64,
        owed: bool,
    },
    Retention {
        uid: u64,
        days: Option<u32>,
    },
    Sweep {
        days: Option<u32>,
        wait: i64,
    },
    Reopen,
    Page {
        uid: u64,
        query: PageQuery,
    },
}

/// How a place in a conversation is named.
#[derive(Clone, Debug)]
enum Place {
    Entry(u64),
    Shared(u64, u64),
    Named(u8),
}

fn uid() -> impl Strategy<Value = u64> {
    1..=USERS
}

fn useq() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 0_u64..25, 1 => Just(u64::MAX)]
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![
        3 => Just(Window::First),
        3 => Just(Window::Last),
        1 => useq().prop_map(|id| Window::After(Useq(id))),
        1 => useq().prop_map(|id| Window::Before(Useq(id))),
        1 => (0_u64..10).prop_map(Window::Index),
    ]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        3 => useq().prop_map(Place::Entry),
        1 => (uid(), useq()).prop_map(|(uid, useq)| Place::Shared(uid, useq)),
        2 => (0_u8..4).prop_map(Place::Named),
    ]
}

fn query() -> impl Strategy<Value = PageQuery> {
    let id = || prop::option::weighted(0.1, useq().prop_map(Useq));
    let time = || prop::option::weighted(0.4, (0_i64..20).prop_map(|half| Timestamp(half * DAY / 2)));
    let with = prop::option::of((uid(), prop::option::weighted(0.3, 0_u8..2)));
    let ids = prop_oneof![7 => Just(Vec::new()), 1 => prop::collection::vec(useq().prop_map(Useq), 0..5)];
    (with, time(), time(), id(), id(), ids, window(), 0_usize..16).prop_map(
        |(with, start, end, after_id, before_id, ids, window, max)| PageQuery {
            with: with.map(|(uid, _)| address(Uid(uid))),
            with_resource: with.and_then(|(_, resource)| resource).map(resource),
            start,
            end,
            after_id,
            before_id,
            ids,
            groups: false,
            text: None,
            window,
            max,
        },
    )
}

fn resource(n: u8) -> Box<str> {
    format!("r{n}").into()
}

/// How far the clock goes before a message: often to a time that a query asks for, sometimes back.
fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![2 => Just(0), 4 => Just(DAY / 2), 1 => Just(DAY), 1 => Just(-limits::CLOCK_SKEW_MS)]
}

fn step() -> impl Strategy<Value = Step> {
    let kind = (prop::bool::weighted(0.2), prop::bool::weighted(0.8));
    let append =
        (uid(), uid(), prop::option::of(0_u8..4), any::<bool>(), any::<bool>(), prop::option::of(0_u8..2));
    prop_oneof![
        12 => (append, kind, wait()).prop_map(|((from, to, name, dedup, archive, resource), kind, wait)| {
            let (aside, instant) = kind;
            Step::Append { from, to, name, dedup, archive, aside, instant, resource, wait }
        }),
        3 => (uid(), uid(), place()).prop_map(|(uid, peer, upto)| Step::Displayed { uid, peer, upto }),
        5 => (uid(), any::<bool>(), window(), 0_usize..4)
            .prop_map(|(uid, unread_only, window, max)| Step::Inbox { uid, unread_only, window, max }),
        1 => (uid(), uid()).prop_map(|(uid, peer)| Step::Release { uid, peer }),
        1 => (uid(), uid()).prop_map(|(uid, peer)| Step::Dismiss { uid, peer }),
        2 => (uid(), prop::collection::vec(useq(), 0..4)).prop_map(|(uid, useqs)| Step::Drop { uid, useqs }),
        2 => (uid(), uid(), 0_u8..4).prop_map(|(from, to, name)| Step::Retract { from, to, name }),
        3 => (uid(), useq()).prop_map(|(uid, useq)| Step::Delivered { uid, useq }),
        2 => (uid(), useq(), any::<bool>()).prop_map(|(uid, useq, owed)| Step::Owe { uid, useq, owed }),
        1 => (uid(), prop::option::of(0_u32..5)).prop_map(|(uid, days)| Step::Retention { uid, days }),
        2 => (prop::option::of(0_u32..8), wait()).prop_map(|(days, wait)| Step::Sweep { days, wait }),
        1 => Just(Step::Reopen),
        8 => (uid(), query()).prop_map(|(uid, query)| Step::Page { uid, query }),
    ]
}

#[derive(Clone)]
struct Row {
    body: usize,
    peer: u64,
    resource: Option<Box<str>>,
    direction: Direction,
    archive: bool,
    owed: bool,
    /// Waits until it is released; only what came in.
    aside: bool,
    instant: bool,
    at: i64,
}

struct Body {
    text: String,
    at: i64,
    origin: Option<(u64, u64, u8)>,
    retracted: bool,
}

#[derive(Default)]
struct Log {
    rows: BTreeMap<u64, Row>,
    head: Head,
    days: Option<u32>,
    /// How far each conversation was said to be read.
    places: BTreeMap<u64, u64>,
}

impl Log {
    fn read(&mut self, peer: u64, upto: u64) {
        let place = self.places.entry(peer).or_default();
        *place = upto.max(*place);
    }
}

/// A conversation as an inbox shows it: peer, last entry, place in the order, unread, and the latest message.
type Shown = (u64, u64, u64, u64, Option<u64>);

/// What the store should hold.
#[derive(Default)]
struct Model {
    now: i64,
    /// The latest time there was.
    latest: i64,
    bodies: Vec<Body>,
    logs: BTreeMap<u64, Log>,
}

impl Model {
    /// Lets time pass. A clock that goes further back than the store corrects would break the order of times.
    fn pass(&mut self, wait: i64) {
        self.now = (self.now + wait).max(self.latest - limits::CLOCK_SKEW_MS);
        self.latest = self.latest.max(self.now);
    }

    fn log(&mut self, uid: u64) -> &mut Log {
        self.logs.entry(uid).or_default()
    }

    /// Whether a log still points to the body.
    fn lives(&self, body: usize) -> bool {
        self.logs.values().any(|log| log.rows.values().any(|row| row.body == body))
    }

    /// The latest living body that its sender named so.
    fn named(&self, origin: (u64, u64, u8)) -> Option<usize> {
        (0..self.bodies.len())
            .rev()
            .find(|&body| self.bodies[body].origin == Some(origin) && self.lives(body))
    }

    fn append(
        &mut self,
        from: u64,
        to: u64,
        name: Option<u8>,
        dedup: bool,
        row: &Row,
        text: &str,
    ) -> Option<Vec<u64>> {
        let origin = name.map(|name| (from, to, name));
        if let Some(before) = origin.filter(|_| dedup).and_then(|origin| self.named(origin))
            && self.now - self.bodies[before].at < limits::DEDUP_WINDOW_MS
        {
            return None;
        }
        let body = self.bodies.len();
        self.bodies.push(Body { text: text.to_owned(), at: self.now, origin, retracted: false });
        let mut useqs = Vec::new();
        for (uid, peer, direction) in [(from, to, Direction::Out), (to, from, Direction::In)] {
            let now = self.now;
            let log = self.log(uid);
            let last = log.rows.last_key_value().map_or(i64::MIN, |(_, row)| row.at);
            let at = if last.saturating_sub(now) > limits::CLOCK_SKEW_MS { now } else { last.max(now) };
            log.head.head = log.head.head.next();
            // What is set aside is archived, and only where it comes in.
            let aside = row.aside && direction == Direction::In;
            let archive = row.archive || aside;
            log.rows
                .insert(log.head.head.0, Row { body, peer, direction, aside, archive, at, ..row.clone() });
            useqs.push(log.head.head.0);
        }
        Some(useqs)
    }

    fn sweep(&mut self, days: Option<u32>) {
        let now = self.now;
        for log in self.logs.values_mut() {
            let shorter = [days, log.days].into_iter().flatten().min();
            if let Some(days) = shorter {
                let old = |row: &Row| row.at < now - i64::from(days) * DAY;
                while let Some(first) = log.rows.first_entry().filter(|first| old(first.get())) {
                    log.head.floor = Useq(first.remove_entry().0);
                }
            }
            let delivered = log.head.delivered.0;
            log.rows.retain(|&useq, row| {
                row.archive || row.owed || useq > delivered || row.at >= now - limits::PASSING_KEPT_MS
            });
        }
    }

    /// The entry of a conversation that is meant.
    fn place(&mut self, uid: u64, peer: u64, upto: &Place) -> Option<u64> {
        let body = match *upto {
            Place::Entry(place) => {
                return Some(place)
                    .filter(|place| self.log(uid).rows.get(place).is_some_and(|row| row.peer == peer));
            }
            Place::Shared(other, place) => Some(self.log(other).rows.get(&place)?.body),
            Place::Named(_) => None,
        };
        let means = |row: &Row| match *upto {
            Place::Named(name) => {
                row.direction == Direction::In && self.bodies[row.body].origin == Some((peer, uid, name))
            }
            _ => Some(row.body) == body,
        };
        let log = self.logs.get(&uid)?;
        let mut entries = log.rows.iter().rev().filter(|(_, row)| row.archive && row.peer == peer);
        entries.find(|(_, row)| means(row)).map(|(useq, _)| *useq)
    }

    /// All conversations of an account, the latest first.
    fn inbox(&mut self, uid: u64) -> Vec<Shown> {
        self.log(uid);
        let log = &self.logs[&uid];
        let conversation = |peer: u64| -> Option<Shown> {
            let rows = || log.rows.iter().filter(|(_, row)| row.archive && !row.aside && row.peer == peer);
            let last = *rows().next_back()?.0;
            let says = |row: &Row| row.instant && !self.bodies[row.body].retracted;
            let newest = rows().rev().find(|(_, row)| says(row)).map(|(useq, _)| *useq);
            let answered = rows().rev().find(|(_, row)| row.instant && row.direction == Direction::Out);
            let answered = answered.map_or(0, |(useq, _)| *useq);
            let place = log.places.get(&peer).copied().unwrap_or(0).max(answered);
            let unread = rows()
                .filter(|(useq, row)| says(row) && row.direction == Direction::In && **useq > place)
                .count() as u64;
            Some((peer, last, newest.unwrap_or(last), if peer == uid { 0 } else { unread }, newest))
        };
        let mut all: Vec<_> = (1..=USERS).filter_map(conversation).collect();
        all.sort_by_key(|shown| std::cmp::Reverse(shown.2));
        all
    }

    /// The positions that a query selects, and the part that its window shows, with whether that is complete.
    fn page(&mut self, uid: u64, query: &PageQuery) -> Option<(Vec<u64>, Vec<u64>, bool)> {
        let log = self.log(uid);
        let archived = |id: &Useq| log.rows.get(&id.0).is_some_and(|row| row.archive);
        let window_id = match query.window {
            Window::After(id) | Window::Before(id) => Some(id),
            _ => None,
        };
        let mut ids = query.ids.iter().chain(&query.after_id).chain(&query.before_id).chain(&window_id);
        if !ids.all(archived) {
            return None;
        }
        let selected: Vec<u64> = log
            .rows
            .iter()
            .filter(|(useq, row)| {
                row.archive
                    && query.with.as_ref().is_none_or(|with| *with == address(Uid(row.peer)))
                    && query.with_resource.as_ref().is_none_or(|with| Some(with) == row.resource.as_ref())
                    && query.start.is_none_or(|start| row.at >= start.0)
                    && query.end.is_none_or(|end| row.at <= end.0)
                    && query.after_id.is_none_or(|id| **useq > id.0)
                    && query.before_id.is_none_or(|id| **useq < id.0)
                    && (query.ids.is_empty() || query.ids.contains(&Useq(**useq)))
            })
            .map(|(useq, _)| *useq)
            .collect();
        let part: Vec<u64> = match query.window {
            Window::First | Window::Last => selected.clone(),
            Window::After(id) => selected.iter().copied().filter(|useq| *useq > id.0).collect(),
            Window::Before(id) => selected.iter().copied().filter(|useq| *useq < id.0).collect(),
            Window::Index(index) => selected.iter().copied().skip(index as usize).collect(),
        };
        let complete = part.len() <= query.max;
        let backward = matches!(query.window, Window::Last | Window::Before(_));
        let from = if backward { part.len().saturating_sub(query.max) } else { 0 };
        let shown = part.into_iter().skip(from).take(query.max).collect();
        Some((selected, shown, complete))
    }
}

/// Does one step to both and compares what they answer.
async fn perform(f: &mut Fixture, model: &mut Model, number: usize, step: Step) {
    match step {
        Step::Append { from, to, name, dedup, archive, aside, instant, resource: with, wait } => {
            model.pass(wait);
            let text = format!("body {number}");
            let resource = with.map(resource);
            let mut what = message(Uid(from), Uid(to), &text, model.now);
            what.flags = if archive { Flags::ARCHIVE } else { Flags::default() };
            what.flags = what.flags | if instant { Flags::INSTANT } else { Flags::default() };
            what.pointers[0].flags = Flags::DELIVER;
            what.pointers[1].flags = if aside { Flags::REQUEST | Flags::ARCHIVE } else { Flags::DELIVER };
            for pointer in &mut what.pointers {
                pointer.peer_resource.clone_from(&resource);
            }
            what.origin = name.map(|name| Origin {
                sender: Uid(from),
                peer: address(Uid(to)),
                id: name.to_string().into(),
                dedup,
            });
            let row = Row {
                body: 0,
                peer: 0,
                resource,
                direction: Direction::In,
                archive,
                owed: false,
                aside,
                instant,
                at: 0,
            };
            let expected = model.append(from, to, name, dedup, &row, &text);
            let answer = match append(&f.store, what).await.unwrap() {
                Appended::Stored(useqs) => Some(useqs.iter().map(|useq| useq.0).collect::<Vec<_>>()),
                Appended::Duplicate => None,
            };
            assert_eq!(answer, expected);
        }
        Step::Release { uid, peer } => {
            let rows = model.log(uid).rows.iter_mut().filter(|(_, row)| row.aside && row.peer == peer);
            let mut released = 0;
            for (_, row) in rows {
                (row.aside, row.owed) = (false, true);
                released += 1;
            }
            assert_eq!(f.store.release(Uid(uid), address(Uid(peer))).await, Ok(released));
        }
        Step::Dismiss { uid, peer } => {
            let log = model.log(uid);
            let before = log.rows.len();
            log.rows.retain(|_, row| !(row.aside && row.peer == peer));
            let dismissed = before - log.rows.len();
            assert_eq!(f.store.dismiss(Uid(uid), address(Uid(peer))).await, Ok(dismissed));
        }
        Step::Drop { uid, useqs } => {
            let log = model.log(uid);
            let rows: Vec<_> = useqs.iter().filter_map(|useq| log.rows.remove_entry(useq)).collect();
            for (useq, row) in rows.iter().filter(|(_, row)| row.instant && row.direction == Direction::Out) {
                log.read(row.peer, *useq);
            }
            let dropped = rows.len();
            let answer = f.store.drop_pointers(Uid(uid), useqs.into_iter().map(Useq).collect()).await;
            assert_eq!(answer, Ok(dropped));
        }
        Step::Retract { from, to, name } => {
            let body = model.named((from, to, name));
            if let Some(body) = body {
                model.bodies[body].retracted = true;
            }
            let id = name.to_string().into();
            let origin = Origin { sender: Uid(from), peer: address(Uid(to)), id, dedup: false };
            let answer = f.store.retract(origin, Bytes::from_static(b"gone")).await;
            assert_eq!(answer, Ok(body.is_some()));
        }
        Step::Delivered { uid, useq } => {
            let head = &mut model.log(uid).head;
            head.delivered = head.delivered.max(Useq(useq).min(head.head));
            f.store.set_delivered(vec![(Uid(uid), Useq(useq))]).await.unwrap();
        }
        Step::Owe { uid, useq, owed } => {
            if let Some(row) = model.log(uid).rows.get_mut(&useq) {
                row.owed = owed;
            }
            let (uid, useqs) = (Uid(uid), vec![Useq(useq)]);
            if owed { f.store.owe(uid, useqs).await } else { f.store.settle(uid, useqs).await }.unwrap();
        }
        Step::Retention { uid, days } => {
            model.log(uid).days = days;
            f.store.set_retention_days(Uid(uid), days).await.unwrap();
        }
        Step::Sweep { days, wait } => {
            model.pass(wait);
            model.sweep(days);
            sweep(&f.store, model.now, days).await;
        }
        Step::Reopen => f.reopen().await,
        Step::Displayed { uid, peer, upto } => {
            if let Some(place) = model.place(uid, peer, &upto) {
                model.log(uid).read(peer, place);
            }
            let upto = match upto {
                Place::Entry(place) => Upto::Entry(Useq(place)),
                Place::Shared(other, place) => Upto::Shared(Uid(other), Useq(place)),
                Place::Named(name) => Upto::Named { to: address(Uid(uid)), id: name.to_string().into() },
            };
            let displayed = Displayed { uid: Uid(uid), peer: address(Uid(peer)), upto };
            f.store.set_displayed(displayed).await.unwrap();
        }
        Step::Inbox { uid, unread_only, window, max } => {
            inbox(&f.store, model, uid, unread_only, window, max).await;
        }
        Step::Page { uid, query } => page(&f.store, model, uid, query).await,
    }
}

async fn sweep(store: &Store, now: i64, days: Option<u32>) {
    let mut from = Some(SweepCursor::default());
    while let Some(cursor) = from {
        from = store.sweep(Timestamp(now), Policy { days, ..Policy::default() }, cursor).await.unwrap().next;
    }
}

/// Compares a part of an inbox.
async fn inbox(store: &Store, model: &mut Model, uid: u64, unread_only: bool, window: Window, max: usize) {
    let all = model.inbox(uid);
    let rows = &model.logs[&uid].rows;
    // Along one log time never goes back: the order of times is that of positions.
    let place = |id: Useq| {
        let before = rows.range(..=id.0).next_back();
        let at = before.map_or(i64::MIN, |(_, row)| row.at);
        rookery_store::Place { at: Timestamp(at), log: Uid(uid), useq: id }
    };
    let asked = match window {
        Window::First => Window::First,
        Window::After(id) => Window::After(place(id)),
        Window::Index(index) => Window::Index(index),
        Window::Before(id) => Window::Before(place(id)),
        Window::Last => Window::Last,
    };
    let selected: Vec<Shown> = all.iter().filter(|shown| !unread_only || shown.3 > 0).copied().collect();
    let index = |test: &dyn Fn(u64) -> bool| selected.iter().filter(|shown| test(shown.2)).count();
    let from = match window {
        Window::First => 0,
        Window::After(id) => index(&|active| active >= id.0),
        Window::Index(index) => selected.len().min(index as usize),
        Window::Before(id) => index(&|active| active > id.0).saturating_sub(max),
        Window::Last => selected.len().saturating_sub(max),
    };
    let upto = match window {
        Window::Before(id) => index(&|active| active > id.0),
        _ => selected.len(),
    };
    let (own, groups) = (address(Uid(uid)), Vec::new());
    let query = InboxQuery { own, unread_only, messages: true, groups, window: asked, max };
    let answer = store.inbox(Uid(uid), query).await.unwrap();
    let shown: Vec<Shown> = answer
        .conversations
        .iter()
        .map(|c| {
            let peer = (1..=USERS).find(|peer| address(Uid(*peer)) == c.peer).expect("a peer");
            (peer, c.last.0, c.active.useq.0, c.unread, c.message.as_ref().map(|message| message.useq.0))
        })
        .collect();
    assert_eq!(shown, selected[from..upto].iter().take(max).copied().collect::<Vec<_>>());
    assert_eq!((answer.first_index, answer.count), (from as u64, selected.len() as u64));
    let unread = all.iter().filter(|shown| shown.3 > 0).count();
    assert_eq!((answer.total, answer.unread), (all.len() as u64, unread as u64));
    assert_eq!(answer.all_unread, all.iter().map(|shown| shown.3).sum::<u64>());
}

async fn page(store: &Store, model: &mut Model, uid: u64, query: PageQuery) {
    let expected = model.page(uid, &query);
    if query.with_resource.is_some() && query.with.is_none() {
        return;
    }
    let answer = store.page(Uid(uid), query).await.unwrap();
    let Some((selected, shown, complete)) = expected else {
        assert_eq!(answer, None);
        return;
    };
    let answer = answer.expect("all ids exist");
    let useqs: Vec<u64> = answer.entries.iter().map(|entry| entry.useq.0).collect();
    assert_eq!((&useqs, answer.complete), (&shown, complete));
    assert_eq!(answer.count, Some(selected.len() as u64));
    let index = shown.first().map(|first| selected.iter().position(|useq| useq == first).unwrap() as u64);
    assert_eq!(answer.first_index, index);
}

/// Compares all that can be read.
async fn compare(store: &Store, model: &mut Model) {
    for uid in 1..=USERS {
        assert_eq!(store.head(Uid(uid)).await.unwrap(), model.log(uid).head);
        inbox(store, model, uid, false, Window::First, 9).await;
        let entries = store.events_after(Uid(uid), Useq(0), limits::PAGE).await.unwrap();
        let log = &model.logs[&uid];
        assert_eq!(entries.len(), log.rows.len());
        for (entry, (useq, row)) in entries.iter().zip(&log.rows) {
            let body_of_row = &model.bodies[row.body];
            let text = if body_of_row.retracted { "gone" } else { &body_of_row.text };
            assert_eq!((entry.useq.0, entry.at.0, body(entry).as_str()), (*useq, row.at, text));
            assert_eq!((&entry.peer, entry.direction), (&address(Uid(row.peer)), row.direction));
            assert_eq!(entry.flags.has(Flags::RETRACTED), body_of_row.retracted);
            assert_eq!(entry.flags.has(Flags::OWED), row.owed);
            assert_eq!(entry.flags.has(Flags::REQUEST), row.aside);
            assert_ne!(entry.flags.has(Flags::DELIVER), row.aside);
        }
        let mut waiting: BTreeMap<String, u64> = BTreeMap::new();
        for row in log.rows.values().filter(|row| row.aside) {
            *waiting.entry(address(Uid(row.peer)).to_string()).or_default() += 1;
        }
        let requests = store.requests(Uid(uid)).await.unwrap();
        let requests: Vec<_> = requests.into_iter().map(|r| (r.peer.to_string(), r.messages)).collect();
        assert_eq!(requests, waiting.into_iter().collect::<Vec<_>>());
        let mut archived = log.rows.iter().filter(|(_, row)| row.archive);
        let end = |(useq, row): (&u64, &Row)| (Useq(*useq), Timestamp(row.at));
        let first = archived.next().map(end);
        let last = archived.next_back().map(end).or(first);
        let bounds = first.zip(last).map(|(first, last)| ArchiveBounds { first, last });
        assert_eq!(store.archive_bounds(Uid(uid)).await.unwrap(), bounds);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_the_model_does(steps in prop::collection::vec(step(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut f = sqlite().await;
            // No power is cut here.
            f.options.synchronous_off = true;
            f.reopen().await;
            let mut model = Model { now: DAY, latest: DAY, ..Model::default() };
            for (number, step) in steps.into_iter().enumerate() {
                perform(&mut f, &mut model, number, step).await;
            }
            compare(&f.store, &mut model).await;
            // Every doorbell rang, in the order of each log.
            f.store.close().await.unwrap();
            for uid in 1..=USERS {
                let rung = f.rung.lock();
                let useqs: Vec<u64> =
                    rung.iter().filter(|(whose, _)| whose.0 == uid).map(|(_, entry)| entry.useq.0).collect();
                let head = model.logs.get(&uid).map_or(0, |log| log.head.head.0);
                assert_eq!(useqs, (1..=head).collect::<Vec<_>>());
            }
        });
    }
}
