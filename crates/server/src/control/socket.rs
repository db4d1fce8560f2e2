//! The server's end of the socket.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{Admin, MAX_LINE, Response};
use crate::data::control_socket;

/// Opens the socket. Who calls holds the data directory's lock, so a socket that is there belongs to nobody.
pub fn listen(data: &Path) -> io::Result<UnixListener> {
    let path = control_socket(data);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // The directory is its owner's alone, so nobody comes in before the mode is set.
    let listener = UnixListener::bind(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Takes commands for as long as it is polled.
pub async fn run(listener: UnixListener, admin: Arc<Admin>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let admin = admin.clone();
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &admin).await {
                        tracing::debug!(%error, "a command was given up");
                    }
                });
            }
            Err(error) => {
                // No file descriptor is left, most likely: they come back, and asking at once would only burn.
                tracing::warn!(%error, "a command could not be taken");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

async fn converse(stream: UnixStream, admin: &Admin) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let response = match read_line(&mut reader).await {
            Ok(Some(request)) => admin.handle(request).await,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Response::Refused {
                why: format!(
                    "The running server is Rookery {}, which does not know this.",
                    env!("CARGO_PKG_VERSION")
                ),
            },
            Err(error) => return Err(error),
        };
        write_line(&mut writer, &response).await?;
    }
}

/// One JSON line; nothing at the end. [`io::ErrorKind::InvalidData`]: it is none that we know.
pub(super) async fn read_line<T: DeserializeOwned>(
    reader: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    reader.take(MAX_LINE as u64).read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_slice(&line).map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

pub(super) async fn write_line(
    writer: &mut (impl AsyncWrite + Unpin),
    value: &impl serde::Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    writer.write_all(&line).await?;
    writer.flush().await
}
