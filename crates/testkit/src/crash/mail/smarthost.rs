//! The smarthost of a run: it takes what is for `ok-…`, refuses what is for `no-…`, and writes down both before it answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;

use super::super::dice::Dice;
use super::check::History;
use super::letter::Label;
use super::wire::Wire;

/// How an address begins whose mail is taken.
pub(super) const TAKEN: &str = "ok-";
/// How an address begins whose mail is refused.
pub(super) const REFUSED: &str = "no-";

/// The longest time that it thinks before it answers: kills are to come in between.
const THINKING: Duration = Duration::from_millis(40);

type Times = BTreeMap<Label, usize>;

/// What it has had.
#[derive(Clone)]
pub struct Smarthost(Arc<Mutex<(Times, Times)>>);

impl Smarthost {
    /// Answers at a listener for as long as the runtime lives.
    pub(super) fn open(listener: std::net::TcpListener, mut dice: Dice) -> Result<Smarthost> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let smarthost = Smarthost(Arc::default());
        let here = smarthost.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let thinking = dice.up_to(THINKING);
                let here = here.clone();
                // The other side is killed at any moment.
                tokio::spawn(async move { here.serve(Wire::on(connection), thinking).await.ok() });
            }
        });
        Ok(smarthost)
    }

    /// What it has taken and refused, and nothing else.
    pub(super) fn history(&self) -> History {
        let (taken, refused) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        History { taken, refused, ..History::default() }
    }

    async fn serve(&self, mut wire: Wire, thinking: Duration) -> Result<()> {
        let mut label = None;
        wire.send(b"220 smarthost ESMTP\r\n").await?;
        loop {
            let line = wire.line().await?;
            let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "EHLO" => "250-smarthost\r\n250-SMTPUTF8\r\n250 8BITMIME".to_owned(),
                "RCPT" => match self.recipient(&line) {
                    Ok(found) => {
                        label = found;
                        "250 2.1.5 good".to_owned()
                    }
                    Err(()) => "550 5.1.1 nobody".to_owned(),
                },
                "DATA" => {
                    wire.send(b"354 go\r\n").await?;
                    wire.until(b"\r\n.\r\n").await?;
                    if let Some(label) = label.take() {
                        *self.0.lock().unwrap_or_else(PoisonError::into_inner).0.entry(label).or_default() +=
                            1;
                    }
                    tokio::time::sleep(thinking).await;
                    "250 2.0.0 taken".to_owned()
                }
                "QUIT" => return wire.send(b"221 2.0.0 bye\r\n").await,
                _ => "250 2.0.0 well".to_owned(),
            };
            wire.send(format!("{answer}\r\n").as_bytes()).await?;
        }
    }

    fn recipient(&self, line: &str) -> Result<Option<Label>, ()> {
        let local =
            line.split_once('<').and_then(|(_, rest)| rest.split_once('@')).map_or("", |(local, _)| local);
        if let Some(label) = local.strip_prefix(REFUSED).and_then(Label::parse) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).1.entry(label).or_default() += 1;
            return Err(());
        }
        Ok(local.strip_prefix(TAKEN).and_then(Label::parse))
    }
}
