//! One connection: what it sends, what it took, what it counts.

use anyhow::Result;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;

use super::framing::{self, Framing, Item, Target};
use super::signin::{self, Kept, SignIn, Stream, Turn, Who};
use super::wire::Wire;
use super::{Identity, Setup, Via, websocket};

/// A connection, from its first byte on.
pub(crate) struct Conn {
    pub(crate) wire: Wire,
    pub(crate) framing: Framing,
    /// What the socket has not taken yet.
    pub(crate) out: Vec<u8>,
    /// It waits to be written.
    pub(crate) queued: bool,
    /// It has said good-bye: its end is no fault.
    pub(crate) leaving: bool,
    /// When it was begun, by the clock.
    pub(crate) since: u64,
    /// Until it has signed in.
    sign_in: Option<Box<SignIn>>,
    /// Stream management (XEP-0198).
    managed: Option<Box<Managed>>,
    /// For the next connection (XEP-0484).
    token: Option<Box<str>>,
}

/// A managed stream, and its counts.
struct Managed {
    id: String,
    /// Stanzas that came.
    handled: u32,
    /// Stanzas that were sent, how many of them when an acknowledgement was last asked for, and how many were
    /// acknowledged.
    sent: u32,
    asked: u32,
    acknowledged: u32,
}

/// What an item has brought.
pub(crate) enum Happening {
    Nothing,
    /// There is something to write.
    Wrote,
    /// TLS is to begin.
    Secure,
    Ready,
    Acknowledged(u32),
    Stanza(Stanza),
}

/// An error says why the connection cannot go on.
pub(crate) type Took = Result<Happening, String>;

impl Conn {
    pub(crate) fn new(wire: Wire, framing: Framing, sign_in: SignIn, since: u64) -> Conn {
        let sign_in = Some(Box::new(sign_in));
        Conn {
            wire,
            framing,
            out: Vec::new(),
            queued: true,
            leaving: false,
            since,
            sign_in,
            managed: None,
            token: None,
        }
    }

    /// What its client takes to the next connection; a stream that was closed cannot go on.
    pub(crate) fn kept(&mut self) -> Kept {
        let managed = self.managed.take().filter(|_| !self.leaving).map(|managed| *managed);
        let stream = managed.map(|Managed { id, handled, sent, .. }| Stream { id, handled, sent });
        Kept { stream, token: self.token.take().map(String::from) }
    }

    /// Says good-bye, and on a managed stream what has come, so that nothing is kept for later (XEP-0198 §5).
    pub(crate) fn leave(&mut self) {
        if let Some(managed) = &self.managed {
            let count = format!("<a xmlns='{}' h='{}'/>", ns::SM, managed.handled);
            // It is well-formed, and short enough for every framing.
            let _ = self.framing.element(Target::Server, count.as_bytes(), &mut self.out);
        }
        self.framing.footer(&mut self.out);
        self.leaving = true;
    }

    /// Sends what comes first on a connection; `number` is the session's, over all workers.
    pub(crate) fn begin(&mut self, setup: &Setup, number: usize) -> Result<()> {
        match setup.via {
            Via::Plain | Via::Starttls | Via::Tls => {
                self.framing.header(&setup.profile.domain, &mut self.out)
            }
            Via::Ws | Via::Wss => self.out = websocket::upgrade(&setup.profile.domain, &setup.path),
            Via::Relay | Via::RelayTls => {
                framing::relay(framing::TO_NOBODY, &(number as u32).to_be_bytes(), &mut self.out)?;
            }
        }
        Ok(())
    }

    /// A new stream over the same connection.
    pub(crate) fn restart(&mut self, setup: &Setup) {
        self.framing.restart();
        self.framing.header(&setup.profile.domain, &mut self.out);
    }

    /// Sends one element, and asks for an acknowledgement after each `ask_every` stanzas of a managed stream.
    pub(crate) fn send(&mut self, target: Target, element: &[u8], ask_every: u32) -> Result<()> {
        self.framing.element(target, element, &mut self.out)?;
        if let Some(managed) = &mut self.managed {
            managed.sent = managed.sent.wrapping_add(1);
            if ask_every > 0 && managed.sent.wrapping_sub(managed.asked) >= ask_every {
                managed.asked = managed.sent;
                let request = format!("<r xmlns='{}'/>", ns::SM);
                self.framing.element(Target::Server, request.as_bytes(), &mut self.out)?;
            }
        }
        Ok(())
    }

    /// Goes on after an item.
    pub(crate) fn take(&mut self, item: Item, setup: &Setup, who: &Identity, nonce: u64) -> Took {
        let element = match item {
            // The relay has nobody sign in.
            Item::Open if setup.via.is_relay() => {
                self.sign_in = None;
                return Ok(Happening::Ready);
            }
            Item::Open => {
                self.framing.header(&setup.profile.domain, &mut self.out);
                return Ok(Happening::Wrote);
            }
            Item::Header => return Ok(Happening::Nothing),
            Item::Close => return Err("the server closed the stream".to_owned()),
            Item::Element(element) => element,
        };
        if framing::is_counted(&element) {
            if let Some(managed) = &mut self.managed {
                managed.handled = managed.handled.wrapping_add(1);
            }
        } else if element.ns() == ns::SM && self.managed.is_some() {
            return self.manage(&element);
        }
        if self.sign_in.is_none() {
            return match element.is(ns::STREAM, "error") {
                true => Err(format!(
                    "the server ended the stream: {}",
                    String::from_utf8_lossy(element.as_bytes())
                )),
                false => Ok(Happening::Stanza(element)),
            };
        }
        self.sign_in_with(element, setup, who, nonce)
    }

    fn sign_in_with(&mut self, element: Stanza, setup: &Setup, who: &Identity, nonce: u64) -> Took {
        let Some(sign_in) = &mut self.sign_in else { return Ok(Happening::Stanza(element)) };
        let local = setup.accounts.local(who.account);
        let password = setup.accounts.password(who.account);
        let who = Who { local: &local, password, resource: &who.resource };
        let turn = sign_in.take(&element, &who, &setup.profile, nonce)?;
        match sign_in.managed.take() {
            None => {}
            Some(signin::Managed::New(id)) => {
                self.managed = Some(Box::new(Managed { id, handled: 0, sent: 0, asked: 0, acknowledged: 0 }));
            }
            Some(signin::Managed::Resumed(h)) => {
                let stream = sign_in.stream().ok_or("a stream was resumed that nobody asked for")?;
                let Stream { id, handled, sent } = stream;
                // Nothing was under way when the connection was cut, so nothing is to be sent again.
                if h != sent {
                    return Err(format!("{sent} stanzas were sent, {h} are handled"));
                }
                self.managed = Some(Box::new(Managed { id, handled, sent, asked: sent, acknowledged: h }));
            }
        }
        if let Some(token) = sign_in.token.take() {
            self.token = Some(token.into());
        }
        match turn {
            Turn::NotMine => Ok(Happening::Stanza(element)),
            Turn::Nothing => Ok(Happening::Nothing),
            Turn::Secure => Ok(Happening::Secure),
            Turn::Restart => {
                self.restart(setup);
                Ok(Happening::Wrote)
            }
            Turn::Done => {
                self.sign_in = None;
                Ok(Happening::Ready)
            }
            Turn::Send(bytes) => {
                // The steps after the sign-in are stanzas, and count on a managed stream.
                self.send(Target::Server, &bytes, 0).map_err(|error| error.to_string())?;
                Ok(Happening::Wrote)
            }
        }
    }

    /// XEP-0198 §4.
    fn manage(&mut self, element: &Stanza) -> Took {
        let Some(managed) = &mut self.managed else { return Ok(Happening::Nothing) };
        match element.name() {
            "r" => {
                let answer = format!("<a xmlns='{}' h='{}'/>", ns::SM, managed.handled);
                self.framing
                    .element(Target::Server, answer.as_bytes(), &mut self.out)
                    .map_err(|error| error.to_string())?;
                Ok(Happening::Wrote)
            }
            "a" => {
                let h: u32 =
                    element.attr("h").and_then(|h| h.parse().ok()).ok_or("an <a/> without a count")?;
                let more = h.wrapping_sub(managed.acknowledged);
                if more > managed.sent.wrapping_sub(managed.acknowledged) {
                    return Err(format!("{h} stanzas acknowledged, {} were sent", managed.sent));
                }
                managed.acknowledged = h;
                Ok(Happening::Acknowledged(more))
            }
            _ => Ok(Happening::Nothing),
        }
    }
}
