//! What is said in one connection.

use super::wire::{Broken, Wire};
use crate::mail::incoming::Envelope;
use crate::mail::submission::NoRecipient;
use crate::mail::{Gateway, Known, Submission, limits};
use rookery_core::member::Member;
use rookery_store::Sending;
use smtp_proto::{Error, MAIL_BODY_BINARYMIME, MAIL_REQUIRETLS, MAIL_SMTPUTF8, MailFrom, RcptTo, Request};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

/// Whether the connection goes on.
#[derive(PartialEq)]
pub(super) enum Next {
    On,
    Tls,
    End,
}

pub(super) type Said = Result<Next, Broken>;

/// A connection and what it has said so far.
pub(super) struct Session {
    pub(super) gateway: Arc<Gateway>,
    /// It is a program's, that sends for somebody here (RFC 6409).
    pub(super) submission: Option<Arc<Submission>>,
    /// Who has signed in.
    pub(super) author: Option<Arc<Member>>,
    /// It is the operator's own front server's (RFC 2033).
    pub(super) front: bool,
    pub(super) wire: Wire,
    pub(super) peer: IpAddr,
    /// The name that the peer gives itself; empty: it has not greeted.
    helo: String,
    /// It greeted with EHLO.
    pub(super) extended: bool,
    pub(super) mail: Option<Transaction>,
    mistakes: u32,
    unknown: u32,
    mails: u32,
    /// Wrong passwords.
    pub(super) passwords: u32,
}

/// A mail on its way in (RFC 5321 §3.3).
#[derive(Default)]
pub(super) struct Transaction {
    /// The reverse path; empty: none.
    from: String,
    /// Whom a server's mail is for.
    to: Vec<Arc<Member>>,
    /// Which of them was named, each time that one was.
    named: Vec<usize>,
    /// Whom a program's mail is for.
    addresses: Vec<String>,
    /// The letter that it answers, if it does.
    answers: Option<Box<Sending>>,
    /// Content that comes in chunks (RFC 3030), once it does; `None` inside: it is too large.
    chunks: Option<Option<Vec<u8>>>,
    /// Until when its content must be here, once that has begun to come in chunks.
    until: Option<Instant>,
    /// Its place among the large ones, until it is dealt with.
    place: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// With `submission` it is a program's.
    pub(super) fn new(
        gateway: Arc<Gateway>,
        submission: Option<Arc<Submission>>,
        wire: Wire,
        peer: IpAddr,
    ) -> Session {
        Session {
            gateway,
            submission,
            author: None,
            front: false,
            wire,
            peer: peer.to_canonical(),
            helo: String::new(),
            extended: false,
            mail: None,
            mistakes: 0,
            unknown: 0,
            mails: 0,
            passwords: 0,
        }
    }

    pub(super) async fn serve(mut self) {
        let protocol = if self.front { "LMTP" } else { "ESMTP" };
        self.wire.say(&format!("220 {} {protocol} Rookery", self.gateway.settings.hostname));
        let end = loop {
            match self.next().await {
                Ok(Next::On) => {}
                Ok(Next::End) => break None,
                Ok(Next::Tls) => match self.start_tls().await {
                    Some(session) => self = session,
                    None => return,
                },
                Err(broken) => break Some(broken),
            }
        };
        match end {
            None | Some(Broken::Gone) => {}
            Some(Broken::Slow) => self.wire.say("421 4.4.2 Nothing came for too long"),
            Some(Broken::Line) => {
                // What a server behind or before this one would take for the end of a line, and this one does not.
                tracing::info!(peer = %self.peer, "a mail server sends lines that do not end in CR LF");
                self.wire.say("521 5.5.2 Lines end in CR LF and in nothing else");
            }
            Some(Broken::Long) => self.wire.say("500 5.5.2 This line does not end"),
            Some(Broken::Flood) => self.wire.say("552 5.3.4 This mail does not end"),
        }
        self.wire.close().await;
    }

    async fn start_tls(self) -> Option<Session> {
        let config = self.gateway.settings.tls.as_ref()?();
        let Session { gateway, submission, wire, peer, mistakes, unknown, mails, passwords, .. } = self;
        let wire = match wire.start_tls(config).await {
            Ok(wire) => wire,
            Err(broken) => {
                tracing::debug!(%peer, ?broken, "a mail server does not get into TLS");
                return None;
            }
        };
        // RFC 3207 §4.2: what was said before is forgotten.
        let new = Session::new(gateway, submission, wire, peer);
        Some(Session { mistakes, unknown, mails, passwords, ..new })
    }

    async fn next(&mut self) -> Said {
        let mut line = match self.mail.as_ref().and_then(|mail| mail.until) {
            Some(until) => timeout_at(until, self.wire.line()).await.unwrap_or(Err(Broken::Slow))?,
            None => self.wire.line().await?,
        };
        line.extend_from_slice(b"\r\n");
        match Request::parse(&mut line.iter()) {
            Ok(request) => self.handle(request).await,
            Err(error) => self.mistake(match error {
                Error::UnknownCommand => "500 5.5.1 There is no such command".into(),
                Error::InvalidSenderAddress => "501 5.1.7 This is no address".into(),
                Error::InvalidRecipientAddress => "501 5.1.3 This is no address".into(),
                Error::UnsupportedParameter { .. } => "555 5.5.4 There is no such parameter".into(),
                Error::InvalidParameter { param } => format!("501 5.5.4 {param} is not well formed"),
                Error::SyntaxError { syntax } => format!("501 5.5.4 It is written {syntax}"),
                _ => "501 5.5.2 This is not well formed".into(),
            }),
        }
    }

    /// Something was wrong; too often, and it is over.
    pub(super) fn mistake(&mut self, reply: String) -> Said {
        self.mistakes += 1;
        if self.mistakes > limits::MISTAKES {
            return self.over("421 4.7.0 Too much of this was wrong");
        }
        self.on(&reply)
    }

    pub(super) fn on(&mut self, reply: &str) -> Said {
        self.wire.say(reply);
        Ok(Next::On)
    }

    pub(super) fn over(&mut self, reply: &str) -> Said {
        self.wire.say(reply);
        Ok(Next::End)
    }

    async fn handle(&mut self, request: Request<Cow<'_, str>>) -> Said {
        match request {
            Request::Lhlo { host } if self.front => self.greet(&host, true),
            // RFC 2033 §4.1.
            Request::Ehlo { .. } | Request::Helo { .. } if self.front => {
                self.mistake("500 5.5.1 This is LMTP".into())
            }
            Request::Ehlo { host } => self.greet(&host, true),
            Request::Helo { host } => self.greet(&host, false),
            Request::Mail { from } => self.mail(from).await,
            Request::Rcpt { to } => self.recipient(to).await,
            Request::Data => self.data().await,
            Request::Bdat { chunk_size, is_last } => self.chunk(chunk_size, is_last).await,
            Request::Rset => {
                self.mail = None;
                self.on("250 2.0.0 Forgotten")
            }
            Request::Noop { .. } => self.on("250 2.0.0 Well"),
            // RFC 5321 §3.5.3: who is here is nobody's business.
            Request::Vrfy { .. } => self.on("252 2.1.5 Send some mail, and see"),
            Request::Help { .. } => self.on("214 2.0.0 RFC 5321"),
            Request::Quit => self.over("221 2.0.0 Bye"),
            Request::StartTls => self.tls(),
            Request::Auth { mechanism, initial_response } if self.submission.is_some() => {
                self.authenticate(mechanism, &initial_response).await
            }
            // Nobody else signs in here, or sends through here to elsewhere.
            _ => self.mistake("502 5.5.1 This is not done here".into()),
        }
    }

    fn greet(&mut self, host: &str, extended: bool) -> Said {
        if host.is_empty() || host.len() > 255 || host.contains(|c: char| c.is_control() || c.is_whitespace())
        {
            return self.mistake("501 5.5.4 Who are you?".into());
        }
        self.helo = host.to_owned();
        self.extended = extended;
        self.mail = None;
        let hostname = self.gateway.settings.hostname.clone();
        if !extended {
            return self.on(&format!("250 {hostname}"));
        }
        self.wire.say(&format!("250-{hostname}"));
        for extension in ["PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"] {
            self.wire.say(&format!("250-{extension}"));
        }
        if self.offers_tls() {
            self.wire.say("250-STARTTLS");
        }
        if self.offers_sign_in() {
            self.wire.say("250-AUTH PLAIN LOGIN");
        }
        let largest = self.gateway.settings.largest;
        self.on(&format!("250 SIZE {largest}"))
    }

    fn offers_tls(&self) -> bool {
        self.gateway.settings.tls.is_some() && !self.wire.tls && !self.front
    }

    fn tls(&mut self) -> Said {
        if !self.offers_tls() {
            return self.mistake("503 5.5.1 There is no TLS to be started".into());
        }
        self.wire.say("220 2.0.0 Go ahead");
        Ok(Next::Tls)
    }

    async fn mail(&mut self, from: MailFrom<Cow<'_, str>>) -> Said {
        if self.helo.is_empty() {
            return self.mistake("503 5.5.1 Who are you?".into());
        }
        if self.mail.is_some() {
            return self.mistake("503 5.5.1 One mail after the other".into());
        }
        if from.flags & (MAIL_BODY_BINARYMIME | MAIL_REQUIRETLS) != 0 {
            return self.mistake("555 5.5.4 There is no such parameter".into());
        }
        // RFC 6531 §3.4: other letters only where they were announced.
        if !from.address.is_ascii() && from.flags & MAIL_SMTPUTF8 == 0 {
            return self.mistake("553 5.6.7 This address needs SMTPUTF8".into());
        }
        if from.size > self.gateway.settings.largest {
            return self.on("552 5.3.4 This mail is too large");
        }
        if let Some(submission) = self.submission.clone()
            && let Some(reply) = self.objection(&submission, &from.address).await
        {
            return self.mistake(reply);
        }
        if self.mails >= limits::MAILS && !self.front {
            return self.over("421 4.7.0 Enough for one connection");
        }
        self.mails += 1;
        let from = from.address.into_owned();
        self.mail = Some(Transaction { from, ..Transaction::default() });
        self.on("250 2.1.0 From whom it may concern")
    }

    async fn recipient(&mut self, to: RcptTo<Cow<'_, str>>) -> Said {
        let Some(mail) = &self.mail else {
            return self.mistake("503 5.5.1 From whom?".into());
        };
        // An answer to a letter is for one conversation.
        if mail.named.len() + mail.addresses.len() >= limits::RECIPIENTS || mail.answers.is_some() {
            return self.on("452 4.5.3 The others in a mail of their own");
        }
        let now = self.gateway.core.env.now();
        if !self.front && self.gateway.guard.guesses(self.peer, now) {
            return self.over("421 4.7.0 You have asked for too many who are not here; come later");
        }
        let from = mail.from.clone();
        if let Some(author) = self.author.clone() {
            return self.addressee(&author, &from, &to.address).await;
        }
        match self.gateway.find(&to.address, &from).await {
            Ok(Known::Here(member)) => {
                match self.gateway.comes_again(self.peer, &from, &member, self.front).await {
                    Ok(true) => {
                        if let Some(mail) = &mut self.mail {
                            mail.is_for(member);
                        }
                        self.on("250 2.1.5 Known")
                    }
                    Ok(false) => self.on("451 4.7.1 Come again in some minutes"),
                    Err(_) => self.on("451 4.3.0 This cannot be looked up at the moment"),
                }
            }
            Ok(Known::Answers(sending)) => match &mut self.mail {
                Some(mail) if mail.to.is_empty() => {
                    mail.answers = Some(sending);
                    self.on("250 2.1.5 Known")
                }
                _ => self.on("452 4.5.3 This one in a mail of its own"),
            },
            // §3.6.1, §7.1: no relay.
            Ok(Known::Elsewhere) => self.mistake("550 5.7.1 That is not here, and nothing is sent on".into()),
            Ok(Known::Nobody) => self.unknown(now).await,
            Err(_) => self.on("451 4.3.0 This cannot be looked up at the moment"),
        }
    }

    /// A recipient of a program's mail.
    async fn addressee(&mut self, author: &Member, from: &str, to: &str) -> Said {
        match self.gateway.may_send(author, from, to).await {
            Ok(()) => {
                if let Some(mail) = &mut self.mail
                    && !mail.addresses.iter().any(|known| known == to)
                {
                    mail.addresses.push(to.to_owned());
                }
                self.on("250 2.1.5 It goes there")
            }
            Err(NoRecipient::Nobody) => self.unknown(self.gateway.core.env.now()).await,
            Err(NoRecipient::Never(reply)) => self.mistake(reply),
            Err(NoRecipient::Later) => self.on("451 4.3.0 This cannot be looked up at the moment"),
        }
    }

    /// Nobody is there: the answers to guesses come ever later.
    async fn unknown(&mut self, now: rookery_store::Timestamp) -> Said {
        if self.front {
            return self.on("550 5.1.1 Nobody has this address");
        }
        self.gateway.guard.guessed(self.peer, now);
        self.unknown += 1;
        self.wire.flush().await?;
        tokio::time::sleep(limits::SLOWER * (self.unknown - 1)).await;
        if self.unknown > limits::UNKNOWN_RECIPIENTS {
            return self.over("421 4.7.0 You have asked for too many who are not here");
        }
        self.on("550 5.1.1 Nobody has this address")
    }

    async fn data(&mut self) -> Said {
        let mail = match &mut self.mail {
            None => return self.mistake("503 5.5.1 From whom?".into()),
            Some(mail) if mail.chunks.is_some() => {
                return self.mistake("503 5.5.1 The rest in chunks, too".into());
            }
            Some(mail) if mail.is_for_nobody() => return self.mistake("554 5.5.1 To whom?".into()),
            Some(mail) => mail,
        };
        self.wire.say("354 Go ahead, up to a dot alone");
        let (largest, large) = (self.gateway.settings.largest, self.gateway.large.clone());
        let content = self.wire.content(largest, &large, &mut mail.place).await?;
        self.finish(content).await
    }

    async fn chunk(&mut self, size: usize, last: bool) -> Said {
        let largest = self.gateway.settings.largest;
        let Some(mail) = self.mail.as_mut().filter(|mail| !mail.is_for_nobody()) else {
            // RFC 3030 §2: its bytes come whatever the answer is.
            self.wire.chunk(size, &mut Vec::new(), 0).await?;
            return self.mistake("503 5.5.1 From whom, and to whom?".into());
        };
        let until = *mail.until.get_or_insert_with(|| Instant::now() + limits::CONTENT);
        let mut data = mail.chunks.take().unwrap_or_else(|| Some(Vec::new()));
        let limit = data.as_ref().map_or(0, |_| largest);
        let mut kept = data.take().unwrap_or_default();
        let large = kept.len().saturating_add(size) > limits::LARGE && limit > 0;
        let place = match mail.place.take() {
            None if large => self.gateway.large.clone().acquire_owned().await.ok(),
            place => place,
        };
        let chunk = timeout_at(until, self.wire.chunk(size, &mut kept, limit));
        let fits = chunk.await.unwrap_or(Err(Broken::Slow))?;
        let content = fits.then_some(kept);
        mail.place = place.filter(|_| fits);
        if last {
            let proper = content.as_deref().is_none_or(super::content::is_clean);
            return if proper { self.finish(content).await } else { Err(Broken::Line) };
        }
        if let Some(mail) = &mut self.mail {
            mail.chunks = Some(content);
        }
        self.on("250 2.0.0 Go on")
    }

    /// The content is whole: the mail is stored before it is acknowledged.
    async fn finish(&mut self, content: Option<Vec<u8>>) -> Said {
        let (mail, content) = match (self.mail.take(), content) {
            (Some(mail), Some(content)) => (mail, content),
            (mail, _) => {
                // RFC 2033 §4.2: once for each.
                let times = mail.filter(|_| self.front).map_or(1, |mail| mail.named.len().max(1));
                (0..times).for_each(|_| self.wire.say("552 5.3.4 This mail is too large"));
                return Ok(Next::On);
            }
        };
        let protocol = match (self.extended, self.wire.tls, &self.author) {
            _ if self.front => "LMTP",
            // RFC 3848.
            (true, true, Some(_)) => "ESMTPSA",
            (true, false, Some(_)) => "ESMTPA",
            (true, true, None) => "ESMTPS",
            (true, false, None) => "ESMTP",
            (false, ..) => "SMTP",
        };
        let (from, helo, peer, front) = (mail.from, self.helo.clone(), self.peer, self.front);
        let stored = match (&self.submission, self.author.clone()) {
            (Some(submission), Some(author)) => {
                let to = mail.addresses;
                let (uid, now, count) = (author.uid, self.gateway.core.env.now(), to.len() as u32);
                submission.sent.count_all(uid, count, now);
                let envelope =
                    Envelope { from, to, helo, peer, protocol, author: Some(author.clone()), front };
                self.gateway.submit(&author, &envelope, content).await
            }
            _ => {
                let envelope = Envelope { from, to: mail.to, helo, peer, protocol, author: None, front };
                match mail.answers {
                    None if front => return self.finish_each(&envelope, &mail.named, content).await,
                    Some(sending) => self.gateway.take_answer(&envelope, &sending, content).await,
                    None => self.gateway.receive(envelope, content).await,
                }
            }
        };
        match stored {
            Ok(id) => self.on(&format!("250 2.0.0 Stored as {id}")),
            Err(refusal) => self.on(&refusal.reply()),
        }
    }
}

impl Transaction {
    /// Somebody here was named.
    fn is_for(&mut self, member: Arc<Member>) {
        let known = self.to.iter().position(|known| known.uid == member.uid);
        self.named.push(known.unwrap_or(self.to.len()));
        if known.is_none() {
            self.to.push(member);
        }
    }

    fn is_for_nobody(&self) -> bool {
        self.to.is_empty() && self.addresses.is_empty() && self.answers.is_none()
    }
}
