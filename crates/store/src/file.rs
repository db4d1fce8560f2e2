//! Uploaded files: what has an address ([`Upload`]), the bytes behind it by their hash, and which bodies of the timeline name
//! it. The bytes themselves are elsewhere.
//!
//! The bytes are written between two transactions: [`Store::expect_blob`] notes that they come, [`Store::finish_upload`] that
//! they are there. What is noted and used by nobody is erased ([`Store::unused_blobs`]), whatever happened in between.

use std::fmt;

use memchr::memmem;
use rookery_proto::Uid;
use smallvec::SmallVec;

use crate::sqlite::files;
use crate::store::Store;
use crate::{Result, Timestamp, limits};

/// What stands before an upload's token in its address. A body that contains both names the upload.
pub const UPLOAD_MARK: &str = "/upload/";

/// Names an upload: 128 bits in lower-case base32, which nobody guesses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FileToken([u8; FileToken::LEN]);

impl FileToken {
    /// Characters of a token.
    pub const LEN: usize = 26;

    /// Reads a token; `None` if it is none.
    pub fn new(text: &[u8]) -> Option<FileToken> {
        let token: [u8; FileToken::LEN] = text.try_into().ok()?;
        token.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')).then_some(FileToken(token))
    }

    /// The token as it stands in an address.
    pub fn as_str(&self) -> &str {
        // Letters and digits only, as `new` has checked.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for FileToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The uploads that a body names, at most [`limits::FILES_NAMED`].
pub fn named(stanza: &[u8]) -> SmallVec<[FileToken; 1]> {
    let mut named = SmallVec::new();
    for at in memmem::find_iter(stanza, UPLOAD_MARK) {
        let begin = at + UPLOAD_MARK.len();
        let token = stanza.get(begin..begin + FileToken::LEN).and_then(FileToken::new);
        if let Some(token) = token.filter(|token| !named.contains(token)) {
            named.push(token);
            if named.len() == limits::FILES_NAMED {
                break;
            }
        }
    }
    named
}

/// SHA-256 of a file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FileHash(pub [u8; 32]);

/// What a file is for (XEP-0363 §4), and so how long it stays.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum FilePurpose {
    /// It is named in messages, and goes with them.
    #[default]
    Message,
    /// It is shown in a profile, such as an avatar: it stays.
    Profile,
    /// It goes after a short while, whoever names it.
    Ephemeral,
    /// It stays.
    Permanent,
}

/// An upload that is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewUpload {
    /// Names it; new.
    pub token: FileToken,
    /// Who asks.
    pub uid: Uid,
    /// The file's name, at most [`crate::limits::FILE_NAME_BYTES`].
    pub name: String,
    /// Its media type, at most [`crate::limits::MEDIA_TYPE_BYTES`]; empty if it was not said.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it is for.
    pub purpose: FilePurpose,
    /// When it was asked for.
    pub at: Timestamp,
    /// Until when the bytes must be there.
    pub due: Timestamp,
}

/// How much may be stored, bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileQuota {
    /// Of one account for which nothing else was said ([`Store::set_file_quota`]); `None`: as much as there is room for.
    pub account: Option<u64>,
    /// Of all; `None`: as much as the disk takes.
    pub total: Option<u64>,
}

/// Whether there is room for an upload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// There is; its bytes count from now on.
    Given,
    /// Too many uploads of the account are open, the first until then.
    Busy(Timestamp),
    /// The account's quota does not allow it.
    Quota {
        /// Bytes that count now.
        used: u64,
        /// When some of them go by themselves, if any do.
        until: Option<Timestamp>,
    },
    /// All accounts together have stored what may be stored.
    Full,
}

/// An upload as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// Names it.
    pub token: FileToken,
    /// Whose it is.
    pub uid: Uid,
    /// The file's name.
    pub name: String,
    /// What its owner said that it is; empty if nothing.
    pub media_type: String,
    /// Bytes, as announced; those of `blob` are as many.
    pub size: u64,
    /// What it is for.
    pub purpose: FilePurpose,
    /// When it was asked for.
    pub at: Timestamp,
    /// When it goes; see the table.
    pub due: Option<Timestamp>,
    /// The bytes, once they are there.
    pub blob: Option<Blob>,
}

/// An upload as it is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedUpload {
    /// Its place in the list: of those that came before it, it is lower.
    pub number: u64,
    /// The upload.
    pub upload: Upload,
    /// How many messages name it.
    pub refs: u64,
}

/// Which uploads are listed; conditions are combined.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct UploadFilter {
    /// Only of this account.
    pub uid: Option<Uid>,
    /// Only those of so many bytes or more.
    pub at_least: u64,
    /// Only those whose media type begins so.
    pub media_type: Option<String>,
    /// Only those that were asked for before.
    pub before: Option<Timestamp>,
    /// Only those that no message names.
    pub unnamed: bool,
}

/// The bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blob {
    /// Their hash.
    pub hash: FileHash,
    /// Width and height of a picture in pixels, as it is shown.
    pub dimensions: Option<(u32, u32)>,
}

/// What files take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileUsage {
    /// How many.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Store {
    /// Takes room for an upload, if there is any.
    pub async fn open_upload(&self, new: NewUpload, quota: FileQuota) -> Result<Room> {
        self.write(move |tx| files::open(tx, &new, quota)).await
    }

    /// The upload of this name.
    pub async fn upload(&self, token: FileToken) -> Result<Option<Upload>> {
        self.read(move |conn| files::upload(conn, token)).await
    }

    /// Notes that bytes of this hash are about to be put in their place, so that they are found if nothing comes of it.
    pub async fn expect_blob(&self, hash: FileHash, size: u64) -> Result<()> {
        self.write(move |tx| files::expect(tx, hash, size)).await
    }

    /// The bytes of an upload are in their place: from now on it is a file. It goes at `due` if nothing has named it by
    /// then; `None`: never. [`crate::StoreError::NotFound`]: the upload is gone, or has bytes already;
    /// [`crate::StoreError::Invalid`]: the bytes were not expected.
    pub async fn finish_upload(&self, token: FileToken, blob: Blob, due: Option<Timestamp>) -> Result<()> {
        self.write(move |tx| files::finish(tx, token, blob, due)).await
    }

    /// Removes uploads whose time has come, at most [`crate::limits::SWEEP_FILES`]; which those were.
    pub async fn expire_uploads(&self, now: Timestamp) -> Result<Vec<FileToken>> {
        self.write(move |tx| files::expire(tx, now)).await
    }

    /// Removes an upload; false if there is none.
    pub async fn remove_upload(&self, token: FileToken) -> Result<bool> {
        self.write(move |tx| files::remove(tx, token)).await
    }

    /// Bytes that no upload needs, at most [`crate::limits::SWEEP_FILES`]. They may be expected at this moment: only who
    /// puts bytes in their place knows.
    pub async fn unused_blobs(&self) -> Result<Vec<FileHash>> {
        self.read(files::unused).await
    }

    /// Whether bytes are noted and no upload needs them.
    pub async fn blob_is_unused(&self, hash: FileHash) -> Result<bool> {
        self.read(move |conn| files::is_unused(conn, hash)).await
    }

    /// Bytes that no upload needs have been erased. False if one needs them after all.
    pub async fn forget_blob(&self, hash: FileHash) -> Result<bool> {
        self.write(move |tx| files::forget(tx, hash)).await
    }

    /// What the files of an account take, those that are open included.
    pub async fn file_usage(&self, uid: Uid) -> Result<FileUsage> {
        self.read(move |conn| files::usage(conn, uid)).await
    }

    /// What all bytes take that are stored or expected.
    pub async fn stored_files(&self) -> Result<FileUsage> {
        self.read(files::stored).await
    }

    /// What the files take of the accounts beyond `after` that have any, at most `limit`.
    pub async fn file_usages(&self, after: Uid, limit: usize) -> Result<Vec<(Uid, FileUsage)>> {
        self.read(move |conn| files::usages(conn, after, limit)).await
    }

    /// What the files take of the accounts that have most of them, at most [`crate::limits::LARGEST`].
    pub async fn largest_file_usages(&self) -> Result<Vec<(Uid, FileUsage)>> {
        self.read(files::largest).await
    }

    /// How many bytes an account may store, where that was said of it; otherwise it is what the [`FileQuota`] says.
    pub async fn file_quota(&self, uid: Uid) -> Result<Option<u64>> {
        self.read(move |conn| files::quota(conn, uid)).await
    }

    /// Says how many bytes an account may store; `None`: as many as all others. [`crate::StoreError::NotFound`]: there is no
    /// such account.
    pub async fn set_file_quota(&self, uid: Uid, bytes: Option<u64>) -> Result<()> {
        self.write(move |tx| files::set_quota(tx, uid, bytes)).await
    }

    /// Uploads, the newest first, at most [`crate::limits::FILES_PAGE`] of those before this number.
    pub async fn uploads(&self, filter: UploadFilter, before: Option<u64>) -> Result<Vec<ListedUpload>> {
        self.read(move |conn| files::uploads(conn, &filter, before)).await
    }
}
