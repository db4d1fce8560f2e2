//! XEP-0050: Ad-Hoc Commands: what a client can show to people without knowing it beforehand.
//!
//! A command is a row in [`commands`] and a function of the forms that were filled in so far ([`Turn`]): it asks for
//! one more, or does its work. Here is the rest: who may run it, the stages, going back, giving up, and what is wrong
//! with a request.

mod account;
mod admin;
mod archive;
mod census;
mod denied;
mod directory;
mod factor;
mod groups;
mod health;
mod invitations;
mod invite;
mod junk;
mod listing;
mod notices;
mod outmail;
mod owner;
mod people;
mod phone;
mod privacy;
mod push;
mod reports;
mod review;
mod sessions;
mod storage;
mod take_up;
mod trace;

pub use admin::INFO as ADMIN;
pub use sessions::Sessions;

use super::Xep;
use crate::answer::{Answer, Reply};
use crate::member::Member;
use crate::muc::privilege::Affiliation;
use crate::muc::{self, Room, hats};
use crate::{Ctx, limits};
use rookery_proto::error::StanzaError;
use rookery_proto::form::{Answers, Form, Purpose, Wrong};
use rookery_proto::ns;
use rookery_proto::stanza::Child;
use rookery_proto::xml::Xml;
use sessions::Open;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// XEP-0050.
pub const INFO: Xep = Xep {
    number: "XEP-0050",
    name: "Ad-Hoc Commands",
    version: "1.3.0",
    server: &[ns::COMMANDS],
    account: &[ns::COMMANDS],
    note: "Whole; a command in progress ends with the server, or after ten minutes.",
};

const FOR_ADMINS: &str = "This is for administrators.";

/// The language of all texts that are shown (§3.7).
const LANGUAGE: &str = "en";

/// Who may run a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Everybody, for the own account.
    Oneself,
    /// Administrators.
    Admin,
    /// In a group, who stands so to it at least.
    Group(Affiliation),
}

/// Where a command is asked for.
#[derive(Clone, Copy)]
pub enum At<'a> {
    /// At the own account.
    Account,
    /// At the server.
    Server,
    /// At a group.
    Group(&'a Arc<Room>),
}

/// A command.
pub struct Command {
    /// Names it to programs.
    pub node: &'static str,
    /// Names it to people.
    pub name: &'static str,
    /// Who may run it.
    pub who: Who,
    /// Goes one step.
    pub step: Step,
}

/// One step of a command.
pub type Step = for<'a> fn(Turn<'a>) -> Pin<Box<dyn Future<Output = Result<Next, StanzaError>> + Send + 'a>>;

/// What a command knows when it is its turn.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// Whose request it is.
    pub ctx: &'a Ctx<'a>,
    /// Where it was asked for.
    pub at: At<'a>,
    /// The forms that were filled in so far, each of them as it was asked for.
    pub answers: &'a [Answers],
}

/// What a command does with its turn. An error leaves the stage as it was, so that another answer can be given.
pub enum Next {
    /// It asks; `last`: then it has all that it needs.
    Ask {
        /// What it asks.
        form: Form,
        /// Whether it does its work with the answer.
        last: bool,
    },
    /// It is done.
    Done {
        /// A sentence for people; empty: there is none.
        note: String,
        /// What was found.
        result: Option<Form>,
    },
    /// It is done, with these words, and the account that asked is no more.
    Farewell(String),
}

impl Next {
    /// Asks for the last form.
    pub fn ask(form: Form) -> Result<Next, StanzaError> {
        Ok(Next::Ask { form, last: true })
    }

    /// Asks, and will ask again.
    pub fn ask_first(form: Form) -> Result<Next, StanzaError> {
        Ok(Next::Ask { form, last: false })
    }

    /// Is done, and says so.
    pub fn done(note: impl Into<String>) -> Result<Next, StanzaError> {
        Ok(Next::Done { note: note.into(), result: None })
    }

    /// Shows what it found.
    pub fn show(result: Form) -> Result<Next, StanzaError> {
        Ok(Next::Done { note: String::new(), result: Some(result) })
    }
}

/// All commands, in the order in which they are listed.
pub fn commands() -> impl Iterator<Item = &'static Command> {
    let all = [
        account::COMMANDS,
        archive::COMMANDS,
        privacy::COMMANDS,
        junk::COMMANDS,
        directory::COMMANDS,
        owner::COMMANDS,
        invite::COMMANDS,
        take_up::COMMANDS,
        push::COMMANDS,
        phone::COMMANDS,
        review::COMMANDS,
        admin::COMMANDS,
        census::COMMANDS,
        people::COMMANDS,
        invitations::COMMANDS,
        groups::COMMANDS,
        storage::COMMANDS,
        outmail::COMMANDS,
        notices::COMMANDS,
        reports::COMMANDS,
        denied::COMMANDS,
        trace::COMMANDS,
        health::COMMANDS,
        factor::COMMANDS,
        hats::COMMANDS,
        muc::commands::COMMANDS,
    ];
    all.into_iter().flatten()
}

/// A node of XEP-0133.
macro_rules! node {
    ($name:literal) => {
        concat!("http://jabber.org/protocol/admin#", $name)
    };
}
use node;

impl Command {
    /// A command for administrators.
    const fn admin(node: &'static str, name: &'static str, step: Step) -> Command {
        Command { node, name, who: Who::Admin, step }
    }

    /// Whether it may be run there: at one's own account those about oneself, at the server these and the administrators', at a
    /// group the group's.
    fn is_at(&self, at: At<'_>) -> bool {
        match (self.who, at) {
            (Who::Oneself, At::Account | At::Server) | (Who::Admin, At::Server) => true,
            (Who::Group(_), At::Group(_)) => true,
            (Who::Oneself | Who::Group(_) | Who::Admin, _) => false,
        }
    }

    fn is_for(&self, member: &Member, at: At<'_>) -> bool {
        match (self.who, at) {
            (Who::Oneself, _) => true,
            (Who::Admin, _) => member.admin,
            (Who::Group(least), At::Group(room)) => {
                let state = room.state();
                let affiliation = state.affiliation(&member.address);
                affiliation >= least && affiliation.may_enter(state.config.members_only)
            }
            (Who::Group(_), _) => false,
        }
    }
}

/// The commands that a member may run where it asks.
fn offered<'a>(member: &'a Member, at: At<'a>) -> impl Iterator<Item = &'static Command> + 'a {
    commands().filter(move |command| command.is_at(at) && command.is_for(member, at))
}

/// Whether a disco query is about commands: their list, or one of them.
pub fn is_meant(payload: &Child<'_>) -> bool {
    payload.attr("node").is_some_and(|node| node == ns::COMMANDS || find(&node).is_some())
}

fn find(node: &str) -> Option<&'static Command> {
    commands().find(|command| command.node == node)
}

/// The list of commands (§2.2).
pub fn items(ctx: &Ctx<'_>, payload: &Child<'_>, at: At<'_>) -> Answer {
    let node = payload.attr("node").unwrap_or_default();
    let to = ctx.stanza.to().unwrap_or_default();
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_ITEMS).attr("node", &node);
    if node == ns::COMMANDS {
        for command in offered(ctx.member, at) {
            x.open("item").attr("jid", &to).attr("node", command.node).attr("name", command.name).close();
        }
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// What the list is, or one command (§2.1).
pub fn info(ctx: &Ctx<'_>, payload: &Child<'_>, at: At<'_>) -> Answer {
    let node = payload.attr("node").unwrap_or_default();
    let mut command = offered(ctx.member, at).filter(|command| command.node == node);
    let (kind, name, features): (_, _, &[&str]) = match command.next() {
        Some(command) => ("command-node", command.name, &[ns::COMMANDS, ns::DATA_FORMS]),
        None if node == ns::COMMANDS => ("command-list", "Commands", &[]),
        None => return Err(StanzaError::item_not_found()),
    };
    let mut x = Xml::new();
    x.open_ns("query", ns::DISCO_INFO).attr("node", &node);
    x.open("identity").attr("category", "automation").attr("type", kind).attr("name", name).close();
    for feature in features {
        x.open("feature").attr("var", feature).close();
    }
    x.close();
    Ok(Reply::Payload(x.into_vec()))
}

/// What the client wants to be done (§3.4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Execute,
    Cancel,
    Prev,
    Next,
    Complete,
}

impl Action {
    fn read(payload: &Child<'_>) -> Result<Action, StanzaError> {
        match payload.attr("action").as_deref() {
            None | Some("execute") => Ok(Action::Execute),
            Some("cancel") => Ok(Action::Cancel),
            Some("prev") => Ok(Action::Prev),
            Some("next") => Ok(Action::Next),
            Some("complete") => Ok(Action::Complete),
            Some(_) => Err(condition(StanzaError::bad_request(), "malformed-action")),
        }
    }
}

/// An error with one of the conditions of §4.4.
fn condition(error: StanzaError, name: &'static str) -> StanzaError {
    error.app(ns::COMMANDS, name)
}

/// Runs a command, or goes on with one (§2.4).
pub async fn execute(ctx: &Ctx<'_>, payload: &Child<'_>, at: At<'_>) -> Answer {
    let node = payload.attr("node").unwrap_or_default();
    let command =
        find(&node).ok_or_else(|| StanzaError::item_not_found().text("There is no such command."))?;
    let here = command.is_at(at);
    if matches!(command.who, Who::Group(_)) != matches!(at, At::Group(_)) {
        return Err(StanzaError::item_not_found().text("There is no such command here."));
    }
    if !command.is_for(ctx.member, at) {
        let text = if here && command.who != Who::Admin { "You may not do this here." } else { FOR_ADMINS };
        return Err(StanzaError::forbidden().text(text));
    }
    if !here {
        return Err(StanzaError::item_not_found().text("Ask the server, not the account."));
    }
    if command.who == Who::Admin {
        factor::admit(Turn { ctx, at, answers: &[] }, command.node).await?;
    }
    if payload.xml().len() > limits::COMMAND_BYTES {
        return Err(StanzaError::policy_violation().text("This is too much for one form."));
    }
    let action = Action::read(payload)?;
    let owner = &ctx.session.jid;
    let now = ctx.core.env.now();
    let Some(id) = payload.attr("sessionid").filter(|id| !id.is_empty()) else {
        if matches!(action, Action::Cancel | Action::Prev) {
            return Err(condition(StanzaError::bad_request(), "bad-sessionid"));
        }
        let id = ctx.core.env.token();
        let answers = at_once(ctx, command, at, payload).await?;
        return go_on(ctx, command, at, &id, answers).await;
    };
    let open = ctx.core.commands.take(&id, owner, command.node, now)?;
    let form = payload.child(ns::DATA_FORMS, "x");
    let given_up = form.is_some_and(|form| form.attr("type").as_deref() == Some("cancel"));
    if action == Action::Cancel || given_up {
        return Ok(Reply::Payload(written(command, &id, "canceled", |_| {})));
    }
    let answers = stage(&open, action, payload);
    let outcome = match answers {
        Ok(answers) => go_on(ctx, command, at, &id, answers).await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        ctx.core.commands.keep(&id, open, now)?;
    }
    outcome
}

/// The answer to the first form of a group's command that comes with the request, of who knows the form (XEP-0317 §3.3, §3.5).
async fn at_once(
    ctx: &Ctx<'_>,
    command: &'static Command,
    at: At<'_>,
    payload: &Child<'_>,
) -> Result<Vec<Answers>, StanzaError> {
    let form = payload.child(ns::DATA_FORMS, "x").filter(|_| matches!(at, At::Group(_)));
    if form.is_none_or(|form| form.attr("type").as_deref() != Some("submit")) {
        return Ok(Vec::new());
    }
    match (command.step)(Turn { ctx, at, answers: &[] }).await? {
        Next::Ask { form, last } => {
            let (uid, owner) = (ctx.member.uid, ctx.session.jid.clone());
            let open = Open { uid, owner, node: command.node, answers: Vec::new(), form, last };
            stage(&open, Action::Execute, payload)
        }
        Next::Done { .. } | Next::Farewell(_) => Ok(Vec::new()),
    }
}

/// The answers with which the command goes on: one more, or one less (§3.4).
fn stage(open: &Open, action: Action, payload: &Child<'_>) -> Result<Vec<Answers>, StanzaError> {
    let bad_action = || condition(StanzaError::bad_request(), "bad-action");
    match action {
        Action::Prev => open.answers.split_last().map(|(_, before)| before.to_vec()).ok_or_else(bad_action),
        Action::Next if open.last => Err(bad_action()),
        Action::Complete if !open.last => Err(bad_action()),
        _ => {
            let answered = match payload.child(ns::DATA_FORMS, "x") {
                Some(form) => Answers::read(&form),
                None if open.form.asks() => Err(Wrong("The form is not there.".to_owned())),
                None => Ok(Answers::default()),
            };
            let fits = answered.and_then(|answers| open.form.check(&answers).map(|()| answers));
            let wrong = |wrong: Wrong| condition(StanzaError::from(wrong), "bad-payload");
            Ok(open.answers.iter().cloned().chain([fits.map_err(wrong)?]).collect())
        }
    }
}

/// The command has its turn.
async fn go_on(
    ctx: &Ctx<'_>,
    command: &'static Command,
    at: At<'_>,
    id: &str,
    answers: Vec<Answers>,
) -> Answer {
    let payload = match (command.step)(Turn { ctx, at, answers: &answers }).await? {
        Next::Ask { form, last } => {
            let first = answers.is_empty();
            let payload = written(command, id, "executing", |x| {
                let next = if last { "complete" } else { "next" };
                x.open("actions").attr("execute", next);
                if !first {
                    x.leaf("prev");
                }
                x.leaf(next).close();
                form.write(Purpose::Form, x);
            });
            let (uid, owner) = (ctx.member.uid, ctx.session.jid.clone());
            let open = Open { uid, owner, node: command.node, answers, form, last };
            ctx.core.commands.keep(id, open, ctx.core.env.now())?;
            payload
        }
        Next::Done { note, result } => completed(command, id, result, &note),
        Next::Farewell(note) => return Ok(Reply::Farewell(completed(command, id, None, &note))),
    };
    Ok(Reply::Payload(payload))
}

fn completed(command: &Command, id: &str, result: Option<Form>, note: &str) -> Vec<u8> {
    written(command, id, "completed", |x| {
        if let Some(form) = result {
            form.write(Purpose::Result, x);
        }
        if !note.is_empty() {
            x.open("note").attr("type", "info").text(note).close();
        }
    })
}

fn written(command: &Command, id: &str, status: &str, content: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let mut x = Xml::new();
    x.open_ns("command", ns::COMMANDS).attr("node", command.node).attr("sessionid", id);
    x.attr("status", status).attr("xml:lang", LANGUAGE);
    content(&mut x);
    x.close();
    x.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_is_there_once() {
        let mut nodes: Vec<_> = commands().map(|command| command.node).collect();
        let all = nodes.len();
        nodes.sort_unstable();
        nodes.dedup();
        assert_eq!(nodes.len(), all);
    }
}
