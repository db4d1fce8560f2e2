//! Short messages: what people write to phones, phones that want nothing, and parts whose others have not come yet.

use rookery_proto::Uid;

use crate::sending::{NewSending, SendingId};
use crate::sqlite::sms;
use crate::store::Store;
use crate::{Caps, Result, Timestamp};

/// A message that somebody writes to a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    /// Who wrote it.
    pub uid: Uid,
    /// The phone, as an address inside.
    pub peer: String,
    /// The `id` of the message.
    pub stanza: String,
    /// A receipt is asked for.
    pub receipt: bool,
}

/// A part of a message that came from a phone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmsPart {
    /// The message that it is of.
    pub whole: SmsWhole,
    /// Which part, from 1 to the total.
    pub number: u8,
    /// In what it is written, as the gateway numbers alphabets.
    pub alphabet: u8,
    /// What it says; at most [`crate::limits::SMS_PART_BYTES`].
    pub bytes: Vec<u8>,
    /// When it came.
    pub at: Timestamp,
}

/// What a carrier brings, as it is known when it is brought again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SmsSeen {
    /// Of who wrote, to whom, by which carrier, and what; at most [`crate::limits::SMS_NAME_BYTES`].
    pub name: String,
    /// The connection that it comes by.
    pub line: String,
    /// What it is to be called in the log if it is new; of the same length at most.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
}

/// What names a message that comes in parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SmsWhole {
    /// Who brought it.
    pub carrier: String,
    /// Who wrote it.
    pub phone: String,
    /// To which of our numbers.
    pub here: String,
    /// What the phone calls it; used again after a while.
    pub reference: u16,
    /// How many parts it has.
    pub total: u8,
}

impl Store {
    /// Puts a message to a phone, which waits in the outbox, into the queue of sendings; what the phone answers is for its sender
    /// from now on. [`crate::StoreError::Limit`]: the caps of such messages in a day are reached, or too many of the account wait;
    /// [`crate::StoreError::Conflict`]: the phone wants nothing from here.
    pub async fn queue_letter(
        &self,
        outbound: u64,
        letter: Letter,
        sending: NewSending,
        caps: Caps,
    ) -> Result<SendingId> {
        self.write(move |tx| sms::queue(tx, outbound, &letter, &sending, caps)).await
    }

    /// The message that a sending carries, if it carries one.
    pub async fn letter(&self, sending: SendingId) -> Result<Option<Letter>> {
        self.read(move |conn| sms::letter(conn, sending)).await
    }

    /// Who wrote to a phone last.
    pub async fn writer_to(&self, phone: &str) -> Result<Option<Uid>> {
        let phone = phone.to_owned();
        self.read(move |conn| sms::writer_to(conn, &phone)).await
    }

    /// A phone wants nothing more from here, or something again.
    pub async fn stop_phone(&self, phone: &str, stopped: bool, now: Timestamp) -> Result<()> {
        let phone = phone.to_owned();
        self.write(move |tx| sms::stop(tx, &phone, stopped, now)).await
    }

    /// Whether a phone wants nothing from here.
    pub async fn is_stopped(&self, phone: &str) -> Result<bool> {
        let phone = phone.to_owned();
        self.read(move |conn| sms::is_stopped(conn, &phone)).await
    }

    /// Notes a message that a carrier brings; what it is called in the log. That is what it was called before, if the same came by
    /// another connection within [`crate::limits::SMS_AGAIN_MS`]: then it is brought again. By the same connection it is said again.
    pub async fn see_sms(&self, seen: SmsSeen) -> Result<String> {
        self.write(move |tx| sms::see(tx, &seen)).await
    }

    /// Keeps a part that came so; all of them in their order when it was the last. One that is brought again, of a message that is
    /// whole and dropped by now, is not kept. [`crate::StoreError::Conflict`]: another part is in its place,
    /// of an older message that the phone called the same; [`crate::StoreError::Limit`]: too many parts of this phone, or of all, wait for others.
    pub async fn keep_sms_part(&self, part: SmsPart, seen: SmsSeen) -> Result<Option<Vec<SmsPart>>> {
        self.write(move |tx| sms::keep(tx, &part, &seen)).await
    }

    /// Messages of which parts came before this and others did not, at most [`crate::limits::BATCH`].
    pub async fn stale_sms(&self, before: Timestamp) -> Result<Vec<SmsWhole>> {
        self.read(move |conn| sms::stale(conn, before)).await
    }

    /// The parts of a message that are there, in their order.
    pub async fn sms_parts(&self, whole: SmsWhole) -> Result<Vec<SmsPart>> {
        self.read(move |conn| sms::parts(conn, &whole)).await
    }

    /// The parts of a message are not needed any more.
    pub async fn drop_sms_parts(&self, whole: SmsWhole) -> Result<()> {
        self.write(move |tx| sms::drop_parts(tx, &whole)).await
    }
}
