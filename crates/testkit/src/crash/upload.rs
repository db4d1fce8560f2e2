//! Files in the run: a device asks for a place, puts bytes there until it is told that they are kept, and in the end what was
//! kept is read again.

use std::time::Duration;

use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::device::Phase;
use super::history::Outcome;
use super::journal::Journal;
use crate::client::{Answered, request};

/// The largest file of a run: several of the portions in which the server writes.
pub(super) const LARGEST: u64 = 700_000;

/// How long one attempt may take on a busy machine.
const ATTEMPT: Duration = Duration::from_secs(20);

/// The pause before the next.
const PAUSE: Duration = Duration::from_millis(200);

/// How the key of a file begins; its address follows.
const KEY: &str = "file ";

/// The key of a file.
pub(super) fn key(url: &str) -> String {
    format!("{KEY}{url}")
}

/// The address in a key, if it is a file's.
pub(super) fn address(key: &str) -> Option<&str> {
    key.strip_prefix(KEY)
}

/// The bytes of a file: as many as were announced, and like no other.
pub(super) fn content(number: u64, size: u64) -> Vec<u8> {
    let seed = Sha256::digest(number.to_be_bytes());
    seed.iter().copied().cycle().take(size as usize).collect()
}

/// What is written down of a file.
pub(super) fn value(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Puts bytes at an address until the server has an answer, however often it is killed meanwhile.
pub(super) async fn put(
    url: String,
    bytes: Vec<u8>,
    number: usize,
    journal: Journal,
    phase: watch::Receiver<Phase>,
) {
    while *phase.borrow() != Phase::Stop {
        match timeout(ATTEMPT, ask("PUT", &url, &bytes)).await {
            Ok(Ok(Answered { status: 200 | 201, .. })) => {
                journal.open().write_outcome(number, Outcome::Acknowledged);
                break;
            }
            // Killed meanwhile, or with a disk that fails.
            Err(_) | Ok(Err(_)) | Ok(Ok(Answered { status: 503 | 507, .. })) => sleep(PAUSE).await,
            Ok(Ok(answer)) => {
                let complaint =
                    format!("an upload was refused: {}", answer.head.lines().next().unwrap_or(""));
                journal.open().complaints.push(complaint);
                break;
            }
        }
    }
    journal.open().uploads -= 1;
}

/// What is at an address: what is written down of its bytes, if there is a file.
pub(super) async fn stored(url: &str) -> Result<Option<String>> {
    let answer = timeout(ATTEMPT, ask("GET", url, b"")).await.context("no answer in time")??;
    Ok((answer.status == 200).then(|| value(&answer.body)))
}

async fn ask(method: &str, url: &str, bytes: &[u8]) -> Result<Answered> {
    let rest = url.strip_prefix("http://").context("not an address of the run")?;
    let (host, path) = rest.split_once('/').context("no path")?;
    let connection = TcpStream::connect(host).await?;
    request(connection, method, &format!("/{path}"), "", bytes).await
}
