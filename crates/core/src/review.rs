//! New accounts that wait for an administrator: they sign in and talk to the server, to themselves and to administrators,
//! and to nobody else. Who was invited has been vouched for and does not wait.

use crate::accounts::AccountError;
use crate::address::Target;
use crate::{Core, Ctx, limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::ns;
use rookery_store::{Result, StoreError};

/// What the server does for others' sake, or lets others see: not yet.
const NOT_YET: [&str; 2] = [ns::SEARCH, ns::HTTP_UPLOAD];

/// Refuses what an account that waits sends to others than the server, itself and administrators. Whether there is anybody
/// is not said.
pub(crate) async fn admit(ctx: &Ctx<'_>) -> std::result::Result<(), StanzaError> {
    // The server answers its part also without `to`, and at the own account.
    let not_yet = || ctx.stanza.children().any(|child| NOT_YET.contains(&child.ns()));
    let admitted = match ctx.target().await? {
        Target::Account { member, .. } if member.uid == ctx.member.uid => !not_yet(),
        Target::Account { member, .. } => member.admin,
        Target::Server => !not_yet(),
        _ => false,
    };
    if admitted {
        return Ok(());
    }
    Err(StanzaError::forbidden()
        .text("Your account waits for an administrator. You are told when it is approved."))
}

impl Core {
    /// Lets an account that waits talk to everybody, and tells it; false if it did not wait.
    pub async fn approve(&self, uid: Uid) -> std::result::Result<bool, AccountError> {
        if !self.store.approve(uid).await? {
            return Ok(false);
        }
        self.account_changed(uid, false).await;
        if let Some(member) = self.directory.member(uid).await? {
            let text = "Your account is approved: you can talk to everybody here.";
            let name = format!("approved-{uid}");
            // It is approved: that it was not told must not look as if it were not.
            let told =
                async { self.store.append(self.notice(uid, &member.address, &name, text)?).await?.await };
            if let Err(error) = told.await {
                tracing::warn!(%uid, %error, "the account could not be told that it is approved");
            }
        }
        Ok(true)
    }

    /// Deletes an account that waits; false if it did not wait.
    pub async fn refuse(&self, uid: Uid) -> std::result::Result<bool, AccountError> {
        if !self.store.waits(uid).await? {
            return Ok(false);
        }
        self.remove_account(uid).await?;
        self.account_changed(uid, true).await;
        Ok(true)
    }

    /// Tells the administrators of accounts that wait and came after `told`: a message to each, one for all accounts. Gives
    /// the last that they were told of.
    pub async fn tell_of_waiting(&self, told: Option<Uid>) -> Result<Option<Uid>> {
        let new = self.store.waiting(told, limits::ADMIN_LIST).await?;
        let Some(last) = new.last().map(|account| account.uid) else { return Ok(told) };
        let who: Vec<String> = new
            .iter()
            .take(limits::REVIEW_NAMED)
            .map(|account| match &account.nick {
                Some(nick) => format!("{} ({nick})", self.accounts.address(account)),
                None => self.accounts.address(account).to_string(),
            })
            .collect();
        let more = if new.len() > who.len() { " and others" } else { "" };
        let text = format!(
            "New accounts wait for you: {}{more}. See the command \"Review new accounts\", or `rookery account review`.",
            who.join(", ")
        );
        for uid in self.store.admins().await? {
            let Some(admin) = self.directory.member(uid).await?.filter(|admin| !admin.disabled) else {
                continue;
            };
            let notice = self.notice(uid, &admin.address, &format!("review-{last}"), &text)?;
            match self.store.append(notice).await?.await {
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(last))
    }

    /// The address of an account that waits, as an administrator reads it.
    pub(crate) async fn waiting(&self) -> std::result::Result<Vec<(Uid, String)>, StanzaError> {
        let accounts = self.store.waiting(None, limits::ADMIN_LIST).await.map_err(store_error)?;
        let named = |account: &rookery_store::Account| {
            let address = self.accounts.address(account);
            let nick = account.nick.as_ref().map(|nick| format!(", {nick}")).unwrap_or_default();
            format!("{address}{nick}, since {}", crate::env::stamp(account.created))
        };
        Ok(accounts.iter().map(|account| (account.uid, named(account))).collect())
    }
}
