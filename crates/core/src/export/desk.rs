//! Where exports are ordered, and asked after. Who writes them is outside of core, and works off one order after the other.

use super::{Order, Progress};
use crate::accounts::By;
use crate::limits::{EXPORT_KEPT, EXPORTS};
use parking_lot::Mutex;
use rookery_proto::Uid;
use rookery_store::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Notify;

/// How far an order has come.
#[derive(Clone, Debug)]
pub enum State {
    /// It waits for its turn, or is being written.
    Writing(Arc<Progress>),
    /// It can be fetched.
    Ready {
        /// Where it lies.
        file: PathBuf,
        /// Until when.
        until: Timestamp,
    },
}

/// An order.
struct Job {
    /// Names it: unguessable, as who knows it may fetch what was ordered.
    id: String,
    order: Order,
    state: State,
    /// Somebody is writing it.
    begun: bool,
    /// It could not be written, was fetched or is not wanted any more: who writes removes what there is.
    over: bool,
}

/// The orders.
#[derive(Default)]
pub struct Desk {
    jobs: Mutex<Vec<Job>>,
    /// There may be something to do for who writes.
    bell: Notify,
    /// Something was written, or could not be.
    written: Notify,
}

impl Desk {
    /// Orders an export under the name `id`, which must be unguessable; where the same is being written already or waits to be
    /// fetched, its name. `None`: there are too many orders.
    pub fn order(&self, id: String, order: Order) -> Option<String> {
        let mut jobs = self.jobs.lock();
        let same = |job: &&Job| {
            let late = matches!(job.state, State::Ready { until, .. } if until <= order.at);
            let (theirs, new) = (&job.order, &order);
            let alike = theirs.account.uid == new.account.uid && theirs.by == new.by;
            !job.over && !late && alike && theirs.credentials == new.credentials
        };
        if let Some(job) = jobs.iter().find(same) {
            return Some(job.id.clone());
        }
        if jobs.len() >= EXPORTS {
            return None;
        }
        let state = State::Writing(Arc::default());
        jobs.push(Job { id: id.clone(), order, state, begun: false, over: false });
        self.bell.notify_one();
        Some(id)
    }

    /// How far an order has come; `None` if it could not be written, or is not there any more.
    pub fn state(&self, id: &str) -> Option<State> {
        self.jobs.lock().iter().find(|job| job.id == id && !job.over).map(|job| job.state.clone())
    }

    /// Waits until an order is not being written any more.
    pub async fn settled(&self, id: &str) -> Option<State> {
        loop {
            let written = self.written.notified();
            match self.state(id) {
                Some(State::Writing(_)) => written.await,
                state => return state,
            }
        }
    }

    /// Where the export lies that whoever knows its name may fetch now: never one of the operator's.
    pub fn ready(&self, id: &str, now: Timestamp) -> Option<PathBuf> {
        let jobs = self.jobs.lock();
        let theirs = |job: &&Job| job.id == id && !job.over && job.order.by == By::Themselves;
        match &jobs.iter().find(theirs)?.state {
            State::Ready { file, until } if *until > now => Some(file.clone()),
            _ => None,
        }
    }

    /// Uses up the name of an export that was ordered by these, which is good once; false if it was.
    pub fn take(&self, id: &str, by: By) -> bool {
        let mut jobs = self.jobs.lock();
        let theirs = |job: &&mut Job| job.id == id && !job.over && job.order.by == by;
        let Some(job) = jobs.iter_mut().find(theirs) else { return false };
        job.over = true;
        self.bell.notify_one();
        true
    }

    /// The account is deleted: so is what was written for it.
    pub fn forget(&self, uid: Uid) {
        self.jobs
            .lock()
            .iter_mut()
            .filter(|job| job.order.account.uid == uid)
            .for_each(|job| job.over = true);
        self.written.notify_waiters();
        self.bell.notify_one();
    }

    /// For who writes: waits until there may be something to write or to remove.
    pub async fn called(&self) {
        self.bell.notified().await;
    }

    /// For who writes: the next order, if there is one.
    pub fn next(&self) -> Option<(String, Order, Arc<Progress>)> {
        let mut jobs = self.jobs.lock();
        jobs.iter_mut().filter(|job| !job.begun && !job.over).find_map(|job| {
            let State::Writing(progress) = &job.state else { return None };
            job.begun = true;
            Some((job.id.clone(), job.order.clone(), progress.clone()))
        })
    }

    /// For who writes: the export lies there, or could not be written.
    pub fn written(&self, id: &str, file: Option<PathBuf>, now: Timestamp) {
        let until = Timestamp(now.0 + EXPORT_KEPT.as_millis() as i64);
        if let Some(job) = self.jobs.lock().iter_mut().find(|job| job.id == id) {
            job.begun = false;
            match file {
                Some(file) => job.state = State::Ready { file, until },
                None => job.over = true,
            }
        }
        self.written.notify_waiters();
    }

    /// For who writes: forgets the orders that are over, and says which; what was written for them is to be removed.
    pub fn expired(&self, now: Timestamp) -> Vec<String> {
        let mut jobs = self.jobs.lock();
        let over = |job: &Job| {
            let late = matches!(job.state, State::Ready { until, .. } if until <= now);
            !job.begun && (job.over || late)
        };
        let gone = jobs.iter().filter(|job| over(job)).map(|job| job.id.clone()).collect();
        jobs.retain(|job| !over(job));
        gone
    }
}
