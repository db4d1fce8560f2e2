//! Commands about mails on their way out: what waits and why, another attempt, and giving one up.

use super::listing::{column, more};
use super::{Command, Next, Turn};
use crate::env::stamp;
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_store::limits::MAIL_PAGE;

pub(super) const COMMANDS: &[Command] = &[
    Command::admin("https://rookery.im/command/mail-queue", "Mails on their way out", |turn| {
        Box::pin(list(turn))
    }),
    Command::admin("https://rookery.im/command/retry-mail", "Try a mail again now", |turn| {
        Box::pin(retry(turn))
    }),
    Command::admin("https://rookery.im/command/drop-mail", "Give a mail up", |turn| Box::pin(give_up(turn))),
];

/// The number of a mail; `None`: nothing is filled in.
fn number(answers: &Answers, var: &str) -> Result<Option<u64>, StanzaError> {
    let text = answers.text(var).map(str::trim).filter(|text| !text.is_empty());
    let wrong = |_| StanzaError::not_acceptable().text("This is not a number.");
    text.map(|text| text.parse().map_err(wrong)).transpose()
}

fn unknown() -> StanzaError {
    StanzaError::item_not_found().text("No such mail is on its way out.")
}

async fn list(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let title = "Mails on their way out";
    let Some(answers) = turn.answers.first() else {
        let after = Field::new(Kind::TextSingle, "after", "After this number (empty: from the beginning)");
        return Next::ask(Form::untyped().title(title).field(after));
    };
    let after = number(answers, "after")?.unwrap_or(0);
    let mails = turn.ctx.core.store.mail_queue(after).await.map_err(store_error)?;
    let last = mails.last().filter(|_| mails.len() == MAIL_PAGE).map(|mail| mail.id);
    let row = |queued: &rookery_store::Queued| {
        vec![
            queued.id.to_string(),
            queued.mail.sender.clone(),
            queued.mail.recipient.clone(),
            stamp(queued.mail.at),
            queued.attempts.to_string(),
            stamp(queued.next),
            queued.trouble.clone(),
        ]
    };
    let columns = vec![
        column("number", "Number"),
        column("from", "From"),
        column("to", "To"),
        column("since", "Since"),
        column("attempts", "Tried"),
        column("next", "Next attempt"),
        column("answer", "Last answer"),
    ];
    let rows = mails.iter().map(row).collect();
    Next::show(more(Form::untyped().title(title), last).table(columns, rows))
}

async fn retry(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let field = Field::new(Kind::TextSingle, "number", "Number (empty: all)");
        return Next::ask(Form::untyped().title("Try a mail again now").field(field));
    };
    let number = number(answers, "number")?;
    let mails = turn.ctx.core.hurry_mail(number).await.map_err(store_error)?;
    match (mails, number) {
        (0, Some(_)) => Err(unknown()),
        (1, _) => Next::done("One mail is tried now."),
        (mails, _) => Next::done(format!("{mails} mails are tried now.")),
    }
}

async fn give_up(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let field = Field::new(Kind::TextSingle, "number", "Number").required();
        let text = "It is not sent, and its sender is told so.";
        return Next::ask(Form::untyped().title("Give a mail up").instructions(text).field(field));
    };
    let Some(number) = number(answers, "number")? else { return Err(unknown()) };
    if !turn.ctx.core.drop_mail(number).await.map_err(store_error)? {
        return Err(unknown());
    }
    tracing::info!(admin = turn.ctx.member.uid.0, mail = number, "a mail was given up");
    Next::done("The mail is out of the queue, and its sender is told.")
}
