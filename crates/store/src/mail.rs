//! What mail says of messages in the timeline (its names, its threads, the whole of it as an upload), and the queue of mails on
//! their way out.

use bytes::Bytes;
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::sqlite::{Kind, Tx, mail};
use crate::store::{Pending, Store};
use crate::timeline::{Append, Appended, MessageId};
use crate::{FileToken, FolderId, NewFiled, Result, Timestamp};

/// What a mail says of itself, beside the body in the timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Whose it is: who received or sent it.
    pub uid: Uid,
    /// The correspondent's address inside.
    pub peer: BareJid,
    /// Its Message-ID (RFC 5322 §3.6.4), without angle brackets, at most [`crate::limits::MAIL_NAME_BYTES`].
    pub name: String,
    /// Its References: Message-IDs with spaces between them, at most [`crate::limits::MAIL_REFS_BYTES`].
    pub refs: String,
    /// The thread that it belongs to.
    pub thread: String,
    /// Its subject, at most [`crate::limits::MAIL_NAME_BYTES`].
    pub subject: String,
    /// The `id` of the message.
    pub stanza: String,
    /// The upload with the whole mail; `None`: it is made of the message.
    pub raw: Option<FileToken>,
    /// Its owner has sent it.
    pub sent: bool,
}

/// A mail for the queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewQueued {
    /// Whose it is; 0: the server's own.
    pub uid: Uid,
    /// The correspondent's address inside.
    pub peer: String,
    /// The `id` of the message that it was; empty: there was none.
    pub stanza: String,
    /// The reverse path (RFC 5321 §4.4); empty: none.
    pub sender: String,
    /// The recipient's address.
    pub recipient: String,
    /// The recipient's domain, in lower case.
    pub domain: String,
    /// Since when it is on its way.
    pub at: Timestamp,
    /// What reports call it (RFC 3461 §4.4), unguessable.
    pub envelope: String,
    /// Whether its sender wants to hear when it is delivered.
    pub receipt: bool,
    /// Whether a mail program handed it in, which reads no conversation.
    pub program: bool,
    /// The mail as it goes out.
    pub data: Bytes,
}

/// A mail on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queued {
    /// Names it.
    pub id: u64,
    /// The mail.
    pub mail: NewQueued,
    /// Not before.
    pub next: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last attempt met; empty: there was none.
    pub trouble: String,
    /// Whether its sender was told that it is late.
    pub told: bool,
}

impl Store {
    /// [`Store::append`] of a mail that has come, and what it says of itself; the first pointer is the recipient's. Uploads of the
    /// recipient that the body names go with it.
    pub async fn append_mail(&self, append: Append, mail: Mail) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Checked, move |tx| mail::append(tx, append, &mail)).await
    }

    /// The mail of this Message-ID that an account has received or sent; of several, the latest.
    pub async fn mail_named(&self, uid: Uid, name: &str) -> Result<Option<Mail>> {
        let name = name.to_owned();
        self.read(move |conn| mail::named(conn, uid, &name)).await
    }

    /// The latest mail of an account with this correspondent, in this thread only if one is given.
    pub async fn latest_mail(&self, uid: Uid, peer: BareJid, thread: Option<String>) -> Result<Option<Mail>> {
        self.read(move |conn| mail::latest(conn, uid, &peer, thread.as_deref())).await
    }

    /// A message became a mail: it is in the queue, and out of the gateway's outbox (`outbound`), with what it says of itself
    /// as long as `message` is there. [`crate::StoreError::Limit`]: too many of the account wait.
    pub async fn queue_mail(
        &self,
        outbound: u64,
        message: MessageId,
        mail: Mail,
        new: NewQueued,
    ) -> Result<()> {
        self.write(move |tx| mail::queue(tx, outbound, message, &mail, &new)).await
    }

    /// [`Store::append`] of a mail that a program of its sender's has handed in, with what it says of itself, and into the queue with
    /// it, once for each recipient, as one transaction; the first pointer is the sender's. A duplicate is in the queue already.
    /// [`crate::StoreError::Limit`]: too many of the account wait.
    pub async fn submit_mail(
        &self,
        append: Append,
        mail: Mail,
        new: Vec<NewQueued>,
    ) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Checked, move |tx| mail::submit(tx, append, &mail, &new)).await
    }

    /// The domains that mails go to, with the time from which the first of each is due, the earliest first; at most `limit`, which is
    /// at most [`crate::limits::MAIL_PAGE`].
    pub async fn mail_domains(&self, limit: usize) -> Result<Vec<(String, Timestamp)>> {
        self.read(move |conn| mail::domains(conn, limit)).await
    }

    /// The mail to a domain that is due for longest.
    pub async fn mail_due(&self, domain: &str, now: Timestamp) -> Result<Option<Queued>> {
        let domain = domain.to_owned();
        self.read(move |conn| mail::due(conn, &domain, now)).await
    }

    /// Whether this account has ever sent a mail that is still in its timeline.
    pub async fn has_sent_mail(&self, uid: Uid) -> Result<bool> {
        self.read(move |conn| mail::has_sent(conn, uid)).await
    }

    /// The mail of this Message-ID that an account has sent, where it stands in this folder: the folder's UIDVALIDITY, and its UID.
    pub async fn sent_mail_in(&self, uid: Uid, folder: FolderId, name: &str) -> Result<Option<(u32, u32)>> {
        let name = name.to_owned();
        self.read(move |conn| mail::sent_in(conn, uid, folder, &name)).await
    }

    /// The queue after this number, at most [`crate::limits::MAIL_PAGE`]; without the mails themselves.
    pub async fn mail_queue(&self, after: u64) -> Result<Vec<Queued>> {
        self.read(move |conn| mail::list(conn, after)).await
    }

    /// A mail was not taken yet: it is tried again, not before `next`. `trouble` is kept up to
    /// [`crate::limits::MAIL_NAME_BYTES`].
    pub async fn defer_mail(&self, id: u64, next: Timestamp, trouble: &str) -> Result<()> {
        let trouble = trouble.to_owned();
        self.write(move |tx| mail::defer(tx, id, next, &trouble)).await
    }

    /// [`Store::defer_mail`], and its sender is told so by `append`, as one transaction. Once only: the second time nothing is
    /// appended. `report`: see [`Store::fail_mail`].
    pub async fn delay_mail(
        &self,
        id: u64,
        next: Timestamp,
        trouble: &str,
        append: Append,
        report: Option<NewFiled>,
    ) -> Result<Pending<Appended>> {
        let trouble = trouble.to_owned();
        let work = move |tx: &mut Tx<'_>| mail::delay(tx, id, next, &trouble, append, report.as_ref());
        self.enqueue(Kind::Guarded, work).await
    }

    /// This mail is due, or all are; how many that were.
    pub async fn hurry_mail(&self, id: Option<u64>, now: Timestamp) -> Result<u64> {
        self.write(move |tx| mail::hurry(tx, id, now)).await
    }

    /// A mail is out of the queue; false if it was not in it.
    pub async fn unqueue_mail(&self, id: u64) -> Result<bool> {
        self.write(move |tx| mail::unqueue(tx, id)).await
    }

    /// A mail is out of the queue because it failed, and its failure is in its sender's log, as one transaction; and `report` in its
    /// sender's inbox, where there are folders of mail.
    pub async fn fail_mail(
        &self,
        id: u64,
        append: Append,
        report: Option<NewFiled>,
    ) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Guarded, move |tx| mail::fail(tx, id, append, report.as_ref())).await
    }
}
