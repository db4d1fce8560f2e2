//! Mails on their way out, as whoever runs the server deals with them: tried at once, or given up. Sending them is the mail gateway's.

use crate::Core;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::BareJid;
use rookery_store::StoreError;

impl Core {
    /// A mail is due at once, or all are; how many that were.
    pub async fn hurry_mail(&self, id: Option<u64>) -> Result<u64, StoreError> {
        let mails = self.store.hurry_mail(id, self.env.now()).await?;
        self.components.iter().for_each(|component| component.ring());
        Ok(mails)
    }

    /// A mail is given up, and its sender is told; false if it is not in the queue.
    pub async fn drop_mail(&self, id: u64) -> Result<bool, StoreError> {
        let before = id.saturating_sub(1);
        let found = self.store.mail_queue(before).await?.into_iter().find(|queued| queued.id == id);
        let Some(queued) = found else { return Ok(false) };
        let error = StanzaError::not_allowed().text("The operator of this server has stopped this mail.");
        let member = self.directory.member(queued.mail.uid).await?;
        let append = match (member, BareJid::new(&queued.mail.peer)) {
            (Some(member), Ok(peer)) => {
                self.undelivered(&member, &peer, &queued.mail.stanza, None, &error).ok()
            }
            _ => None,
        };
        match append {
            Some(append) => self.store.fail_mail(queued.id, append, None).await?.await.map(|_| true),
            None => self.store.unqueue_mail(queued.id).await,
        }
    }
}
