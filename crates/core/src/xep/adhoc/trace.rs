//! The command that answers "where is my message?".

use super::{Command, Next, Turn};
use crate::env::stamp;
use crate::render::parse_archive_id;
use crate::store_error;
use crate::trace::Way;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::jid::BareJid;
use rookery_store::{Account, Sought};

pub(super) const COMMANDS: &[Command] =
    &[Command::admin("https://rookery.im/command/trace", "Where is my message?", |turn| {
        Box::pin(trace(turn))
    })];

async fn trace(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Where is my message?")
                .instructions(
                    "Shows how far one message has come, and nothing of what it says. \
                     Without an id it is the newest between the two.",
                )
                .field(Field::new(Kind::JidSingle, "account", "Whose message").required())
                .field(Field::new(Kind::JidSingle, "with", "The other side of the conversation"))
                .field(Field::new(Kind::TextSingle, "id", "Its id, as the client or the archive calls it")),
        );
    };
    let account = core.accounts.find(answers.text("account").unwrap_or_default()).await?;
    let sought = sought(turn, answers, &account).await?;
    let way = core.trace(account.uid, sought).await.map_err(store_error)?;
    tracing::info!(admin = turn.ctx.member.uid.0, uid = account.uid.0, "traced a message");
    match way {
        Some(way) => Next::show(shown(&way)),
        None => Next::done("There is no such message, or it is not kept any more."),
    }
}

async fn sought(turn: Turn<'_>, answers: &Answers, account: &Account) -> Result<Sought, StanzaError> {
    let given = |var| answers.text(var).filter(|text| !text.is_empty());
    let with = match given("with") {
        Some(text) => Some(peer(turn, text).await?),
        None => None,
    };
    match (given("id"), with) {
        (Some(id), with) => match (parse_archive_id(id, account.epoch), with) {
            (Some(place), _) => Ok(Sought::Entry(place)),
            (None, Some(to)) => Ok(Sought::Named { to, id: id.into() }),
            (None, None) => Err(StanzaError::not_acceptable()
                .text("This is no id of the account's archive: say with whom the conversation is, too.")),
        },
        (None, Some(with)) => Ok(Sought::Newest(with)),
        (None, None) => {
            Err(StanzaError::not_acceptable().text("Say with whom the conversation is, or the message's id."))
        }
    }
}

/// The address under which logs have a conversation: of people here it is the primary one.
async fn peer(turn: Turn<'_>, text: &str) -> Result<BareJid, StanzaError> {
    let core = turn.ctx.core;
    if let Ok(account) = core.accounts.find(text).await
        && let Some(member) = core.directory.member(account.uid).await.map_err(store_error)?
    {
        return Ok(member.address.clone());
    }
    BareJid::new(text).map_err(|_| StanzaError::jid_malformed().text("This is no address."))
}

fn shown(way: &Way) -> Form {
    let trace = &way.trace;
    let (at, bytes) = (stamp(trace.at), trace.bytes);
    let title = match trace.retracted {
        false => format!("Taken by the server {at}, {bytes} bytes"),
        true => format!("Taken by the server {at}, {bytes} bytes, taken back"),
    };
    let columns = vec![
        Field::new(Kind::TextSingle, "owner", "In the log of"),
        Field::new(Kind::TextSingle, "state", "How far it has come"),
    ];
    let rows = way.stations.iter().map(|at| vec![at.owner.clone(), at.state.clone()]).collect();
    Form::untyped().title(title).table(columns, rows)
}
