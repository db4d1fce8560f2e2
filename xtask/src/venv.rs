//! Python environments for the tools that come from the Python package index.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// A virtual environment in `dir` that holds `packages` (exact versions), made anew when they changed.
/// Returns its `bin` folder.
pub(crate) fn ensure(dir: &Path, packages: &[&str]) -> Result<PathBuf> {
    let bin = dir.join("bin");
    let stamp = dir.join("packages.txt");
    let wanted = packages.join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(bin);
    }
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    shell::run(shell::command("python3").args(["-m", "venv"]).arg(dir))?;
    let mut pip = shell::command(bin.join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(packages);
    // Once more, for the index may have a bad moment.
    if shell::run(&mut pip).is_err() {
        shell::run(&mut pip)?;
    }
    fs::write(stamp, wanted)?;
    Ok(bin)
}

/// The source distribution of `package` (`name==version`) in `folder`, fetched if it is not there.
pub(crate) fn source(bin: &Path, package: &str, folder: &Path) -> Result<()> {
    if folder.join(format!("{}.tar.gz", package.replace("==", "-"))).exists() {
        return Ok(());
    }
    let mut pip = shell::command(bin.join("pip"));
    pip.args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"]);
    shell::run(pip.arg("--dest").arg(folder).arg(package))
}
