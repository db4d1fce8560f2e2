//! What notifications over push say.

use super::{Command, Next, Turn, Who};
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::PushContent;

pub(super) const COMMANDS: &[Command] = &[Command {
    node: "https://rookery.im/command/push-content",
    name: "What notifications say",
    who: Who::Oneself,
    step: |turn| Box::pin(content(turn)),
}];

async fn content(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (store, uid) = (&turn.ctx.core.store, turn.ctx.member.uid);
    let Some(answers) = turn.answers.first() else {
        let (_, content) = store.pushes(uid).await.map_err(store_error)?;
        return Next::ask(
            Form::untyped()
                .title("What notifications say")
                .instructions(
                    "Your applications are told of messages over services of others (push). Those of browsers see nothing of \
                     what is said; the service of a phone's application sees all of it. The text of an encrypted message is \
                     never said.",
                )
                .field(
                    Field::new(Kind::ListSingle, "content", "A notification says")
                        .option("that there is a message", "nothing")
                        .option("who sent it", "sender")
                        .option("who sent it, and its text", "full")
                        .value(match content {
                            PushContent::Nothing => "nothing",
                            PushContent::Sender => "sender",
                            PushContent::Full => "full",
                        })
                        .required(),
                ),
        );
    };
    let content = match answers.text("content") {
        Some("full") => PushContent::Full,
        Some("sender") => PushContent::Sender,
        _ => PushContent::Nothing,
    };
    store.set_push_content(uid, content).await.map_err(store_error)?;
    Next::done("From now on notifications say so.")
}
