//! Block lists in files: a hash, an address or a domain on each line. They are looked at again while the server runs.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use rookery_core::listed::{self, Hash};
use rookery_core::{Core, limits};
use rookery_proto::prepared;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(60);

/// Reads all files into the lists in force. One that cannot be read, or has a line that says nothing, is an error, and
/// nothing changes.
pub fn load(core: &Core, paths: &[PathBuf]) -> Result<()> {
    let mut hashes = HashSet::new();
    for path in paths {
        read(path, &mut hashes)?;
    }
    if !paths.is_empty() {
        tracing::info!(addresses = hashes.len(), "block lists were read from files");
    }
    core.listed.set_files(hashes);
    Ok(())
}

fn read(path: &Path, hashes: &mut HashSet<Hash>) -> Result<()> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("The list {} cannot be read", path.display()))?;
    for (number, line) in text.lines().enumerate() {
        let entry = line.split('#').next().unwrap_or_default().trim();
        if entry.is_empty() {
            continue;
        }
        if hashes.len() >= limits::LISTED {
            bail!("The lists have more than {} lines.", limits::LISTED);
        }
        let address = || prepared::jid(entry).ok().map(|jid| listed::hash(jid.to_bare().as_str()));
        match listed::parse(entry).or_else(address) {
            Some(hash) => hashes.insert(hash),
            None => bail!("{}, line {}: this is neither a hash nor an address.", path.display(), number + 1),
        };
    }
    Ok(())
}

/// Reads the files again when one of them has changed; what cannot be read leaves the list as it was. Runs for as long as it
/// is polled.
pub async fn watch(core: Arc<Core>, paths: Vec<PathBuf>) {
    let state = || -> Vec<Option<SystemTime>> {
        paths.iter().map(|path| std::fs::metadata(path).and_then(|about| about.modified()).ok()).collect()
    };
    let mut seen = state();
    loop {
        tokio::time::sleep(EVERY).await;
        let now = state();
        if now == seen {
            continue;
        }
        seen = now;
        if let Err(error) = load(&core, &paths) {
            tracing::warn!(error = format!("{error:#}"), "the block lists stay as they were");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<HashSet<Hash>> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("list.txt");
        std::fs::write(&path, text).expect("a file");
        let mut hashes = HashSet::new();
        read(&path, &mut hashes).map(|()| hashes)
    }

    #[test]
    fn a_list_has_hashes_addresses_and_remarks() {
        let spammer = listed::hash("spammer@example.org");
        let hash = data_encoding::HEXLOWER.encode(&spammer);
        let text = format!("# seen in May\n\n{hash}\n  Spammer@Example.org/phone # the same\nspam.example\n");
        assert_eq!(list(&text).expect("a list"), HashSet::from([spammer, listed::hash("spam.example")]));
        assert_eq!(list("").expect("a list"), HashSet::new());
    }

    #[test]
    fn what_is_neither_is_named_by_its_line() {
        for bad in ["@", "a@b@c", "spam example", "user@"] {
            let error = list(&format!("spam.example\n{bad}\n")).expect_err(bad).to_string();
            assert!(error.contains("line 2"), "{bad}: {error}");
        }
        let mut hashes = HashSet::new();
        assert!(read(Path::new("/nonexistent/list"), &mut hashes).is_err() && hashes.is_empty());
    }
}
