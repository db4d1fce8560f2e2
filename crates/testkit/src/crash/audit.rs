//! Reads what the server has of an account when all is over.

use anyhow::Result;

use super::history::{Account, Label, Stored};
use super::process::Server;
use crate::client::{Archived, Client};
use crate::dialogue::PASSWORD;

/// The key of a roster item's name.
pub(super) fn roster_key(jid: &str) -> String {
    format!("roster {jid}")
}

/// The key of whether an address is blocked.
pub(super) fn block_key(jid: &str) -> String {
    format!("block {jid}")
}

/// The value of a blocked address.
pub(super) const BLOCKED: &str = "blocked";

/// Sign in once more and read archive, roster and block list.
pub(super) async fn stored(server: &Server, account: Account) -> Result<Stored> {
    let mut client: Client = server.connect().await?;
    client.sign_in(&account.name(), PASSWORD, "audit").await?;
    let archive = client.archive(None).await?.iter().filter_map(label).collect();
    let roster = client.roster().await?;
    let names =
        roster.iter().filter_map(|item| Some((roster_key(item.attr("jid")?), item.attr("name")?.to_owned())));
    let blocked = client.blocklist().await?.into_iter().map(|jid| (block_key(&jid), BLOCKED.to_owned()));
    Ok(Stored { archive, values: names.chain(blocked).collect() })
}

/// Which message of the run it is, if it is one.
pub(super) fn label(archived: &Archived) -> Option<Label> {
    Label::parse(archived.message.attr("id")?)
}
