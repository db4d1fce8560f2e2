//! Carries out commands, in the running server or beside it.

use rookery_core::Core;
use rookery_core::accounts::{AccountError, Accounts, By, GrantedLink, Wanted};
use rookery_core::env::Env;
use rookery_core::export::{Desk, Order, State};
use rookery_proto::Uid;
use rookery_proto::jid::BareJid;
use rookery_store::{Account, AccountFilter, FileQuota, Indexed, LinkPurpose, Offer, Store, StoreError};
use std::sync::Arc;

use super::{AccountRow, Failure, IMPORT_PART, ImportLine, LIST_PART, Request, Response};

/// Carries out commands.
pub struct Admin {
    pub(super) accounts: Accounts,
    pub(super) store: Store,
    pub(super) env: Env,
    exports: Arc<Desk>,
    /// How much room files have.
    pub(super) quota: FileQuota,
    /// The server, where one runs: its sessions feel each change at once.
    pub(super) running: Option<Arc<Core>>,
}

impl Admin {
    /// Carries out commands on a store that no server uses; who calls works off the orders for exports.
    pub fn alone(accounts: Accounts, store: Store, env: Env, exports: Arc<Desk>, quota: FileQuota) -> Admin {
        Admin { accounts, store, env, exports, quota, running: None }
    }

    /// Carries out commands in a running server.
    pub fn of(core: Arc<Core>) -> Admin {
        let (accounts, store, env) = (core.accounts.clone(), core.store.clone(), core.env.clone());
        let quota = core.policy.files.as_ref().map(|files| files.quota).unwrap_or_default();
        Admin { accounts, store, env, exports: core.exports.clone(), quota, running: Some(core) }
    }

    /// Does what is asked; what went wrong is in the response.
    pub async fn handle(&self, request: Request) -> Response {
        let outcome = match request {
            Request::Create { address, nick, password } => self.create(&address, nick, password).await,
            Request::Import { lines, iterations } => self.import(lines, iterations).await,
            Request::Show { account } => self.accounts.find(&account).await.map(|account| self.row(&account)),
            Request::List { after, prefix, disabled } => self.list(after, prefix, disabled).await,
            Request::SetDisabled { account, disabled } => self.set_disabled(&account, disabled).await,
            Request::SetAdmin { account, admin } => self.set_admin(&account, admin).await,
            Request::RemoveFactor { account } => self.remove_factor(&account).await,
            Request::SetUnlimited { account, unlimited } => self.set_unlimited(&account, unlimited).await,
            Request::SetPassword { account, password } => self.set_password(&account, password).await,
            Request::AdminLink => self.link(LinkPurpose::Administrator).await,
            Request::RecoveryLink { account } => self.recovery_link(&account).await,
            Request::Waiting => self.waiting().await,
            Request::Review { account, approve } => self.review(&account, approve).await,
            Request::Delete { account } => self.delete(&account).await,
            Request::Export { account, credentials } => self.export(&account, credentials).await,
            Request::ExportState { id } => Ok(self.export_state(id)),
            Request::ExportTaken { id } => {
                self.exports.take(&id, By::Operator);
                Ok(Response::Noted)
            }
            Request::Announce { subject, text, online } => self.announce(subject, text, online).await,
            Request::Announcement { id } => self.announcement(id).await,
            Request::DropIndex => self.drop_index().await,
            Request::Index => self.index().await,
            Request::CreateInvite { uses, seconds, account, contact, name, group } => {
                let group = match group.as_deref().map(BareJid::new).transpose() {
                    Ok(group) => group,
                    Err(_) => {
                        let why = "A group's address looks like 700001@groups.example.org.".to_owned();
                        return Response::Refused { why };
                    }
                };
                let offer = Offer { account: true, contact, name, group };
                self.create_invite(uses, seconds, account, offer).await
            }
            Request::CreateGroup { name, owner, private } => self.create_group(name, owner, private).await,
            Request::ListGroups { after } => self.list_groups(after).await,
            Request::ShowGroup { group } => self.show_group(&group).await,
            Request::AffiliateGroup { group, account, affiliation } => {
                self.affiliate_group(&group, &account, &affiliation).await
            }
            Request::DestroyGroup { group } => self.destroy_group(&group).await,
            Request::ListInvites => self.list_invites().await,
            Request::RevokeInvite { invite } => self.revoke_invite(&invite).await,
            Request::ListReports { closed, before } => self.list_reports(closed, before).await,
            Request::ShowReport { id } => return self.show_report(id).await,
            Request::CloseReport { id, outcome, all } => return self.close_report(id, outcome, all).await,
            Request::Block { jids } => return self.set_blocked(jids, true).await,
            Request::Unblock { jids } => return self.set_blocked(jids, false).await,
            Request::ListBlocked => self.list_blocked().await,
            Request::Duty { request } => self.duties(request).await,
            Request::Pager { request } => self.pagers(request).await,
            Request::ListFiles { filter, before } => self.list_files(filter, before).await,
            Request::FileUsage { account, after } => self.file_usage(account, after).await,
            Request::RemoveFile { file } => self.remove_file(&file).await,
            Request::MailQueue { after } => self.mail_queue(after).await,
            Request::RetryMail { id } => self.retry_mail(id).await,
            Request::DropMail { id } => self.drop_mail(id).await,
        };
        outcome.unwrap_or_else(|error| Response::Refused { why: error.sentence() })
    }

    async fn create(
        &self,
        address: &str,
        nick: Option<String>,
        password: String,
    ) -> Result<Response, AccountError> {
        let name = self.accounts.name_of(address)?;
        let wanted = Wanted { name, nick, password, invite: None };
        Ok(self.row(&self.accounts.create(wanted, By::Operator).await?))
    }

    async fn import(
        &self,
        lines: Vec<ImportLine>,
        iterations: Option<u32>,
    ) -> Result<Response, AccountError> {
        if lines.len() > IMPORT_PART {
            return Err(AccountError::Store(StoreError::Limit("lines at once")));
        }
        let mut failures = Vec::new();
        let mut failed = |line: u64, address: &str, error: AccountError| {
            failures.push(Failure { line, address: address.to_owned(), why: error.sentence() });
        };
        let (mut sources, mut wanted) = (Vec::new(), Vec::new());
        for ImportLine { line, address, password, nick } in lines {
            match self.accounts.name_of(&address) {
                Ok(name) => {
                    wanted.push(Wanted { name, nick, password, invite: None });
                    sources.push((line, address));
                }
                Err(error) => failed(line, &address, error),
            }
        }
        let mut made = 0;
        for ((line, address), outcome) in sources.iter().zip(self.accounts.import(wanted, iterations).await?)
        {
            match outcome {
                Ok(_) => made += 1,
                Err(error) => failed(*line, address, error),
            }
        }
        failures.sort_by_key(|failure| failure.line);
        Ok(Response::Imported { made, failures })
    }

    async fn list(
        &self,
        after: Option<u64>,
        prefix: Option<String>,
        disabled: bool,
    ) -> Result<Response, AccountError> {
        let filter = AccountFilter { name_prefix: prefix, disabled: disabled.then_some(true), words: None };
        let accounts = self.store.accounts(after.map(Uid), filter, LIST_PART).await?;
        Ok(Response::Accounts {
            accounts: accounts.iter().map(|account| self.account_row(account)).collect(),
        })
    }

    async fn set_disabled(&self, account: &str, disabled: bool) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        self.store.set_disabled(account.uid, disabled).await?;
        self.changed(account.uid, disabled).await;
        Ok(self.row(&Account { disabled, ..account }))
    }

    async fn set_admin(&self, account: &str, admin: bool) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        self.store.set_admin(account.uid, admin).await?;
        self.changed(account.uid, false).await;
        Ok(self.row(&account))
    }

    async fn remove_factor(&self, account: &str) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        self.store.remove_factor(account.uid).await?;
        Ok(self.row(&account))
    }

    async fn set_unlimited(&self, account: &str, unlimited: bool) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        self.store.set_unlimited(account.uid, unlimited).await?;
        self.changed(account.uid, false).await;
        Ok(self.row(&account))
    }

    async fn set_password(&self, account: &str, password: String) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        match &self.running {
            Some(core) => core.set_password(account.uid, password).await?,
            None => _ = self.accounts.set_password(account.uid, password, Vec::new()).await?,
        }
        self.changed(account.uid, false).await;
        Ok(self.row(&account))
    }

    async fn recovery_link(&self, account: &str) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        self.link(LinkPurpose::Recovery(account.uid)).await
    }

    async fn link(&self, purpose: LinkPurpose) -> Result<Response, AccountError> {
        let GrantedLink { token, page, expires, .. } = self.accounts.grant(purpose).await?;
        Ok(Response::Link { token, page, expires: expires.0 })
    }

    async fn waiting(&self) -> Result<Response, AccountError> {
        let accounts = self.store.waiting(None, LIST_PART).await?;
        let accounts = accounts.iter().map(|account| self.account_row(account)).collect();
        Ok(Response::Accounts { accounts })
    }

    async fn review(&self, account: &str, approve: bool) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        let done = match (&self.running, approve) {
            (Some(core), true) => core.approve(account.uid).await?,
            (Some(core), false) => core.refuse(account.uid).await?,
            (None, true) => self.store.approve(account.uid).await?,
            (None, false) if self.store.waits(account.uid).await? => {
                self.accounts.delete(&account, |_, _| ()).await?;
                true
            }
            (None, false) => false,
        };
        match done {
            true => Ok(self.row(&account)),
            false => Ok(Response::Refused { why: "This account does not wait for approval.".to_owned() }),
        }
    }

    async fn delete(&self, account: &str) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        match &self.running {
            Some(core) => core.remove_account(account.uid).await?,
            None => self.accounts.delete(&account, |_, _| ()).await?,
        }
        self.changed(account.uid, true).await;
        Ok(self.row(&account))
    }

    async fn export(&self, account: &str, credentials: bool) -> Result<Response, AccountError> {
        let account = self.accounts.find(account).await?;
        let domain = self.accounts.domain().to_owned();
        let order = Order { account, by: By::Operator, domain, credentials, at: self.env.now() };
        match self.exports.order(self.env.token(), order) {
            Some(id) => Ok(self.export_state(id)),
            None => Err(AccountError::Store(StoreError::Limit("exports at once"))),
        }
    }

    fn export_state(&self, id: String) -> Response {
        match self.exports.state(&id) {
            Some(State::Writing(progress)) => {
                let (done, total) = progress.read();
                Response::Exporting { id, done, total, file: None }
            }
            Some(State::Ready { file, .. }) => {
                Response::Exporting { id, done: 0, total: 0, file: Some(file) }
            }
            None => Response::Refused {
                why: "The export could not be written; the server's log says why.".to_owned(),
            },
        }
    }

    /// Tells the running server that an account was changed; with `ends` its sessions are over.
    async fn changed(&self, uid: Uid, ends: bool) {
        if let Some(core) = &self.running {
            core.account_changed(uid, ends).await;
        }
    }

    async fn announce(&self, subject: String, text: String, online: bool) -> Result<Response, AccountError> {
        let Some(core) = &self.running else {
            let why = "No server runs here, and so nobody can be told anything.".to_owned();
            return Ok(Response::Refused { why });
        };
        if online {
            return Ok(Response::Shown { devices: core.announce_here(&subject, &text) as u64 });
        }
        let begun = core.announce_to_all(subject, text).await?;
        self.announcement(begun.id).await
    }

    async fn announcement(&self, id: u64) -> Result<Response, AccountError> {
        let accounts = self.store.account_count().await?;
        let under_way = self.store.announcements().await?.into_iter().find(|one| one.id == id);
        let (sent, done) = under_way.map_or((accounts, true), |one| (one.sent, false));
        Ok(Response::Announcing { id, sent, accounts, done })
    }

    async fn drop_index(&self) -> Result<Response, AccountError> {
        self.store.drop_index().await?;
        self.index().await
    }

    /// A slice of the index; a running server works on it too.
    async fn index(&self) -> Result<Response, AccountError> {
        let Indexed { done, total, more } = self.store.index().await?;
        Ok(Response::Indexed { done, total, more })
    }

    fn account_row(&self, account: &Account) -> AccountRow {
        AccountRow {
            number: account.uid.0,
            address: self.accounts.address(account).to_string(),
            nick: account.nick.clone(),
            created: account.created.0,
            disabled: account.disabled,
        }
    }

    fn row(&self, account: &Account) -> Response {
        Response::Account(self.account_row(account))
    }
}
