//! Inviting people, and what becomes of those who come: accounts, contacts, members.

use crate::accounts::{AccountError, By, Links, Wanted};
use crate::member::Member;
use crate::{Core, Registration, limits};
use rookery_store::{Offer, SignedUp, Timestamp};

/// An invitation as it is handed to who made it.
pub struct Invitation {
    /// Where it leads.
    pub links: Links,
    /// Until when.
    pub expires: Timestamp,
}

impl Core {
    /// Somebody makes an account for themselves. Who invited them sees at once that they have come (XEP-0401 §4.5).
    pub async fn sign_up(&self, wanted: Wanted) -> Result<SignedUp, AccountError> {
        let done = self.accounts.sign_up(wanted, By::Themselves).await?;
        if let Some(friends) = &done.friends {
            self.contacts.changed(friends.inviter);
            if let Some(change) = &friends.inviter_change {
                self.push_roster(friends.inviter, change);
            }
        }
        Ok(done)
    }

    /// An invitation of a member's to one person: to become contacts, and to make an account first where that is allowed.
    pub async fn invite_contact(&self, member: &Member) -> Result<Invitation, AccountError> {
        let account = match self.policy.registration {
            Registration::Closed => false,
            Registration::Invite => self.policy.members_invite || member.admin,
            Registration::Open => true,
        };
        let offer = Offer { account, contact: true, ..Offer::default() };
        self.invite(member, 1, limits::INVITE_DAYS, offer, limits::INVITES_OF_ACCOUNT).await
    }

    /// An invitation of a member's, valid for so many days.
    pub async fn invite(
        &self,
        member: &Member,
        uses: u32,
        days: u32,
        offer: Offer,
        most: usize,
    ) -> Result<Invitation, AccountError> {
        let expires = Timestamp(self.env.now().0 + i64::from(days) * DAY);
        let token = self.accounts.invite(uses, expires, Some(member.uid), offer.clone(), most).await?;
        Ok(Invitation { links: self.accounts.links(&token, &offer, Some(&member.address)), expires })
    }
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
