//! Pages that go out: what a carrier is asked for, and how that ends.

use super::page::Ticket;
use rookery_store::Urgency;

/// A page for a carrier.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The pager, as the carrier calls it.
    pub pager: &'a str,
    /// Who calls, where the carrier wants to know; empty: nobody says so.
    pub caller: &'a str,
    /// What it says.
    pub text: &'a str,
    /// How much it matters.
    pub urgency: Urgency,
    /// Who we are to the carrier, and the password.
    pub login: Option<(&'a str, &'a str)>,
    /// We will ask what became of it.
    pub two_way: bool,
}

/// How handing over ended. The words are one sentence for the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handed {
    /// The carrier has it; by the ticket it can be asked about it.
    Accepted(Option<Ticket>),
    /// It certainly does not have it, and may take it later.
    Deferred(String),
    /// It certainly does not have it, and will not take it.
    Refused(String),
    /// It may have it: all was said, and no answer came.
    Unknown(String),
}
