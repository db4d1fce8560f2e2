//! Short messages that people have chosen to be reached by: each goes by the carrier that is the first for its number.

use super::http::Post;
use super::smpp::Link;
use super::text::Parts;
use super::{Gateway, limits};
use crate::reach::channel::{self, Channel, Handed, Handing, Sending};
use std::cmp::Reverse;
use std::sync::Arc;

/// A carrier that the operator has configured.
pub struct Carrier {
    /// What it is called in the configuration; no spaces.
    pub name: String,
    /// Beginnings of the numbers that it is for, as `+49`; none: all.
    pub prefixes: Vec<String>,
    /// Of carriers that are for a number alike, the one with the least goes first.
    pub priority: u16,
    /// How it is spoken with.
    pub way: Way,
}

/// How a carrier is spoken with.
pub enum Way {
    /// By SMPP.
    Smpp(Arc<Link>),
    /// By HTTP.
    Http(Arc<Post>),
}

impl Carrier {
    /// How much of a number it is for; `None`: it is not.
    fn fits(&self, number: &str) -> Option<usize> {
        let lengths =
            self.prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len);
        if self.prefixes.is_empty() { Some(0) } else { lengths.max() }
    }

    async fn send(&self, to: &str, text: &Parts, sending: &Sending) -> Handed {
        match &self.way {
            Way::Smpp(link) => link.send(to, text, sending.id).await,
            Way::Http(post) => post.send(to, text, sending.id).await,
        }
    }
}

impl Gateway {
    /// The carriers for a number, the one that is to be tried first in front.
    fn route(&self, number: &str) -> Vec<&Carrier> {
        let mut fitting: Vec<_> =
            self.carriers.iter().filter_map(|carrier| Some((carrier.fits(number)?, carrier))).collect();
        fitting.sort_by_key(|(length, carrier)| (Reverse(*length), carrier.priority));
        fitting.into_iter().map(|(_, carrier)| carrier).collect()
    }

    async fn hand(&self, sending: &Sending) -> Handed {
        let what = &sending.what;
        match self.core.store.is_stopped(&what.address).await {
            Ok(false) => {}
            Ok(true) => return Handed::refused("The phone wants no messages from here (STOP)."),
            Err(_) => return Handed::deferred("The phone cannot be looked up at the moment."),
        }
        // What people write themselves is not cut.
        let most = if what.case.is_some() { self.settings.parts } else { limits::PARTS };
        let text = Parts::fitting(&what.text, &what.code, most);
        let mut outcome = Handed::refused("No carrier is for this number.");
        for carrier in self.route(&what.address) {
            let handed = carrier.send(&what.address, &text, sending).await;
            match handed {
                Handed::Accepted { .. } | Handed::Unknown { .. } => return handed,
                // One that will take it later is better than one that will not.
                Handed::Refused { .. } if matches!(outcome, Handed::Deferred { .. }) => {}
                Handed::Refused { .. } | Handed::Deferred { .. } => outcome = handed,
            }
        }
        outcome
    }
}

impl Channel for Gateway {
    fn way(&self) -> channel::Way {
        channel::Way::Sms
    }

    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a> {
        Box::pin(self.hand(sending))
    }
}
