//! What an account has of the mails when all is over: in its timeline (XEP-0313), and in its folders (IMAP).

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use rookery_proto::ns::MAIL;

use super::super::history::Account;
use super::super::process::Server;
use super::check::Kept;
use super::letter::Label;
use super::wire::Wire;
use crate::client::{Client, bare};
use crate::dialogue::PASSWORD;

/// Everything.
pub(super) async fn kept(server: &Server, imap: SocketAddr, account: Account) -> Result<Kept> {
    let mut client: Client = server.connect().await?;
    client.sign_in(&account.name(), PASSWORD, "audit").await?;
    let own = account.jid();
    let mut kept = Kept::default();
    // A message that failed is named by its id alone.
    let mut sent = HashMap::new();
    let mut failed = Vec::new();
    for archived in client.archive(None).await? {
        let message = &archived.message;
        let id = message.attr("id").unwrap_or_default().to_owned();
        if message.attr("type") == Some("error") {
            failed.push(id);
        } else if let Some(label) =
            message.children().find(|it| it.is("mail", MAIL)).and_then(|mail| Label::of_id(mail.attr("id")?))
        {
            if message.attr("from").map(bare) == Some(own.as_str()) {
                sent.insert(id, label);
                kept.sent.push(label);
            } else {
                kept.timeline.push(label);
            }
        }
    }
    kept.failed = failed.iter().filter_map(|id| sent.get(id).copied()).collect();
    kept.inbox = labels(imap, account, "INBOX").await?;
    kept.sent_folder = labels(imap, account, "Sent").await?;
    Ok(kept)
}

/// The mails that the whole mails of a folder name: themselves, or, in a report, the one that it is about.
pub(super) async fn labels(imap: SocketAddr, account: Account, folder: &str) -> Result<Vec<Label>> {
    let mut wire = Wire::open(imap).await?;
    wire.line().await?;
    for (tag, command) in
        [("a", format!("LOGIN {} {PASSWORD}", account.name())), ("b", format!("EXAMINE {folder}"))]
    {
        wire.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        loop {
            let line = wire.line().await?;
            if let Some(said) = line.strip_prefix(&format!("{tag} ")) {
                ensure!(said.starts_with("OK"), "{command} of {}: {said}", account.name());
                break;
            }
        }
    }
    // A tag that stands in no mail: an empty folder says nothing before it.
    wire.send(b"done9 UID FETCH 1:* BODY.PEEK[]\r\n").await?;
    let mails = wire.until(b"done9 OK ").await;
    let mails = mails.with_context(|| format!("the folder {folder} of {}", account.name()))?;
    Ok(Label::all(&mails))
}
