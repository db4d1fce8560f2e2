//! `rookery block`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::account::unexpected;
use super::terminal::{grouped, moment, plain, print, table};
use crate::control::{Control, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Block servers or addresses for everybody here
    Add {
        /// Servers (example.org) or addresses elsewhere (user@example.org)
        #[arg(required = true)]
        jids: Vec<String>,
    },
    /// List what is blocked
    List,
    /// Unblock servers or addresses
    Remove {
        /// As they are in the list
        #[arg(required = true)]
        jids: Vec<String>,
    },
}

impl Command {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        let request = match self {
            Command::Add { jids } => Request::Block { jids },
            Command::List => Request::ListBlocked,
            Command::Remove { jids } => Request::Unblock { jids },
        };
        match control.ask(request).await? {
            Response::Done { what } => print(&format!("{}\n", plain(&what)))?,
            Response::Blocked { blocked } => {
                if !blocked.is_empty() {
                    let cells: Vec<_> =
                        blocked.iter().map(|row| [row.jid.clone(), moment(row.at), row.by.clone()]).collect();
                    print(&table(["BLOCKED", "SINCE (UTC)", "BY"], &cells))?;
                }
                print(&format!("{} blocked.\n", grouped(blocked.len() as u64)))?;
            }
            _ => return unexpected(),
        }
        Ok(ExitCode::SUCCESS)
    }
}
