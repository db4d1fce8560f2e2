//! `rookery-load`: loads an XMPP server, checks that every message comes once and in order, and measures what it costs.
//!
//! The coordinator (`coordinator.rs`) starts worker processes (`worker.rs`), each with one thread, an event loop (`net.rs`) and a
//! part of the sessions. What sessions do is a scenario (`scenario.rs`). Any server will do; `relay.rs` is none, and shows
//! the floor.

mod accounts;
mod clock;
mod coordinator;
mod message;
mod net;
mod options;
mod process;
mod relay;
mod report;
mod scenario;
mod stamp;
mod stats;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Loads an XMPP server, checks that every message comes once and in order, and measures what it costs.
///
/// Prints one line of JSON on its standard output and a table on its standard error, and ends with a failure if anything was
/// lost, doubled, out of order or refused. The server's certificate is not checked.
#[derive(Parser)]
#[command(name = "rookery-load", version)]
struct Cli {
    #[command(flatten)]
    options: options::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Load(scenario::Load),
    /// No server at all: forwards bytes between the same clients, to show the floor
    Relay(relay::RelayArgs),
    /// Started by the program itself
    #[command(hide = true)]
    Worker,
}

fn main() -> ExitCode {
    let Cli { options, command } = Cli::parse();
    let result = match &command {
        Command::Load(load) => run(&options, load),
        Command::Relay(args) => relay::run(args).map(|()| true),
        // It has told the coordinator what went wrong.
        Command::Worker => return ExitCode::from(u8::from(worker::run().is_err())),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing went wrong.
fn run(options: &options::Options, load: &scenario::Load) -> Result<bool> {
    let mut report = coordinator::run(options, load)?;
    report.flawless = report.counts.flawless();
    println!("{}", serde_json::to_string(&report)?);
    if !options.quiet {
        eprintln!("{report}");
    }
    Ok(report.flawless)
}
