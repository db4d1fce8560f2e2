//! Carries out commands about invitations.

use rookery_core::accounts::{AccountError, invite_hash};
use rookery_core::limits::{INVITE_DAYS_MOST, INVITE_USES_MOST};
use rookery_proto::name::Name;
use rookery_store::{Account, Invite, Offer, Timestamp, limits};

use super::{Admin, InviteRow, Response};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// Characters of an invitation's id as it is shown, and the fewest that name one.
const ID_SHOWN: usize = 8;

impl Admin {
    pub(super) async fn create_invite(
        &self,
        uses: u32,
        seconds: u64,
        account: Option<String>,
        offer: Offer,
    ) -> Result<Response, AccountError> {
        let seconds = seconds.clamp(1, DAY * u64::from(INVITE_DAYS_MOST));
        let expires = Timestamp(self.env.now().0.saturating_add_unsigned(seconds * 1_000));
        let inviter = match account {
            Some(account) => Some(self.accounts.find(&account).await?),
            None => None,
        };
        let name = offer.name.as_deref().map(Name::new).transpose()?.map(Name::into_string);
        // A name is one account's.
        let uses = if name.is_some() { 1 } else { uses.clamp(1, INVITE_USES_MOST) };
        let offer = Offer { contact: offer.contact && inviter.is_some(), name, ..offer };
        let created_by = inviter.as_ref().map(|account| account.uid);
        let token = self.accounts.invite(uses, expires, created_by, offer.clone(), limits::INVITES).await?;
        let address = inviter.as_ref().map(|account| self.accounts.address(account));
        let links = self.accounts.links(&token, &offer, address.as_ref());
        let invite = Invite { hash: invite_hash(&token), expires, uses, created_by, offer };
        let invite = self.invite_row(&invite, inviter.as_ref());
        Ok(Response::Invited { invite, token, link: links.uri, page: links.page })
    }

    pub(super) async fn list_invites(&self) -> Result<Response, AccountError> {
        let mut invites = Vec::new();
        for invite in self.store.invites(None).await? {
            let inviter = match invite.created_by {
                Some(uid) => self.store.account(uid).await?,
                None => None,
            };
            invites.push(self.invite_row(&invite, inviter.as_ref()));
        }
        Ok(Response::Invites { invites })
    }

    pub(super) async fn revoke_invite(&self, text: &str) -> Result<Response, AccountError> {
        let named = |invite: &Invite| {
            let id = id(invite);
            invite.hash == invite_hash(text)
                || (text.len() >= ID_SHOWN && id.starts_with(&text.to_ascii_lowercase()))
        };
        let found: Vec<Invite> = self.store.invites(None).await?.into_iter().filter(named).collect();
        let [invite] = found.as_slice() else {
            let why = "There is no such invitation: see `rookery invite list`.".to_owned();
            return Ok(Response::Refused { why });
        };
        self.store.revoke_invite(invite.hash, None).await?;
        Ok(Response::Revoked)
    }

    fn invite_row(&self, invite: &Invite, inviter: Option<&Account>) -> InviteRow {
        let Invite { uses, expires, offer, .. } = invite;
        let mut what = match (offer.account, &offer.name) {
            (true, Some(name)) => format!("account {name}"),
            (true, None) => "account".to_owned(),
            (false, _) => String::new(),
        };
        if offer.contact {
            what += if what.is_empty() { "contact" } else { ", contact" };
        }
        if let Some(group) = &offer.group {
            what += &format!(", {group}");
        }
        InviteRow {
            id: id(invite)[..ID_SHOWN].to_owned(),
            uses: *uses,
            of: inviter.map(|account| self.accounts.address(account).to_string()),
            what,
            expires: expires.0,
            ended: *uses == 0 || *expires <= self.env.now(),
        }
    }
}

/// An invitation's hash in lower-case hexadecimal.
fn id(invite: &Invite) -> String {
    data_encoding::HEXLOWER.encode(&invite.hash.0)
}
