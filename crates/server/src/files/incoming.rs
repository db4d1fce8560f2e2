//! Bytes on their way into a file: hashed as they come, never in memory as a whole.

use super::blocking;
use rookery_store::FileHash;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes that are hashed at a time when an upload goes on.
const CHUNK: usize = 256 << 10;

/// A file that is not whole yet.
pub struct Incoming {
    file: File,
    hash: Sha256,
    length: u64,
}

impl Incoming {
    /// Opens the file at `path` after its first `from` bytes; what came beyond them is given up. `None` if so many are not
    /// there.
    pub(super) fn open(path: &Path, from: u64) -> io::Result<Option<Incoming>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(path)?;
        if file.metadata()?.len() < from {
            return Ok(None);
        }
        file.set_len(from)?;
        let mut hash = Sha256::new();
        let mut chunk = vec![0; CHUNK];
        loop {
            match file.read(&mut chunk)? {
                0 => return Ok(Some(Incoming { file, hash, length: from })),
                read => hash.update(&chunk[..read]),
            }
        }
    }

    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Adds these bytes.
    pub async fn write(mut self, chunk: Vec<u8>) -> io::Result<Incoming> {
        blocking(move || {
            self.hash.update(&chunk);
            self.file.write_all(&chunk)?;
            self.length += chunk.len() as u64;
            Ok(self)
        })
        .await
    }

    /// The file is whole: it is on the disk when this returns.
    pub(super) fn finish(self) -> io::Result<FileHash> {
        self.file.sync_all()?;
        Ok(FileHash(self.hash.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(bytes: &[u8]) -> FileHash {
        FileHash(Sha256::digest(bytes).into())
    }

    #[tokio::test]
    async fn an_upload_goes_on_where_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let begun = Incoming::open(&path, 0).unwrap().unwrap();
        drop(begun.write(b"hello wXXX".to_vec()).await.unwrap());
        assert!(Incoming::open(&path, 11).unwrap().is_none(), "so much is not there");
        let again = Incoming::open(&path, 7).unwrap().unwrap();
        assert_eq!(again.length(), 7);
        let whole = again.write(b"orld".to_vec()).await.unwrap();
        assert_eq!(whole.length(), 11);
        assert_eq!(whole.finish().unwrap(), digest(b"hello world"));
        assert_eq!(std::fs::read(&path).unwrap(), b"hello world");
    }

    #[tokio::test]
    async fn an_empty_file_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let empty = Incoming::open(&folder.path().join("it"), 0).unwrap().unwrap();
        assert_eq!(empty.finish().unwrap(), digest(b""));
    }
}
