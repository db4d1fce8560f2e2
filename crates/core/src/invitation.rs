//! Inviting people, and what becomes of those who come: accounts, contacts, members.

use crate::accounts::{AccountError, By, Links, Wanted};
use crate::env::stamp;
use crate::member::Member;
use crate::xep::adhoc::Next;
use crate::xep::bookmarks;
use crate::{Core, Registration, limits};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_proto::jid::BareJid;
use rookery_store::{Offer, SignedUp, StoreError, Timestamp};

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
            let inviter = done.invite.as_ref().and_then(|invite| invite.created_by);
            if let Some(name) = self.enter_group(group, inviter, &who).await {
                // Whichever client comes first goes in by itself.
                let bookmark = bookmarks::entering(group, name, self.env.now(), &who);
                if let Err(error) = self.store.change_items(done.account.uid, vec![bookmark]).await {
                    tracing::warn!(%group, %who, %error, "an invited person has no bookmark of the group");
                }
            }
        }
        Ok(done)
    }

    /// What an invitation promises of a group. The account or the contact is made: that the group could not be entered must
    /// not look as if it were not. What the group is called, if that one is a member of it now.
    pub(crate) async fn enter_group(
        &self,
        group: &BareJid,
        inviter: Option<Uid>,
        who: &BareJid,
    ) -> Option<String> {
        let entered = async {
            let inviter = match inviter {
                Some(uid) => self.member_of(uid).await?.address.clone(),
                // The operator speaks in the group's own name.
                None => group.clone(),
            };
            self.join_invited(group, &inviter, who).await
        };
        entered.await.unwrap_or_else(|error: StanzaError| {
            tracing::warn!(%group, %who, reason = error.condition, "an invited person did not become a member");
            None
        })
    }

    /// An invitation of a member's to one person: to become contacts, and to make an account first where that is allowed.
    pub async fn invite_contact(&self, member: &Member) -> Result<Invitation, AccountError> {
        let offer = Offer { account: self.lets_in(member), contact: true, ..Offer::default() };
        self.invite(member, 1, limits::INVITE_DAYS, offer, limits::INVITES_OF_ACCOUNT).await
    }

    /// An invitation of a member's into a group, for so many people: to make an account first where that is allowed.
    pub(crate) async fn invite_to_group(
        &self,
        member: &Member,
        group: BareJid,
        uses: u32,
    ) -> Result<Invitation, StanzaError> {
        let offer = Offer { account: self.lets_in(member), group: Some(group), ..Offer::default() };
        let most = limits::INVITES_OF_ACCOUNT;
        self.invite(member, uses, limits::INVITE_DAYS, offer, most).await.map_err(refused)
    }

    /// Whether those whom a member invites can make an account.
    fn lets_in(&self, member: &Member) -> bool {
        match self.policy.registration {
            Registration::Closed => false,
            Registration::Invite | Registration::Review => self.policy.members_invite || member.admin,
            Registration::Open => true,
        }
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

/// The type of the result (XEP-0401 §10.1).
const INVITATION: &str = "urn:xmpp:invite#invitation";

/// What is shown of an invitation to who made it.
pub(crate) fn shown(invitation: Invitation) -> Result<Next, StanzaError> {
    let field = |var, label, value: String| Field::new(Kind::TextSingle, var, label).value(value);
    let mut form =
        Form::new(INVITATION).title("An invitation").field(field("uri", "Link", invitation.links.uri));
    if let Some(page) = invitation.links.page {
        form = form.field(field("landing-url", "Page", page));
    }
    Next::show(form.field(field("expire", "Valid until", stamp(invitation.expires))))
}

/// Why there is no invitation, with what one can do about it.
pub(crate) fn refused(error: AccountError) -> StanzaError {
    match error {
        AccountError::Store(StoreError::Limit(_)) => StanzaError::resource_constraint().text(format!(
            "You have made {} invitations that are not over yet. Take one back, or wait.",
            limits::INVITES_OF_ACCOUNT
        )),
        other => other.into(),
    }
}
