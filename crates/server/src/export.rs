//! Writes exports that were ordered: one after the other, as ZIP archives in a folder of the data directory, and removes them
//! when they were fetched or their time is over. Uploaded files go into them as they are read, none in memory as a whole.

use crate::data::exports_folder;
use crate::files::Storage;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use rookery_core::env::Env;
use rookery_core::export::{self, Desk, Order, Part, Progress};
use rookery_store::Store;
use std::fs::{DirBuilder, File, OpenOptions};
use std::future::poll_fn;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// How often it is looked whether the time of an export is over. From then on nobody gets it; the file may lie a moment longer.
const LOOK: Duration = Duration::from_secs(60);

/// Pieces that wait for the disk: one is being packed while the next is read.
const AHEAD: usize = 1;

/// How long the bytes of an upload may stop on their way from where they are.
const STALL: Duration = Duration::from_secs(30);

/// What stands in the place of an upload that is not there any more.
const MISSING: &[u8] = b"This file could not be read when the copy was made.\n";

/// Works off the orders for as long as it is polled; uploaded files are in `storage`. What an earlier run left is removed:
/// nobody knows its name any more.
pub async fn run(store: Store, env: Env, desk: Arc<Desk>, data: PathBuf, storage: Option<Arc<Storage>>) {
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
            let written = write(&store, &order, storage.as_deref(), &file, &progress).await;
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
async fn write(
    store: &Store,
    order: &Order,
    storage: Option<&Storage>,
    file: &Path,
    progress: &Progress,
) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    let (out, parts) = mpsc::channel(AHEAD);
    let (pieces, packed) = mpsc::channel(AHEAD);
    let packing = tokio::task::spawn_blocking(move || pack(packed, file));
    let relaying = relay(parts, pieces, storage, progress);
    let (written, relayed) = tokio::join!(export::write(store, order, out, progress), relaying);
    // When the disk is full, that is what is told, not that nobody takes the rest.
    packing.await??;
    relayed?;
    Ok(written?)
}

/// What goes into the archive.
enum Piece {
    /// From here on it is the file of this name, which is made smaller on the way or not: pictures and films are small already.
    File(String, CompressionMethod),
    Bytes(Bytes),
}

/// Hands over what core writes, with the bytes of uploads in their places, until nobody takes more.
async fn relay(
    mut parts: mpsc::Receiver<Part>,
    out: mpsc::Sender<Piece>,
    storage: Option<&Storage>,
    progress: &Progress,
) -> io::Result<()> {
    while let Some(part) = parts.recv().await {
        let piece = match part {
            Part::File(name) => Piece::File(name, CompressionMethod::Deflated),
            Part::Bytes(bytes) => Piece::Bytes(bytes.into()),
            Part::Upload { name, hash, size } => {
                let body = match storage {
                    Some(storage) => storage.read(hash, 0, size).await,
                    None => Err(io::ErrorKind::NotFound.into()),
                };
                match body {
                    Ok(body) => upload(name, body, size, &out, progress).await?,
                    // What is lost keeps nobody from the rest.
                    Err(error) => {
                        tracing::warn!(%error, name, "a file is missing in an export");
                        let name = format!("{name}.missing.txt");
                        out.send(Piece::File(name, CompressionMethod::Stored)).await.ok();
                        out.send(Piece::Bytes(Bytes::from_static(MISSING))).await.ok();
                    }
                }
                continue;
            }
        };
        if out.send(piece).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Hands over the bytes of one upload as they come.
async fn upload(
    name: String,
    body: Body,
    size: u64,
    out: &mpsc::Sender<Piece>,
    progress: &Progress,
) -> io::Result<()> {
    let (mut body, mut left) = (pin!(body), size);
    out.send(Piece::File(name, CompressionMethod::Stored)).await.ok();
    loop {
        let frame = poll_fn(|cx| body.as_mut().poll_frame(cx));
        let frame = tokio::time::timeout(STALL, frame).await.map_err(io::Error::other)?;
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        left = left.saturating_sub(data.len() as u64);
        progress.packed(data.len());
        if out.send(Piece::Bytes(data)).await.is_err() {
            return Ok(());
        }
    }
    if left > 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

/// Packs the pieces into one archive until there are no more.
fn pack(mut pieces: mpsc::Receiver<Piece>, file: File) -> zip::result::ZipResult<()> {
    let mut archive = ZipWriter::new(BufWriter::new(file));
    // An account.xml of many years may be larger than 4 GB.
    let options = SimpleFileOptions::default().large_file(true).unix_permissions(0o600);
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::File(name, method) => archive.start_file(name, options.compression_method(method))?,
            Piece::Bytes(bytes) => archive.write_all(&bytes)?,
        }
    }
    archive.finish()?.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    Ok(())
}
