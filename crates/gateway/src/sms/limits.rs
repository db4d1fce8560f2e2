//! What carriers, phones and people may take of the way to phones.

use std::time::Duration;

/// Bytes of a PDU: a `message_payload` of 64 kB (SMPP 3.4 §4.8.4.35) is no text that anybody wrote on a phone.
pub const PDU: usize = 16 << 10;

/// Parts of a message that somebody writes: what people write in one go; each costs as a message of its own.
pub const PARTS: usize = 10;

/// Requests to one carrier that are not answered yet (SMPP 3.4 §2.9); what most carriers allow.
pub const WINDOW: usize = 10;

/// Messages of one carrier that are being stored; more are not read until one is.
pub const INCOMING: usize = 20;

/// Bytes of what a provider posts: a long message, each character of it escaped.
pub const HOOK: usize = 32 << 10;

/// How far the time at which something was signed may be from ours: clocks differ, and nobody is to post it again later.
pub const HOOK_WINDOW: Duration = Duration::from_secs(300);

/// Calls of one address that do not prove that they are a provider's, within [`KNOCKS_WITHIN`]: an operator who tries it out needs a
/// few.
pub const KNOCKS: u32 = 20;
/// See [`KNOCKS`].
pub const KNOCKS_WITHIN: Duration = Duration::from_secs(600);

/// Calls of one provider within [`CALLS_WITHIN`]: what a busy one brings, and more than any phone.
pub const CALLS: u32 = 1200;
/// See [`CALLS`].
pub const CALLS_WITHIN: Duration = Duration::from_secs(60);

/// How long a request to a provider may take. Together with [`TURN`] it is less than what [`crate::reach::limits::HAND_OVER`] leaves.
pub const HTTP_TIME: Duration = Duration::from_secs(30);

/// Bytes of the answer to one.
pub const HTTP_ANSWER: usize = 64 << 10;

/// Answers of a day to somebody who has proven nothing by a PIN: each may go to somebody who did not ask, and costs.
pub const ASIDES: u32 = 5;
/// See [`ASIDES`].
pub const ASIDES_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// How long `MORE` goes on without a PIN: as long as one reads.
pub const DESK_OPEN: Duration = Duration::from_secs(600);

/// Conversations of a list that are shown at a time, the characters of a name there, and of what was said.
pub const DESK_SHOWN: usize = 3;
/// See [`DESK_SHOWN`].
pub const DESK_NAME: usize = 24;
/// See [`DESK_SHOWN`].
pub const DESK_LINE: usize = 60;

/// Bytes of a conversation that are read on a phone: some thirty messages of a phone.
pub const DESK_READ: usize = 4000;

/// Lanes in which what phones write waits for what they wrote before: more than are busy at a time.
pub const LANES: usize = 64;

/// Orders for a carrier that wait for their turn: what the workers of reach me hand over at a time, several times.
pub const ORDERS: usize = 64;

/// How long connecting and signing in may take.
pub const BIND: Duration = Duration::from_secs(20);

/// How long an order may wait until it is said to the carrier. Together with [`RESPONSE`] it is less than what
/// [`crate::reach::limits::HAND_OVER`] leaves.
pub const TURN: Duration = Duration::from_secs(40);

/// How long the carrier may take for its answer.
pub const RESPONSE: Duration = Duration::from_secs(30);

/// How long a write may take.
pub const WRITE: Duration = Duration::from_secs(20);

/// Silence after which a carrier is asked whether it is there (`enquire_link`): below what routers forget connections after.
pub const SILENCE: Duration = Duration::from_secs(30);

/// The pause before a carrier is called again, which doubles up to [`LONGEST_PAUSE`].
pub const PAUSE: Duration = Duration::from_secs(1);
/// See [`PAUSE`].
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The pause after a carrier has said that it is too much (ESME_RTHROTTLED), which doubles up to [`LONGEST_THROTTLE`].
pub const THROTTLE: Duration = Duration::from_secs(1);
/// See [`THROTTLE`].
pub const LONGEST_THROTTLE: Duration = Duration::from_secs(30);

/// The pause after something has failed that should not.
pub const AGAIN: Duration = Duration::from_secs(5);

/// Messages that are taken from the outbox at a time.
pub const OUTBOX: usize = 50;

/// How long parts wait for the others: phones and carriers try for a day.
pub const PARTS_WAIT: Duration = Duration::from_secs(24 * 3600);

/// How often parts that wait are looked through.
pub const TIDY: Duration = Duration::from_secs(600);

/// Carriers' names of what they were handed, for receipts that are quicker than the store: what one second brings.
pub const FRESH: usize = 1000;
