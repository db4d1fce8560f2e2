//! What is counted while it happens. Gauges (sessions, the store's queue) are read when somebody asks.

use metrics::{Counter, counter, describe_counter};
use rookery_proto::stanza::Kind;

/// Handles taken once, so that counting costs one addition.
pub struct Meters {
    messages: Counter,
    presences: Counter,
    iqs: Counter,
    /// Stanzas written to clients.
    pub written: Counter,
    /// Stanzas answered with an error.
    pub refused: Counter,
    /// Sessions bound.
    pub bound: Counter,
    /// Sessions resumed.
    pub resumed: Counter,
    /// Resumptions that were not possible.
    pub not_resumed: Counter,
}

impl Default for Meters {
    fn default() -> Meters {
        describe_counter!("rookery_stanzas_received_total", "Stanzas from clients, by kind.");
        describe_counter!("rookery_stanzas_written_total", "Stanzas written to clients.");
        describe_counter!(
            "rookery_stanzas_refused_total",
            "Stanzas from clients that were answered with an error."
        );
        describe_counter!("rookery_sessions_bound_total", "Sessions that began.");
        describe_counter!("rookery_resumptions_total", "Attempts to resume a session, by outcome.");
        Meters {
            messages: counter!("rookery_stanzas_received_total", "kind" => "message"),
            presences: counter!("rookery_stanzas_received_total", "kind" => "presence"),
            iqs: counter!("rookery_stanzas_received_total", "kind" => "iq"),
            written: counter!("rookery_stanzas_written_total"),
            refused: counter!("rookery_stanzas_refused_total"),
            bound: counter!("rookery_sessions_bound_total"),
            resumed: counter!("rookery_resumptions_total", "outcome" => "resumed"),
            not_resumed: counter!("rookery_resumptions_total", "outcome" => "failed"),
        }
    }
}

impl Meters {
    /// A stanza came from a client.
    pub fn received(&self, kind: Kind) {
        match kind {
            Kind::Message => self.messages.increment(1),
            Kind::Presence => self.presences.increment(1),
            _ => self.iqs.increment(1),
        }
    }
}
