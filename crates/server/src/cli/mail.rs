//! `rookery mail`

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use super::account::unexpected;
use super::terminal::{grouped, moment, plain, print, table};
use crate::config::Config;
use crate::control::{Control, Request, Response};
use crate::mail::keys;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the DNS records of the keys that sign mail; makes the keys if there are none
    ///
    /// The keys are in the folder "dkim" of the data directory, and the server signs with them from the next minute on.
    Dkim {
        /// Make new keys
        ///
        /// They sign after two days, so that their records are known everywhere by then. Remove the records and files of the old
        /// ones after a week.
        #[arg(long)]
        rotate: bool,
    },
    /// Look at mails on their way out, and do something about them
    Queue {
        #[command(subcommand)]
        command: Option<Queue>,
    },
}

#[derive(Subcommand)]
pub(super) enum Queue {
    /// List them
    List,
    /// Try one now, or all
    Retry {
        /// Its number in the list
        id: Option<u64>,
    },
    /// Give one up, and tell its sender
    Drop {
        /// Its number in the list
        id: u64,
    },
}

/// Keys, and where they are to be published.
pub(super) fn dkim(config: &Config, rotate: bool) -> Result<()> {
    let today = keys::today();
    let folder = keys::folder(&config.data);
    let mut found = keys::read(&folder, &config.domain)?;
    if found.is_empty() || rotate {
        eprintln!("Keys are made. This takes a moment.");
        keys::make(&folder, today).with_context(|| format!("No keys can be made in {}", folder.display()))?;
        found = keys::read(&folder, &config.domain)?;
    }
    let signing = keys::signing(&found, today);
    let mut text = String::from("These lines go into the domain's zone:\n\n");
    for (at, key) in found.iter().enumerate() {
        let note = if signing.contains(&at) { "signs now" } else { "does not sign now" };
        text += &format!("; {note}\n{}\n\n", key.line(&config.domain));
    }
    print(&text)?;
    Ok(())
}

impl Queue {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Queue::List => list(control).await?,
            Queue::Retry { id } => done(control, Request::RetryMail { id }).await?,
            Queue::Drop { id } => done(control, Request::DropMail { id }).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn done(control: &mut Control, request: Request) -> Result<()> {
    match control.ask(request).await? {
        Response::Done { what } => Ok(print(&format!("{}\n", plain(&what)))?),
        _ => unexpected(),
    }
}

async fn list(control: &mut Control) -> Result<()> {
    let mut rows = Vec::new();
    let mut after = 0;
    while let Response::MailQueue { mails } = control.ask(Request::MailQueue { after }).await? {
        let Some(last) = mails.last() else { break };
        after = last.id;
        rows.extend(mails.into_iter().map(|mail| {
            let times = mail.attempts.to_string();
            [
                mail.id.to_string(),
                plain(&mail.sender),
                plain(&mail.recipient),
                moment(mail.at),
                times,
                moment(mail.next),
                plain(&mail.trouble),
            ]
        }));
    }
    if !rows.is_empty() {
        print(&table(["ID", "FROM", "TO", "SINCE (UTC)", "TRIED", "NEXT (UTC)", "LAST ANSWER"], &rows))?;
    }
    print(&format!("{} in the queue.\n", grouped(rows.len() as u64)))?;
    Ok(())
}
