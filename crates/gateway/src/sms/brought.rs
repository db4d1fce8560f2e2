//! What carriers bring, whatever they speak.

use super::phone;
use super::text::{Alphabet, Place};
use crate::reach::channel::State;

/// What a carrier brings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Brought {
    /// A message that somebody has written, or a part of one.
    Message(Message),
    /// What became of one of ours.
    Receipt(Receipt),
    /// Something that is no text, or not for people.
    Nothing,
}

/// A message that somebody has written, or a part of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Who: a number in its canonical form, or what else the carrier calls them.
    pub from: String,
    /// To which of our numbers, in the same way.
    pub to: String,
    /// In what it is written.
    pub alphabet: Alphabet,
    /// What it says.
    pub bytes: Vec<u8>,
    /// Where it belongs; `None`: it is whole.
    pub place: Option<Place>,
    /// What the carrier calls it, each time that it brings it; `None`: nothing that lasts.
    pub name: Option<String>,
}

/// What became of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// What the carrier calls it.
    pub id: String,
    /// What became of it; `None`: nothing that is final.
    pub state: Option<State>,
    /// In the carrier's words, for people.
    pub why: String,
}

impl Message {
    /// A whole message.
    pub fn whole(from: String, to: String, text: &str, name: Option<String>) -> Message {
        let bytes = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        Message { from, to, alphabet: Alphabet::Ucs2, bytes, place: None, name }
    }
}

/// Who somebody is, where the carrier does not say whether it is a number with its country: where it can be nothing else it is; or
/// as the carrier has it.
pub(super) fn party(address: &str) -> String {
    /// Digits from which a number has its country where nobody says so: numbers inside of countries begin with a zero or are
    /// shorter.
    const LONG: usize = 10;
    let known = match address {
        _ if address.starts_with(['+', '0']) => phone::canonical(address),
        _ if address.len() >= LONG => phone::international(address),
        _ => None,
    };
    known.unwrap_or_else(|| address.to_owned())
}
