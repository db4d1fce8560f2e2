//! Who is here: the sessions of each account, and the only place that chooses which of them get something.

use crate::limits;
use crate::muc::Rooms;
use crate::session::Session;
use parking_lot::{Mutex, MutexGuard};
use rookery_proto::{Uid, Useq};
use rookery_store::{Entry, StreamId, is_group};
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// The sessions of one account, oldest first.
pub type Sessions = SmallVec<[Arc<Session>; 2]>;

const SHARDS: usize = 64;

/// All sessions of this server.
pub struct Router {
    shards: Box<[Mutex<HashMap<Uid, User>>]>,
    /// Resumable sessions by the id that their clients know.
    streams: Mutex<HashMap<StreamId, Arc<Session>>>,
    /// The groups' rooms in use.
    pub rooms: Rooms,
}

#[derive(Default)]
struct User {
    sessions: Sessions,
    /// Up to here sessions that are gone had taken everything, or the store knows of it. Those that are here may be further.
    delivered: Useq,
    /// What the store knows.
    stored: Useq,
}

impl Default for Router {
    fn default() -> Router {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Router { shards, streams: Mutex::default(), rooms: Rooms::default() }
    }
}

impl Router {
    fn shard(&self, uid: Uid) -> MutexGuard<'_, HashMap<Uid, User>> {
        self.shards[uid.0 as usize % SHARDS].lock()
    }

    /// Adds a session. From this moment on it is offered every entry, so the caller reads the log's head
    /// afterwards, and notes what the store knows ([`Router::know_delivered`]) before the session takes anything. Gives the
    /// sessions that must go: one of the same resource, and the oldest of too many.
    pub fn bind(&self, session: Arc<Session>) -> Sessions {
        let mut shard = self.shard(session.uid);
        let user = shard.entry(session.uid).or_default();
        let mut gone: Sessions = user.sessions.iter().filter(|s| s.jid == session.jid).cloned().collect();
        user.sessions.retain(|s| s.jid != session.jid);
        if user.sessions.len() >= limits::RESOURCES {
            gone.push(user.sessions.remove(0));
        }
        user.sessions.push(session);
        gone
    }

    /// Takes a session out, and remembers what it has taken.
    pub fn remove(&self, session: &Arc<Session>) {
        let (id, taken) = {
            let state = session.state();
            (state.resumable(), state.taken())
        };
        if let Some(id) = id {
            self.streams.lock().remove(&id);
        }
        let mut shard = self.shard(session.uid);
        let user = shard.entry(session.uid).or_default();
        user.delivered = user.delivered.max(taken);
        user.sessions.retain(|s| !Arc::ptr_eq(s, session));
    }

    /// The sessions of an account.
    pub fn sessions(&self, uid: Uid) -> Sessions {
        self.shard(uid).get(&uid).map(|u| u.sessions.clone()).unwrap_or_default()
    }

    /// The session of one resource.
    pub fn session(&self, uid: Uid, resource: &str) -> Option<Arc<Session>> {
        self.shard(uid).get(&uid)?.sessions.iter().find(|s| s.resource() == resource).cloned()
    }

    /// All sessions there are.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.shards
            .iter()
            .flat_map(|s| s.lock().values().flat_map(|u| u.sessions.clone()).collect::<Vec<_>>())
            .collect()
    }

    /// The store's doorbell: an entry of `uid`'s log was committed.
    pub fn appended(&self, uid: Uid, entry: &Arc<Entry>) {
        if is_group(uid) {
            return self.rooms.appended(uid, entry);
        }
        for session in self.sessions(uid) {
            session.offer(entry);
        }
    }

    /// Makes a session resumable under `id`.
    pub fn enable_resumption(&self, id: StreamId, session: Arc<Session>) {
        self.streams.lock().insert(id, session);
    }

    /// The session that can be resumed under `id`.
    pub fn resumable(&self, id: &StreamId) -> Option<Arc<Session>> {
        self.streams.lock().get(id).cloned()
    }

    /// What the store knows of [`Router::delivered`].
    pub fn know_delivered(&self, uid: Uid, stored: Useq) {
        if let Some(user) = self.shard(uid).get_mut(&uid) {
            user.stored = user.stored.max(stored);
            user.delivered = user.delivered.max(stored);
        }
    }

    /// Up to here everything has reached a device of this user; what comes later waits for one (offline delivery).
    pub fn delivered(&self, uid: Uid) -> Useq {
        let known = self.shard(uid).get(&uid).map(|user| (user.delivered, user.sessions.clone()));
        known.map(|(gone, here)| furthest(gone, &here)).unwrap_or_default()
    }

    /// Where [`Router::delivered`] is further than the store knows. Users without sessions and news are forgotten.
    pub fn delivered_news(&self) -> Vec<(Uid, Useq)> {
        let mut news = Vec::new();
        for shard in &self.shards {
            let users: Vec<_> = {
                let mut shard = shard.lock();
                shard.retain(|_, user| !user.sessions.is_empty() || user.delivered > user.stored);
                shard.iter().map(|(uid, u)| (*uid, u.stored, u.delivered, u.sessions.clone())).collect()
            };
            for (uid, stored, gone, here) in users {
                let delivered = furthest(gone, &here);
                if delivered > stored {
                    news.push((uid, delivered));
                }
            }
        }
        news
    }
}

/// The furthest that the sessions here have come, or those that are gone had.
fn furthest(gone: Useq, here: &Sessions) -> Useq {
    here.iter().map(|session| session.state().taken()).fold(gone, Useq::max)
}
