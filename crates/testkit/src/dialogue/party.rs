//! One client in a running dialogue, and how what it receives is compared with what the dialogue expects.

use anyhow::{Result, bail};
use minidom::Element;

use super::matching;
use super::template::Variables;
use crate::client::{Client, Incoming, is_late_answer, is_ping};
use crate::ns;

/// A client that takes part.
pub(super) struct Party {
    pub(super) client: Client,
    /// Whether its stream or connection was seen to end.
    pub(super) ended: bool,
    /// Whether the dialogue keeps the books of acknowledgement, so that no ping may slip in.
    by_hand: bool,
}

impl Party {
    pub(super) fn new(client: Client) -> Party {
        Party { client, ended: false, by_hand: false }
    }

    pub(super) fn go_by_hand(&mut self) {
        self.by_hand = true;
        self.client.stop_answering();
    }

    /// Whether it can ask the server for an answer, as a barrier.
    pub(super) fn can_ping(&self) -> bool {
        self.client.jid().is_some() && !self.ended
    }

    /// Whether it can do so without the dialogue having said it.
    pub(super) fn can_ping_freely(&self) -> bool {
        self.can_ping() && !self.by_hand
    }

    /// Go on answering the server while time passes. A connection that the server gives up then says so later.
    pub(super) async fn keep_alive(&mut self) -> Result<()> {
        if self.can_ping_freely() { self.client.keep_alive().await } else { Ok(()) }
    }

    /// The next element, leaving out those that keep a connection going unless one of the patterns is about them.
    pub(super) async fn next_element(&mut self, patterns: &[&Element]) -> Result<Element> {
        loop {
            match self.client.next().await? {
                Incoming::Element(element) => {
                    // RFC 6120 §4.9.1.1: after a stream error there is only the end.
                    self.ended |= element.is("error", ns::STREAM);
                    let wanted = patterns.iter().any(|pattern| pattern.name() == element.name());
                    if !self.is_routine(&element) || (wanted && element.has_ns(ns::SM)) {
                        return Ok(element);
                    }
                }
                other => {
                    self.ended = true;
                    bail!("the stream ended ({other:?}) while this was expected:\n{}", listed(patterns));
                }
            }
        }
    }

    pub(super) fn compare(
        &self,
        pattern: &Element,
        element: &Element,
        variables: &mut Variables,
    ) -> Result<()> {
        let Err(why) = matching::matches(pattern, element, variables) else { return Ok(()) };
        bail!("{why}\n  expected: {}\n  received: {}", String::from(pattern), String::from(element))
    }

    /// The index of the pattern that the element matches.
    pub(super) fn find(
        &self,
        patterns: &[Element],
        element: &Element,
        variables: &mut Variables,
    ) -> Result<usize> {
        let mut whys = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            match matching::matches(pattern, element, variables) {
                Ok(()) => return Ok(index),
                Err(why) => whys.push(format!("  not {}\n      since {why}", String::from(pattern))),
            }
        }
        bail!("none of what is expected:\n{}\n  received: {}", whys.join("\n"), String::from(element))
    }

    /// Nothing that has arrived may match any of the patterns. The dialogue goes on with all of it.
    pub(super) fn expect_none_of(&mut self, patterns: &[Element], variables: &Variables) -> Result<()> {
        for incoming in self.client.inbox() {
            let Incoming::Element(element) = incoming else { continue };
            if patterns
                .iter()
                .any(|pattern| matching::matches(pattern, element, &mut variables.clone()).is_ok())
            {
                bail!("it did receive {}", String::from(&*element));
            }
        }
        Ok(())
    }

    /// Nothing may have arrived, but for what keeps a connection going.
    pub(super) fn expect_silence(&mut self) -> Result<()> {
        for incoming in self.client.inbox().clone() {
            match incoming {
                Incoming::Element(element) if self.is_routine(&element) => {}
                Incoming::Element(element) => bail!("it received {}", String::from(&element)),
                other => bail!("it received {other:?}"),
            }
        }
        Ok(())
    }

    /// Acknowledgements and pings: no dialogue speaks of them but those that are about them. A barrier's answer can
    /// come twice, when its ping was sent again on resumption.
    fn is_routine(&self, element: &Element) -> bool {
        let acknowledgement = element.has_ns(ns::SM) && matches!(element.name(), "r" | "a");
        acknowledgement || is_ping(element, self.client.domain()) || is_late_answer(element)
    }
}

/// For `retain`: everything but available and unavailable presence.
pub(super) fn skip_presence(incoming: &Incoming) -> bool {
    let Incoming::Element(element) = incoming else { return true };
    !(element.is("presence", ns::CLIENT) && matches!(element.attr("type"), None | Some("unavailable")))
}

/// Whether it is a presence of this type (`None`: available) from this full JID.
pub(super) fn is_presence_from(incoming: &Incoming, jid: &str, kind: Option<&str>) -> bool {
    let Incoming::Element(element) = incoming else { return false };
    element.is("presence", ns::CLIENT) && element.attr("from") == Some(jid) && element.attr("type") == kind
}

/// Patterns, one a line.
pub(super) fn listed(patterns: &[&Element]) -> String {
    patterns.iter().map(|pattern| format!("  {}", String::from(*pattern))).collect::<Vec<_>>().join("\n")
}
