//! What an account shows of itself, what it takes from strangers, and what of theirs was set aside.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::sqlite::privacy;
use crate::store::Store;
use crate::{Result, Timestamp};

/// Who may see something of an account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Audience {
    /// Whoever asks.
    Everybody,
    /// Contacts that are subscribed to its presence.
    #[default]
    Contacts,
    /// Nobody.
    Nobody,
}

/// What becomes of that which people send who are not in the roster.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Strangers {
    /// It is delivered.
    #[default]
    Accept,
    /// Messages wait in the log until the account lets them in.
    SetAside,
    /// It is refused.
    Refuse,
}

/// Who may ask to become a contact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Adding {
    /// Everybody.
    #[default]
    Everybody,
    /// Who holds an invitation of the account's.
    Invited,
    /// Nobody.
    Nobody,
}

/// The settings of one account.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct PrivacySettings {
    /// Who may see its presence, where no rule names them.
    pub presence: Audience,
    /// Who may see its last activity, of those who may see its presence.
    pub last: Audience,
    /// What becomes of that which strangers send.
    pub strangers: Strangers,
    /// Who may ask to become a contact.
    pub adding: Adding,
}

/// All that an account has decided about others.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Privacy {
    /// The settings.
    pub settings: PrivacySettings,
    /// Who sees the account although it shows itself to nobody (true), or never sees it (false); sorted by address.
    pub visibility: Vec<(BareJid, bool)>,
    /// Strangers that the account has answered, longest ago first.
    pub answered: Vec<BareJid>,
}

/// What a stranger has sent that was set aside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The stranger.
    pub peer: BareJid,
    /// How many messages.
    pub messages: u64,
    /// When the newest of them came.
    pub newest: Timestamp,
}

impl Store {
    /// All that the account has decided.
    pub async fn privacy(&self, uid: Uid) -> Result<Privacy> {
        self.look_up(move |conn| privacy::get(conn, uid)).await
    }

    /// Replaces the account's settings.
    pub async fn set_privacy(&self, uid: Uid, settings: PrivacySettings) -> Result<()> {
        self.write(move |tx| privacy::set(tx, uid, settings)).await
    }

    /// Makes the account visible or invisible to `jid`, or ends the rule about it.
    pub async fn set_visibility(&self, uid: Uid, jid: BareJid, visible: Option<bool>) -> Result<()> {
        self.write(move |tx| privacy::set_visibility(tx, uid, &jid, visible)).await
    }

    /// Remembers that the account has answered a stranger; forgets whom it answered longest ago beyond
    /// [`crate::limits::ANSWERED`].
    pub async fn answer(&self, uid: Uid, jid: BareJid) -> Result<()> {
        self.write(move |tx| privacy::answer(tx, uid, &jid)).await
    }

    /// Who waits with messages that were set aside, by address; at most [`crate::limits::REQUESTS`].
    pub async fn requests(&self, uid: Uid) -> Result<Vec<Request>> {
        self.read(move |conn| privacy::requests(conn, uid)).await
    }

    /// Lets in what `peer` sent while it was set aside: these are entries like any other now, and owed
    /// ([`crate::Flags::OWED`]) to the account's devices. At most [`crate::limits::SWEEP`]; gives how many there were.
    pub async fn release(&self, uid: Uid, peer: BareJid) -> Result<usize> {
        self.write(move |tx| privacy::release(tx, uid, &peer)).await
    }

    /// Removes what `peer` sent while it was set aside, at most [`crate::limits::SWEEP`] messages; gives how many there
    /// were.
    pub async fn dismiss(&self, uid: Uid, peer: BareJid) -> Result<usize> {
        self.write(move |tx| privacy::dismiss(tx, uid, &peer)).await
    }
}
