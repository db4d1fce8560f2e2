//! `rookery duty`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::account::unexpected;
use super::terminal::{counted, plain, print, table};
use crate::control::{Control, DutyRequest, DutyRow, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a group, or change who takes turns in it, and when
    Set(Set),
    /// Have somebody stand in for a while
    Cover {
        /// The group
        name: String,
        /// A number, a name or an address
        account: String,
        /// From when, by the group's clock: 2026-01-05T08:00
        #[arg(long)]
        from: String,
        /// Until when
        #[arg(long)]
        until: String,
    },
    /// Have nobody stand in any more
    Uncover {
        /// The group
        name: String,
    },
    /// List groups, and who is on duty
    List,
    /// Print the turns to come as a calendar (iCalendar)
    Calendar {
        /// The group
        name: String,
    },
    /// Remove a group
    Remove {
        /// The group
        name: String,
    },
}

#[derive(Args)]
pub(super) struct Set {
    /// What is paged: a number or a name
    name: String,
    /// Accounts in the order of their turns
    #[arg(required = true)]
    people: Vec<String>,
    /// How many days a turn has: 1, or 7 for weeks
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// When turns end
    #[arg(long, default_value = "08:00")]
    at: String,
    /// The day on which the first turn begins, as 2026-01-05; without it today
    #[arg(long)]
    since: Option<String>,
    /// The time zone
    #[arg(long, default_value = "UTC")]
    zone: String,
    /// Minutes after which the next person is told
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1440))]
    patience: u32,
}

impl Command {
    /// Asks the server.
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        let request = match self {
            Command::Set(Set { name, people, days, at, since, zone, patience }) => {
                DutyRequest::Set { name, people, days, at, since, zone, patience }
            }
            Command::Cover { name, account, from, until } => {
                DutyRequest::Cover { name, account, from, until }
            }
            Command::Uncover { name } => DutyRequest::Uncover { name },
            Command::List => DutyRequest::List,
            Command::Calendar { name } => DutyRequest::Calendar { name },
            Command::Remove { name } => DutyRequest::Remove { name },
        };
        match control.ask(Request::Duty { request }).await? {
            Response::Done { what } => print(&format!("{}\n", plain(&what)))?,
            Response::Calendar { calendar } => print(&calendar)?,
            Response::Duties { duties } => list(duties)?,
            _ => return unexpected(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn list(rows: Vec<DutyRow>) -> Result<()> {
    let cells: Vec<_> = rows.into_iter().map(cells).collect();
    if !cells.is_empty() {
        print(&table(["GROUP", "ON DUTY", "TURN", "HANDOVER", "NEXT PERSON"], &cells))?;
    }
    print(&format!("{}.\n", counted(cells.len() as u64, "group")))?;
    Ok(())
}

fn cells(row: DutyRow) -> [String; 5] {
    let DutyRow { name, on_duty, days, handover, patience } = row;
    [
        name,
        on_duty.join(", "),
        counted(days.into(), "day"),
        handover,
        format!("after {}", counted(patience.into(), "minute")),
    ]
}
