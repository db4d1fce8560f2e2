//! `rookery report`

use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

use super::account::unexpected;
use super::terminal::{counted, moment, plain, print, table};
use crate::control::{Control, ReportOutcome, ReportRow, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the reports that wait, the newest first
    List {
        /// Also those that are closed
        #[arg(long)]
        all: bool,
    },
    /// Show a report and the messages it is about
    Show {
        /// Its number from the list
        report: u64,
        /// Show the messages as they were sent, not only their text
        #[arg(long)]
        xml: bool,
    },
    /// Do something about a report, and close it
    Close {
        /// Its number from the list
        report: u64,
        /// What is done
        #[arg(long = "and", value_enum, default_value_t = Deed::Nothing)]
        deed: Deed,
        /// Close all that wait about the same person with it
        #[arg(long)]
        all: bool,
    },
}

/// What can be done about a report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Deed {
    /// Nothing; the report is dismissed
    Nothing,
    /// Remove the messages for everybody here
    Remove,
    /// Disable the account of this server
    Disable,
    /// Block the address elsewhere for everybody here
    Block,
    /// Block its whole server
    BlockServer,
}

impl From<Deed> for ReportOutcome {
    fn from(deed: Deed) -> ReportOutcome {
        match deed {
            Deed::Nothing => ReportOutcome::Dismissed,
            Deed::Remove => ReportOutcome::Removed,
            Deed::Disable => ReportOutcome::Disabled,
            Deed::Block => ReportOutcome::Blocked,
            Deed::BlockServer => ReportOutcome::ServerBlocked,
        }
    }
}

impl Command {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Command::List { all } => list(control, all).await?,
            Command::Show { report, xml } => show(control, report, xml).await?,
            Command::Close { report, deed, all } => {
                let request = Request::CloseReport { id: report, outcome: deed.into(), all };
                let Response::Done { what } = control.ask(request).await? else { return unexpected() };
                print(&format!("{}\n", plain(&what)))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(control: &mut Control, closed: bool) -> Result<()> {
    let mut rows: Vec<ReportRow> = Vec::new();
    loop {
        let before = rows.last().map(|row| row.id);
        let answer = control.ask(Request::ListReports { closed, before }).await?;
        let Response::Reports { reports } = answer else { return unexpected() };
        if reports.is_empty() {
            break;
        }
        rows.extend(reports);
    }
    if !rows.is_empty() {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                let (reported, reporter) = (row.reported.clone(), row.reporter.clone());
                let state = row.outcome.map_or("", outcome).to_owned();
                [row.id.to_string(), moment(row.at), row.reason.clone(), reported, reporter, state]
            })
            .collect();
        print(&table(["REPORT", "CAME (UTC)", "REASON", "REPORTED", "BY", ""], &cells))?;
    }
    Ok(print(&format!("{}.\n", counted(rows.len() as u64, "report")))?)
}

fn outcome(outcome: ReportOutcome) -> &'static str {
    match outcome {
        ReportOutcome::Dismissed => "dismissed",
        ReportOutcome::Disabled => "account disabled",
        ReportOutcome::Blocked => "address blocked",
        ReportOutcome::ServerBlocked => "server blocked",
        ReportOutcome::Removed => "messages removed",
    }
}

async fn show(control: &mut Control, id: u64, xml: bool) -> Result<()> {
    let answer = control.ask(Request::ShowReport { id }).await?;
    let Response::Report { report, reports, reporters, messages } = answer else { return unexpected() };
    let state = report.outcome.map_or("waits", outcome);
    let mut text = format!(
        "Report {id} of {} UTC: {}, {state}\nReported: {}, {} of {}\nBy:       {}\n",
        moment(report.at),
        report.reason,
        report.reported,
        counted(reports, "report"),
        counted(reporters, "account"),
        report.reporter,
    );
    if !report.text.is_empty() {
        text += &format!("Says:     {}\n", report.text);
    }
    for message in messages {
        let shown = if xml { message.xml } else { message.text };
        text += &format!("\nMessage of {} UTC:\n{shown}\n", moment(message.at));
    }
    Ok(print(&plain(&text))?)
}
