//! What one peer, and all of them, may take of the paging station.

use std::time::Duration;

/// Bytes of a line, with its end: a text of [`TEXT`] in one `MESSage`, and its command.
pub const LINE: usize = 4096;

/// Bytes of a page's text: many times what any pager shows, and little for a message.
pub const TEXT: usize = 4000;

/// Bytes of a subject, and of what a caller is called.
pub const NAME: usize = 64;

/// Pagers of one page.
pub const PAGERS: usize = 20;

/// Answers to choose from: [`rookery_store::limits::CALL_CHOICES`] is what the store keeps.
pub const CHOICES: usize = rookery_store::limits::CALL_CHOICES;

/// Bytes of one answer to choose from.
pub const CHOICE: usize = 64;

/// Commands of one connection that were wrong, after which it ends.
pub const MISTAKES: u32 = 20;

/// Pages of one connection.
pub const PAGES: u32 = 200;

/// Pages of one address within [`HOUR`].
pub const PAGES_PER_HOUR: u32 = 600;

/// Pagers that one address named within [`HOUR`] and that are nobody's, after which it is asked to come later.
pub const GUESSES: u32 = 40;

/// How long pages and guesses count.
pub const HOUR: Duration = Duration::from_secs(3600);

/// By how much each further answer to a guess is later.
pub const SLOWER: Duration = Duration::from_secs(1);

/// Connections at a time, and of one address.
pub const CONNECTIONS: usize = 200;
/// See [`CONNECTIONS`].
pub const CONNECTIONS_PER_ADDRESS: usize = 10;

/// How long the next line may take.
pub const COMMAND: Duration = Duration::from_secs(300);

/// How long a write and the end of a connection may take.
pub const WRITE: Duration = Duration::from_secs(30);

/// The pause after something has failed that should not.
pub const AGAIN: Duration = Duration::from_secs(5);

/// Answers that are taken from the outbox at a time.
pub const OUTBOX: usize = 50;

/// How long a carrier may take for each answer of its own: less than what [`crate::reach::limits::HAND_OVER`] leaves for all.
pub const CARRIER: Duration = Duration::from_secs(20);

/// Lines of one reply of a carrier.
pub const REPLY_LINES: usize = 100;
