//! Invitations: made, written as links, and looked at before they are used.

use super::{AccountError, Accounts};
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_store::{Invite, InviteHash, Offer, Shown, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What an invitation is given to people as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Links {
    /// What applications open (XEP-0379 §3.2, XEP-0445 §2).
    pub uri: String,
    /// What browsers open (XEP-0379 §3.3), where we are reached by them.
    pub page: Option<String>,
}

impl Accounts {
    /// Makes an invitation that can be taken up so often until `expires`; the answer is its token, which is nowhere kept. Of
    /// those that `created_by` made there may be `most` at a time.
    pub async fn invite(
        &self,
        uses: u32,
        expires: Timestamp,
        created_by: Option<Uid>,
        offer: Offer,
        most: usize,
    ) -> Result<String, AccountError> {
        let token = self.env.token();
        let invite = Invite { hash: invite_hash(&token), expires, uses, created_by, offer };
        self.store.create_invite(invite, self.env.now(), most).await?;
        Ok(token)
    }

    /// An invitation's token as links; `inviter` is the address of who made it.
    pub fn links(&self, token: &str, offer: &Offer, inviter: Option<&BareJid>) -> Links {
        let at = |local: &str| format!("{}@{}", percent_encoded(local), self.domain);
        let inviter = inviter.filter(|_| offer.contact && offer.name.is_none());
        let uri = match (&offer.name, inviter.and_then(|inviter| inviter.node())) {
            (Some(name), _) => format!("xmpp:{}?register;preauth={token}", at(name)),
            (None, Some(local)) => {
                let register = if offer.account { ";ibr=y" } else { "" };
                format!("xmpp:{}?roster;preauth={token}{register}", at(local.as_str()))
            }
            (None, None) => format!("xmpp:{}?register;preauth={token}", self.domain),
        };
        Links { uri, page: self.public_url.as_ref().map(|base| format!("{base}/invite/{token}")) }
    }

    /// The invitation with which somebody may sign up now, or could when it was shown. What decides is the transaction that
    /// uses it up.
    pub async fn check_invite(&self, shown: Shown) -> Result<Invite, AccountError> {
        let known = self.store.invite(shown.hash).await?;
        let valid = |invite: &Invite| invite.uses > 0 && invite.expires > shown.at && invite.offer.account;
        known.filter(valid).ok_or(AccountError::Invite)
    }

    /// A token that somebody shows now.
    pub fn shown(&self, token: &str) -> Shown {
        Shown { hash: invite_hash(token), at: self.env.now() }
    }
}

/// What is kept of an invitation's token. Tokens are written by hand too: case and spaces around do not count.
pub fn invite_hash(token: &str) -> InviteHash {
    InviteHash(Sha256::digest(token.trim().to_ascii_lowercase()).into())
}

/// A text as it can stand anywhere in an address (RFC 3986 §2.1), with fewer characters left as they are than could be.
pub fn percent_encoded(local: &str) -> String {
    let mut text = String::new();
    for byte in local.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte.into()),
            // Writing to a text does not fail.
            _ => write!(text, "%{byte:02X}").unwrap_or_default(),
        }
    }
    text
}
