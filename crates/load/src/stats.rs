//! What is counted, and latencies; of one worker, and of all together.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::stamp::Arrival;

/// Microseconds that a histogram tells apart: up to ten minutes, three digits exact.
const LONGEST: u64 = 600_000_000;

/// Times in microseconds.
pub(crate) struct Times(Histogram<u64>);

impl Times {
    pub(crate) fn new() -> Times {
        Times(Histogram::new_with_bounds(1, LONGEST, 3).expect("the bounds are constant and good"))
    }

    pub(crate) fn record(&mut self, nanoseconds: u64) {
        self.0.saturating_record((nanoseconds / 1000).max(1));
    }

    pub(crate) fn clear(&mut self) {
        self.0.reset();
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// Pairs of value and count, to be added to another's.
    pub(crate) fn pairs(&self) -> Vec<(u64, u64)> {
        self.0.iter_recorded().map(|step| (step.value_iterated_to(), step.count_at_value())).collect()
    }

    pub(crate) fn add(&mut self, pairs: &[(u64, u64)]) {
        for &(value, count) in pairs {
            self.0.saturating_record_n(value, count);
        }
    }

    /// Milliseconds below which this share of all (0 to 1) lies; nothing without any.
    pub(crate) fn at(&self, share: f64) -> Option<f64> {
        (self.count() > 0).then(|| self.0.value_at_quantile(share) as f64 / 1000.0)
    }
}

/// What sessions have sent and seen.
#[derive(Clone, Copy, Default, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Sessions that have signed in, each time.
    pub(crate) logins: u64,
    /// Connections that the server ended, and sign-ins that failed.
    pub(crate) failures: u64,
    /// Stanzas that somebody has to get.
    pub(crate) sent: u64,
    /// Stanzas to be got, in all: what is sent to many counts for each of them.
    pub(crate) due: u64,
    /// Of those, what came; each once.
    pub(crate) delivered: u64,
    /// Whole things done that a stage consists of, such as joins.
    pub(crate) steps: u64,
    /// What came again.
    pub(crate) doubled: u64,
    /// What came after something that was sent later.
    pub(crate) disordered: u64,
    /// What came back as an error.
    pub(crate) refused: u64,
    /// Stanzas that the server has acknowledged (XEP-0198).
    pub(crate) acknowledged: u64,
}

impl Counts {
    /// What was not delivered: after the end of a run, what was lost.
    pub(crate) fn missing(&self) -> u64 {
        self.due.saturating_sub(self.delivered)
    }

    /// Whether nothing went wrong.
    pub(crate) fn flawless(&self) -> bool {
        self.missing() + self.doubled + self.disordered + self.refused + self.failures == 0
    }

    fn zip(self, other: Counts, with: impl Fn(u64, u64) -> u64) -> Counts {
        Counts {
            logins: with(self.logins, other.logins),
            failures: with(self.failures, other.failures),
            sent: with(self.sent, other.sent),
            due: with(self.due, other.due),
            delivered: with(self.delivered, other.delivered),
            steps: with(self.steps, other.steps),
            doubled: with(self.doubled, other.doubled),
            disordered: with(self.disordered, other.disordered),
            refused: with(self.refused, other.refused),
            acknowledged: with(self.acknowledged, other.acknowledged),
        }
    }

    pub(crate) fn plus(self, other: Counts) -> Counts {
        self.zip(other, |one, two| one + two)
    }

    /// What has come since `before`.
    pub(crate) fn since(self, before: Counts) -> Counts {
        self.zip(before, |now, then| now.saturating_sub(then))
    }
}

/// Everything that one worker keeps about a run.
pub(crate) struct Score {
    pub(crate) counts: Counts,
    /// From sending to delivery.
    pub(crate) latency: Times,
    /// From connecting to the last step of a sign-in.
    pub(crate) login: Times,
}

impl Score {
    pub(crate) fn new() -> Score {
        Score { counts: Counts::default(), latency: Times::new(), login: Times::new() }
    }

    /// A message came, so many nanoseconds after it was sent.
    pub(crate) fn arrived(&mut self, how: Arrival, after: u64) {
        self.came(how);
        if how != Arrival::Again {
            self.latency.record(after);
        }
    }

    /// A message came, and how long it took says nothing.
    pub(crate) fn came(&mut self, how: Arrival) {
        if how == Arrival::Again {
            self.counts.doubled += 1;
            return;
        }
        self.counts.delivered += 1;
        self.counts.disordered += u64::from(how == Arrival::Late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_two_workers_are_those_of_all() {
        let (mut one, mut two) = (Times::new(), Times::new());
        (1..=500).for_each(|ms| one.record(ms * 1_000_000));
        (501..=1000).for_each(|ms| two.record(ms * 1_000_000));
        let mut all = Times::new();
        all.add(&one.pairs());
        all.add(&two.pairs());
        assert_eq!(all.count(), 1000);
        for (share, expected) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0)] {
            let got = all.at(share).expect("there are some");
            assert!((got - expected).abs() < expected / 500.0, "{share}: {got}");
        }
        assert_eq!(Times::new().at(0.5), None);
    }

    #[test]
    fn what_is_missing_doubled_or_refused_is_a_flaw() {
        let good = Counts { logins: 2, sent: 5, due: 10, delivered: 10, ..Counts::default() };
        assert!(good.flawless());
        assert_eq!(Counts { delivered: 8, ..good }.missing(), 2);
        assert!(!Counts { delivered: 8, ..good }.flawless());
        assert!(!Counts { doubled: 1, ..good }.flawless());
        assert_eq!(good.plus(good).since(good), good);
    }
}
