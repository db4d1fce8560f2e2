//! How the server is, now and in the last hours, for who looks after it. Kept in memory: after a restart it begins anew.

use crate::session::Link;
use crate::{Core, limits};
use parking_lot::Mutex;
use rookery_store::{Stats, Timestamp};
use std::collections::VecDeque;

/// What was so at one moment, and what was done in the minute before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Sessions that are connected.
    pub served: u32,
    /// Sessions that wait for their clients to come back.
    pub waiting: u32,
    /// Writes since the sample before.
    pub writes: u64,
    /// Microseconds that a commit took since the sample before, on average; 0: there was none.
    pub commit_micros: u64,
}

/// The samples of the last [`limits::HEALTH_SAMPLES`] minutes.
#[derive(Default)]
pub struct Health(Mutex<Past>);

#[derive(Default)]
struct Past {
    samples: VecDeque<Sample>,
    /// The store's counts at the last of them.
    stats: Stats,
}

impl Health {
    /// The samples, the oldest first.
    pub fn samples(&self) -> Vec<Sample> {
        self.0.lock().samples.iter().copied().collect()
    }
}

impl Core {
    /// Sessions that are connected, and sessions that wait.
    pub fn session_counts(&self) -> (u32, u32) {
        let (mut served, mut waiting) = (0, 0);
        for session in self.router.all() {
            match session.state().link() {
                Link::Detached { .. } => waiting += 1,
                _ => served += 1,
            }
        }
        (served, waiting)
    }

    /// Takes the sample of this minute.
    pub fn note_health(&self) {
        let (served, waiting) = self.session_counts();
        let stats = self.store.stats();
        let mut past = self.health.0.lock();
        let commits = stats.commits - past.stats.commits;
        let micros = stats.commit_micros - past.stats.commit_micros;
        let sample = Sample {
            at: self.env.now(),
            served,
            waiting,
            writes: stats.jobs - past.stats.jobs,
            commit_micros: micros.checked_div(commits).unwrap_or_default(),
        };
        if past.samples.len() == limits::HEALTH_SAMPLES {
            past.samples.pop_front();
        }
        past.samples.push_back(sample);
        past.stats = stats;
    }
}
