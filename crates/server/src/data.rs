//! The data directory: what is where, and who may write to it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rookery_store::Options;

use crate::config::Config;

/// Why the data directory cannot be used: a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process works on it.
    #[error(
        "Another rookery works on {0}, and only one can at a time. If it is just starting or ending, try again in a moment."
    )]
    InUse(PathBuf),
    /// The system refuses.
    #[error(
        "The data directory {path} cannot be used: {cause}. Check who owns it, or name another with --data."
    )]
    Refused {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

/// The right to write to the data directory, for as long as it is kept. One process has it at a time.
#[derive(Debug)]
pub struct DataLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl DataLock {
    /// Makes the directory if it is not there, for its owner alone, and takes the lock.
    pub fn take(data: &Path) -> Result<DataLock, DataError> {
        let refused = |cause| DataError::Refused { path: data.to_owned(), cause };
        DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(refused)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(data.join("lock")).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(DataLock(file)),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse(data.to_owned())),
            Err(TryLockError::Error(cause)) => Err(refused(cause)),
        }
    }
}

/// The store's file.
pub fn store_file(data: &Path) -> PathBuf {
    data.join("rookery.db")
}

/// The socket on which a running server takes commands.
pub fn control_socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Where exports lie until they are fetched.
pub fn exports_folder(data: &Path) -> PathBuf {
    data.join("exports")
}

/// How the store is opened.
pub fn store_options(config: &Config) -> Options {
    let options =
        Options { reserved: config.reserved_numbers.clone(), ..Options::new(store_file(&config.data)) };
    #[cfg(feature = "test-vfs")]
    let options = on_test_disk(options);
    options
}

/// The disk that a test's environment asks for.
#[cfg(feature = "test-vfs")]
fn on_test_disk(mut options: Options) -> Options {
    options.vfs = rookery_store::test_vfs::Faults::from_env().map(|disk| disk.name().to_owned());
    options.synchronous_off = std::env::var_os("ROOKERY_TEST_UNSYNCED").is_some();
    options
}

/// What is made once and kept in a file for its owner alone.
pub fn kept(path: &Path, make: impl FnOnce() -> anyhow::Result<Vec<u8>>) -> anyhow::Result<Vec<u8>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let bytes = make()?;
            write_private(path, &bytes).with_context(|| format!("{} cannot be written.", path.display()))?;
            Ok(bytes)
        }
        read => read.with_context(|| format!("{} cannot be read.", path.display())),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("new/data");
        let lock = DataLock::take(&data).unwrap();
        assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(matches!(DataLock::take(&data), Err(DataError::InUse(_))));
        drop(lock);
        assert!(DataLock::take(&data).is_ok());
    }
}
