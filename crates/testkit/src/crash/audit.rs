//! Reads what the server has of an account when all is over.

use std::collections::BTreeMap;

use anyhow::Result;

use super::feed;
use super::history::{Account, Label, Stored};
use super::process::Server;
use crate::client::{Archived, Client};
use crate::dialogue::PASSWORD;
use crate::ns;

/// The key of a roster item's name.
pub(super) fn roster_key(jid: &str) -> String {
    format!("roster {jid}")
}

/// The key of whether an address is blocked.
pub(super) fn block_key(jid: &str) -> String {
    format!("block {jid}")
}

/// The key of how an account stands to the room.
pub(super) fn affiliation_key(jid: &str) -> String {
    format!("affiliation {jid}")
}

/// The value of who is a member of the room.
pub(super) const MEMBER: &str = "member";

/// The value of a blocked address.
pub(super) const BLOCKED: &str = "blocked";

/// Sign in once more and read archive, roster, block list and inbox.
pub(super) async fn stored(server: &Server, account: Account) -> Result<Stored> {
    let mut client: Client = server.connect().await?;
    client.sign_in(&account.name(), PASSWORD, "audit").await?;
    let archive = client.archive(None).await?.iter().filter_map(label).collect();
    let roster = client.roster().await?;
    let names =
        roster.iter().filter_map(|item| Some((roster_key(item.attr("jid")?), item.attr("name")?.to_owned())));
    let blocked = client.blocklist().await?.into_iter().map(|jid| (block_key(&jid), BLOCKED.to_owned()));
    let mut values: BTreeMap<String, String> = names.chain(blocked).collect();
    if account == OWNER {
        let members = format!("<query xmlns='{}'><item affiliation='member'/></query>", ns::MUC_ADMIN);
        let answer = client.iq("get", Some(&Account::ROOM.jid()), &members).await?;
        let items = answer.children().flat_map(|query| query.children());
        let members = items.filter_map(|item| Some((affiliation_key(item.attr("jid")?), MEMBER.to_owned())));
        values.extend(members);
    }
    values.extend(feed::stored(&mut client, account).await?);
    let unread = client.unread().await?;
    let unread = unread.into_iter().filter_map(|(jid, unread)| Some((Account::at(&jid)?, unread))).collect();
    Ok(Stored { archive, values, unread })
}

/// The account whose device decides who is a member of the room.
pub(super) const OWNER: Account = Account(0);

/// Read the room's archive.
pub(super) async fn room(server: &Server) -> Result<Stored> {
    let mut client: Client = server.connect().await?;
    client.sign_in(&OWNER.name(), PASSWORD, "audit").await?;
    let archive = client.archive_of(Some(&Account::ROOM.jid()), None).await?;
    Ok(Stored { archive: archive.iter().filter_map(label).collect(), ..Stored::default() })
}

/// Which message of the run it is, if it is one.
pub(super) fn label(archived: &Archived) -> Option<Label> {
    Label::parse(archived.message.attr("id")?)
}
