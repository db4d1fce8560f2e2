//! `rookery files`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use rookery_core::xep::upload::people;

use super::account::unexpected;
use super::terminal::{ask, counted, moment, plain, print, table};
use crate::control::{Control, FileFilter, FileRow, Request, Response, UsageRow};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List uploaded files, the newest first
    List(Wanted),
    /// Show how much room files take, the most first
    Usage {
        /// Number, name or address of one account [default: all that have files]
        account: Option<String>,
    },
    /// Remove files: whoever has their addresses finds nothing there any more
    ///
    /// The messages that name them stay. The bytes are erased within some minutes while the server runs, or when it is
    /// started, unless the same file was uploaded otherwise too.
    Remove {
        /// Each as it is called in the list, or its address
        #[arg(required = true)]
        files: Vec<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which files.
#[derive(Args)]
pub(super) struct Wanted {
    /// Only of this account: number, name or address
    #[arg(long)]
    account: Option<String>,
    /// Only those of this type, or whose type begins so, as image/
    #[arg(long = "type", value_name = "TYPE")]
    media_type: Option<String>,
    /// Only those of so many megabytes or more
    #[arg(long, value_name = "MB", default_value_t = 0)]
    larger: u64,
    /// Only those that were asked for so many days ago, or earlier
    #[arg(long, value_name = "DAYS")]
    older: Option<u32>,
    /// Only those that no message is seen to name
    #[arg(long)]
    unnamed: bool,
}

impl From<Wanted> for FileFilter {
    fn from(wanted: Wanted) -> FileFilter {
        FileFilter {
            account: wanted.account,
            at_least: wanted.larger.saturating_mul(1_000_000),
            media_type: wanted.media_type,
            older_days: wanted.older,
            unnamed: wanted.unnamed,
        }
    }
}

impl Command {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Command::List(wanted) => list(control, wanted.into()).await?,
            Command::Usage { account } => usage(control, account).await?,
            Command::Remove { files, yes } => remove(control, files, yes).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(control: &mut Control, filter: FileFilter) -> Result<()> {
    let mut rows: Vec<FileRow> = Vec::new();
    loop {
        let before = rows.last().map(|row| row.number);
        let request = Request::ListFiles { filter: filter.clone(), before };
        let Response::Files { files } = control.ask(request).await? else { return unexpected() };
        if files.is_empty() {
            break;
        }
        rows.extend(files);
    }
    if !rows.is_empty() {
        let cells: Vec<_> = rows.iter().map(cells).collect();
        print(&table(["FILE", "CAME (UTC)", "ACCOUNT", "SIZE", "TYPE", "NAMED", "GOES", "NAME"], &cells))?;
    }
    let bytes = rows.iter().map(|row| row.size).sum();
    Ok(print(&format!("{}, {}.\n", counted(rows.len() as u64, "file"), people(bytes)))?)
}

fn cells(row: &FileRow) -> [String; 8] {
    let goes = match row.due {
        Some(due) if row.arrived => moment(due),
        Some(_) => "not come yet".to_owned(),
        None => String::new(),
    };
    [
        row.token.clone(),
        moment(row.at),
        row.account.clone(),
        people(row.size),
        row.media_type.clone(),
        row.refs.to_string(),
        goes,
        row.name.clone(),
    ]
}

async fn usage(control: &mut Control, account: Option<String>) -> Result<()> {
    let mut rows: Vec<UsageRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.number);
        let answer = control.ask(Request::FileUsage { account: account.clone(), after }).await?;
        let Response::FileUsage { accounts, quota, stored_files, stored_bytes, total } = answer else {
            return unexpected();
        };
        let end = accounts.is_empty() || account.is_some();
        rows.extend(accounts);
        if !end {
            continue;
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.bytes));
        if !rows.is_empty() {
            let cells: Vec<_> = rows.iter().map(|row| shares(row, quota)).collect();
            print(&table(["ACCOUNT", "FILES", "ROOM", "OF", ""], &cells))?;
        }
        let most = total.map(|total| format!(" of {}", people(total))).unwrap_or_default();
        let all = counted(stored_files, "file");
        let text = format!(
            "All accounts together: {all}, {}{most}; the same is stored once.\n",
            people(stored_bytes)
        );
        return Ok(print(&text)?);
    }
}

fn shares(row: &UsageRow, quota: Option<u64>) -> [String; 5] {
    let share = match quota {
        Some(quota) if quota > 0 => format!("{}%", u128::from(row.bytes) * 100 / u128::from(quota)),
        _ => String::new(),
    };
    let most = quota.map(people).unwrap_or_else(|| "no quota".to_owned());
    [row.account.clone(), row.files.to_string(), people(row.bytes), most, share]
}

async fn remove(control: &mut Control, files: Vec<String>, yes: bool) -> Result<()> {
    if !yes {
        let question = format!("Remove {} for good? (yes/no)", counted(files.len() as u64, "file"));
        match ask(&question)?.as_deref() {
            Some("yes" | "y") => {}
            Some(_) => bail!("Nothing was removed."),
            None => {
                bail!("Nothing was removed: there is no terminal to ask whether you are sure. Use --yes.")
            }
        }
    }
    for file in files {
        let Response::Done { what } = control.ask(Request::RemoveFile { file }).await? else {
            return unexpected();
        };
        print(&format!("{}\n", plain(&what)))?;
    }
    Ok(())
}
