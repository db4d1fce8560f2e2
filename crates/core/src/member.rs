//! Who an address belongs to, and what the way of a message must know of that account.

use crate::limits;
use crate::privacy::Privacy;
use crate::reach::Reachable;
use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rookery_proto::Uid;
use rookery_proto::jid::{BareJid, Jid};
use rookery_store::{Account, ArchiveDefault, ArchivePrefs, Result, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An account as the pipeline sees it: a snapshot, replaced whole when something changes.
#[derive(Debug)]
pub struct Member {
    /// The account's number.
    pub uid: Uid,
    /// The primary address: what binds, is stamped as `from`, owns roster and archive.
    pub address: BareJid,
    /// Salt of the archive ids.
    pub epoch: u32,
    /// Signed out for good by the operator.
    pub disabled: bool,
    /// Waits for an administrator's approval, and talks to nobody else until then.
    pub waits: bool,
    /// Whether this account administers the server (XEP-0133).
    pub admin: bool,
    /// Whether the limits of pace are not for this account (a bot, a bridge).
    pub unlimited: bool,
    /// Addresses this account blocks (XEP-0191): bare, full, domain or domain with resource.
    pub blocked: BTreeSet<String>,
    /// What goes into the archive (XEP-0313 §7).
    pub prefs: ArchivePrefs,
    /// What it shows of itself, and what it takes from strangers.
    pub privacy: Privacy,
    /// Who may reach it when it is not here; `None`: nobody.
    pub reach: Option<Box<Reachable>>,
}

impl Member {
    /// What is no account and keeps nodes as one: a group, the publish-subscribe service.
    pub fn of_nodes(uid: Uid, address: BareJid, epoch: u32) -> Member {
        Member {
            uid,
            address,
            epoch,
            disabled: false,
            admin: false,
            unlimited: true,
            waits: false,
            blocked: BTreeSet::new(),
            prefs: ArchivePrefs::default(),
            privacy: Privacy::default(),
            reach: None,
        }
    }

    /// Whether this account blocks `who` (XEP-0191 §3: full, bare, domain with resource, domain).
    pub fn blocks(&self, who: &Jid) -> bool {
        if self.blocked.is_empty() {
            return false;
        }
        let bare = who.to_bare();
        let domain = bare.domain().as_str();
        let hit = |text: &str| self.blocked.contains(text);
        let at_resource = who.resource().is_some_and(|r| hit(who.as_str()) || hit(&format!("{domain}/{r}")));
        at_resource || hit(bare.as_str()) || hit(domain)
    }
}

/// Finds accounts by address and keeps those in use in memory.
pub struct Directory {
    store: Store,
    domain: String,
    archive_default: ArchiveDefault,
    members: Cache<Uid, Arc<Member>>,
    names: Cache<Box<str>, Uid>,
    /// Counts changes: what was read before a change is not kept after it.
    changes: AtomicU64,
    filling: Mutex<()>,
}

impl Directory {
    /// A directory of the accounts at `domain`; `archive_default` holds for those who have not decided.
    pub fn new(store: Store, domain: String, archive_default: ArchiveDefault) -> Directory {
        Directory {
            store,
            domain,
            archive_default,
            members: Cache::new(limits::MEMBERS_CACHED),
            names: Cache::new(limits::MEMBERS_CACHED),
            changes: AtomicU64::new(0),
            filling: Mutex::new(()),
        }
    }

    /// The account with this number; `None` when there is none.
    pub async fn member(&self, uid: Uid) -> Result<Option<Arc<Member>>> {
        if let Some(member) = self.members.get(&uid) {
            return Ok(Some(member));
        }
        let before = self.changes.load(Ordering::Acquire);
        let Some(record) = self.store.account_record(uid).await? else { return Ok(None) };
        let undecided = || ArchivePrefs { default: self.archive_default, ..ArchivePrefs::default() };
        let member = Arc::new(Member {
            uid,
            address: primary_address(&record.account, &self.domain),
            epoch: record.account.epoch,
            disabled: record.account.disabled,
            waits: record.waits,
            admin: record.admin,
            unlimited: record.unlimited,
            blocked: record.blocked.into_iter().collect(),
            prefs: record.prefs.unwrap_or_else(undecided),
            privacy: record.privacy.into(),
            reach: record.reach.and_then(Reachable::of),
        });
        let _filling = self.filling.lock();
        if self.changes.load(Ordering::Acquire) == before {
            self.members.insert(uid, member.clone());
        }
        Ok(Some(member))
    }

    /// The account that a localpart names: its number, or its name.
    pub async fn find(&self, local: &str) -> Result<Option<Arc<Member>>> {
        match self.uid(local).await? {
            Some(uid) => self.member(uid).await,
            None => Ok(None),
        }
    }

    async fn uid(&self, local: &str) -> Result<Option<Uid>> {
        if let Some(uid) = Uid::from_local(local) {
            return Ok(Some(uid));
        }
        if let Some(uid) = self.names.get(local) {
            return Ok(Some(uid));
        }
        let before = self.changes.load(Ordering::Acquire);
        let Some(account) = self.store.account_by_name(local).await? else { return Ok(None) };
        let _filling = self.filling.lock();
        if self.changes.load(Ordering::Acquire) == before {
            self.names.insert(local.into(), account.uid);
        }
        Ok(Some(account.uid))
    }

    /// Forgets what is kept of an account after a change of it was committed.
    pub fn changed(&self, uid: Uid) {
        let _filling = self.filling.lock();
        self.changes.fetch_add(1, Ordering::AcqRel);
        if let Some((_, member)) = self.members.remove(&uid)
            && let Some(name) = member.address.node()
        {
            self.names.remove(name.as_str());
        }
    }
}

/// The address that an account binds and is known by.
pub fn primary_address(account: &Account, domain: &str) -> BareJid {
    // Names were prepared when the account was made, numbers are digits, the domain was checked at the start.
    account.address(domain).expect("stored names are valid localparts")
}
