//! The project's own commands: `cargo xtask <command>`.
//!
//! One file a command. Nothing here is part of the server, so the rules of `clippy.toml` about clocks and
//! threads do not hold: these commands measure, wait and run programs.
#![allow(clippy::disallowed_methods, reason = "commands time their steps and wait for programs")]

mod bench;
mod crash;
mod deny;
mod docs;
mod fuzz;
mod interop;
mod report;
mod s3;
mod shell;
mod test;
mod venv;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Rookery's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything a change must pass
    Test(test::TestArgs),
    /// Kill the server under load, again and again, and check that nothing acknowledged was lost
    Crash(crash::CrashArgs),
    /// Real clients against the server, in a network of their own (root on Debian)
    Interop(interop::InteropArgs),
    /// Coverage-guided fuzzing of the protocol crate
    Fuzz(fuzz::FuzzArgs),
    /// Measure the parts, and a message's whole way
    Bench(bench::BenchArgs),
    /// Files in a store of objects, against a server that speaks the protocol of S3
    S3,
    /// The web messenger: types, format, unit tests, its size, and in a browser against the server
    Web(web::WebArgs),
    /// Write the generated pages anew, or check that they are up to date
    Docs(docs::DocsArgs),
    /// Check the licences and origins of all dependencies
    Deny,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Task::Test(args) => test::run(args),
        Task::Crash(args) => crash::run(args),
        Task::Interop(args) => interop::run(args),
        Task::Fuzz(args) => fuzz::run(args),
        Task::Bench(args) => bench::run(args),
        Task::S3 => s3::run(),
        Task::Web(args) => web::run(args),
        Task::Docs(args) => docs::run(args),
        Task::Deny => deny::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
