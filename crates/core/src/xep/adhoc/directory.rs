//! Commands about being found: what the directory says of me, and who may ask to become a contact.

use super::{Command, Next, Turn, Who};
use crate::privacy::{Adding, Settings};
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_store::{Card, Findable};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/directory",
        name: "How others find me",
        who: Who::Oneself,
        step: |turn| Box::pin(directory(turn)),
    },
    Command {
        node: "https://rookery.im/command/who-adds-me",
        name: "Who may add me",
        who: Who::Oneself,
        step: |turn| Box::pin(who_adds_me(turn)),
    },
];

async fn directory(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, uid) = (turn.ctx.core, turn.ctx.member.uid);
    let Some(answers) = turn.answers.first() else {
        let card = core.store.card(uid).await.map_err(store_error)?;
        let nick = match card.nick {
            Some(nick) => Some(nick),
            None => core.store.account(uid).await.map_err(store_error)?.and_then(|account| account.nick),
        };
        return Next::ask(
            Form::untyped()
                .title("How others find me")
                .instructions(
                    "Nobody finds you as long as you do not allow it. People who know your address can write to you and \
                     add you either way: \"Messages from strangers\" and \"Who may add me\" are for that.",
                )
                .field(
                    Field::new(Kind::ListSingle, "findable", "I am found by")
                        .option("nobody", "nobody")
                        .option("who knows my number or name", "exactly")
                        .option("everybody who searches", "everybody")
                        .value(match card.findable {
                            Findable::Nobody => "nobody",
                            Findable::Exactly => "exactly",
                            Findable::Everybody => "everybody",
                        })
                        .required(),
                )
                .field(Field::new(Kind::TextSingle, "nick", "Nick").values(nick))
                .field(
                    Field::new(Kind::TextMulti, "interests", "Interests, one a line").values(card.interests),
                )
                .field(
                    Field::new(Kind::Boolean, "online", "Who finds me sees that I am online")
                        .ticked(card.online),
                ),
        );
    };
    let findable = match answers.text("findable") {
        Some("everybody") => Findable::Everybody,
        Some("exactly") => Findable::Exactly,
        _ => Findable::Nobody,
    };
    let lines = answers.all("interests").iter().map(|line| line.trim().to_owned());
    let card = Card {
        findable,
        online: answers.flag("online").unwrap_or(false),
        nick: answers.text("nick").map(|nick| nick.trim().to_owned()).filter(|nick| !nick.is_empty()),
        interests: lines.filter(|line| !line.is_empty()).collect(),
    };
    turn.ctx.store.set_card(uid, card).await.map_err(store_error)?;
    Next::done(match findable {
        Findable::Nobody => "Nobody finds you.",
        Findable::Exactly => "Who knows your number or your name finds you.",
        Findable::Everybody => "Everybody who searches can find you.",
    })
}

async fn who_adds_me(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let settings = member.privacy.settings;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Who may add me")
                .instructions(
                    "Who asks to see when you are here, and may not, waits for an answer that does not come. People whom \
                     you have added yourself may always ask.",
                )
                .field(
                    Field::new(Kind::ListSingle, "adding", "Who may ask to become a contact")
                        .option("everybody", "everybody")
                        .option("who has an invitation of mine", "invited")
                        .option("nobody", "nobody")
                        .value(match settings.adding {
                            Adding::Everybody => "everybody",
                            Adding::Invited => "invited",
                            Adding::Nobody => "nobody",
                        })
                        .required(),
                ),
        );
    };
    let adding = match answers.text("adding") {
        Some("everybody") => Adding::Everybody,
        Some("invited") => Adding::Invited,
        _ => Adding::Nobody,
    };
    core.set_privacy(member.uid, Settings { adding, ..settings }).await?;
    Next::done(match adding {
        Adding::Everybody => "Everybody may ask to become a contact.",
        Adding::Invited => "Who has an invitation of yours may become a contact.",
        Adding::Nobody => "Nobody may ask to become a contact.",
    })
}
