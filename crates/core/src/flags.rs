//! What core means by the flags of a log entry beyond those that the store names.

use rookery_store::Flags;

/// Only a chat state (XEP-0085) or the like: never stored, and not for inactive clients (XEP-0352).
pub const STATE: Flags = Flags(1 << 16);
