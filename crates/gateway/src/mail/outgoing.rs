//! What people write to correspondents becomes mail, and the mail goes out: from the outbox into the queue, and from the queue to other
//! mail servers, until it is taken or its time is over. What fails is an error to the message, in its sender's log.

use super::incoming::{Envelope, Refusal};
use super::news::{self, Sent};
use super::report::Action;
use super::returned::{self, Returned};
use super::smtp::client::{self, Failure, Outgoing};
use super::writing::{self, Letterhead};
use super::{Gateway, Known, NewFile, Route, address, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::limits::MAIL_PAGE;
use rookery_store::{Append, MailFlags, NewFiled, NewQueued, Outbound, Queued, StoreError, Timestamp};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};

impl Gateway {
    /// Hands on what is sent, for as long as it is polled.
    pub(super) async fn send(self: Arc<Gateway>, route: Option<Route>) {
        let Some(bell) = self.component.bell() else { return };
        tokio::join!(
            async {
                loop {
                    match self.post().await {
                        Ok(true) => self.queued.notify_one(),
                        Ok(false) => {
                            bell.notified().await;
                            // It also rings when somebody has changed the queue.
                            self.queued.notify_one();
                        }
                        Err(error) => {
                            tracing::warn!(%error, "messages wait for the mail gateway");
                            tokio::time::sleep(limits::AGAIN).await;
                        }
                    }
                }
            },
            async {
                let mut rounds = Rounds::default();
                loop {
                    if let Err(error) = self.round(route.as_ref(), &mut rounds).await {
                        tracing::warn!(%error, "the queue of mails cannot be looked at");
                        tokio::time::sleep(limits::AGAIN).await;
                    }
                }
            }
        );
    }

    /// Takes what waits in the outbox; false when there is nothing.
    async fn post(&self) -> Result<bool, StoreError> {
        let waiting = self.core.store.outbox(&self.settings.host, MAIL_PAGE).await?;
        for outbound in &waiting {
            match self.write(outbound).await {
                Ok(()) => {}
                Err(Unsent::Store(error)) => return Err(error),
                Err(Unsent::Nothing) => self.core.store.drop_outbound(outbound.id).await?,
                Err(Unsent::Refused(error)) => self.refuse(outbound, &error).await?,
            }
        }
        Ok(!waiting.is_empty())
    }

    /// Into the queue with one message.
    async fn write(&self, outbound: &Outbound) -> Result<(), Unsent> {
        let (stanza, to) = self.core.addressed_to(outbound).ok_or(Unsent::Nothing)?;
        // What cannot be said by mail (receipts, markers, reactions) is for those who can hear it.
        let text = writing::text(&stanza).ok_or(Unsent::Nothing)?;
        if is_encrypted(&stanza) {
            let text = "What is encrypted for a messenger cannot be read in a mail.";
            return Err(Unsent::Refused(StanzaError::not_acceptable().text(text)));
        }
        let peer = to.to_bare();
        let address =
            address::outside(&peer).ok_or_else(|| Unsent::Refused(StanzaError::item_not_found()))?;
        // An account that is gone by now says nothing any more.
        let member = self.core.directory.member(outbound.uid).await?.ok_or(Unsent::Nothing)?;
        let account = self.core.store.account(outbound.uid).await?;
        let thread = stanza.child(ns::CLIENT, "thread").map(|thread| thread.text().to_string());
        let mut parent = None;
        if let Some(thread) = thread.filter(|thread| !thread.is_empty()) {
            parent = self.core.store.latest_mail(outbound.uid, peer.clone(), Some(thread)).await?;
        }
        if parent.is_none() {
            parent = self.core.store.latest_mail(outbound.uid, peer.clone(), None).await?;
        }
        let envelope = self.core.env.token();
        let head = Letterhead {
            uid: outbound.uid,
            from: member.address.as_str(),
            name: account.as_ref().and_then(|account| account.nick.as_deref()),
            peer: &peer,
            to: &address,
            id: format!("{envelope}@{}", self.settings.domain),
            at: outbound.at,
            parent,
        };
        let written = writing::write(head, &stanza, text);
        let (data, mail) = written.ok_or_else(|| Unsent::Refused(StanzaError::internal_server_error()))?;
        let data = [(self.settings.sign)(&data).into_bytes(), data].concat();
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        let new = NewQueued {
            uid: outbound.uid,
            peer: peer.to_string(),
            stanza: mail.stanza.clone(),
            sender: member.address.to_string(),
            recipient: address,
            domain,
            at: self.core.env.now(),
            envelope,
            receipt: stanza.has_child(ns::RECEIPTS, "request"),
            program: false,
            data: data.into(),
        };
        match self.core.store.queue_mail(outbound.id, outbound.message, mail, new).await {
            Err(StoreError::Limit(_)) => {
                let text = "Too many of your mails are on their way. Try again later.";
                Err(Unsent::Refused(StanzaError::resource_constraint().text(text)))
            }
            other => Ok(other?),
        }
    }

    /// A message that no mail was made of comes back, if its sender is still here.
    async fn refuse(&self, outbound: &Outbound, error: &StanzaError) -> Result<(), StoreError> {
        let member = self.core.directory.member(outbound.uid).await?;
        let append = self.core.addressed_to(outbound).zip(member).and_then(|((stanza, to), member)| {
            let id = stanza.id().unwrap_or_default();
            self.core.undelivered(&member, &to.to_bare(), &id, None, error).ok()
        });
        match append {
            Some(append) => self.core.store.refuse_outbound(outbound.id, append).await?.await.map(drop),
            None => self.core.store.drop_outbound(outbound.id).await,
        }
    }

    /// Begins with the domains that mails are due to, as far as there is room for more at a time; then waits until there is something
    /// to do. A domain whose servers are slow holds up nobody but itself.
    async fn round(
        self: &Arc<Gateway>,
        route: Option<&Route>,
        rounds: &mut Rounds,
    ) -> Result<(), StoreError> {
        let now = self.core.env.now();
        // Everything goes to the same server where there is a smarthost.
        let most = match route {
            Some(Route { smarthost: Some(_), .. }) => limits::TO_SMARTHOST_AT_ONCE,
            _ => limits::DOMAINS_AT_ONCE,
        };
        // Those that are under way may be the first of all.
        let mut waiting = self.core.store.mail_domains(2 * limits::DOMAINS_AT_ONCE).await?;
        waiting.retain(|(domain, _)| !rounds.is_under_way(domain));
        let mut pause = None;
        for (domain, next) in waiting {
            if next > now {
                pause = Some(Duration::from_millis((next.0 - now.0) as u64));
                break;
            }
            if rounds.tasks.len() >= most {
                break;
            }
            let (gateway, route, to) = (self.clone(), route.cloned(), domain.clone());
            let task = rounds.tasks.spawn(async move { gateway.deliver(route.as_ref(), &to).await });
            rounds.domains.insert(task.id(), domain);
        }
        tokio::select! {
            () = self.queued.notified() => Ok(()),
            done = rounds.tasks.join_next_with_id(), if !rounds.tasks.is_empty() => rounds.ended(done),
            () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => Ok(()),
        }
    }

    /// One attempt at each mail to a domain that is due. Where nobody is reached with one, nobody is tried with the others.
    async fn deliver(&self, route: Option<&Route>, domain: &str) -> Result<(), StoreError> {
        let mut nobody = None;
        while let Some(queued) = self.core.store.mail_due(domain, self.core.env.now()).await? {
            let sent = match &nobody {
                Some(failure) => Err(Failure::clone(failure)),
                None => self.attempt(route, &queued.mail).await,
            };
            nobody = sent.clone().err().filter(|failure| matches!(failure, Failure::Unreached(_)));
            self.settle(queued, sent).await?;
        }
        Ok(())
    }

    /// To whoever is here, or to others where there is a way out.
    async fn attempt(&self, route: Option<&Route>, mail: &NewQueued) -> Result<(), Failure> {
        if mail.domain.eq_ignore_ascii_case(&self.settings.domain) {
            return self.bring(mail).await;
        }
        let Some(route) = route else {
            return Err(Failure::Never("550 5.7.1 No mail goes out from here".into()));
        };
        self.hand_on(route, &mail.domain, &outgoing(mail), limits::OPENING).await
    }

    /// A mail of somebody here to somebody here comes in as others do.
    async fn bring(&self, mail: &NewQueued) -> Result<(), Failure> {
        let later = || Failure::Later("451 4.3.0 This does not work at the moment".into());
        let author = self.core.directory.member(mail.uid).await.map_err(|_| later())?;
        let author = author.ok_or_else(|| Failure::Never("550 5.1.8 Its sender is here no more".into()))?;
        let known = self.find_for(&author, &mail.recipient, &mail.sender).await.map_err(|_| later())?;
        let Known::Here(member) = known else { return Err(Failure::Never(Refusal::Nobody.reply())) };
        let envelope = Envelope {
            from: mail.sender.clone(),
            to: vec![member],
            helo: self.settings.hostname.clone(),
            peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
            protocol: "local",
            author: Some(author),
            front: false,
        };
        self.receive(envelope, mail.data.to_vec()).await.map(drop).map_err(|refusal| match refusal {
            Refusal::Later(_) | Refusal::NoRoom => Failure::Later(refusal.reply()),
            Refusal::Never(_) | Refusal::Nobody => Failure::Never(refusal.reply()),
        })
    }

    /// To the first host that can be spoken to, each of which has this long until it can.
    pub(super) async fn hand_on(
        &self,
        route: &Route,
        domain: &str,
        mail: &Outgoing<'_>,
        opening: Duration,
    ) -> Result<(), Failure> {
        let hostname = &self.settings.hostname;
        let mut unreached = Ok(());
        for host in route.hosts(domain, hostname).await? {
            let open = async {
                let line = (route.dial)(&host.host, host.port)
                    .await
                    .map_err(|error| Failure::Unreached(format!("{} is not reached: {error}", host.host)))?;
                client::open(line, &host, hostname, route.tls.clone()).await
            };
            match tokio::time::timeout(opening, open).await {
                Ok(Ok(open)) => return client::deliver(open, mail).await,
                Ok(Err(why)) => unreached = Err(why),
                Err(_) => {
                    unreached = Err(Failure::Unreached(format!("{} does not answer in time", host.host)));
                }
            }
        }
        unreached
    }

    /// What became of an attempt.
    async fn settle(&self, queued: Queued, sent: Result<(), Failure>) -> Result<(), StoreError> {
        let Queued { id, mail, attempts, told, .. } = queued;
        let now = self.core.env.now();
        match sent {
            Ok(()) => {
                tracing::info!(id, attempts, "a mail was sent");
                // It must not go again, however long the store takes; only its domain waits.
                while let Err(error) = self.core.store.unqueue_mail(id).await {
                    tracing::warn!(id, %error, "that a mail was sent cannot be noted yet");
                    tokio::time::sleep(limits::AGAIN).await;
                }
                Ok(())
            }
            Err(Failure::Later(why) | Failure::Unreached(why) | Failure::Unknown(why))
                if now.0 - mail.at.0 < limits::LIFETIME.as_millis() as i64 =>
            {
                tracing::info!(id, attempts, why, "a mail waits for another attempt");
                let wait = limits::WAITS[(attempts as usize).min(limits::WAITS.len() - 1)];
                let next = Timestamp(now.0 + wait.as_millis() as i64);
                let late = now.0 - mail.at.0 >= limits::LATE.as_millis() as i64;
                match late && !told {
                    true => self.delay(id, &mail, next, &why).await,
                    false => self.core.store.defer_mail(id, next, &why).await,
                }
            }
            Err(Failure::Later(why) | Failure::Unreached(why) | Failure::Unknown(why)) => {
                self.fail(id, &mail, "4.4.7", &why).await
            }
            Err(Failure::Never(why)) => self.fail(id, &mail, news::status(&why), &why).await,
        }
    }

    /// A mail is late: its sender is told, once.
    async fn delay(&self, id: u64, mail: &NewQueued, next: Timestamp, why: &str) -> Result<(), StoreError> {
        let append = self.told(mail, |sent| self.late(sent, why)).await?;
        match append {
            Some(append) => {
                let words = "It is tried again and again, for five days.";
                let report = self.report(mail, Action::Delayed, news::status(why), why, words).await;
                self.core.store.delay_mail(id, next, why, append, report).await?.await.map(drop)
            }
            None => self.core.store.defer_mail(id, next, why).await,
        }
    }

    /// News for the sender of a mail, if it was a message and its sender is here.
    async fn told(
        &self,
        mail: &NewQueued,
        news: impl FnOnce(&Sent<'_>) -> Result<Append, StanzaError>,
    ) -> Result<Option<Append>, StoreError> {
        let member = self.core.directory.member(mail.uid).await?;
        let (Some(sender), Ok(peer)) = (member, BareJid::new(&mail.peer)) else { return Ok(None) };
        let sent = Sent { sender: &sender, peer: &peer, stanza: &mail.stanza, once: None };
        Ok(news(&sent).ok())
    }

    /// A mail has failed: its sender's message has.
    async fn fail(&self, id: u64, mail: &NewQueued, status: &str, why: &str) -> Result<(), StoreError> {
        tracing::info!(id, "a mail has failed");
        let error = news::explain(status, why);
        match self.told(mail, |sent| self.failed(sent, &error)).await? {
            Some(append) => {
                let words = error.text.as_deref().unwrap_or_default();
                let report = self.report(mail, Action::Failed, status, why, words).await;
                self.core.store.fail_mail(id, append, report).await?.await.map(drop)
            }
            None => self.core.store.unqueue_mail(id).await.map(drop),
        }
    }

    /// A report as a mail, for who has handed a mail in with a program; `None`: it is not needed, or there is no room for it.
    async fn report(
        &self,
        mail: &NewQueued,
        action: Action,
        status: &str,
        said: &str,
        words: &str,
    ) -> Option<NewFiled> {
        if !mail.program {
            return None;
        }
        let (domain, hostname) = (&self.settings.domain, &self.settings.hostname);
        let (token, at) = (&self.core.env.token(), self.core.env.now());
        let returned = Returned { mail, action, status, said, words, domain, hostname, token, at };
        let data = returned::write(&returned);
        let (name, media_type) = ("report.eml".into(), "message/rfc822".into());
        let kept = (self.deposit)(NewFile { uid: mail.uid, name, media_type, data }).await;
        match kept {
            Ok(kept) => {
                let (flags, keywords) = (MailFlags::default(), Vec::new());
                Some(NewFiled { raw: kept.token, at, flags, keywords })
            }
            Err(why) => {
                tracing::info!(uid = mail.uid.0, ?why, "a report is in the conversation only");
                None
            }
        }
    }
}

/// How a task ended, and which.
type Ended = Result<(Id, Result<(), StoreError>), JoinError>;

/// Which domains mails are just brought to, one after the other each.
#[derive(Default)]
struct Rounds {
    tasks: JoinSet<Result<(), StoreError>>,
    domains: HashMap<Id, String>,
}

impl Rounds {
    fn is_under_way(&self, domain: &str) -> bool {
        self.domains.values().any(|other| other == domain)
    }

    /// A domain is done with for now.
    fn ended(&mut self, done: Option<Ended>) -> Result<(), StoreError> {
        match done {
            Some(Ok((id, outcome))) => {
                self.domains.remove(&id);
                outcome
            }
            Some(Err(broken)) => {
                self.domains.remove(&broken.id());
                Err(StoreError::Internal)
            }
            None => Ok(()),
        }
    }
}

/// A mail of the queue as it is handed on.
fn outgoing(mail: &NewQueued) -> Outgoing<'_> {
    Outgoing {
        sender: &mail.sender,
        recipient: &mail.recipient,
        envelope: &mail.envelope,
        receipt: mail.receipt,
        data: &mail.data,
    }
}

/// Why no mail was made of a message.
enum Unsent {
    /// There is nothing in it for a mail.
    Nothing,
    Refused(StanzaError),
    Store(StoreError),
}

impl From<StoreError> for Unsent {
    fn from(error: StoreError) -> Unsent {
        Unsent::Store(error)
    }
}

/// Whether it is for those alone who have the key: its body says only that.
pub(crate) fn is_encrypted(stanza: &Stanza) -> bool {
    let encryption = [ns::EME, ns::OMEMO, ns::OMEMO_AXOLOTL, ns::OPENPGP, ns::PGP_ENCRYPTED];
    stanza.children().any(|child| encryption.contains(&child.ns()))
}
