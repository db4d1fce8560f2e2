//! The Short Message Peer-to-Peer protocol, version 3.4 ([SMPP 3.4](https://smpp.org/SMPP_v3_4_Issue1_2.pdf)): as a client of
//! carriers.
//!
//! Read along in this order: [`wire`] has PDUs as bytes, [`pdu`] says what they mean to us, `session` speaks on one connection, and
//! [`link`] keeps one up.

pub mod link;
pub mod pdu;
mod receipt;
mod session;
pub mod wire;

pub use link::Link;

/// Who we are to a carrier, and how it wants what it gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// What we are called (`system_id`), at most 15 characters.
    pub system_id: String,
    /// What proves it, at most 8 characters.
    pub password: String,
    /// What kind of system we are (`system_type`), where the carrier wants to know; at most 12 characters.
    pub system_type: String,
    /// The sender that phones see: a number, or up to eleven letters; empty: the carrier's choice.
    pub sender: String,
    /// How the parts of a long message are told.
    pub joining: Joining,
    /// What alphabet 0 is to the carrier.
    pub default_alphabet: super::text::Alphabet,
    /// Requests that are not answered at a time.
    pub window: usize,
}

/// How the parts of a long message are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Joining {
    /// By a header in each (esm_class 0x40).
    Header,
    /// By `sar_msg_ref_num`, `sar_total_segments` and `sar_segment_seqnum`.
    Sar,
    /// There are no parts: all of it is in `message_payload`.
    Payload,
}

#[cfg(test)]
mod tests;
