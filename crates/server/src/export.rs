//! Writes exports that were ordered: one after the other, as ZIP archives in a folder of the data directory, and removes them
//! when they were fetched or their time is over.

use crate::data::exports_folder;
use rookery_core::env::Env;
use rookery_core::export::{self, Desk, Order, Part, Progress};
use rookery_store::Store;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// How often it is looked whether the time of an export is over. From then on nobody gets it; the file may lie a moment longer.
const LOOK: Duration = Duration::from_secs(60);

/// Pieces that wait for the disk: one is being packed while the next is read.
const AHEAD: usize = 1;

/// Works off the orders for as long as it is polled. What an earlier run left is removed: nobody knows its name any more.
pub async fn run(store: Store, env: Env, desk: Arc<Desk>, data: PathBuf) {
    let folder = exports_folder(&data);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "old exports cannot be removed");
        }
        _ => {}
    }
    loop {
        while let Some((id, order, progress)) = desk.next() {
            let file = folder.join(format!("{id}.zip"));
            let uid = order.account.uid.0;
            let written = write(&store, &order, &file, &progress).await;
            match &written {
                Ok(()) => tracing::info!(uid, by = ?order.by, "an account was exported"),
                Err(error) => {
                    tracing::error!(uid, %error, "an account could not be exported");
                    remove(&file);
                }
            }
            desk.written(&id, written.is_ok().then_some(file), env.now());
        }
        for id in desk.expired(env.now()) {
            remove(&folder.join(format!("{id}.zip")));
        }
        // Either somebody asks for something, or it is time to look again.
        let _ = tokio::time::timeout(LOOK, desk.called()).await;
    }
}

fn remove(file: &Path) {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, file = %file.display(), "an export cannot be removed");
        }
        _ => {}
    }
}

/// Writes one export to a new file, for the owner of the process alone.
async fn write(store: &Store, order: &Order, file: &Path, progress: &Progress) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    let (out, parts) = mpsc::channel(AHEAD);
    let packing = tokio::task::spawn_blocking(move || pack(parts, file));
    let written = export::write(store, order, out, progress).await;
    // When the disk is full, that is what is told, not that nobody takes the rest.
    packing.await??;
    Ok(written?)
}

/// Packs the parts into one archive until there are no more.
fn pack(mut parts: mpsc::Receiver<Part>, file: File) -> zip::result::ZipResult<()> {
    let mut archive = ZipWriter::new(BufWriter::new(file));
    // An account.xml of many years may be larger than 4 GB.
    let options = SimpleFileOptions::default().large_file(true).unix_permissions(0o600);
    while let Some(part) = parts.blocking_recv() {
        match part {
            Part::File(name) => archive.start_file(name, options)?,
            Part::Bytes(bytes) => archive.write_all(&bytes)?,
        }
    }
    archive.finish()?.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    Ok(())
}
