//! What people do with their account by text messages: PINs, what was shown on a phone, and what it is answered.

use rookery_proto::jid::BareJid;
use rookery_proto::{Uid, Useq};

use crate::inbox::Displayed;
use crate::sending::NewSending;
use crate::sqlite::phones;
use crate::store::Store;
use crate::{Caps, Result, Timestamp};

/// The digest of a PIN.
pub type PinDigest = [u8; 32];

/// What became of a PIN that came from a phone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinTried {
    /// It is the account's.
    Right,
    /// It is not.
    Wrong,
    /// Wrong ones came too often: no PIN is looked at for a while.
    Locked,
    /// The account has none.
    None,
}

/// A conversation in a list that a phone was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeskItem {
    /// With whom.
    pub peer: BareJid,
    /// Its last entry then, in the account's log.
    pub last: Useq,
    /// How many of its messages were unread.
    pub unread: u64,
}

/// What a phone was shown last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Desk {
    /// Whose conversations.
    pub uid: Uid,
    /// What numbers mean, from 1; at most [`crate::limits::DESK_LISTED`].
    pub listed: Vec<DeskItem>,
    /// What is being read, from 1; 0: the list is.
    pub item: u8,
    /// How far: bytes of the text, or items of the list.
    pub place: u32,
    /// When.
    pub at: Timestamp,
}

/// What a phone is answered, and what is so from then on, as one transaction.
pub struct PhoneAnswer {
    /// What is sent.
    pub sending: NewSending,
    /// Names what is answered: it is answered once.
    pub about: String,
    /// What the phone is shown by it; `None`: what it was shown stays.
    pub desk: Option<Desk>,
    /// What is read by it.
    pub displayed: Option<Displayed>,
}

impl Store {
    /// Whether the account has a PIN.
    pub async fn has_phone_pin(&self, uid: Uid) -> Result<bool> {
        self.read(move |conn| phones::has_pin(conn, uid)).await
    }

    /// Gives the account a PIN, or takes it away; wrong ones are forgotten. [`crate::StoreError::NotFound`]: there is no such
    /// account.
    pub async fn set_phone_pin(&self, uid: Uid, pin: Option<PinDigest>) -> Result<()> {
        self.write(move |tx| phones::set_pin(tx, uid, pin)).await
    }

    /// Tries a PIN at these accounts, each with its digest there: whose it is; or the first that has one, and what became of it
    /// there. One that is nobody's counts in the same transaction as a wrong one of each, and [`crate::limits::PIN_TRIES`] of them
    /// within [`crate::limits::PIN_LOCKED_MS`] lock an account's for that time.
    pub async fn try_phone_pin(
        &self,
        tried: Vec<(Uid, PinDigest)>,
        now: Timestamp,
    ) -> Result<(PinTried, Option<Uid>)> {
        self.write(move |tx| phones::try_pin(tx, &tried, now)).await
    }

    /// What a phone was shown last.
    pub async fn desk(&self, phone: &str) -> Result<Option<Desk>> {
        let phone = phone.to_owned();
        self.read(move |conn| phones::desk(conn, &phone)).await
    }

    /// Answers a phone; false if it was answered before. It counts as what the account writes to phones.
    /// [`crate::StoreError::Limit`]: the caps of such messages in a day are reached; [`crate::StoreError::Conflict`]: the phone wants
    /// nothing from here.
    pub async fn answer_phone(&self, answer: PhoneAnswer, caps: Caps) -> Result<bool> {
        self.write(move |tx| phones::answer(tx, &answer, caps)).await
    }

    /// Whether somebody counts as not here, whatever its devices look like, is changed; false if the account has no plan to be reached
    /// by.
    pub async fn set_away(&self, uid: Uid, away: bool) -> Result<bool> {
        self.write(move |tx| phones::set_away(tx, uid, away)).await
    }
}
