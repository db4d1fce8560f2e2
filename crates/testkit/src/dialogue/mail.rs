//! Another mail server in a dialogue, which brings mail by SMTP: what it says and what it hears, line by line.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

use super::run::Play;
use super::template::{Variables, fill, matches};
use crate::clock;

/// Where it is.
const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

const MINUTE: Duration = Duration::from_secs(60);

/// No mail waits longer between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 3600);

/// The connection of a mail server.
pub(super) type MailLine = BufReader<DuplexStream>;

/// One line of what is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoken {
    /// `C: text`: said, with CR LF
    Said(String),
    /// `R: text`: said as it is, with `\r`, `\n` and `\0` in it
    Raw(String),
    /// `S: pattern`: heard next
    Heard(String),
    /// `L: pattern`: heard next, however much time passes until then
    Late(String),
    /// `S: the end`: the connection ends
    End,
}

/// Understands what stands below `the mail server speaks:`.
pub(super) fn parse(block: &str) -> Result<Vec<Spoken>> {
    let spoken = |line: &str| {
        let (who, text) = line.split_once(':').context("a line begins with C:, R:, S: or L:")?;
        let text = text.strip_prefix(' ').unwrap_or(text).to_owned();
        Ok(match who {
            "C" => Spoken::Said(text),
            "R" => Spoken::Raw(text.replace("\\r", "\r").replace("\\n", "\n").replace("\\0", "\0")),
            "L" => Spoken::Late(text),
            "S" if text == "the end" => Spoken::End,
            "S" => Spoken::Heard(text),
            _ => bail!("a line begins with C:, R:, S: or L:"),
        })
    };
    block.lines().map(spoken).collect()
}

/// Lets time pass for as long as it is polled.
async fn pass() {
    loop {
        clock::pass(Duration::from_millis(100)).await;
    }
}

/// Understands what stands below `the smarthost speaks:`, where the sides are the other way round.
pub(super) fn parse_smarthost(block: &str) -> Result<Vec<Spoken>> {
    let turned = block.lines().map(|line| match line.split_once(':') {
        Some(("S", text)) => format!("C:{text}"),
        Some(("C", text)) => format!("S:{text}"),
        _ => line.to_owned(),
    });
    parse(&turned.collect::<Vec<_>>().join("\n"))
}

impl Play {
    /// A mail program's new connection.
    pub(super) fn mail_program_connects(&mut self, name: &str, afar: bool) -> Result<()> {
        let peer = if afar { PEER } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let line = self.target.ours()?.connect_imap_from(peer).context("there is no place, or no mail")?;
        self.programs.insert(name.to_owned(), Some(BufReader::new(line)));
        Ok(())
    }

    /// The same of one that sends.
    pub(super) fn mail_program_sends(&mut self, name: &str, afar: bool) -> Result<()> {
        let peer = if afar { PEER } else { IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let line =
            self.target.ours()?.connect_submission_from(peer).context("there is no place, or no mail")?;
        self.programs.insert(name.to_owned(), Some(BufReader::new(line)));
        Ok(())
    }

    /// A new connection of a caller, by SNPP, in place of the one that there was.
    pub(super) fn caller_connects(&mut self) -> Result<()> {
        let line = self.target.ours()?.connect_caller_from(PEER);
        self.caller = Some(BufReader::new(line.context("there is no place, or no paging station")?));
        Ok(())
    }

    /// A new connection, in place of the one that there was.
    pub(super) fn mail_server_connects(&mut self) -> Result<()> {
        let line = self.target.ours()?.connect_mail_from(PEER).context("there is no place, or no mail")?;
        self.mail = Some(BufReader::new(line));
        Ok(())
    }

    /// The same by LMTP, of the operator's front server.
    pub(super) fn front_server_connects(&mut self) -> Result<()> {
        self.mail = Some(BufReader::new(self.target.ours()?.connect_front().context("there is no mail")?));
        Ok(())
    }

    /// The smarthost is called; time passes until then.
    pub(super) async fn mail_goes_out(&mut self) -> Result<()> {
        let server = self.target.ours()?;
        let mut waited = Duration::ZERO;
        let called = loop {
            tokio::select! {
                biased;
                called = server.smarthost.called() => break called,
                () = clock::pass(MINUTE) => {}
            }
            server.let_the_store_work().await;
            waited += MINUTE;
            if waited > LONGEST_WAIT {
                break None;
            }
        };
        self.smarthost = Some(BufReader::new(called.context("nobody calls the smarthost")?));
        Ok(())
    }

    /// Nobody calls it in the next minutes.
    pub(super) async fn no_mail_goes_out(&mut self) -> Result<()> {
        clock::pass(10 * MINUTE).await;
        self.target.ours()?.let_the_store_work().await;
        if self.target.ours()?.smarthost.is_quiet() { Ok(()) } else { bail!("the smarthost is called") }
    }
}

/// Says and hears these lines.
pub(super) async fn speak(
    line: &mut Option<MailLine>,
    spoken: &[Spoken],
    variables: &mut Variables,
) -> Result<()> {
    let line = line.as_mut().context("there is no connection")?;
    for spoken in spoken {
        match spoken {
            Spoken::Said(text) => {
                let text = fill(text, variables)? + "\r\n";
                // A server that has ended the connection says so when it is heard.
                line.write_all(text.as_bytes()).await.ok();
            }
            Spoken::Raw(text) => {
                line.write_all(fill(text, variables)?.as_bytes()).await.ok();
            }
            Spoken::Heard(pattern) | Spoken::Late(pattern) => {
                let mut heard = String::new();
                let late = matches!(spoken, Spoken::Late(_));
                let passing = async {
                    match late {
                        true => pass().await,
                        false => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    read = line.read_line(&mut heard) => read?,
                    () = passing => continue,
                };
                let Some(heard) = heard.strip_suffix("\r\n") else {
                    bail!("the connection ended; expected: {pattern}");
                };
                if !matches(pattern, heard, variables) {
                    bail!("expected: {pattern}\n   heard: {heard}");
                }
            }
            Spoken::End => {
                let mut heard = String::new();
                if line.read_line(&mut heard).await? > 0 {
                    bail!("the connection goes on: {heard}");
                }
            }
        }
    }
    Ok(())
}
