//! The end of an account, and of its sessions when it can't be used any more.

use crate::Core;
use crate::accounts::AccountError;
use rookery_proto::Uid;
use rookery_proto::stream::{StreamError, Why};

impl Core {
    /// Deletes an account, at its owner's wish or the operator's: contacts here see it go at once, and everything that is
    /// its own is deleted. Its sessions are still there, and must end ([`Core::account_changed`]).
    pub async fn remove_account(&self, uid: Uid) -> Result<(), AccountError> {
        let member = self.directory.member(uid).await?.ok_or(AccountError::NotFound)?;
        let account = self.store.account(uid).await?.ok_or(AccountError::NotFound)?;
        let contacts = self.store.contacts(uid).await?;
        let mut ended = Vec::new();
        let outcome = self.accounts.delete(&account, |contact, removal| ended.push((contact, removal))).await;
        // Also where the store failed in the middle: what has ended has ended.
        for (contact, removal) in ended {
            if let Some(theirs) = self.directory.member(contact).await? {
                self.parted(&member, &theirs, &removal);
            }
        }
        if outcome.is_ok() {
            self.exports.forget(uid);
            self.forget_in_rooms(&member.address);
            contacts.iter().for_each(|(jid, state)| self.farewell_outside(&member, jid, *state));
        }
        self.contacts.changed(uid);
        outcome
    }

    /// An account was changed from outside of its sessions; with `ends` they are over (disabled, deleted).
    pub async fn account_changed(&self, uid: Uid, ends: bool) {
        self.directory.changed(uid);
        if ends {
            for session in self.router.sessions(uid) {
                let why = StreamError::signed_out(Why::Account, "This account cannot be used any more.");
                self.end(&session, Some(why)).await;
            }
        }
    }
}
