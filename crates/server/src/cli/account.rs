//! `rookery account`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use super::password::{Password, PasswordArgs};
use super::terminal::{ask, counted, moment, print, qr, table};
use super::{export, import};
use crate::control::{AccountRow, Control, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an account
    ///
    /// Every account has a number. With NAME its address is NAME@domain, and the number signs in and is found too;
    /// without NAME the number is the address. The password is asked for.
    Create {
        /// The part before the @, or the whole address; may be a reserved name such as postmaster
        name: Option<String>,
        /// The name that others see
        #[arg(long)]
        nick: Option<String>,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Make many accounts from a CSV file
    ///
    /// Each line is `address,password` or `address,password,nick`. The address is a name, or name@domain, or empty for
    /// an account whose address is its number. A first line that begins with `address` is taken for a heading. Lines
    /// that cannot become an account are listed at the end; all others do, so that the file can be mended and imported
    /// again.
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        /// For load tests only: hash so weakly that a stolen database gives the passwords away
        #[arg(long)]
        insecure_fast_hashing: bool,
    },
    /// List accounts in the order of their numbers
    List {
        /// Only names that begin so
        prefix: Option<String>,
        /// Only disabled accounts
        #[arg(long)]
        disabled: bool,
    },
    /// Keep an account from signing in; nothing of it is lost
    Disable {
        /// Number, name or address
        account: String,
    },
    /// Let a disabled account sign in again
    Enable {
        /// Number, name or address
        account: String,
    },
    /// Let an account administer the server from its client, or not any more
    Admin {
        /// Number, name or address
        account: String,
        /// on or off
        #[arg(value_enum)]
        switch: Switch,
    },
    /// Take an administrator's second factor away, for who has lost it
    SecondFactor {
        /// Number, name or address
        account: String,
        /// off
        #[arg(value_parser = ["off"])]
        switch: String,
    },
    /// Take a bot or a bridge out of the limits of pace, or put it back
    Unlimited {
        /// Number, name or address
        account: String,
        /// on or off
        #[arg(value_enum)]
        switch: Switch,
    },
    /// Set a new password
    Passwd {
        /// Number, name or address
        account: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Make a one-time link with which the first administrator makes an account
    ///
    /// Whoever opens it in a browser chooses nick and password, and may administer the server. It is good for a day; a newer
    /// one takes its place. `rookery serve` shows one as long as nobody is here.
    AdminLink,
    /// Make a one-time link with which somebody who has forgotten the password sets a new one
    ///
    /// All devices of the account are signed out when it is used. It is good for a day; a newer one takes its place. Give it
    /// to nobody but the person whose account it is.
    RecoveryLink {
        /// Number, name or address
        account: String,
    },
    /// Write everything that is an account's into a ZIP archive
    ///
    /// It has pages to read (index.html) and a document that other servers can read (account.xml, XEP-0227): contacts,
    /// messages, cards, pictures, settings. Give it to nobody but the person it belongs to.
    Export {
        /// Number, name or address
        account: String,
        /// The archive [default: ADDRESS-DATE.zip in the working directory]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// With the keys that the password is proven with, for another server: who has them can guess at the password
        #[arg(long)]
        credentials: bool,
    },
    /// Approve or refuse new accounts that wait, or list them
    ///
    /// While `registration.mode` is "review", who signs up without an invitation waits. What is refused is deleted.
    Review {
        /// Number, name or address
        #[arg(requires = "verdict")]
        account: Option<String>,
        #[command(flatten)]
        verdict: Verdict,
    },
    /// Delete an account with its messages and contacts, for good
    Delete {
        /// Number, name or address
        account: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What becomes of an account that waits.
#[derive(Args)]
#[group(id = "verdict", requires = "account", multiple = false)]
pub(super) struct Verdict {
    /// Let it talk to everybody
    #[arg(long)]
    approve: bool,
    /// Delete it
    #[arg(long)]
    refuse: bool,
}

/// On or off.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Switch {
    /// From now on.
    On,
    /// Not any more.
    Off,
}

impl Command {
    /// Whether the command may make the data directory.
    pub(super) fn makes(&self) -> bool {
        matches!(self, Command::Create { .. } | Command::Import { .. })
    }

    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        match self {
            Command::Create { name, nick, password } => {
                let Password { text, generated } = password.get()?;
                let address = name.unwrap_or_default();
                let request = Request::Create { address, nick, password: text.clone() };
                let row = account(control.ask(request).await?)?;
                print(&created(&row))?;
                tell(generated.then_some(text))?;
            }
            Command::Import { file, insecure_fast_hashing } => {
                return import::run(control, &file, insecure_fast_hashing).await;
            }
            Command::List { prefix, disabled } => list(control, prefix, disabled).await?,
            Command::Disable { account: named } => {
                let row =
                    account(control.ask(Request::SetDisabled { account: named, disabled: true }).await?)?;
                print(&format!("{} cannot sign in any more.\n", described(&row)))?;
            }
            Command::Enable { account: named } => {
                let row =
                    account(control.ask(Request::SetDisabled { account: named, disabled: false }).await?)?;
                print(&format!("{} can sign in again.\n", described(&row)))?;
            }
            Command::Admin { account: named, switch } => {
                let admin = switch == Switch::On;
                let row = account(control.ask(Request::SetAdmin { account: named, admin }).await?)?;
                let does = if admin { "administers the server" } else { "does not administer the server" };
                print(&format!("{} {does}.\n", described(&row)))?;
            }
            Command::SecondFactor { account: named, switch: _ } => {
                let row = account(control.ask(Request::RemoveFactor { account: named }).await?)?;
                print(&format!("{} has no second factor.\n", described(&row)))?;
            }
            Command::Unlimited { account: named, switch } => {
                let unlimited = switch == Switch::On;
                let row = account(control.ask(Request::SetUnlimited { account: named, unlimited }).await?)?;
                let may = if unlimited { "may go as fast as it can" } else { "keeps to the limits" };
                print(&format!("{} {may}.\n", described(&row)))?;
            }
            Command::Passwd { account: named, password } => {
                account(control.ask(Request::Show { account: named.clone() }).await?)?;
                let Password { text, generated } = password.get()?;
                let request = Request::SetPassword { account: named, password: text.clone() };
                let row = account(control.ask(request).await?)?;
                print(&format!("{} has a new password.\n", described(&row)))?;
                tell(generated.then_some(text))?;
            }
            Command::AdminLink => link(control, Request::AdminLink, "becomes an administrator").await?,
            Command::RecoveryLink { account: named } => {
                let row = account(control.ask(Request::Show { account: named.clone() }).await?)?;
                let does = format!("sets a new password of {}", described(&row));
                link(control, Request::RecoveryLink { account: named }, &does).await?;
            }
            Command::Export { account: named, output, credentials } => {
                export::run(control, named, output, credentials).await?;
            }
            Command::Review { account, verdict } => review(control, account, verdict).await?,
            Command::Delete { account: named, yes } => delete(control, named, yes).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Makes a link and shows it; `does`: what who opens it does.
async fn link(control: &mut Control, request: Request, does: &str) -> Result<()> {
    let Response::Link { token, page, expires } = control.ask(request).await? else { return unexpected() };
    let shown = match page {
        Some(page) => format!("{}\n{page}\n", qr(&page)),
        None => {
            format!("The token is {token}; no address is configured that the messenger could be opened at.\n")
        }
    };
    let until = moment(expires);
    Ok(print(&format!("{shown}\nWho opens it first {does}, until {until} UTC. It is shown only now.\n"))?)
}

async fn review(control: &mut Control, named: Option<String>, verdict: Verdict) -> Result<()> {
    let Some(named) = named else {
        let Response::Accounts { accounts } = control.ask(Request::Waiting).await? else {
            return unexpected();
        };
        let cell = |row: &AccountRow| {
            let nick = row.nick.clone().unwrap_or_default();
            [row.number.to_string(), row.address.clone(), nick, moment(row.created)]
        };
        if !accounts.is_empty() {
            let cells: Vec<_> = accounts.iter().map(cell).collect();
            print(&table(["NUMBER", "ADDRESS", "NICK", "SINCE (UTC)"], &cells))?;
        }
        print(&format!("{} to be reviewed.\n", counted(accounts.len() as u64, "account")))?;
        return Ok(());
    };
    let request = Request::Review { account: named, approve: verdict.approve };
    let row = account(control.ask(request).await?)?;
    let became = if verdict.approve { "is approved" } else { "is refused, and deleted" };
    print(&format!("{} {became}.\n", described(&row)))?;
    Ok(())
}

async fn list(control: &mut Control, prefix: Option<String>, disabled: bool) -> Result<()> {
    let mut rows: Vec<AccountRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.number);
        let request = Request::List { after, prefix: prefix.clone(), disabled };
        let Response::Accounts { accounts } = control.ask(request).await? else { return unexpected() };
        if accounts.is_empty() {
            break;
        }
        rows.extend(accounts);
    }
    if !rows.is_empty() {
        let cells: Vec<_> = rows
            .iter()
            .map(|row| {
                let nick = row.nick.clone().unwrap_or_default();
                let state = if row.disabled { "disabled" } else { "" };
                [row.number.to_string(), row.address.clone(), nick, moment(row.created), state.to_owned()]
            })
            .collect();
        print(&table(["NUMBER", "ADDRESS", "NICK", "CREATED (UTC)", ""], &cells))?;
    }
    Ok(print(&format!("{}.\n", counted(rows.len() as u64, "account")))?)
}

async fn delete(control: &mut Control, named: String, yes: bool) -> Result<()> {
    let row = account(control.ask(Request::Show { account: named }).await?)?;
    if !yes {
        let question =
            format!("Delete {} with all messages and contacts, for good? (yes/no)", described(&row));
        match ask(&question)?.as_deref() {
            Some("yes" | "y") => {}
            Some(_) => bail!("Nothing was deleted."),
            None => {
                bail!("Nothing was deleted: there is no terminal to ask whether you are sure. Use --yes.")
            }
        }
    }
    let row = account(control.ask(Request::Delete { account: row.number.to_string() }).await?)?;
    Ok(print(&format!("{} is deleted.\n", described(&row)))?)
}

pub(super) fn account(response: Response) -> Result<AccountRow> {
    match response {
        Response::Account(row) => Ok(row),
        _ => unexpected(),
    }
}

/// The server answered something else.
pub(super) fn unexpected<T>() -> Result<T> {
    bail!(
        "The running server gave an answer that this command does not know: they are of different versions."
    )
}

fn created(row: &AccountRow) -> String {
    let number = row.number;
    if row.address.starts_with(&format!("{number}@")) {
        format!("The account {} is made.\n", row.address)
    } else {
        format!("The account {} is made. Its number is {number}.\n", row.address)
    }
}

/// The address, and the number where it is another.
fn described(row: &AccountRow) -> String {
    let number = row.number;
    if row.address.starts_with(&format!("{number}@")) {
        row.address.clone()
    } else {
        format!("{} ({number})", row.address)
    }
}

fn tell(password: Option<String>) -> Result<()> {
    if let Some(password) = password {
        print(&format!("Its password is {password}\n"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_told_by_address_and_number() {
        let row = |address: &str| AccountRow {
            number: 10_001,
            address: address.to_owned(),
            nick: None,
            created: 0,
            disabled: false,
        };
        assert_eq!(described(&row("10001@localhost")), "10001@localhost");
        assert_eq!(described(&row("alice@localhost")), "alice@localhost (10001)");
        assert_eq!(
            created(&row("alice@localhost")),
            "The account alice@localhost is made. Its number is 10001.\n"
        );
    }
}
