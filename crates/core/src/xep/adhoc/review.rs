//! The command by which administrators approve or refuse new accounts.

use super::{Command, Next, Turn};
use rookery_proto::Uid;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};

pub(super) const COMMANDS: &[Command] =
    &[Command::admin("https://rookery.im/command/review", "Review new accounts", |turn| {
        Box::pin(review(turn))
    })];

async fn review(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        let waiting = core.waiting().await?;
        if waiting.is_empty() {
            return Next::done("No account waits.");
        }
        let mut people = Field::new(Kind::ListMulti, "accounts", "These").required();
        for (uid, named) in waiting {
            people = people.option(named, uid.to_string());
        }
        return Next::ask(
            Form::untyped()
                .title("Review new accounts")
                .instructions("Until you decide they can talk to administrators only.")
                .field(people)
                .field(
                    Field::new(Kind::ListSingle, "action", "are")
                        .option("approved", "approve")
                        .option("refused, and deleted", "refuse")
                        .value("approve")
                        .required(),
                ),
        );
    };
    let approve = answers.text("action") == Some("approve");
    let mut done = 0;
    for uid in answers.all("accounts").iter().filter_map(|text| Uid::from_local(text)) {
        let changed = if approve { core.approve(uid).await? } else { core.refuse(uid).await? };
        done += usize::from(changed);
        tracing::info!(admin = turn.ctx.member.uid.0, %uid, approve, changed, "a new account was reviewed");
    }
    let did = if approve { "approved" } else { "refused" };
    Next::done(if done == 1 {
        format!("One account is {did}.")
    } else {
        format!("{done} accounts are {did}.")
    })
}
