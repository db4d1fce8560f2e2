//! Identity and position: the two numbers everything else refers to.

use std::fmt;

/// An account's number, its identity everywhere inside (`10001`). Names are aliases of it. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Uid(pub u64);

/// A position in one account's log: gapless, from 1, assigned in the committing transaction. 0 is before everything.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize, serde::Deserialize,
)]
pub struct Useq(pub u64);

impl Uid {
    /// The number that a localpart spells, if it is one: decimal digits without a leading zero.
    pub fn from_local(local: &str) -> Option<Uid> {
        let plain = !local.starts_with('0') && local.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| local.parse().ok().map(Uid)).flatten()
    }
}

impl Useq {
    /// The position after this one.
    pub fn next(self) -> Useq {
        Useq(self.0 + 1)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Useq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
