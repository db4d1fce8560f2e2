//! SNPP, the Simple Network Paging Protocol (RFC 1861): pages come in by all three levels of it.

mod client;
mod session;

pub use client::page;

use super::incoming::{Arrival, Paged, Taken};
use super::lines::{Broken, Lines};
use super::page::{Page, Ticket};
use super::{Gateway, limits};
use crate::guard::Place;
use crate::mail::smtp::Carrier;
use rookery_store::Timestamp;
use session::{Act, Sent, Session};
use std::net::IpAddr;
use std::sync::Arc;
use time::OffsetDateTime;
use time::macros::format_description;

/// What callers are called that do not say who they are.
const VIA: &str = "snpp";

/// What does not work at the moment.
const LATER: &str = "554 Error, Failed (Try Again Later)";

/// Whom a page is for, as a pager of a session: known by the account, or by the group.
#[derive(Clone)]
struct Pager(Paged);

impl PartialEq for Pager {
    fn eq(&self, other: &Pager) -> bool {
        match (&self.0, &other.0) {
            (Paged::Account(one), Paged::Account(other)) => one.uid == other.uid,
            (Paged::Duty(one), Paged::Duty(other)) => one.name == other.name,
            _ => false,
        }
    }
}

/// A connection that is served.
struct Served {
    gateway: Arc<Gateway>,
    lines: Lines,
    peer: IpAddr,
    session: Session<Pager>,
    /// Names the connection; with the number of pages that it has sent, the next page.
    name: String,
    pages: u32,
    unknown: u32,
}

/// Serves one connection.
pub async fn serve(gateway: Arc<Gateway>, stream: impl Carrier, peer: IpAddr, place: Place) {
    let (lines, name) = (Lines::new(stream, limits::COMMAND), gateway.core.env.token());
    let peer = peer.to_canonical();
    let mut served = Served { gateway, lines, peer, session: Session::new(), name, pages: 0, unknown: 0 };
    let last = match served.talk().await {
        Ok(()) | Err(Broken::Gone) => None,
        Err(Broken::Slow) => Some("421 Nothing Came for Too Long, Goodbye"),
        Err(Broken::Long) => Some("421 This Line Does Not End, Goodbye"),
    };
    if let Some(last) = last {
        served.lines.say(last).await.ok();
    }
    served.lines.close().await;
    drop(place);
}

impl Served {
    async fn talk(&mut self) -> Result<(), Broken> {
        self.lines.say("220 SNPP Gateway Ready").await?;
        loop {
            let line = self.lines.line().await?;
            let reply = match self.session.line(&line) {
                Act::Find(pager) => self.find(&pager).await,
                Act::Send(pagers, page) => self.send(&pagers, &page).await,
                Act::Status(ticket) => Act::Say(status(&self.gateway, ticket).await),
                Act::Kill(ticket) => Act::Say(kill(&self.gateway, ticket).await),
                reply => reply,
            };
            match reply {
                Act::Say(text) => self.lines.say(&text).await?,
                Act::End(text) => return self.lines.say(&text).await,
                _ => {}
            }
        }
    }

    /// Whose pager it is. The answers to guesses come ever later.
    async fn find(&mut self, pager: &str) -> Act<Pager> {
        let (gateway, now) = (&self.gateway, self.gateway.core.env.now());
        if gateway.guard.guesses(self.peer, now) {
            return Act::End("421 Too Many Unknown Pagers, Goodbye".into());
        }
        let Some(caller) = gateway.caller("", VIA) else { return self.session.found(None) };
        let found = match gateway.find(pager, &caller).await {
            Ok(found) => found,
            Err(_) => return Act::Say(LATER.into()),
        };
        if found.is_none() {
            gateway.guard.guessed(self.peer, now);
            tokio::time::sleep(limits::SLOWER * self.unknown).await;
            self.unknown += 1;
        }
        self.session.found(found.map(Pager))
    }

    async fn send(&mut self, pagers: &[Pager], page: &Page) -> Act<Pager> {
        let (gateway, now) = (&self.gateway, self.gateway.core.env.now());
        if gateway.pages.is_over(self.peer, now) {
            return Act::End("421 Too Many Pages, Goodbye".into());
        }
        gateway.pages.count(self.peer, now);
        let paged: Vec<Paged> = pagers.iter().map(|pager| pager.0.clone()).collect();
        let name = format!("{}/{}", self.name, self.pages);
        let taken = gateway.receive(&paged, page, &Arrival { via: VIA, name: &name }).await;
        let sent = match taken {
            Taken::Stored(ticket) => {
                self.pages += 1;
                Sent::Stored(ticket)
            }
            Taken::Refused => Sent::Refused,
            Taken::Later => Sent::Later,
        };
        self.session.sent(sent)
    }
}

async fn status(gateway: &Gateway, ticket: Ticket) -> String {
    match gateway.call(ticket).await {
        Ok(call) => session::status(call.map(|call| {
            let (state, at) = gateway.state(&call);
            (state, digits(at), call.call.reply)
        })),
        Err(_) => LATER.into(),
    }
}

async fn kill(gateway: &Gateway, ticket: Ticket) -> String {
    let taken = match gateway.call(ticket).await {
        Ok(None) => Ok(None),
        Ok(Some(call)) => gateway.withdraw(&call).await.map(Some),
        Err(error) => Err(error),
    };
    taken.map_or_else(|_| LATER.into(), session::killed)
}

/// A moment as the protocol writes it: YYMMDDHHMMSS, in UTC.
fn digits(at: Timestamp) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let format = format_description!("[year repr:last_two][month][day][hour][minute][second]");
    at.format(format).unwrap_or_default()
}
