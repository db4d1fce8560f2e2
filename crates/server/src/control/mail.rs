//! Commands about mails on their way out.

use rookery_core::accounts::AccountError;
use rookery_store::Queued;

use super::admin::Admin;
use super::{QueueRow, Response};

fn refused(why: &str) -> Result<Response, AccountError> {
    Ok(Response::Refused { why: why.into() })
}

const NOT_RUNNING: &str = "The server must run for this: it is the one that sends.";
const UNKNOWN: &str = "No such mail is in the queue. `rookery mail queue` lists them.";

impl Admin {
    pub(super) async fn mail_queue(&self, after: u64) -> Result<Response, AccountError> {
        let mails = self.store.mail_queue(after).await?.into_iter().map(row).collect();
        Ok(Response::MailQueue { mails })
    }

    /// Due at once: one, or all.
    pub(super) async fn retry_mail(&self, id: Option<u64>) -> Result<Response, AccountError> {
        let Some(core) = &self.running else { return refused(NOT_RUNNING) };
        let mails = core.hurry_mail(id).await?;
        if mails == 0 && id.is_some() {
            return refused(UNKNOWN);
        }
        let what = match mails {
            1 => "One mail is tried now.".to_owned(),
            mails => format!("{mails} mails are tried now."),
        };
        Ok(Response::Done { what })
    }

    /// A mail is given up; its sender is told.
    pub(super) async fn drop_mail(&self, id: u64) -> Result<Response, AccountError> {
        let Some(core) = &self.running else { return refused(NOT_RUNNING) };
        if !core.drop_mail(id).await? {
            return refused(UNKNOWN);
        }
        Ok(Response::Done { what: "The mail is out of the queue, and its sender is told.".into() })
    }
}

fn row(queued: Queued) -> QueueRow {
    let Queued { id, mail, next, attempts, trouble, .. } = queued;
    let (sender, recipient) = (mail.sender, mail.recipient);
    QueueRow { id, sender, recipient, at: mail.at.0, next: next.0, attempts, trouble }
}
