//! Inviting people, and what becomes of those who come: accounts, contacts, members.

use crate::accounts::{AccountError, By, Links, Wanted};
use crate::member::Member;
use crate::{Core, Registration, limits};
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
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
        // Who was invited has been vouched for.
        let waits = self.policy.registration == Registration::Review && wanted.invite.is_none();
        let done = self.accounts.sign_up(wanted, By::Themselves, waits).await?;
        if waits {
            self.reviewing.notify_one();
        }
        if let Some(friends) = &done.friends {
            self.contacts.changed(friends.inviter);
            if let Some(change) = &friends.inviter_change {
                self.push_roster(friends.inviter, change);
            }
        }
        if let Some(group) = done.invite.as_ref().and_then(|invite| invite.offer.group.as_ref()) {
            let who = self.accounts.address(&done.account);
            self.enter_group(group, done.invite.as_ref().and_then(|invite| invite.created_by), &who).await;
        }
        Ok(done)
    }

    /// What an invitation promises of a group. The account or the contact is made: that the group could not be entered must
    /// not look as if it were not.
    pub(crate) async fn enter_group(&self, group: &BareJid, inviter: Option<Uid>, who: &BareJid) {
        let entered = async {
            let inviter = match inviter {
                Some(uid) => self.member_of(uid).await?.address.clone(),
                // The operator speaks in the group's own name.
                None => group.clone(),
            };
            self.join_invited(group, &inviter, who).await
        };
        if let Err(error) = entered.await {
            tracing::warn!(%group, %who, reason = error.condition, "an invited person did not become a member");
        }
    }

    /// An invitation of a member's to one person: to become contacts, and to make an account first where that is allowed.
    pub async fn invite_contact(&self, member: &Member) -> Result<Invitation, AccountError> {
        let account = match self.policy.registration {
            Registration::Closed => false,
            Registration::Invite | Registration::Review => self.policy.members_invite || member.admin,
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
