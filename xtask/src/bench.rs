//! `cargo xtask bench`: the criterion benches of the parts, and of a message's whole way; the comparison with other servers;
//! very many of everything; and how quick the web messenger is.

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
    /// Very many sessions in memory, and a large archive on disk
    Scale(ScaleArgs),
    /// The web messenger in a browser, with a server and in a world of ten thousand
    Web,
}

#[derive(Args)]
struct ScaleArgs {
    /// Sessions: a million need 5 GB of memory
    #[arg(long, default_value_t = 1_000_000)]
    sessions: u64,
    /// Accounts in the archive
    #[arg(long, default_value_t = 1_000_000)]
    accounts: u64,
    /// Messages in it: ten million need 8 GB in the temporary directory (TMPDIR)
    #[arg(long, default_value_t = 10_000_000)]
    messages: u64,
}

pub(crate) fn run(args: BenchArgs) -> Result<()> {
    match args.what {
        Some(What::Compare(args)) => compare::run(&args),
        Some(What::Scale(args)) => scale(&args),
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

fn scale(args: &ScaleArgs) -> Result<()> {
    let ScaleArgs { sessions, accounts, messages } = args;
    let mut cargo = shell::cargo(["bench", "--package", "rookery-testkit", "--bench", "scale", "--"]);
    cargo.args([
        format!("--sessions={sessions}"),
        format!("--accounts={accounts}"),
        format!("--messages={messages}"),
    ]);
    shell::run(&mut cargo)
}
