//! `rookery doctor`

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;

use super::terminal::{plain, print};
use crate::config::Config;
use crate::mail::doctor::{Finding, examine};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Look at what the DNS and the network say of this mail server
    ///
    /// MX, PTR, SPF, DKIM and DMARC, and port 25 as it is seen from here. It asks the system's name server, and connects to
    /// nobody but this server itself. Ends with 1 if anything is wrong.
    Mail,
}

impl Command {
    pub(super) fn run(self, config: &Config) -> Result<ExitCode> {
        let Command::Mail = self;
        if !config.mail.enabled {
            bail!("Mail is not enabled: `mail.enabled` in the configuration.");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let findings = runtime.block_on(examine(config))?;
        print(&findings.iter().map(said).collect::<String>())?;
        let good = findings.iter().all(|finding| finding.good);
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn said(finding: &Finding) -> String {
    let mark = if finding.good { "ok  " } else { "BAD " };
    let line = match finding.line.as_str() {
        "" => String::new(),
        line => format!("      {}\n", plain(line)),
    };
    format!("{mark}{}\n{line}", plain(&finding.text))
}
