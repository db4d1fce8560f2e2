//! Whom this server has nothing to do with: servers and addresses elsewhere. Nothing of theirs is taken, and nothing is
//! given to them, whatever the people here would like. People here are disabled instead.

use crate::accounts::Accounts;
use crate::address;
use crate::{Core, store_error};
use parking_lot::RwLock;
use rookery_proto::error::StanzaError;
use rookery_proto::jid::{BareJid, Jid};
use std::collections::HashSet;

/// The list in memory: what the store has. Entries are domains and bare addresses.
#[derive(Default)]
pub struct Denied {
    list: RwLock<List>,
    /// Held while it is read from the store, so that who reads later is not overtaken by who read before.
    reading: tokio::sync::Mutex<()>,
}

type List = HashSet<Box<str>>;

fn has(list: &List, bare: &str, domain: &str) -> bool {
    list.contains(bare) || list.contains(domain)
}

fn has_contact(list: &List, who: &BareJid) -> bool {
    !list.is_empty() && has(list, who.as_str(), who.domain().as_str())
}

/// Reads an entry: a domain or an address that is not of this server.
pub fn entry(text: &str, accounts: &Accounts) -> Result<String, StanzaError> {
    let jid = address::parse(text.trim())?;
    if jid.resource().is_some() {
        return Err(StanzaError::not_acceptable().text("An address is blocked without its resource."));
    }
    if jid.domain().as_str() == accounts.domain() {
        let text = format!("{jid} is of this server: disable the account instead.");
        return Err(StanzaError::not_acceptable().text(text));
    }
    if jid.domain().as_str() == accounts.groups() {
        let text = format!("{jid} is of this server: end the group instead.");
        return Err(StanzaError::not_acceptable().text(text));
    }
    Ok(jid.to_string())
}

impl Core {
    /// Whether nothing is taken from `who`, or given to it.
    pub fn denies(&self, who: &Jid) -> bool {
        let list = self.denied.list.read();
        if list.is_empty() {
            return false;
        }
        let bare = who.as_str().split('/').next().unwrap_or_default();
        has(&list, bare, who.domain().as_str())
    }

    /// Refuses what is for somebody whom the server denies.
    pub fn permits(&self, to: Option<&Jid>) -> Result<(), StanzaError> {
        match to.filter(|to| self.denies(to)) {
            Some(to) => {
                let text = format!("This server has nothing to do with {}.", to.domain());
                Err(StanzaError::not_allowed().text(text))
            }
            None => Ok(()),
        }
    }

    /// Whether nothing is given to a contact; see [`Core::denies`].
    pub(crate) fn denies_contact(&self, who: &BareJid) -> bool {
        has_contact(&self.denied.list.read(), who)
    }

    /// Takes the list from the store: when the server starts, before anything can come in, and when it was changed there.
    pub async fn refresh_denied(&self) -> rookery_store::Result<()> {
        let _reading = self.denied.reading.lock().await;
        let list: List = self.store.denied().await?.into_iter().map(|denied| denied.jid.into()).collect();
        let before = self.denied.list.read().clone();
        // What was shown is taken back while it can still be told.
        let banished = |who: &BareJid| !has_contact(&before, who) && has_contact(&list, who);
        let readmitted = |who: &BareJid| has_contact(&before, who) && !has_contact(&list, who);
        self.part_from(&banished).await;
        *self.denied.list.write() = list.clone();
        self.meet_again(&readmitted).await;
        Ok(())
    }

    /// Denies addresses (as [`entry`] reads them), or does not any more. In the store and in force when this returns; how
    /// many are new.
    pub async fn set_denied(&self, jids: Vec<String>, denied: bool, by: &str) -> Result<usize, StanzaError> {
        let changed = match denied {
            true => self.store.deny(jids, self.env.now(), by).await,
            false => self.store.undeny(jids).await,
        };
        let changed = changed.map_err(store_error)?;
        self.refresh_denied().await.map_err(store_error)?;
        Ok(changed)
    }
}
