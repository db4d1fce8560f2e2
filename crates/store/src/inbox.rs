//! The inbox (XEP-0430): the conversations of an account, and how far it has read in each.
//!
//! Both are views of the log. Only what the log does not say is kept beside it: a place in a conversation up to which its
//! owner said to have read. One's own messages are such places too, and are found where they are.
//!
//! What is said in a small private group stands in its members' own logs. Any other group is read in the log of its own.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};

use crate::sqlite::{Kind, inbox, timeline};
use crate::store::{Pending, Store};
use crate::timeline::{Append, Appended, Entry, Window};
use crate::{Result, Timestamp};

/// That an account has read one conversation up to a place (XEP-0333, XEP-0490).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Displayed {
    /// Whose inbox.
    pub uid: Uid,
    /// The conversation.
    pub peer: BareJid,
    /// How far. What is not in the conversation changes nothing.
    pub upto: Upto,
}

/// A place in a conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Upto {
    /// This entry of the account's own log.
    Entry(Useq),
    /// The entry whose body stands in another log at this position: a group's. It is read there as well.
    Shared(Uid, Useq),
    /// All that was said in this group until now, if nothing is known yet of how far it was read.
    Begun(Uid),
    /// The entry that its sender named so, when it wrote to `to`. Only the conversation's newest
    /// [`crate::limits::DISPLAYED_SCAN`] entries are looked at.
    Named {
        /// The address that it was sent to.
        to: BareJid,
        /// See [`crate::Origin::id`].
        id: Box<str>,
    },
}

/// A query of the inbox and the window of its result (XEP-0059), whose order is that of activity, the latest first.
#[derive(Clone, Debug)]
pub struct InboxQuery {
    /// The account's own address: in the conversation with oneself nothing is unread.
    pub own: BareJid,
    /// Only conversations with something unread.
    pub unread_only: bool,
    /// Whether the latest messages are wanted.
    pub messages: bool,
    /// The groups that the account may read; at most [`crate::limits::INBOX_GROUPS`].
    pub groups: Vec<InboxGroup>,
    /// Which part; places are those of [`Conversation::active`].
    pub window: Window<Place>,
    /// The most conversations wanted; at most [`crate::limits::PAGE`] are given.
    pub max: usize,
}

/// A group that may stand in an inbox: it does if something was said in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InboxGroup {
    /// Its number.
    pub uid: Uid,
    /// Its address.
    pub address: BareJid,
    /// Whether it is for members only. While it has no more than [`crate::limits::SMALL_GROUP`] of them, it is read in the
    /// account's own log.
    pub private: bool,
}

/// Where something stands in the order of activity of all conversations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// When.
    pub at: Timestamp,
    /// In which log: the account's own, or a group's.
    pub log: Uid,
    /// At which position there.
    pub useq: Useq,
}

/// One conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversation {
    /// With whom: a person or a group.
    pub peer: BareJid,
    /// Its last entry in the archive, which is the log that `active` names.
    pub last: Useq,
    /// Its latest instant message, or its last entry if none is near.
    pub active: Place,
    /// Instant messages that are not read; no more than [`crate::limits::UNREAD`] are counted.
    pub unread: u64,
    /// The latest instant message, if it is wanted and was not retracted.
    pub message: Option<Entry>,
}

/// A part of an inbox.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inbox {
    /// The latest first.
    pub conversations: Vec<Conversation>,
    /// The first one's index among all that the query selects.
    pub first_index: u64,
    /// How many the query selects.
    pub count: u64,
    /// All conversations.
    pub total: u64,
    /// Those with something unread.
    pub unread: u64,
    /// Unread messages of all conversations, as far as they are counted.
    pub all_unread: u64,
}

impl Store {
    /// A part of the inbox: what is archived, but for what was set aside. At most [`crate::limits::CONVERSATIONS`]
    /// conversations are looked at, and entries as [`crate::limits::INBOX_SCAN`] says.
    pub async fn inbox(&self, uid: Uid, query: InboxQuery) -> Result<Inbox> {
        self.read(move |conn| inbox::inbox(conn, uid, &query)).await
    }

    /// How far conversations were read, as far as clients said so: not where only one's own messages tell it.
    pub async fn displayed(&self, uid: Uid) -> Result<Vec<(BareJid, Useq)>> {
        self.read(move |conn| inbox::said_to_be_read(conn, uid)).await
    }

    /// Notes how far a conversation was read; never lowers.
    pub async fn set_displayed(&self, displayed: Displayed) -> Result<()> {
        self.write(move |tx| inbox::displayed(tx, &displayed).map(drop)).await
    }

    /// [`Store::append`], and in the same transaction what its sender says to have read.
    pub async fn append_displayed(&self, append: Append, displayed: Displayed) -> Result<Pending<Appended>> {
        let work = move |tx: &mut crate::sqlite::Tx<'_>| {
            let appended = timeline::append(tx, append)?;
            inbox::displayed(tx, &displayed)?;
            Ok(appended)
        };
        self.enqueue(Kind::Checked, work).await
    }
}
