//! The one timeline: each account's log, of which offline delivery, the archive and live delivery are views.

use bytes::Bytes;
use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use smallvec::SmallVec;

use crate::sqlite::{Kind, page, sweep, timeline};
use crate::store::{Pending, Store};
use crate::{Result, Timestamp};

/// A stored body. Its number is never given again, and greater than those given before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId(pub u64);

/// Whether the log's owner received or sent the message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Direction {
    /// The peer sent it to the owner.
    In,
    /// The owner sent it to the peer.
    Out,
}

/// What an entry is for. The store itself reads [`Flags::ARCHIVE`], [`Flags::INSTANT`] and [`Flags::REACH`], sets [`Flags::RETRACTED`] and [`Flags::OWED`], turns
/// [`Flags::REQUEST`] into [`Flags::DELIVER`], and either into [`Flags::JUNK`] and back; all others mean what core lets them mean.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Flags(pub u32);

impl Flags {
    /// Goes to live sessions and waits for offline delivery.
    pub const DELIVER: Flags = Flags(1);
    /// Visible in the archive (XEP-0313).
    pub const ARCHIVE: Flags = Flags(2);
    /// Eligible for carbons (XEP-0280).
    pub const COPY: Flags = Flags(4);
    /// The body is encrypted end to end.
    pub const ENCRYPTED: Flags = Flags(8);
    /// The body was retracted; a tombstone stands in its place.
    pub const RETRACTED: Flags = Flags(16);
    /// `type='chat'`.
    pub const CHAT: Flags = Flags(32);
    /// `type='normal'`.
    pub const NORMAL: Flags = Flags(64);
    /// Sent to a full address whose session ended without it, and not taken by another yet.
    pub const OWED: Flags = Flags(128);
    /// Set aside: from a stranger, and delivered only when the owner has let it in.
    pub const REQUEST: Flags = Flags(256);
    /// What was said in a small group that the owner is a member of: for the inbox, not for delivery. The group's own log
    /// has it too.
    pub const GROUP: Flags = Flags(512);
    /// An instant message (XEP-0430 §4): something that its reader would miss, and that is unread until it is read. Receipts,
    /// markers, reactions, corrections and the like are not.
    pub const INSTANT: Flags = Flags(1024);
    /// Came in: its reader is to be reached about it, so that a case is opened with it. Went out: it answers such cases.
    pub const REACH: Flags = Flags(2048);
    /// With [`Flags::REACH`]: it is important.
    pub const IMPORTANT: Flags = Flags(4096);
    /// With [`Flags::REACH`]: it is urgent.
    pub const URGENT: Flags = Flags(8192);
    /// Mail that nobody asked for: in no archive, and for no device, until its owner says otherwise.
    pub const JUNK: Flags = Flags(16384);

    /// Whether all of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One row of one account's log, with the body it points to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its place in the owner's log.
    pub useq: Useq,
    /// The body.
    pub message: MessageId,
    /// The other side of the conversation.
    pub peer: BareJid,
    /// The other side's resource, if the stanza named one.
    pub peer_resource: Option<Box<str>>,
    /// Which way it went.
    pub direction: Direction,
    /// The owner's own resource: the one addressed ([`Direction::In`]) or the one that sent it ([`Direction::Out`]).
    pub resource: Option<Box<str>>,
    /// When it was appended; never decreases along one log.
    pub at: Timestamp,
    /// What it is for.
    pub flags: Flags,
    /// Canonical XML in `jabber:client` with `from` and `to`, without our stanza-id. Empty or a tombstone if retracted.
    pub stanza: Bytes,
}

/// A body and the logs that it goes into, as one transaction.
#[derive(Clone, Debug)]
pub struct Append {
    /// See [`Entry::stanza`].
    pub stanza: Bytes,
    /// When the server took it. A log's row gets a later time if the log already has one.
    pub at: Timestamp,
    /// Flags of all pointers.
    pub flags: Flags,
    /// The logs; at most [`crate::limits::POINTERS`]. An account may occur twice (a message to oneself).
    pub pointers: SmallVec<[Pointer; 2]>,
    /// The sender's own name for the message, if it gave one.
    pub origin: Option<Origin>,
}

/// Where one log points to the appended body.
#[derive(Clone, Debug)]
pub struct Pointer {
    /// Whose log.
    pub uid: Uid,
    /// See [`Entry::peer`].
    pub peer: BareJid,
    /// See [`Entry::peer_resource`].
    pub peer_resource: Option<Box<str>>,
    /// See [`Entry::direction`].
    pub direction: Direction,
    /// See [`Entry::resource`].
    pub resource: Option<Box<str>>,
    /// Flags of this pointer, beside those of the [`Append`].
    pub flags: Flags,
}

/// The sender's own name for a message, by which it can be retracted, and recognised when it is sent again.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who sent it.
    pub sender: Uid,
    /// The other side of the conversation.
    pub peer: BareJid,
    /// The origin-id (XEP-0359), or else the stanza's `id`.
    pub id: Box<str>,
    /// Whether a message of the same name within [`crate::limits::DEDUP_WINDOW_MS`] is the same message: true for an
    /// origin-id.
    pub dedup: bool,
}

/// What became of an [`Append`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Appended {
    /// Stored; the new positions in the order of the pointers.
    Stored(SmallVec<[Useq; 2]>),
    /// The sender had sent it before, and it is stored already.
    Duplicate,
}

/// The ends of an account's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// The last position given.
    pub head: Useq,
    /// All up to here was swept away.
    pub floor: Useq,
    /// All up to here has reached a client.
    pub delivered: Useq,
}

/// A query of the archive (XEP-0313) and the window of its result (XEP-0059). Conditions are combined.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    /// Only with this peer.
    pub with: Option<BareJid>,
    /// Only with this resource of `with`.
    pub with_resource: Option<Box<str>>,
    /// Only from this time on.
    pub start: Option<Timestamp>,
    /// Only up to this time, inclusive.
    pub end: Option<Timestamp>,
    /// Only after this entry (the form field `after-id`).
    pub after_id: Option<Useq>,
    /// Only before this entry (the form field `before-id`).
    pub before_id: Option<Useq>,
    /// Only these entries (the form field `ids`), at most [`crate::limits::PAGE`]; empty: all.
    pub ids: Vec<Useq>,
    /// Also what was said in groups ([`Flags::GROUP`]).
    pub groups: bool,
    /// Only what has these words (XEP-0431): all of them; what stands in quotes as it stands there. At most
    /// [`crate::limits::TYPED_BYTES`]. Of what is found so, more than [`crate::limits::SEARCH_SCAN`] is not counted.
    pub text: Option<Box<str>>,
    /// Which part of the result.
    pub window: Window,
    /// The most entries wanted; at most [`crate::limits::PAGE`] are given.
    pub max: usize,
}

/// The part of a query's result that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Window<Id = Useq> {
    /// From the beginning.
    #[default]
    First,
    /// What follows this entry.
    After(Id),
    /// The end of what precedes this entry.
    Before(Id),
    /// The end.
    Last,
    /// From this index on. Its cost is linear in the index.
    Index(u64),
}

/// A part of the archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// In ascending order.
    pub entries: Vec<Entry>,
    /// Whether nothing is left in the direction of paging.
    pub complete: bool,
    /// The first entry's index in the whole result; `None` above [`crate::limits::COUNT`].
    pub first_index: Option<u64>,
    /// How many the whole result has; `None` above [`crate::limits::COUNT`].
    pub count: Option<u64>,
}

/// The archive's ends (XEP-0313 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArchiveBounds {
    /// The oldest entry.
    pub first: (Useq, Timestamp),
    /// The newest entry.
    pub last: (Useq, Timestamp),
}

/// What a part of an archive takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArchiveSize {
    /// Entries.
    pub entries: u64,
    /// Bytes of their stanzas; a body that stands in other logs too counts whole.
    pub bytes: u64,
    /// Where to go on; `None` at the end of the log.
    pub next: Option<Useq>,
}

/// How long entries are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The server's days; `None`: forever. An account may choose fewer, and a group's owner for its log.
    pub days: Option<u32>,
    /// The days of the logs of groups, if they are fewer.
    pub group_days: Option<u32>,
}

/// What one slice of the sweeper did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Log rows removed.
    pub entries: u64,
    /// Bodies removed with their last pointer.
    pub bodies: u64,
    /// Where to go on; `None` at the end of the round.
    pub next: Option<SweepCursor>,
}

/// Where the sweeper goes on. The default is the beginning of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SweepCursor(pub(crate) SweepPart);

/// The parts of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum SweepPart {
    /// Logs of deleted accounts.
    #[default]
    Deleted,
    /// What is older than the server keeps.
    Age,
    /// What is older than an account or a group keeps; those after this one.
    Chosen { after: Uid },
    /// What is older than any group keeps; groups after this one.
    Groups { after: Uid },
    /// Delivered entries that are not for the archive; after this position.
    Passing { uid: i64, useq: i64 },
}

impl Store {
    /// Appends a body and its pointers. Resolves when the writer has room; the [`Pending`] when it is committed, so
    /// that a session can have several under way in order.
    pub async fn append(&self, append: Append) -> Result<Pending<Appended>> {
        self.enqueue(Kind::Checked, move |tx| timeline::append(tx, append)).await
    }

    /// The entries after `after`, ascending, at most `limit`; positions that were swept or dropped are jumped over.
    pub async fn events_after(&self, uid: Uid, after: Useq, limit: usize) -> Result<Vec<Entry>> {
        self.read(move |conn| timeline::events_after(conn, uid, after, limit)).await
    }

    /// Whom the archive has messages with, in the order of their addresses: those after `after`, at most `limit`.
    pub async fn peers(&self, uid: Uid, after: Option<BareJid>, limit: usize) -> Result<Vec<BareJid>> {
        self.read(move |conn| page::peers(conn, uid, after.as_ref(), limit)).await
    }

    /// The archive's entries with one peer after `after`, ascending, at most `limit` and about
    /// [`crate::limits::PAGE_BYTES`].
    pub async fn events_with(
        &self,
        uid: Uid,
        peer: &BareJid,
        after: Useq,
        limit: usize,
    ) -> Result<Vec<Entry>> {
        let peer = peer.clone();
        self.read(move |conn| page::events_with(conn, uid, &peer, after, limit)).await
    }

    /// The ends of the log; of an account without a log all are 0.
    pub async fn head(&self, uid: Uid) -> Result<Head> {
        self.look_up(move |conn| timeline::head(conn, uid)).await
    }

    /// A page of the archive. `None`: an id in the query is not in the archive (`item-not-found`).
    pub async fn page(&self, uid: Uid, query: PageQuery) -> Result<Option<Page>> {
        match query.text.clone() {
            Some(text) => self.found(uid, query, &text).await,
            None => self.read(move |conn| page::page(conn, uid, &query)).await,
        }
    }

    /// Whether there is a message to or from this peer in the archive.
    pub async fn has_messages_with(&self, uid: Uid, peer: BareJid) -> Result<bool> {
        self.read(move |conn| page::has_messages_with(conn, uid, &peer)).await
    }

    /// The archive's first and last entry; `None` if it is empty.
    pub async fn archive_bounds(&self, uid: Uid) -> Result<Option<ArchiveBounds>> {
        self.read(move |conn| page::archive_bounds(conn, uid)).await
    }

    /// Replaces the body that its sender named so by a tombstone, in all logs; of several, the latest. False if there is
    /// none. The message that retracts is appended after this: if it is lost in between, its sender sends it again.
    pub async fn retract(&self, origin: Origin, tombstone: Bytes) -> Result<bool> {
        self.write(move |tx| timeline::retract(tx, &origin, &tombstone)).await
    }

    /// Replaces a body by a tombstone, in all logs, if it still is what it was when it was seen. An id may be given again
    /// when its body is gone: what is the same to the byte is the same message.
    pub async fn withdraw(&self, message: MessageId, stanza: Bytes, tombstone: Bytes) -> Result<bool> {
        self.write(move |tx| timeline::withdraw(tx, message, &stanza, &tombstone)).await
    }

    /// Removes entries from one log; a body goes with its last pointer. Returns how many there were.
    pub async fn drop_pointers(&self, uid: Uid, useqs: Vec<Useq>) -> Result<usize> {
        self.write(move |tx| timeline::drop_pointers(tx, uid, &useqs)).await
    }

    /// The size of a part of the archive: what comes after `after`, at most [`crate::limits::SIZE_SLICE`] rows.
    pub async fn archive_size(&self, uid: Uid, after: Useq) -> Result<ArchiveSize> {
        self.read(move |conn| page::archive_size(conn, uid, after)).await
    }

    /// How many entries a log has, counted up to `most`.
    pub async fn log_length(&self, uid: Uid, most: u64) -> Result<u64> {
        self.read(move |conn| page::log_length(conn, uid, most)).await
    }

    /// Removes from one log what is in its archive, with this peer only and before this time only if they are given; a
    /// body goes with its last pointer. A slice of [`crate::limits::SWEEP`] entries at most: how many there were, and 0
    /// when there are no more.
    pub async fn purge(&self, uid: Uid, with: Option<BareJid>, before: Option<Timestamp>) -> Result<u64> {
        self.write(move |tx| sweep::purge(tx, uid, with.as_ref(), before)).await
    }

    /// One bounded slice of sweeping: removes what is older than policy and account allow, what deleted accounts left,
    /// and delivered entries that are not for the archive. A round begins with the default cursor and goes on with each
    /// [`Swept::next`].
    pub async fn sweep(&self, now: Timestamp, policy: Policy, from: SweepCursor) -> Result<Swept> {
        self.write(move |tx| sweep::sweep(tx, now, policy, from)).await
    }
}
