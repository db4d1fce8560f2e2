//! The client's books of stream management (XEP-0198): what was sent, what was handled on both sides.

use std::collections::VecDeque;

use anyhow::{Result, bail};

use super::Misbehaviour;

/// The counters of one resumable session. They outlive a connection, and end with a `<failed/>`.
#[derive(Debug, Default)]
pub struct Counters {
    /// The id under which the session is resumed, if the server gave one.
    pub id: Option<String>,
    /// How many stanzas this client has handled since `<enabled/>`; the `h` of our answers.
    pub handled: u32,
    /// How many of ours the server has acknowledged: its last `h`.
    pub acknowledged: u32,
    /// Ours that are not acknowledged yet, oldest first, as they were sent.
    pub unacknowledged: VecDeque<String>,
    /// Ours that were acknowledged and not [taken](Counters::take_confirmed) yet, oldest first.
    confirmed: Vec<String>,
}

impl Counters {
    /// At `<enabled/>`, with the id it gave for resumption.
    pub(crate) fn new(id: Option<String>) -> Counters {
        Counters { id, ..Counters::default() }
    }

    /// A stanza goes out.
    pub(crate) fn sent(&mut self, xml: &str) {
        self.unacknowledged.push_back(xml.to_owned());
    }

    /// A stanza has come in and is handled.
    pub(crate) fn received(&mut self) {
        self.handled = self.handled.wrapping_add(1);
    }

    /// The server says it handled `h` of ours. An error if it acknowledges what was never sent, or takes
    /// something back.
    pub fn acknowledge(&mut self, h: u32) -> Result<()> {
        // XEP-0198 §4: h counts modulo 2^32.
        let newly = h.wrapping_sub(self.acknowledged) as usize;
        if newly > self.unacknowledged.len() {
            let (before, waiting) = (self.acknowledged, self.unacknowledged.len());
            bail!(Misbehaviour(format!("acknowledged h={h}, after h={before} and with {waiting} waiting")));
        }
        self.acknowledged = h;
        self.confirmed.extend(self.unacknowledged.drain(..newly));
        Ok(())
    }

    /// What has been acknowledged since this was last called, oldest first.
    pub fn take_confirmed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.confirmed)
    }
}

/// How the server answered a request to resume. What it acknowledged on this occasion is among the confirmed.
#[derive(Debug)]
pub enum Resumption {
    /// The session goes on; what was not acknowledged has been sent again.
    Resumed,
    /// It is over; these are its books. If `<failed/>` had an `h`, it is in them.
    Failed(Counters),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgement_releases_in_order_and_refuses_nonsense() {
        let mut counters = Counters::default();
        for xml in ["<a/>", "<b/>", "<c/>"] {
            counters.sent(xml);
        }
        counters.acknowledge(2).expect("two were sent");
        assert_eq!(counters.take_confirmed(), ["<a/>", "<b/>"]);
        assert!(counters.acknowledge(1).is_err(), "an acknowledgement was taken back");
        assert!(counters.acknowledge(4).is_err(), "only three were sent");
        counters.acknowledge(3).expect("the third");
        assert_eq!(counters.take_confirmed(), ["<c/>"]);
    }

    #[test]
    fn the_count_wraps_at_two_to_the_thirty_second() {
        let mut counters = Counters { acknowledged: u32::MAX, ..Counters::default() };
        counters.sent("<a/>");
        counters.acknowledge(0).expect("one after the last");
        assert_eq!(counters.take_confirmed(), ["<a/>"]);
    }
}
