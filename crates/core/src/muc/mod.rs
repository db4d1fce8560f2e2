//! XEP-0045: groups. A group is a number with perhaps a name; its archive is a log of the store under that number.
//!
//! A room that is in use is in memory ([`Room`]): what it is set to, who stands how to it, and who is in it. Everything that
//! its occupants are to see goes through one queue, in the order in which it happened, and one task hands it out (`fan`).
//! What is said is stored first: the doorbell of the store puts it into the queue after its commit.

mod admin;
mod affiliate;
pub(crate) mod archive;
mod asker;
pub mod change;
pub(crate) mod commands;
pub mod config;
#[cfg(test)]
mod crowd;
mod disco;
mod fan;
pub(crate) mod hats;
mod history;
pub(crate) mod inbox;
pub mod invitation;
pub(crate) mod iq;
mod join;
mod letter;
mod mediate;
pub(crate) mod message;
pub mod moderation;
pub mod nodes;
pub mod occupant;
mod owner;
pub mod privilege;
pub mod registration;
pub(crate) mod requests;
pub mod room;
mod rooms;
mod show;
mod small;
pub mod status;
#[cfg(test)]
mod testing;
mod visit;
pub mod voice;
mod whisper;

pub use occupant::Occupant;
pub use room::Room;
pub use rooms::{Rooms, config_of, stored};
pub use visit::Visit;
pub use whisper::Handout;

pub(crate) use join::presence;

use crate::xep::Xep;
use rookery_proto::ns;

/// XEP-0045.
pub const INFO: Xep = Xep {
    number: "XEP-0045",
    name: "Multi-User Chat",
    version: "1.35.1",
    server: &[],
    account: &[],
    note: "Rooms with numbers and names, their occupants, messages, subjects, history and private messages; all lists and roles, \
           configuration, invitations, requests for voice and membership, destruction; the room's archive (XEP-0313). In \
           rooms of more than 1,000 only the presence of moderators is shown to all. No fully anonymous rooms; no \
           occupants from other hosts yet.",
};

/// XEP-0307.
pub const UNIQUE: Xep = Xep {
    number: "XEP-0307",
    name: "Unique Room Names for Multi-User Chat",
    version: "0.1",
    server: &[],
    account: &[],
    note: "Whole: the unique name is the group's number.",
};

/// XEP-0410.
pub const SELF_PING: Xep = Xep {
    number: "XEP-0410",
    name: "MUC Self-Ping (Schrödinger's Chat)",
    version: "1.1.0",
    server: &[],
    account: &[],
    note: "Answered by the room itself.",
};

/// XEP-0421.
pub const OCCUPANT_ID: Xep = Xep {
    number: "XEP-0421",
    name: "Occupant identifiers for semi-anonymous MUCs",
    version: "1.0.1",
    server: &[],
    account: &[],
    note: "On everything that an occupant sends; the same for an account in a room for ever.",
};

/// XEP-0500.
pub const SLOW_MODE: Xep = Xep {
    number: "XEP-0500",
    name: "MUC Slow Mode",
    version: "0.1.1",
    server: &[],
    account: &[],
    note: "For everybody but moderators; chat states are not counted.",
};

/// What a room announces of itself, whatever it is set to (XEP-0030).
const ROOM_FEATURES: &[&str] = &[
    ns::COMMANDS,
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::HATS,
    ns::MUC,
    "http://jabber.org/protocol/muc#stable_id",
    ns::MUC_SELF_PING,
    ns::OCCUPANT_ID,
    ns::PING,
    ns::RETRACT,
    ns::MODERATE,
    ns::MODERATE_OLD,
    ns::PUBSUB,
    ns::REGISTER,
    ns::VCARD,
];

/// What one with an archive announces.
const ARCHIVE_FEATURES: &[&str] = &[ns::MAM, ns::MAM_EXTENDED, ns::FULL_TEXT, ns::SID];
