//! Signing in: with the account's password, which only TLS or this machine itself may carry (RFC 9051 §11.2).

use super::limits;
use super::parse::decode;
use super::session::{Answer, Handled, Session};
use crate::mail::sign_in::{Attempt, NotPlain, NotSignedIn, may_sign_in, plain};
use rookery_core::member::Member;
use std::sync::Arc;

impl Session {
    /// Whether a password may be said here.
    pub(super) fn may_sign_in(&self) -> bool {
        may_sign_in(self.wire.tls, self.peer)
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
        match plain(&message) {
            Ok((user, password)) => self.sign_in(&user, &password).await,
            Err(NotPlain::Another) => Answer::no("[AUTHORIZATIONFAILED] You can be yourself only"),
            Err(NotPlain::Malformed) => Answer::bad("This is not PLAIN"),
        }
    }

    /// Lets somebody in.
    pub(super) async fn sign_in(&mut self, user: &str, password: &str) -> Handled {
        if !self.may_sign_in() {
            return Answer::no("[PRIVACYREQUIRED] Start TLS first");
        }
        let attempt = Attempt::new(self.peer, user, password, &self.server.settings.domain);
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
