//! What can go wrong, in the words of the domain. The cause's detail goes to the log, never to a peer.

use thiserror::Error;

/// The result of a verb.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a verb failed. Nothing of a failed verb is kept; only after [`StoreError::Io`] can a crash bring it back, if the
/// disk had written what it failed to confirm.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The disk failed to read, write or sync.
    #[error("the disk failed")]
    Io,
    /// The file is damaged or is no store.
    #[error("the store is damaged")]
    Corrupt,
    /// Another process has the store open.
    #[error("the store is in use by another process")]
    Busy,
    /// What should be new is already there.
    #[error("it exists already")]
    Conflict,
    /// What is spoken of is not there.
    #[error("it does not exist")]
    NotFound,
    /// The invitation is unknown, expired or used up.
    #[error("the invitation is not valid")]
    InvalidInvite,
    /// A bound of [`crate::limits`] was reached; the text says which.
    #[error("too many {0}")]
    Limit(&'static str),
    /// An argument is outside of what the verb accepts; the text says which.
    #[error("invalid {0}")]
    Invalid(&'static str),
    /// The store was written by a newer version of this software.
    #[error("the store has schema {found}, this version knows {known}")]
    NewerSchema {
        /// The store's schema version.
        found: u32,
        /// The newest that this version knows.
        known: u32,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// A defect: the store did what it never should. The log has the detail.
    #[error("internal error")]
    Internal,
}

impl StoreError {
    /// Whether the medium is at fault, so that the whole batch fails and the same request may succeed later.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Full | Self::Io | Self::Corrupt | Self::Busy)
    }
}
