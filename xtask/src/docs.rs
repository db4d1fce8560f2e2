//! `cargo xtask docs`: the pages under `docs/` that are written from the program's own tables, and what the written ones
//! point to.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use rookery_core::xep;

use crate::report::{Counts, Outcome};
use crate::shell;

/// A page, and what writes it.
struct Page {
    path: &'static str,
    text: fn() -> String,
}

const PAGES: [Page; 2] = [
    Page { path: "docs/configuration.md", text: rookery::config::reference },
    Page { path: "docs/protocol.md", text: protocol },
];

#[derive(Args)]
pub(crate) struct DocsArgs {
    /// Change nothing; fail if a page is not what the program says
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: DocsArgs) -> Result<()> {
    for page in &PAGES {
        let path = shell::root().join(page.path);
        let wanted = (page.text)();
        if fs::read_to_string(&path).is_ok_and(|have| have == wanted) {
            continue;
        }
        if args.check {
            bail!("{} is out of date: run `cargo xtask docs`", page.path);
        }
        fs::write(&path, wanted).with_context(|| format!("writing {}", page.path))?;
        println!("wrote {}", page.path);
    }
    links()
}

pub(crate) fn step() -> Result<Outcome> {
    run(DocsArgs { check: true })?;
    Ok(Outcome::Ran(Counts { passed: PAGES.len() as u64, ..Counts::default() }))
}

/// Every file that a page points to is there; above all the tests that `docs/compliance.md` names.
fn links() -> Result<()> {
    let mut broken = String::new();
    for page in pages()? {
        let text = fs::read_to_string(&page).with_context(|| format!("reading {}", page.display()))?;
        let folder = page.parent().unwrap_or(Path::new("."));
        for target in targets(&text) {
            if !folder.join(target).exists() {
                writeln!(broken, "{} points to {target}", page.display())?;
            }
        }
    }
    if !broken.is_empty() {
        bail!("pages point to files that are not there:\n{broken}");
    }
    Ok(())
}

/// The pages of the project: those at its root, and those for its users.
fn pages() -> Result<Vec<PathBuf>> {
    let mut pages = Vec::new();
    for folder in [shell::root().to_path_buf(), shell::root().join("docs")] {
        for entry in fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    Ok(pages)
}

/// What a page points to by a relative path, without the place in it.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .filter_map(|(target, _)| target.split('#').next())
        .filter(|target| !target.is_empty() && !target.contains(':'))
}

/// `docs/protocol.md`: the standards that are supported, from the table of the core.
fn protocol() -> String {
    let mut page = String::from(
        "# Protocols\n\n\
         <!-- Written by `cargo xtask docs`; do not edit. -->\n\n\
         What Rookery supports, with the version of each standard that was read while it was written.\n\n\
         | standard | name | version | how far |\n| --- | --- | --- | --- |\n",
    );
    for xep in xep::ALL {
        writeln!(page, "| {} | {} | {} | {} |", link(xep.number), xep.name, xep.version, xep.note)
            .expect("a string takes all that is written");
    }
    page
}

/// The number of a standard, linked to its text.
fn link(number: &str) -> String {
    match number.split_once([' ', '-']) {
        Some(("RFC", digits)) => format!("[{number}](https://www.rfc-editor.org/rfc/rfc{digits})"),
        Some(("XEP", digits)) => format!("[{number}](https://xmpp.org/extensions/xep-{digits}.html)"),
        _ => number.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::targets;

    #[test]
    fn only_relative_paths_are_targets() {
        let text = "[a](b.md), [c](../d.rs#e) [here](#f) [far](https://example.org/) ![g](h.png)";
        assert_eq!(targets(text).collect::<Vec<_>>(), ["b.md", "../d.rs", "h.png"]);
    }
}
