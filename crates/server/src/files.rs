//! Uploaded files: bytes as they come, in their place, and away again. What there is, and to whom it belongs, the store knows;
//! HTTP is in `http/upload`.
//!
//! Bytes come into a file of their own (`incoming`), and are moved to their place by their hash when they are whole and
//! synced. The store notes them before they are put there and counts on them after, so that whatever stops in between leaves
//! nothing that nobody knows of.

mod deposit;
mod disk;
mod incoming;
mod part;
mod s3;
mod scan;
mod storage;
pub(crate) mod thumbnail;
mod turns;
mod voice;

pub use incoming::Incoming;
pub use s3::Settings as S3Settings;
pub use scan::{Scanner, Verdict};
pub use storage::Storage;
pub use turns::Turn;

use axum::body::Body;
use data_encoding::HEXLOWER;
use metrics::{counter, describe_counter};
use rookery_core::{Core, xep::upload};
use rookery_store::{Blob, FileHash, FileToken, StoreError, Upload};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, Semaphore};
use turns::Turns;

/// How often what has had its time is looked for, and the pause after a slice when there is more.
const SWEEP_EVERY: Duration = Duration::from_secs(60);
const BETWEEN_SLICES: Duration = Duration::from_millis(100);

/// Small copies that are made at a time: each may take a hundred megabytes.
const THUMBNAILS: usize = 1;

/// Locks for bytes by the first byte of their hash: few enough to be always there, and so many that an erasure in a slow
/// store of objects hardly ever meets bytes that come.
const PLACES: usize = 256;

/// What the operator decided about files, beside their limits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// A bucket, in place of the data directory.
    pub bucket: Option<S3Settings>,
    /// Who looks at files before they are kept.
    pub scanner: Option<Scanner>,
}

/// Why a file could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The disk, or the storage.
    #[error("the file storage failed: {0}")]
    Storage(#[from] io::Error),
    /// The store.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
    /// The scanner does not answer as it should.
    #[error("the scanner failed: {0}")]
    Scanner(io::Error),
    /// The scanner has found something.
    #[error("the scanner has found {0}")]
    Found(String),
}

/// What is made of a file.
#[derive(Clone, Copy)]
enum Made {
    /// A small copy of a picture.
    Thumbnail,
    /// A recording in another container.
    Voice,
}

impl Made {
    /// What stands behind the hash in the name of what is made.
    fn suffix(self) -> &'static str {
        match self {
            Made::Thumbnail => "",
            Made::Voice => ".ogg",
        }
    }

    /// Makes it; `None` if it cannot be made of this file.
    fn of(self, file: std::fs::File) -> Option<Vec<u8>> {
        match self {
            Made::Thumbnail => thumbnail::thumbnail(BufReader::new(file)),
            Made::Voice => voice::rewritten(file),
        }
    }
}

/// The files of one server.
pub struct Files {
    core: Arc<Core>,
    storage: Arc<Storage>,
    scanner: Option<Scanner>,
    /// Where bytes arrive.
    incoming: PathBuf,
    /// Where what is made of files is kept, small copies above all, by the hash of what it is of.
    thumbnails: PathBuf,
    turns: Arc<Turns>,
    /// By the first byte of their hash. Shared while bytes are put in their place and counted on; alone, while bytes that nobody
    /// needs are erased.
    places: [RwLock<()>; PLACES],
    /// Turns to make a small copy.
    copying: Arc<Semaphore>,
}

impl Files {
    /// The files in the data directory. Uploads that were under way when the server ended begin anew: after a power cut
    /// nobody knows what of their bytes is on the disk.
    pub fn open(core: Arc<Core>, data: &Path, settings: Settings) -> io::Result<Arc<Files>> {
        describe_counter!("rookery_files_uploaded_total", "Files that were uploaded.");
        describe_counter!("rookery_files_uploaded_bytes_total", "Bytes of files that were uploaded.");
        describe_counter!("rookery_files_refused_total", "Files in which the scanner has found something.");
        let root = root(data);
        let (incoming, thumbnails) = (root.join("incoming"), root.join("thumbnails"));
        match std::fs::remove_dir_all(&incoming) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        disk::make_folder(&incoming)?;
        disk::make_folder(&thumbnails)?;
        let storage = Storage::at(data, settings.bucket.as_ref(), core.env.clone())?;
        Ok(Arc::new(Files {
            core,
            storage: Arc::new(storage),
            scanner: settings.scanner,
            incoming,
            thumbnails,
            turns: Arc::default(),
            places: std::array::from_fn(|_| RwLock::default()),
            copying: Arc::new(Semaphore::new(THUMBNAILS)),
        }))
    }

    /// Where the files are.
    pub fn storage(&self) -> Arc<Storage> {
        self.storage.clone()
    }

    /// The upload of this name, if there is one whose time has not run out.
    pub async fn upload(&self, token: FileToken) -> Result<Option<Upload>, StoreError> {
        let now = self.core.env.now();
        Ok(self.core.store.upload(token).await?.filter(|upload| upload.due.is_none_or(|due| now < due)))
    }

    /// Waits for the end of other attempts at this upload, which are told to give up.
    pub async fn turn(&self, token: FileToken) -> Turn {
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
    pub async fn receive(&self, token: FileToken, from: u64, turn: Turn) -> io::Result<Option<Incoming>> {
        let path = self.arriving(token);
        blocking(move || Incoming::open(&path, from, turn)).await
    }

    fn arriving(&self, token: FileToken) -> PathBuf {
        self.incoming.join(token.as_str())
    }

    /// The bytes are whole: they are looked at, synced, put in their place and counted on. This goes on whether or not who sent
    /// them still waits.
    pub async fn keep(self: &Arc<Files>, upload: Upload, incoming: Incoming) -> Result<(), Trouble> {
        let files = self.clone();
        let kept = tokio::spawn(async move { files.place(upload, incoming).await });
        kept.await.unwrap_or_else(|error| Err(io::Error::other(error).into()))
    }

    async fn place(&self, upload: Upload, incoming: Incoming) -> Result<(), Trouble> {
        let file = self.arriving(upload.token);
        let (hash, _turn) = blocking(move || incoming.finish()).await?;
        self.scan(&upload, &file).await?;
        let dimensions = self.measure(&upload, &file).await;
        let _placing = self.place_of(hash).read().await;
        self.core.store.expect_blob(hash, upload.size).await?;
        self.storage.place(file, hash, upload.size).await?;
        let due = self
            .core
            .policy
            .files
            .as_ref()
            .and_then(|policy| policy.due(upload.purpose, self.core.env.now()));
        self.core.store.finish_upload(upload.token, Blob { hash, dimensions }, due).await?;
        counter!("rookery_files_uploaded_total").increment(1);
        counter!("rookery_files_uploaded_bytes_total").increment(upload.size);
        Ok(())
    }

    /// Lets the scanner look. What it finds something in is gone at once, with its slot.
    async fn scan(&self, upload: &Upload, file: &Path) -> Result<(), Trouble> {
        let Some(scanner) = &self.scanner else { return Ok(()) };
        match scanner.scan(file).await.map_err(Trouble::Scanner)? {
            Verdict::Clean => Ok(()),
            Verdict::Found(what) => {
                counter!("rookery_files_refused_total").increment(1);
                tracing::warn!(uid = %upload.uid, what, "the scanner has found something in a file");
                tokio::fs::remove_file(file).await?;
                self.core.store.remove_upload(upload.token).await?;
                Err(Trouble::Found(what))
            }
        }
    }

    /// The size of a picture. A decoder that does not get along with a file is no reason to refuse it.
    async fn measure(&self, upload: &Upload, file: &Path) -> Option<(u32, u32)> {
        if !thumbnail::is_picture(&upload.media_type) {
            return None;
        }
        let file = file.to_owned();
        blocking(move || Ok(thumbnail::dimensions(BufReader::new(std::fs::File::open(file)?))))
            .await
            .ok()
            .flatten()
    }

    /// `length` bytes of a file after the first `from`.
    pub async fn read(&self, hash: FileHash, from: u64, length: u64) -> io::Result<Body> {
        self.storage.read(hash, from, length).await
    }

    /// A small copy of a picture, as JPEG; `None` if there can be none. It is made when it is asked for first, and to its end
    /// whether or not who asked still waits: a decoder does not stop half-way.
    pub async fn thumbnail(self: &Arc<Files>, blob: Blob, size: u64) -> io::Result<Option<Vec<u8>>> {
        match blob.dimensions {
            Some(_) => self.made(Made::Thumbnail, blob, size).await,
            None => Ok(None),
        }
    }

    /// A recording in Ogg; `None` if it is none. It is made and kept as small copies are.
    pub async fn voice(self: &Arc<Files>, upload: &Upload, blob: Blob) -> io::Result<Option<Vec<u8>>> {
        match voice::is_recording(&upload.media_type) && upload.size <= voice::LARGEST {
            true => self.made(Made::Voice, blob, upload.size).await,
            false => Ok(None),
        }
    }

    /// What is made of a file, now or when it was asked for first.
    async fn made(self: &Arc<Files>, what: Made, blob: Blob, size: u64) -> io::Result<Option<Vec<u8>>> {
        let path = self.path_of(what, blob.hash);
        if let Ok(kept) = tokio::fs::read(&path).await {
            return Ok(Some(kept).filter(|kept| !kept.is_empty()));
        }
        let turn = self.copying.clone().acquire_owned().await.map_err(io::Error::other)?;
        let files = self.clone();
        let made = tokio::spawn(async move {
            let made = files.make(what, blob.hash, size, path).await;
            drop(turn);
            made
        });
        made.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Where it is kept.
    fn path_of(&self, what: Made, hash: FileHash) -> PathBuf {
        self.thumbnails.join(HEXLOWER.encode(&hash.0) + what.suffix())
    }

    /// Makes it, unless it is there by now.
    async fn make(
        &self,
        what: Made,
        hash: FileHash,
        size: u64,
        path: PathBuf,
    ) -> io::Result<Option<Vec<u8>>> {
        // Nobody erases the picture meanwhile, so that no copy is left of what is gone.
        let _placing = self.place_of(hash).read().await;
        if let Ok(kept) = tokio::fs::read(&path).await {
            return Ok(Some(kept).filter(|kept| !kept.is_empty()));
        }
        if self.core.store.blob_is_unused(hash).await.map_err(io::Error::other)? {
            return Ok(None);
        }
        let copy = self.incoming.join("thumbnail");
        let file = self.storage.open(hash, size, copy).await?;
        let made = tokio::task::spawn_blocking(move || what.of(file)).await;
        // That there is none is kept, too: as an empty file.
        let made = made.ok().flatten().unwrap_or_default();
        let kept = made.clone();
        blocking(move || {
            let new = path.with_extension("new");
            std::fs::write(&new, kept)?;
            std::fs::rename(new, path)
        })
        .await?;
        Ok(Some(made).filter(|made| !made.is_empty()))
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
            // Who puts them there now needs them, and may take half an hour for it: the next round looks again.
            let Ok(_alone) = self.place_of(*hash).try_write() else { continue };
            // Asked again, now that nobody counts on it meanwhile.
            if self.core.store.blob_is_unused(*hash).await? {
                self.storage.erase(*hash).await?;
                for what in [Made::Thumbnail, Made::Voice] {
                    tokio::fs::remove_file(self.path_of(what, *hash)).await.ok();
                }
                self.core.store.forget_blob(*hash).await?;
                erased += 1;
            }
        }
        if !expired.is_empty() || erased > 0 {
            tracing::info!(uploads = expired.len(), erased, "files removed");
        }
        let slice = rookery_store::limits::SWEEP_FILES;
        Ok(expired.len() == slice || (unused.len() == slice && erased > 0))
    }

    fn place_of(&self, hash: FileHash) -> &RwLock<()> {
        &self.places[usize::from(hash.0[0])]
    }
}

/// Where everything about files lies in a data directory.
fn root(data: &Path) -> PathBuf {
    data.join("files")
}

/// Work with files, beside the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
