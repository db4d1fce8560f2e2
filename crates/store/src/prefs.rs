//! What an account prefers: what is archived (XEP-0441) and for how long.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::Result;
use crate::sqlite::prefs;
use crate::store::Store;

/// What is archived where no list says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ArchiveDefault {
    /// All.
    #[default]
    Always,
    /// Nothing.
    Never,
    /// Only with contacts of the roster.
    Roster,
}

/// Archive preferences.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ArchivePrefs {
    /// For who is in neither list.
    pub default: ArchiveDefault,
    /// Always archived; sorted.
    pub always: Vec<BareJid>,
    /// Never archived; sorted.
    pub never: Vec<BareJid>,
}

impl Store {
    /// The account's archive preferences; `None` if it never set any.
    pub async fn archive_prefs(&self, uid: Uid) -> Result<Option<ArchivePrefs>> {
        self.look_up(move |conn| prefs::archive(conn, uid)).await
    }

    /// Replaces the account's archive preferences.
    pub async fn set_archive_prefs(&self, uid: Uid, prefs: ArchivePrefs) -> Result<()> {
        self.write(move |tx| prefs::set_archive(tx, uid, &prefs)).await
    }

    /// For how many days the account keeps its log; `None`: as long as the server does.
    pub async fn retention_days(&self, uid: Uid) -> Result<Option<u32>> {
        self.look_up(move |conn| prefs::retention(conn, uid)).await
    }

    /// Sets for how many days the account keeps its log.
    pub async fn set_retention_days(&self, uid: Uid, days: Option<u32>) -> Result<()> {
        self.write(move |tx| prefs::set_retention(tx, uid, days)).await
    }
}
