//! Files that do not come over HTTP: the server itself keeps them for an account, in its quota, as if it had uploaded them.

use super::{Files, Trouble};
use rookery_core::limits;
use rookery_gateway::mail::{Deposited, NewFile, NotDeposited};
use rookery_store::{FilePurpose, FileToken, NewUpload, Room, StoreError, Timestamp};
use std::io;
use std::sync::Arc;

impl Files {
    /// Keeps a file that a message will name.
    pub async fn deposit(self: &Arc<Files>, new: NewFile) -> Result<Deposited, NotDeposited> {
        self.deposited(new).await.map_err(|trouble| match trouble {
            Trouble::Found(what) => NotDeposited::Found(what),
            Trouble::Store(StoreError::Full | StoreError::Limit(_)) => NotDeposited::NoRoom,
            Trouble::Storage(error) if error.kind() == io::ErrorKind::StorageFull => NotDeposited::NoRoom,
            other => {
                tracing::warn!(error = %other, "a file cannot be kept");
                NotDeposited::Trouble
            }
        })
    }

    /// `length` bytes of an upload after the first `from`; `None`: it is not there.
    pub async fn piece(&self, token: FileToken, from: u64, length: u64) -> io::Result<Option<Vec<u8>>> {
        let upload = self.upload(token).await.map_err(io::Error::other)?;
        let Some(blob) = upload.and_then(|upload| upload.blob) else { return Ok(None) };
        let body = self.read(blob.hash, from, length).await?;
        let bytes = axum::body::to_bytes(body, usize::try_from(length).unwrap_or(usize::MAX)).await;
        bytes.map(|bytes| Some(bytes.into())).map_err(io::Error::other)
    }

    async fn deposited(self: &Arc<Files>, new: NewFile) -> Result<Deposited, Trouble> {
        let NewFile { uid, name, media_type, data } = new;
        let policy = self.core.policy.files.as_ref().ok_or(StoreError::NotFound)?;
        let at = self.core.env.now();
        let token = FileToken::new(self.core.env.token().as_bytes()).ok_or(StoreError::Internal)?;
        let url = policy.address(token, &name);
        let (size, purpose, due) =
            (data.len() as u64, FilePurpose::Message, Timestamp(at.0 + limits::SLOT_MS));
        let slot = NewUpload { token, uid, name, media_type, size, purpose, at, due };
        if self.core.store.open_upload(slot, policy.quota).await? != Room::Given {
            return Err(StoreError::Limit("files").into());
        }
        let upload = self.core.store.upload(token).await?.ok_or(StoreError::NotFound)?;
        let turn = self.turn(token).await;
        let incoming = self.receive(token, 0, turn).await?;
        let incoming = incoming.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let incoming = incoming.write(data).await?;
        self.keep(upload, incoming).await?;
        Ok(Deposited { token, url })
    }
}
