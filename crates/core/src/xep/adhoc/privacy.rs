//! Commands about who sees me and who reaches me: settings, rules about single contacts, strangers and their requests.

use super::{Command, Next, Turn, Who};
use crate::address;
use crate::env::stamp;
use crate::privacy::{Audience, Settings, Strangers};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_proto::jid::BareJid;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/who-sees-me",
        name: "Who sees me",
        who: Who::Oneself,
        step: |turn| Box::pin(who_sees_me(turn)),
    },
    Command {
        node: "https://rookery.im/command/visibility",
        name: "Be visible or invisible to one contact",
        who: Who::Oneself,
        step: |turn| Box::pin(visibility(turn)),
    },
    Command {
        node: "https://rookery.im/command/strangers",
        name: "Messages from strangers",
        who: Who::Oneself,
        step: |turn| Box::pin(strangers(turn)),
    },
    Command {
        node: "https://rookery.im/command/requests",
        name: "Requests from strangers",
        who: Who::Oneself,
        step: |turn| Box::pin(requests(turn)),
    },
];

fn audience(kind: &'static str, label: &'static str, chosen: Audience) -> Field {
    Field::new(Kind::ListSingle, kind, label)
        .option("everybody", "everybody")
        .option("contacts", "contacts")
        .option("nobody", "nobody")
        .value(match chosen {
            Audience::Everybody => "everybody",
            Audience::Contacts => "contacts",
            Audience::Nobody => "nobody",
        })
        .required()
}

fn chosen(answers: &Answers, var: &str) -> Audience {
    match answers.text(var) {
        Some("everybody") => Audience::Everybody,
        Some("contacts") => Audience::Contacts,
        _ => Audience::Nobody,
    }
}

async fn who_sees_me(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let settings = member.privacy.settings;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Who sees me")
                .instructions(
                    "Contacts are those whom you let see when you are here. Who may not see that does not see when you \
                     were here last either. \"Be visible or invisible to one contact\" makes exceptions.",
                )
                .field(audience("presence", "Who sees when I am here", settings.presence))
                .field(audience("last", "Who sees when I was here last", settings.last)),
        );
    };
    let (presence, last) = (chosen(answers, "presence"), chosen(answers, "last"));
    core.set_privacy(member.uid, Settings { presence, last, ..settings }).await?;
    Next::done("From now on you are seen so.")
}

async fn visibility(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let Some(answers) = turn.answers.first() else {
        let rules = |var, label, wanted| {
            let rules = member.privacy.visibility.iter().filter(move |(_, visible)| **visible == wanted);
            Field::new(Kind::Fixed, var, label).values(rules.map(|(jid, _)| jid.to_string()))
        };
        return Next::ask(
            Form::untyped()
                .title("Be visible or invisible to one contact")
                .instructions("Who is always visible to a contact is so also when nobody else sees them.")
                .field(rules("invisible-to", "You are invisible to", false))
                .field(rules("visible-to", "You are always visible to", true))
                .field(Field::new(Kind::JidSingle, "contact", "Contact").required())
                .field(
                    Field::new(Kind::ListSingle, "visible", "I am")
                        .option("invisible to this contact", "never")
                        .option("always visible to this contact", "always")
                        .option("seen as by all others", "default")
                        .value("never")
                        .required(),
                ),
        );
    };
    let contact = named(answers, "contact")?;
    // Before it is shown in the form as it is kept.
    turn.ctx.resolved(contact.clone()).await?;
    let visible = match answers.text("visible") {
        Some("always") => Some(true),
        Some("default") => None,
        _ => Some(false),
    };
    core.set_visibility(member.uid, contact.clone(), visible).await?;
    Next::done(match visible {
        Some(true) => format!("You are always visible to {contact}."),
        Some(false) => format!("You are invisible to {contact}."),
        None => format!("{contact} sees you as all others do."),
    })
}

async fn strangers(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let settings = member.privacy.settings;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Messages from strangers")
                .instructions(
                    "Strangers are people who are not on your list and whom you have not written to. What is set aside \
                     waits under \"Requests from strangers\"; what is refused never reaches you.",
                )
                .field(
                    Field::new(Kind::ListSingle, "strangers", "What strangers send is")
                        .option("delivered", "accept")
                        .option("set aside", "set-aside")
                        .option("refused", "refuse")
                        .value(match settings.strangers {
                            Strangers::Accept => "accept",
                            Strangers::SetAside => "set-aside",
                            Strangers::Refuse => "refuse",
                        })
                        .required(),
                ),
        );
    };
    let strangers = match answers.text("strangers") {
        Some("accept") => Strangers::Accept,
        Some("set-aside") => Strangers::SetAside,
        _ => Strangers::Refuse,
    };
    core.set_privacy(member.uid, Settings { strangers, ..settings }).await?;
    Next::done(match strangers {
        Strangers::Accept => "What strangers send is delivered.",
        Strangers::SetAside => "What strangers send is set aside.",
        Strangers::Refuse => "What strangers send is refused.",
    })
}

/// Shows who waits, and lets those in that are chosen, or throws away what they sent.
async fn requests(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, uid) = (turn.ctx.core, turn.ctx.member.uid);
    let Some(answers) = turn.answers.first() else {
        let waiting = core.requests(uid).await?;
        if waiting.is_empty() {
            return Next::done("Nobody waits to be let in.");
        }
        let mut people = Field::new(Kind::ListMulti, "people", "These").required();
        for request in waiting {
            let messages = match request.messages {
                1 => "one message".to_owned(),
                n => format!("{n} messages"),
            };
            let label = format!("{}, {messages}, the last {}", request.peer, stamp(request.newest));
            people = people.option(label, request.peer.as_str());
        }
        return Next::ask(
            Form::untyped()
                .title("Requests from strangers")
                .instructions("What they have sent is in your archive until you decide.")
                .field(people)
                .field(
                    Field::new(Kind::ListSingle, "action", "are")
                        .option("let in, with what they sent", "accept")
                        .option("strangers still, and what they sent is deleted", "dismiss")
                        .value("accept")
                        .required(),
                ),
        );
    };
    let accept = answers.text("action") == Some("accept");
    for text in answers.all("people").iter().filter(|text| !text.is_empty()) {
        let peer = address::parse(text)?.to_bare();
        match accept {
            true => core.admit(uid, peer).await?,
            false => core.dismiss(uid, &peer).await?,
        }
    }
    Next::done(if accept { "They are let in." } else { "What they sent is deleted." })
}

fn named(answers: &Answers, var: &str) -> Result<BareJid, StanzaError> {
    Ok(address::parse(answers.text(var).unwrap_or_default())?.to_bare())
}
