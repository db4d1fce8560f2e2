//! Commands about people that XEP-0133 does not have: who there is, found by a word and page by page; and the second factor of
//! an administrator who has lost it.

use super::admin::{account_field, last_here, note, one};
use super::listing::{self, Wanted, column};
use super::{Command, Next, Turn};
use crate::store_error;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::{Account, AccountFilter};

pub(super) const COMMANDS: &[Command] = &[
    Command::admin("https://rookery.im/command/people", "People", |turn| Box::pin(people(turn))),
    Command::admin(
        "https://rookery.im/command/remove-second-factor",
        "Take an administrator's second factor away",
        |turn| Box::pin(remove_factor(turn)),
    ),
];

async fn people(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let state = Field::new(Kind::ListSingle, "state", "Accounts")
            .option("all", "all")
            .option("those that can sign in", "enabled")
            .option("disabled ones", "disabled")
            .value("all");
        let form = Form::untyped().title("People").field(listing::words()).field(state);
        return Next::ask(listing::asked(form));
    };
    let Wanted { words, after, max } = listing::read(answers)?;
    let disabled = match answers.text("state") {
        Some("enabled") => Some(false),
        Some("disabled") => Some(true),
        _ => None,
    };
    let filter = AccountFilter { disabled, words, name_prefix: None };
    let store = &turn.ctx.core.store;
    // One more than are shown tells whether there are more.
    let mut found = store.accounts(Some(Uid(after)), filter, max + 1).await.map_err(store_error)?;
    let more = found.len() > max;
    found.truncate(max);
    let last = found.last().filter(|_| more).map(|account| account.uid.0);
    let mut rows = Vec::with_capacity(found.len());
    for account in found {
        rows.push(row(turn, account).await?);
    }
    let columns = vec![
        column("number", "Number"),
        column("address", "Address"),
        column("nick", "Nickname"),
        column("state", "State"),
        column("last", "Last here"),
        column("bytes", "Bytes of files"),
        column("quota", "May store, bytes"),
    ];
    Next::show(listing::more(Form::untyped().title("People"), last).table(columns, rows))
}

async fn row(turn: Turn<'_>, account: Account) -> Result<Vec<String>, StanzaError> {
    let (core, uid) = (turn.ctx.core, account.uid);
    let state = if account.disabled {
        "disabled"
    } else if core.store.waits(uid).await.map_err(store_error)? {
        "waiting"
    } else if core.store.is_admin(uid).await.map_err(store_error)? {
        "administrator"
    } else {
        "enabled"
    };
    let used = core.store.file_usage(uid).await.map_err(store_error)?;
    let quota = super::storage::quota_of(turn, uid).await?;
    Ok(vec![
        uid.to_string(),
        core.accounts.address(&account).to_string(),
        account.nick.unwrap_or_default(),
        state.to_owned(),
        last_here(turn, uid).await?,
        used.bytes.to_string(),
        quota.map(|bytes| bytes.to_string()).unwrap_or_default(),
    ])
}

async fn remove_factor(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Take an administrator's second factor away")
                .instructions("The password alone will do until there is another one.")
                .field(account_field()),
        );
    };
    let account = one(turn, answers).await?;
    if account.uid == turn.ctx.member.uid {
        // Who has only found the device that is signed in must not get rid of what guards it.
        let text = "This is your own account: \"My second factor\" takes a code for that.";
        return Err(StanzaError::not_allowed().text(text));
    }
    let removed = turn.ctx.core.store.remove_factor(account.uid).await.map_err(store_error)?;
    note(turn, "remove second factor", &[account]);
    Next::done(match removed {
        true => "The second factor is taken away.",
        false => "This account has no second factor.",
    })
}
