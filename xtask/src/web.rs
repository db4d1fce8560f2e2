//! `cargo xtask web`: the web messenger's own tests, which npm runs in `web/`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::report::{Counts, Outcome};
use crate::{interop, shell};

/// The browser, and letters for all that is written in it.
const PACKAGES: [&str; 3] = ["chromium", "fonts-noto-cjk", "fonts-noto-color-emoji"];

/// A copy of the list of packages that were installed, beside them; the server's build script keeps it too.
const INSTALLED: &str = "node_modules/.rookery-lock";

#[derive(Args)]
pub(crate) struct WebArgs {
    /// Only what needs no browser: types, format and unit tests
    #[arg(long)]
    quick: bool,
    /// Only this: cuts the connections of two people in Chromium so many times, and compares what they have at the end
    #[arg(long, value_name = "CUTS", conflicts_with = "quick")]
    chaos: Option<u32>,
    /// With `--chaos`: repeats the cuts that a run printed the seed of
    #[arg(long, requires = "chaos")]
    seed: Option<u32>,
}

pub(crate) fn run(args: WebArgs) -> Result<()> {
    if let Some(cuts) = args.chaos {
        return chaos(cuts, args.seed);
    }
    let steps: &[fn() -> Result<Outcome>] = if args.quick { &[quick] } else { &[quick, browser] };
    for step in steps {
        match step()? {
            Outcome::Ran(counts) if counts.failed == 0 => println!("{counts}"),
            Outcome::Ran(counts) => bail!("{counts}"),
            Outcome::Skipped(why) => bail!("{why}"),
        }
    }
    Ok(())
}

/// What needs no browser.
pub(crate) fn quick() -> Result<Outcome> {
    if !shell::on_path("npm") {
        return Ok(Outcome::Skipped("Node with npm is not installed".to_owned()));
    }
    install()?;
    shell::run(&mut npm(&["run", "check"]))?;
    let mut counts = Counts::ONE;
    vitest(npm(&["test"]), &mut counts)?;
    Ok(Outcome::Ran(counts))
}

/// Many cuts in a browser; the round in the end-to-end tests is a short one.
fn chaos(cuts: u32, seed: Option<u32>) -> Result<()> {
    install()?;
    let mut npm = npm(&["run", "chaos"]);
    npm.env("ROOKERY_BIN", interop::build()?).env("CUTS", cuts.to_string());
    if let Some(seed) = seed {
        npm.env("SEED", seed.to_string());
    }
    shell::run(&mut npm)
}

/// The built messenger: its size, its engine against a server, and what it does in a browser with a server of its own.
pub(crate) fn browser() -> Result<Outcome> {
    if !shell::on_path("npm") {
        return Ok(Outcome::Skipped("Node with npm is not installed".to_owned()));
    }
    install()?;
    shell::run(&mut npm(&["run", "build"]))?;
    shell::run(&mut npm(&["run", "--if-present", "budget"]))?;
    let server = interop::build()?;
    let mut counts = Counts::ONE;
    tested("live", &server, &mut counts)?;
    if !shell::on_path("chromium") && !interop::is_root() {
        return Ok(Outcome::Skipped("chromium is not installed, and only root may install it".to_owned()));
    }
    if shell::on_path("apt-get") && interop::is_root() {
        interop::install(&PACKAGES)?;
    }
    tested("e2e", &server, &mut counts)?;
    Ok(Outcome::Ran(counts))
}

/// How quick the messenger is, into the table of `docs/performance.md`: in front of a server that runs on this machine, and in a
/// made-up world of ten thousand. The server is `ROOKERY_BIN`, or one that is built.
pub(crate) fn bench() -> Result<()> {
    install()?;
    if shell::on_path("apt-get") && interop::is_root() {
        interop::install(&PACKAGES)?;
    }
    let server = match std::env::var_os("ROOKERY_BIN") {
        Some(path) => path.into(),
        None => interop::build()?,
    };
    shell::run(npm(&["run", "bench", "--", "--write"]).env("ROOKERY_BIN", server))
}

/// Tests that start this server themselves.
fn tested(script: &str, server: &Path, counts: &mut Counts) -> Result<()> {
    let mut npm = npm(&["run", "--if-present", script]);
    npm.env("ROOKERY_BIN", server);
    vitest(npm, counts)
}

/// Runs tests and adds up what they say.
fn vitest(mut npm: Command, counts: &mut Counts) -> Result<()> {
    let status = shell::run_lines(&mut npm, |line| counts.add_vitest(line))?;
    if counts.failed == 0 { shell::succeeded(&npm, status) } else { Ok(()) }
}

/// Exactly the packages that the lock file names.
fn install() -> Result<()> {
    let web = shell::root().join("web");
    let wanted = fs::read(web.join("package-lock.json")).context("reading web/package-lock.json")?;
    let stamp = web.join(INSTALLED);
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    shell::run(&mut npm(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    fs::write(stamp, wanted).context("noting what is installed")
}

fn npm(arguments: &[&str]) -> Command {
    let mut npm = shell::command("npm");
    npm.current_dir(shell::root().join("web")).args(arguments).env("NO_COLOR", "1");
    npm
}
