//! Both sides of TAP on a connection.

use super::client::{Caller, Next};
use super::session::{Act, Session, Taken};
use crate::guard::Place;
use crate::mail::smtp::Carrier;
use crate::pager::carrier::{Handed, Order};
use crate::pager::incoming::{self, Arrival};
use crate::pager::page::{Page, readable};
use crate::pager::{Gateway, limits};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// What callers are called: the protocol has no name for them.
const VIA: &str = "tap";

/// Bytes that are read at a time.
const CHUNK: usize = 512;

/// How long a terminal may be silent before return is pressed again, or a block is given up.
const SILENCE: Duration = Duration::from_secs(8);

/// How long a whole call may take: a slow terminal, and every block four times.
const CALL: Duration = Duration::from_secs(80);

/// Serves one connection of a caller.
pub async fn serve(gateway: Arc<Gateway>, mut stream: impl Carrier, peer: IpAddr, place: Place) {
    let name = gateway.core.env.token();
    let mut served = Served { gateway, peer: peer.to_canonical(), session: Session::new(), name, pages: 0 };
    let mut chunk = [0; CHUNK];
    'connection: loop {
        let count = match timeout(limits::COMMAND, stream.read(&mut chunk)).await {
            Ok(Ok(count)) if count > 0 => count,
            _ => break,
        };
        for byte in &chunk[..count] {
            let (reply, end) = match served.byte(*byte).await {
                Act::Say(reply) => (reply, false),
                Act::End(reply) => (reply, true),
                Act::Listen | Act::Page { .. } => continue,
            };
            let written = timeout(limits::WRITE, stream.write_all(&reply)).await;
            if !matches!(written, Ok(Ok(()))) || end {
                break 'connection;
            }
        }
    }
    timeout(limits::WRITE, stream.shutdown()).await.ok();
    drop(place);
}

/// A connection that is served.
struct Served {
    gateway: Arc<Gateway>,
    peer: IpAddr,
    session: Session,
    /// Names the connection; with the number of pages that it has sent, the next page.
    name: String,
    pages: u32,
}

impl Served {
    async fn byte(&mut self, byte: u8) -> Act {
        match self.session.byte(byte) {
            Act::Page { id, text } => {
                let taken = self.page(&id, &text).await;
                self.session.taken(taken)
            }
            act => act,
        }
    }

    async fn page(&mut self, id: &[u8], text: &[u8]) -> Taken {
        let (gateway, now) = (&self.gateway, self.gateway.core.env.now());
        if gateway.guard.guesses(self.peer, now) || gateway.pages.is_over(self.peer, now) {
            return Taken::Later;
        }
        let (pager, text) = (readable(id, limits::NAME), readable(text, limits::TEXT));
        let Some(caller) = gateway.caller("", VIA) else { return Taken::Refused };
        let member = match gateway.find(pager.trim(), &caller).await {
            Ok(Some(member)) if !text.trim().is_empty() => member,
            Ok(_) => {
                gateway.guard.guessed(self.peer, now);
                return Taken::Refused;
            }
            Err(_) => return Taken::Later,
        };
        gateway.pages.count(self.peer, now);
        let name = format!("{}/{}", self.name, self.pages);
        let page = Page { text, ..Page::default() };
        match gateway.receive(&[member], &page, &Arrival { via: VIA, name: &name }).await {
            incoming::Taken::Stored(_) => {
                self.pages += 1;
                Taken::Stored
            }
            incoming::Taken::Refused => Taken::Refused,
            incoming::Taken::Later => Taken::Later,
        }
    }
}

/// Hands a page to the terminal at the other end.
pub async fn page(mut io: impl Carrier, order: &Order<'_>) -> Handed {
    let password = order.login.map_or("", |(_, password)| password);
    let mut caller = Caller::new(order.pager, order.text, password);
    let end = match timeout(CALL, call(&mut io, &mut caller)).await {
        Ok(end) => end,
        Err(_) => caller.gone(),
    };
    timeout(limits::WRITE, io.shutdown()).await.ok();
    match end {
        Next::Taken(_) => Handed::Accepted(None),
        Next::Refused(why) => Handed::Refused(why),
        Next::Unknown(why) => Handed::Unknown(why),
        Next::Failed(why) => Handed::Deferred(why),
        Next::Wait | Next::Send(_) => Handed::Deferred("The call did not end.".into()),
    }
}

/// To the end of a call.
async fn call(io: &mut impl Carrier, caller: &mut Caller) -> Next {
    let mut chunk = [0; CHUNK];
    if io.write_all(&caller.begin()).await.is_err() {
        return caller.gone();
    }
    loop {
        let heard = match timeout(SILENCE, io.read(&mut chunk)).await {
            Ok(Ok(count)) if count > 0 => &chunk[..count],
            Ok(_) => return caller.gone(),
            Err(_) => &[],
        };
        let nexts = match heard {
            [] => vec![caller.silence()],
            heard => heard.iter().map(|byte| caller.byte(*byte)).collect(),
        };
        for next in nexts {
            let (bytes, over) = match &next {
                Next::Wait => continue,
                Next::Send(bytes) => (bytes.as_slice(), false),
                Next::Taken(bytes) => (bytes.as_slice(), true),
                _ => return next,
            };
            let written = timeout(limits::WRITE, io.write_all(bytes)).await;
            if over {
                return next;
            }
            if !matches!(written, Ok(Ok(()))) {
                return caller.gone();
            }
        }
    }
}
