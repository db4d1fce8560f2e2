//! Commands about mail that nobody asked for: what there is of it, and whose mail it is.

use super::{Command, Next, Turn, Who};
use crate::address;
use crate::env::stamp;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/junk",
        name: "Junk mail",
        who: Who::Oneself,
        step: |turn| Box::pin(junk(turn)),
    },
    Command {
        node: "https://rookery.im/command/junk-sender",
        name: "Take somebody's mail for junk",
        who: Who::Oneself,
        step: |turn| Box::pin(sender(turn)),
    },
];

/// Shows whose junk there is, and lets it in or throws it away.
async fn junk(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, uid) = (turn.ctx.core, turn.ctx.member.uid);
    let Some(answers) = turn.answers.first() else {
        let there = core.junk(uid).await?;
        if there.is_empty() {
            return Next::done("There is no junk.");
        }
        let mut people = Field::new(Kind::ListMulti, "people", "Mail of these").required();
        for from in there {
            let mails = match from.messages {
                1 => "one mail".to_owned(),
                n => format!("{n} mails"),
            };
            let label = format!("{}, {mails}, the last {}", from.peer, stamp(from.newest));
            people = people.option(label, from.peer.as_str());
        }
        return Next::ask(
            Form::untyped()
                .title("Junk mail")
                .instructions("What is junk goes thirty days after it came.")
                .field(people)
                .field(
                    Field::new(Kind::ListSingle, "action", "is")
                        .option("no junk, and is delivered", "accept")
                        .option("deleted", "dismiss")
                        .value("accept")
                        .required(),
                ),
        );
    };
    let accept = answers.text("action") == Some("accept");
    for text in answers.all("people").iter().filter(|text| !text.is_empty()) {
        let peer = address::parse(text)?.to_bare();
        match accept {
            true => core.judge_sender(uid, &peer, false).await?,
            false => core.discard_junk(uid, &peer).await?,
        }
    }
    Next::done(if accept { "Their mail is delivered." } else { "It is deleted." })
}

async fn sender(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Take somebody's mail for junk")
                .instructions(
                    "What waits of them goes to junk, and what comes from now on. What was delivered stays.",
                )
                .field(Field::new(Kind::JidSingle, "sender", "Sender").required()),
        );
    };
    let peer = address::parse(answers.text("sender").unwrap_or_default())?.to_bare();
    turn.ctx.core.judge_sender(turn.ctx.member.uid, &peer, true).await?;
    Next::done(format!("Mail of {peer} is junk from now on."))
}
