//! Folders of mail, as mail programs see them by IMAP (RFC 9051): which mails are in which folder, under which UID, with which
//! flags. docs/decisions/0007 says how they stand to the timeline.
//!
//! An account has folders from its first [`Store::open_folders`] on. From then on each mail is filed in the transaction that
//! stores it, and leaves its folders in the transaction that removes its body.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};
use tokio::sync::watch;

use crate::sqlite::imap;
use crate::store::Store;
use crate::timeline::{Entry, MessageId};
use crate::{FileToken, Mail, Result, Timestamp, limits};

/// Names a folder.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FolderId(pub(crate) i64);

/// What a folder is for (RFC 6154 §2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum FolderRole {
    /// Whatever its owner wants.
    #[default]
    Own,
    /// What came in.
    Inbox,
    /// What went out.
    Sent,
    /// What is being written.
    Drafts,
    /// What nobody asked for.
    Junk,
    /// What is to go.
    Trash,
    /// What is done.
    Archive,
}

/// A folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Names it.
    pub id: FolderId,
    /// Its name, with `/` between levels; at most [`crate::limits::FOLDER_NAME_BYTES`].
    pub name: String,
    /// What it is for.
    pub role: FolderRole,
    /// UIDVALIDITY.
    pub validity: u32,
    /// UIDNEXT.
    pub next: u32,
    /// HIGHESTMODSEQ (RFC 7162 §3.1.2): rises with each change.
    pub modseq: u64,
    /// The modseq of the last removal.
    pub expunged: u64,
    /// Whether its owner wants to see it.
    pub subscribed: bool,
}

/// What is marked of a mail (RFC 9051 §2.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct MailFlags(pub u32);

impl MailFlags {
    /// It was read.
    pub const SEEN: MailFlags = MailFlags(1);
    /// It was answered.
    pub const ANSWERED: MailFlags = MailFlags(2);
    /// It is important.
    pub const FLAGGED: MailFlags = MailFlags(4);
    /// It is to go.
    pub const DELETED: MailFlags = MailFlags(8);
    /// It is not finished.
    pub const DRAFT: MailFlags = MailFlags(16);

    /// Whether all of `other` are set.
    pub fn has(self, other: MailFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl std::ops::BitOr for MailFlags {
    type Output = MailFlags;
    fn bitor(self, other: MailFlags) -> MailFlags {
        MailFlags(self.0 | other.0)
    }
}

/// A mail in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filed {
    /// Its UID.
    pub n: u32,
    /// Its message in the timeline; `None`: a mail program put it here.
    pub message: Option<MessageId>,
    /// The upload with the whole mail; `None`: it is made of the message.
    pub raw: Option<FileToken>,
    /// Bytes of that upload.
    pub size: u64,
    /// When it came.
    pub at: Timestamp,
    /// Rises with each change of it.
    pub modseq: u64,
    /// What is marked.
    pub flags: MailFlags,
    /// Its keywords, with spaces between them.
    pub keywords: String,
}

/// What is in a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FolderCounts {
    /// Mails.
    pub mails: u64,
    /// Those without [`MailFlags::SEEN`].
    pub unseen: u64,
    /// Those with [`MailFlags::DELETED`].
    pub deleted: u64,
    /// Bytes of uploads.
    pub size: u64,
}

/// How flags change (RFC 9051 §6.4.6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlagsHow {
    /// They are what is said.
    Replace,
    /// What is said comes to them.
    Add,
    /// What is said goes from them.
    Remove,
}

/// A change of flags.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlagsChange {
    /// How.
    pub how: FlagsHow,
    /// Flags.
    pub flags: MailFlags,
    /// Keywords, each without spaces and at most [`crate::limits::KEYWORD_BYTES`]; those beyond [`crate::limits::KEYWORDS`] of
    /// one mail are not kept.
    pub keywords: Vec<String>,
    /// Only mails that were not changed since (RFC 7162 §3.1.3).
    pub unchanged_since: Option<u64>,
}

/// What a change of flags did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FlagsChanged {
    /// The mails as they are now, those that did not change too; not those that are gone.
    pub mails: Vec<Filed>,
    /// Those that were changed since, and stay as they are.
    pub modified: Vec<u32>,
    /// Conversations whose place up to which they were read moved, and to where.
    pub read: Vec<(BareJid, Useq)>,
}

/// A mail that a mail program puts into a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewFiled {
    /// The finished upload with the whole mail, of the folder's owner; it stays as long as the mail is in a folder.
    pub raw: FileToken,
    /// When it is said to have come.
    pub at: Timestamp,
    /// What is marked.
    pub flags: MailFlags,
    /// See [`FlagsChange::keywords`].
    pub keywords: Vec<String>,
}

/// Mails of a folder, and what they are called in another (RFC 4315 §3).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Copied {
    /// The other folder's UIDVALIDITY.
    pub validity: u32,
    /// The UIDs here and there, ascending.
    pub uids: Vec<(u32, u32)>,
    /// Some of them were junk and are none any more: devices are owed them ([`crate::Flags::OWED`]).
    pub released: bool,
}

impl Store {
    /// Makes the folders of an account that has none, and files a slice of its mails; true when all are filed. `now` in seconds
    /// is what a UIDVALIDITY is made of.
    pub async fn open_folders(&self, uid: Uid, now: Timestamp) -> Result<bool> {
        self.write(move |tx| imap::folders::open(tx, uid, now)).await
    }

    /// Rings when something in the folders of an account changes; several changes may ring once.
    pub fn folders_bell(&self, uid: Uid) -> watch::Receiver<()> {
        self.bells().listen(uid)
    }

    /// The folders of an account, by their names; the inbox is the first.
    pub async fn folders(&self, uid: Uid) -> Result<Vec<Folder>> {
        self.read(move |conn| imap::folders::list(conn, uid)).await
    }

    /// One of them.
    pub async fn folder(&self, uid: Uid, name: &str) -> Result<Option<Folder>> {
        let name = name.to_owned();
        self.read(move |conn| imap::folders::named(conn, uid, &name)).await
    }

    /// A folder as it is now; `None`: it is gone.
    pub async fn folder_now(&self, folder: FolderId) -> Result<Option<Folder>> {
        self.read(move |conn| imap::folders::get(conn, folder)).await
    }

    /// What is in a folder.
    pub async fn folder_counts(&self, folder: FolderId) -> Result<FolderCounts> {
        self.read(move |conn| imap::folders::counts(conn, folder)).await
    }

    /// Makes a folder, and those above it. [`crate::StoreError::Conflict`]: there is one; [`crate::StoreError::Limit`]: there are too
    /// many; [`crate::StoreError::Invalid`]: this is no name.
    pub async fn make_folder(&self, uid: Uid, name: &str, now: Timestamp) -> Result<()> {
        let name = name.to_owned();
        self.write(move |tx| imap::folders::make(tx, uid, &name, now)).await
    }

    /// Another name for a folder and those below it. [`crate::StoreError::NotFound`], [`crate::StoreError::Conflict`];
    /// [`crate::StoreError::Invalid`]: this is no name, or the folder has a role.
    pub async fn rename_folder(&self, uid: Uid, from: &str, to: &str, now: Timestamp) -> Result<()> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.write(move |tx| imap::folders::rename(tx, uid, &from, &to, now)).await
    }

    /// Removes a slice of a folder's mails, as [`Store::expunge`] does, and the folder with the last of them; true when it is gone.
    /// Errors as of [`Store::rename_folder`].
    pub async fn remove_folder(&self, uid: Uid, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.write(move |tx| imap::folders::remove(tx, uid, &name)).await
    }

    /// Whether its owner wants to see a folder; false if there is none.
    pub async fn subscribe_folder(&self, uid: Uid, name: &str, wanted: bool) -> Result<bool> {
        let name = name.to_owned();
        self.write(move |tx| imap::folders::subscribe(tx, uid, &name, wanted)).await
    }

    /// The UIDs of a folder after this one, ascending; at most [`crate::limits::FOLDER_MAILS`].
    pub async fn filed_uids(&self, folder: FolderId, after: u32) -> Result<Vec<u32>> {
        self.read(move |conn| imap::mails::uids(conn, folder, after, limits::FOLDER_MAILS)).await
    }

    /// The first mail of a folder that is not seen.
    pub async fn first_unseen(&self, folder: FolderId) -> Result<Option<u32>> {
        self.read(move |conn| imap::mails::first_unseen(conn, folder)).await
    }

    /// Mails of a folder by their UIDs, at most [`crate::limits::PAGE`]; those that are gone are not among them.
    pub async fn filed(&self, folder: FolderId, uids: Vec<u32>) -> Result<Vec<Filed>> {
        self.read(move |conn| imap::mails::by_uids(conn, folder, &uids)).await
    }

    /// Mails that changed after `modseq`, in the order of their changes, at most [`crate::limits::PAGE`].
    pub async fn filed_since(&self, folder: FolderId, modseq: u64) -> Result<Vec<Filed>> {
        self.read(move |conn| imap::mails::since(conn, folder, modseq)).await
    }

    /// What a mail that is made of its message is made of.
    pub async fn mail_of(&self, uid: Uid, message: MessageId) -> Result<Option<(Mail, Entry)>> {
        self.read(move |conn| imap::mails::source(conn, uid, message)).await
    }

    /// Changes flags of at most [`crate::limits::SWEEP`] mails. [`MailFlags::SEEN`] moves the place up to which its conversation was
    /// read ([`Store::set_displayed`]) as far as nothing before it is unread.
    pub async fn change_flags(
        &self,
        uid: Uid,
        folder: FolderId,
        uids: Vec<u32>,
        change: FlagsChange,
    ) -> Result<FlagsChanged> {
        self.write(move |tx| imap::flags::change(tx, uid, folder, &uids, &change)).await
    }

    /// Puts a mail into a folder; its UIDVALIDITY and the mail's UID. [`crate::StoreError::NotFound`]: there is no such folder or
    /// upload; [`crate::StoreError::Limit`]: there are too many mails in it.
    pub async fn file_mail(&self, uid: Uid, folder: FolderId, new: NewFiled) -> Result<(u32, u32)> {
        self.write(move |tx| imap::mails::put(tx, uid, folder, &new)).await
    }

    /// Copies at most [`crate::limits::SWEEP`] mails into another folder of the same account, or moves them there. Into the folder of
    /// junk and out of it that says of their senders what [`Store::judge_sender`] says, and of these mails. Errors as of
    /// [`Store::file_mail`].
    pub async fn copy_mails(
        &self,
        uid: Uid,
        from: FolderId,
        to: FolderId,
        uids: Vec<u32>,
        moving: bool,
    ) -> Result<Copied> {
        self.write(move |tx| imap::mails::copy(tx, uid, from, to, &uids, moving)).await
    }

    /// Removes at most [`crate::limits::SWEEP`] mails from a folder, if they are marked [`MailFlags::DELETED`]; which they were. With
    /// the last folder that it is in a mail leaves the timeline.
    pub async fn expunge(&self, uid: Uid, folder: FolderId, uids: Vec<u32>) -> Result<Vec<u32>> {
        self.write(move |tx| imap::mails::expunge(tx, uid, folder, &uids)).await
    }
}
