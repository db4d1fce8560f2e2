//! `cargo xtask bench`: the criterion benches of the parts, and of a message's whole way.

use anyhow::Result;
use clap::Args;

use crate::shell;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Only benches whose name contains this
    filter: Option<String>,
}

pub(crate) fn run(args: BenchArgs) -> Result<()> {
    // All targets of the kind, by a pattern: `--benches` would also start every unit test's harness.
    let mut cargo = shell::cargo(["bench", "--workspace", "--bench", "*"]);
    if let Some(filter) = args.filter {
        cargo.args(["--", &filter]);
    }
    shell::run(&mut cargo)
}
