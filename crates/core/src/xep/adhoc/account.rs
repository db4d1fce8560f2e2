//! Commands about oneself: who I am here, my password, my nickname, my other sessions.

use super::{Command, Next, Turn, Who};
use crate::env::stamp;
use crate::session::{Link, Session};
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Field, Form, Kind};
use rookery_proto::stream::StreamError;
use std::sync::Arc;

pub(super) const COMMANDS: &[Command] = &[
    Command {
        node: "https://rookery.im/command/me",
        name: "My account",
        who: Who::Oneself,
        step: |turn| Box::pin(me(turn)),
    },
    Command {
        node: "https://rookery.im/command/password",
        name: "Change my password",
        who: Who::Oneself,
        step: |turn| Box::pin(password(turn)),
    },
    Command {
        node: "https://rookery.im/command/nick",
        name: "Change my nickname",
        who: Who::Oneself,
        step: |turn| Box::pin(nick(turn)),
    },
    Command {
        node: "https://rookery.im/command/sessions",
        name: "My sessions",
        who: Who::Oneself,
        step: |turn| Box::pin(sessions(turn)),
    },
];

/// What others reach me by, and since when.
async fn me(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (core, member) = (turn.ctx.core, turn.ctx.member);
    let account = core.store.account(member.uid).await.map_err(store_error)?;
    let account = account.ok_or_else(StanzaError::item_not_found)?;
    let field = |var, label| Field::new(Kind::TextSingle, var, label);
    Next::show(
        Form::untyped()
            .title("My account")
            .field(Field::new(Kind::JidSingle, "address", "Address").value(member.address.as_str()))
            .field(field("number", "Number").value(account.uid.to_string()))
            .field(field("name", "Name").values(account.name))
            .field(field("nick", "Nickname").values(account.nick))
            .field(field("created", "Made").value(stamp(account.created)))
            .field(Field::new(Kind::Boolean, "admin", "Administrator").ticked(member.admin)),
    )
}

async fn password(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        return Next::ask(
            Form::untyped()
                .title("Change my password")
                .instructions("All your devices need the new password from their next sign-in on.")
                .field(Field::new(Kind::TextPrivate, "password", "New password").required())
                .field(Field::new(Kind::TextPrivate, "repeated", "The same again").required()),
        );
    };
    let password = answers.text("password").unwrap_or_default();
    if answers.text("repeated") != Some(password) {
        return Err(StanzaError::not_acceptable().text("The two passwords are not the same."));
    }
    turn.ctx.core.set_password(turn.ctx.member.uid, password.to_owned()).await?;
    tracing::info!(uid = turn.ctx.member.uid.0, "password changed");
    Next::done("Your password is changed.")
}

async fn nick(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let (store, uid) = (&turn.ctx.core.store, turn.ctx.member.uid);
    let Some(answers) = turn.answers.first() else {
        let account = store.account(uid).await.map_err(store_error)?;
        let nick = account.and_then(|account| account.nick);
        return Next::ask(
            Form::untyped()
                .title("Change my nickname")
                .instructions("What others call you. Leave it empty to have none.")
                .field(Field::new(Kind::TextSingle, "nick", "Nickname").values(nick)),
        );
    };
    store.set_nick(uid, answers.text("nick").map(str::to_owned)).await.map_err(store_error)?;
    turn.ctx.core.directory.changed(uid);
    Next::done("Your nickname is changed.")
}

/// Shows the account's other resources, and ends those that were chosen.
async fn sessions(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let others = || {
        core.router.sessions(turn.ctx.member.uid).into_iter().filter(|s| !Arc::ptr_eq(s, turn.ctx.session))
    };
    let Some(answers) = turn.answers.first() else {
        let mut field = Field::new(Kind::ListMulti, "end", "End these");
        for session in others() {
            field = field.option(described(&session), session.resource());
        }
        let text =
            format!("You are signed in here as {}, and on the devices below.", turn.ctx.session.resource());
        return Next::ask(Form::untyped().title("My sessions").instructions(text).field(field));
    };
    let chosen = answers.all("end");
    let mut ended = 0;
    for session in others().filter(|session| chosen.iter().any(|resource| resource == session.resource())) {
        let why = StreamError::with("not-authorized", "Another of your devices ended this session.");
        core.end(&session, Some(why)).await;
        ended += 1;
    }
    Next::done(match ended {
        0 => "No session was ended.".to_owned(),
        1 => "One session was ended.".to_owned(),
        n => format!("{n} sessions were ended."),
    })
}

/// A session in a person's words.
pub(super) fn described(session: &Session) -> String {
    let state = session.state();
    match state.link() {
        Link::Detached { since } => format!("{}, not connected since {}", session.resource(), stamp(*since)),
        _ => format!("{}, last heard {}", session.resource(), stamp(state.heard)),
    }
}
