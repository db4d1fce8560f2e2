//! What people write to correspondents becomes mail, and the mail goes out: from the outbox into the queue, and from the queue to the
//! smarthost, until it is taken or its time is over. What fails is an error to the message, in its sender's log.

use super::smtp::client::{self, Failure, Outgoing};
use super::writing::{self, Letterhead};
use super::{Gateway, Route, address, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::ns;
use rookery_proto::stanza::Stanza;
use rookery_store::limits::MAIL_PAGE;
use rookery_store::{NewQueued, Outbound, Queued, StoreError, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

impl Gateway {
    /// Hands on what is sent, for as long as it is polled.
    pub(super) async fn send(self: Arc<Gateway>, route: Route) {
        let Some(bell) = self.component.bell() else { return };
        tokio::join!(
            async {
                loop {
                    match self.post().await {
                        Ok(true) => self.queued.notify_one(),
                        Ok(false) => bell.notified().await,
                        Err(error) => {
                            tracing::warn!(%error, "messages wait for the mail gateway");
                            tokio::time::sleep(limits::AGAIN).await;
                        }
                    }
                }
            },
            async {
                loop {
                    if let Err(error) = self.round(&route).await {
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
                Err(Unsent::Refused(error)) => {
                    self.refuse(outbound, &error).await?;
                    self.core.store.drop_outbound(outbound.id).await?;
                }
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
        let head = Letterhead {
            uid: outbound.uid,
            from: member.address.as_str(),
            name: account.as_ref().and_then(|account| account.nick.as_deref()),
            peer: &peer,
            to: &address,
            id: format!("{}@{}", self.core.env.token(), self.settings.domain),
            at: outbound.at,
            parent,
        };
        let written = writing::write(head, &stanza, text);
        let (data, mail) = written.ok_or_else(|| Unsent::Refused(StanzaError::internal_server_error()))?;
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_lowercase();
        let new = NewQueued {
            uid: outbound.uid,
            peer: peer.to_string(),
            stanza: mail.stanza.clone(),
            sender: member.address.to_string(),
            recipient: address,
            domain,
            at: self.core.env.now(),
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

    /// A message that no mail was made of comes back.
    async fn refuse(&self, outbound: &Outbound, error: &StanzaError) -> Result<(), StoreError> {
        let Some((stanza, to)) = self.core.addressed_to(outbound) else { return Ok(()) };
        let Some(member) = self.core.directory.member(outbound.uid).await? else { return Ok(()) };
        let id = stanza.id().unwrap_or_default();
        if let Ok(append) = self.core.undelivered(&member, &to.to_bare(), &id, error) {
            self.core.store.append(append).await?.await?;
        }
        Ok(())
    }

    /// Tries what is due, each domain's in turn, or waits until something is.
    async fn round(self: &Arc<Gateway>, route: &Route) -> Result<(), StoreError> {
        let now = self.core.env.now();
        let due = self.core.store.mails_due(now, MAIL_PAGE).await?;
        if due.is_empty() {
            let next = self.core.store.next_mail().await?;
            let pause = next.map(|next| Duration::from_millis((next.0 - now.0).max(1) as u64));
            tokio::select! {
                () = self.queued.notified() => {}
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {}
            }
            return Ok(());
        }
        let mut domains: BTreeMap<String, Vec<Queued>> = BTreeMap::new();
        for queued in due {
            domains.entry(queued.mail.domain.clone()).or_default().push(queued);
        }
        let mut under_way = JoinSet::new();
        let mut outcome = Ok(());
        for (_, mails) in domains {
            if under_way.len() >= limits::DOMAINS_AT_ONCE
                && let Some(Ok(done)) = under_way.join_next().await
            {
                outcome = outcome.and(done);
            }
            let (gateway, route) = (self.clone(), route.clone());
            under_way.spawn(async move {
                for queued in mails {
                    gateway.attempt(&route, queued).await?;
                }
                Ok(())
            });
        }
        while let Some(done) = under_way.join_next().await {
            outcome = outcome.and(done.unwrap_or(Err(StoreError::Internal)));
        }
        outcome
    }

    /// One attempt at one mail.
    async fn attempt(&self, route: &Route, queued: Queued) -> Result<(), StoreError> {
        let Queued { id, mail, attempts, .. } = queued;
        let outgoing = Outgoing { sender: &mail.sender, recipient: &mail.recipient, data: &mail.data };
        let sent = match (route.dial)(&route.smarthost).await {
            Ok(line) => {
                let (hostname, tls) = (&self.settings.hostname, route.tls.clone());
                client::deliver(line, &route.smarthost, hostname, tls, &outgoing).await
            }
            Err(error) => Err(Failure::Later(format!("{} is not reached: {error}", route.smarthost.host))),
        };
        let now = self.core.env.now();
        match sent {
            Ok(()) => {
                tracing::info!(id, attempts, "a mail was sent");
                self.core.store.unqueue_mail(id).await.map(drop)
            }
            Err(Failure::Later(why)) if now.0 - mail.at.0 < limits::LIFETIME.as_millis() as i64 => {
                tracing::info!(id, attempts, why, "a mail waits for another attempt");
                let wait = limits::WAITS[(attempts as usize).min(limits::WAITS.len() - 1)];
                self.core.store.defer_mail(id, Timestamp(now.0 + wait.as_millis() as i64), &why).await
            }
            Err(Failure::Later(why)) => {
                let error = StanzaError::remote_server_timeout()
                    .text(format!("The mail could not be sent in time. {why}"));
                self.fail(id, &mail, &error).await
            }
            Err(Failure::Never(why)) => {
                let error = StanzaError::item_not_found().text(format!("The mail was refused: {why}"));
                self.fail(id, &mail, &error).await
            }
        }
    }

    /// A mail has failed: its sender's message has.
    async fn fail(&self, id: u64, mail: &NewQueued, error: &StanzaError) -> Result<(), StoreError> {
        tracing::info!(id, "a mail has failed");
        let member = self.core.directory.member(mail.uid).await?;
        let append = match (member, BareJid::new(&mail.peer)) {
            (Some(member), Ok(peer)) => self.core.undelivered(&member, &peer, &mail.stanza, error).ok(),
            _ => None,
        };
        match append {
            Some(append) => self.core.store.fail_mail(id, append).await?.await.map(drop),
            None => self.core.store.unqueue_mail(id).await.map(drop),
        }
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
fn is_encrypted(stanza: &Stanza) -> bool {
    let encryption = [ns::EME, ns::OMEMO, ns::OMEMO_AXOLOTL, ns::OPENPGP, ns::PGP_ENCRYPTED];
    stanza.children().any(|child| encryption.contains(&child.ns()))
}
