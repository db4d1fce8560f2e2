//! Signing in to send (RFC 4954), and from whom one may send then.

use super::session::{Said, Session};
use super::wire::Broken;
use crate::mail::sign_in::{Attempt, NotPlain, NotSignedIn, may_sign_in, plain};
use crate::mail::{Submission, address, limits};
use data_encoding::BASE64;
use rookery_core::member::Member;
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN};
use std::sync::Arc;

const NO_BASE64: &str = "501 5.5.2 This is no base64";

impl Session {
    /// Whether somebody may sign in now (RFC 4954 §4).
    pub(super) fn offers_sign_in(&self) -> bool {
        self.submission.is_some() && self.author.is_none() && may_sign_in(self.wire.tls, self.peer)
    }

    /// What is to be said against a program that begins a mail from this address; none if nothing.
    pub(super) async fn objection(&mut self, submission: &Submission, from: &str) -> Option<String> {
        let Some(author) = self.author.take() else {
            return Some("530 5.7.0 Sign in first".into());
        };
        // Who was shut out since is not signed in any more.
        self.author = match self.gateway.core.directory.member(author.uid).await {
            Ok(now) => now.filter(|member| !member.disabled),
            Err(_) => {
                self.author = Some(author);
                return Some("451 4.3.0 This cannot be looked up at the moment".into());
            }
        };
        let Some(author) = &self.author else {
            return Some("535 5.7.8 This account is closed".into());
        };
        if submission.sent.is_over(author.uid, self.gateway.core.env.now()) {
            return Some(
                "450 4.7.1 You have sent to as many people as one may within an hour; come later".into(),
            );
        }
        // Receipts that people's programs send have no reverse path (RFC 8098 §3).
        if from.is_empty() {
            return None;
        }
        // What needs quotes would stand without them in what is written from it.
        if address::halves(from).is_none() {
            return Some("553 5.1.7 Mail cannot be sent from such an address".into());
        }
        match self.gateway.is_own(author, from).await {
            Ok(true) => None,
            Ok(false) => Some("550 5.7.1 This is none of your addresses".into()),
            Err(_) => Some("451 4.3.0 This cannot be looked up at the moment".into()),
        }
    }

    /// `AUTH` (RFC 4954 §4): PLAIN, and what older programs have in its place.
    pub(super) async fn authenticate(&mut self, mechanism: u64, initial: &str) -> Said {
        if self.author.is_some() || self.mail.is_some() || !self.extended {
            return self.mistake("503 5.5.1 This is not the time to sign in".into());
        }
        if !self.offers_sign_in() {
            return self.mistake("538 5.7.11 Start TLS first".into());
        }
        match mechanism {
            AUTH_PLAIN => self.by_plain(initial).await,
            AUTH_LOGIN => self.by_login(initial).await,
            _ => self.mistake("504 5.5.4 There is no such mechanism".into()),
        }
    }

    async fn by_plain(&mut self, initial: &str) -> Said {
        let message = match initial {
            "" => self.asked("").await?,
            // §4: the empty message.
            "=" => Some(Vec::new()),
            word => BASE64.decode(word.as_bytes()).ok(),
        };
        match message.as_deref().map(plain) {
            Some(Ok((user, password))) => self.sign_in(&user, &password).await,
            Some(Err(NotPlain::Another)) => self.mistake("535 5.7.8 You can be yourself only".into()),
            Some(Err(NotPlain::Malformed)) => self.mistake("501 5.5.2 This is not PLAIN".into()),
            None => self.mistake(NO_BASE64.into()),
        }
    }

    /// Two questions, which no standard has and all programs know.
    async fn by_login(&mut self, initial: &str) -> Said {
        let user = match initial {
            "" => self.asked("Username:").await?,
            word => BASE64.decode(word.as_bytes()).ok(),
        };
        let Some(user) = user.and_then(|user| String::from_utf8(user).ok()) else {
            return self.mistake(NO_BASE64.into());
        };
        let password = self.asked("Password:").await?;
        match password.and_then(|password| String::from_utf8(password).ok()) {
            Some(password) => self.sign_in(&user, &password).await,
            None => self.mistake(NO_BASE64.into()),
        }
    }

    /// A question and its answer; `None`: it is given up, or no base64.
    async fn asked(&mut self, question: &str) -> Result<Option<Vec<u8>>, Broken> {
        self.wire.say(&format!("334 {}", BASE64.encode(question.as_bytes())));
        let line = self.wire.line().await?;
        Ok(BASE64.decode(&line).ok())
    }

    async fn sign_in(&mut self, user: &str, password: &str) -> Said {
        let Some(submission) = self.submission.clone() else {
            return self.mistake("502 5.5.1 This is not done here".into());
        };
        let attempt = Attempt::new(self.peer, user, password, &self.gateway.settings.domain);
        match (submission.sign_in)(attempt).await {
            Ok(member) => self.welcome(member),
            Err(NotSignedIn::Wrong) => {
                self.passwords += 1;
                self.wire.flush().await?;
                tokio::time::sleep(limits::SLOWER * self.passwords).await;
                if self.passwords >= limits::PASSWORDS {
                    return self.over("421 4.7.0 Too many of these were wrong");
                }
                self.on("535 5.7.8 This is not a name and its password")
            }
            Err(NotSignedIn::Later) => self.on("454 4.7.0 This is not possible at the moment"),
        }
    }

    fn welcome(&mut self, member: Arc<Member>) -> Said {
        tracing::info!(uid = member.uid.0, peer = %self.peer, "a mail program has signed in to send");
        self.author = Some(member);
        self.on("235 2.7.0 Welcome")
    }
}
