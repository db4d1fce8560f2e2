//! What the server tells everybody: announcements, into each log or to who is here; the message of the day; the welcome.

use crate::session::Session;
use crate::{Core, limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_proto::xml::Xml;
use rookery_store::{
    AccountFilter, Announcement, Append, Direction, Flags, NoticeKind, Origin, Pending, Pointer, Result,
    StoreError, Timestamp,
};
use smallvec::smallvec;
use std::sync::Arc;

/// The server itself, as the sender of what it appends: nobody's number.
pub(crate) const SERVER: Uid = Uid(0);

impl Core {
    /// Begins an announcement to all accounts: it is kept, and carried on by [`Core::announce_more`].
    pub async fn announce_to_all(&self, subject: String, text: String) -> Result<Announcement> {
        let announcement = self.store.announce(subject, text, self.env.now()).await?;
        self.announcing.notify_one();
        Ok(announcement)
    }

    /// Shows a message to everybody who is here now, and keeps it nowhere; how many resources there were.
    pub fn announce_here(&self, subject: &str, text: &str) -> usize {
        let here: Vec<Arc<Session>> =
            self.router.all().into_iter().filter(|session| session.is_available()).collect();
        for session in &here {
            let id = self.env.token();
            session.push(self.said(session.jid.as_str(), "headline", &id, subject, text).into());
        }
        here.len()
    }

    /// Carries the oldest announcement on by one batch; false when there is none left. What was stored when the server ended
    /// is recognised by its name, and not stored again.
    pub async fn announce_more(&self) -> Result<bool> {
        let Some(announcement) = self.store.announcements().await?.into_iter().next() else {
            return Ok(false);
        };
        let enabled = AccountFilter { disabled: Some(false), ..AccountFilter::default() };
        let accounts = self.store.accounts(Some(announcement.after), enabled, limits::ANNOUNCE_BATCH).await?;
        let Some(last) = accounts.last().map(|account| account.uid) else {
            tracing::info!(accounts = announcement.sent, "an announcement has reached everybody");
            self.store.end_announcement(announcement.id).await?;
            return Ok(true);
        };
        let mut pending: Vec<Pending<_>> = Vec::with_capacity(accounts.len());
        for account in &accounts {
            let address = self.accounts.address(account);
            pending.push(self.store.append(self.announcement(&announcement, account.uid, address)?).await?);
        }
        let mut sent = announcement.sent;
        for stored in pending {
            match stored.await {
                Ok(_) => sent += 1,
                // Deleted meanwhile.
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        self.store.announced(announcement.id, last, sent).await?;
        Ok(true)
    }

    fn announcement(&self, announcement: &Announcement, uid: Uid, to: BareJid) -> Result<Append> {
        let name = format!("announcement-{}-{}", announcement.id, announcement.at.0);
        let stanza = self.said(to.as_str(), "normal", &name, &announcement.subject, &announcement.text);
        letter(&self.policy.domain, uid, to, &name, Flags::NORMAL, stanza, self.env.now())
    }

    /// A short message of the server into one log.
    pub(crate) fn notice(&self, uid: Uid, to: &BareJid, name: &str, text: &str) -> Result<Append> {
        let stanza = self.said(to.as_str(), "chat", name, "", text);
        letter(&self.policy.domain, uid, to.clone(), name, Flags::CHAT, stanza, self.env.now())
    }

    /// A message in the server's own name.
    pub(crate) fn said(&self, to: &str, kind: &str, id: &str, subject: &str, text: &str) -> Vec<u8> {
        said(&self.policy.domain, to, kind, id, subject, text)
    }

    /// Shows the message of the day to one who comes and was not here since it was made; `alone`: no other resource of the
    /// account is available.
    pub async fn show_motd(&self, session: &Session, alone: bool) -> Result<(), StanzaError> {
        if !alone {
            return Ok(());
        }
        let Some(motd) = self.store.notice(NoticeKind::Motd).await.map_err(store_error)? else {
            return Ok(());
        };
        let last = self.store.last(session.uid).await.map_err(store_error)?;
        if last.is_none_or(|last| last.at < motd.at) {
            let id = self.env.token();
            session.push(self.said(session.jid.as_str(), "headline", &id, "", &motd.text).into());
        }
        Ok(())
    }
}

/// A message in the name of the server of this domain.
pub(crate) fn said(domain: &str, to: &str, kind: &str, id: &str, subject: &str, text: &str) -> Vec<u8> {
    let mut x = Xml::new();
    x.open("message").attr("from", domain).attr("to", to).attr("type", kind).attr("id", id);
    if !subject.is_empty() {
        x.text_element("subject", subject);
    }
    x.text_element("body", text).close();
    x.into_vec()
}

/// A message of the server of this domain into one log, where it is stored once under its name. `kind` is the flag of its type.
pub(crate) fn letter(
    domain: &str,
    uid: Uid,
    to: BareJid,
    name: &str,
    kind: Flags,
    stanza: Vec<u8>,
    at: Timestamp,
) -> Result<Append> {
    Ok(Append {
        stanza: stanza.into(),
        at,
        flags: Flags::DELIVER | Flags::ARCHIVE | Flags::INSTANT | kind,
        pointers: smallvec![Pointer {
            uid,
            peer: BareJid::new(domain).map_err(|_| StoreError::Invalid("domain"))?,
            peer_resource: None,
            direction: Direction::In,
            resource: None,
            flags: Flags::default(),
        }],
        origin: Some(Origin { sender: SERVER, peer: to, id: name.into(), dedup: true }),
    })
}
