//! `cargo xtask test`: everything a change must pass, cheapest first.

use anyhow::Result;
use clap::Args;

use crate::report::{Counts, Outcome, Step, run_steps};
use crate::{deny, docs, interop, s3, shell, web};

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Only what takes minutes: format, lints, and the tests that need nothing but this program
    #[arg(long)]
    quick: bool,
}

const QUICK: [Step; 4] = [
    Step { name: "fmt", about: "the code is formatted", run: fmt },
    Step { name: "web", about: "the web messenger: types, format and unit tests", run: web::quick },
    Step { name: "clippy", about: "no warning in any target", run: clippy },
    Step { name: "tests", about: "unit tests and scenarios", run: tests },
];

const REST: [Step; 8] = [
    Step { name: "ways", about: "the scenarios by WebSocket and by BOSH", run: ways },
    Step { name: "rustdoc", about: "the documentation builds without a warning", run: rustdoc },
    Step { name: "docs", about: "the generated pages are up to date", run: docs::step },
    Step { name: "deny", about: "licences and origins of the dependencies", run: deny::step },
    Step { name: "crash", about: "a short round of kill -9 under load, in every mode", run: crash },
    Step { name: "s3", about: "files in a store of objects", run: s3::step },
    Step {
        name: "browser",
        about: "the web messenger within its budgets, against a server, and in a browser",
        run: web::browser,
    },
    Step { name: "interop", about: "real clients against the server", run: interop::step },
];

pub(crate) fn run(args: TestArgs) -> Result<()> {
    let mut steps = Vec::from(QUICK);
    if !args.quick {
        steps.extend(REST);
    }
    run_steps(&steps)
}

fn fmt() -> Result<Outcome> {
    one(shell::cargo(["fmt", "--all", "--check"]))
}

fn clippy() -> Result<Outcome> {
    one(shell::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn rustdoc() -> Result<Outcome> {
    let mut cargo = shell::cargo(["doc", "--workspace", "--no-deps"]);
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    one(cargo)
}

fn tests() -> Result<Outcome> {
    let mut counts = Counts::default();
    libtest(shell::cargo(["test", "--workspace", "--no-fail-fast"]), &mut counts)?;
    Ok(Outcome::Ran(counts))
}

/// Clients connect in another way than a dialogue says, which must make no difference.
fn ways() -> Result<Outcome> {
    let mut counts = Counts::default();
    for way in ["WebSocket", "BOSH"] {
        let mut cargo = shell::cargo(["test", "--package", "rookery-testkit", "--test", "scenarios"]);
        cargo.env("ROOKERY_SCENARIOS_BY", way);
        libtest(cargo, &mut counts)?;
    }
    Ok(Outcome::Ran(counts))
}

fn libtest(mut cargo: std::process::Command, counts: &mut Counts) -> Result<()> {
    let status = shell::run_lines(&mut cargo, |line| counts.add_libtest(line))?;
    if counts.failed == 0 {
        shell::succeeded(&cargo, status)?;
    }
    Ok(())
}

/// In a process of its own, which ends the servers it started however it ends itself.
fn crash() -> Result<Outcome> {
    one(shell::command(std::env::current_exe()?).args(["crash", "--short"]))
}

fn one(mut command: impl std::borrow::BorrowMut<std::process::Command>) -> Result<Outcome> {
    shell::run(command.borrow_mut())?;
    Ok(Outcome::Ran(Counts::ONE))
}
