//! `rookery group`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;

use super::account::unexpected;
use super::terminal::{ask, counted, moment, print, table};
use crate::control::{Control, GroupRow, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a group that lasts
    ///
    /// Every group has a number. With NAME its address is NAME@groups.domain, and the number finds it too.
    Create {
        /// The part before the @
        name: Option<String>,
        /// The account that decides about it
        #[arg(long, value_name = "ACCOUNT")]
        owner: Option<String>,
        /// For members only, and in no list
        #[arg(long)]
        private: bool,
    },
    /// List groups in the order of their numbers
    List,
    /// Show what is known of a group
    Info {
        /// Number, name or address
        group: String,
    },
    /// Make an account a member of a group, or something else to it
    Affiliate {
        /// Number, name or address
        group: String,
        /// Number, name or address
        account: String,
        /// owner, admin, member, none or outcast
        #[arg(value_parser = ["owner", "admin", "member", "none", "outcast"])]
        affiliation: String,
    },
    /// End a group with everything that was said in it, for good
    Destroy {
        /// Number, name or address
        group: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Command {
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Command::Create { name, owner, private } => {
                let row = group(control.ask(Request::CreateGroup { name, owner, private }).await?)?;
                print(&format!("The group {} is made. Its number is {}.\n", row.local, row.number))?;
            }
            Command::List => list(control).await?,
            Command::Info { group: named } => {
                print(&described(&group(control.ask(Request::ShowGroup { group: named }).await?)?))?;
            }
            Command::Affiliate { group: named, account, affiliation } => {
                let request = Request::AffiliateGroup {
                    group: named,
                    account: account.clone(),
                    affiliation: affiliation.clone(),
                };
                let row = group(control.ask(request).await?)?;
                print(&format!("{account} is now in the group {}: {affiliation}.\n", row.local))?;
            }
            Command::Destroy { group: named, yes } => destroy(control, named, yes).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn list(control: &mut Control) -> Result<()> {
    let mut rows: Vec<GroupRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.number);
        let Response::Groups { groups } = control.ask(Request::ListGroups { after }).await? else {
            return unexpected();
        };
        if groups.is_empty() {
            break;
        }
        rows.extend(groups);
    }
    if !rows.is_empty() {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                let (number, here) = (row.number.to_string(), row.occupants.to_string());
                [number, row.local.clone(), row.title.clone(), here, moment(row.created), row.kind.clone()]
            })
            .collect();
        print(&table(["NUMBER", "ADDRESS", "NAME", "HERE", "CREATED (UTC)", ""], &cells))?;
    }
    Ok(print(&format!("{}.\n", counted(rows.len() as u64, "group")))?)
}

async fn destroy(control: &mut Control, named: String, yes: bool) -> Result<()> {
    let row = group(control.ask(Request::ShowGroup { group: named }).await?)?;
    if !yes {
        let question = format!("End the group {} with all messages, for good? (yes/no)", row.local);
        match ask(&question)?.as_deref() {
            Some("yes" | "y") => {}
            Some(_) => bail!("Nothing was ended."),
            None => bail!("Nothing was ended: there is no terminal to ask whether you are sure. Use --yes."),
        }
    }
    let row = group(control.ask(Request::DestroyGroup { group: row.number.to_string() }).await?)?;
    Ok(print(&format!("The group {} is no more.\n", row.local))?)
}

fn group(response: Response) -> Result<GroupRow> {
    match response {
        Response::Group(row) => Ok(row),
        _ => unexpected(),
    }
}

fn described(row: &GroupRow) -> String {
    let owners = if row.owners.is_empty() { "nobody".to_owned() } else { row.owners.join(", ") };
    let mut text = format!("{} (number {})\n", row.local, row.number);
    for (name, value) in [("Name", &row.title), ("Kind", &row.kind)] {
        if !value.is_empty() {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    text.push_str(&format!("Made: {} UTC\nOwners: {owners}\n", moment(row.created)));
    text.push_str(&format!("In its lists: {}\nIn it now: {}\n", row.people, row.occupants));
    text
}
