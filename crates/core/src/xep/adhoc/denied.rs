//! XEP-0133 §4.11: the blacklist: whom this server has nothing to do with.

use super::admin::FORM;
use super::{Command, Next, Turn, node};
use crate::{denied, limits, store_error};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use std::collections::BTreeSet;

pub(super) const COMMANDS: &[Command] = &[
    Command::admin(node!("edit-blacklist"), "Edit the list of blocked servers and addresses", |turn| {
        Box::pin(edit(turn))
    }),
    Command::admin("https://rookery.im/command/block-address", "Block a server or an address", |turn| {
        Box::pin(change(turn, true))
    }),
    Command::admin("https://rookery.im/command/unblock-address", "Unblock a server or an address", |turn| {
        Box::pin(change(turn, false))
    }),
];

const ABOUT: &str = "Servers (example.org) or addresses (user@example.org) that nobody here can reach, and that \
                     reach nobody here.";

/// Those that are named are blocked, and no others.
async fn edit(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let current: BTreeSet<String> =
        core.store.denied().await.map_err(store_error)?.into_iter().map(|denied| denied.jid).collect();
    if current.len() > limits::DENIED_IN_FORM {
        let text = "The list is too long for one form: block and unblock one by one.";
        return Err(StanzaError::not_acceptable().text(text));
    }
    let Some(answers) = turn.answers.first() else {
        let field = Field::new(Kind::JidMulti, "blacklistjids", "Blocked").values(current);
        return Next::ask(
            Form::new(FORM).title("Blocked servers and addresses").instructions(ABOUT).field(field),
        );
    };
    let given = answers.all("blacklistjids").iter().filter(|text| !text.is_empty());
    let wanted: BTreeSet<String> =
        given.map(|text| denied::entry(text, &core.accounts)).collect::<Result<_, _>>()?;
    let by = turn.ctx.member.address.as_str();
    core.set_denied(wanted.difference(&current).cloned().collect(), true, by).await?;
    core.set_denied(current.difference(&wanted).cloned().collect(), false, by).await?;
    Next::done(match wanted.len() {
        1 => "One address is blocked now.".to_owned(),
        n => format!("{n} addresses are blocked now."),
    })
}

async fn change(turn: Turn<'_>, block: bool) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        let title = if block { "Block a server or an address" } else { "Unblock a server or an address" };
        let field = Field::new(Kind::JidSingle, "address", "Server or address").required();
        return Next::ask(Form::untyped().title(title).instructions(ABOUT).field(field));
    };
    let entry = denied::entry(answers.text("address").unwrap_or_default(), &core.accounts)?;
    let changed = core.set_denied(vec![entry.clone()], block, turn.ctx.member.address.as_str()).await?;
    Next::done(match (block, changed) {
        (true, 0) => format!("{entry} was blocked already."),
        (true, _) => format!("{entry} is blocked for everybody here."),
        (false, 0) => format!("{entry} was not blocked."),
        (false, _) => format!("{entry} is not blocked any more."),
    })
}
