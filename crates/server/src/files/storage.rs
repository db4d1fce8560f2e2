//! Where files are: on this machine, or in a store of objects.

use super::disk::Disk;
use super::s3::S3;
use axum::body::Body;
use rookery_core::env::Env;
use rookery_store::FileHash;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Where files are.
pub struct Storage(Place);

enum Place {
    /// In a folder.
    Disk(Disk),
    /// In a bucket (S3 and what is like it).
    S3(Box<S3>),
}

impl Storage {
    /// The files of a data directory: in the bucket, if there is one, and else in the directory.
    pub fn at(data: &Path, bucket: Option<&super::S3Settings>, env: Env) -> io::Result<Storage> {
        Ok(Storage(match bucket {
            Some(bucket) => Place::S3(Box::new(S3::new(bucket, env)?)),
            None => Place::Disk(Disk::new(super::root(data))),
        }))
    }

    /// Puts a synced file of so many bytes in its place, and takes it from where it was.
    pub(super) async fn place(&self, file: PathBuf, hash: FileHash, size: u64) -> io::Result<()> {
        match &self.0 {
            Place::Disk(disk) => disk.place(file, hash).await,
            Place::S3(bucket) => {
                bucket.put(&file, hash, size).await?;
                tokio::fs::remove_file(file).await
            }
        }
    }

    /// `length` bytes of a file after the first `from`.
    pub async fn read(&self, hash: FileHash, from: u64, length: u64) -> io::Result<Body> {
        match &self.0 {
            Place::Disk(disk) => disk.read(hash, from, length).await,
            Place::S3(bucket) => bucket.get(hash, from, length).await,
        }
    }

    /// A file as a whole, on this machine; `copy` is where it may be put for it.
    pub(super) async fn open(&self, hash: FileHash, size: u64, copy: PathBuf) -> io::Result<File> {
        match &self.0 {
            Place::Disk(disk) => disk.open(hash).await,
            Place::S3(bucket) => bucket.fetch(hash, size, copy).await,
        }
    }

    /// Erases a file, if it is there.
    pub(super) async fn erase(&self, hash: FileHash) -> io::Result<()> {
        match &self.0 {
            Place::Disk(disk) => disk.erase(hash).await,
            Place::S3(bucket) => bucket.erase(hash).await,
        }
    }
}
