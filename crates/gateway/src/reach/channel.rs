//! What a way to people who are not here has to do, and nothing else: hand one sending to a carrier, and say how that ended.
//! The queue, patience, caps, and what senders are told are not its business.

use std::future::Future;
use std::pin::Pin;

pub use rookery_store::{Sending, SendingId, SendingRef, SendingState as State, Urgency, Way};

/// A channel: a way out that the operator has configured.
///
/// What a carrier says later (receipts) goes to [`super::Reach::news`], what people answer to [`super::Reach::answered`].
pub trait Channel: Send + Sync {
    /// Which way it is. There is one channel for each.
    fn way(&self) -> Way;

    /// Hands a sending to the carrier. Called for several at a time, and for the same one again only after
    /// [`Handed::Deferred`]. It is given up as [`Handed::Unknown`] after [`super::limits::HAND_OVER`]; so whoever has not begun
    /// to speak of this sending by then should say [`Handed::Deferred`] itself.
    fn hand_over<'a>(&'a self, sending: &'a Sending) -> Handing<'a>;

    /// Where several can be told at once.
    fn digests(&self) -> Option<&dyn Digests> {
        None
    }
}

/// A channel that tells what waits for one person at one address all at once.
pub trait Digests: Send + Sync {
    /// Hands over several sendings to the same account and address, all about cases; what becomes of one becomes of all.
    fn hand_over_all<'a>(&'a self, sendings: &'a [Sending]) -> Handing<'a>;
}

/// A handing over under way.
pub type Handing<'a> = Pin<Box<dyn Future<Output = Handed> + Send + 'a>>;

/// How it ended. `why` is one short sentence for the operator and the person who is to be reached; no secrets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handed {
    /// The carrier has accepted it: from here on it is the carrier's.
    Accepted {
        /// What the carrier calls it, where it says so and speaks of it later.
        carrier_ref: Option<String>,
    },
    /// The carrier certainly does not have it, and may take it later.
    Deferred {
        /// What was in the way.
        why: String,
    },
    /// The carrier certainly does not have it, and will not take it.
    Refused {
        /// What it said.
        why: String,
    },
    /// The carrier may have it: all was said, and no answer came.
    Unknown {
        /// What happened.
        why: String,
    },
}

impl Handed {
    /// Accepted under this name.
    pub fn accepted(carrier_ref: impl Into<String>) -> Handed {
        Handed::Accepted { carrier_ref: Some(carrier_ref.into()) }
    }

    /// Not now.
    pub fn deferred(why: impl Into<String>) -> Handed {
        Handed::Deferred { why: why.into() }
    }

    /// Not this one.
    pub fn refused(why: impl Into<String>) -> Handed {
        Handed::Refused { why: why.into() }
    }

    /// Nobody knows.
    pub fn unknown(why: impl Into<String>) -> Handed {
        Handed::Unknown { why: why.into() }
    }
}
