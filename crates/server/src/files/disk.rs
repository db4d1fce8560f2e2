//! Files on this machine: `ab/cdef…` by the SHA-256 of their bytes.

use super::{blocking, part::Part};
use axum::body::Body;
use data_encoding::HEXLOWER;
use rookery_store::FileHash;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A folder of files.
#[derive(Clone)]
pub(super) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The files below `root`, which is there.
    pub(super) fn new(root: PathBuf) -> Disk {
        Disk { root }
    }

    fn path(&self, hash: FileHash) -> PathBuf {
        self.root.join(name(hash))
    }

    /// Moves a synced file to its place. It is there after a power cut, too.
    pub(super) async fn place(&self, file: PathBuf, hash: FileHash) -> io::Result<()> {
        let (path, root) = (self.path(hash), self.root.clone());
        blocking(move || {
            let folder = path.parent().unwrap_or(&root);
            if !folder.exists() {
                make_folder(folder)?;
                sync_folder(&root)?;
            }
            fs::rename(file, &path)?;
            sync_folder(folder)
        })
        .await
    }

    /// A part of a file.
    pub(super) async fn read(&self, hash: FileHash, from: u64, length: u64) -> io::Result<Body> {
        Ok(Body::new(Part::new(self.open(hash).await?, from, length)))
    }

    /// Opens a file.
    pub(super) async fn open(&self, hash: FileHash) -> io::Result<File> {
        let path = self.path(hash);
        blocking(move || File::open(path)).await
    }

    /// Erases a file, if it is there.
    pub(super) async fn erase(&self, hash: FileHash) -> io::Result<()> {
        let path = self.path(hash);
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }
}

/// Where a file is: the first byte of its hash is a folder, so that no folder has too many.
pub(super) fn name(hash: FileHash) -> String {
    let hash = HEXLOWER.encode(&hash.0);
    format!("{}/{}", &hash[..2], &hash[2..])
}

/// Makes a folder for its owner alone, with those above it.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What was made or moved in a folder is there after a power cut only when the folder itself is synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
