//! `rookery announce`: the server tells everybody something.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::account::unexpected;
use super::terminal::{counted, grouped, print};
use crate::control::{Control, Request, Response};

/// How often it is asked how far an announcement has come.
const EVERY: Duration = Duration::from_millis(500);

#[derive(Args)]
pub(super) struct Command {
    /// What it says
    text: String,
    /// What it is about
    #[arg(long, default_value = "")]
    subject: String,
    /// Only those who are online, who see it once; nobody keeps it
    #[arg(long)]
    online: bool,
}

impl Command {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        let Command { text, subject, online } = self;
        let mut answer = control.ask(Request::Announce { subject, text, online }).await?;
        loop {
            match answer {
                Response::Shown { devices } => {
                    print(&format!("It was shown on {}.\n", counted(devices, "device")))?;
                    return Ok(ExitCode::SUCCESS);
                }
                Response::Announcing { done: true, accounts, .. } => {
                    print(&format!("It is in the log of {}.\n", counted(accounts, "account")))?;
                    return Ok(ExitCode::SUCCESS);
                }
                Response::Announcing { id, sent, accounts, .. } => {
                    print(&format!("{} of {} so far.\n", grouped(sent), counted(accounts, "account")))?;
                    tokio::time::sleep(EVERY).await;
                    answer = control.ask(Request::Announcement { id }).await?;
                }
                _ => return unexpected(),
            }
        }
    }
}
