//! Files on this machine: `ab/cdef…` by the SHA-256 of their bytes.

use super::blocking;
use data_encoding::HEXLOWER;
use rookery_store::FileHash;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A folder of files.
#[derive(Clone)]
pub struct Disk {
    root: PathBuf,
}

impl Disk {
    /// The files below `root`, which is there.
    pub fn new(root: PathBuf) -> Disk {
        Disk { root }
    }

    fn path(&self, hash: FileHash) -> PathBuf {
        let name = HEXLOWER.encode(&hash.0);
        self.root.join(&name[..2]).join(&name[2..])
    }

    /// Moves a synced file to its place. It is there after a power cut, too.
    pub async fn place(&self, file: PathBuf, hash: FileHash) -> io::Result<()> {
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

    /// Opens a file.
    pub async fn open(&self, hash: FileHash) -> io::Result<File> {
        let path = self.path(hash);
        blocking(move || File::open(path)).await
    }

    /// Erases a file, if it is there.
    pub async fn erase(&self, hash: FileHash) -> io::Result<()> {
        let path = self.path(hash);
        blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }
}

/// Makes a folder for its owner alone, with those above it.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What was made or moved in a folder is there after a power cut only when the folder itself is synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
