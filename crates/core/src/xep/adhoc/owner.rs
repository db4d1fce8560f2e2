//! Commands about what is one's own: all of it in one archive, and the end of the account.

use super::{Command, Next, Turn, Who};
use crate::accounts::By;
use crate::env::stamp;
use crate::export::{EXPORT_PATH, Order, State};
use crate::limits::EXPORT_PATIENCE;
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/export",
        name: "Get everything that is mine",
        who: Who::Oneself,
        step: |turn| Box::pin(export(turn)),
    },
    Command {
        node: "https://rookery.im/command/delete-account",
        name: "Delete my account",
        who: Who::Oneself,
        step: |turn| Box::pin(delete(turn)),
    },
];

/// Has an export written, and gives the link to it. What takes longer than a client likes to wait goes on meanwhile: who asks
/// again gets the same.
async fn export(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, uid) = (turn.ctx.core, turn.ctx.member.uid);
    let Some(base) = &core.policy.public_url else {
        let text = "Nothing can be fetched from this server by HTTP. Ask who runs it for your export.";
        return Err(StanzaError::service_unavailable().text(text));
    };
    let account = core.store.account(uid).await.map_err(store_error)?;
    let account = account.ok_or_else(StanzaError::item_not_found)?;
    let domain = core.policy.domain.clone();
    let order = Order { account, by: By::Themselves, domain, credentials: false, at: core.env.now() };
    let Some(id) = core.exports.order(core.env.token(), order) else {
        let text = "Too many people are getting their exports. Try again later.";
        return Err(StanzaError::resource_constraint().text(text));
    };
    match tokio::time::timeout(EXPORT_PATIENCE, core.exports.settled(&id)).await {
        Ok(Some(State::Ready { until, .. })) => Next::show(
            Form::untyped()
                .title("Get everything that is mine")
                .instructions(
                    "Open the link with a browser. It is good once: whoever has it gets everything, so give it to nobody.",
                )
                .field(Field::new(Kind::TextSingle, "url", "Link").value(format!("{base}{EXPORT_PATH}{id}")))
                .field(Field::new(Kind::TextSingle, "until", "Good until").value(stamp(until))),
        ),
        Ok(_) => Err(StanzaError::internal_server_error().text("The export could not be written.")),
        Err(_) => Next::done("The export is being written. Run this command again in a while: it has the link then."),
    }
}

/// Asks whether it is meant, then ends the account.
async fn delete(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let member = turn.ctx.member;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Delete my account")
                .instructions(
                    "This deletes your account with all messages, contacts and settings, at once and for good. What \
                     others have received stays theirs. Nobody gets your number again.",
                )
                .field(
                    Field::new(Kind::TextSingle, "address", "Write your address to confirm it").required(),
                ),
        );
    };
    if answers.text("address").map(str::trim) != Some(member.address.as_str()) {
        let text = format!("Nothing was deleted: your address is {}.", member.address);
        return Err(StanzaError::not_acceptable().text(text));
    }
    turn.ctx.core.remove_account(member.uid).await?;
    tracing::info!(uid = member.uid.0, "account deleted by its owner");
    Ok(Next::Farewell("Your account is deleted.".to_owned()))
}
