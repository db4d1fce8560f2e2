//! XEP-0133: how many accounts there are, and which.

use super::admin::FORM;
use super::listing::{self, Wanted};
use super::{Command, Next, Turn, node};
use crate::store_error;
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::AccountFilter;
use std::collections::BTreeSet;

pub(super) const COMMANDS: &[Command] = &[
    Command::admin(node!("get-registered-users-num"), "How many accounts there are", |turn| {
        Box::pin(number(turn, Set::Registered))
    }),
    Command::admin(node!("get-disabled-users-num"), "How many accounts are disabled", |turn| {
        Box::pin(number(turn, Set::Disabled))
    }),
    Command::admin(node!("get-online-users-num"), "How many users are online", |turn| {
        Box::pin(number(turn, Set::Online))
    }),
    Command::admin(node!("get-registered-users-list"), "List the accounts", |turn| {
        Box::pin(list(turn, Set::Registered))
    }),
    Command::admin(node!("get-disabled-users-list"), "List the disabled accounts", |turn| {
        Box::pin(list(turn, Set::Disabled))
    }),
    Command::admin(node!("get-online-users-list"), "List the users online", |turn| {
        Box::pin(list(turn, Set::Online))
    }),
];

/// Which accounts are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Registered,
    Disabled,
    Online,
}

/// Numbers of the accounts that have a session, in their order.
fn online(turn: Turn<'_>) -> BTreeSet<Uid> {
    turn.ctx.core.router.all().iter().map(|session| session.uid).collect()
}

/// §4.13, §4.14, §4.15
async fn number(turn: Turn<'_>, set: Set) -> Result<Next, StanzaError> {
    let store = &turn.ctx.core.store;
    let (var, label, count) = match set {
        Set::Registered => {
            ("registeredusersnum", "Accounts", store.account_count().await.map_err(store_error)?)
        }
        Set::Disabled => {
            ("disabledusersnum", "Disabled accounts", store.disabled_count().await.map_err(store_error)?)
        }
        Set::Online => ("onlineusersnum", "Users online", online(turn).len() as u64),
    };
    Next::show(Form::new(FORM).field(Field::new(Kind::TextSingle, var, label).value(count.to_string())))
}

/// §4.18, §4.19, §4.20: in the order of the numbers, in pages.
async fn list(turn: Turn<'_>, set: Set) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(listing::asked(Form::new(FORM)));
    };
    let Wanted { after, max, .. } = listing::read(answers)?;
    let after = Uid(after);
    let (uids, var) = match set {
        Set::Online => {
            (online(turn).into_iter().filter(|uid| *uid > after).take(max + 1).collect(), "onlineuserjids")
        }
        Set::Registered => (accounts(turn, None, after, max).await?, "registereduserjids"),
        Set::Disabled => (accounts(turn, Some(true), after, max).await?, "disableduserjids"),
    };
    let shown = &uids[..uids.len().min(max)];
    let mut addresses = Vec::new();
    for uid in shown {
        if let Some(member) = turn.ctx.core.directory.member(*uid).await.map_err(store_error)? {
            addresses.push(member.address.to_string());
        }
    }
    let form = Form::new(FORM).field(Field::new(Kind::JidMulti, var, "Addresses").values(addresses));
    Next::show(listing::more(form, shown.last().filter(|_| uids.len() > max).map(|last| last.0)))
}

/// One more than are shown, which tells whether there are more.
async fn accounts(
    turn: Turn<'_>,
    disabled: Option<bool>,
    after: Uid,
    max: usize,
) -> Result<Vec<Uid>, StanzaError> {
    let filter = AccountFilter { disabled, ..AccountFilter::default() };
    let accounts = turn.ctx.core.store.accounts(Some(after), filter, max + 1).await.map_err(store_error)?;
    Ok(accounts.into_iter().map(|account| account.uid).collect())
}
