//! Bytes on their way into a file: hashed as they come, never in memory as a whole.

use super::{Turn, blocking};
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
    /// Given back when nobody writes any more, even where nobody waits for that.
    turn: Turn,
}

impl Incoming {
    /// Opens the file at `path` after its first `from` bytes; what came beyond them is given up. `None` if so many are not
    /// there.
    pub(super) fn open(path: &Path, from: u64, turn: Turn) -> io::Result<Option<Incoming>> {
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
                0 => return Ok(Some(Incoming { file, hash, length: from, turn })),
                read => hash.update(&chunk[..read]),
            }
        }
    }

    /// Bytes so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whose turn this is.
    pub fn turn(&mut self) -> &mut Turn {
        &mut self.turn
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

    /// The file is whole: it is on the disk when this returns. The turn goes on until it is in its place.
    pub(super) fn finish(self) -> io::Result<(FileHash, Turn)> {
        self.file.sync_all()?;
        Ok((FileHash(self.hash.finalize().into()), self.turn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::turns::Turns;
    use rookery_store::FileToken;
    use std::sync::Arc;

    async fn open(path: &Path, from: u64) -> Option<Incoming> {
        let turn = Arc::new(Turns::default()).take(FileToken::new(&[b'a'; FileToken::LEN]).unwrap()).await;
        Incoming::open(path, from, turn).unwrap()
    }

    fn digest(bytes: &[u8]) -> FileHash {
        FileHash(Sha256::digest(bytes).into())
    }

    #[tokio::test]
    async fn an_upload_goes_on_where_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("it");
        let begun = open(&path, 0).await.unwrap();
        drop(begun.write(b"hello wXXX".to_vec()).await.unwrap());
        assert!(open(&path, 11).await.is_none(), "so much is not there");
        let again = open(&path, 7).await.unwrap();
        assert_eq!(again.length(), 7);
        let whole = again.write(b"orld".to_vec()).await.unwrap();
        assert_eq!(whole.length(), 11);
        assert_eq!(whole.finish().unwrap().0, digest(b"hello world"));
        assert_eq!(std::fs::read(&path).unwrap(), b"hello world");
    }

    #[tokio::test]
    async fn another_attempt_waits_until_the_bytes_are_in_their_place() {
        let folder = tempfile::tempdir().unwrap();
        let (turns, token) = (Arc::new(Turns::default()), FileToken::new(&[b'a'; FileToken::LEN]).unwrap());
        let turn = turns.take(token).await;
        let first = Incoming::open(&folder.path().join("it"), 0, turn).unwrap().unwrap();
        let second = turns.take(token);
        tokio::pin!(second);
        let first = tokio::select! {
            biased;
            _ = &mut second => panic!("two write at once"),
            first = first.write(b"hello".to_vec()) => first.unwrap(),
        };
        let (_, placing) = first.finish().unwrap();
        tokio::select! {
            biased;
            _ = &mut second => panic!("it is not in its place yet"),
            () = std::future::ready(()) => drop(placing),
        }
        second.await;
    }

    #[tokio::test]
    async fn an_empty_file_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let empty = open(&folder.path().join("it"), 0).await.unwrap();
        assert_eq!(empty.finish().unwrap().0, digest(b""));
    }
}
