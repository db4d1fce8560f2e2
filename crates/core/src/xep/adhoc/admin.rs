//! XEP-0133: Service Administration: accounts. Lists and numbers are in [`super::census`], what everybody is told in
//! [`super::notices`].
//!
//! Left out on purpose: reading a password (there is none to read, only SCRAM keys), another's contact list (it is not
//! the administrator's business), the white list (nobody is let in by it alone), restart and shutdown (whoever supervises
//! the process does that). The black list is in [`super::denied`].

use super::{Command, Next, Turn, node};
use crate::accounts::{AccountError, By, Wanted};
use crate::env::stamp;
use crate::xep::Xep;
use crate::{limits, store_error};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::stream::{StreamError, Why};
use rookery_store::{Account, LinkPurpose};

/// XEP-0133.
pub const INFO: Xep = Xep::of(
    "XEP-0133",
    "Service Administration",
    "1.3.1",
    "Accounts, sessions, numbers, lists, announcements, notices, administrators, the blacklist. Passwords cannot be read: there are keys only.",
);

/// The type of all its forms.
pub(super) const FORM: &str = "http://jabber.org/protocol/admin";

pub(super) const COMMANDS: &[Command] = &[
    Command::admin(node!("add-user"), "Add a user", |turn| Box::pin(add(turn))),
    Command::admin(node!("delete-user"), "Delete users", |turn| Box::pin(delete(turn))),
    Command::admin(node!("disable-user"), "Disable users", |turn| Box::pin(switch(turn, true))),
    Command::admin(node!("reenable-user"), "Enable users again", |turn| Box::pin(switch(turn, false))),
    Command::admin(node!("end-user-session"), "End sessions of users", |turn| Box::pin(end(turn))),
    Command::admin(node!("change-user-password"), "Change a user's password", |turn| {
        Box::pin(password(turn))
    }),
    Command::admin("https://rookery.im/command/recovery-link", "Make a link to set a new password", |turn| {
        Box::pin(recovery(turn))
    }),
    Command::admin(node!("get-user-lastlogin"), "When a user was last here", |turn| Box::pin(last(turn))),
    Command::admin(node!("user-stats"), "About a user", |turn| Box::pin(statistics(turn))),
    Command::admin(node!("edit-admin"), "Edit the administrators", |turn| Box::pin(administrators(turn))),
];

fn form(title: &'static str) -> Form {
    Form::new(FORM).title(title)
}

pub(super) fn account_field() -> Field {
    Field::new(Kind::JidSingle, "accountjid", "Address of the account").required()
}

/// The accounts that a field names: all of them are there, or nothing is done.
async fn named(turn: Turn<'_>, answers: &Answers, var: &str) -> Result<Vec<Account>, StanzaError> {
    let texts = answers.all(var);
    if texts.len() > limits::ADMIN_LIST {
        let text = format!("At most {} accounts at once.", limits::ADMIN_LIST);
        return Err(StanzaError::policy_violation().text(text));
    }
    let mut accounts = Vec::new();
    for text in texts.iter().filter(|text| !text.is_empty()) {
        let found = turn.ctx.core.accounts.find(text).await.map_err(|error| match error {
            AccountError::NotFound => {
                StanzaError::item_not_found().text(format!("There is no account {text}."))
            }
            other => other.into(),
        })?;
        accounts.push(found);
    }
    Ok(accounts)
}

pub(super) async fn one(turn: Turn<'_>, answers: &Answers) -> Result<Account, StanzaError> {
    named(turn, answers, "accountjid").await?.pop().ok_or_else(StanzaError::item_not_found)
}

/// Several accounts that are not one's own: who locks oneself out cannot come back to mend it.
async fn others(turn: Turn<'_>, answers: &Answers) -> Result<Vec<Account>, StanzaError> {
    let accounts = named(turn, answers, "accountjids").await?;
    if accounts.iter().any(|account| account.uid == turn.ctx.member.uid) {
        return Err(StanzaError::not_allowed().text("This is your own account."));
    }
    Ok(accounts)
}

fn accounts_form(title: &'static str) -> Form {
    form(title).field(Field::new(Kind::JidMulti, "accountjids", "Addresses of the accounts").required())
}

pub(super) fn note(turn: Turn<'_>, what: &str, accounts: &[Account]) {
    for account in accounts {
        tracing::info!(admin = turn.ctx.member.uid.0, uid = account.uid.0, what, "administration");
    }
}

fn counted(accounts: &[Account], did: &str) -> Result<Next, StanzaError> {
    Next::done(match accounts.len() {
        1 => format!("One account was {did}."),
        n => format!("{n} accounts were {did}."),
    })
}

/// §4.1
async fn add(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            form("Add a user")
                .instructions("Leave the address out to give a number only.")
                .field(Field::new(Kind::JidSingle, "accountjid", "Address"))
                .field(Field::new(Kind::TextSingle, "nick", "Nickname"))
                .field(Field::new(Kind::TextPrivate, "password", "Password").required())
                .field(Field::new(Kind::TextPrivate, "password-verify", "The same again").required()),
        );
    };
    let password = answers.text("password").unwrap_or_default().to_owned();
    if answers.text("password-verify") != Some(&password) {
        return Err(StanzaError::not_acceptable().text("The two passwords are not the same."));
    }
    let name = core.accounts.name_of(answers.text("accountjid").unwrap_or_default())?;
    let nick = answers.text("nick").map(str::to_owned);
    let account = core.accounts.create(Wanted { name, nick, password, invite: None }, By::Operator).await?;
    let address = core.accounts.address(&account);
    let number = account.uid;
    note(turn, "add", &[account]);
    Next::done(format!("The account {address} is made. Its number is {number}."))
}

/// §4.2
async fn delete(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let text = "All that is theirs is deleted for good.";
        return Next::ask(accounts_form("Delete users").instructions(text));
    };
    let accounts = others(turn, answers).await?;
    for account in &accounts {
        turn.ctx.core.remove_account(account.uid).await?;
        turn.ctx.core.account_changed(account.uid, true).await;
    }
    note(turn, "delete", &accounts);
    counted(&accounts, "deleted")
}

/// §4.3, §4.4
async fn switch(turn: Turn<'_>, disabled: bool) -> Result<Next, StanzaError> {
    let (title, did) = match disabled {
        true => ("Disable users", "disabled"),
        false => ("Enable users again", "enabled"),
    };
    let Some(answers) = turn.answers.first() else { return Next::ask(accounts_form(title)) };
    let accounts = others(turn, answers).await?;
    for account in &accounts {
        turn.ctx.core.store.set_disabled(account.uid, disabled).await.map_err(store_error)?;
        turn.ctx.core.account_changed(account.uid, disabled).await;
    }
    note(turn, did, &accounts);
    counted(&accounts, did)
}

/// §4.5: of an account, or of one resource of it.
async fn end(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(accounts_form("End sessions of users"));
    };
    let mut ended = 0;
    for text in answers.all("accountjids").iter().filter(|text| !text.is_empty()).take(limits::ADMIN_LIST) {
        let (bare, resource) = text.split_once('/').map_or((text.as_str(), None), |(b, r)| (b, Some(r)));
        let account = core.accounts.find(bare).await?;
        for session in core.router.sessions(account.uid) {
            let mine = session.jid == turn.ctx.session.jid;
            if !mine && resource.is_none_or(|resource| resource == session.resource()) {
                let why = StreamError::signed_out(Why::Administrator, "An administrator ended this session.");
                core.end(&session, Some(why)).await;
                ended += 1;
            }
        }
        note(turn, "end sessions", &[account]);
    }
    Next::done(match ended {
        1 => "One session was ended.".to_owned(),
        n => format!("{n} sessions were ended."),
    })
}

/// §4.7
async fn password(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            form("Change a user's password")
                .field(account_field())
                .field(Field::new(Kind::TextPrivate, "password", "New password").required()),
        );
    };
    let account = one(turn, answers).await?;
    let password = answers.text("password").unwrap_or_default().to_owned();
    turn.ctx.core.set_password(account.uid, password).await?;
    note(turn, "change password", &[account]);
    Next::done("The password is changed.")
}

/// Not of the XEP: what is given to somebody who has forgotten the password, so that nobody else knows the new one.
async fn recovery(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let text = "The link is good once, and for a day. Whoever opens it sets a new password, and all devices are signed out. \
                    Give it to nobody but whose account it is.";
        return Next::ask(
            form("Make a link to set a new password").instructions(text).field(account_field()),
        );
    };
    let account = one(turn, answers).await?;
    let link = turn.ctx.core.accounts.grant(LinkPurpose::Recovery(account.uid)).await?;
    let shown = |var, label, value: String| Field::new(Kind::TextSingle, var, label).value(value);
    let mut result = form("A link to set a new password")
        .field(account_field().value(turn.ctx.core.accounts.address(&account).to_string()))
        .field(shown("token", "Token", link.token));
    if let Some(page) = link.page {
        result = result.field(shown("page", "Link", page));
    }
    note(turn, "recovery link", &[account]);
    Next::show(result.field(shown("expire", "Valid until", stamp(link.expires))))
}

/// §4.9
async fn last(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(form("When a user was last here").field(account_field()));
    };
    let account = one(turn, answers).await?;
    let when = last_here(turn, account.uid).await?;
    Next::show(
        form("When a user was last here")
            .field(account_field().value(core.accounts.address(&account).to_string()))
            .field(Field::new(Kind::TextSingle, "lastlogin", "Last here").value(when)),
    )
}

/// §4.10, and what else an administrator must know before deciding anything.
async fn statistics(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(form("About a user").field(account_field()));
    };
    let account = one(turn, answers).await?;
    let uid = account.uid;
    let roster = core.store.roster(uid).await.map_err(store_error)?;
    let sessions = core.router.sessions(uid);
    let field = |var, label, value: String| Field::new(Kind::TextSingle, var, label).value(value);
    let tick = |var, label, is: bool| Field::new(Kind::Boolean, var, label).ticked(is);
    let form = form("About a user")
        .field(account_field().value(core.accounts.address(&account).to_string()))
        .field(field("number", "Number", uid.to_string()))
        .field(Field::new(Kind::TextSingle, "name", "Name").values(account.name))
        .field(Field::new(Kind::TextSingle, "nick", "Nickname").values(account.nick))
        .field(field("created", "Made", stamp(account.created)))
        .field(field("lastlogin", "Last here", last_here(turn, uid).await?))
        .field(tick("disabled", "Disabled", account.disabled))
        .field(tick("waits", "Waits for approval", core.store.waits(uid).await.map_err(store_error)?))
        .field(tick("admin", "Administrator", core.store.is_admin(uid).await.map_err(store_error)?))
        .field(tick(
            "second-factor",
            "Has a second factor",
            core.store.factor(uid).await.map_err(store_error)?.is_some(),
        ))
        .field(field("rostersize", "Contacts", roster.items.len().to_string()));
    let described = sessions.iter().map(|session| super::account::described(session));
    Next::show(
        super::storage::of_account(turn, uid, form)
            .await?
            .field(Field::new(Kind::TextMulti, "onlineresources", "Sessions").values(described)),
    )
}

/// When somebody was last here, as it is shown.
pub(super) async fn last_here(turn: Turn<'_>, uid: Uid) -> Result<String, StanzaError> {
    let core = turn.ctx.core;
    if core.router.sessions(uid).iter().any(|session| session.is_available()) {
        return Ok(stamp(core.env.now()));
    }
    let last = core.store.last(uid).await.map_err(store_error)?;
    Ok(last.map_or_else(|| "never".to_owned(), |last| stamp(last.at)))
}

/// §4.29: those that are named are administrators, and no others.
async fn administrators(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let current = core.store.admins().await.map_err(store_error)?;
    let Some(answers) = turn.answers.first() else {
        let mut addresses = Vec::new();
        for uid in &current {
            if let Some(member) = core.directory.member(*uid).await.map_err(store_error)? {
                addresses.push(member.address.to_string());
            }
        }
        let field = Field::new(Kind::JidMulti, "adminjids", "Administrators").required().values(addresses);
        return Next::ask(form("Edit the administrators").field(field));
    };
    let wanted = named(turn, answers, "adminjids").await?;
    if !wanted.iter().any(|account| account.uid == turn.ctx.member.uid) {
        return Err(StanzaError::not_allowed().text("You cannot take this from yourself."));
    }
    for uid in current.iter().filter(|uid| wanted.iter().all(|account| account.uid != **uid)) {
        core.store.set_admin(*uid, false).await.map_err(store_error)?;
        core.account_changed(*uid, false).await;
    }
    for account in &wanted {
        core.store.set_admin(account.uid, true).await.map_err(store_error)?;
        core.account_changed(account.uid, false).await;
    }
    note(turn, "administrator", &wanted);
    Next::done("These are the administrators now.")
}
