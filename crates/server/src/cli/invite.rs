//! `rookery invite`

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use super::account::unexpected;
use super::terminal::{counted, grouped, moment, print, table};
use crate::control::{Control, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an invitation and show its token
    Create {
        /// How many accounts can be made with it
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        uses: u32,
        /// How many days it is valid
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=3_650))]
        days: u32,
    },
    /// List invitations; their tokens are not kept
    List,
    /// Take an invitation back
    Revoke {
        /// Its token, or its id from the list
        invite: String,
    },
}

impl Command {
    /// Whether the command may make the data directory.
    pub(super) fn makes(&self) -> bool {
        matches!(self, Command::Create { .. })
    }

    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Command::Create { uses, days } => {
                let response = control.ask(Request::CreateInvite { uses, days }).await?;
                let Response::Invited { token, link, invite } = response else { return unexpected() };
                let until = moment(invite.expires);
                let accounts = counted(u64::from(invite.uses), "account");
                print(&format!(
                    "{token}\n{link}\n\nThis token, or the link with it, makes {accounts} until {until} UTC. It is shown only now.\n"
                ))?;
            }
            Command::List => {
                let Response::Invites { invites } = control.ask(Request::ListInvites).await? else {
                    return unexpected();
                };
                if !invites.is_empty() {
                    let cells: Vec<_> = invites
                        .iter()
                        .map(|invite| {
                            let state = if invite.ended { "ended" } else { "" };
                            let uses = grouped(u64::from(invite.uses));
                            [invite.id.clone(), uses, moment(invite.expires), state.to_owned()]
                        })
                        .collect();
                    print(&table(["ID", "ACCOUNTS LEFT", "ENDS (UTC)", ""], &cells))?;
                }
                print(&format!("{}.\n", counted(invites.len() as u64, "invitation")))?;
            }
            Command::Revoke { invite } => {
                control.ask(Request::RevokeInvite { invite }).await?;
                print("The invitation is taken back. Accounts that were made with it stay.\n")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
