//! `rookery account export`

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rookery_core::env::Env;

use super::account::{account, unexpected};
use super::terminal::{bar, moment, print};
use crate::control::{Control, Request, Response};

/// How often it is asked how far an export has come.
const EVERY: Duration = Duration::from_millis(200);

/// Exports an account into a file that is not there yet.
pub(super) async fn run(
    control: &mut Control,
    named: String,
    output: Option<PathBuf>,
    credentials: bool,
) -> Result<()> {
    let row = account(control.ask(Request::Show { account: named }).await?)?;
    let day = moment(Env::system().now().0);
    let usual = || PathBuf::from(format!("{}-{}.zip", row.address, day.get(..10).unwrap_or_default()));
    let output = output.unwrap_or_else(usual);
    if output.exists() {
        bail!("{} is there already. Name another file with --output.", output.display());
    }
    let mut answer = control.ask(Request::Export { account: row.number.to_string(), credentials }).await?;
    let terminal = io::stderr().is_terminal();
    loop {
        let Response::Exporting { id, done, total, file } = answer else { return unexpected() };
        if let Some(file) = file {
            if terminal {
                eprint!("\r{:60}\r", "");
            }
            let taken = take(&file, &output);
            control.ask(Request::ExportTaken { id }).await?;
            taken.with_context(|| format!("{} cannot be written", output.display()))?;
            break;
        }
        if terminal {
            eprint!("\r{} ", bar(done, total));
        }
        tokio::time::sleep(EVERY).await;
        answer = control.ask(Request::ExportState { id }).await?;
    }
    Ok(print(&format!("{} is exported to {}.\n", row.address, output.display()))?)
}

/// Takes the archive away from where the server put it: moves it, or copies it to another file system.
fn take(from: &Path, to: &Path) -> io::Result<()> {
    // As a link it replaces nothing that has come there meanwhile.
    if std::fs::hard_link(from, to).is_err() {
        let mut source = File::open(from)?;
        let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut source, &mut target)?;
        target.sync_all()?;
    }
    std::fs::remove_file(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_taken_away_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        std::fs::write(&from, "archive").unwrap();
        take(&from, &to).unwrap();
        assert_eq!((std::fs::read(&to).unwrap(), from.exists()), (b"archive".to_vec(), false));
        std::fs::write(&from, "another").unwrap();
        assert_eq!(take(&from, &to).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&to).unwrap(), b"archive");
    }
}
