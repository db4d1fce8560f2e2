//! `rookery pager send`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use rookery_gateway::pager::carrier::{Handed, Order};
use rookery_gateway::pager::{snpp, tap};
use rookery_store::Urgency;

use crate::cli::terminal::print;
use crate::config::{Way, by_url};

#[derive(Args)]
pub(in crate::cli) struct Send {
    /// The carrier: snpp://HOST:PORT or tap://HOST:PORT, with NAME:PASSWORD@ before the host where it wants them
    carrier: String,
    /// The pager, as the carrier calls it
    pager: String,
    /// What the page says
    text: String,
    /// How much it matters
    #[arg(long, value_enum, default_value_t)]
    urgency: Level,
    /// Who calls
    #[arg(long, default_value = "")]
    caller: String,
    /// Ask the carrier to remember the page, and print by what it is asked about it
    #[arg(long)]
    two_way: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Level {
    #[default]
    Normal,
    Important,
    Urgent,
}

impl Send {
    pub(in crate::cli) fn run(self) -> Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        match runtime.block_on(self.hand_over())? {
            Handed::Accepted(ticket) => {
                let asked = ticket.map(|it| format!(" Ask for it by {} {}.", it.tag, it.pass));
                print(&format!("The carrier has the page.{}\n", asked.unwrap_or_default()))?;
                return Ok(ExitCode::SUCCESS);
            }
            Handed::Deferred(why) => eprintln!("The carrier may take the page later. {why}"),
            Handed::Refused(why) => eprintln!("The carrier does not take the page. {why}"),
            Handed::Unknown(why) => eprintln!("Nobody knows whether the carrier has the page. {why}"),
        }
        Ok(ExitCode::FAILURE)
    }

    async fn hand_over(&self) -> Result<Handed> {
        let way = by_url(&self.carrier).map_err(anyhow::Error::msg)?;
        let (Way::Snpp(endpoint) | Way::Tap(endpoint)) = &way else { bail!("A transmitter has no address.") };
        let urgency = match self.urgency {
            Level::Normal => Urgency::Normal,
            Level::Important => Urgency::Important,
            Level::Urgent => Urgency::Urgent,
        };
        let order = Order {
            pager: &self.pager,
            caller: &self.caller,
            text: &self.text,
            urgency,
            login: endpoint.login(),
            two_way: self.two_way,
        };
        let stream = endpoint.dial().await.map_err(anyhow::Error::msg)?;
        Ok(match way {
            Way::Tap(_) => tap::page(stream, &order).await,
            _ => snpp::page(stream, &order).await,
        })
    }
}
