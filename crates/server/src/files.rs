//! Uploaded files: bytes as they come, in their place, and away again. What there is, and to whom it belongs, the store knows;
//! HTTP is in `http/upload`.
//!
//! Bytes come into a file of their own (`incoming`), and are moved to their place by their hash when they are whole and
//! synced. The store notes them before they are put there and counts on them after, so that whatever stops in between leaves
//! nothing that nobody knows of.

mod disk;
mod incoming;
mod turns;

pub use disk::Disk;
pub use incoming::Incoming;
pub use turns::Turn;

use rookery_core::{Core, xep::upload};
use rookery_store::{Blob, FileHash, FileToken, StoreError, Upload};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::RwLock;
use turns::Turns;

/// How often what has had its time is looked for, and the pause after a slice when there is more.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const BETWEEN_SLICES: Duration = Duration::from_millis(100);

/// Why a file could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The disk, or the storage.
    #[error("the file storage failed: {0}")]
    Storage(#[from] io::Error),
    /// The store.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
}

/// The files of one server.
pub struct Files {
    core: Arc<Core>,
    storage: Disk,
    /// Where bytes arrive.
    incoming: PathBuf,
    turns: Turns,
    /// Shared while bytes are put in their place and counted on; alone, while bytes that nobody needs are erased.
    placing: RwLock<()>,
}

impl Files {
    /// The files in the data directory. Uploads that were under way when the server ended begin anew: after a power cut
    /// nobody knows what of their bytes is on the disk.
    pub fn open(core: Arc<Core>, data: &Path) -> io::Result<Arc<Files>> {
        let root = data.join("files");
        let incoming = root.join("incoming");
        match std::fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        disk::make_folder(&incoming)?;
        let storage = Disk::new(root);
        Ok(Arc::new(Files { core, storage, incoming, turns: Turns::default(), placing: RwLock::default() }))
    }

    /// What may be uploaded.
    pub fn policy(&self) -> Option<&upload::Files> {
        self.core.policy.files.as_ref()
    }

    /// The upload of this name, if there is one whose time has not run out.
    pub async fn upload(&self, token: FileToken) -> Result<Option<Upload>, StoreError> {
        let now = self.core.env.now();
        Ok(self.core.store.upload(token).await?.filter(|upload| upload.due.is_none_or(|due| now < due)))
    }

    /// Waits for the end of other attempts at this upload, which are told to give up.
    pub async fn turn(&self, token: FileToken) -> Turn<'_> {
        self.turns.take(token).await
    }

    /// Whether `key` opens the upload.
    pub fn opens(&self, token: FileToken, key: &str) -> bool {
        use subtle::ConstantTimeEq;
        upload::key(&self.core.secret, token).as_bytes().ct_eq(key.as_bytes()).into()
    }

    /// How many bytes of an upload that is not finished are here.
    pub async fn arrived(&self, token: FileToken) -> u64 {
        tokio::fs::metadata(self.arriving(token)).await.map_or(0, |metadata| metadata.len())
    }

    /// Goes on with an upload after its first `from` bytes; `None` if so many are not here.
    pub async fn receive(&self, token: FileToken, from: u64) -> io::Result<Option<Incoming>> {
        let path = self.arriving(token);
        blocking(move || Incoming::open(&path, from)).await
    }

    fn arriving(&self, token: FileToken) -> PathBuf {
        self.incoming.join(token.as_str())
    }

    /// The bytes are whole: they are synced, put in their place and counted on. This goes on whether or not who sent them
    /// still waits.
    pub async fn keep(self: &Arc<Files>, upload: Upload, incoming: Incoming) -> Result<(), Trouble> {
        let files = self.clone();
        let kept = tokio::spawn(async move { files.place(upload, incoming).await });
        kept.await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
    }

    async fn place(&self, upload: Upload, incoming: Incoming) -> Result<(), Trouble> {
        let hash = blocking(move || incoming.finish()).await?;
        let _placing = self.placing.read().await;
        self.core.store.expect_blob(hash, upload.size).await?;
        self.storage.place(self.arriving(upload.token), hash).await?;
        let due = self.policy().and_then(|policy| policy.due(upload.purpose, self.core.env.now()));
        self.core.store.finish_upload(upload.token, Blob { hash, dimensions: None }, due).await?;
        Ok(())
    }

    /// The bytes of this hash.
    pub async fn read(&self, hash: FileHash) -> io::Result<std::fs::File> {
        self.storage.open(hash).await
    }

    /// Removes what has had its time, and erases bytes that nobody needs. Runs for as long as it is polled.
    pub async fn tend(self: Arc<Files>) {
        loop {
            let more = match self.sweep().await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "old files could not be removed");
                    false
                }
            };
            tokio::time::sleep(if more { BETWEEN_SLICES } else { SWEEP_EVERY }).await;
        }
    }

    /// One slice of that; whether there may be more.
    pub async fn sweep(&self) -> Result<bool, Trouble> {
        let expired = self.core.store.expire_uploads(self.core.env.now()).await?;
        for token in &expired {
            // Only those that never were finished have left something.
            tokio::fs::remove_file(self.arriving(*token)).await.ok();
        }
        let unused = self.core.store.unused_blobs().await?;
        let mut erased = 0u32;
        for hash in &unused {
            let _alone = self.placing.write().await;
            // Asked again, now that nobody counts on it meanwhile.
            if self.core.store.blob_is_unused(*hash).await? {
                self.storage.erase(*hash).await?;
                self.core.store.forget_blob(*hash).await?;
                erased += 1;
            }
        }
        if !expired.is_empty() || erased > 0 {
            tracing::info!(uploads = expired.len(), erased, "files removed");
        }
        let slice = rookery_store::limits::SWEEP_FILES;
        Ok(expired.len() == slice || unused.len() == slice)
    }
}

/// Work with files, beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
