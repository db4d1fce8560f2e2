//! Signing in: with the account's password, which only TLS or this machine itself may carry (RFC 9051 §11.2).

use super::limits;
use super::parse::decode;
use super::session::{Answer, Handled, Session};
use rookery_core::member::Member;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

/// Somebody who says who they are.
pub struct Attempt {
    /// Where from.
    pub peer: IpAddr,
    /// The number or name of the account.
    pub user: String,
    /// Its password.
    pub password: String,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotSignedIn {
    /// There is no such account, or the password is another.
    Wrong,
    /// There were too many guesses, or it does not work at the moment.
    Later,
}

/// Checks who somebody is, in the same way and with the same patience as a sign-in of the messenger.
pub type SignIn =
    dyn Fn(Attempt) -> Pin<Box<dyn Future<Output = Result<Arc<Member>, NotSignedIn>> + Send>> + Send + Sync;

impl Session {
    /// Whether a password may be said here.
    pub(super) fn may_sign_in(&self) -> bool {
        self.wire.tls || self.peer.is_loopback()
    }

    /// RFC 9051 §6.2.2: the only mechanism is PLAIN (RFC 4616).
    pub(super) async fn authenticate(&mut self, mechanism: &str, initial: Option<Vec<u8>>) -> Handled {
        if mechanism != "PLAIN" {
            return Answer::no("There is no such mechanism");
        }
        if !self.may_sign_in() {
            return Answer::no("[PRIVACYREQUIRED] Start TLS first");
        }
        let message = match initial {
            Some(message) => message,
            None => {
                self.wire.say("+ ");
                let line = self.wire.next_line(limits::STRANGERS_COMMAND, limits::SIGN_IN).await?;
                match decode(&line) {
                    Ok(message) => message,
                    // §6.2.2: `*` gives up.
                    Err(_) => return Answer::bad("Given up"),
                }
            }
        };
        let text = String::from_utf8(message).ok();
        let parts: Vec<&str> = text.iter().flat_map(|text| text.split('\0')).collect();
        match parts[..] {
            // Nobody acts for somebody else here.
            [act, user, password] if act.is_empty() || act == user => self.sign_in(user, password).await,
            [_, _, _] => Answer::no("[AUTHORIZATIONFAILED] You can be yourself only"),
            _ => Answer::bad("This is not PLAIN"),
        }
    }

    /// Lets somebody in.
    pub(super) async fn sign_in(&mut self, user: &str, password: &str) -> Handled {
        if !self.may_sign_in() {
            return Answer::no("[PRIVACYREQUIRED] Start TLS first");
        }
        let domain = &self.server.settings.domain;
        // Programs know people by their whole address.
        let local = match user.rsplit_once('@') {
            Some((local, at)) if at.eq_ignore_ascii_case(domain) => local,
            _ => user,
        };
        let attempt = Attempt { peer: self.peer, user: local.to_owned(), password: password.to_owned() };
        match (self.server.ways.sign_in)(attempt).await {
            Ok(member) => self.welcome(member).await,
            Err(NotSignedIn::Wrong) => {
                self.guesses += 1;
                self.wire.flush().await?;
                tokio::time::sleep(crate::mail::limits::SLOWER * self.guesses).await;
                if self.guesses >= limits::GUESSES {
                    self.wire.say("* BYE Too many of these were wrong");
                    return Ok(Answer::End);
                }
                Answer::no("[AUTHENTICATIONFAILED] This is not a name and its password")
            }
            Err(NotSignedIn::Later) => Answer::no("[UNAVAILABLE] This is not possible at the moment"),
        }
    }

    async fn welcome(&mut self, member: Arc<Member>) -> Handled {
        let Some(seat) = self.server.door.sit(member.uid) else {
            return Answer::no("[LIMIT] Too many of your programs are connected");
        };
        let (store, now) = (self.server.core.store.clone(), self.server.core.env.now());
        loop {
            match store.open_folders(member.uid, now).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => return Answer::trouble(&error),
            }
        }
        tracing::info!(uid = member.uid.0, peer = %self.peer, "a mail program has signed in");
        self.bell = Some(store.folders_bell(member.uid));
        self.account = Some((member, seat));
        Answer::ok(format!("[CAPABILITY {}] Welcome", self.capabilities()))
    }
}
