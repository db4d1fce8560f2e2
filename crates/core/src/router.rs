//! Who is here: the sessions of each account, and the only place that chooses which of them get something.

use crate::limits;
use crate::session::Session;
use parking_lot::{Mutex, MutexGuard};
use rookery_proto::{Uid, Useq};
use rookery_store::{Entry, StreamId};
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
}

#[derive(Default)]
struct User {
    sessions: Sessions,
    /// Everything up to here reached a device of this user; what comes later waits for one (offline delivery).
    delivered: Useq,
    /// `delivered` is newer here than in the store.
    dirty: bool,
}

impl Default for Router {
    fn default() -> Router {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Router { shards, streams: Mutex::default() }
    }
}

impl Router {
    fn shard(&self, uid: Uid) -> MutexGuard<'_, HashMap<Uid, User>> {
        self.shards[uid.0 as usize % SHARDS].lock()
    }

    /// Adds a session. From this moment on it is offered every entry, so the caller reads the log's head
    /// afterwards. Gives the sessions that must go: one of the same resource, and the oldest of too many.
    pub fn bind(&self, session: Arc<Session>, delivered: Useq) -> Sessions {
        let mut shard = self.shard(session.uid);
        let user = shard.entry(session.uid).or_default();
        user.delivered = user.delivered.max(delivered);
        let mut gone: Sessions = user.sessions.iter().filter(|s| s.jid == session.jid).cloned().collect();
        user.sessions.retain(|s| s.jid != session.jid);
        if user.sessions.len() >= limits::RESOURCES {
            gone.push(user.sessions.remove(0));
        }
        user.sessions.push(session);
        gone
    }

    /// Takes a session out. False when it was not there (any more).
    pub fn remove(&self, session: &Arc<Session>) -> bool {
        if let Some(id) = session.state().resumable() {
            self.streams.lock().remove(&id);
        }
        let mut shard = self.shard(session.uid);
        let Some(user) = shard.get_mut(&session.uid) else { return false };
        let before = user.sessions.len();
        user.sessions.retain(|s| !Arc::ptr_eq(s, session));
        before != user.sessions.len()
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

    /// Up to where something has reached a device of this user.
    pub fn delivered(&self, uid: Uid) -> Useq {
        self.shard(uid).get(&uid).map(|u| u.delivered).unwrap_or_default()
    }

    /// An entry reached a device.
    pub fn set_delivered(&self, uid: Uid, useq: Useq) {
        if let Some(user) = self.shard(uid).get_mut(&uid)
            && useq > user.delivered
        {
            user.delivered = useq;
            user.dirty = true;
        }
    }

    /// What came after `useq` turned out to have reached nobody.
    pub fn rewind_delivered(&self, uid: Uid, useq: Useq) {
        if let Some(user) = self.shard(uid).get_mut(&uid) {
            user.delivered = user.delivered.min(useq);
        }
    }

    /// Positions that are newer here than in the store, to be written there; users without sessions are forgotten.
    pub fn take_delivered(&self) -> Vec<(Uid, Useq)> {
        let mut out = Vec::new();
        for shard in &self.shards {
            shard.lock().retain(|uid, user| {
                if std::mem::take(&mut user.dirty) {
                    out.push((*uid, user.delivered));
                    return true;
                }
                !user.sessions.is_empty()
            });
        }
        out
    }
}
