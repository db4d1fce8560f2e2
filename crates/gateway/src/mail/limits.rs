//! What one peer, and all of them, may take of the mail system.

use std::time::Duration;

/// Bytes of a command line, with its end: 512 (RFC 5321 §4.5.3.1.4) and what extensions add to it.
pub const LINE: usize = 2048;

/// Recipients of one mail: so many must be taken (RFC 5321 §4.5.3.1.8).
pub const RECIPIENTS: usize = 100;

/// Commands of one connection that were wrong, after which it ends.
pub const MISTAKES: u32 = 20;

/// Recipients that one connection named and that are nobody, after which it ends. Each answer comes by
/// [`SLOWER`] later than the one before.
pub const UNKNOWN_RECIPIENTS: u32 = 8;

/// By how much each further answer to a guess is later.
pub const SLOWER: Duration = Duration::from_secs(1);

/// Recipients that one address named within [`GUESSING`] and that are nobody, after which it is asked to come later.
pub const GUESSES: u32 = 40;

/// How long guesses count.
pub const GUESSING: Duration = Duration::from_secs(3600);

/// Mails of one connection.
pub const MAILS: u32 = 200;

/// Connections at a time, and of one address.
pub const CONNECTIONS: usize = 200;
/// See [`CONNECTIONS`].
pub const CONNECTIONS_PER_ADDRESS: usize = 10;

/// Connections of the operator's own front server (LMTP) at a time: it makes some tens.
pub const FRONT: usize = 100;

/// How long a new server is asked to wait before it comes again (RFC 6647 §5: one minute to some hours).
pub const GREYLIST_WAIT: Duration = Duration::from_secs(5 * 60);

/// Within which it must come again (§5: a day).
pub const GREYLIST_PATIENCE: Duration = Duration::from_secs(86_400);

/// For how long a server that has come again is known after it was last seen: what comes once a month is known, too.
pub const GREYLIST_KNOWN: Duration = Duration::from_secs(36 * 86_400);

/// Mails that wait so, and servers that are known, at a time; those that were not seen for longest are forgotten first.
pub const GREYLISTED: usize = 50_000;

/// Connections of people's programs that send, at a time: more than a program's, for whoever sends is through at once.
pub const PROGRAMS: usize = 500;
/// See [`PROGRAMS`]: a whole office behind one address.
pub const PROGRAMS_PER_ADDRESS: usize = 64;

/// Wrong passwords in one connection, after which it ends.
pub const PASSWORDS: u32 = 3;

/// What is counted by the hour.
pub const HOUR: Duration = Duration::from_secs(3600);

/// A mail beyond this size waits for one of [`LARGE_AT_ONCE`] places before more of it is read, so that all connections together
/// hold no more than so many large mails.
pub const LARGE: usize = 256 << 10;
/// See [`LARGE`].
pub const LARGE_AT_ONCE: usize = 4;

/// How long the next command may take (RFC 5321 §4.5.3.2.7).
pub const COMMAND: Duration = Duration::from_secs(300);

/// How long a whole mail may take (RFC 5321 §4.5.3.2.5 is about its blocks; a mail of the largest size needs less on any line).
pub const CONTENT: Duration = Duration::from_secs(600);

/// How long a TLS handshake may take.
pub const HANDSHAKE: Duration = Duration::from_secs(60);

/// Bytes beyond the largest mail that are read to the end, so that its sender is told in good order.
pub const OVERRUN: usize = 16 << 20;

/// How long it may take to find out whom a mail is from; the other server waits meanwhile.
pub const JUDGEMENT: Duration = Duration::from_secs(30);

/// `Received` fields after which a mail goes in circles (RFC 5321 §6.3).
pub const HOPS: usize = 100;

/// `Received` fields of our own after which it does.
pub const OWN_HOPS: usize = 5;

/// Bytes of another server's reply.
pub const REPLY: usize = 8 << 10;

/// How long to wait when the store fails.
pub const AGAIN: Duration = Duration::from_secs(30);

/// Mail servers of one domain that are tried in one attempt.
pub const HOSTS: usize = 5;

/// How long one of them may take until it can be told of a mail (RFC 5321 §4.5.3.2.1 gives the greeting alone five minutes).
pub const OPENING: Duration = Duration::from_secs(15 * 60);

/// The same for a letter of the server's own, whose patience [`crate::reach`] is: all of them within its time for one attempt.
pub const OPENING_LETTER: Duration = Duration::from_secs(15);

/// What a link that lets somebody in must have left to be worth giving, ms.
pub const TICKET_WORTH_MS: i64 = 3_600_000;

/// Domains that mail goes to at a time, each with one mail in memory; of the mails to one, one after the other.
pub const DOMAINS_AT_ONCE: usize = 16;

/// The same where all of it goes to one smarthost: more connections than that are not welcome everywhere.
pub const TO_SMARTHOST_AT_ONCE: usize = 4;

/// How long a mail is tried (RFC 5321 §4.5.4.1: four to five days).
pub const LIFETIME: Duration = Duration::from_secs(5 * 86_400);

/// The pauses between attempts; the last one again and again. The seventh attempt is at [`LATE`].
pub const WAITS: [Duration; 7] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(14 * 60),
    Duration::from_secs(40 * 60),
    Duration::from_secs(3600),
    Duration::from_secs(2 * 3600),
    Duration::from_secs(4 * 3600),
];

/// After this time its sender is told that a mail is late: people who wait for an answer want to know.
pub const LATE: Duration = Duration::from_secs(4 * 3600);

/// Bytes of a mail's header that come back with a report: more than people's programs write.
pub const RETURNED: usize = 32 << 10;

/// Bytes of another server's words in an error that people see.
pub const SAID: usize = 500;

/// Bytes of the text that stands in the message; all of it is in the mail itself.
pub const TEXT: usize = 32 << 10;

/// Attachments that become files of their own; all of them are in the mail itself.
pub const ATTACHMENTS: usize = 32;

/// Message-IDs of one mail's References that are looked at: the last ones are the nearest.
pub const REFERENCES: usize = 20;

/// For how long (ms) an answer to a letter is known that comes again: longer than other servers try ([`LIFETIME`]).
pub const ANSWER_KNOWN_MS: i64 = 7 * 86_400_000;
