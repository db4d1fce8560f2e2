//! The `rookery` command: what can be typed, and what comes back.

mod account;
mod announce;
mod block;
mod doctor;
mod duty;
mod export;
mod files;
mod group;
mod import;
mod index;
mod invite;
mod mail;
mod pager;
mod password;
mod progress;
mod report;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand};

use crate::config::{self, Config, Overrides};
use crate::control::Control;

/// An instant messenger server that people run themselves.
///
/// Without a command, `rookery` is `rookery serve`: it needs no preparation, and says where to connect.
#[derive(Parser)]
#[command(name = "rookery", version, disable_help_subcommand = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Which server")]
struct Common {
    /// The configuration file [default: rookery.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The data directory, in place of the configured one [default: ./rookery-data]
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
    /// The domain that accounts live at, in place of the configured one [default: localhost]
    #[arg(long, value_name = "NAME", global = true)]
    domain: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until it is stopped
    ///
    /// Stop it with Ctrl-C or SIGTERM: sessions are kept for clients that come back. SIGHUP looks at the certificate's
    /// files at once.
    Serve,
    /// Make, list and change accounts
    ///
    /// ACCOUNT is a number (10001), a name (alice) or an address (alice@example.org). If the server runs, it does the
    /// work; if not, the command does it on the data directory.
    #[command(subcommand)]
    Account(account::Command),
    /// Tell everybody something
    ///
    /// The text goes into the log of every account, as a message of the server: who is away gets it later. Needs a running
    /// server.
    Announce(announce::Command),
    /// Look for what is wrong around this server
    #[command(subcommand)]
    Doctor(doctor::Command),
    /// List uploaded files, see how much room they take, and remove them
    #[command(subcommand)]
    Files(files::Command),
    /// Make, list and change groups
    ///
    /// GROUP is a number (700001), a name (tea) or an address. If the server runs, those who are in the group see at once
    /// what changes.
    #[command(subcommand)]
    Group(group::Command),
    /// Look after the index of the full-text search
    #[command(subcommand)]
    Index(index::Command),
    /// Invite people to make their own account
    ///
    /// An invitation is a link, or the token in it. Who opens the link, or enters the token in a client when signing up,
    /// can make an account while `registration.mode` is not "closed".
    #[command(subcommand)]
    Invite(invite::Command),
    /// Look after mail: the keys that sign it, and what is on its way
    #[command(subcommand)]
    Mail(mail::Command),
    /// Say who takes turns in groups of people of whom one is on duty
    #[command(subcommand)]
    Duty(duty::Command),
    /// Give accounts pager numbers, make what a paging transmitter sends, and try carriers
    #[command(subcommand)]
    Pager(pager::Command),
    /// Look at reports of spam and abuse, and do something about them
    ///
    /// People report whom they block in their client (XEP-0377). Administrators find the same in theirs, as a command.
    #[command(subcommand)]
    Report(report::Command),
    /// Block servers and addresses elsewhere for everybody here
    ///
    /// Nobody here reaches them, and they reach nobody here. People of this server are disabled instead: see
    /// `rookery account disable`.
    #[command(subcommand)]
    Block(block::Command),
    /// Print a configuration file with all settings at their defaults
    ///
    /// Begin with `rookery config > rookery.toml`.
    Config {
        /// Print the manual's page instead, as Markdown
        #[arg(long)]
        reference: bool,
    },
    /// Print the version
    Version,
}

/// Does what the command line says.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli) {
        Ok(code) => code,
        // Who pipes us into `head` wants no more.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rookery: {}", sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn execute(cli: Cli) -> Result<ExitCode> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => crate::serve::serve(load(cli.common)?)?,
        Command::Account(command) => {
            return commands(cli.common, command.makes(), async |control| command.run(control).await);
        }
        Command::Announce(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Doctor(command) => return command.run(&load(cli.common)?),
        Command::Files(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Group(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Index(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Invite(command) => {
            return commands(cli.common, command.makes(), async |control| command.run(control).await);
        }
        Command::Mail(mail::Command::Dkim { rotate }) => mail::dkim(&load(cli.common)?, rotate)?,
        Command::Mail(mail::Command::Queue { command }) => {
            let command = command.unwrap_or(mail::Queue::List);
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Duty(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Pager(command) if command.stands_alone() => return command.alone(),
        Command::Pager(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Report(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Block(command) => {
            return commands(cli.common, false, async |control| command.run(control).await);
        }
        Command::Config { reference: false } => terminal::print(&config::example())?,
        Command::Config { reference: true } => terminal::print(&config::reference())?,
        Command::Version => terminal::print(concat!("rookery ", env!("CARGO_PKG_VERSION"), "\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn load(common: Common) -> Result<Config> {
    Ok(Config::load(&Overrides { file: common.config, data: common.data, domain: common.domain })?)
}

/// Runs a command that talks to the server, or works in its place; `make`: also where there is no data yet.
fn commands(
    common: Common,
    make: bool,
    work: impl AsyncFnOnce(&mut Control) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let config = load(common)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("No thread can be started")?;
    runtime.block_on(async {
        let mut control = Control::open(&config, make).await?;
        let outcome = work(&mut control).await;
        control.close().await?;
        outcome
    })
}

/// An error and its causes as a sentence: after a colon, or in brackets behind what is a sentence already.
fn sentence(error: &anyhow::Error) -> String {
    let ended = |text: &str| text.ends_with(['.', '?', '!']);
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        text += &if ended(&text) { format!(" ({cause}.)") } else { format!(": {cause}") };
    }
    if !ended(text.trim_end_matches(')')) {
        text.push('.');
    }
    text
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_serves() {
        let cli = Cli::try_parse_from(["rookery", "--domain", "example.org"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.common.domain.as_deref(), Some("example.org"));
        let cli = Cli::try_parse_from(["rookery", "account", "list", "--data", "/d"]).unwrap();
        assert_eq!(cli.common.data, Some(PathBuf::from("/d")));
    }

    #[test]
    fn errors_end_as_sentences() {
        assert_eq!(
            sentence(&anyhow::anyhow!("the disk is full").context("It cannot be written")),
            "It cannot be written: the disk is full."
        );
        assert_eq!(sentence(&anyhow::anyhow!("Did you mean it?")), "Did you mean it?");
        let caused = anyhow::anyhow!("in use (os error 98)").context("It cannot listen. Is it used?");
        assert_eq!(sentence(&caused), "It cannot listen. Is it used? (in use (os error 98).)");
        let nested = anyhow::anyhow!("in use (os error 98)").context("It cannot listen");
        assert_eq!(sentence(&nested), "It cannot listen: in use (os error 98).");
    }
}
