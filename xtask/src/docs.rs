//! `cargo xtask docs`: the pages under `docs/` that are written from the program's own tables.

use std::fmt::Write;
use std::fs;

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
    Ok(())
}

pub(crate) fn step() -> Result<Outcome> {
    run(DocsArgs { check: true })?;
    Ok(Outcome::Ran(Counts { passed: PAGES.len() as u64, ..Counts::default() }))
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
