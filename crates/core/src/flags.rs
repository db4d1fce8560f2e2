//! What core means by the flags of a log entry beyond those that the store names.

use rookery_store::Flags;

/// Only a chat state (XEP-0085) or the like: never stored, and not for inactive clients (XEP-0352).
pub const STATE: Flags = Flags(1 << 16);

/// It says what a group is about (XEP-0045 §8.1).
pub const SUBJECT: Flags = Flags(1 << 17);

/// Said in a group where everybody saw everybody's address.
pub const OPEN: Flags = Flags(1 << 19);

/// A private message between occupants of a group (XEP-0045 §7.5): its addresses are theirs in the room.
pub const WHISPER: Flags = Flags(1 << 18);
