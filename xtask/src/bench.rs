//! `cargo xtask bench`: the criterion benches of the parts, and of a message's whole way; and the comparison with other
//! servers; and how quick the web messenger is.

mod compare;
mod figures;
mod servers;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::{shell, web};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    what: Option<What>,
    /// Only benches whose name contains this
    filter: Option<String>,
}

#[derive(Subcommand)]
enum What {
    /// The same load on Rookery, Prosody, ejabberd, and on a relay that knows no XMPP (root on Debian)
    Compare(compare::CompareArgs),
    /// The web messenger in a browser, with a server and in a world of ten thousand
    Web,
}

pub(crate) fn run(args: BenchArgs) -> Result<()> {
    match args.what {
        Some(What::Compare(args)) => compare::run(&args),
        Some(What::Web) => web::bench(),
        None => parts(args.filter),
    }
}

fn parts(filter: Option<String>) -> Result<()> {
    // All targets of the kind, by a pattern: `--benches` would also start every unit test's harness.
    let mut cargo = shell::cargo(["bench", "--workspace", "--bench", "*"]);
    if let Some(filter) = filter {
        cargo.args(["--", &filter]);
    }
    shell::run(&mut cargo)
}
