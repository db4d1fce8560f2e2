//! Telling devices of messages that they do not take now, over app servers (XEP-0357) and Web Push (RFC 8030).
//!
//! The store's doorbell offers each entry of a log ([`Pushes::appended`]), which costs a look into a set. One task does the
//! rest ([`Core::next_push`]): it decides who is told and what (`alarm`), keeps what waits for each registration
//! (`lanes`), publishes to app servers itself, and gives out what is to be posted to browsers.
//!
//! **Who is told.** A registration belongs to the session that made it, and to its device. A device whose session is
//! detached is told at once. One that is connected is told when it has not taken the message within some seconds: the
//! connection of a phone that sleeps or has left the network looks alive for minutes. A device without a session is told if
//! no other session of the account, with somebody in front of it, takes the message.
//!
//! What waits is in memory; the store knows up to where in the log nothing does. After a restart the rest is looked at again
//! ([`Core::pick_up_pushes`]).

mod alarm;
mod app_server;
mod lanes;
mod turns;

pub use alarm::{Notice, Urgency};
pub use lanes::Sending;

use crate::session::{Link, Session, timeline};
use crate::xep::notify::Device;
use crate::{Core, flags, limits};
use alarm::Taken;
use lanes::{Due, Lanes};
use metrics::{Counter, counter, describe_counter};
use parking_lot::Mutex;
use rookery_proto::Uid;
use rookery_proto::stanza::Stanza;
use rookery_store::{
    Direction, Entry, Flags, PushFilter, PushId, PushTarget, Registrant, StoreError, Timestamp,
};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Everything about push that is in memory.
pub struct Pushes {
    /// Accounts that have had registrations since the start: entries of all others are of no interest.
    accounts: Mutex<HashSet<Uid>>,
    /// Entries that nobody has looked at yet.
    events: Mutex<VecDeque<(Uid, Arc<Entry>)>>,
    /// After a start, the accounts up to this one have been looked at; `None`: all.
    picked_up: Mutex<Option<Uid>>,
    lanes: Mutex<Lanes>,
    /// Rings when there is something to look at.
    changed: Notify,
    meters: Meters,
}

/// What becomes of notifications.
struct Meters {
    sent: Counter,
    failed: Counter,
    refused: Counter,
    dropped: Counter,
}

/// What became of a sending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was taken.
    Sent,
    /// Not now; perhaps after this time.
    Later(Option<Duration>),
    /// It was refused, as the next one may be: a registration that is refused again and again is removed.
    Refused,
    /// The registration leads nowhere any more.
    Gone,
}

impl Default for Pushes {
    fn default() -> Pushes {
        describe_counter!("rookery_pushes_total", "Notifications to devices that are away, by outcome.");
        let outcome = |outcome: &'static str| counter!("rookery_pushes_total", "outcome" => outcome);
        let meters = Meters {
            sent: outcome("sent"),
            failed: outcome("failed"),
            refused: outcome("refused"),
            dropped: outcome("dropped"),
        };
        Pushes {
            accounts: Mutex::default(),
            events: Mutex::default(),
            picked_up: Mutex::default(),
            lanes: Mutex::default(),
            changed: Notify::new(),
            meters,
        }
    }
}

impl Pushes {
    /// These accounts have registrations.
    pub fn know(&self, accounts: impl IntoIterator<Item = Uid>) {
        self.accounts.lock().extend(accounts);
    }

    /// The store's doorbell: an entry of `uid`'s log was committed. Where too many wait, the oldest are not told.
    pub fn appended(&self, uid: Uid, entry: &Arc<Entry>) {
        if !may_be_told(entry) || !self.accounts.lock().contains(&uid) {
            return;
        }
        if self.picked_up.lock().is_some_and(|upto| uid > upto) {
            return; // It is in the store, and will be found there.
        }
        let mut events = self.events.lock();
        if events.len() >= limits::PUSH_EVENTS {
            events.pop_front();
            self.meters.dropped.increment(1);
        }
        events.push_back((uid, entry.clone()));
        drop(events);
        self.changed.notify_one();
    }

    /// Registrations are not there any more: what waits for them is forgotten.
    pub(crate) fn forget(&self, gone: &[PushId]) {
        let mut lanes = self.lanes.lock();
        gone.iter().for_each(|id| lanes.remove(*id));
    }

    /// An account has registered something.
    pub(crate) fn registered(&self, uid: Uid) {
        self.accounts.lock().insert(uid);
    }
}

impl Core {
    /// Works on what there is to tell, until something is to be posted to a browser (RFC 8030); its outcome is told to
    /// [`Core::pushed`]. Runs for as long as it is polled, in one task only; nothing is lost by polling it again.
    pub async fn next_push(&self) -> Sending {
        loop {
            let event = self.pushes.events.lock().pop_front();
            if let Some((uid, entry)) = event {
                if let Err(error) = self.sort(uid, &entry).await {
                    tracing::warn!(uid = uid.0, %error, "a device may not be told of a message");
                }
                continue;
            }
            let now = self.env.now();
            let due = self.pushes.lanes.lock().take(now, |uid, by, notice| self.is_told(uid, by, notice));
            match due {
                Due::Send(sending) => match &sending.push.target {
                    PushTarget::Web { .. } => return sending,
                    PushTarget::AppServer { .. } => self.publish(&sending).await,
                },
                Due::Overdue(sending) => self.pushed(&sending, Outcome::Later(None)).await,
                Due::At(when) => {
                    let wait = Duration::from_millis((when.0 - now.0).max(0) as u64);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.pushes.changed.notified() => {}
                    }
                }
                Due::Never => self.pushes.changed.notified().await,
            }
        }
    }

    /// Looks at what came before the start and was not told, or came since and was not taken. Runs once, before
    /// [`Core::next_push`].
    pub async fn pick_up_pushes(&self) {
        *self.pushes.picked_up.lock() = Some(Uid(0));
        if let Err(error) = self.pick_up().await {
            tracing::warn!(%error, "devices may not be told of what came before the start");
        }
        *self.pushes.picked_up.lock() = None;
    }

    async fn pick_up(&self) -> Result<(), StoreError> {
        let since = Timestamp(self.env.now().0 - limits::PUSH_AGE.as_millis() as i64);
        let mut after = Uid(0);
        loop {
            let places = self.store.untold(after, since).await?;
            let Some(&(last, _)) = places.last() else { return Ok(()) };
            after = last;
            for (uid, mut place) in places {
                // From here on the doorbell tells, so that nothing falls between.
                *self.pushes.picked_up.lock() = Some(uid);
                loop {
                    let page = self.store.events_after(uid, place, limits::CATCH_UP).await?;
                    let Some(last) = page.last() else { break };
                    place = last.useq;
                    for entry in page.iter().filter(|entry| may_be_told(entry)) {
                        self.sort(uid, entry).await?;
                    }
                }
            }
        }
    }

    /// Writes down up to where nothing waits. What is not written down when the process is killed may be told again.
    pub async fn flush_told(&self) {
        loop {
            let told = self.pushes.lanes.lock().told();
            if told.is_empty() {
                return;
            }
            if let Err(error) = self.store.set_told(told.clone()).await {
                tracing::warn!(%error, "what devices were told of is not stored; some may be told again");
                return;
            }
            self.pushes.lanes.lock().forget_told(&told);
        }
    }

    /// What became of a sending.
    pub async fn pushed(&self, sending: &Sending, outcome: Outcome) {
        let meters = &self.pushes.meters;
        match outcome {
            Outcome::Sent => meters.sent.increment(1),
            Outcome::Later(_) => meters.failed.increment(1),
            Outcome::Refused | Outcome::Gone => meters.refused.increment(1),
        }
        let over = self.pushes.lanes.lock().settle(sending, outcome, self.env.now());
        if over {
            tracing::info!(uid = sending.uid.0, "a registration for push is removed: it leads nowhere");
            let filter = PushFilter::Id(sending.push.id);
            if let Err(error) = self.store.remove_pushes(sending.uid, filter).await {
                // It stays, and the next refusal brings it here again.
                tracing::warn!(uid = sending.uid.0, %error, "a registration that leads nowhere stays");
            }
        }
        self.pushes.changed.notify_one();
    }

    /// Puts an entry where it waits for the devices that are to be told of it.
    async fn sort(&self, uid: Uid, entry: &Entry) -> Result<(), StoreError> {
        let Ok(stanza) = Stanza::parse(&entry.stanza) else { return Ok(()) };
        if !alarm::is_worth_telling(entry, &stanza) {
            return Ok(());
        }
        let Some(member) = self.directory.member(uid).await?.filter(|m| m.address != entry.peer) else {
            return Ok(());
        };
        let (pushes, content) = self.store.pushes(uid).await?;
        let news: Vec<_> = {
            let lanes = self.pushes.lanes.lock();
            pushes.into_iter().filter(|push| lanes.seen(push) < entry.useq).collect()
        };
        if news.is_empty() {
            return Ok(());
        }
        let taken = self.taken(uid, entry).await?;
        let settings = self.notification_settings(uid, &entry.peer).await?;
        let mentioned = settings.mentions(&member, &stanza);
        for push in news {
            let device = match &push.target {
                PushTarget::AppServer { .. } => Device::Phone,
                PushTarget::Web { .. } => Device::Browser,
            };
            if settings.rings(device, mentioned) {
                let due = self.due(uid, &push.by, entry);
                let notice = alarm::notice(entry, &stanza, content, (due, taken), mentioned);
                let dropped = self.pushes.lanes.lock().add(uid, &member.address, push, notice);
                self.pushes.meters.dropped.increment(dropped as u64);
            } else {
                self.pushes.lanes.lock().pass(push.id, entry.useq);
            }
        }
        Ok(())
    }

    /// By what a session of the account shows that it has taken an entry.
    async fn taken(&self, uid: Uid, entry: &Entry) -> Result<Taken, StoreError> {
        if !entry.flags.has(Flags::GROUP) {
            return Ok(Taken::Log);
        }
        // The entry in the room's log was committed with this one, so it is no further than the head.
        let sessions = self.router.sessions(uid);
        match sessions.iter().find_map(|session| session.state().room_at(&entry.peer)) {
            Some(room) => Ok(Taken::Room(room, self.store.head(room).await?.head)),
            None => Ok(Taken::Nowhere),
        }
    }

    /// When a registration is to be told of an entry.
    fn due(&self, uid: Uid, by: &Registrant, entry: &Entry) -> Timestamp {
        let sessions = self.router.sessions(uid);
        // Since it was committed: it may have waited to be looked at.
        let since = entry.at.min(self.env.now());
        let after = |patience: Duration| Timestamp(since.0 + patience.as_millis() as i64);
        let own = sessions.iter().find(|session| belongs(session, by) && gets(session, entry));
        match own {
            Some(own) => {
                let state = own.state();
                match (state.link(), state.is_inactive()) {
                    (Link::Detached { .. } | Link::Ended(_), _) => since,
                    (_, true) => after(limits::PUSH_PATIENCE_INACTIVE),
                    (_, false) => after(limits::PUSH_PATIENCE),
                }
            }
            // Somebody in front of another device takes it, or so it seems.
            None if sessions.iter().any(|session| is_watched(session) && gets(session, entry)) => {
                after(limits::PUSH_PATIENCE)
            }
            None => since,
        }
    }

    /// Whether a device, or somebody in front of another where this one has no session, has taken what a notice is about.
    fn is_told(&self, uid: Uid, by: &Registrant, notice: &Notice) -> bool {
        let sessions = self.router.sessions(uid);
        let own = sessions.iter().find(|session| belongs(session, by) && is_for(session, notice));
        match own {
            Some(own) => has_taken(own, notice),
            None => sessions
                .iter()
                .any(|other| is_watched(other) && hears(other, notice) && has_taken(other, notice)),
        }
    }
}

/// Whether an entry is something that devices are told of: it came in, and is not set aside or taken back.
fn may_be_told(entry: &Entry) -> bool {
    let held = entry.flags.has(Flags::REQUEST) || entry.flags.has(Flags::RETRACTED);
    let told = entry.flags.has(Flags::DELIVER) || entry.flags.has(Flags::GROUP);
    entry.direction == Direction::In && told && !held
}

/// Whether a session is the one that registered something, or a later one of its device.
fn belongs(session: &Session, by: &Registrant) -> bool {
    let device = session.installation.as_ref().map(|installation| installation.device);
    (by.device.is_some() && by.device == device) || session.resource() == by.resource
}

/// Whether an entry is for this session, too. What was said in a group is for whoever is in its room.
fn gets(session: &Session, entry: &Entry) -> bool {
    let state = session.state();
    match entry.flags.has(Flags::GROUP) {
        true => state.room_at(&entry.peer).is_some(),
        false => !entry.flags.has(flags::STATE) && timeline::form(&state, session, entry).is_some(),
    }
}

/// Whether a session is one that could take what a notice is about.
fn is_for(session: &Session, notice: &Notice) -> bool {
    match notice.taken {
        Taken::Log => true,
        Taken::Room(..) => session.state().room_at(&notice.peer).is_some(),
        Taken::Nowhere => false,
    }
}

/// Whether a session is given what is for everybody, itself or as a copy; or what is said in the room.
fn hears(session: &Session, notice: &Notice) -> bool {
    let state = session.state();
    match notice.taken {
        Taken::Log => state.takes_bare() || (state.available.is_some() && state.timeline.carbons),
        Taken::Room(..) | Taken::Nowhere => true,
    }
}

/// Whether a session's client has taken what a notice is about.
fn has_taken(session: &Session, notice: &Notice) -> bool {
    match notice.taken {
        Taken::Log => session.state().has_taken(notice.useq),
        Taken::Room(room, upto) => session.state().has_heard(room, upto),
        Taken::Nowhere => false,
    }
}

/// Whether a client is connected, and somebody looks at it (XEP-0352).
fn is_watched(session: &Session) -> bool {
    let state = session.state();
    matches!(state.link(), Link::Attached) && !state.is_inactive()
}
