//! `rookery pager`

mod encode;
mod send;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::account::unexpected;
use super::terminal::{plain, print, table};
use crate::control::{Control, DeviceRow, PagerRequest, PagerRow, Request, Response};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Give an account a pager number
    ///
    /// Pages to the number come into the account's conversations. With a carrier there is a device behind it, which the account can be
    /// reached by.
    Add(Add),
    /// List pager numbers
    List {
        /// Only those of this account
        account: Option<String>,
    },
    /// Take a pager number away
    Remove {
        /// As it is in the list
        number: String,
    },
    /// Encode pages as POCSAG, for a transmitter or a decoder
    ///
    /// The sound is one channel of 22,050 samples a second. Without a server: nothing is sent anywhere.
    Encode(encode::Encode),
    /// Hand one page to a carrier
    ///
    /// To try whether a carrier takes pages, without a server. Says what the carrier said; the exit status is 0 when it took the
    /// page.
    Send(send::Send),
}

#[derive(Args)]
pub(super) struct Add {
    /// A number, a name or an address
    account: String,
    /// The pager number: digits, mostly
    number: String,
    /// The carrier of the device, as the configuration names it
    #[arg(long, requires = "address")]
    carrier: Option<String>,
    /// What the carrier calls the device: an id, or for POCSAG its RIC
    #[arg(long, requires = "carrier")]
    address: Option<String>,
    /// The device shows digits alone
    #[arg(long, requires = "carrier")]
    numeric: bool,
    /// The device can answer
    #[arg(long, requires = "carrier")]
    two_way: bool,
    /// The signs that the device shows
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u16).range(1..=4000))]
    length: u16,
}

impl Command {
    /// Whether it needs no server and none of its data.
    pub(super) fn stands_alone(&self) -> bool {
        matches!(self, Command::Encode(_) | Command::Send(_))
    }

    /// Does one that stands alone.
    pub(super) fn alone(self) -> Result<ExitCode> {
        match self {
            Command::Encode(encode) => encode.run().map(|()| ExitCode::SUCCESS),
            Command::Send(send) => send.run(),
            Command::Add(_) | Command::List { .. } | Command::Remove { .. } => unexpected(),
        }
    }

    /// Does one that asks the server.
    pub(super) async fn run(self, control: &mut Control) -> Result<ExitCode> {
        let request = match self {
            Command::List { account } => return list(control, account).await,
            Command::Add(add) => add.request(),
            Command::Remove { number } => PagerRequest::Remove { number },
            Command::Encode(_) | Command::Send(_) => return unexpected(),
        };
        match control.ask(Request::Pager { request }).await? {
            Response::Done { what } => print(&format!("{}\n", plain(&what)))?,
            _ => return unexpected(),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn request(self) -> PagerRequest {
        let Add { account, number, carrier, address, numeric, two_way, length } = self;
        let device = carrier.zip(address);
        let device =
            device.map(|(carrier, address)| DeviceRow { carrier, address, numeric, two_way, length });
        PagerRequest::Add { account, number, device }
    }
}

/// All of them, part by part.
async fn list(control: &mut Control, account: Option<String>) -> Result<ExitCode> {
    let mut rows: Vec<PagerRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.number.clone()).unwrap_or_default();
        let request = PagerRequest::List { account: account.clone(), after };
        let Response::Pagers { pagers } = control.ask(Request::Pager { request }).await? else {
            return unexpected();
        };
        if pagers.is_empty() {
            break;
        }
        rows.extend(pagers);
    }
    let cells: Vec<_> = rows.into_iter().map(cells).collect();
    if !cells.is_empty() {
        print(&table(["NUMBER", "ACCOUNT", "CARRIER", "DEVICE", "SHOWS"], &cells))?;
    }
    print(&format!("{}.\n", super::terminal::counted(cells.len() as u64, "pager number")))?;
    Ok(ExitCode::SUCCESS)
}

fn cells(row: PagerRow) -> [String; 5] {
    let PagerRow { number, account, device } = row;
    let Some(device) = device else {
        return [number, account, "-".to_owned(), "-".to_owned(), "-".to_owned()];
    };
    let what = if device.numeric { "digits" } else { "signs" };
    let both = if device.two_way { ", answers" } else { "" };
    [number, account, device.carrier, device.address, format!("{} {what}{both}", device.length)]
}
