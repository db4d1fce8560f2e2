//! What is counted of sendings.

use metrics::{counter, describe_counter};
use rookery_store::{Settled, Way};

/// Counts how handing over ends.
pub(super) struct Meters;

impl Meters {
    pub(super) fn new() -> Meters {
        describe_counter!(
            "rookery_sendings_total",
            "Sendings to people who are not here, by way and outcome."
        );
        Meters
    }

    pub(super) fn count(&self, way: Way, settled: &Settled) {
        let outcome = match settled {
            Settled::Accepted(_) => "accepted",
            Settled::Deferred(_) => "deferred",
            Settled::Failed => "failed",
            Settled::Unknown => "unknown",
        };
        counter!("rookery_sendings_total", "way" => way.name(), "outcome" => outcome).increment(1);
    }
}
