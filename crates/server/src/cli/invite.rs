//! `rookery invite`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use rookery_core::limits::INVITE_USES_MOST;

use super::account::unexpected;
use super::terminal::{counted, grouped, moment, print, qr, table};
use crate::control::{Control, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an invitation, and show its link and a code that phones read
    Create(Create),
    /// List invitations; their tokens are not kept
    List,
    /// Take an invitation back
    Revoke {
        /// Its token, or its id from the list
        invite: String,
    },
}

#[derive(Args)]
pub(super) struct Create {
    /// Whose invitation it is: the page and the list say so
    #[arg(long = "for", value_name = "ACCOUNT")]
    account: Option<String>,
    /// Who comes and ACCOUNT are in each other's list of contacts
    #[arg(long, requires = "account")]
    contact: bool,
    /// The name that the account will have; nobody else gets it meanwhile
    #[arg(long, conflicts_with = "uses")]
    name: Option<String>,
    /// The group that they become a member of, as 700001@groups.example.org
    #[arg(long, value_name = "ADDRESS")]
    group: Option<String>,
    /// How many accounts can be made with it
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(INVITE_USES_MOST)))]
    uses: u32,
    /// How long it is valid: minutes (30m), hours (12h) or days (7d)
    #[arg(long, default_value = "7d", value_name = "TIME", value_parser = seconds)]
    expires: u64,
}

/// A time as people write it, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "this is a number with m, h or d, such as 7d".to_owned();
    let unit = match text.bytes().last() {
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

impl Command {
    /// Whether the command may make the data directory.
    pub(super) fn makes(&self) -> bool {
        matches!(self, Command::Create(_))
    }

    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Command::Create(wanted) => create(control, wanted).await?,
            Command::List => list(control).await?,
            Command::Revoke { invite } => {
                control.ask(Request::RevokeInvite { invite }).await?;
                print("The invitation is taken back. Accounts that were made with it stay.\n")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn create(control: &mut Control, wanted: Create) -> Result<()> {
    let Create { account, contact, name, group, uses, expires } = wanted;
    let request = Request::CreateInvite { uses, seconds: expires, account, contact, name, group };
    let response = control.ask(request).await?;
    let Response::Invited { token, link, page, invite } = response else { return unexpected() };
    let until = moment(invite.expires);
    let accounts = counted(u64::from(invite.uses), "account");
    let page = page.map(|page| format!("{page}\n")).unwrap_or_default();
    print(&format!(
        "{}\n{page}{link}\n\nWho opens one of these, or enters the token {token}, can make {accounts} until {until} UTC. \
         It is shown only now.\n",
        qr(page.lines().next().unwrap_or(&link))
    ))?;
    Ok(())
}

async fn list(control: &mut Control) -> Result<()> {
    let Response::Invites { invites } = control.ask(Request::ListInvites).await? else {
        return unexpected();
    };
    if !invites.is_empty() {
        let cells: Vec<_> = invites
            .iter()
            .map(|invite| {
                let state = if invite.ended { "ended" } else { "" };
                let of = invite.of.clone().unwrap_or_default();
                let uses = grouped(u64::from(invite.uses));
                [invite.id.clone(), uses, moment(invite.expires), of, invite.what.clone(), state.to_owned()]
            })
            .collect();
        print(&table(["ID", "LEFT", "ENDS (UTC)", "OF", "FOR", ""], &cells))?;
    }
    print(&format!("{}.\n", counted(invites.len() as u64, "invitation")))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, expected) in [("30m", 1_800), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(seconds(text), Ok(expected));
        }
        for text in ["", "7", "d", "0d", "-1d", "7 d", "99999999999999999999d", "7é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
