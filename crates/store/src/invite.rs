//! Invitations: what makes an account, a contact or a member of a group out of who holds a token.

use rookery_proto::Uid;
use rookery_proto::jid::BareJid;

use crate::roster::{Party, RosterChange};
use crate::sqlite::invites;
use crate::store::Store;
use crate::{Account, GroupAffiliate, Item, NewAccount, Node, Result, Timestamp};

/// The hash of an invitation's token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InviteHash(pub [u8; 32]);

/// What an invitation is good for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Offer {
    /// Who holds it can make an account.
    pub account: bool,
    /// Who takes it up and who made it become contacts of each other.
    pub contact: bool,
    /// The prepared name that the account will have, and that nobody else gets meanwhile.
    pub name: Option<String>,
    /// The group that who takes it up becomes a member of.
    pub group: Option<BareJid>,
}

/// An invitation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invite {
    /// The hash of its token.
    pub hash: InviteHash,
    /// From when on it is not valid.
    pub expires: Timestamp,
    /// How often it can still be taken up.
    pub uses: u32,
    /// Whose invitation it is; `None`: the operator's.
    pub created_by: Option<Uid>,
    /// What it is good for.
    pub offer: Offer,
}

/// An invitation in somebody's hands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The hash of its token.
    pub hash: InviteHash,
    /// When it was shown first: what was valid then is good for what comes of it (XEP-0445 §4).
    pub at: Timestamp,
}

/// An account that was made with what its invitation brought.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedUp {
    /// The account.
    pub account: Account,
    /// The invitation, if there was one, as it is now.
    pub invite: Option<Invite>,
    /// Who invited and the new account are contacts: what that changed.
    pub friends: Option<Friends>,
}

/// Two who have become contacts of each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Friends {
    /// Who made the invitation.
    pub inviter: Uid,
    /// The push to the resources of who made the invitation.
    pub inviter_change: Option<RosterChange>,
    /// The push to the resources of who took it up.
    pub taker_change: Option<RosterChange>,
}

impl Store {
    /// Makes an account under the next free number, as [`Store::create_account`] does, with all that its invitation brings:
    /// with an offer of contact both are in each other's roster. `items` are published in its nodes, by itself. `domain` is the
    /// one that accounts live at; with `waits` it waits for an administrator's approval.
    /// [`crate::StoreError::InvalidInvite`]: the invitation is not valid, makes no account, or is for another name.
    pub async fn sign_up(
        &self,
        new: NewAccount,
        items: Vec<(Node, Item)>,
        domain: String,
        waits: bool,
    ) -> Result<SignedUp> {
        let numbers = self.numbers();
        self.write(move |tx| invites::sign_up(tx, &numbers, new, items, &domain, waits)).await
    }

    /// Somebody who has an account takes up the invitation of `inviter` to become contacts (XEP-0379 §3.4); `None` if there
    /// is no valid one with this hash, or they are contacts already: then nothing is used up.
    pub async fn take_up(
        &self,
        hash: InviteHash,
        now: Timestamp,
        taker: Party,
        inviter: Party,
    ) -> Result<Option<(Invite, Friends)>> {
        self.write(move |tx| invites::take_up(tx, Shown { hash, at: now }, &taker, &inviter)).await
    }

    /// Somebody who has an account takes up an invitation to a group, and stands to it so from now on.
    /// [`crate::StoreError::InvalidInvite`]: it is not valid; [`crate::StoreError::Conflict`]: as for [`Store::affiliate`].
    pub async fn take_up_group(&self, shown: Shown, group: Uid, who: GroupAffiliate) -> Result<()> {
        self.write(move |tx| invites::take_up_group(tx, shown, group, who)).await
    }

    /// Keeps an invitation. Of those that one account made, and that have not expired by `now`, there may be `most`, used up
    /// or not. [`crate::StoreError::Conflict`]: there is one with this hash, or its name is somebody's or kept for another.
    pub async fn create_invite(&self, invite: Invite, now: Timestamp, most: usize) -> Result<()> {
        self.write(move |tx| invites::create(tx, &invite, now, most)).await
    }

    /// The invitation with this hash, also when it has expired or is used up; none of an account that nobody can use.
    pub async fn invite(&self, hash: InviteHash) -> Result<Option<Invite>> {
        self.read(move |conn| invites::get(conn, hash)).await
    }

    /// All invitations, or those that one account made; the one that expires first at the beginning.
    pub async fn invites(&self, of: Option<Uid>) -> Result<Vec<Invite>> {
        self.read(move |conn| invites::list(conn, of)).await
    }

    /// Takes an invitation back; false if there is none. With `of`, only one of this account that was not used up: those
    /// stay until they expire, so that they count.
    pub async fn revoke_invite(&self, hash: InviteHash, of: Option<Uid>) -> Result<bool> {
        self.write(move |tx| invites::revoke(tx, hash, of)).await
    }
}
