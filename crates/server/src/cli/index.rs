//! `rookery index`: the index of the full-text search.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::account::unexpected;
use super::progress::Progress;
use super::terminal::{grouped, print};
use crate::control::{Control, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make the index anew
    ///
    /// It is never needed for a damaged index, which the server notices itself; but after a backup was restored. Until it is
    /// done, searches find only what is in it so far. It can be interrupted: the server goes on with it.
    Rebuild,
}

impl Command {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        let Command::Rebuild = self;
        let mut progress = Progress::new("message");
        let mut answer = control.ask(Request::DropIndex).await?;
        loop {
            match answer {
                Response::Indexed { done, total, more } => {
                    progress.show(done, total);
                    if !more {
                        print(&format!("The index is made: {} of {}.\n", grouped(done), grouped(total)))?;
                        return Ok(ExitCode::SUCCESS);
                    }
                }
                _ => return unexpected(),
            }
            answer = control.ask(Request::Index).await?;
        }
    }
}
