//! What one mail program, and all of them, may take.

use std::time::Duration;

/// Bytes of a command with its literals, but for the mail that `APPEND` brings: sets of some thousand numbers (RFC 9051 §4.1 lets
/// programs count on 8,000 bytes a line).
pub const COMMAND: usize = 64 << 10;

/// The same before somebody has signed in: names and passwords.
pub const STRANGERS_COMMAND: usize = 8 << 10;

/// Bytes that wait to be written, beyond which nothing more is made before they are: a slow reader slows its own commands.
pub const WRITE: usize = 64 << 10;

/// Commands of one connection that were wrong, after which it ends.
pub const MISTAKES: u32 = 50;

/// Passwords of one connection that were wrong, after which it ends.
pub const GUESSES: u32 = 3;

/// Connections at a time, of one address, and of one account: a program keeps one for each folder that it watches.
pub const CONNECTIONS: usize = 2_000;
/// See [`CONNECTIONS`].
pub const CONNECTIONS_PER_ADDRESS: usize = 64;
/// See [`CONNECTIONS`].
pub const CONNECTIONS_PER_ACCOUNT: usize = 32;

/// How long somebody may take to sign in (RFC 9051 §5.4 is about what comes after).
pub const SIGN_IN: Duration = Duration::from_secs(120);

/// How long nothing may come (RFC 9051 §5.4: at least half an hour).
pub const SILENCE: Duration = Duration::from_secs(1_860);

/// How long a part of a command may take, and a write.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// How long the last words may take.
pub const FAREWELL: Duration = Duration::from_secs(10);

/// How long an idle connection waits for news before it says that it is still there: middle boxes forget it after some minutes.
pub const STILL_HERE: Duration = Duration::from_secs(240);

/// Ranges in a set of numbers, numbers of a part, names of header fields, flags: of each as many as fit into a command's line and
/// no program sends.
pub const RANGES: usize = 4_000;
/// See [`RANGES`].
pub const SECTION_DEPTH: usize = 32;
/// See [`RANGES`].
pub const ITEMS: usize = 100;

/// Keys of a search, and how deep they stand in one another.
pub const KEYS: usize = 200;
/// See [`KEYS`].
pub const KEYS_DEPTH: usize = 16;

/// Bytes at the beginning of a mail in which its header is looked for first; a longer one is read whole.
pub const HEADER: u64 = 16 << 10;

/// Parts of one mail, and how deep they stand in one another, beyond which they are not looked at.
pub const PARTS: usize = 1_000;
/// See [`PARTS`].
pub const PARTS_DEPTH: usize = 32;

/// Addresses of one header field that are told.
pub const ADDRESSES: usize = 1_000;

/// A mail beyond this size waits for one of [`LARGE_AT_ONCE`] places before it is read, so that all connections together hold no
/// more than so many large mails.
pub const LARGE: u64 = 256 << 10;
/// See [`LARGE`].
pub const LARGE_AT_ONCE: usize = 4;

/// Searches in the words of mails at a time: each reads through a folder.
pub const SEARCHES_AT_ONCE: usize = 2;

/// Mails that are looked up at a time.
pub const PAGE: usize = 64;
