//! XEP-0133: what everybody is told: announcements, the message of the day, the welcome.

use super::admin::FORM;
use super::{Command, Next, Turn, node};
use crate::store_error;
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Field, Form, Kind};
use rookery_store::{Notice, NoticeKind};

pub(super) const COMMANDS: &[Command] = &[
    Command::admin(node!("announce"), "Tell those who are online", |turn| Box::pin(announce(turn))),
    Command::admin("https://rookery.im/command/announce-to-all", "Tell all users", |turn| {
        Box::pin(announce_to_all(turn))
    }),
    Command::admin(node!("set-motd"), "Set the message of the day", |turn| Box::pin(set_motd(turn))),
    Command::admin(node!("edit-motd"), "Edit the message of the day", |turn| Box::pin(edit_motd(turn))),
    Command::admin(node!("delete-motd"), "Delete the message of the day", |turn| {
        Box::pin(delete(turn, NoticeKind::Motd))
    }),
    Command::admin(node!("set-welcome"), "Set the welcome message", |turn| Box::pin(set_welcome(turn))),
    Command::admin(node!("delete-welcome"), "Delete the welcome message", |turn| {
        Box::pin(delete(turn, NoticeKind::Welcome))
    }),
];

fn announcement(title: &'static str, instructions: String) -> Form {
    Form::new(FORM)
        .title(title)
        .instructions(instructions)
        .field(Field::new(Kind::TextSingle, "subject", "Subject"))
        .field(Field::new(Kind::TextMulti, "announcement", "Announcement").required())
}

fn said(answers: &Answers) -> (String, String) {
    let subject = answers.text("subject").unwrap_or_default().to_owned();
    (subject, answers.lines("announcement").unwrap_or_default())
}

/// §4.23: shown to those who are here, and kept nowhere.
async fn announce(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let Some(answers) = turn.answers.first() else {
        let text = "Those who are not here will not learn of it.".to_owned();
        return Next::ask(announcement("Tell those who are online", text));
    };
    let (subject, text) = said(answers);
    let devices = turn.ctx.core.announce_here(&subject, &text);
    tracing::info!(admin = turn.ctx.member.uid.0, devices, "announcement to those online");
    Next::done(format!("It was shown on {devices} devices."))
}

/// A message into the log of everybody: stored at once as something to be done, and done beside.
async fn announce_to_all(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        let under_way = core.store.announcements().await.map_err(store_error)?;
        let mut text = "Everybody gets it as a message, now or when they come.".to_owned();
        for one in under_way {
            text.push_str(&format!(" One is under way: {} accounts have it.", one.sent));
        }
        return Next::ask(announcement("Tell all users", text));
    };
    let (subject, text) = said(answers);
    let begun = core.announce_to_all(subject, text).await.map_err(store_error)?;
    tracing::info!(admin = turn.ctx.member.uid.0, announcement = begun.id, "announcement to all");
    Next::done("It is on its way to all accounts. This command shows how far it is.")
}

fn motd(title: &'static str, current: Option<Notice>) -> Form {
    let lines: Vec<String> =
        current.map(|notice| notice.text.lines().map(str::to_owned).collect()).unwrap_or_default();
    Form::new(FORM)
        .title(title)
        .field(Field::new(Kind::TextMulti, "motd", "Message of the day").required().values(lines))
}

/// §4.24: news for everybody: shown to those who are here, and to the others when they come.
async fn set_motd(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let core = turn.ctx.core;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(motd("Set the message of the day", None));
    };
    let text = answers.lines("motd").unwrap_or_default();
    let notice = Notice { text: text.clone(), at: core.env.now() };
    core.store.set_notice(NoticeKind::Motd, Some(notice)).await.map_err(store_error)?;
    core.announce_here("", &text);
    Next::done("The message of the day is set.")
}

/// §4.25: the same message in better words: who has seen it does not see it again.
async fn edit_motd(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let store = &turn.ctx.core.store;
    let current = store.notice(NoticeKind::Motd).await.map_err(store_error)?;
    let Some(answers) = turn.answers.first() else {
        return Next::ask(motd("Edit the message of the day", current));
    };
    let at = current.map_or(turn.ctx.core.env.now(), |notice| notice.at);
    let notice = Notice { text: answers.lines("motd").unwrap_or_default(), at };
    store.set_notice(NoticeKind::Motd, Some(notice)).await.map_err(store_error)?;
    Next::done("The message of the day is changed.")
}

/// §4.27
async fn set_welcome(turn: Turn<'_>) -> Result<Next, StanzaError> {
    let store = &turn.ctx.core.store;
    let Some(answers) = turn.answers.first() else {
        let current = store.notice(NoticeKind::Welcome).await.map_err(store_error)?;
        let lines: Vec<String> =
            current.map(|notice| notice.text.lines().map(str::to_owned).collect()).unwrap_or_default();
        return Next::ask(
            Form::new(FORM)
                .title("Set the welcome message")
                .instructions("New users are told their address and number; this stands below it.")
                .field(Field::new(Kind::TextMulti, "welcome", "Welcome message").required().values(lines)),
        );
    };
    let text = answers.lines("welcome").unwrap_or_default();
    let notice = Notice { text, at: turn.ctx.core.env.now() };
    store.set_notice(NoticeKind::Welcome, Some(notice)).await.map_err(store_error)?;
    Next::done("The welcome message is set.")
}

/// §4.26, §4.28
async fn delete(turn: Turn<'_>, kind: NoticeKind) -> Result<Next, StanzaError> {
    turn.ctx.core.store.set_notice(kind, None).await.map_err(store_error)?;
    Next::done("It is deleted.")
}
